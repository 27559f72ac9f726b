/** A drift check as a person reads it: the verdict in a sentence, the columns worst first, what to type next. */
import type { CheckResult, ColumnResult } from '../../drift/types.ts'
import type { RetrainingEffect } from '../../lifecycle/status/retraining-effect.ts'
import type { DriftReport } from '../../monitor/types.ts'
import type { Ui } from '../ui.ts'
import { alertLines, healthLines, periodTable, qualityLines, segmentTable } from './drift-parts.ts'
import { effectLine } from './retraining-effect.ts'

/** Columns shown one by one; more stable ones than `STABLE` are named in one line. */
const SHOWN = 30
const STABLE = 5

/** A check, and what the command that made it knows besides. */
type Shown = CheckResult & { readonly next: string } & Partial<
    Pick<DriftReport, 'alreadyChecked' | 'alerts' | 'periods' | 'reports'> & { readonly retraining: RetrainingEffect }
  >

export function renderCheck(ui: Ui, check: Shown): string {
  const { style } = ui
  const { symbols } = style
  const verdicts = {
    drift: style.bad(`${symbols.bad} drift`),
    inconclusive: style.warn(`${symbols.unknown} inconclusive`),
    stable: style.good(`${symbols.ok} stable`),
  }
  const rows = (count: number) => `${count.toLocaleString('en-US')} row${count === 1 ? '' : 's'}`
  const name = style.name(`${check.model}@${check.version}`)
  const head = `${verdicts[check.verdict]}  ${name}  ${ui.text(check.current.source)} (${rows(check.current.rows)}) against ${ui.text(check.reference.name)} (${rows(check.reference.rows)})`
  const again =
    check.alreadyChecked == null
      ? []
      : [style.dim(`already checked ${ui.ago(check.alreadyChecked)}: the same rows, reference and configuration`)]
  const service = [...healthLines(ui, check), ...qualityLines(ui, check)]
  const verdict = [ui.wrap(head, 2), ui.wrap(ui.text(check.summary)), ...again, ...service].join('\n')
  const told = alertLines(ui, check.alerts ?? [])
  if (ui.quiet) return [verdict, ...told].join('\n')
  const { shown, folded } = pick(check.columns)
  const notes = check.notes.map((note) => style.dim(ui.wrap(`${symbols.bullet} ${ui.text(note)}`, 2)))
  const what = check.columns.some(({ verdict }) => verdict === 'broken')
    ? 'Mend the broken columns where the batch is made; the version was trained on:'
    : 'Next:'
  return [
    periodTable(ui, check.periods ?? []),
    verdict,
    // Without a row there is nothing to say of any column.
    check.current.rows === 0 ? '' : columnTable(ui, shown, check),
    segmentTable(ui, check),
    [...foldedLines(ui, folded), ...notes].join('\n'),
    check.retraining === undefined ? '' : ui.wrap(effectLine(ui, check.retraining), 2),
    told.join('\n'),
    (check.reports ?? []).map((path) => style.dim(`Report: ${ui.text(path)}`)).join('\n'),
    `${what} ${style.command(ui.text(check.next))}`,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** Everything that needs a look, and stable columns only while they are few. */
function pick(columns: readonly ColumnResult[]): { shown: readonly ColumnResult[]; folded: readonly ColumnResult[] } {
  const isQuiet = ({ verdict, role }: ColumnResult) =>
    verdict === 'skipped' || (verdict === 'stable' && role !== 'prediction')
  const compared = columns.filter(({ verdict }) => verdict !== 'skipped')
  const isSmall = compared.filter(isQuiet).length <= STABLE
  const wanted = columns.filter((column) => (isSmall ? column.verdict !== 'skipped' : !isQuiet(column)))
  const shown = wanted.slice(0, SHOWN)
  return { shown, folded: columns.filter((column) => !shown.includes(column)) }
}

function foldedLines(ui: Ui, columns: readonly ColumnResult[]): string[] {
  const verdicts = [...new Set(columns.map(({ verdict }) => verdict))]
  return verdicts.map((verdict) => {
    const names = columns.filter((column) => column.verdict === verdict).map(({ column }) => ui.text(column))
    const more = names.length > 12 ? ` and ${names.length - 12} more` : ''
    const line = `${ui.style.symbols.bullet} ${names.length} ${verdict}: ${names.slice(0, 12).join(', ')}${more}`
    return ui.style.dim(ui.wrap(line, 2))
  })
}

function columnTable(ui: Ui, columns: readonly ColumnResult[], check: CheckResult): string {
  const { style } = ui
  const marks = {
    broken: style.symbols.bad,
    drift: style.symbols.bad,
    inconclusive: style.symbols.unknown,
    negligible: style.symbols.ok,
    stable: style.symbols.ok,
    skipped: style.symbols.dash,
  }
  const paint = (text: string, { verdict }: ColumnResult): string => {
    if (verdict === 'broken' || verdict === 'drift') return style.bad(text)
    return verdict === 'inconclusive' ? style.warn(text) : verdict === 'skipped' ? style.dim(text) : style.good(text)
  }
  const role = ({ role }: ColumnResult) => (role === 'feature' ? '' : ` (${role})`)
  const name = (row: ColumnResult): string => `${marks[row.verdict]} ${row.column}${role(row)}`
  // Which column it is must be readable on any terminal; what else is there gives way.
  const isLong = columns.some((row) => name(row).length > 24)
  const isNarrow = ui.width < 100
  return ui.table<ColumnResult>(
    [
      { title: 'COLUMN', value: name, paint, shrink: isLong },
      { title: 'VERDICT', value: ({ verdict }) => verdict, paint },
      { title: check.metric.toUpperCase(), value: (row) => effect(row, check), align: 'right' },
      { title: 'LIMIT', value: ({ threshold }) => String(threshold), align: 'right' },
      ...(isNarrow ? [] : [{ title: 'NOISE', value: noise, align: 'right' as const }]),
      { title: 'BEFORE', value: (row) => histogram(ui, row).before },
      { title: 'AFTER', value: (row) => histogram(ui, row).after },
      { title: 'WHAT', value: (row) => what(row), shrink: true },
    ],
    columns,
  )
}

const noise = ({ noise }: ColumnResult): string => decimals(noise)

/** A star where another measure stands in for the configured one. */
const effect = (row: ColumnResult, check: CheckResult): string =>
  `${decimals(row.effect)}${row.metric === check.metric || row.effect === null ? '' : '*'}`

function decimals(value: number | null): string {
  if (value === null) return ''
  if (value > 0 && value < 0.001) return '<0.001'
  return value >= 100 ? value.toFixed(0) : value.toFixed(3)
}

/**
 * Both histograms on one scale, so that their heights can be compared. What is no value of the column (nulls, new
 * categories, NaN) stands apart, behind a gap.
 */
function histogram(ui: Ui, { groups }: ColumnResult): { before: string; after: string } {
  const values = groups.filter((group) => !isApart(group))
  const apart = groups.filter(isApart)
  const sorted = [...values, ...apart]
  const both = ui.sparkline([...sorted.map(({ before }) => before), ...sorted.map(({ after }) => after)])
  const split = (bars: string) =>
    apart.length === 0 || values.length === 0 ? bars : `${bars.slice(0, values.length)} ${bars.slice(values.length)}`
  return { before: split(both.slice(0, groups.length)), after: split(both.slice(groups.length)) }
}

const isApart = ({ kind }: ColumnResult['groups'][number]): boolean =>
  kind === 'missing' || kind === 'new' || kind === 'special'

function what(row: ColumnResult): string {
  const prefix = `${row.column}: `
  const summary = row.summary.startsWith(prefix) ? row.summary.slice(prefix.length) : row.summary
  const causes = row.causes.filter((cause) => !summary.includes(cause))
  // `Male 50 % -> 50 %`: nothing moved, and there is nothing to say.
  const [, before, after] = /([\d.]+ %) -> ([\d.]+ %)$/.exec(summary) ?? []
  if (row.verdict === 'stable' && before !== undefined && before === after) return causes.join('; ')
  return [summary, ...causes, ...(row.reason === undefined || row.verdict === 'broken' ? [] : [row.reason])].join('; ')
}
