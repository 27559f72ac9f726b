/**
 * Which bin a value falls into: the hot loop of counting. A uniform grid over the middle of the edges leaves one or two
 * of them to look at: about 7 ns per value for 1,000 edges. Nothing here knows of columns or files.
 */

const CELLS = 16_384
/** Cells with more edges than this are searched by halving. */
const FEW = 4

/** What `tally` found besides the bins it counted into. */
export interface Tally {
  /** Of the finite values; Infinity and -Infinity when there were none. */
  readonly min: number
  readonly max: number
  /** Positions of NaN and infinities, which have no bin. */
  readonly special: readonly number[]
}

/** Bin k holds edges[k-1] < x <= edges[k]. */
export class Binner {
  private readonly edges: Float64Array
  /** First edge that can be the answer for a value in the cell; one entry more than cells. */
  private readonly first: Int32Array
  private readonly low: number
  private readonly scale: number

  /** @param edges ascending */
  constructor(edges: Float64Array) {
    this.edges = edges
    // The grid spans the middle 96 % of the edges: outliers and tails must not stretch its cells to uselessness.
    const margin = Math.floor(edges.length / 50)
    this.low = edges[margin] ?? 0
    const high = edges[edges.length - 1 - margin] ?? 0
    const scale = CELLS / (high - this.low)
    this.scale = Number.isFinite(scale) ? scale : 0
    this.first = new Int32Array(CELLS + 1)
    let edge = 0
    for (let cell = 0; cell <= CELLS; cell++) {
      // The same arithmetic as in `tally`, so that rounding cannot put an edge and a value into different cells.
      while (edge < edges.length && ((edges[edge] as number) - this.low) * this.scale < cell) edge++
      this.first[cell] = edge
    }
  }

  /** The bin of one finite value. */
  of(value: number): number {
    const counts = new Float64Array(this.edges.length + 1)
    this.tally([value], 1, undefined, counts)
    return counts.indexOf(1)
  }

  /**
   * Adds the finite ones of `rows` values to `counts`.
   * @param valid which rows have a value; undefined when all have
   */
  tally(
    values: ArrayLike<number>,
    rows: number,
    valid: ((row: number) => boolean) | undefined,
    counts: Float64Array,
  ): Tally {
    // Locals, and one body for everything: a call or a field access per value costs as much as the search.
    const { edges, first, low, scale } = this
    const last = edges.length
    const special: number[] = []
    let min = Number.POSITIVE_INFINITY
    let max = Number.NEGATIVE_INFINITY
    for (let row = 0; row < rows; row++) {
      if (valid !== undefined && !valid(row)) continue
      const value = values[row] as number
      if (value - value !== 0) {
        special.push(row)
        continue
      }
      const cell = (value - low) * scale
      let from = 0
      let to = last
      if (cell >= 0 && cell < CELLS) {
        const index = cell | 0
        from = first[index] as number
        to = first[index + 1] as number
        if (to - from <= FEW) {
          while ((edges[from] as number) < value) from++
          to = from
        }
      }
      while (from < to) {
        const middle = (from + to) >> 1
        if ((edges[middle] as number) < value) from = middle + 1
        else to = middle
      }
      counts[from] = (counts[from] as number) + 1
      if (value < min) min = value
      if (value > max) max = value
    }
    return { min, max, special }
  }
}

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
