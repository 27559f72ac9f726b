/**
 * The metrics that joined labels can give (`src/predictions/quality.ts`) and what else they are called: what a policy's
 * trigger of type metric may name. Which way one is better is in `src/evaluation/metrics.ts`.
 */

export const REALISED_METRICS: readonly string[] = [
  'accuracy',
  'precision',
  'recall',
  'f1',
  'auc',
  'log_loss',
  'precision_macro',
  'recall_macro',
  'f1_macro',
  'mae',
  'rmse',
  'r2',
]

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
  return REALISED_METRICS.includes(known) ? known : undefined
}
