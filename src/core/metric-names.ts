/**
 * Metrics by name: what the same figure is called elsewhere, and which way each counts. Computing one is in
 * `src/evaluation/` (held-out rows) and `src/predictions/quality.ts` (labels that arrived).
 */

const LOWER = /(?:^|_)(?:log_?loss|loss|brier|brier_score|mae|mse|rmse|mape|smape|error|deviance|ece)$/

/** Which way a metric counts; an unknown name counts downwards if it ends as losses and errors do. */
export const betterOf = (metric: string): 'higher' | 'lower' => (LOWER.test(metric.toLowerCase()) ? 'lower' : 'higher')

/** Names under which people record the same figure. */
const ALIASES = new Map([
  ['acc', 'accuracy'],
  ['auc_roc', 'auc'],
  ['auroc', 'auc'],
  ['roc_auc', 'auc'],
  ['roc_auc_score', 'auc'],
  ['rocauc', 'auc'],
  ['brier_score', 'brier'],
  ['f1_score', 'f1'],
  ['logloss', 'log_loss'],
  ['mean_absolute_error', 'mae'],
  ['r2_score', 'r2'],
  ['root_mean_squared_error', 'rmse'],
])

/** The name used here for a metric as somebody recorded it: `auc` for `roc_auc`. */
export const knownName = (metric: string): string => ALIASES.get(metric.toLowerCase()) ?? metric.toLowerCase()
