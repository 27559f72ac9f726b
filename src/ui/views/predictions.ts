/** `mlops predictions …` as text. */

import { stripVTControlCharacters } from 'node:util'
import type { CompactResult } from '../../predictions/compact.ts'
import type { LabelResult } from '../../predictions/label.ts'
import type { PruneResult } from '../../predictions/prune.ts'
import type { Cell, QueryResult } from '../../predictions/query.ts'
import type { LogStats, VersionFigures } from '../../predictions/types.ts'
import { displayWidth, truncate } from '../clean.ts'
import { toCsv } from '../csv.ts'
import { bytes, day } from '../time.ts'
import type { Ui } from '../ui.ts'

interface Window {
  readonly model: string
  readonly home: string
  readonly since: string | null
  readonly until: string | null
}

export function renderStats(ui: Ui, stats: LogStats & Window): string {
  const { style } = ui
  const between =
    stats.since === null && stats.until === null
      ? ''
      : ` ${stats.since === null ? '' : `from ${day(stats.since)} `}${stats.until === null ? '' : `to ${day(stats.until)}`}`
  const title = `${style.name(stats.model)} predictions${between.trimEnd()} ${style.dim(ui.text(stats.home))}`
  const torn =
    stats.torn === 0
      ? []
      : [
          style.warn(
            `${style.symbols.warn} ${many(stats.torn, 'line')} could not be read as records (torn or malformed): left out`,
          ),
        ]
  if (stats.requests === 0)
    return [
      title,
      '',
      `No predictions${between.trimEnd()}. A service logs them, in Python: mlops.monitor(${JSON.stringify(stats.model)}).watch(rows)`,
      ...torn,
    ].join('\n')
  return [
    title,
    '',
    versionTable(ui, stats),
    '',
    ...volumeLines(ui, stats),
    ...errorLines(ui, stats),
    ...sampledLine(ui, stats),
    ...torn,
  ].join('\n')
}

function versionTable(ui: Ui, stats: LogStats): string {
  const { style } = ui
  const versions = stats.versions.length > 1 ? [...stats.versions, { ...stats, version: -1 }] : stats.versions
  return ui.table<VersionFigures>(
    [
      {
        title: 'VERSION',
        value: ({ version }) => (version === -1 ? 'all' : version === 0 ? 'unknown' : `@${version}`),
      },
      { title: 'REQUESTS', value: ({ requests }) => count(requests), align: 'right' },
      {
        title: 'ERRORS',
        value: ({ errors, requests }) => `${count(errors)} (${share(errors, requests)})`,
        align: 'right',
        paint: (text, { errors }) => (errors > 0 ? style.warn(text) : text),
      },
      ...(['p50', 'p95', 'p99'] as const).map((name) => ({
        title: `${name.toUpperCase()} MS`,
        value: ({ latency }: VersionFigures) => (latency === null ? '-' : milliseconds(latency[name])),
        align: 'right' as const,
      })),
      { title: 'LAST', value: ({ last }) => (last === null ? '-' : ui.ago(last)) },
    ],
    versions,
  )
}

/** As many marks as fit, the latest ones. */
const MOST_MARKS = 72

function volumeLines(ui: Ui, { volume, first, last }: LogStats): string[] {
  const [one, two] = volume
  const isHourly = one !== undefined && two !== undefined && Date.parse(two.from) - Date.parse(one.from) < 864e5
  const shown = volume.slice(-Math.min(MOST_MARKS, Math.max(10, ui.width - 22)))
  const line = `by ${isHourly ? 'hour' : 'day '}  ${ui.sparkline(shown.map(({ requests }) => requests))}`
  const ends = first === null || last === null ? [] : [ui.style.dim(`first ${day(first)}, last ${day(last)}`)]
  return volume.length < 2 ? ends : [line, ...ends]
}

function errorLines(ui: Ui, { errorsByCategory, errors }: LogStats): string[] {
  const categories = Object.entries(errorsByCategory)
  if (categories.length === 0) return []
  const width = Math.max(...categories.map(([name]) => ui.text(name).length))
  const lines = categories.map(([name, n]) => `  ${ui.text(name).padEnd(width)}  ${count(n)} (${share(n, errors)})`)
  return ['', ui.style.heading('Errors'), ...lines]
}

const sampledLine = (ui: Ui, { records, requests }: LogStats): string[] =>
  records === requests ? [] : [ui.style.dim(`estimated: ${count(records)} of ${count(requests)} requests were logged`)]

export function renderQuery(ui: Ui, result: QueryResult): string {
  const { columns, rows } = result
  if (rows.length === 0) return 'No rows.'
  const isNumber = columns.map((_, index) => rows.every((row) => row[index] === null || typeof row[index] === 'number'))
  const table = ui.table<readonly Cell[]>(
    columns.map(({ name }, index) => ({
      title: name,
      value: (row) => (row[index] === null ? '-' : String(row[index])),
      align: isNumber[index] ? 'right' : 'left',
      shrink: !isNumber[index],
    })),
    rows,
  )
  // Of many columns not all can shrink enough. In a pipe nothing is cut.
  if (!Number.isFinite(ui.width)) return table
  return table
    .split('\n')
    .map((line) =>
      displayWidth(line) > ui.width
        ? truncate(stripVTControlCharacters(line), ui.width, ui.style.symbols.ellipsis)
        : line,
    )
    .join('\n')
}

export const renderCsv = ({ columns, rows }: QueryResult): string => toCsv([columns.map(({ name }) => name), ...rows])

export function renderLabels(ui: Ui, result: LabelResult): string {
  const { style } = ui
  const known = result.labelled + result.changed + result.unchanged
  const parts = [
    `${count(result.labelled)} new`,
    ...(result.changed > 0 ? [`${count(result.changed)} changed`] : []),
    ...(result.unchanged > 0 ? [`${count(result.unchanged)} known already`] : []),
  ]
  const sign = known > 0 ? style.good(style.symbols.ok) : style.warn(style.symbols.warn)
  const lines = [
    `${sign} ${many(known, 'prediction')} of ${style.name(result.model)} ${known === 1 ? 'has a label' : 'have labels'} from ${ui.text(result.source)} (${parts.join(', ')})`,
    style.dim(
      `  ${many(result.rows, 'row')}; ids from ${ui.text(result.idColumn)}, labels from ${ui.text(result.labelColumn)}`,
    ),
  ]
  if (result.unknown > 0) {
    const some = result.unknownIds.map((id) => ui.text(id)).join(', ')
    const more = result.unknown > result.unknownIds.length ? ', …' : ''
    lines.push(
      style.warn(
        ui.wrap(
          `${style.symbols.warn} ${many(result.unknown, 'id')} not in the log (${some}${more}): their labels are kept and joined when the predictions come`,
          2,
        ),
      ),
    )
  }
  if (result.blank > 0) lines.push(style.dim(`  ${many(result.blank, 'row')} without id or label passed over`))
  return lines.join('\n')
}

export function renderPrune(ui: Ui, plan: PruneResult): string {
  const { style } = ui
  const kept = `Predictions of ${style.name(plan.model)} are kept for ${plan.keep}: what is before ${plan.before} goes.`
  if (plan.days.length === 0 && plan.unmatched === 0) return `${kept}\nNothing is that old.`
  const [first, last] = [plan.days[0], plan.days.at(-1)]
  const size = plan.days.reduce((sum, each) => sum + (each.bytes ?? 0), 0)
  const records = plan.days.map((each) => each.records)
  const total = records.includes(null)
    ? ''
    : `, ${many(
        records.reduce<number>((sum, n) => sum + (n ?? 0), 0),
        'prediction',
      )}`
  const what = `${many(plan.days.length, 'day')}${first === undefined ? '' : ` (${first.date} to ${last?.date})`}${size > 0 ? `, ${bytes(size)}` : ''}${total}`
  const labels =
    plan.unmatched === 0 ? '' : ` and ${many(plan.unmatched, 'set')} of labels that never met their prediction`
  return plan.removed
    ? `${style.good(style.symbols.ok)} Deleted ${what}${labels}`
    : `${kept}\nTo be deleted: ${what}${labels}`
}

export function renderCompact(ui: Ui, result: CompactResult): string {
  const { style } = ui
  if (result.days.length === 0)
    return `Nothing to compact: no file of ${style.name(result.model)} is of a day that is over and has rested for two hours.`
  const table = ui.table<CompactResult['days'][number]>(
    [
      { title: 'DAY', value: ({ date }) => date },
      { title: 'FILES', value: ({ files }) => count(files), align: 'right' },
      { title: 'RECORDS', value: ({ records }) => (records === null ? '-' : count(records)), align: 'right' },
      { title: 'LINES', value: (each) => bytes(each.bytes), align: 'right' },
      { title: 'PARQUET', value: ({ parquet }) => (parquet === null ? '-' : bytes(parquet)), align: 'right' },
      { title: 'UNREADABLE', value: ({ torn }) => (torn === null ? '-' : count(torn)), align: 'right' },
    ],
    result.days,
  )
  return result.dryRun ? `${table}\n\nNothing was changed (--dry-run).` : table
}

const count = (n: number): string => n.toLocaleString('en-US')
const many = (n: number, noun: string): string => `${count(n)} ${noun}${n === 1 ? '' : 's'}`
const share = (part: number, whole: number): string =>
  whole === 0 ? '0 %' : `${((100 * part) / whole).toFixed(part === 0 || part / whole >= 0.1 ? 0 : 2)} %`
const milliseconds = (value: number): string =>
  value >= 100 ? count(Math.round(value)) : String(Number(value.toPrecision(3)))
