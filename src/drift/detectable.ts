/**
 * The smallest shift of a column that reaches a threshold: what a threshold costs. Computed from the baseline's counts
 * alone, without noise: at the threshold about half of such batches fire.
 */
import type { MetricName } from '../project/config.ts'
import { measureColumn } from './measure-column.ts'
import type { CategoricalColumn, ColumnProfile, NumericColumn } from './profile.ts'

export interface Detectable {
  /** `sigma`: every value moves up; `share`: this share of the rows goes from the most frequent category to the next. */
  readonly unit: 'sigma' | 'share'
  /** Null: not even 3 sigma, nor all rows of the most frequent category. */
  readonly value: number | null
}

const MOST_SIGMA = 3

/**
 * One answer for each threshold.
 * @returns undefined where a shift has no meaning: fewer than two values, or no values at all
 */
export function smallestShifts(
  column: ColumnProfile,
  metric: MetricName,
  thresholds: readonly number[],
): Detectable[] | undefined {
  const found =
    column.type === 'numeric' ? numericShift(column) : column.type === 'categorical' ? categoryShift(column) : undefined
  return (
    found &&
    thresholds.map((threshold) => ({
      unit: column.type === 'numeric' ? 'sigma' : 'share',
      value: smallest(column, found.shift, metric, threshold, found.most),
    }))
  )
}

type Shift = (by: number) => ColumnProfile
interface Found {
  readonly shift: Shift
  readonly most: number
}

function smallest(
  column: ColumnProfile,
  shift: Shift,
  metric: MetricName,
  threshold: number,
  most: number,
): number | null {
  const reaches = (by: number) => measureColumn(column, shift(by), metric).effect >= threshold
  if (!reaches(most)) return null
  let [low, high] = [0, most]
  for (let i = 0; i < 12; i++) {
    const middle = (low + high) / 2
    if (reaches(middle)) high = middle
    else low = middle
  }
  return high
}

/**
 * A shift by `by` standard deviations of the ranks' normal scores: F(x) becomes Φ(Φ⁻¹(F(x)) - by), which for a normal
 * column is the shift of its mean by `by` sigma, and which no gap between the values of a discrete one distorts.
 */
function numericShift(column: NumericColumn): Found | undefined {
  const total = column.counts.reduce((sum, count) => sum + count, 0)
  if (column.counts.filter((count) => count > 0).length < 2) return undefined
  let below = 0
  const scores = column.counts.map((count) => {
    below += count
    return scoreOf(below / total)
  })
  const shift: Shift = (by) => {
    let before = 0
    const counts = scores.map((score, bin) => {
      const upTo = bin === scores.length - 1 ? total : total * normalCumulative(score - by)
      const count = upTo - before
      before = upTo
      return Math.max(0, count)
    })
    return { ...column, counts }
  }
  return { shift, most: MOST_SIGMA }
}

/** Φ⁻¹: Abramowitz and Stegun 26.2.23, made exact by two of Newton's steps. */
function scoreOf(share: number): number {
  if (share <= 0) return Number.NEGATIVE_INFINITY
  if (share >= 1) return Number.POSITIVE_INFINITY
  const t = Math.sqrt(-2 * Math.log(Math.min(share, 1 - share)))
  const start = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
  let z = share < 0.5 ? -start : start
  for (let i = 0; i < 2; i++) z -= (normalCumulative(z) - share) / density(z)
  return z
}

const density = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)

/** Φ: Abramowitz and Stegun 26.2.17, to 7.5e-8: far finer than what is read off it. */
function normalCumulative(z: number): number {
  if (!Number.isFinite(z)) return z < 0 ? 0 : 1
  const t = 1 / (1 + 0.2316419 * Math.abs(z))
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  const tail = density(z) * series
  return z < 0 ? tail : 1 - tail
}

function categoryShift(column: CategoricalColumn): Found | undefined {
  const total = column.counts.reduce((sum, count) => sum + count, column.other + column.missing)
  const order = column.counts.map((count, index) => ({ count, index })).sort((a, b) => b.count - a.count)
  const [first, second] = order
  if (first === undefined || second === undefined || second.count === 0) return undefined
  const shift: Shift = (by) => {
    const moved = Math.min(first.count, by * total)
    const counts = [...column.counts]
    counts[first.index] = first.count - moved
    counts[second.index] = second.count + moved
    return { ...column, counts }
  }
  return { shift, most: first.count / total }
}
