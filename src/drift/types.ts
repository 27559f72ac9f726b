/**
 * The shapes of drift checking: profile, comparison, check. Behaviour is in the files beside this one; the on-disk
 * form of a profile is specified in docs/profile-format.md.
 */
import type { Digest } from '../core/digest.ts'
import type { ColumnType, MetricName } from '../project/config.ts'

/** The verdict on one column (docs/drift.md, "Reading the answer"). `broken` counts as drift. */
export type ColumnVerdict = 'broken' | 'drift' | 'inconclusive' | 'negligible' | 'stable' | 'skipped'
/** The verdict on a check. */
export type CheckVerdict = 'drift' | 'inconclusive' | 'stable'

/** What the data is and where it was read from. */
export interface DataIdentity {
  /** As the user wrote it, credentials removed. */
  readonly source: string
  /** Digest of the file's bytes (of a folder: of its sorted `path\0sha256\n` lines). */
  readonly sha256: Digest
  readonly rows: number
  readonly columns: number
}

export interface ColumnResult {
  readonly column: string
  readonly type: ColumnType
  readonly role: 'prediction' | 'target' | 'feature'
  /** How much the model listens to it, as it was told; decides the order, never the verdict. */
  readonly importance?: number
  readonly verdict: ColumnVerdict
  /** The measure behind `effect`: the configured one, or PSI where that is not defined for the column's type. */
  readonly metric: MetricName
  /** The configured measure's value; null where it cannot be computed, and `reason` says why. */
  readonly effect: number | null
  readonly threshold: number
  /** The 95 % bound of the effect under no drift at these sample sizes. */
  readonly noise: number | null
  /** Of the two-sample chi-square of homogeneity, after Benjamini–Hochberg over the columns. */
  readonly pAdjusted: number | null
  /** All measures, for reports: psi, js, ks_lower, ks_upper, wasserstein, linf, chi2. */
  readonly measures: Readonly<Record<string, number | null>>
  /** One plain sentence for a person: `Contract: Month-to-month 55 % -> 100 %`. */
  readonly summary: string
  /** Named causes: `nulls 1 % -> 22 %`, `2 new categories: …`, `type changed: numeric -> text`. */
  readonly causes: readonly string[]
  /** What was seen too, without the evidence that a cause needs. */
  readonly informs: readonly string[]
  /** Rows needed for the noise bound to fall below the threshold, when inconclusive. */
  readonly rowsNeeded?: number
  readonly reason?: string
  /** About 10 display groups with both shares, for histograms. */
  readonly groups: readonly {
    readonly label: string
    readonly before: number
    readonly after: number
    /** A `category` may be called what it likes, also `missing` or `other`. Absent in older records. */
    readonly kind?: GroupKind
  }[]
}

/**
 * `range`, `value` and `category` are values of the column; `rest` are several gathered; `new` are categories that the
 * baseline had hardly or never; `missing` are the nulls; `special` are NaN, the infinities and what is no number.
 */
export type GroupKind = 'range' | 'value' | 'category' | 'rest' | 'missing' | 'new' | 'special'

export interface CheckResult {
  readonly format: 1
  readonly model: string
  readonly version: number
  readonly verdict: CheckVerdict
  readonly metric: MetricName
  readonly time: string
  /** What it was compared with: `baseline of churn-model@3`. */
  readonly reference: {
    readonly name: string
    readonly profile: Digest
    readonly rows: number
    /** False: counted from data for this check alone, so that the profile is no object in the store. */
    readonly kept?: false
  }
  readonly current: DataIdentity
  /** Prediction column first, then worst first. */
  readonly columns: readonly ColumnResult[]
  /** Columns that could not be resolved at these sample sizes. */
  readonly unresolved: readonly string[]
  /** One or two sentences: what shifted, or why nothing can be said. */
  readonly summary: string
  /** What a person should know besides: columns the baseline does not have, how the file was read. */
  readonly notes: readonly string[]
  /** Digest of the configuration that decided: metric, thresholds, types. */
  readonly configuration: Digest
  /** Rows with `since <= time < until`, when they came from the prediction log. */
  readonly window?: { readonly since: string; readonly until: string }
  /** Rows of the window that other versions answered: not looked at. Absent for data that a person named. */
  readonly leftOut?: number
  /** By the values of one column (`--by`), worst first. */
  readonly segments?: { readonly column: string; readonly results: readonly SegmentResult[] }
  /** How the service fared in the window; absent for a file. */
  readonly health?: ServiceHealth
  /** What the labels that have arrived say; absent without any. */
  readonly quality?: QualityResult
  /** Made to see whether a version to go back to fits a batch that somebody picked: no look at how production fares. */
  readonly purpose?: 'rollback'
}

export interface SegmentResult {
  readonly value: string
  /** `missing`: the rows without a value; `others`: those of all values that are not listed. */
  readonly kind: 'value' | 'missing' | 'others'
  readonly rows: number
  /** `small`: too few rows of their own to be judged; marked, never alarmed. */
  readonly verdict: CheckVerdict | 'small'
  /** Rows of the same segment that it was compared with. */
  readonly reference: number
  /** Columns in drift, worst first. */
  readonly drifted: readonly string[]
  readonly summary: string
}

/** `breach` counts as an answer of no; `inconclusive` never does. */
export type HealthVerdict = 'breach' | 'inconclusive' | 'ok'

export interface HealthFinding {
  readonly what: 'errors' | 'latency' | 'volume'
  readonly verdict: HealthVerdict
  /** Share of failed requests; p95 in milliseconds; requests in the window. Null when not measured. */
  readonly actual: number | null
  /** The bound that was applied; null without one. */
  readonly limit: number | null
  /** The same figure of the window it is compared with; null without one. */
  readonly reference: number | null
  readonly summary: string
}

export interface ServiceHealth {
  readonly verdict: HealthVerdict
  readonly findings: readonly HealthFinding[]
}

/** Realised quality: the labels that have arrived, joined by prediction id, by prediction time. */
export interface QualityResult {
  readonly verdict: HealthVerdict
  /** Predictions of the window, and how many of them have a label. */
  readonly rows: number
  readonly labelled: number
  readonly metrics: readonly {
    readonly metric: string
    readonly value: number
    /** What the version had when it was registered; null when not recorded. */
    readonly reference: number | null
    readonly verdict: HealthVerdict
  }[]
  readonly summary: string
}
