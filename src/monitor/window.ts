/**
 * Windows of time: from what a person types to `since <= time < until`, cut into periods, moved into the past. Pure; the
 * present comes in. Days are UTC, weeks begin on Monday.
 */
import { usage } from '../core/errors.ts'
import type { TimeWindow } from '../predictions/types.ts'
import { describeDuration, parseDuration } from '../project/duration.ts'

const MINUTE = 6e4
export const HOUR = 36e5
export const DAY = 864e5
export const WEEK = 7 * DAY

export interface WindowFlags {
  /** As typed: `7d`. */
  readonly window?: string
  /** As typed: RFC 3339, or a date. */
  readonly since?: string
  readonly until?: string
}

/** More periods than anybody reads, and each is a check that is stored. */
const MOST_PERIODS = 400
const DATE = /^\d{4}-\d{2}-\d{2}$/
const TIME = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:\d{2})?$/

/**
 * The window that the flags name. Without `--until` it ends now, rounded up (to the hour for windows of a day and more,
 * else to the minute): a check made twice within the hour is the same check, and the newest rows are in it.
 * @param fallback `drift.window` of mlops.yaml, or `7d`
 * @throws usage `WINDOW_INVALID`
 */
export function windowOf(flags: WindowFlags, fallback: string, now: Date): TimeWindow {
  const { since, until } = flags
  const length = flags.window === undefined ? undefined : lengthOf(flags.window, '--window')
  if (since !== undefined && until !== undefined && length !== undefined) {
    throw invalid('--window, --since and --until together say one thing too many.', 'Leave one of the three out')
  }
  const from = since === undefined ? undefined : timeOf(since, '--since')
  const to = until === undefined ? undefined : timeOf(until, '--until')
  const window =
    from !== undefined && to !== undefined
      ? { since: from, until: to }
      : from !== undefined && length !== undefined
        ? { since: from, until: from + length }
        : from !== undefined
          ? { since: from, until: roundedUp(now, Math.max(0, now.getTime() - from)) }
          : endingAt(to, length ?? lengthOf(fallback, 'drift.window'), now)
  if (window.until > window.since) return window
  throw invalid(
    `The window ends (${shortTime(window.until)}) before it begins (${shortTime(window.since)}).`,
    '--since is the earlier time; days are UTC, and --until itself is no part of the window',
  )
}

function endingAt(until: number | undefined, length: number, now: Date): TimeWindow {
  const end = until ?? roundedUp(now, length)
  return { since: end - length, until: end }
}

const roundedUp = (now: Date, length: number): number => {
  const unit = length >= DAY ? HOUR : MINUTE
  return Math.ceil(now.getTime() / unit) * unit
}

/** @throws usage `WINDOW_INVALID` */
export function lengthOf(text: string, name: string): number {
  const length = parseDuration(text)
  if (length !== undefined) return length
  throw invalid(`${name} ${JSON.stringify(text)} is no length of time.`, 'Write for example 24h, 7d or 2w')
}

/** A date is its first instant; a time without a zone is UTC. @throws usage `WINDOW_INVALID` */
function timeOf(text: string, flag: string): number {
  const zoned = /[Zz]$|[+-]\d{2}:\d{2}$/.test(text) ? text : `${text}Z`
  const time = DATE.test(text)
    ? Date.parse(`${text}T00:00:00Z`)
    : TIME.test(text)
      ? Date.parse(zoned.replace(' ', 'T'))
      : Number.NaN
  // 30 February is the second of March for Date.parse of some engines and nothing for others.
  const isReal = !Number.isNaN(time) && (!DATE.test(text) || new Date(time).toISOString().startsWith(text))
  if (isReal) return time
  throw invalid(
    `${flag} ${JSON.stringify(text)} is no time.`,
    'Write a date such as 2026-11-21, or RFC 3339 such as 2026-11-21T06:00:00Z',
  )
}

/**
 * The window in periods of `every`, aligned to UTC, oldest first. The first one is whole, so it may begin a little
 * before the window; the last one may still be running.
 * @throws usage `WINDOW_INVALID`
 */
export function periodsOf({ since, until }: TimeWindow, every: number): TimeWindow[] {
  // The epoch was a Thursday; whole weeks begin on Monday.
  const offset = every % WEEK === 0 ? 4 * DAY : 0
  const first = Math.floor((since - offset) / every) * every + offset
  const count = Math.ceil((until - first) / every)
  if (count > MOST_PERIODS) {
    throw invalid(
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

export const movedBack = ({ since, until }: TimeWindow, by: number): TimeWindow => ({
  since: since - by,
  until: until - by,
})

/** `2026-11-14 to 2026-11-21`, `2026-11-21 06:00 to 2026-11-21 07:00 UTC`. */
export function describeWindow({ since, until }: TimeWindow): string {
  const isDays = since % DAY === 0 && until % DAY === 0
  return isDays ? `${shortTime(since)} to ${shortTime(until)}` : `${minuteTime(since)} to ${minuteTime(until)} UTC`
}

export const describeLength = ({ since, until }: TimeWindow): string => describeDuration(until - since)

const shortTime = (time: number): string => (time % DAY === 0 ? dayOf(time) : `${minuteTime(time)} UTC`)
const dayOf = (time: number): string => isoOf(time).slice(0, 10)
const minuteTime = (time: number): string => isoOf(time).slice(0, 16).replace('T', ' ')

const isoOf = (time: number): string => new Date(time).toISOString()

export const isoWindow = ({ since, until }: TimeWindow): { readonly since: string; readonly until: string } => ({
  since: isoOf(since),
  until: isoOf(until),
})

const invalid = (message: string, hint: string) => usage({ code: 'WINDOW_INVALID', message, hint })
