/**
 * Lines in a terminal: one or several series with axes, and one series in one line. Braille dots where the terminal has
 * them, ASCII marks elsewhere; several series without colour differ by their marks. What they mean is the views' business.
 */
import { displayWidth } from './clean.ts'

export interface ChartPoint {
  readonly x: number
  /** What is no finite number is a gap. */
  readonly value: number | string
}

export interface ChartOptions {
  /** Columns of the whole drawing, at least 30; Infinity is 80. */
  readonly width: number
  /** Rows of the drawing without the axis below; 10. */
  readonly height?: number
  readonly unicode: boolean
  /** Below the axis: what x is, for example `step`. */
  readonly xTitle?: string
  /** Colours what was drawn of the series with this index. Without it several series differ by their marks. */
  readonly paint?: ((text: string, series: number) => string) | undefined
}

/** The marks of several series that no colour tells apart, for a legend too. */
export const chartMark = (series: number): string => MARKS[series % MARKS.length] ?? '*'
const MARKS = ['*', 'o', '+', 'x', '#', '@', '%', '&']

/** Bits of a Braille character for each dot: two columns of four. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const
const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
const ASCII_BLOCKS = ['_', '.', '-', '=', '+', '*', '%', '#']

interface Range {
  readonly low: number
  readonly high: number
}

/** @param series points in order of x. @returns lines without trailing blanks; none when no value is finite */
export function lineChart(
  series: readonly { readonly points: readonly ChartPoint[] }[],
  options: ChartOptions,
): string[] {
  const all = series.flatMap(({ points }) => points)
  const ys = rangeOf(all.map(({ value }) => value))
  const xs = rangeOf(all.map(({ x }) => x))
  if (ys === undefined || xs === undefined) return []
  const y = ys.low === ys.high ? around(ys.low) : ys
  const height = Math.max(2, options.height ?? 10)
  const labels = axisLabels(y, height)
  const margin = Math.max(...labels.map(({ length }) => length)) + 2
  const columns = Math.max(20, (Number.isFinite(options.width) ? options.width : 80) - margin - 1)
  const isBraille = options.unicode && (series.length === 1 || options.paint !== undefined)
  const grid = new Grid(columns, height, isBraille)
  for (const [index, { points }] of series.entries()) draw(grid, index, points, { x: xs, y })
  const [tick, corner, dash] = options.unicode ? ['┤', '└', '─'] : ['+', '+', '-']
  const rows = grid.rows(isBraille || series.length === 1 ? undefined : chartMark, options.paint)
  return [
    ...rows.map((row, at) => `${(labels[at] ?? '').padStart(margin - 2)} ${tick}${row}`.trimEnd()),
    `${' '.repeat(margin - 1)}${corner}${dash.repeat(columns)}`,
    ' '.repeat(margin) + xLabels(xs, columns, options.xTitle ?? ''),
  ]
}

/** One line, scaled from the least to the greatest value; blank where nothing finite is. @param width at most so long */
export function miniChart(points: readonly ChartPoint[], width: number, unicode: boolean): string {
  const ys = rangeOf(points.map(({ value }) => value))
  const xs = rangeOf(points.map(({ x }) => x))
  if (ys === undefined || xs === undefined) return ''
  const columns = Math.max(1, Math.min(width, points.length))
  const sums = new Float64Array(columns)
  const counts = new Float64Array(columns)
  for (const { x, value } of points) {
    if (!isFiniteNumber(value)) continue
    const at = Math.round(share(x, xs) * (columns - 1))
    sums[at] = (sums[at] ?? 0) + value
    counts[at] = (counts[at] ?? 0) + 1
  }
  const marks = unicode ? BLOCKS : ASCII_BLOCKS
  return Array.from(sums, (sum, at) => {
    const count = counts[at] ?? 0
    if (count === 0) return ' '
    return marks[ys.low === ys.high ? 3 : Math.round(share(sum / count, ys) * (marks.length - 1))] ?? ' '
  }).join('')
}

function draw(grid: Grid, index: number, points: readonly ChartPoint[], range: { x: Range; y: Range }): void {
  let last: { x: number; y: number } | undefined
  for (const { x, value } of points) {
    if (!isFiniteNumber(value)) {
      last = undefined
      continue
    }
    const at = {
      x: Math.round(share(x, range.x) * (grid.width - 1)),
      y: Math.round((1 - share(value, range.y)) * (grid.height - 1)),
    }
    grid.line(index, last ?? at, at)
    last = at
  }
}

class Grid {
  readonly width: number
  readonly height: number
  readonly #columns: number
  readonly #rows: number
  readonly #isBraille: boolean
  readonly #bits: Uint8Array
  /** Which series was drawn last in each cell. */
  readonly #series: Int16Array

  constructor(columns: number, rows: number, isBraille: boolean) {
    this.#columns = columns
    this.#rows = rows
    this.#isBraille = isBraille
    this.width = isBraille ? columns * 2 : columns
    this.height = isBraille ? rows * 4 : rows
    this.#bits = new Uint8Array(columns * rows)
    this.#series = new Int16Array(columns * rows).fill(-1)
  }

  line(series: number, from: { x: number; y: number }, to: { x: number; y: number }): void {
    const steps = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y), 1)
    for (let n = 0; n <= steps; n++) {
      this.#dot(
        series,
        Math.round(from.x + ((to.x - from.x) * n) / steps),
        Math.round(from.y + ((to.y - from.y) * n) / steps),
      )
    }
  }

  #dot(series: number, x: number, y: number): void {
    const [column, row] = this.#isBraille ? [x >> 1, y >> 2] : [x, y]
    const cell = row * this.#columns + column
    this.#bits[cell] = (this.#bits[cell] ?? 0) | (this.#isBraille ? (DOTS[y & 3]?.[x & 1] ?? 0) : 1)
    this.#series[cell] = series
  }

  rows(mark: ((series: number) => string) | undefined, paint: ChartOptions['paint']): string[] {
    return Array.from({ length: this.#rows }, (_, row) => {
      let text = ''
      for (let column = 0; column < this.#columns; ) {
        const series = this.#series[row * this.#columns + column] ?? -1
        let piece = ''
        // One colour for a stretch, not for each of its characters.
        while (column < this.#columns && (this.#series[row * this.#columns + column] ?? -1) === series) {
          piece += this.#character(row * this.#columns + column, mark)
          column += 1
        }
        text += series < 0 || paint === undefined ? piece : paint(piece, series)
      }
      return text
    })
  }

  #character(cell: number, mark: ((series: number) => string) | undefined): string {
    const bits = this.#bits[cell] ?? 0
    if (bits === 0) return ' '
    if (this.#isBraille) return String.fromCodePoint(0x2800 + bits)
    return mark === undefined ? '*' : mark(this.#series[cell] ?? 0)
  }
}

/** A label on the first, the last and some rows between, with as many digits as tell them apart. */
function axisLabels({ low, high }: Range, height: number): string[] {
  const every = height <= 4 ? height - 1 : Math.max(2, Math.round((height - 1) / 3))
  const wanted = Array.from(
    { length: height },
    (_, row) => row === height - 1 || (row % every === 0 && height - 1 - row >= 2),
  )
  const values = wanted.flatMap((is, row) => {
    const down = row / (height - 1)
    const value = high * (1 - down) + low * down
    // `1e-17` between -1 and 1 is a remainder of the arithmetic.
    return is ? [Math.abs(value) < (high / 2 - low / 2) * 1e-9 ? 0 : value] : []
  })
  const texts = distinctTexts(values)
  return wanted.map((is) => (is ? (texts.shift() ?? '') : ''))
}

function xLabels(xs: Range, columns: number, title: string): string {
  const [from, to] = [shortNumber(xs.low, 6), shortNumber(xs.high, 6)]
  if (xs.low === xs.high) return [from, title].filter((each) => each !== '').join('  ')
  const middle = columns - from.length - to.length - 2
  const shown = displayWidth(title) <= middle ? title : ''
  const before = Math.max(1, Math.floor((columns - displayWidth(shown)) / 2) - from.length)
  const after = Math.max(1, columns - from.length - before - displayWidth(shown) - to.length)
  return `${from}${' '.repeat(before)}${shown}${' '.repeat(after)}${to}`
}

function distinctTexts(values: readonly number[]): string[] {
  for (let digits = 3; digits < 17; digits++) {
    const texts = values.map((value) => shortNumber(value, digits))
    if (new Set(texts).size === texts.length) return texts
  }
  return values.map(String)
}

const shortNumber = (value: number, digits: number): string => String(Number(value.toPrecision(digits)))

function rangeOf(values: readonly (number | string)[]): Range | undefined {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    if (!isFiniteNumber(value)) continue
    if (value < low) low = value
    if (value > high) high = value
  }
  return low > high ? undefined : { low, high }
}

const around = (value: number): Range => {
  const room = Math.abs(value) / 10 || 1
  return { low: value - room, high: value + room }
}

/** 0 to 1. Halves first: the difference of two large numbers may be infinite. */
const share = (value: number, { low, high }: Range): number =>
  low === high ? 0.5 : Math.min(1, Math.max(0, (value / 2 - low / 2) / (high / 2 - low / 2)))

const isFiniteNumber = (value: number | string): value is number => typeof value === 'number' && Number.isFinite(value)
