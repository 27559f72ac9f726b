/**
 * Windows of event time: read from `--window`, `--since`, `--until`, and written for people and records. Pure; the present
 * comes in. Days are UTC. Which window a check takes where nothing is typed is decided in `src/monitor/window.ts`.
 */
import { usage } from '../core/errors.ts'
import { DAY, parseDuration } from '../project/duration.ts'
import type { TimeWindow } from './types.ts'

/** As typed: `7d`; RFC 3339, or a date. */
export interface WindowFlags {
  readonly window?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
}

const DATE = /^\d{4}-\d{2}-\d{2}$/
const TIME = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:\d{2})?$/

/** What the flags say; milliseconds. @throws usage `WINDOW_INVALID` */
export function readWindow(flags: WindowFlags): {
  readonly since?: number
  readonly until?: number
  readonly length?: number
} {
  const { window, since, until } = flags
  if (since !== undefined && until !== undefined && window !== undefined) {
    throw invalidWindow('--window, --since and --until together say one thing too many.', 'Leave one of the three out')
  }
  return {
    ...(since === undefined ? {} : { since: timeOf(since, '--since') }),
    ...(until === undefined ? {} : { until: timeOf(until, '--until') }),
    ...(window === undefined ? {} : { length: lengthOf(window, '--window') }),
  }
}

/**
 * The window that the flags name, of everything that was logged; it ends now, to the millisecond, where no end is named.
 * @throws usage `WINDOW_INVALID`
 */
export function logWindow(flags: WindowFlags, now: Date): TimeWindow {
  const { since, until, length } = readWindow(flags)
  if (since === undefined && until === undefined && length === undefined) return EVERYTHING
  if (since !== undefined && length !== undefined) return { since, until: since + length }
  const end = until ?? now.getTime()
  return assertWindow({ since: since ?? (length === undefined ? EVERYTHING.since : end - length), until: end })
}

export const EVERYTHING: TimeWindow = { since: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY }

/** @returns the same window. @throws usage `WINDOW_INVALID` for one that is empty or ends before it begins */
export function assertWindow(window: TimeWindow): TimeWindow {
  if (window.since < window.until) return window
  throw invalidWindow(
    `The window ends (${shortTime(window.until)}) before it begins (${shortTime(window.since)}).`,
    '--since is the earlier time; days are UTC, and --until itself is no part of the window',
  )
}

/** @returns milliseconds. @throws usage `WINDOW_INVALID` */
export function lengthOf(text: string, name: string): number {
  const length = parseDuration(text)
  if (length !== undefined) return length
  throw invalidWindow(`${name} ${JSON.stringify(text)} is no length of time.`, 'Write for example 24h, 7d or 2w')
}

/** A date is its first instant; a time without a zone is UTC. @throws usage `WINDOW_INVALID` */
function timeOf(text: string, flag: string): number {
  const zoned = /[Zz]$|[+-]\d{2}:\d{2}$/.test(text) ? text : `${text}Z`
  const time = DATE.test(text)
    ? Date.parse(`${text}T00:00:00Z`)
    : TIME.test(text)
      ? Date.parse(zoned.replace(' ', 'T'))
      : Number.NaN
  if (!Number.isNaN(time) && isRealDay(text.slice(0, 10))) return time
  throw invalidWindow(
    `${flag} ${JSON.stringify(text)} is no time.`,
    'Write a date such as 2026-11-21, or RFC 3339 such as 2026-11-21T06:00:00Z',
  )
}

/** 30 February is the second of March for Date.parse of some engines and nothing for others. */
function isRealDay(date: string): boolean {
  const first = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(first) && isoOf(first).startsWith(date)
}

/** `2026-11-14 to 2026-11-21`, `2026-11-21 06:00 to 2026-11-21 07:00 UTC`; of an open one `the beginning to now`. */
export function describeWindow({ since, until }: TimeWindow): string {
  const isDays = [since, until].every((time) => time % DAY === 0)
  if (isDays) return `${dayOf(since)} to ${dayOf(until)}`
  const from = Number.isFinite(since) ? minuteOf(since) : 'the beginning'
  return `${from} to ${Number.isFinite(until) ? `${minuteOf(until)} UTC` : 'now'}`
}

/** As records and results say it. */
export const isoWindow = ({ since, until }: TimeWindow): { readonly since: string; readonly until: string } => ({
  since: isoOf(since),
  until: isoOf(until),
})

const shortTime = (time: number): string => (time % DAY === 0 ? dayOf(time) : `${minuteOf(time)} UTC`)
const dayOf = (time: number): string => isoOf(time).slice(0, 10)
const minuteOf = (time: number): string => isoOf(time).slice(0, 16).replace('T', ' ')
const isoOf = (time: number): string => new Date(time).toISOString()

export const invalidWindow = (message: string, hint: string) => usage({ code: 'WINDOW_INVALID', message, hint })
