/** The histories of one metric in several runs over one another: a line each, told apart by colour and by its dashes. */
import type { SeriesRow } from '../../../tracking/compare/series.ts'
import { formatValue } from '../../views/values.ts'
import { type Html, html, raw } from '../html/escape.ts'

/** Units of the drawing; strokes keep their width whatever the box is. */
const [WIDTH, HEIGHT] = [300, 100]

const LIGHT = ['#1d5fc4', '#b3261e', '#1a7037', '#855600', '#7b2d9e', '#00707a', '#56606b', '#a0296b']
const DARK = ['#7fb2ff', '#ff9389', '#6fd08c', '#f0bb52', '#d29bf0', '#5fd0da', '#a1acb8', '#ff8fc4']
const DASHES = ['none', '7 4', '2 4', '9 3 2 3', '12 4', '4 2', '1 3', '8 2 1 2']

const colours = (list: readonly string[]): string => list.map((colour, at) => `--s${at}:${colour}`).join(';')

export const SERIES_CSS = `:root{${colours(LIGHT)}}@media screen and (prefers-color-scheme:dark){:root{${colours(DARK)}}}${LIGHT.map((_, at) => `.s${at}{stroke:var(--s${at});stroke-dasharray:${DASHES[at]}}`).join('')}.chart.over{height:130px;margin-top:12px}.chart .run{stroke-width:2}.sw{display:inline-block;width:24px;height:8px;vertical-align:2px}.sw path{fill:none;stroke-width:2.5}.keys.runs{margin-top:8px;font-size:14px}`

/** The sample of a run's line, for legends. */
export const swatch = (run: number): Html =>
  raw(`<svg class="sw" aria-hidden="true"><path class="s${run % LIGHT.length}" d="M0 4h24"/></svg>`)

interface Scale {
  readonly low: number
  readonly high: number
}

export function overlay({ name, cells }: SeriesRow, labels: readonly string[]): Html {
  const there = cells.flatMap((cell, at) => (cell === null ? [] : [{ ...cell, at, label: labels[at] ?? '' }]))
  const finite = there.flatMap(({ points }) => points.filter(({ value }) => typeof value === 'number'))
  const legend = html`<ul class="keys runs">${there.map(({ at, label, last, nonFinite }) => html`<li>${swatch(at)}<b>${label}</b> ${formatValue(last)}${nonFinite > 0 && html` <span class="warn">${nonFinite} not finite</span>`}</li>`)}</ul>`
  if (finite.length === 0) return html`<p class="soft">No value is a finite number.</p>${legend}`
  const x = scaleOf(finite.map((point) => point.x))
  const y = scaleOf(finite.map(({ value }) => Number(value)))
  const words = there
    .map(({ label, first, last }) => `${label} from ${formatValue(first)} to ${formatValue(last)}`)
    .join('; ')
  const axis = there.every(({ hasSteps }) => hasSteps) ? 'step' : 'value'
  const lines = there.map(
    ({ at, points }) => html`<path class="run s${at % LIGHT.length}" d="${pathOf(points, x, y)}"/>`,
  )
  return html`<div class="span"><span>${formatValue(y.high)}</span></div><svg class="chart over" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${name}: ${words}">${lines}</svg><div class="span"><span>${formatValue(y.low)}; ${axis} ${formatValue(x.low)}</span><span>${formatValue(x.high)}</span></div>${legend}`
}

/** What is no finite number is a gap. */
function pathOf(
  points: readonly { readonly x: number; readonly value: number | string }[],
  x: Scale,
  y: Scale,
): string {
  let isOpen = false
  return points
    .map((point) => {
      if (typeof point.value !== 'number') {
        isOpen = false
        return ''
      }
      const at = `${round(WIDTH * share(point.x, x))} ${round(HEIGHT * (1 - share(point.value, y)))}`
      const piece = isOpen ? `L${at}` : `M${at}h0`
      isOpen = true
      return piece
    })
    .join('')
}

const round = (value: number): number => Math.round(10 * value) / 10

/** Not by spreading: a series may have many points. */
function scaleOf(values: readonly number[]): Scale {
  return {
    low: values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
    high: values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
  }
}

/** Halves first: the difference of two large numbers may be infinite. */
const share = (value: number, { low, high }: Scale): number =>
  low === high ? 0.5 : (value / 2 - low / 2) / (high / 2 - low / 2)
