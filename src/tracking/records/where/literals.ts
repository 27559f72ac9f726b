/** Values as people type them in a filter: numbers, lengths of time, sizes, dates, releases. Pure; days are UTC. */
import { DAY } from '../../../project/duration.ts'

/** From `from` up to, but without, `until`; a point where both are equal. */
export interface Stretch {
  readonly from: number
  readonly until: number
}

export const point = (value: number): Stretch => ({ from: value, until: value })

const NUMBER = /^[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const WHOLE = /^[+-]?\d+$/

/** NaN for `nan`; undefined for what is no number, and for whole ones beyond 2^53, which are stored as text. */
export function readNumber(text: string): number | undefined {
  const lower = text.toLowerCase()
  if (lower === 'nan') return Number.NaN
  if (/^[+-]?inf(?:inity)?$/.test(lower))
    return lower.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  if (!NUMBER.test(text)) return undefined
  const value = Number(text.replaceAll('_', ''))
  return WHOLE.test(text) && !Number.isSafeInteger(value) ? undefined : value
}

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
const LENGTH = /^(?:(?:\d+\.?\d*|\.\d+)(?:ms|s|m|h|d|w))+$/

/** Seconds of `90s`, `1h30m`, `7d`, `10min`. A number alone is none. */
export function readLength(text: string): number | undefined {
  const short = text
    .toLowerCase()
    .replace(/(?<=\d)(ms|[smhdw])[a-z]*/g, (unit, first: string) => (LONG.has(unit) ? first : unit))
  if (!LENGTH.test(short)) return undefined
  let sum = 0
  for (const [, count, unit] of short.matchAll(/([\d.]+)(ms|[smhdw])/g))
    sum += Number(count) * (SECONDS[unit ?? ''] ?? 0)
  return sum
}
const LONG = new Set(
  'ms s sec secs second seconds m min mins minute minutes h hour hours d day days w week weeks'.split(' '),
)

const BYTES: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4 }

/** Bytes of `10MB` (powers of 1000), `10MiB` (of 1024), `500`. */
export function readSize(text: string): number | undefined {
  const match = /^(\d+\.?\d*|\.\d+)([kmgt])?(i)?b?$/i.exec(text)
  if (match === null) return readNumber(text)
  const [, count, unit, binary] = match
  return (
    Number(count) * (binary === undefined ? 1000 : 1024) ** (unit === undefined ? 0 : (BYTES[unit.toLowerCase()] ?? 0))
  )
}

const TIME = /^(\d{4})-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(\.\d+)?)?)?)?(Z|[+-]\d{2}:?\d{2})?$/i

/**
 * What a time in words covers: a day, a month, a minute, a second; `today`, `yesterday`, `now`; a length of time is the
 * instant so long ago, with or without `ago`.
 * @param now milliseconds
 */
export function readTime(text: string, now: number): Stretch | undefined {
  const word = text.trim().toLowerCase()
  const midnight = Math.floor(now / DAY) * DAY
  if (word === 'today') return { from: midnight, until: midnight + DAY }
  if (word === 'yesterday') return { from: midnight - DAY, until: midnight }
  if (word === 'now') return point(now)
  const length = readLength(word.replace(/ ago$/, '').replace(/^-/, ''))
  if (length !== undefined) return point(now - length * 1000)
  return readDate(text.trim())
}

function readDate(text: string): Stretch | undefined {
  const match = TIME.exec(text)
  if (match === null) return undefined
  const [, year = '', month = '', day, hour, minute, second, fraction, zone = 'Z'] = match
  // A zone without an hour would be a day that begins elsewhere.
  if (match[8] !== undefined && hour === undefined) return undefined
  const iso = `${year}-${month}-${day ?? '01'}T${hour ?? '00'}:${minute ?? '00'}:${second ?? '00'}${fraction ?? ''}${zone.toUpperCase()}`
  const from = Date.parse(iso.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'))
  if (Number.isNaN(from) || !isRealDay(Number(year), Number(month), Number(day ?? 1))) return undefined
  if (day === undefined) return { from, until: Date.UTC(Number(year), Number(month), 1) }
  const length = hour === undefined ? DAY : second === undefined ? 60_000 : fraction === undefined ? 1000 : 0
  return { from, until: from + length }
}

/** Date.parse of some engines makes the 30th of February a day of March. */
function isRealDay(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

/** The parts of `3.11.4`; undefined for what has none. A letter and what follows (`3.13.0rc1`) is left out. */
export function readRelease(text: string): readonly number[] | undefined {
  const match = /^v?(\d+(?:\.\d+)*)/.exec(text.trim())
  return match?.[1]?.split('.').map(Number)
}
