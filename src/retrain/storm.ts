/**
 * The rule against retraining storms (DESIGN section 8): drift persists until production changes, and must not retrain
 * every night. Pure. A human's own retraining (cause null) is never held back, and `--force` overrides.
 */
import { versionName } from '../core/names.ts'
import { describeDuration } from '../project/duration.ts'
import type { JobEnd, JobRecord } from './job-log.ts'

export interface Blocked {
  readonly kind: 'awaits a decision' | 'cool-down' | 'rejected'
  /** One sentence. */
  readonly why: string
  /** The next thing to type. */
  readonly hint: string
  readonly version: number | null
  readonly since: string
}

export interface StormFacts {
  readonly model: string
  /** Digest of the manifest in production. */
  readonly champion: string | null
  /** Versions by stage, as they are now. */
  readonly stages: Readonly<Record<string, { readonly version: number } | undefined>>
  /** Milliseconds. */
  readonly coolDown: number
  readonly now: Date
}

/** @returns why the cause must not start another retraining now, or null */
export function blockedBy(cause: string | null, jobs: readonly JobRecord[], facts: StormFacts): Blocked | null {
  if (cause === null) return null
  // Only what happened for the same cause under the same production version counts: with another one all is new.
  const ends = jobs.filter((record) => record.kind === 'end')
  const mine = ends.filter((end) => end.cause === cause && end.champion === facts.champion)
  // Newest first: a candidate stands until it is decided upon, a failure until its time is over.
  for (const end of mine.reverse()) {
    const blocked = blockOf(end, facts)
    if (blocked !== null) return blocked
  }
  return null
}

function blockOf(end: JobEnd, facts: StormFacts): Blocked | null {
  const { model, stages, now, coolDown } = facts
  const base = { version: end.version, since: end.time }
  const candidate = end.version === null ? model : versionName(model, end.version)
  switch (end.outcome) {
    case 'promoted':
      if (end.version !== null && stages[end.stage]?.version === end.version) {
        const why = `${candidate} was retrained for the same cause and waits in ${end.stage} for a person's decision`
        return { ...base, kind: 'awaits a decision', why, hint: `mlops promote ${candidate} --to production` }
      }
      return rejected(`${candidate} was retrained for the same cause and taken out of ${end.stage} again`, end, facts)
    case 'refused':
      if (end.awaitsApproval) {
        const why = `${candidate} was retrained for the same cause and waits for approval to enter ${end.stage}`
        return {
          ...base,
          kind: 'awaits a decision',
          why,
          hint: `mlops promote ${candidate} --to ${end.stage} --approve NAME`,
        }
      }
      return rejected(`${candidate} was retrained for the same cause and refused by its gate`, end, facts)
    case 'unchanged':
      return rejected('retraining for the same cause gave the very model that is in production', end, facts)
    case 'failed': {
      const age = now.getTime() - new Date(end.time).getTime()
      if (age >= coolDown) return null
      const why = `retraining for the same cause failed ${describeDuration(age)} ago, and the cool-down is ${describeDuration(coolDown)}`
      const hint = end.run === null ? 'mlops run list' : `mlops run show ${end.run}`
      return { ...base, kind: 'cool-down', why, hint }
    }
    default:
      // Somebody pressed Ctrl-C, or the command never ran: that says nothing about the model and cost nothing.
      return null
  }
}

const rejected = (what: string, end: JobEnd, { model }: StormFacts): Blocked => ({
  kind: 'rejected',
  why: `${what}, and production is still the same`,
  hint: end.version === null ? `mlops model history ${model}` : `mlops model show ${versionName(model, end.version)}`,
  version: end.version,
  since: end.time,
})
