/**
 * Differences between groups in what is answered: demographic parity and equalized odds, as Fairlearn defines them
 * (`fairlearn.metrics.demographic_parity_difference`, `equalized_odds_difference` with agg='worst_case'). How large a
 * difference may be is for people to say: there is no default.
 */
import { usage } from '../core/errors.ts'
import { chiSquareTail, normalQuantile } from '../core/special.ts'
import { positiveIndex } from './count-metrics.ts'
import { FEWEST_ROWS, fewOfTwo } from './few.ts'
import { CONFIDENCE, drawsFor, quantile, resample, seedOf } from './resample.ts'
import { groupsOf } from './slices.ts'
import type { FairnessResult, HeldOut, Interval } from './types.ts'

export type FairnessMeasure = FairnessResult['measure']

/** Cells of a group: positive and answered so, positive and not, negative and answered positive, negative and not. */
const CELLS = 4

/** @throws usage `FAIRNESS_TASK`, `FAIRNESS_GROUPS`, `SLICE_COLUMN` */
export function fairnessOf(heldOut: HeldOut, by: string, measure: FairnessMeasure): FairnessResult {
  if (heldOut.task !== 'binary') {
    throw usage({
      code: 'FAIRNESS_TASK',
      message: `Differences between groups are defined for two classes; these test predictions are of a ${heldOut.task}.`,
    })
  }
  const found = groupsOf(heldOut, by)
  const cellOf = cellsOf(heldOut, found)
  const counts = new Float64Array(CELLS * found.length)
  for (const cell of cellOf) counts[cell] = (counts[cell] as number) + 1
  const difference = differenceOf(counts, measure)
  if (Number.isNaN(difference)) {
    throw usage({
      code: 'FAIRNESS_GROUPS',
      message: `${by} does not have two groups to compare${measure === 'equalized_odds' ? ' with positive and negative rows' : ''}.`,
    })
  }
  const groups = found.map(({ value }, group) => ({ value, ...ratesOf(counts, group, measure) }))
  const interval = intervalOf(heldOut, {
    cellOf,
    counts,
    measure,
    difference,
    seed: seedOf(measure, by, heldOut.truth),
  })
  return { by, measure, difference, interval, groups, notes: notesOf(groups, measure) }
}

function cellsOf(heldOut: HeldOut, groups: ReturnType<typeof groupsOf>): Int32Array {
  const positive = positiveIndex(heldOut)
  const cellOf = new Int32Array(heldOut.rows)
  groups.forEach(({ rows }, group) => {
    for (const row of rows) {
      const isFalse = heldOut.truth[row] === positive ? 0 : 2
      cellOf[row] = CELLS * group + isFalse + (heldOut.answer[row] === positive ? 0 : 1)
    }
  })
  return cellOf
}

/** Largest minus smallest rate over the groups that have one; of equalized odds, the worse of the two rates. */
function differenceOf(counts: Float64Array, measure: FairnessMeasure): number {
  const spread = (rate: (group: number) => number): number => {
    let [low, high, groups] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
    for (let group = 0; group < counts.length / CELLS; group++) {
      const value = rate(group)
      if (Number.isNaN(value)) continue
      low = Math.min(low, value)
      high = Math.max(high, value)
      groups++
    }
    return groups < 2 ? Number.NaN : high - low
  }
  if (measure === 'demographic_parity') return spread((group) => rates(counts, group).selection)
  const [truePositive, falsePositive] = [
    spread((group) => rates(counts, group).truePositive),
    spread((group) => rates(counts, group).falsePositive),
  ]
  if (Number.isNaN(truePositive)) return falsePositive
  return Number.isNaN(falsePositive) ? truePositive : Math.max(truePositive, falsePositive)
}

/** NaN where nothing can be a share. */
function rates(counts: Float64Array, group: number) {
  const [hit = 0, missed = 0, alarm = 0, quiet = 0] = counts.subarray(CELLS * group, CELLS * (group + 1))
  return {
    rows: hit + missed + alarm + quiet,
    positives: hit + missed,
    selection: (hit + alarm) / (hit + missed + alarm + quiet),
    truePositive: hit / (hit + missed),
    falsePositive: alarm / (alarm + quiet),
  }
}

function ratesOf(counts: Float64Array, group: number, measure: FairnessMeasure) {
  const { rows, positives, selection, truePositive, falsePositive } = rates(counts, group)
  const known = (rate: number): number | null => (Number.isNaN(rate) ? null : rate)
  const fewRows = rows < FEWEST_ROWS ? `${rows} rows, fewer than ${FEWEST_ROWS}` : null
  return {
    rows,
    selectionRate: selection,
    truePositiveRate: known(truePositive),
    falsePositiveRate: known(falsePositive),
    few: fewRows ?? (measure === 'equalized_odds' ? fewOfTwo(positives, rows - positives) : null),
  }
}

interface Drawn {
  readonly cellOf: Int32Array
  readonly counts: Float64Array
  readonly measure: FairnessMeasure
  readonly difference: number
  readonly seed: number
}

/**
 * Bias-corrected percentile interval (Efron 1981, Canadian Journal of Statistics 9, 139): the largest difference of noisy
 * rates is larger than that of the rates, in every draw once more, and the plain percentiles would lie too high.
 */
function intervalOf({ rows }: HeldOut, { cellOf, counts, measure, difference, seed }: Drawn): Interval {
  const values = new Float64Array(drawsFor(rows))
  const drawn = new Float64Array(counts.length)
  let used = 0
  resample(rows, values.length, seed, (weights) => {
    drawn.fill(0)
    for (let row = 0; row < rows; row++) {
      const cell = cellOf[row] as number
      drawn[cell] = (drawn[cell] as number) + (weights[row] as number)
    }
    const value = differenceOf(drawn, measure)
    if (Number.isNaN(value)) return false
    values[used++] = value
    return true
  })
  const sorted = values.subarray(0, used).sort()
  const below = sorted.reduce((sum, value) => sum + (value < difference ? 1 : value === difference ? 0.5 : 0), 0) / used
  const bias = normalPlace(Math.min(1 - 0.5 / used, Math.max(0.5 / used, below)))
  const z = normalQuantile((1 - CONFIDENCE) / 2)
  const share = (place: number): number => {
    const tail = chiSquareTail(place * place, 1) / 2
    return place < 0 ? tail : 1 - tail
  }
  return {
    low: quantile(sorted, share(2 * bias - z)),
    high: quantile(sorted, share(2 * bias + z)),
    confidence: CONFIDENCE,
  }
}

/** The z below which a share of the normal distribution lies. */
const normalPlace = (share: number): number => (share < 0.5 ? -normalQuantile(share) : normalQuantile(1 - share))

function notesOf(groups: FairnessResult['groups'], measure: FairnessMeasure): string[] {
  const name = (value: string | null): string => (value === null ? 'the missing value' : JSON.stringify(value))
  const small = groups.flatMap(({ value, few }) => (few === null ? [] : [`${name(value)} has ${few}`]))
  if (measure === 'demographic_parity') return small
  const lacking = groups.flatMap(({ value, truePositiveRate, falsePositiveRate }) =>
    truePositiveRate === null || falsePositiveRate === null
      ? [`${name(value)} has no ${truePositiveRate === null ? 'positive' : 'negative'} rows: its rate is left out`]
      : [],
  )
  return [...small, ...lacking]
}
