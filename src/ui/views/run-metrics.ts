/** The metrics of one run: the history of one drawn large, the others in a line each. */
import type { RunDetail } from '../../tracking/records/run-summary.ts'
import type { MetricSeries } from '../../tracking/records/series.ts'
import { lineChart, miniChart } from '../chart.ts'
import { truncate } from '../clean.ts'
import { type Column, renderTable } from '../table.ts'
import type { Ui } from '../ui.ts'
import { fitted } from './run-words.ts'
import { formatValue } from './values.ts'

const INDENT = 2
/** Columns for names at most. */
const NAME = 40
/** Columns of a terminal from which a line has room for a long history. */
const WIDE = 120

interface Line {
  readonly key: string
  readonly value: number | string
  readonly series: MetricSeries | undefined
}

/** @param drawn the metric to draw large; undefined: the first that has a history */
export function metricLines(ui: Ui, run: Pick<RunDetail, 'metrics' | 'series'>, drawn: string | undefined): string[] {
  const large = run.series.find(({ key }) => drawn === undefined || key === drawn)
  const lines = Object.entries(run.metrics).map(([key, value]): Line => {
    return { key, value, series: run.series.find((each) => each.key === key) }
  })
  if (lines.length === 0) return []
  const chart = large === undefined ? [] : [...drawing(ui, large), '']
  return [...chart, ...table(ui, lines)]
}

function drawing(ui: Ui, series: MetricSeries): string[] {
  const lines = lineChart([series], {
    width: ui.width - INDENT,
    unicode: ui.style.unicode,
    xTitle: series.hasSteps ? 'step' : 'values in order of time',
  })
  const count = `${series.count.toLocaleString('en-US')} values`
  const gaps = series.nonFinite === 0 ? '' : `, ${series.nonFinite.toLocaleString('en-US')} of them not finite`
  const title = `${ui.style.name(ui.text(series.key))}  ${ui.style.dim(count + gaps)}`
  return lines.length === 0 ? [title] : [title, ...lines]
}

function table(ui: Ui, lines: readonly Line[]): string[] {
  const withHistory = lines.some(({ series }) => series !== undefined)
  if (!withHistory) {
    const names = lines.map(({ key }) => fitted(ui, key, INDENT + NAME))
    const width = Math.min(NAME, Math.max(...names.map(({ length }) => length)))
    return lines.map(({ value }, at) => `${(names[at] ?? '').padEnd(width)}  ${formatValue(value)}`)
  }
  const wide = ui.width >= WIDE
  const of = (pick: (series: MetricSeries) => number | string | null) => (line: Line) =>
    line.series === undefined ? '' : formatValue(short(pick(line.series)))
  const columns: Column<Line>[] = [
    { title: 'METRIC', value: ({ key }) => nameOf(ui, key), shrink: true, paint: (text) => ui.style.name(text) },
    { title: 'LAST', value: ({ value }) => formatValue(short(value)), align: 'right' },
    {
      title: 'HISTORY',
      value: ({ series }) => (series === undefined ? '' : miniChart(series.points, wide ? 40 : 16, ui.style.unicode)),
      shrink: true,
    },
    { title: 'FIRST', value: of(({ first }) => first), align: 'right' },
    { title: 'MIN', value: of(({ min }) => min), align: 'right' },
    { title: 'MAX', value: of(({ max }) => max), align: 'right' },
    { title: 'VALUES', value: of(({ count }) => count), align: 'right' },
  ]
  if (lines.some(({ series }) => (series?.nonFinite ?? 0) > 0)) {
    columns.push({ title: 'NAN/INF', value: of(({ nonFinite }) => nonFinite), align: 'right' })
  }
  const text = renderTable(columns, lines, {
    width: ui.width - INDENT,
    ellipsis: ui.style.symbols.ellipsis,
    head: (heading) => ui.style.dim(heading),
  })
  return text.split('\n')
}

/** As wide as the widest: one name must not push all values out of sight. */
const nameOf = (ui: Ui, key: string): string =>
  key.length <= NAME ? key : truncate(ui.text(key.slice(0, NAME * 4)), NAME, ui.style.symbols.ellipsis)

/** Four digits: a table is for looking, `--json` has them all. */
const short = (value: number | string | null): number | string | null =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value
