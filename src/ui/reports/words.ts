/** Figures and words that all forms of a report share. Plain text: each form escapes it in its own way. */
import type { CheckResult, CheckVerdict, ColumnResult, ColumnVerdict } from '../../drift/types.ts'
import { cleanText, truncate } from '../clean.ts'
import { day } from '../time.ts'

/** Longest user text in a report: a name of 10,000 letters must not push everything else out of sight. */
const LONGEST = 300

/** One visible line of user data: control and bidirectional characters as escapes, cut at `most` characters. */
export const plain = (value: unknown, most = LONGEST): string =>
  truncate(cleanText(wellFormed(String(value).slice(0, 4 * most + 16))), most, '…')

/** Half of a surrogate pair is no character in UTF-8. */
export const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd')

export const count = (value: number): string => value.toLocaleString('en-US')

export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`

/** `0.034`, `<0.001`, `12.4`, `1,204`; a dash where nothing was measured. A stored record writes infinity as text. */
export function figure(value: number | string | null | undefined): string {
  if (value === null || value === undefined) return '–'
  if (typeof value === 'string') return value
  if (!Number.isFinite(value)) return value > 0 ? '∞' : value < 0 ? '-∞' : '–'
  const size = Math.abs(value)
  if (size > 0 && size < 0.001) return value < 0 ? '>-0.001' : '<0.001'
  if (size >= 100) return count(Math.round(value))
  return size >= 10 ? value.toFixed(1) : value.toFixed(3)
}

/** `7 %`, `0.4 %`, `<0.1 %`; never 0 % or 100 % when it is not. @param value from 0 to 1 */
export function share(value: number): string {
  const percent = 100 * value
  if (!(percent > 0)) return '0 %'
  if (percent >= 100) return '100 %'
  if (percent < 0.1) return '<0.1 %'
  if (percent > 99.9) return '>99.9 %'
  return percent < 10 || percent > 99 ? `${Number(percent.toFixed(1))} %` : `${Math.round(percent)} %`
}

/** `2026-11-21 09:14 UTC` */
export const moment = (time: string): string => plain(day(time))

const METRICS: Readonly<Record<string, string>> = {
  psi: 'PSI',
  js: 'Jensen-Shannon',
  ks: 'KS',
  ks_lower: 'KS (lower bound)',
  ks_upper: 'KS (upper bound)',
  wasserstein: 'Wasserstein',
  chi2: 'chi-square',
  linf: 'L-infinity',
}
/** A limit as it was configured: `0.1`, not `0.100`. */
export const limitText = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(4))) : '–'

export const metricName = (metric: string): string => METRICS[metric] ?? plain(metric)

export const checkName = ({ model, version }: Pick<CheckResult, 'model' | 'version'>): string =>
  plain(`${model}@${version}`)

export const isDrifted = ({ verdict }: { readonly verdict: ColumnVerdict }): boolean =>
  verdict === 'drift' || verdict === 'broken'

export const HEADLINE: Readonly<Record<CheckVerdict, string>> = {
  drift: 'Drift',
  inconclusive: 'Inconclusive',
  stable: 'Stable',
}

/** What is out of bounds besides the columns. */
export const sidesOf = (each: { readonly health: string | null; readonly quality: string | null }): string[] =>
  (['health', 'quality'] as const).filter((side) => each[side] === 'breach').map((side) => `${side} breach`)

/** The worse of what the columns say and what stands besides: a breach is never under a mark of well-being. */
export const worstOf = (each: {
  readonly verdict: CheckVerdict
  readonly health: string | null
  readonly quality: string | null
}): CheckVerdict | 'breach' => (each.verdict !== 'drift' && sidesOf(each).length > 0 ? 'breach' : each.verdict)

/** Verdicts of columns from what needs a look to what does not. */
export const VERDICTS: readonly ColumnVerdict[] = ['broken', 'drift', 'inconclusive', 'negligible', 'stable', 'skipped']

/** `3 drift, 1 inconclusive, 15 stable`: how many columns got which verdict, worst first. */
export const tally = (
  columns: readonly ColumnResult[],
): { readonly verdict: ColumnVerdict; readonly columns: number }[] =>
  VERDICTS.map((verdict) => ({ verdict, columns: columns.filter((each) => each.verdict === verdict).length })).filter(
    (entry) => entry.columns > 0,
  )

/** The sentence of a column without its name, then causes that it does not say already, then the reason. */
export function whatChanged(column: ColumnResult): string[] {
  const at = column.summary.indexOf(': ')
  const isNamed = at > 0 && column.column.startsWith(column.summary.slice(0, at).replace(/…$/, ''))
  const summary = isNamed ? column.summary.slice(at + 2) : column.summary
  const causes = column.causes.filter((cause) => !summary.includes(cause))
  const reason = column.reason === undefined || summary.includes(column.reason) ? [] : [column.reason]
  return [summary, ...causes, ...reason].filter((text) => text !== '').map((text) => arrows(plain(text)))
}

/** Sentences come with `->`, which a terminal can show; a page can do better. */
export const arrows = (text: string): string => text.replaceAll(' -> ', ' → ')

/** What a person should do about the verdict, before the command; sentences. */
export function advice(check: CheckResult): string {
  const { verdict, columns, health, quality } = check
  const isBroken = columns.some((column) => column.verdict === 'broken')
  const breaches = (health?.findings ?? []).filter((finding) => finding.verdict === 'breach').map(({ what }) => what)
  const sentences = [
    ...(isBroken
      ? ['Mend the broken columns where the rows are made: the model gets what it was not trained on.']
      : []),
    ...(verdict === 'drift' && !isBroken
      ? ['Find out whether the world or the pipeline changed. If the world did, train on newer rows.']
      : []),
    ...(breaches.length > 0 ? [`Look at the service: ${breaches.join(', ')} out of bounds.`] : []),
    ...(quality?.verdict === 'breach'
      ? ['The model answers worse than when it was registered: retrain or roll back.']
      : []),
    ...(verdict === 'inconclusive' ? ['Check again with more rows.'] : []),
  ]
  return sentences.length === 0 ? 'Nothing to do.' : sentences.join(' ')
}

/** The rows that were looked at: the window, else what was named. */
export const currentName = ({ current, window }: CheckResult): string =>
  window === undefined ? plain(current.source) : windowText(window)

/** `2026-11-14 00:00 to 2026-11-21 00:00 UTC` */
export const windowText = ({ since, until }: { readonly since: string; readonly until: string }): string =>
  `${moment(since).replace(/ UTC$/, '')} to ${moment(until)}`
