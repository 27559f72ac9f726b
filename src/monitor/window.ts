/**
 * The window of a check: rounded, so that a second look is the same check; cut into periods; moved into the past. Pure; the
 * present comes in. Days are UTC, weeks begin on Monday. How a window is typed and written is in `src/predictions/window.ts`.
 */
import type { TimeWindow } from '../predictions/types.ts'
import { assertWindow, invalidWindow, lengthOf, readWindow, type WindowFlags } from '../predictions/window.ts'
import { DAY, describeDuration, HOUR, MINUTE, WEEK } from '../project/duration.ts'

/** More periods than anybody reads, and each is a check that is stored. */
const MOST_PERIODS = 400

/**
 * The window that the flags name. Without `--until` it ends now, rounded up (to the hour for windows of a day and more,
 * else to the minute): a check made twice within the hour is the same check, and the newest rows are in it.
 * @param fallback `drift.window` of mlops.yaml, or `7d`
 * @throws usage `WINDOW_INVALID`
 */
export function windowOf(flags: WindowFlags, fallback: string, now: Date): TimeWindow {
  const { since, until, length } = readWindow(flags)
  if (since === undefined) return endingAt(until, length ?? lengthOf(fallback, 'drift.window'), now)
  const end = length === undefined ? roundedUp(now, Math.max(0, now.getTime() - since)) : since + length
  return assertWindow({ since, until: until ?? end })
}

function endingAt(until: number | undefined, length: number, now: Date): TimeWindow {
  const end = until ?? roundedUp(now, length)
  return { since: end - length, until: end }
}

const roundedUp = (now: Date, length: number): number => {
  const unit = length >= DAY ? HOUR : MINUTE
  return Math.ceil(now.getTime() / unit) * unit
}

/**
 * The window in periods of `every`, aligned to UTC, oldest first. The first one is whole, so it may begin a little
 * before the window; the last one may still be running.
 * @param every milliseconds
 * @throws usage `WINDOW_INVALID`
 */
export function periodsOf({ since, until }: TimeWindow, every: number): TimeWindow[] {
  // The epoch was a Thursday; whole weeks begin on Monday.
  const offset = every % WEEK === 0 ? 4 * DAY : 0
  const first = Math.floor((since - offset) / every) * every + offset
  const count = Math.ceil((until - first) / every)
  if (count > MOST_PERIODS) {
    throw invalidWindow(
      `That are ${count.toLocaleString('en-US')} periods; at most ${MOST_PERIODS} are checked at once.`,
      'Take a longer --every or a shorter window',
    )
  }
  return Array.from({ length: count }, (_, i) => ({ since: first + i * every, until: first + (i + 1) * every }))
}

/** The same length of time, directly before. */
export const previousOf = ({ since, until }: TimeWindow): TimeWindow => ({
  since: since - (until - since),
  until: since,
})

/** @param by milliseconds */
export const movedBack = ({ since, until }: TimeWindow, by: number): TimeWindow => ({
  since: since - by,
  until: until - by,
})

export const describeLength = ({ since, until }: TimeWindow): string => describeDuration(until - since)
