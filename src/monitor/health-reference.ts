/**
 * What failures and latency are compared with, and what was counted there. Volume is in `health-windows.ts`, the judging
 * in `service-health.ts`.
 *
 * The first window of this length that the version served in its stage, because a slow decay would hide in a reference
 * that moves along. But a version may be broken from its first minute: where its first window breaches against the one
 * before it took over, that one stays the reference, of every later check too, as it is before the first window is over.
 */
import type { LogStats, PredictionLog, TimeWindow } from '../predictions/types.ts'
import { DAY, describeDuration, HOUR } from '../project/duration.ts'
import { dispersionOf, judgeErrors, judgeLatency, type WindowFigures } from './service-health.ts'
import { previousOf } from './window.ts'

export type Log = Pick<PredictionLog, 'stats' | 'oldest' | 'newest'>

export interface Reference {
  readonly figures: WindowFigures
  /** Follows a figure: `in the 7 days before @2 took over`. */
  readonly name: string
}

export interface ReferenceAsked {
  readonly window: TimeWindow
  readonly version: number
  /** When the version came to its stage; null when it is in none. */
  readonly entered: number | null
  /** Compare with the window directly before, as `--against previous` asks. */
  readonly previous: boolean
}

/** @param covered the part of the window that is over. @param oldest event time of the first record of the log */
export async function referenceOf(
  log: Log,
  asked: ReferenceAsked,
  covered: TimeWindow,
  oldest: number | null,
): Promise<Reference | null> {
  if (oldest === null) return null
  if (asked.previous) return windowBefore(log, asked.version, covered, oldest)
  const predecessor = await predecessorOf(log, asked, oldest)
  const first = await firstOf(log, asked, oldest, predecessor)
  return first ?? predecessor ?? windowBefore(log, asked.version, covered, oldest)
}

/** The service in the last window of this length before the version took it over, whichever version answered. */
async function predecessorOf(
  log: Log,
  { window, version, entered }: ReferenceAsked,
  oldest: number,
): Promise<Reference | null> {
  if (entered === null || oldest >= entered || entered >= window.until) return null
  const length = window.until - window.since
  const before = { since: entered - length, until: entered }
  const stats = await log.stats(before)
  if (stats.requests === 0) return null
  // A version that came back answered before it too: what is judged now must not be its own measure.
  const isOwn = stats.versions.some((each) => each.version === version && each.requests > 0)
  if (isOwn && window.since < entered) return null
  return { figures: figuresOf(stats, undefined, before), name: `in the ${spanOf(length)} before @${version} took over` }
}

/** Null while it is not over, without requests, and where it was itself in breach of what was before. */
async function firstOf(
  log: Log,
  { window, version, entered }: ReferenceAsked,
  oldest: number,
  predecessor: Reference | null,
): Promise<Reference | null> {
  if (entered === null) return null
  const length = window.until - window.since
  // A version that went live before anything was logged: its first window is the first that the log has.
  const since = Math.max(entered, oldest)
  const first = { since, until: since + length }
  if (first.until > window.since) return null
  const slowerThan = predecessor?.figures.latency?.p95
  const stats = await log.stats({ ...first, ...(slowerThan === undefined ? {} : { slowerThan }) })
  const figures = figuresOf(stats, version, first)
  if (figures.requests === 0) return null
  if (predecessor !== null) {
    const question = { window: figures, reference: predecessor.figures, volumeBefore: null, bounds: {}, over: 1 }
    if ([judgeErrors(question), judgeLatency(question)].some(({ verdict }) => verdict === 'breach')) return null
  }
  return { figures, name: `in its first ${spanOf(length)}` }
}

/** The window directly before: of the version, else of the one before it, as the service is the same. */
async function windowBefore(log: Log, version: number, covered: TimeWindow, oldest: number): Promise<Reference | null> {
  const before = previousOf(covered)
  if (oldest >= before.until) return null
  const stats = await log.stats(before)
  const name = `in the ${spanOf(before.until - before.since)} before`
  const own = figuresOf(stats, version, before)
  if (own.requests > 0) return { figures: own, name }
  return stats.requests > 0 ? { figures: figuresOf(stats, undefined, before), name } : null
}

/** `7 days`, `day`, `hour`: what follows `the`. @param length milliseconds */
export const spanOf = (length: number): string => describeDuration(length).replace(/^1 /, '')

/** What was counted in a window. @param version undefined: of all versions together */
export function figuresOf(stats: LogStats, version: number | undefined, window: TimeWindow): WindowFigures {
  const own = version === undefined ? stats : stats.versions.find((each) => each.version === version)
  const latency = own?.latency ?? null
  // An estimate from a sample spreads as its records do.
  const sampling = stats.records > 0 ? Math.max(1, stats.requests / stats.records) : 1
  return {
    volume: stats.requests,
    dispersion: Math.max(dispersionOf(binsOf(stats, window)) * sampling, stats.requests / Math.max(1, stats.evenCalls)),
    requests: own?.requests ?? 0,
    calls: own?.evenCalls ?? 0,
    errors: own?.errors ?? 0,
    latency: latency === null ? null : { count: latency.count, p95: latency.p95, slower: latency.slower ?? null },
  }
}

/** Requests per whole hour or day of the window, the empty ones too: the log lists those with records. */
function binsOf({ volume }: LogStats, { since, until }: TimeWindow): number[] {
  const unit = until - since <= 2 * DAY ? HOUR : DAY
  const counts = new Map(volume.map(({ from, requests }) => [Math.floor(Date.parse(from) / unit), requests]))
  const first = Math.ceil(since / unit)
  const count = Math.floor(until / unit) - first
  return Array.from({ length: Math.max(0, count) }, (_, i) => counts.get(first + i) ?? 0)
}
