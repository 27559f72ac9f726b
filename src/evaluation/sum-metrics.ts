/**
 * Metrics that are formulas of sums over rows, so that a draw of the bootstrap only adds. Formulas: `sklearn.metrics` 1.7
 * log_loss, brier_score_loss, mean_absolute_error, root_mean_squared_error, r2_score.
 */
import { SCORE_FLOOR } from '../core/classes.ts'
import { positiveIndex } from './count-metrics.ts'
import type { Weights } from './resample.ts'
import type { HeldOut } from './types.ts'

export interface SumFormula {
  /** What each row adds, one array per sum. */
  readonly terms: (heldOut: HeldOut) => readonly Float64Array[]
  /** NaN where it is not defined. */
  readonly value: (sums: readonly number[], rows: number) => number
}

const mean: SumFormula['value'] = ([sum = 0], rows) => sum / rows

function perRow({ rows }: HeldOut, value: (row: number) => number): Float64Array {
  const values = new Float64Array(rows)
  for (let row = 0; row < rows; row++) values[row] = value(row)
  return values
}

/** The answer minus the truth. */
const missBy = ({ answer, truth }: HeldOut, row: number): number => (answer[row] as number) - (truth[row] as number)
const squared = (heldOut: HeldOut): Float64Array => perRow(heldOut, (row) => missBy(heldOut, row) ** 2)

/** The probability that was given to what came true. */
function givenToTruth(heldOut: HeldOut): (row: number) => number {
  const positive = positiveIndex(heldOut)
  const { truth, score } = heldOut
  return (row) => {
    const value = score === null ? Number.NaN : (score[row] as number)
    return truth[row] === positive ? value : 1 - value
  }
}

export const SUM_METRICS: Readonly<Record<string, SumFormula>> = {
  log_loss: {
    terms: (heldOut) => {
      const given = givenToTruth(heldOut)
      return [perRow(heldOut, (row) => -Math.log(Math.max(SCORE_FLOOR, Math.min(1 - SCORE_FLOOR, given(row)))))]
    },
    value: mean,
  },
  brier: {
    terms: (heldOut) => {
      const given = givenToTruth(heldOut)
      return [perRow(heldOut, (row) => (1 - given(row)) ** 2)]
    },
    value: mean,
  },
  mae: { terms: (heldOut) => [perRow(heldOut, (row) => Math.abs(missBy(heldOut, row)))], value: mean },
  rmse: { terms: (heldOut) => [squared(heldOut)], value: (sums, rows) => Math.sqrt(mean(sums, rows)) },
  r2: {
    terms: (heldOut) => {
      // About the mean of all rows, so that no digits are lost where a quantity is far from zero.
      const middle = total(heldOut.truth) / heldOut.rows
      const apart = perRow(heldOut, (row) => (heldOut.truth[row] as number) - middle)
      return [squared(heldOut), apart, apart.map((value) => value * value)]
    },
    value: ([residual = 0, first = 0, second = 0], rows) => {
      const spread = second - (first * first) / rows
      return spread > 0 ? 1 - residual / spread : Number.NaN
    },
  },
}

/** The metric of all rows, each once. */
export const sumsOf = (heldOut: HeldOut, { terms, value }: SumFormula): number =>
  value(terms(heldOut).map(total), heldOut.rows)

/** The metric of any draw. */
export function weightedSums(heldOut: HeldOut, { terms, value }: SumFormula): (weights: Weights) => number {
  const all = terms(heldOut)
  return (weights) =>
    value(
      all.map((term) => dot(term, weights)),
      heldOut.rows,
    )
}

function dot(values: Float64Array, weights: Weights): number {
  let sum = 0
  for (let row = 0; row < values.length; row++) sum += (values[row] as number) * (weights[row] as number)
  return sum
}

/** Neumaier's compensated sum (1974): the same to the last digits whatever the order of the rows. */
function total(values: Float64Array): number {
  let sum = 0
  let lost = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number
    const next = sum + value
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum
    sum = next
  }
  return sum + lost
}
