/** `--window`, `--since`, `--until` as a window of event time. */
import { usage } from '../core/errors.ts'
import { parseDuration } from '../project/duration.ts'
import type { TimeWindow } from './types.ts'

export interface WindowFlags {
  readonly window?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
}

/** @param otherwise the window when no flag is given. @throws usage `WINDOW_INVALID` */
export function windowOf(flags: WindowFlags, now: Date, otherwise: TimeWindow): TimeWindow {
  if (flags.window !== undefined && flags.since !== undefined) {
    throw invalid('--window and --since both say where the window begins.', 'Leave one of them out')
  }
  if (flags.window === undefined && flags.since === undefined && flags.until === undefined) return otherwise
  const until = flags.until === undefined ? now.getTime() : timeOf('--until', flags.until)
  const length = flags.window === undefined ? undefined : parseDuration(flags.window)
  if (flags.window !== undefined && length === undefined) {
    throw invalid(
      `--window expects a duration such as 7d, not ${JSON.stringify(flags.window)}.`,
      'Units are s, m, h, d, w',
    )
  }
  const begin = flags.since === undefined ? otherwise.since : timeOf('--since', flags.since)
  const since = length === undefined ? begin : until - length
  if (since < until) return { since, until }
  throw invalid('The window ends before it begins.', 'Let --since be before --until')
}

/** A date, or a time; UTC where nothing else is said. */
function timeOf(flag: string, text: string): number {
  const isTime = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/.test(text)
  const hasZone = /(?:Z|[+-]\d{2}:?\d{2})$/.test(text) && text.length > 10
  const parsed = isTime
    ? Date.parse(text.length === 10 ? `${text}T00:00:00Z` : hasZone ? text : `${text}Z`)
    : Number.NaN
  if (!Number.isNaN(parsed)) return parsed
  throw invalid(
    `${flag} expects a UTC date or time such as 2026-11-14 or 2026-11-14T09:00:00Z, not ${JSON.stringify(text)}.`,
    `Try: ${flag} 2026-11-14`,
  )
}

const invalid = (message: string, hint: string) => usage({ code: 'WINDOW_INVALID', message, hint })
