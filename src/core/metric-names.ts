/**
 * Metrics by name: what the same figure is called elsewhere, which way each counts, and what it can be. Computing one is in
 * `src/evaluation/` (held-out rows) and `src/predictions/quality.ts` (labels that arrived).
 */

const LOWER = /(?:^|[_/. -])(?:log_?loss|loss|brier|brier_score|mae|mse|rmse|mape|smape|error|deviance|ece)$/

/** Which way a metric counts; an unknown name counts downwards if it ends as losses and errors do. */
export const betterOf = (metric: string): 'higher' | 'lower' => (LOWER.test(metric.toLowerCase()) ? 'lower' : 'higher')

/** What a run took: less of it is better, though no gate would say so. */
const COST = /(?:^|[_/. -])(?:seconds|secs?|minutes|hours|duration|elapsed|latency|time|ms|perplexity)$/
/** Counts and settings that people log beside their metrics. */
const NEITHER =
  /^(?:n|num)_|(?:^|[_/. -])(?:epochs?|steps?|iterations?|rounds?|folds?|seed|rows|samples|examples|support|counts?|size|threshold|cutoff|lr|learning_rate|n)$/

/** Which way a metric counts for a person who compares; undefined where more is neither better nor worse. */
export function directionOf(metric: string): 'higher' | 'lower' | undefined {
  const name = metric.toLowerCase()
  if (COST.test(name)) return 'lower'
  return NEITHER.test(name) ? undefined : betterOf(name)
}

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

/** Shares and areas, whatever they are averaged over: `precision_macro`, `recall_at_10`. */
const SHARE = /^(?:(?:balanced_)?accuracy|(?:pr_)?auc|average_precision|(?:precision|recall|f1)(?:_.*)?)$/
const NEVER_NEGATIVE = ['log_loss', 'mae', 'mse', 'rmse']

/**
 * Why `value` can be no value of the metric, as a sentence; undefined where it can be, where the metric is not known by
 * name, and for what is no finite number at all: that is told apart elsewhere.
 */
export function impossible(metric: string, value: number): string | undefined {
  if (!Number.isFinite(value)) return undefined
  const name = knownName(metric)
  const isShare = SHARE.test(name)
  if (isShare || name === 'brier') {
    if (value >= 0 && value <= 1) return undefined
    const guess = isShare && value > 1 && value <= 100 ? `; is ${value} a percentage?` : `, and ${value} does not`
    return `${metric} lies between 0 and 1${guess}`
  }
  if (NEVER_NEGATIVE.includes(name) && value < 0) return `${metric} is never below 0, and ${value} is`
  if (name === 'r2' && value > 1) return `${metric} is never above 1, and ${value} is`
  return undefined
}
