/**
 * The prediction log in types: what a log offers. Records and the file layout are in docs/prediction-log.md; the
 * Python client writes it, this room reads, joins, compacts and prunes it. Judging what it says is in `src/monitor/`.
 */
import type { DataInput } from '../data/input.ts'

/** Rows with `since <= time < until`; milliseconds since 1970, so that days are UTC. */
export interface TimeWindow {
  readonly since: number
  readonly until: number
}

export interface WindowQuery extends TimeWindow {
  /** Only rows answered by this version: what another one answered says nothing about it; undefined: by any. */
  readonly version?: number
  readonly variant?: string
  /** Milliseconds: how many requests were slower is counted too (`latency.slower`). */
  readonly slowerThan?: number
  /** Which quantiles of the latency are asked for besides (`latency.quantiles`), each from 0 to 1. */
  readonly quantiles?: readonly number[]
}

/** Figures of a window, of one version or of all. */
export interface LogFigures {
  /** Of a sampled log an estimate: every record counts `1 / sample_rate` requests, rounded. */
  readonly requests: number
  /** Lines in the log; fewer than `requests` where it is sampled. */
  readonly records: number
  /**
   * The rows of one batch are one call: they share time, latency and status, by which calls are told apart. At most
   * `records`; of more than two million records an estimate.
   */
  readonly calls: number
  /** As many calls of equal size say as much of shares as these do (Kish): `calls`, or fewer where some are larger. */
  readonly evenCalls: number
  /** Requests whose status is not ok, estimated alike. */
  readonly errors: number
  readonly errorsByCategory: Readonly<Record<string, number>>
  /** Milliseconds, of the answered records that have a latency (a failure may be quick, or a timeout); null without one. */
  readonly latency: {
    readonly count: number
    readonly p50: number
    readonly p95: number
    readonly p99: number
    /** Records slower than `slowerThan`, where that was asked. */
    readonly slower?: number
    /** In the order of `quantiles`, where that was asked. */
    readonly quantiles?: readonly number[]
  } | null
  /** First and last event time in the window; null without records. */
  readonly first: string | null
  readonly last: string | null
}

export interface VersionFigures extends LogFigures {
  readonly version: number
}

export interface LogStats extends LogFigures {
  readonly versions: readonly VersionFigures[]
  /** By UTC day, or by hour for windows of up to two days: for a sparkline. */
  readonly volume: readonly { readonly from: string; readonly requests: number; readonly errors: number }[]
  /** Torn last lines and lines that are no record: left out and counted. */
  readonly torn: number
}

/** Realised quality of one version, by prediction time. The names of metrics are those that scikit-learn's users know. */
export interface VersionQuality {
  readonly version: number
  /** Answered predictions of the window, and how many of them have a label. */
  readonly rows: number
  readonly labelled: number
  /** What was found to be judged; null without a label. */
  readonly task: 'classification' | 'regression' | null
  /**
   * `accuracy`, `precision`, `recall`, `f1`, `auc`, `log_loss` for two classes; `accuracy`, `precision_macro`,
   * `recall_macro`, `f1_macro` for more; `mae`, `rmse`, `r2` for numbers. Only those that can be computed.
   */
  readonly metrics: Readonly<Record<string, number>>
  /** What a person should know: which class counts as positive, which pairs were left out. */
  readonly notes: readonly string[]
}

export interface RealisedQuality {
  /** Over all versions of the window. */
  readonly rows: number
  readonly labelled: number
  /** By version, ascending. */
  readonly versions: readonly VersionQuality[]
}

/** How the rows of a window become the columns that a baseline knows. */
export interface RowShape {
  /** Column that a bare `output` stands for: `schema.prediction` of mlops.yaml. */
  readonly prediction?: string
  /** Columns of the baseline: looked for in `features`, then in an object `output`. */
  readonly columns?: readonly string[]
  /** Column that the joined label stands for: `schema.target`. Present from 95 % labelled rows on. */
  readonly target?: string
  /** The classes that the baseline knows of the target, or that it is a quantity: labels are read as these. */
  readonly targetClasses?: readonly string[] | 'numbers'
  /** Member of the record (`recordMember` names them) that becomes a column of that name where it is asked for. */
  readonly member?: string
  /** Answer from which a class is called positive, for realised metrics of scores. Default 0.5. */
  readonly threshold?: number
}

/** Features and truth of a window as a file, for whoever evaluates a model on them. */
export interface LabelledRequest {
  /** Absolute; must not exist. */
  readonly path: string
  readonly format: 'csv' | 'parquet'
  /** Features; undefined: those that are logged. */
  readonly columns?: readonly string[]
  /** Of them: may be without any value (ids, say, that no service logs). */
  readonly optional: readonly string[]
  readonly target: string
  readonly targetClasses?: RowShape['targetClasses']
  readonly prediction?: string
  /** With fewer labelled rows nothing is written. */
  readonly fewest: number
  /** Of more, so many are chosen by their ids. */
  readonly most: number
}

export interface LabelledFile {
  /** Answered rows of the window with a label, whichever version answered. */
  readonly labelled: number
  /** Written; 0: nothing was. */
  readonly rows: number
  /** Features that no record has: nothing was written then. */
  readonly missing: readonly string[]
  /** Rows written by label; empty where the label is a quantity. */
  readonly classes: Readonly<Record<string, number>>
  readonly notes: readonly string[]
}

/** The log of one model, wherever it lives. */
export interface PredictionLog {
  readonly model: string
  /** Where it lives, credentials removed. */
  readonly home: string
  /** Event time of the newest record of any version; null for an empty log. Cheap: reads the newest day only. */
  newest(): Promise<string | null>
  /** Event time of the oldest record; null for an empty log. */
  oldest(): Promise<string | null>
  stats(window: WindowQuery): Promise<LogStats>
  /** The rows of a window, for `profileBatch`; its identity is the same for the same rows in whatever files they lie. */
  rows(window: WindowQuery, shape: RowShape): DataInput
  /** What the labels that have arrived say of the answers of the window. */
  quality(window: WindowQuery, shape: RowShape): Promise<RealisedQuality>
  /** Writes the labelled rows of the window, whichever version answered them: features and truth do not depend on it. */
  writeLabelled(window: WindowQuery, request: LabelledRequest): Promise<LabelledFile>
}
