/** What `register` is asked and what it answers: plain types, shared by the use case, its parts and the view. */
import type { Digest } from '../../core/digest.ts'
import type { HeldOut, Overlap } from '../../evaluation/types.ts'
import type { GateResult } from '../../store/events.ts'
import type { DataFact, Manifest, ScanResult } from '../../store/manifest.ts'
import type { ParamValue } from '../../store/run-records.ts'

export interface RegisterRequest {
  readonly model: string
  /** A run's id, a unique prefix of one, or `@last`. */
  readonly run?: string
  /** With a run: which of its artifacts. Without: files, folders and patterns, relative to `ctx.cwd`. */
  readonly artifacts?: readonly string[]
  /** A table to profile as the baseline; `false`: none, not even the run's `train` data. */
  readonly baseline?: string | false
  readonly target?: string
  readonly prediction?: string
  /** Target and prediction of the version in production, else of the newest, where nothing else says them. */
  readonly carryOver?: boolean
  /** The held-out rows that the metrics were measured on. */
  readonly test?: string
  readonly testPredictions?: string
  readonly examples?: string
  readonly evaluate?: string
  /** They override those of the run. */
  readonly metrics?: Readonly<Record<string, number | string>>
  readonly params?: Readonly<Record<string, ParamValue>>
  readonly tags?: readonly string[]
  readonly message?: string
  /** Move this stage to the version afterwards, through its gate. Never `production`. */
  readonly stage?: string
  /** Register a run though it failed or has not ended. */
  readonly force?: boolean
  readonly idempotencyKey?: string
  /** Identity of the CI job, from which a default key is made. */
  readonly ciJob?: string
  /** False: what the script of the run asked for with `run.register(…)` is not looked at. */
  readonly useIntent?: boolean
  /** How a missing baseline is to be named the next time, where the flag `--baseline` is not at hand. */
  readonly baselineAdvice?: string
}

export interface RegisteredBaseline {
  /** As the user wrote it. */
  readonly source: string
  readonly profile: Digest
  readonly data: DataFact
  /** Counts of the rows of each of `values` values of the column that `drift.by` names, an object. */
  readonly segments?: { readonly by: string; readonly sha256: Digest; readonly size: number; readonly values: number }
  /** How a column was read when that is not obvious: `TotalCharges: 11 blank values …`. */
  readonly notes: readonly string[]
}

/** The answers of the version on its test set, which were read and measured when it was registered. */
export interface RegisteredHeldOut {
  /** `file`: named by a flag. `run`: logged by the script. */
  readonly from: 'file' | 'run'
  readonly rows: number
  readonly task: HeldOut['task']
  /** Computed from the answers. They are not added to the metrics of the version. */
  readonly metrics: Readonly<Record<string, number>>
  /** Recorded metrics that the answers do not give. */
  readonly differing: readonly {
    readonly metric: string
    readonly recorded: number | string
    readonly computed: number
  }[]
  /** How the file was understood, where a person might have expected something else. */
  readonly notes: readonly string[]
}

/** What became of `--stage`. */
export interface StageMove {
  readonly stage: string
  readonly outcome: 'promoted' | 'already there' | 'refused'
  readonly gate: GateResult | null
  /** Why it was refused, and what to type next. */
  readonly problem: { readonly code: string; readonly message: string; readonly hint: string | null } | null
  /** One sentence per check that does not hold. */
  readonly failing: readonly string[]
}

export interface RegisterResult {
  readonly model: string
  readonly version: number
  /** False when the same version was registered before; then nothing was written. */
  readonly created: boolean
  /** Why it was not created. */
  readonly existing: {
    readonly why: 'same content' | 'same operation'
    readonly time: string
    readonly by: string
    readonly run: string | null
  } | null
  readonly manifest: Digest
  readonly files: Manifest['files']
  /** The worst verdict of the files; null without files. */
  readonly scan: ScanResult['verdict'] | null
  readonly metrics: Readonly<Record<string, number | string>>
  readonly params: Readonly<Record<string, ParamValue>>
  readonly data: readonly DataFact[]
  readonly baseline: RegisteredBaseline | null
  readonly heldOut: RegisteredHeldOut | null
  /** How many held-out rows stand in the training data too; null when that is not known. */
  readonly overlap: Overlap | null
  readonly examples: NonNullable<Manifest['examples']> | null
  readonly target: string | null
  readonly prediction: string | null
  readonly run: string | null
  readonly tags: readonly string[]
  readonly message: string | null
  readonly stage: StageMove | null
  /** What a person should know: no artifact, no baseline and why. */
  readonly notes: readonly string[]
  /** The command to type next. */
  readonly next: string
}
