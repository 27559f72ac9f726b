/**
 * The difference of two areas under the ROC curve on the same rows, without draws.
 *
 * DeLong, DeLong and Clarke-Pearson, Comparing the Areas under Two or More Correlated Receiver Operating Characteristic
 * Curves (Biometrics 44, 1988, 837): the variance from the placements of each positive among the negatives and the other
 * way round. Placements from ranks, in the time of a sort: Sun and Xu (IEEE Signal Processing Letters 21, 2014, 1389).
 */
import { chiSquareTail, normalQuantile } from '../core/special.ts'
import { positivesOf } from './area.ts'
import { levelsOf } from './levels.ts'
import { CONFIDENCE } from './resample.ts'
import type { HeldOut, SecondMethod } from './types.ts'

export interface DeLong {
  readonly challenger: number
  readonly champion: number
  /** Of the difference of the areas. */
  readonly variance: number
}

/** @returns null without two rows of each class, or without scores */
export function deLong(challenger: HeldOut, champion: HeldOut): DeLong | null {
  if (challenger.score === null || champion.score === null) return null
  const marks = positivesOf(challenger)
  const positives = marks.reduce((sum, mark) => sum + mark, 0)
  const negatives = marks.length - positives
  if (positives < 2 || negatives < 2) return null
  const sizes = { positives, negatives }
  const [one, other] = [placements(challenger.score, marks, sizes), placements(champion.score, marks, sizes)]
  const difference = one.map((value, row) => value - (other[row] as number))
  const of = (values: Float64Array, mark: number) => moments(values, marks, mark)
  return {
    challenger: of(one, 1).mean,
    champion: of(other, 1).mean,
    variance: of(difference, 1).variance / positives + of(difference, 0).variance / negatives,
  }
}

/** Of a positive row: the share of negatives that score less; of a negative one: of positives that score more. Ties half. */
function placements(
  score: Float64Array,
  marks: Uint8Array,
  { positives, negatives }: { positives: number; negatives: number },
): Float64Array {
  const { of, count } = levelsOf(score)
  const counts = [new Float64Array(count), new Float64Array(count)] as const
  for (let row = 0; row < score.length; row++) {
    const side = counts[marks[row] === 1 ? 1 : 0]
    const level = of[row] as number
    side[level] = (side[level] as number) + 1
  }
  // Rows of each class up to the middle of each level.
  const [below, beneath] = counts.map((side) => {
    let sum = 0
    return side.map((here) => {
      sum += here
      return sum - here / 2
    })
  }) as [Float64Array, Float64Array]
  const placed = new Float64Array(score.length)
  for (let row = 0; row < score.length; row++) {
    const level = of[row] as number
    placed[row] = marks[row] === 1 ? (below[level] as number) / negatives : 1 - (beneath[level] as number) / positives
  }
  return placed
}

/** Mean and variance (n - 1) of the rows of one class. */
function moments(values: Float64Array, marks: Uint8Array, mark: number): { mean: number; variance: number } {
  let count = 0
  let sum = 0
  for (let row = 0; row < values.length; row++) {
    if (marks[row] !== mark) continue
    sum += values[row] as number
    count++
  }
  const mean = sum / count
  let squares = 0
  for (let row = 0; row < values.length; row++) {
    if (marks[row] === mark) squares += ((values[row] as number) - mean) ** 2
  }
  return { mean, variance: squares / (count - 1) }
}

/** The same as a second opinion beside the bootstrap. */
export function deLongMethod(challenger: HeldOut, champion: HeldOut): SecondMethod | null {
  const found = deLong(challenger, champion)
  if (found === null) return null
  const gain = found.challenger - found.champion
  const deviation = Math.sqrt(found.variance)
  const reach = normalQuantile((1 - CONFIDENCE) / 2) * deviation
  // Without any spread a difference of 0 is certain, and so is any other.
  const p = gain === 0 ? 1 : deviation === 0 ? 0 : chiSquareTail((gain / deviation) ** 2, 1)
  return { method: 'DeLong', gain, interval: { low: gain - reach, high: gain + reach, confidence: CONFIDENCE }, p }
}
