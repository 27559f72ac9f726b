/**
 * Whether a message is due, decided from facts alone: the rules of the model, what this check says, what the checks
 * before it said, and what was sent already. Pure; who sends and what is recorded is in `send.ts`.
 *
 * - Only disjoint windows count for k of n; of overlapping ones the newest. A check that cannot say counts for neither
 *   side, and what an older window says is no news once a newer one was judged.
 * - While trouble lasts it is told again after every cool-down. Trouble that comes back within the cool-down of the
 *   last alert waits for its end, so flapping sends at most one alert and one recovery per cool-down.
 * - A recovery follows an alert, and needs a check that says that all is well of what the alert looked at: over a window
 *   of the same length, against a reference of the same kind. Only such checks count for k of n, too.
 * - A window that was alerted is never alerted again.
 */
import { describeDuration, parseDuration } from '../project/duration.ts'
import { minute } from './text.ts'
import type { AlertRules, Due, FiredAlert, SeenCheck, SeenWhat } from './types.ts'

/** What holds where mlops.yaml says nothing. */
export const DEFAULT_RULES: AlertRules = { k: 1, n: 1, coolDown: 864e5 }

/** Share of the cool-down that may be missing at its end: a job of every 24 h does not start at the same second. */
const SLACK = 0.02

export interface DueFacts {
  readonly rules: AlertRules
  readonly check: SeenCheck
  /** Earlier checks of the same fingerprint, in any order; this one may be among them. */
  readonly history: readonly SeenCheck[]
  /** What was sent about the same fingerprint, oldest first. */
  readonly fired: readonly FiredAlert[]
}

/** `2 of 3` and `24h` as they stand in mlops.yaml. */
export function alertRules(drift: {
  readonly alertAfter?: string | undefined
  readonly coolDown?: string | undefined
}): AlertRules {
  const [, k, n] = /^(\d+) of (\d+)$/.exec(drift.alertAfter ?? '') ?? []
  const coolDown = parseDuration(drift.coolDown ?? '')
  return {
    k: k === undefined ? DEFAULT_RULES.k : Number(k),
    n: n === undefined ? DEFAULT_RULES.n : Number(n),
    coolDown: coolDown ?? DEFAULT_RULES.coolDown,
  }
}

export function decideDue({ rules, check, history, fired }: DueFacts): Due {
  if (check.trouble === null) return hold('the check cannot say whether there is trouble')
  const earlier = history.filter((other) => !isSame(other, check))
  const newer = earlier.find((other) => other.trouble !== null && endOf(other) > endOf(check))
  if (newer !== undefined)
    return hold(`a newer window was checked already, up to ${minute(newer.window?.until ?? newer.time)}`)
  const last = fired.at(-1)
  const alike = earlier.filter((other) => isAlike(other, check))
  return check.trouble ? ofTrouble(rules, check, alike, fired) : ofHealth(check, last)
}

function ofHealth(check: SeenCheck, last: FiredAlert | undefined): Due {
  if (last === undefined) return hold('there is no trouble')
  if (last.state === 'recovered') return hold('there is no trouble, and its end was told')
  if (isSame(last.seen, check)) return hold('the window that was alerted is checked again')
  if (lengthOf(last.seen) !== lengthOf(check)) {
    return hold(`the alert of ${minute(last.time)} looked at ${spanOf(last.seen)}, this check at ${spanOf(check)}`)
  }
  if (!isAlike(last.seen, check)) {
    const windowBefore = 'was compared with the window before'
    return hold(
      last.seen.against === 'previous'
        ? `the alert of ${minute(last.time)} ${windowBefore}, this check not`
        : `this check ${windowBefore}, the alert of ${minute(last.time)} not`,
    )
  }
  return {
    decision: 'recover',
    reason: `there is no trouble any more; it was told at ${minute(last.time)}`,
    since: last.since,
  }
}

function ofTrouble(
  rules: AlertRules,
  check: SeenCheck,
  earlier: readonly SeenCheck[],
  fired: readonly FiredAlert[],
): Due {
  const alerts = fired.filter(({ state }) => state === 'firing')
  const same = alerts.find(({ seen }) => isSame(seen, check))
  if (same !== undefined) return hold(`this window was alerted already, at ${minute(same.time)}`)
  const last = alerts.at(-1)
  if (last !== undefined) {
    const quiet = Date.parse(last.time) + rules.coolDown * (1 - SLACK) - Date.parse(check.time)
    if (quiet > 0)
      return hold(`cool-down: an alert was sent at ${minute(last.time)}, the next in ${describeDuration(quiet)}`)
  }
  const isOpen = fired.at(-1)?.state === 'firing'
  const windows = disjoint([check, ...earlier]).slice(0, rules.n)
  const bad = windows.filter(({ trouble }) => trouble === true).length
  if (bad < rules.k)
    return hold(
      `${bad} of the last ${windows.length} disjoint windows in trouble; alerted from ${rules.k} of ${rules.n}`,
    )
  if (isOpen && last !== undefined) {
    return { decision: 'fire', reason: `it still lasts; last told at ${minute(last.time)}`, since: last.since }
  }
  const reason = rules.n === 1 ? 'there is trouble' : `${bad} of the last ${windows.length} disjoint windows in trouble`
  return { decision: 'fire', reason, since: firstSeen(check, earlier) }
}

/** Newest first, each apart from all that were taken before it; those that cannot say are left out. */
export function disjoint(checks: readonly SeenCheck[]): SeenCheck[] {
  const taken: SeenCheck[] = []
  for (const check of newestFirst(checks)) {
    if (!taken.some((other) => isSame(other, check) || overlap(other, check))) taken.push(check)
  }
  return taken
}

/** Where the unbroken row of checks in trouble began that ends with this one. */
export function firstSeen(check: SeenCheck, earlier: readonly SeenCheck[]): string {
  let since = startOf(check)
  for (const other of newestFirst(earlier)) {
    if (other.trouble === false) break
    if (Date.parse(startOf(other)) < Date.parse(since)) since = startOf(other)
  }
  return since
}

/** Of those that say something; the later one of two with the same end was made later. */
const newestFirst = (checks: readonly SeenCheck[]): SeenCheck[] =>
  checks
    .filter(({ trouble }) => trouble !== null)
    .sort((a, b) => endOf(b) - endOf(a) || Date.parse(b.time) - Date.parse(a.time))

const startOf = ({ window, time }: SeenCheck): string => window?.since ?? time
const endOf = ({ window, time }: SeenCheck): number => Date.parse(window?.until ?? time)

type Seen = Pick<SeenCheck, 'id' | 'window'>
const isSame = (a: Seen, b: Seen): boolean =>
  a.id === b.id || (a.window !== null && a.window.since === b.window?.since && a.window.until === b.window.until)

/** Data without a window overlaps nothing but itself. */
const overlap = ({ window: a }: Seen, { window: b }: Seen): boolean =>
  a !== null && b !== null && Date.parse(a.since) < Date.parse(b.until) && Date.parse(b.since) < Date.parse(a.until)

/** Milliseconds; null without a window. */
const lengthOf = ({ window, length }: SeenWhat): number | null =>
  window === null ? null : (length ?? Date.parse(window.until) - Date.parse(window.since))

const spanOf = (seen: SeenWhat): string => {
  const length = lengthOf(seen)
  return length === null ? 'data without a window' : `a window of ${describeDuration(length)}`
}

/** Whether two checks asked the same: one of another length or against another kind of reference says nothing of it. */
const isAlike = (a: SeenWhat, b: SeenWhat): boolean => lengthOf(a) === lengthOf(b) && a.against === b.against

const hold = (reason: string): Due => ({ decision: 'hold', reason })
