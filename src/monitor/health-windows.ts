/**
 * Which windows of the prediction log the service is judged by. What failures and latency are compared with is in
 * `health-reference.ts`, the judging in `service-health.ts`.
 *
 * Volume: the same length of time some whole weeks ago, so that a Sunday is compared with a Sunday; whole days ago,
 * while the log is younger than that. Where both are empty: the last traffic that the log knows of.
 */
import type { LogStats, PredictionLog, TimeWindow } from '../predictions/types.ts'
import type { HealthConfig } from '../project/config.ts'
import { DAY, describeDuration, WEEK } from '../project/duration.ts'
import { figuresOf, type Log, referenceOf, spanOf } from './health-reference.ts'
import { lastTraffic } from './last-traffic.ts'
import { type HealthQuestion, slowLimit } from './service-health.ts'
import { movedBack } from './window.ts'

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
  const reference = await referenceOf(log, asked, covered, oldest)
  const limit = slowLimit(bounds, reference?.figures ?? null)
  const stats = await log.stats({ ...window, ...(limit === undefined ? {} : { slowerThan: limit }) })
  const before = await volumeBefore(log, asked, covered, oldest)
  const question = {
    window: figuresOf(stats, version, window),
    reference: reference?.figures ?? null,
    ...(reference === null ? {} : { referenceName: reference.name }),
    volumeBefore: before?.volume ?? null,
    ...(before === null ? {} : { volumeName: before.name, callsBefore: before.calls }),
    ...(stats.requests > 0 ? {} : { silence: await lastTraffic(log, covered, oldest, before?.since ?? null) }),
    bounds,
    over: Math.min(1, (covered.until - covered.since) / length),
  }
  return { question, stats }
}

function remembered(log: PredictionLog): Log {
  const known = new Map<string, Promise<LogStats>>()
  return {
    oldest: () => log.oldest(),
    newest: () => log.newest(),
    stats: (query) => {
      const key = JSON.stringify([query.since, query.until, query.version, query.slowerThan])
      const found = known.get(key) ?? log.stats(query)
      known.set(key, found)
      return found
    },
  }
}

async function volumeBefore(
  log: Log,
  { window, previous }: ServiceWindow,
  covered: TimeWindow,
  oldest: number | null,
): Promise<{ readonly volume: number; readonly calls: number; readonly name: string; readonly since: number } | null> {
  const length = window.until - window.since
  const whole = (unit: number): number => Math.ceil(length / unit) * unit
  for (const shift of previous ? [length] : [whole(WEEK), whole(DAY)]) {
    const earlier = movedBack(covered, shift)
    if (oldest === null || oldest > earlier.since) continue
    const name = previous ? `in the ${spanOf(length)} before` : shift === WEEK ? 'a week ago' : agoOf(shift)
    const { requests, evenCalls } = await log.stats(earlier)
    return { volume: requests, calls: evenCalls, name, since: earlier.since }
  }
  return null
}

const agoOf = (shift: number): string => (shift === DAY ? 'a day ago' : `${describeDuration(shift)} ago`)

const timeOrNull = (time: string | null): number | null => (time === null ? null : Date.parse(time))
