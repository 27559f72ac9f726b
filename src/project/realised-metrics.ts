/**
 * The metrics that joined labels can give (`src/predictions/quality.ts`), which way each is better, and what else they
 * are called: what a policy's trigger of type metric may name. Nothing is computed here.
 */

/** `higher`: more is better. */
export type MetricDirection = 'higher' | 'lower'

export const REALISED_METRICS: Readonly<Record<string, MetricDirection>> = {
  accuracy: 'higher',
  precision: 'higher',
  recall: 'higher',
  f1: 'higher',
  auc: 'higher',
  log_loss: 'lower',
  precision_macro: 'higher',
  recall_macro: 'higher',
  f1_macro: 'higher',
  mae: 'lower',
  rmse: 'lower',
  r2: 'higher',
}

const OTHER_NAMES: Readonly<Record<string, string>> = {
  acc: 'accuracy',
  roc_auc: 'auc',
  auroc: 'auc',
  rocauc: 'auc',
  logloss: 'log_loss',
  f1_score: 'f1',
  r2_score: 'r2',
  mean_absolute_error: 'mae',
  root_mean_squared_error: 'rmse',
}

/** @returns the name that realised metrics have, or undefined for one that labels do not give */
export function realisedMetric(name: string): string | undefined {
  const lower = name.toLowerCase()
  const known = Object.hasOwn(OTHER_NAMES, lower) ? (OTHER_NAMES[lower] ?? lower) : lower
  return Object.hasOwn(REALISED_METRICS, known) ? known : undefined
}

/** Whether a value is on the wrong side of a bound; one that is exactly at it is not. */
export const isWorse = (direction: MetricDirection, value: number, bound: number): boolean =>
  direction === 'higher' ? value < bound : value > bound
