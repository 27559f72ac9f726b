/**
 * The rule against retraining storms (docs/retrain.md): drift persists until production changes, and must not retrain
 * every night. Pure. A human's own retraining (cause null) is never held back, and `--force` overrides.
 */
import { versionName } from '../core/names.ts'
import { promotionCommand } from '../core/next-command.ts'
import { describeDuration } from '../project/duration.ts'
import { isMove, type ModelEvent } from '../store/events.ts'
import type { JobEnd, JobRecord } from './job-records.ts'

export interface Blocked {
  /** A person's decision is awaited: all is well. The other two are a no, until somebody does something. */
  readonly kind: 'awaits a decision' | 'cool-down' | 'rejected'
  /** One sentence. */
  readonly why: string
  /** The next thing to type. */
  readonly hint: string
  /** What to do before that, or instead. */
  readonly advice: string | null
  readonly version: number | null
  readonly since: string
  /** What retrains all the same. */
  readonly force: string
  /** Of the retraining that failed. */
  readonly failure: Failure | null
}

export interface Failure {
  readonly run: string | null
  /** Of the training command; null when something after it failed. */
  readonly exitCode: number | null
  /** The last line the training printed; the error, when something after it failed. */
  readonly lastLine: string | null
}

export interface StormFacts {
  readonly model: string
  /** Digest of the manifest in production. */
  readonly champion: string | null
  /** Versions by stage, as they are now. */
  readonly stages: Readonly<Record<string, { readonly version: number } | undefined>>
  /** Of the model, in order: who took a candidate out of production again, and why. */
  readonly events: readonly ModelEvent[]
  /** Milliseconds. */
  readonly coolDown: number
  readonly now: Date
  /** How many people the gate of a stage asks for; one for production where that is not said. */
  readonly approvals?: (stage: string) => number
  /** A candidate in a stage that the gate of production certainly refuses, and what of it does. */
  readonly refusal?: { readonly version: number; readonly why: string } | null
  /** What retrains all the same. */
  readonly force: string
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
  return interruptedTooOften(mine, facts)
}

/** Once and again twice: a job that is killed every night must not train every night. */
export const MOST_TRAININGS = 3

function interruptedTooOften(newestFirst: readonly JobEnd[], facts: StormFacts): Blocked | null {
  const recent = newestFirst.filter((end) => {
    const trained = end.run !== null || end.workflow !== undefined
    return end.outcome === 'interrupted' && trained && ageOf(end, facts) < facts.coolDown
  })
  const [last] = recent
  if (last === undefined || recent.length < MOST_TRAININGS) return null
  const why = `training for the same cause was interrupted ${recent.length} times within the cool-down of ${describeDuration(facts.coolDown)}`
  return {
    ...base(last, facts),
    kind: 'cool-down',
    why,
    hint: last.run === null ? facts.force : `mlops run show ${last.run}`,
    advice: 'Look what ends it (a time limit, too little memory), then retrain with --force.',
    failure: { run: last.run, exitCode: null, lastLine: last.message.split('\n', 1)[0] ?? null },
  }
}

const ageOf = (end: JobEnd, { now }: StormFacts): number => now.getTime() - Date.parse(end.time)

function blockOf(end: JobEnd, facts: StormFacts): Blocked | null {
  const { model, stages } = facts
  const candidate = end.version === null ? model : versionName(model, end.version)
  switch (end.outcome) {
    case 'promoted':
    case 'refused': {
      // A person let it in and took it out: that is a decision, whatever stage it stands in besides.
      const left = end.version === null ? null : leftProduction(facts.events, end.version)
      if (left !== null) return takenBack(candidate, left, end, facts)
      if (end.outcome === 'promoted') {
        if (end.version === null || stages[end.stage]?.version !== end.version) {
          return rejected(
            `${candidate} was retrained for the same cause and taken out of ${end.stage} again`,
            end,
            facts,
          )
        }
        if (facts.refusal?.version === end.version) return keptOut(candidate, facts.refusal.why, end, facts)
        return awaits(`waits in ${end.stage} for a person's decision`, 'production', end, facts)
      }
      return end.awaitsApproval
        ? awaits(`waits for approval to enter ${end.stage}`, end.stage, end, facts)
        : rejected(`${candidate} was retrained for the same cause and refused by its gate`, end, facts)
    }
    case 'unchanged':
      return rejected('retraining for the same cause gave the very model that is in production', end, facts)
    case 'failed':
      return restsAfter(end, facts)
    default:
      // Somebody pressed Ctrl-C, or the command never ran: once, that says nothing about the model.
      return null
  }
}

const base = (end: JobEnd, { force }: StormFacts) =>
  ({ version: end.version, since: end.time, advice: null, failure: null, force }) as const

const forward = (candidate: string, stage: string, { approvals }: StormFacts): string =>
  promotionCommand(candidate, stage, Math.max(1, approvals?.(stage) ?? 1))

/** @param stage where a person may let it in */
function awaits(what: string, stage: string, end: JobEnd, facts: StormFacts): Blocked {
  const candidate = versionName(facts.model, end.version ?? 0)
  const why = `${candidate} was retrained for the same cause and ${what}`
  return { ...base(end, facts), kind: 'awaits a decision', why, hint: forward(candidate, stage, facts) }
}

function rejected(what: string, end: JobEnd, facts: StormFacts): Blocked {
  const { model } = facts
  const hint =
    end.version === null ? `mlops model history ${model}` : `mlops model show ${versionName(model, end.version)}`
  return { ...base(end, facts), kind: 'rejected', why: `${what}, and production is still the same`, hint }
}

/** Nobody's word would let it in: it waits for nothing. */
function keptOut(candidate: string, refusal: string, end: JobEnd, facts: StormFacts): Blocked {
  return {
    ...rejected(
      `${candidate} was retrained for the same cause and is in ${end.stage}, but the gate of production refuses it (${refusal})`,
      end,
      facts,
    ),
    hint: facts.force,
    advice: `Change the code, the data or the gate first. All that its gate says: mlops gate check ${candidate} --to production`,
  }
}

function takenBack(candidate: string, left: Departure, end: JobEnd, facts: StormFacts): Blocked {
  const to = versionName(facts.model, left.to)
  const how = left.how === 'rollback' ? `rolled back to ${to}` : `replaced by ${to}`
  const ago = describeDuration(Math.max(0, facts.now.getTime() - new Date(left.time).getTime()))
  const reason = left.reason === null ? 'no reason was given' : `reason: ${left.reason}`
  return {
    ...base(end, facts),
    kind: 'rejected',
    why: `${candidate} was retrained for the same cause, entered production and was ${how} by ${left.by} ${ago} ago (${reason})`,
    hint: facts.force,
    advice: `Change the code or the data first. To put ${candidate} forward again instead: ${forward(candidate, 'production', facts)}`,
    since: left.time,
  }
}

function restsAfter(end: JobEnd, facts: StormFacts): Blocked | null {
  const { coolDown } = facts
  const age = ageOf(end, facts)
  if (age >= coolDown) return null
  const why = `retraining for the same cause failed ${describeDuration(age)} ago, and the cool-down is ${describeDuration(coolDown)}`
  return {
    ...base(end, facts),
    kind: 'cool-down',
    why,
    hint: end.run === null ? 'mlops run list' : `mlops run show ${end.run}`,
    advice: 'Once the cause of the failure is removed, retrain with --force.',
    failure: {
      run: end.run,
      exitCode: end.failure?.exitCode ?? null,
      // What an older program recorded has the message alone.
      lastLine: end.failure?.lastLine ?? (end.message.split('\n', 1)[0] || null),
    },
  }
}

interface Departure {
  readonly how: 'rollback' | 'promote'
  readonly to: number
  readonly by: string
  /** RFC 3339. */
  readonly time: string
  readonly reason: string | null
}

/** How a version left production the last time; null when it never was there. */
function leftProduction(events: readonly ModelEvent[], version: number): Departure | null {
  const move = events.findLast(
    (event) =>
      isMove(event) &&
      event.body.stage === 'production' &&
      event.body.from === version &&
      event.body.version !== version,
  )
  if (move === undefined || !isMove(move)) return null
  const { type: how, body, actor, time } = move
  return { how, to: body.version, by: actor.name, time, reason: body.reason ?? null }
}
