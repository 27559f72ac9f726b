/**
 * Held-out evidence in types: the answers of a version on rows it was not trained on, beside the truth, and what is
 * concluded from them. The file of a version is described in docs/evaluation.md; deciding what a conclusion means for
 * a stage is in `src/lifecycle/`.
 */

/** Higher is better for `auc`, lower for `log_loss`. */
export type Better = 'higher' | 'lower'

/** One version's answers on its test set, in the order of the rows. All arrays have `rows` entries. */
export interface HeldOut {
  readonly rows: number
  readonly task: 'binary' | 'multiclass' | 'regression'
  /** Of a classification: the classes as they are spelled, sorted. Empty for a regression. */
  readonly classes: readonly string[]
  /** Of two classes: which counts as positive. */
  readonly positive: string | null
  /** Index into `classes`, or the number itself for a regression. */
  readonly truth: Float64Array
  /** The answer, in the same terms; of scores alone: the class at 0.5. */
  readonly answer: Float64Array
  /** Probability or score of the positive class; null where none is recorded. */
  readonly score: Float64Array | null
  /** Names rows across files; null: rows are matched by their place. */
  readonly id: readonly string[] | null
  /** Every other column as text, for slices; null is a missing value. */
  readonly groups: Readonly<Record<string, readonly (string | null)[]>>
}

export interface Interval {
  readonly low: number
  readonly high: number
  /** 0 to 1. */
  readonly confidence: number
}

/** A metric of two versions on the same rows. */
export interface PairedComparison {
  readonly metric: string
  readonly better: Better
  readonly challenger: number
  readonly champion: number
  /** Positive where the challenger is better, whichever way the metric counts. */
  readonly gain: number
  readonly interval: Interval
  readonly method: 'paired bootstrap' | 'DeLong' | 'McNemar'
  readonly rows: number
  /** Two-sided p-value of "no difference"; null where the method has none. */
  readonly p: number | null
  /** Of the bootstrap; null otherwise. */
  readonly seed: number | null
  readonly draws: number | null
  /**
   * `better`: the whole interval is above 0. `not worse`: it is above minus the margin. `worse`: it is below minus the
   * margin. `inconclusive`: the rows do not say.
   */
  readonly verdict: 'better' | 'not worse' | 'worse' | 'inconclusive'
  /** What the verdict was drawn against, in the unit of the metric; 0 without one. */
  readonly margin: number
}

/** Metrics of the rows of one value of a column. */
export interface SliceResult {
  /** Null: rows where the value is missing. */
  readonly value: string | null
  readonly rows: number
  /** Positives among them, of two classes; null otherwise. */
  readonly positives: number | null
  /** A metric that cannot be computed on these rows (AUC of one class) is left out. */
  readonly metrics: Readonly<Record<string, { readonly value: number; readonly interval: Interval }>>
}

export interface FairnessResult {
  readonly by: string
  readonly measure: 'demographic_parity' | 'equalized_odds'
  /** The difference between the extreme groups, as Fairlearn defines it. */
  readonly difference: number
  readonly interval: Interval
  readonly groups: readonly {
    readonly value: string | null
    readonly rows: number
    readonly selectionRate: number
    readonly truePositiveRate: number | null
    readonly falsePositiveRate: number | null
  }[]
}

/** How many rows of a test set stand in the training data too. */
export interface Overlap {
  /** Rows of the test set. */
  readonly rows: number
  readonly shared: number
}
