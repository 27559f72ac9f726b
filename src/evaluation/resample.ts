/**
 * The bootstrap: rows drawn with repetition, by a generator that gives the same draws on every machine, and the interval
 * of what is computed from them. What is computed is in the files of the metrics.
 *
 * Interval: percentile (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). Why not BCa is in
 * docs/evaluation.md.
 */
import { sha256 } from '../core/digest.ts'
import type { Interval } from './types.ts'

/** How often each row was drawn. */
export type Weights = Uint8Array | Float64Array

export const CONFIDENCE = 0.95
/** Up to this many rows. */
const DRAWS = 2_000
/** Beyond, so that a gate over millions of rows does not take minutes; the ends of the interval are a little noisier. */
const FEWEST_DRAWS = 400
const ROWS_DRAWN = 4e8

export const drawsFor = (rows: number): number =>
  Math.min(DRAWS, Math.max(FEWEST_DRAWS, Math.floor(ROWS_DRAWN / Math.max(1, rows))))

/** A seed that follows from what is compared alone: the same on a laptop and in CI. */
export function seedOf(...parts: readonly (string | Float64Array)[]): number {
  const bytes = parts.map((part) =>
    typeof part === 'string' ? Buffer.from(`${part}\0`) : Buffer.from(part.buffer, part.byteOffset, part.byteLength),
  )
  return Number.parseInt(sha256(Buffer.concat(bytes)).slice(0, 8), 16)
}

/**
 * Draws `rows` rows of `rows`, `draws` times. `take` says whether it could use the draw: one of a single class has no
 * area, and another is drawn in its place.
 * @returns how many were used; fewer than `draws` where hardly any can be
 */
export function resample(rows: number, draws: number, seed: number, take: (weights: Uint8Array) => boolean): number {
  const weights = new Uint8Array(rows)
  const fill = drawer(weights, seed)
  let used = 0
  for (let tries = 0; used < draws && tries < 2 * draws; tries++) {
    fill()
    if (take(weights)) used++
  }
  return used
}

/**
 * xoshiro128** (Blackman and Vigna 2021), seeded by splitmix32; its state stays in local variables for a whole draw, which
 * halves the time. A row that is drawn more than 255 times would begin again at 0: with Poisson(1) counts that has a chance
 * below 1e-500.
 */
function drawer(weights: Uint8Array, seed: number): () => void {
  const rows = weights.length
  const scale = rows / 2 ** 32
  const state = Int32Array.from([1, 2, 3, 4], (i) => splitmix(seed + Math.imul(i, 0x9e3779b9)))
  return () => {
    weights.fill(0)
    let [a, b, c, d] = state as unknown as [number, number, number, number]
    for (let i = 0; i < rows; i++) {
      const five = Math.imul(b, 5)
      const word = Math.imul((five << 7) | (five >>> 25), 9) >>> 0
      const row = (word * scale) | 0
      weights[row] = (weights[row] as number) + 1
      const shifted = b << 9
      c ^= a
      d ^= b
      b ^= c
      a ^= d
      c ^= shifted
      d = (d << 11) | (d >>> 21)
    }
    state.set([a, b, c, d])
  }
}

function splitmix(state: number): number {
  let z = state | 0
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
  return z ^ (z >>> 15)
}

/** Between the quantiles that leave out the same share on both sides. @param values in any order; sorted here */
export function percentileInterval(values: Float64Array, confidence: number = CONFIDENCE): Interval {
  values.sort()
  const tail = (1 - confidence) / 2
  return { low: quantile(values, tail), high: quantile(values, 1 - tail), confidence }
}

/** Linear between neighbours, as numpy.quantile. @param sorted not empty */
export function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1)
  const below = Math.floor(place)
  const low = sorted[below] ?? Number.NaN
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? low
  return low + (place - below) * (high - low)
}
