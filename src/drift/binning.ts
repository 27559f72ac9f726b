/**
 * Which bin a value falls into: the hot loop of counting. Binary search narrowed by a uniform grid over the middle of
 * the edges, about 7 ns per value for 1,000 edges. Nothing here knows of columns or files.
 */

const CELLS = 4_096

/** Bin k holds edges[k-1] < x <= edges[k]; values must not be NaN. */
export class Binner {
  readonly #edges: Float64Array
  /** First edge that can be the answer for a value in the cell; one entry more than cells. */
  readonly #first: Int32Array
  readonly #low: number
  readonly #scale: number

  /** @param edges ascending */
  constructor(edges: Float64Array) {
    this.#edges = edges
    // The grid spans the middle 98 % of the edges: one outlier must not stretch its cells to uselessness.
    const margin = Math.floor(edges.length / 100)
    const low = edges[margin] ?? 0
    const high = edges[edges.length - 1 - margin] ?? 0
    this.#low = low
    const scale = CELLS / (high - low)
    this.#scale = Number.isFinite(scale) ? scale : 0
    this.#first = new Int32Array(CELLS + 1)
    let edge = 0
    for (let cell = 0; cell <= CELLS; cell++) {
      // The same arithmetic as in `of`, so that rounding cannot put an edge and a value into different cells.
      while (edge < edges.length && this.#cell(edges[edge] as number) < cell) edge++
      this.#first[cell] = edge
    }
  }

  #cell(value: number): number {
    return (value - this.#low) * this.#scale
  }

  of(value: number): number {
    const edges = this.#edges
    const cell = (value - this.#low) * this.#scale
    let from = 0
    let to = edges.length
    if (cell >= 0 && cell < CELLS) {
      const index = cell | 0
      from = this.#first[index] as number
      to = this.#first[index + 1] as number
    }
    while (from < to) {
      const middle = (from + to) >> 1
      if ((edges[middle] as number) < value) from = middle + 1
      else to = middle
    }
    return from
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
