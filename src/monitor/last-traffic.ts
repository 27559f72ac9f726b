/**
 * When a service that is silent was last asked, and how much before: what tells silence from a model that was never in
 * use, however long the silence lasts. Called only for a window without any request.
 */
import type { TimeWindow } from '../predictions/types.ts'
import { DAY, WEEK } from '../project/duration.ts'
import type { Log } from './health-reference.ts'
import type { Silence } from './service-health.ts'

/** Days of the log in which gaps are looked for. */
const LOOKED_BACK = 92 * DAY

/**
 * Null where the log has no request before the end of the window: there never was any traffic.
 * @param compared the beginning of the earlier window that volume is compared with; null without one
 */
export async function lastTraffic(
  log: Log,
  covered: TimeWindow,
  oldest: number | null,
  compared: number | null,
): Promise<Silence | null> {
  if (oldest === null || oldest >= covered.since) return null
  const last = await lastBefore(log, covered.since, oldest)
  if (last === null) return null
  const from = Math.max(oldest, last - WEEK)
  const before = await log.stats({ since: from, until: last + 1 })
  const span = Math.max(DAY, last - from)
  const silent = covered.until - last
  return {
    since: last,
    perDay: (before.requests * DAY) / span,
    chance: (span / (span + silent)) ** Math.max(1, before.requests),
    asBefore: (compared !== null && last >= compared) || (await hadSuchGaps(log, last, oldest, silent)),
  }
}

async function lastBefore(log: Log, until: number, oldest: number): Promise<number | null> {
  const newest = await log.newest()
  if (newest !== null && Date.parse(newest) < until) return Date.parse(newest)
  // A window of the past, after which the traffic came back.
  const { last } = await log.stats({ since: oldest, until })
  return last === null ? null : Date.parse(last)
}

/** A service that is asked once a month is silent for four weeks: two such gaps, as one may have been an outage. */
async function hadSuchGaps(log: Log, last: number, oldest: number, silent: number): Promise<boolean> {
  const { volume } = await log.stats({ since: Math.max(oldest, last - LOOKED_BACK), until: last + 1 })
  const days = volume.filter(({ requests }) => requests > 0).map(({ from }) => Math.floor(Date.parse(from) / DAY))
  const gaps = days.slice(1).filter((day, i) => (day - (days[i] ?? day)) * DAY >= silent)
  return gaps.length >= 2
}
