/**
 * The sentences of a check: what shifted, with before and after, or why nothing can be said. Plain text, no colour.
 */
import { brokenColumnsCommand, retrainCommand } from '../core/next-command.ts'
import { percent, shorten } from './causes.ts'
import { formatNumber, type Group } from './groups.ts'
import type { Measured } from './measure-column.ts'
import { quantile, robustScale } from './measures.ts'
import type { ColumnProfile } from './profile.ts'
import type { CheckResult, CheckVerdict, ColumnResult } from './types.ts'

/** `Contract: Month-to-month 55 % -> 100 %`, `MonthlyCharges: median 70 -> 95`, `age: nulls 1 % -> 22 %`. */
export function describeColumn(after: ColumnProfile, groups: readonly Group[], spans: Measured['spans']): string {
  const { name } = after
  const n = groups.reduce((sum, group) => sum + group.before, 0)
  const m = groups.reduce((sum, group) => sum + group.after, 0)
  // The largest change of a share is what people recognise; PSI's own largest term is often a group that vanished.
  const change = (group: Group) => group.after / m - group.before / n
  const [top] = groups.toSorted((a, b) => Math.abs(change(b)) - Math.abs(change(a)) || change(b) - change(a))
  if (top === undefined || n === 0 || m === 0) return `${shorten(name)}: nothing to compare`
  const shares = `${percent(top.before, n)} -> ${percent(top.after, m)}`
  if (top.kind === 'range' || top.kind === 'rest') {
    const [before, later] = [quantile(spans.before, 0.5), quantile(spans.after, 0.5)]
    if (before !== null && later !== null && Math.abs(later - before) >= 0.1 * robustScale(spans.before)) {
      return `${shorten(name)}: median ${formatNumber(before)} -> ${formatNumber(later)}`
    }
  }
  return `${shorten(name)}: ${groupName(top, after)} ${shares}`
}

/** `season: 3 27 %` reads as one number, `plan: nulls 27 %` as no plan: such a category or value stands in quotes. */
const MISREAD = /^(?:[\d\s.,+-]+|nulls?|missing|other|present|nan|new categories)$/i

function groupName(group: Group, after: ColumnProfile): string {
  if (group.kind === 'missing') return 'nulls'
  if (group.kind === 'value') return JSON.stringify(group.label)
  if (group.kind === 'category' && MISREAD.test(group.label)) return JSON.stringify(shorten(group.label))
  if (group.kind !== 'new' || after.type !== 'categorical' || after.newValues === null) return shorten(group.label)
  const names = Object.entries(after.newValues).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  return names.length === 1 ? `new ${JSON.stringify(shorten(names[0]?.[0] ?? ''))}` : `${names.length} new categories`
}

/** How many columns a sentence names before it says "and 3 more". */
const NAMED = 4

export function describeCheck(verdict: CheckVerdict, columns: readonly ColumnResult[], rows: number): string {
  const compared = columns.filter((column) => column.verdict !== 'skipped')
  const open = compared.filter((column) => column.verdict === 'inconclusive')
  if (verdict === 'drift') {
    const bad = compared.filter((column) => column.verdict === 'drift' || column.verdict === 'broken')
    const more = bad.length > NAMED ? ` and ${bad.length - NAMED} more` : ''
    const named = bad.slice(0, NAMED).map((column) => column.summary)
    return `Drift in ${bad.length} of ${plural(compared.length, 'column')}: ${named.join('; ')}${more}.`
  }
  if (verdict === 'stable') {
    const unresolved = open.length === 0 ? '' : ` ${open.length} could not be resolved: ${names(open)}.`
    return `No drift in ${plural(compared.length, 'column')} over ${plural(rows, 'row')}.${unresolved}`
  }
  if (rows === 0) return 'The batch has no rows: nothing can be said.'
  if (compared.length === 0) return 'There is no column to compare.'
  const prediction = open.find((column) => column.role === 'prediction')
  if (prediction !== undefined && open.length <= compared.length / 2) {
    return `Nothing can be said: the prediction column ${prediction.column} is inconclusive: ${prediction.reason ?? 'too few rows'}.`
  }
  const hint = neededHint(open, compared.length)
  return `Too few rows to say: ${open.length} of ${plural(compared.length, 'column')} cannot be judged on ${plural(rows, 'row')}${hint}.`
}

/** The rows that would leave at most half of the columns open, and the rows for all of them. */
function neededHint(open: readonly ColumnResult[], compared: number): string {
  const needed = open.map((column) => column.rowsNeeded ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b)
  const enough = needed[open.length - Math.floor(compared / 2) - 1] ?? Number.POSITIVE_INFINITY
  const all = needed.at(-1) ?? enough
  if (!Number.isFinite(enough)) return ''
  const everything = all > enough && Number.isFinite(all) ? ` (${all.toLocaleString('en-US')} for every column)` : ''
  return `; about ${enough.toLocaleString('en-US')} are needed${everything}`
}

const plural = (count: number, noun: string): string =>
  `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`

function names(columns: readonly ColumnResult[]): string {
  const more = columns.length > NAMED ? ` and ${columns.length - NAMED} more` : ''
  return `${columns
    .slice(0, NAMED)
    .map(({ column }) => shorten(column))
    .join(', ')}${more}`
}

/** The command a person would type after reading the check. */
export function nextStep(check: Pick<CheckResult, 'model' | 'version' | 'verdict' | 'current' | 'columns'>): string {
  const { model, version, verdict, current, columns } = check
  const isBroken = columns.some((column) => column.verdict === 'broken')
  if (verdict === 'drift' && isBroken) return brokenColumnsCommand(`${model}@${version}`)
  if (verdict === 'drift') return retrainCommand(model, current.source)
  if (verdict === 'inconclusive') return `mlops drift ${model}@${version} --current MORE_ROWS`
  return `mlops status ${model}`
}
