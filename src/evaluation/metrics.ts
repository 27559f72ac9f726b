/**
 * The metrics of held-out rows under the names that gates use (`core/metric-names.ts`). The formulas stand in
 * `count-metrics.ts`, `sum-metrics.ts` and `area.ts`.
 */
import { knownName } from '../core/metric-names.ts'
import { areaOf, weightedArea } from './area.ts'
import { COUNT_METRICS, countsOf, positiveIndex, weightedCounts } from './count-metrics.ts'
import type { Weights } from './resample.ts'
import { SUM_METRICS, sumsOf, weightedSums } from './sum-metrics.ts'
import type { HeldOut } from './types.ts'

/** What can be asked of rows of this task; some may still be undefined on these very rows. */
export function metricNames({ task, score }: HeldOut): readonly string[] {
  if (task === 'regression') return ['mae', 'rmse', 'r2']
  if (task === 'multiclass') return ['accuracy', 'precision_macro', 'recall_macro', 'f1_macro']
  // Log loss and Brier score are of probabilities; the area takes any score.
  const isProbability = score?.every((value) => value >= 0 && value <= 1) ?? false
  return [
    ...['accuracy', 'precision', 'recall', 'f1'],
    ...(score === null ? [] : ['auc']),
    ...(isProbability ? ['log_loss', 'brier'] : []),
  ]
}

/** All metrics that the rows allow, finite: without scores no `auc`, of rows of one class neither. */
export function metricsOf(heldOut: HeldOut): Readonly<Record<string, number>> {
  const found = metricNames(heldOut).map((name) => [name, metricOf(heldOut, name)] as const)
  return Object.fromEntries(found.filter((entry): entry is [string, number] => entry[1] !== undefined))
}

/** One of them, also by another name for it; undefined where the rows do not allow it. */
export function metricOf(heldOut: HeldOut, metric: string): number | undefined {
  const name = knownName(metric)
  if (heldOut.rows === 0 || !metricNames(heldOut).includes(name)) return undefined
  const value = exactly(heldOut, name)
  return Number.isFinite(value) ? value : undefined
}

const OF_TWO_CLASSES = ['accuracy', 'precision', 'recall', 'f1', 'auc', 'log_loss', 'brier']

/**
 * Why a metric of two classes does not follow from rows whose truth has two classes at most, though it should: a recorded figure
 * of that name cannot be of these rows. Undefined where it follows, where no such metric is meant, where the truth has more
 * classes or is a quantity, and of answers without a score, which say nothing of `auc`.
 */
export function whyNotMeasured(heldOut: HeldOut, metric: string): string | undefined {
  const name = knownName(metric)
  if (!OF_TWO_CLASSES.includes(name) || metricOf(heldOut, name) !== undefined) return undefined
  const { task, truth, answer, score, classes } = heldOut
  if (hasMoreThanTwo(truth)) return undefined
  if (task === 'regression') return 'what came true has two values, and the answers read as numbers to be hit'
  if (task === 'multiclass') {
    const said = [...new Set(answer)].filter((code) => !truth.includes(code)).map((code) => classes[code])
    const others = said.slice(0, 3).map((word) => JSON.stringify(word))
    return `what came true has two classes, and with the answers there are ${classes.length}: ${others.join(', ')} never came true`
  }
  const needsScore = name === 'auc' || name === 'log_loss' || name === 'brier'
  if (needsScore && score === null) return undefined
  return metricNames(heldOut).includes(name)
    ? `${metric} is not defined on these rows: all of them are of one class`
    : 'its scores are not all between 0 and 1'
}

function hasMoreThanTwo(values: Float64Array): boolean {
  const first = values[0]
  const second = values.find((value) => value !== first)
  return values.some((value) => value !== first && value !== second)
}

function exactly(heldOut: HeldOut, name: string): number {
  const counts = COUNT_METRICS[name]
  const once = () => new Uint8Array(heldOut.rows).fill(1)
  if (counts !== undefined) return counts(countsOf(heldOut, once()), positiveIndex(heldOut))
  const sums = SUM_METRICS[name]
  return sums === undefined ? areaOf(heldOut) : sumsOf(heldOut, sums)
}

/** The metric as a function of how often each row was drawn. @param name one of `metricNames` */
export function weightedMetric(heldOut: HeldOut, name: string): (weights: Weights) => number {
  const counts = COUNT_METRICS[name]
  if (counts !== undefined) return weightedCounts(heldOut, counts)
  const sums = SUM_METRICS[name]
  return sums === undefined ? weightedArea(heldOut) : weightedSums(heldOut, sums)
}
