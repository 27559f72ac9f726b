/**
 * `mlops.yaml` after reading and validating: plain types with every default filled in.
 * The schema that produces them is in `config-schema.ts`, finding and reading the file in `load.ts`.
 */
import type { Gate } from './gate-config.ts'

export type Risk = 'low' | 'standard' | 'high'
export type ColumnType = 'numeric' | 'categorical' | 'text' | 'timestamp' | 'id' | 'ignore'
export type MetricName = 'psi' | 'js' | 'ks' | 'wasserstein' | 'chi2' | 'linf'

export interface SchemaConfig {
  /** Overrides of the inferred types. */
  readonly columns: Readonly<Record<string, ColumnType>>
  readonly target?: string
  readonly prediction?: string
}

export interface DriftConfig {
  readonly window?: string
  readonly metric: MetricName
  /** Undefined: the metric's own default (PSI 0.10). */
  readonly threshold?: number
  readonly columns: Readonly<Record<string, { readonly threshold?: number }>>
  readonly alertAfter?: string
  readonly coolDown?: string
  /** How often a check is meant to be made; undefined: nobody said. */
  readonly every?: string
  /** The column whose values are looked at one by one too; `register` keeps their counts with the baseline. */
  readonly by?: string
}

/** Bounds on the service in one window; what is undefined is judged against an earlier window. */
export interface HealthConfig {
  /** Share of failed requests, 0 to 1. */
  readonly maxErrorRate?: number
  readonly maxP95Ms?: number
  readonly minRequests?: number
}

/** When a version that is rolled out counts as worse than the one that holds the stage (docs/rollout.md). */
export interface RolloutConfig {
  /** Of each of the two, before anything counts as well. */
  readonly minRequests: number
  /** Milliseconds that a step takes at least; undefined: as long as its requests take. */
  readonly minTime?: number
  /** By how much the share of failed requests may rise, 0 to 1. */
  readonly maxErrorIncrease: number
  /** By which factor the p95 latency may rise. */
  readonly maxLatencyRatio: number
  /** PSI of the answers of the two. */
  readonly maxPredictionPsi: number
  /** By how much accuracy may fall, or by which share the mean absolute error may rise. */
  readonly maxQualityLoss: number
  /** Of each of the two, before labels count. */
  readonly minLabels: number
  /** `required`: without labels enough nothing counts as well. */
  readonly labels: 'required' | 'optional'
}

/** Where the prediction log of a model lives and what its writers leave out. */
export interface PredictionsConfig {
  /** A path relative to the project, or a `postgres://` address; undefined: in the store. */
  readonly at?: string
  /** How long predictions are kept before `prune` takes them. */
  readonly keep?: string
  /** Columns that writers never log. */
  readonly drop: readonly string[]
  /** Share of the requests that is logged, above 0 and at most 1. */
  readonly sample: number
}

export interface ModelConfig {
  readonly risk: Risk
  /** A path or glob relative to the project: what a training run produces. */
  readonly artifact?: string
  readonly train?: string
  /** Runs that train it keep the bytes of their data. Absent: no. */
  readonly snapshot?: boolean
  readonly evaluate?: string
  /** Milliseconds; undefined: half an hour. */
  readonly evaluateTimeout?: number
  readonly schema: SchemaConfig
  readonly drift: DriftConfig
  readonly health: HealthConfig
  readonly rollout: RolloutConfig
  readonly predictions?: PredictionsConfig
  readonly notify: readonly string[]
  /** By stage. */
  readonly gates: Readonly<Record<string, Gate>>
}

export interface Config {
  /** As written; relative to the project. */
  readonly store: string
  /** The branch of a git remote that the team shares the store as (docs/git-store.md). Absent: the folder alone. */
  readonly sharing?: { readonly remote: string; readonly branch: string }
  readonly stages: readonly string[]
  /** Every move of a stage leaves tags in the project's git repository. Absent: no. */
  readonly gitTags?: boolean
  readonly models: Readonly<Record<string, ModelConfig>>
}

export interface Project {
  /** Absolute: the folder of mlops.yaml, or the cwd when there is none. */
  readonly root: string
  /** Absolute path of mlops.yaml, when there is one. */
  readonly file?: string
  readonly config: Config
  /**
   * False when a store was named that this mlops.yaml does not name, or there is no mlops.yaml: then the gates of that
   * store's models may stand somewhere else. Undefined: not asked.
   */
  readonly coversStore?: boolean
  /** Absolute path of the store: --store, MLOPS_STORE, mlops.yaml, the main worktree (`load.ts`). */
  readonly storeRoot: string
}
