/**
 * The area under the ROC curve: the chance that a positive row scores above a negative one, ties counted half (Mann and
 * Whitney 1947; `sklearn.metrics.roc_auc_score`), of all rows and of rows drawn with repetition.
 */
import { positiveIndex } from './count-metrics.ts'
import { type Levels, levelsOf, orderBy } from './levels.ts'
import type { Weights } from './resample.ts'
import type { HeldOut } from './types.ts'

/** Which rows are positive, as 0 and 1. */
export function positivesOf(heldOut: HeldOut): Uint8Array {
  const positive = positiveIndex(heldOut)
  const marks = new Uint8Array(heldOut.rows)
  for (let row = 0; row < heldOut.rows; row++) marks[row] = heldOut.truth[row] === positive ? 1 : 0
  return marks
}

/** NaN without a score or of one class. */
export function areaOf(heldOut: HeldOut): number {
  return heldOut.score === null ? Number.NaN : weightedArea(heldOut)(new Uint8Array(heldOut.rows).fill(1))
}

/**
 * The area of any draw, in one pass over the rows: they are put in order once, negative before positive rows of the same
 * score, and a draw only weighs them.
 */
export function weightedArea(heldOut: HeldOut): (weights: Weights) => number {
  const levels = levelsOf(heldOut.score ?? new Float64Array(heldOut.rows))
  const marks = positivesOf(heldOut)
  const keys = new Int32Array(heldOut.rows)
  for (let row = 0; row < keys.length; row++) keys[row] = 2 * (levels.of[row] as number) + (marks[row] as number)
  const order = orderBy(keys, 2 * levels.count)
  const mixed = mixedLevels(keys, levels)
  // The mark travels in the lowest bit: one look-up fewer for each row of each draw.
  const coded = order.map((row) => 2 * row + (marks[row] as number))
  return (weights) => {
    let below = 0
    let positives = 0
    let pairs = 0
    for (let k = 0; k < coded.length; k++) {
      const code = coded[k] as number
      const weight = weights[code >>> 1] as number
      const positive = weight * (code & 1)
      pairs += positive * below
      positives += positive
      below += weight - positive
    }
    return (pairs - tiedPairs(mixed, order, weights) / 2) / (positives * below)
  }
}

/** Levels that hold rows of both classes, as places in the order: negatives in [from, middle), positives in [middle, to). */
type Mixed = readonly { readonly from: number; readonly middle: number; readonly to: number }[]

function mixedLevels(keys: Int32Array, { count }: Levels): Mixed {
  const sizes = new Int32Array(2 * count)
  for (let row = 0; row < keys.length; row++) sizes[keys[row] as number] = (sizes[keys[row] as number] ?? 0) + 1
  const found: { from: number; middle: number; to: number }[] = []
  let from = 0
  for (let level = 0; level < count; level++) {
    const [negatives = 0, positives = 0] = sizes.subarray(2 * level, 2 * level + 2)
    if (negatives > 0 && positives > 0) found.push({ from, middle: from + negatives, to: from + negatives + positives })
    from += negatives + positives
  }
  return found
}

function tiedPairs(mixed: Mixed, order: Int32Array, weights: Weights): number {
  let pairs = 0
  for (const { from, middle, to } of mixed) {
    let negatives = 0
    for (let k = from; k < middle; k++) negatives += weights[order[k] as number] as number
    if (negatives === 0) continue
    let positives = 0
    for (let k = middle; k < to; k++) positives += weights[order[k] as number] as number
    pairs += negatives * positives
  }
  return pairs
}
