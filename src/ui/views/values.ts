/** Metrics, parameters and digests as a person reads them. */
import { cleanText } from '../clean.ts'

/** At most six significant digits; what is no number stays as it is. `-` for what is not there. */
export function formatValue(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return '-'
  if (typeof value !== 'number') return cleanText(String(value))
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)))
}

/** With its sign: `+0.021`, `-3`. */
export const formatDelta = (delta: number): string => `${delta > 0 ? '+' : ''}${formatValue(delta)}`

/** The first twelve digits: enough to tell two apart by eye. */
export const shortDigest = (digest: string | null | undefined): string => (digest == null ? '-' : digest.slice(0, 12))

/** `7,043 rows` */
export const formatRows = (rows: number | null | undefined): string =>
  rows == null ? '' : `${rows.toLocaleString('en-US')} row${rows === 1 ? '' : 's'}`
