/**
 * Which checks of a model make one curve: those of one version, with windows of one length and one kind of reference,
 * of periods that are over. Pure; reading them is in `trend.ts`.
 */
import type { CheckRecord } from '../store/store.ts'
import type { CheckResult } from './types.ts'

export interface Series {
  readonly version: number
  /** The length of the windows in milliseconds; null for files and other data that a person named. */
  readonly window: number | null
  /** What they were compared with, without times. */
  readonly reference: string
}

/** Why a check is in another curve; the first that holds. */
export type Otherness = 'not over' | 'version' | 'data' | 'window' | 'reference'

export interface SeriesOthers {
  readonly why: Otherness
  readonly checks: number
}

export interface Stored {
  readonly key: CheckRecord['key']
  /** When it was made last. */
  readonly time: string
  readonly check: CheckResult
}

export const storedCheck = ({ key, time, record }: CheckRecord): Stored => ({
  key,
  time,
  check: record as unknown as CheckResult,
})

/** It was made before its window ended: what came later is not in it. */
export const isRunning = ({ check: { window }, time }: Pick<Stored, 'check' | 'time'>): boolean =>
  window !== undefined && Date.parse(time) < Date.parse(window.until)

/** References that differ in their times alone are of one kind. */
const MOVING = 'the window before'

export const kindOfReference = ({ reference }: CheckResult): string =>
  reference.name.startsWith(MOVING) ? MOVING : reference.name

export const lengthOfWindow = ({ window }: CheckResult): number | null =>
  window === undefined ? null : Date.parse(window.until) - Date.parse(window.since)

const seriesOf = (check: CheckResult): Series => ({
  version: check.version,
  window: lengthOfWindow(check),
  reference: kindOfReference(check),
})

/**
 * The curve that is shown unless all checks are asked for: that of the newest check of the log, else of files against
 * the baseline, else of whatever is newest.
 * @param found newest first
 * @param version in production, or asked for; where it has no checks that of the newest check is taken, unless asked for
 */
export function chooseSeries(found: readonly Stored[], version?: number): Series | undefined {
  const over = found.filter((each) => !isRunning(each))
  const ofVersion = over.filter(({ check }) => check.version === version)
  const newest = over[0]?.check.version
  const among = ofVersion.length > 0 ? ofVersion : over.filter(({ check }) => check.version === newest)
  const first =
    among.find(({ check }) => check.window !== undefined) ??
    among.find(({ check }) => check.reference.name.startsWith('baseline of ')) ??
    among[0]
  return first && seriesOf(first.check)
}

/** Of two windows one may be a little longer: a job that starts a second late names its own end. */
const SAME_LENGTH = 0.01

/** Undefined for a check of the series. */
export function otherness(series: Series, stored: Stored): Otherness | undefined {
  const { version, window, reference } = seriesOf(stored.check)
  if (isRunning(stored)) return 'not over'
  if (version !== series.version) return 'version'
  if ((window === null) !== (series.window === null)) return 'data'
  if (Math.abs((window ?? 0) - (series.window ?? 0)) > SAME_LENGTH * (series.window ?? 0)) return 'window'
  return reference === series.reference ? undefined : 'reference'
}

export function countOthers(series: Series, found: readonly Stored[]): SeriesOthers[] {
  const counts = new Map<Otherness, number>()
  for (const stored of found) {
    const why = otherness(series, stored)
    if (why !== undefined) counts.set(why, (counts.get(why) ?? 0) + 1)
  }
  return [...counts].map(([why, checks]) => ({ why, checks }))
}
