/** A column's effect over time as a line against its limit. Drawn from figures alone; sizes itself to its box. */
import type { TrendColumn } from '../../../drift/trend.ts'
import { type Html, html } from '../html/escape.ts'
import { figure, limitText, plain } from '../words.ts'

/** Units of the drawing; strokes keep their width whatever the box is. */
const [WIDTH, HEIGHT] = [300, 72]
/** More points than this on a line nobody can tell apart. */
const POINTS = 150

interface Dot {
  readonly x: number
  readonly y: number
  /** Height of what chance alone may show. */
  readonly noise: number
  readonly isBad: boolean
}

/** @param times of the checks, oldest first, milliseconds; one per point of the column */
export function trendChart(column: TrendColumn, times: readonly number[]): Html {
  const measured = column.points.flatMap((point, at) =>
    point === null || point.effect === null ? [] : [{ ...point, effect: point.effect, time: times[at] ?? 0 }],
  )
  const last = measured.at(-1)
  if (last === undefined) return html`<p class="soft">No effect was measured.</p>`
  const shown = thin(measured)
  const [from, to] = [times[0] ?? 0, times.at(-1) ?? 0]
  const most = 1.12 * Math.max(last.threshold, ...shown.map(({ effect, noise }) => Math.max(effect, noise ?? 0)))
  const y = (value: number): number => Math.round(10 * (HEIGHT - (HEIGHT * Math.max(0, value)) / most)) / 10
  const dots = shown.map(
    ({ effect, noise, time, verdict }): Dot => ({
      x: to === from ? WIDTH / 2 : Math.round(6 + ((WIDTH - 12) * (time - from)) / (to - from)),
      y: y(effect),
      noise: y(noise ?? 0),
      isBad: verdict === 'drift' || verdict === 'broken',
    }),
  )
  const path = (members: readonly Dot[]): string => members.map(({ x, y }) => `M${x} ${y}h0`).join('')
  const words = `${plain(column.column, 60)}: effect ${figure(shown[0]?.effect)} to ${figure(last.effect)} over ${measured.length} checks, limit ${limitText(last.threshold)}, in drift ${column.drifted} times`
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${words}"><path class="noise" d="${noiseArea(dots)}"/><path class="lim" d="M0 ${y(last.threshold)}H${WIDTH}"/><path class="line" d="${dots.map(({ x, y }, at) => `${at === 0 ? 'M' : 'L'}${x} ${y}`).join('')}"/><path class="dot" d="${path(dots.filter(({ isBad }) => !isBad))}"/><path class="dot hit" d="${path(dots.filter(({ isBad }) => isBad))}"/></svg>`
}

/** Under a line through the bounds, over the whole width. */
const noiseArea = (dots: readonly Dot[]): string =>
  `M${dots[0]?.x} ${HEIGHT}${dots.map(({ x, noise }) => `L${x} ${noise}`).join('')}V${HEIGHT}z`

/** Of neighbours the one with the largest effect: a spike must not vanish from the picture. */
function thin<Point extends { readonly effect: number }>(points: readonly Point[]): Point[] {
  const size = Math.ceil(points.length / POINTS)
  const kept: Point[] = []
  for (let at = 0; at < points.length; at += size) {
    const [largest] = points.slice(at, at + size).toSorted((a, b) => b.effect - a.effect)
    if (largest !== undefined) kept.push(largest)
  }
  return kept
}
