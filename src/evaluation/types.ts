/**
 * Held-out evidence in types: the answers of a version on rows it was not trained on, beside the truth, and what is
 * concluded from them. The file of a version is described in docs/evaluation.md; deciding what a conclusion means for
 * a stage is in `src/lifecycle/`.
 */

/** Higher is better for `auc`, lower for `log_loss`. */
export type Better = 'higher' | 'lower'

/** One column of the file that may cut the rows into groups. */
export interface GroupColumn {
  /** The different values as they are spelled, sorted; a missing value is not among them. Empty where `codes` is null. */
  readonly values: readonly string[]
  /** Index into `values` by row, -1 for a missing value; null: more than `MOST_GROUPS` different values. */
  readonly codes: Int16Array | null
}

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
  /** Names rows across files: 53 bits of a hash of each id; null: rows are matched by their place. */
  readonly id: Float64Array | null
  /** Every other column, for slices. */
  readonly groups: Readonly<Record<string, GroupColumn>>
  /** How the file was understood, where a person might have expected something else. */
  readonly notes: readonly string[]
}

export interface Interval {
  readonly low: number
  readonly high: number
  /** 0 to 1. */
  readonly confidence: number
}

/** The same difference by another method, where there is one that needs no draws. */
export interface SecondMethod {
  /** `DeLong`: for `auc`. `McNemar`: for `accuracy`, the exact binomial test of the rows that only one answers right. */
  readonly method: 'DeLong' | 'McNemar'
  /** As `gain`. */
  readonly gain: number
  /** Null for McNemar, which is a test alone. */
  readonly interval: Interval | null
  /** Two-sided p-value of "no difference". */
  readonly p: number
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
  readonly method: 'paired bootstrap'
  readonly rows: number
  readonly seed: number
  readonly draws: number
  /** A second opinion for the reader; the verdict is drawn from `interval` alone. */
  readonly also: SecondMethod | null
  /**
   * `better`: the whole interval is above 0. `not worse`: none of it is below minus the margin. `worse`: all of it is.
   * `inconclusive`: the rows do not say, or they are too few (`note`).
   */
  readonly verdict: 'better' | 'not worse' | 'worse' | 'inconclusive'
  /** What the verdict was drawn against, in the unit of the metric; 0 without one. */
  readonly margin: number
  /** One sentence when the figures do not say enough: too few rows. */
  readonly note?: string
}

/** Metrics of the rows of one value of a column. */
export interface SliceResult {
  /** Null: rows where the value is missing. */
  readonly value: string | null
  readonly rows: number
  /** Positives among them, of two classes; null otherwise. */
  readonly positives: number | null
  /** A metric that cannot be computed on these rows (AUC of one class, recall without positives) is left out. */
  readonly metrics: Readonly<Record<string, SliceMetric>>
  /** Why little can be said of the group: fewer than 30 rows, or than 10 of a class; null where there is enough. */
  readonly few: string | null
}

export interface SliceMetric {
  readonly value: number
  readonly interval: Interval
  readonly method: 'Wilson' | 'bootstrap'
}

export interface FairnessResult {
  readonly by: string
  readonly measure: 'demographic_parity' | 'equalized_odds'
  /** The difference between the extreme groups, as Fairlearn defines it, of the groups for which it is defined. */
  readonly difference: number
  readonly interval: Interval
  readonly groups: readonly {
    readonly value: string | null
    readonly rows: number
    readonly selectionRate: number
    /** Null without a positive row. */
    readonly truePositiveRate: number | null
    /** Null without a negative row. */
    readonly falsePositiveRate: number | null
    /** As in `SliceResult`. */
    readonly few: string | null
  }[]
  readonly notes: readonly string[]
}

/** How many rows of a test set stand in the training data too. */
export interface Overlap {
  /** Rows of the test set. */
  readonly rows: number
  /** Of these: how many equal a row of the training data in every column compared. */
  readonly shared: number
  /** Different rows of the test set, over the columns compared. */
  readonly distinct: number
  readonly trainRows: number
  /**
   * As many would be shared if the test set held new rows that repeat training rows as often as training rows repeat
   * each other: what can be chance.
   */
  readonly expected: number
  /** The columns compared. */
  readonly columns: readonly string[]
  /** Which columns were left out and why. */
  readonly notes: readonly string[]
}
