/** Metrics, parameters and digests as a person reads them. */
import type { MetricChange, TestSets } from '../../lifecycle/versions/metric-diff.ts'
import { cleanText } from '../clean.ts'
import type { Ui } from '../ui.ts'

/** At most six significant digits; what is no number stays as it is. `-` for what is not there. */
export function formatValue(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return '-'
  if (typeof value !== 'number') return cleanText(String(value))
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)))
}

/** With its sign: `+0.021`, `-3`. */
export const formatDelta = (delta: number): string => `${delta > 0 ? '+' : ''}${formatValue(delta)}`

/** `0.82 → 0.84 (+0.02, better)`; no difference between numbers of different rows. */
export function metricChange(ui: Ui, change: MetricChange, testSets: TestSets): string {
  const { from, to, delta, comparable, rescored, better } = change
  if (!comparable) {
    const why = testSets === 'different' ? 'different test sets: not comparable' : 'test set unknown: not comparable'
    const known = testSets === 'same' ? '' : `  ${ui.style.dim(why)}`
    return `${formatValue(from)} | ${formatValue(to)}${known}`
  }
  const word =
    better === undefined ? '' : better === 'to' ? `, ${ui.style.good('better')}` : `, ${ui.style.bad('worse')}`
  const size = delta === undefined ? '' : ` (${formatDelta(delta)}${word})`
  const anew =
    rescored === undefined
      ? ''
      : `  ${ui.style.dim(`re-scored on the same rows${from === null ? '' : `; recorded on its own: ${formatValue(from)}`}`)}`
  return `${formatValue(rescored ?? from)} ${ui.style.symbols.arrow} ${formatValue(to)}${size}${anew}`
}

/** The first twelve digits: enough to tell two apart by eye. */
export const shortDigest = (digest: string | null | undefined): string => (digest == null ? '-' : digest.slice(0, 12))

/** A digest of rows and the hash of a file say nothing about each other: a digest that is not a file's says so. */
export const digestOf = ({ sha256, of }: { readonly sha256: string; readonly of?: 'rows' | undefined }): string =>
  `${shortDigest(sha256)}${of === undefined ? '' : ` (digest of ${of})`}`

/** `7,043 rows` */
export const formatRows = (rows: number | null | undefined): string =>
  rows == null ? '' : `${rows.toLocaleString('en-US')} row${rows === 1 ? '' : 's'}`
