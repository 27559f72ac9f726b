/**
 * Which windows of the prediction log the service is judged by, and what was counted in them. The judging is in
 * `service-health.ts`.
 *
 * Failures and latency: the first window of this length that the version served in its stage, because a slow decay
 * would hide in a reference that moves along; the window directly before, while there is no such one. Volume: the same
 * length of time some whole weeks ago, so that a Sunday is compared with a Sunday; whole days ago, while the log is
 * younger than that.
 */
import type { LogStats, PredictionLog, TimeWindow } from '../predictions/types.ts'
import type { HealthConfig } from '../project/config.ts'
import { DAY, HOUR, WEEK } from '../project/duration.ts'
import { dispersionOf, type HealthQuestion, slowLimit, type WindowFigures } from './service-health.ts'
import { movedBack, previousOf } from './window.ts'

export interface ServiceWindow {
  readonly window: TimeWindow
  readonly version: number
  /** When the version came to its stage; null when it is in none. */
  readonly entered: number | null
  /** Compare with the window directly before, as `--against previous` asks. */
  readonly previous: boolean
  readonly bounds: HealthConfig
  readonly now: number
}

/** Reads each window once, however many questions are asked of it. */
export async function serviceQuestion(
  given: PredictionLog,
  asked: ServiceWindow,
): Promise<{ readonly question: HealthQuestion; readonly stats: LogStats }> {
  const log = remembered(given)
  const { window, version, bounds, now } = asked
  const length = window.until - window.since
  // Only what is over can be compared with what was.
  const covered = { since: window.since, until: Math.max(window.since + 1, Math.min(window.until, now)) }
  const oldest = timeOrNull(await log.oldest())
  const reference = await referenceFigures(log, asked, covered, oldest)
  const limit = slowLimit(bounds, reference)
  const stats = await log.stats({ ...window, ...(limit === undefined ? {} : { slowerThan: limit }) })
  const question = {
    window: figuresOf(stats, version, window),
    reference,
    volumeBefore: await volumeBefore(log, asked, covered, oldest),
    bounds,
    over: Math.min(1, (covered.until - covered.since) / length),
  }
  return { question, stats }
}

type Log = Pick<PredictionLog, 'stats' | 'oldest'>

function remembered(log: Log): Log {
  const known = new Map<string, Promise<LogStats>>()
  return {
    oldest: () => log.oldest(),
    stats: (query) => {
      const key = JSON.stringify([query.since, query.until, query.version, query.slowerThan])
      const found = known.get(key) ?? log.stats(query)
      known.set(key, found)
      return found
    },
  }
}

async function referenceFigures(
  log: Log,
  { window, version, entered, previous }: ServiceWindow,
  covered: TimeWindow,
  oldest: number | null,
): Promise<WindowFigures | null> {
  const length = window.until - window.since
  if (!previous && entered !== null && oldest !== null) {
    // A version that went live before anything was logged: its first window is the first that the log has.
    const since = Math.max(entered, oldest)
    const first = { since, until: since + length }
    if (first.until <= window.since) {
      const figures = figuresOf(await log.stats(first), version, first)
      if (figures.requests > 0) return figures
    }
  }
  const before = previousOf(covered)
  if (oldest === null || oldest >= before.until) return null
  const stats = await log.stats(before)
  const own = figuresOf(stats, version, before)
  if (own.requests > 0) return own
  // Served by the version before this one: the service is the same.
  return stats.requests > 0 ? figuresOf(stats, undefined, before) : null
}

async function volumeBefore(
  log: Log,
  { window, previous }: ServiceWindow,
  covered: TimeWindow,
  oldest: number | null,
): Promise<number | null> {
  const length = window.until - window.since
  const whole = (unit: number): number => Math.ceil(length / unit) * unit
  for (const shift of previous ? [length] : [whole(WEEK), whole(DAY)]) {
    const earlier = movedBack(covered, shift)
    if (oldest === null || oldest > earlier.since) continue
    return (await log.stats(earlier)).requests
  }
  return null
}

/** @param version undefined: of all versions together */
function figuresOf(stats: LogStats, version: number | undefined, window: TimeWindow): WindowFigures {
  const own = version === undefined ? stats : stats.versions.find((each) => each.version === version)
  const latency = own?.latency ?? null
  // An estimate from a sample spreads as its records do.
  const sampling = stats.records > 0 ? Math.max(1, stats.requests / stats.records) : 1
  return {
    volume: stats.requests,
    dispersion: dispersionOf(binsOf(stats, window)) * sampling,
    requests: own?.requests ?? 0,
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

const timeOrNull = (time: string | null): number | null => (time === null ? null : Date.parse(time))
