/**
 * Differences between groups in what is answered: demographic parity and equalized odds, as Fairlearn defines them
 * (`fairlearn.metrics.demographic_parity_difference`, `equalized_odds_difference` with agg='worst_case'). How large a
 * difference may be is for people to say: there is no default.
 */
import { usage } from '../core/errors.ts'
import { positiveIndex } from './count-metrics.ts'
import { FEWEST_ROWS, fewOfTwo, rowsOf } from './few.ts'
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

/**
 * Largest minus smallest rate over the groups that have one; of equalized odds, the worse of the two rates. NaN where no
 * rate has two groups.
 * @param before rates that are subtracted first: what remains is how far the rates have moved apart
 */
function differenceOf(counts: Float64Array, measure: FairnessMeasure, before?: Float64Array): number {
  const rates = measure === 'demographic_parity' ? [RATES.selection] : [RATES.truePositive, RATES.falsePositive]
  const spreads = rates.flatMap((rate) => {
    let [low, high, groups] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
    for (let cell = 0; cell < counts.length; cell += CELLS) {
      const value = rate(counts, cell) - (before === undefined ? 0 : rate(before, cell))
      if (Number.isNaN(value)) continue
      low = Math.min(low, value)
      high = Math.max(high, value)
      groups++
    }
    return groups < 2 ? [] : [high - low]
  })
  return spreads.length === 0 ? Number.NaN : Math.max(...spreads)
}

const at = (counts: Float64Array, cell: number): number => counts[cell] as number

/** Of the group whose first cell it is; NaN where there is nothing to be a share of. */
const RATES = {
  selection: (counts: Float64Array, cell: number) =>
    (at(counts, cell) + at(counts, cell + 2)) /
    (at(counts, cell) + at(counts, cell + 1) + at(counts, cell + 2) + at(counts, cell + 3)),
  truePositive: (counts: Float64Array, cell: number) => at(counts, cell) / (at(counts, cell) + at(counts, cell + 1)),
  falsePositive: (counts: Float64Array, cell: number) =>
    at(counts, cell + 2) / (at(counts, cell + 2) + at(counts, cell + 3)),
}

function ratesOf(counts: Float64Array, group: number, measure: FairnessMeasure) {
  const cell = CELLS * group
  const positives = at(counts, cell) + at(counts, cell + 1)
  const rows = positives + at(counts, cell + 2) + at(counts, cell + 3)
  const known = (rate: number): number | null => (Number.isNaN(rate) ? null : rate)
  const fewRows = rows < FEWEST_ROWS ? `${rowsOf(rows)}, fewer than ${FEWEST_ROWS}` : null
  return {
    rows,
    selectionRate: RATES.selection(counts, cell),
    truePositiveRate: known(RATES.truePositive(counts, cell)),
    falsePositiveRate: known(RATES.falsePositive(counts, cell)),
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
 * All groups at once: with 95 % confidence no two rates have been moved apart, or together, by more than `reach`, which is
 * what the draws move them apart (the idea of Tukey's range, 1953). So the interval is `reach` around the difference, at
 * least 95 % with more than two groups. Percentiles of the difference itself would never reach 0: between noisy rates there
 * always is one.
 */
function intervalOf({ rows }: HeldOut, { cellOf, counts, measure, difference, seed }: Drawn): Interval {
  const moved = new Float64Array(drawsFor(rows))
  const drawn = new Float64Array(counts.length)
  let used = 0
  resample(rows, moved.length, seed, (weights) => {
    drawn.fill(0)
    for (let row = 0; row < rows; row++) {
      const cell = cellOf[row] as number
      drawn[cell] = (drawn[cell] as number) + (weights[row] as number)
    }
    const value = differenceOf(drawn, measure, counts)
    if (Number.isNaN(value)) return false
    moved[used++] = value
    return true
  })
  const reach = used === 0 ? 1 : quantile(moved.subarray(0, used).sort(), CONFIDENCE)
  return { low: Math.max(0, difference - reach), high: Math.min(1, difference + reach), confidence: CONFIDENCE }
}

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
