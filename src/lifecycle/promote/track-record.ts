/**
 * What a retraining policy has to show before it may promote to production by itself: a fold of the log. Pure.
 *
 * A **clean staged promotion** is a version that
 *
 * 1. a retraining registered: an ended job names it, and its register event carries the tag `retrain`. The tag alone
 *    proves nothing, as anybody may give it; nor does a version imported from elsewhere;
 * 2. was then promoted into another stage than production, and only after that
 * 3. entered production for the first time by a person's word: that promotion holds an approval that is no policy's, and
 * 4. was never given up there since. It is given up by a rollback that takes production away from it, also by one that
 *    goes back past it (1, 2, 3, then `--to 1` gives up 3 and 2), and by a promotion that puts a version there again
 *    which had been in production before it: a step back by another name. Being followed by a newer version is no harm.
 *    A rollout of it that was given up is none: its later entry does not count. One that was completed counts once.
 *
 * A version counts once. Giving up a version that a policy had promoted by itself ends the trust: only what entered
 * production after that counts. The record begins with the first clean staged promotion that counts. The order of
 * events is that of the log; times are read only for ages. A clock that was set back makes nothing older: an entry is
 * not earlier than any event before it, nor than the end of its job. One in the future is no age.
 */
import { versionName } from '../../core/names.ts'
import { describeDuration } from '../../project/duration.ts'
import type { Autonomy } from '../../project/policy.ts'
import { isMove, type ModelEvent, type MoveEvent, type RegisterBody } from '../../store/events.ts'
import { givenUpRollout } from '../../store/rollouts.ts'
import { PRODUCTION } from '../gate/rules.ts'
import { approvalsOfEvent } from '../versions/history.ts'
import type { RetrainedVersions } from './retrained-versions.ts'

/** The tag that a retraining gives what it registers. */
const RETRAINED = 'retrain'

export interface CleanPromotion {
  readonly version: number
  /** When it entered production, by the latest clock of all that the log has until then. RFC 3339. */
  readonly time: string
  readonly by: string
}

export interface TrackRecord {
  /** Oldest first. */
  readonly clean: readonly CleanPromotion[]
  /** Time of the first; null without one. */
  readonly since: string | null
  /** Milliseconds from the first until now; 0 without one. */
  readonly age: number
  /** The giving up of a version that a policy had promoted, after which the record began anew. */
  readonly reset: { readonly seq: number; readonly version: number; readonly time: string; readonly by: string } | null
}

/**
 * @param events of one model, in order of seq
 * @param jobs what ended retrainings have let in
 */
export function trackRecord(events: readonly ModelEvent[], now: Date, jobs: RetrainedVersions): TrackRecord {
  const retrained = new Set<number>()
  const staged = new Set<number>()
  /** Versions that were in production: coming back is no new merit. */
  const seen = new Set<number>()
  /** Versions that production got by a policy's word alone, and that nobody has taken back. */
  const autonomous = new Set<number>()
  const entered = new Map<number, CleanPromotion>()
  let reset: TrackRecord['reset'] = null
  let latest = 0
  for (const event of events) {
    latest = Math.max(latest, Date.parse(event.time) || 0)
    if (event.type === 'register' && isRetrained(event.body, jobs)) retrained.add(event.body.version)
    if (event.type === 'promote' && event.body.stage !== PRODUCTION) staged.add(event.body.version)
    // Given up before it had all of the traffic: what enters later is not its first try any more.
    const aborted = givenUpRollout(events[event.seq - 2]?.stages, event.stages, PRODUCTION)
    if (aborted !== undefined) seen.add(aborted.version)
    if (!isProductionMove(event)) continue
    const { version } = event.body
    for (const lost of givenUp(event, events)) {
      entered.delete(lost)
      if (!autonomous.delete(lost)) continue
      reset = { seq: event.seq, version: lost, time: event.time, by: event.actor.name }
      entered.clear()
    }
    if (event.type !== 'promote') continue
    const origins = approvalsOfEvent(event).map(({ origin }) => origin)
    const isByPerson = origins.some((origin) => origin !== 'policy')
    // A person's own word for it takes the place of the policy's.
    if (isByPerson) autonomous.delete(version)
    else if (origins.length > 0) autonomous.add(version)
    const isNew = !seen.has(version)
    seen.add(version)
    if (!isByPerson || !isNew || !retrained.has(version) || !staged.has(version)) continue
    latest = Math.max(latest, Date.parse(jobs.get(version) ?? '') || 0)
    entered.set(version, { version, time: new Date(latest).toISOString(), by: event.actor.name })
  }
  const clean = [...entered.values()]
  const since = clean[0]?.time ?? null
  const age = since === null ? 0 : Math.max(0, now.getTime() - Date.parse(since) || 0)
  return { clean, since, age, reset }
}

/** What is missing, a sentence each; empty where the record suffices. */
export function missingForAutonomy(
  { clean, age, reset }: TrackRecord,
  { minAge, minCleanPromotions }: Pick<Autonomy, 'minAge' | 'minCleanPromotions'>,
): string[] {
  const missing: string[] = []
  const short = minCleanPromotions - clean.length
  const anew =
    reset === null
      ? ''
      : `; counted anew since ${reset.by} took version ${reset.version}, which the policy had promoted, out of production at ${reset.time}`
  if (short > 0) {
    const one = short === 1
    missing.push(
      `${clean.length} of ${minCleanPromotions} clean staged promotions: ${short} more version${one ? '' : 's'} of a retraining must be staged, be let into production by a person, and not be taken back${anew}.`,
    )
  }
  if (age < minAge) {
    const first = clean[0]
    const how =
      first === undefined
        ? 'there is none yet'
        : `the first, of version ${first.version}, is ${describeDuration(age)} old`
    missing.push(`The first clean staged promotion must be ${describeDuration(minAge)} old: ${how}.`)
  }
  return missing
}

/** In one sentence, for an approval. */
export const describeRecord = (model: string, { clean, age }: TrackRecord): string => {
  const last = clean.at(-1)
  const upTo = last === undefined ? '' : `, the last of ${versionName(model, last.version)}`
  return `${clean.length} clean staged promotions in ${describeDuration(age)}${upTo}`
}

const isRetrained = ({ version, tags, imported }: RegisterBody, jobs: RetrainedVersions): boolean =>
  imported === undefined && tags.includes(RETRAINED) && jobs.has(version)

/** The versions that a move of production declares no good. */
function givenUp(move: MoveEvent, events: readonly ModelEvent[]): number[] {
  const { from, version } = move.body
  if (from === null || from === version) return []
  if (move.type === 'promote') return heldBefore(version, from, events) ? [from] : []
  return [...new Set([from, ...passedOver(move.seq, move.body.restores, events)])].filter((each) => each !== version)
}

/** Had `version` been in production before `from` entered it for the first time? */
function heldBefore(version: number, from: number, events: readonly ModelEvent[]): boolean {
  const first = (wanted: number): number =>
    events.findIndex((event) => isProductionMove(event) && event.body.version === wanted)
  return first(version) < first(from)
}

const isProductionMove = (event: ModelEvent): event is MoveEvent => isMove(event) && event.body.stage === PRODUCTION

/** The holders on the way back from the entry before event `seq` to the one that it restores; none where it is not on that way. */
function passedOver(seq: number, restores: number, events: readonly ModelEvent[]): number[] {
  const passed: number[] = []
  let entry = events[seq - 2]?.stages[PRODUCTION]
  // Every step back is to an earlier event, so this ends.
  while (entry !== undefined && entry.seq !== restores) {
    passed.push(entry.version)
    if (entry.back === null) return []
    entry = events[entry.back - 1]?.stages[PRODUCTION]
  }
  return entry === undefined ? [] : passed
}
