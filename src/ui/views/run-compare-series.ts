/** Metrics over their steps, the runs of a comparison over one another. */
import type { RunComparison } from '../../tracking/compare/compare.ts'
import type { SeriesRow } from '../../tracking/compare/series.ts'
import { chartMark, lineChart } from '../chart.ts'
import { displayWidth } from '../clean.ts'
import type { Ui } from '../ui.ts'
import { formatValue } from './values.ts'

/** Charts that are drawn without `--all`: each takes a dozen lines. */
const MOST = 3
const HEIGHT = 8
const WIDEST = 100
const PIPED = 80

export function renderSeries(ui: Ui, { series, runs }: RunComparison, all: boolean): string {
  const rows = series.filter(({ same }) => all || !same)
  const shown = all ? rows : rows.slice(0, MOST)
  const labels = runs.map(({ label }) => label)
  const charts = shown.map((row) => chart(ui, row, labels)).filter((text) => text !== '')
  if (charts.length === 0) return ''
  const more = rows.length > shown.length ? [ui.style.dim(`  ${rows.length - shown.length} more: --all`)] : []
  return [ui.style.heading('Over time'), charts.join('\n\n'), ...more].join('\n')
}

function chart(ui: Ui, { name, cells }: SeriesRow, labels: readonly string[]): string {
  const there = cells.flatMap((cell, at) => (cell === null ? [] : [{ ...cell, at, label: labels[at] ?? '' }]))
  const { color, unicode } = ui.style
  const paint = (text: string, index: number): string => painted(ui, text, there[index]?.at ?? 0)
  const lines = lineChart(there, {
    width: (Number.isFinite(ui.width) ? Math.min(WIDEST, ui.width) : PIPED) - 2,
    height: HEIGHT,
    unicode,
    xTitle: there.every(({ hasSteps }) => hasSteps) ? 'step' : 'value',
    ...(color ? { paint } : {}),
  })
  if (lines.length === 0) return ''
  const legend = there.map(({ label, last, nonFinite }, index) => {
    const mark = color ? painted(ui, '━━', there[index]?.at ?? 0) : there.length > 1 ? chartMark(index) : ''
    const gaps = nonFinite === 0 ? '' : ui.style.warn(` (${nonFinite} not finite)`)
    return `${mark === '' ? '' : `${mark} `}${label} ${formatValue(last)}${gaps}`
  })
  const head = inLines([ui.style.bold(ui.text(name)), ...legend], ui.width - 2)
  return [...head, ...lines].map((line) => `  ${line}`).join('\n')
}

/** As many pieces on a line as fit; none is broken. */
function inLines(pieces: readonly string[], width: number): string[] {
  const lines: string[] = []
  for (const piece of pieces) {
    const last = lines.at(-1)
    const longer = `${last}  ${piece}`
    if (last === undefined || displayWidth(longer) > width) lines.push(last === undefined ? piece : `  ${piece}`)
    else lines[lines.length - 1] = longer
  }
  return lines
}

/** Eight runs at most, of which the first four differ most. */
function painted({ style }: Ui, text: string, run: number): string {
  const paints = [style.name, style.warn, style.good, style.bad, style.dim, style.bold]
  return (paints[run % paints.length] ?? style.bold)(text)
}
