/**
 * Which bin a value falls into: the hot loop of counting. A uniform grid over the middle of the edges leaves one or two
 * of them to look at: about 5 ns per value for 1,000 edges. Nothing here knows of columns or files.
 */
import { TAIL_EDGES } from './edges.ts'

/** 16 KiB of 16-bit entries for 1,000 edges: the grid stays within the first-level cache (docs/decisions/0009-counting.md). */
const MOST_CELLS = 8_192
const CELLS_PER_EDGE = 8

/** What `tally` found besides the bins it counted into. */
export interface Tally {
  /** How many rows have a value, finite or not. */
  readonly present: number
  /** Of the finite values; Infinity and -Infinity when there were none. */
  readonly min: number
  readonly max: number
  /** What has no bin. */
  readonly nan: number
  readonly positiveInfinity: number
  readonly negativeInfinity: number
}

/** Bin k holds edges[k-1] < x <= edges[k]. */
export class Binner {
  /** With an infinite edge at the end, where every walk upwards stops. */
  private readonly edges: Float64Array
  /** First edge that can be the answer for a value in the cell. */
  private readonly first: Uint16Array | Uint32Array
  private readonly low: number
  private readonly scale: number
  /** No value below the grid has a bin after `before`, none beyond it one ahead of `beyond`. */
  private readonly before: number
  private readonly beyond: number

  /** @param edges ascending */
  constructor(edges: Float64Array) {
    this.edges = new Float64Array(edges.length + 1).fill(Number.POSITIVE_INFINITY)
    this.edges.set(edges)
    const margin = marginOf(edges.length)
    this.before = margin
    this.low = edges[margin] ?? 0
    const high = edges[edges.length - 1 - margin] ?? 0
    const cells = Math.min(MOST_CELLS, 2 ** Math.ceil(Math.log2(CELLS_PER_EDGE * (edges.length + 1))))
    const scale = cells / (high - this.low)
    this.scale = Number.isFinite(scale) ? scale : 0
    this.first = edges.length < 65_536 ? new Uint16Array(cells) : new Uint32Array(cells)
    let edge = 0
    for (let cell = 0; cell < cells; cell++) {
      // The same arithmetic as in `tally`, so that rounding cannot put an edge and a value into different cells.
      while (edge < edges.length && ((edges[edge] as number) - this.low) * this.scale < cell) edge++
      this.first[cell] = edge
    }
    while (edge < edges.length && ((edges[edge] as number) - this.low) * this.scale < cells) edge++
    this.beyond = edge
  }

  /** The bin of one finite value. */
  of(value: number): number {
    const counts = new Float64Array(this.edges.length)
    this.tally(Float64Array.of(value), 1, undefined, counts)
    return counts.indexOf(1)
  }

  /**
   * Adds the finite ones of `rows` values to `counts`.
   * @param mask a bit per row, set where there is a value, lowest first; undefined when all rows have one
   */
  tally(values: Float64Array, rows: number, mask: Uint8Array | undefined, counts: Float64Array): Tally {
    if (mask === undefined) return this.#tally(values, rows, counts)
    if (dense.length < rows) dense = new Float64Array(rows)
    return this.#tally(dense, compact(values, rows, mask, dense), counts)
  }

  #tally(values: Float64Array, rows: number, counts: Float64Array): Tally {
    // Locals, and one body for everything: a call or a field access per value costs as much as the search.
    const { edges, first, low, scale, before, beyond } = this
    const cells = first.length
    const last = edges.length - 1
    let [nan, positiveInfinity, negativeInfinity] = [0, 0, 0]
    let min = Number.POSITIVE_INFINITY
    let max = Number.NEGATIVE_INFINITY
    for (let row = 0; row < rows; row++) {
      const value = values[row] as number
      const cell = (value - low) * scale
      let bin = 0
      // False for NaN and infinities, too.
      if (cell >= 0 && cell < cells) {
        bin = first[cell | 0] as number
        // Half of all walks are one step long: as an addition, there is no branch to be guessed wrong.
        bin += Number((edges[bin] as number) < value)
        while ((edges[bin] as number) < value) bin++
      } else {
        if (value - value !== 0) {
          if (value > 0) positiveInfinity++
          else if (value < 0) negativeInfinity++
          else nan++
          continue
        }
        // Whoever has tails finds the least and the greatest value in them, without a look at all the others.
        if (value < min) min = value
        if (value > max) max = value
        // Half of all steps of a search are guessed wrong: the fewer edges it is among, the better.
        let to = last
        if (cell < 0) to = before
        else if (cell >= cells) bin = beyond
        while (bin < to) {
          const middle = (bin + to) >> 1
          if ((edges[middle] as number) < value) bin = middle + 1
          else to = middle
        }
      }
      counts[bin] = (counts[bin] as number) + 1
    }
    const hasBothTails = (min - low) * scale < 0 && (max - low) * scale >= cells
    if (!hasBothTails) [min, max] = rangeOf(values, rows)
    return { present: rows, min, max, nan, positiveInfinity, negativeInfinity }
  }
}

/** The least and the greatest of the finite ones; Infinity and -Infinity when there are none. */
function rangeOf(values: Float64Array, rows: number): [number, number] {
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (let row = 0; row < rows; row++) {
    const value = values[row] as number
    // False for NaN by itself, for infinities by the other end.
    if (value < min && value > Number.NEGATIVE_INFINITY) min = value
    if (value > max && value < Number.POSITIVE_INFINITY) max = value
  }
  return [min, max]
}

/** The values of one vector without its nulls; used by one `tally` at a time. */
let dense = new Float64Array(2048)

/** Copies the values that are there to the front of `to`. @returns how many */
function compact(values: Float64Array, rows: number, mask: Uint8Array, to: Float64Array): number {
  let n = 0
  for (let row = 0; row < rows; row += 8) {
    const bits = mask[row >> 3] as number
    const end = Math.min(row + 8, rows)
    // Written always and kept or overwritten: no branch to be guessed wrong.
    for (let i = row; i < end; i++) {
      to[n] = values[i] as number
      n += (bits >> (i - row)) & 1
    }
  }
  return n
}

/**
 * How many edges at each end the grid leaves out: outliers and tails must not stretch its cells to uselessness. The
 * outer 2 %, and always the tail edges, which lie ever wider apart.
 */
const marginOf = (edges: number): number => Math.max(Math.floor(edges / 50), Math.min(TAIL_EDGES, (edges - 2) >> 1), 0)

/** The same for whole numbers beyond 2^53. */
export function bigBin(edges: BigInt64Array, value: bigint): number {
  let from = 0
  let to = edges.length
  while (from < to) {
    const middle = (from + to) >> 1
    if ((edges[middle] as bigint) < value) from = middle + 1
    else to = middle
  }
  return from
}
