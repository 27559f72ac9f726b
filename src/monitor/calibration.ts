/** What calibrating is asked, and what it answers. Behaviour is in `calibrate.ts` and the files beside it. */
import type { ModelRef } from '../core/names.ts'
import type { Proposal, Rate } from '../drift/calibrate.ts'
import type { CheckVerdict } from '../drift/types.ts'
import type { WindowFlags } from '../predictions/window.ts'
import type { ColumnType, MetricName } from '../project/config.ts'

/** Words as they were typed; nothing is looked at yet. */
export interface CalibrateRequest {
  readonly ref: ModelRef
  /** Data known to be fine; undefined: periods of the log when times are named, else the training data. */
  readonly data?: string
  readonly query?: string
  readonly window: WindowFlags
  /** The length of a period of the log. */
  readonly every?: string
  /** Rows of a chunk; undefined: as many as the windows in production have. */
  readonly rows?: number
  /** At most so many chunks. */
  readonly chunks?: number
  /** Chunks of rows drawn at random instead of neighbours. */
  readonly seed?: number
  /** The share of checks that may fire on data that is fine. */
  readonly falseAlarms: number
  readonly tighten: boolean
}

/** One chunk and what a check of it says. */
export interface ChunkResult {
  /** `rows 1 to 1,000`, or the days of the period. */
  readonly name: string
  readonly rows: number
  readonly verdict: CheckVerdict
  /** Columns in drift, worst first. */
  readonly drifted: readonly string[]
}

export interface CalibratedColumn {
  readonly column: string
  readonly type: ColumnType
  readonly role: 'prediction' | 'target' | 'feature'
  /** Chunks in which this column alone would have made the check fire. */
  readonly alarms: Rate
  /** In at least half of the chunks: not chance, but a season, a trend, or data of another kind. */
  readonly always: boolean
  /** Over the chunks; null where nothing was measured. */
  readonly effect: { readonly median: number; readonly most: number } | null
  readonly noise: number | null
  readonly threshold: number
  /** Null: as it is. */
  readonly proposed: number | null
  /** The smallest shift that reaches the threshold, today's and the proposed one. */
  readonly detects: {
    readonly unit: 'sigma' | 'share'
    readonly today: number | null
    readonly proposed: number | null
  } | null
}

/** What was looked at. */
export interface ChunkSet {
  readonly kind: 'data' | 'training data' | 'prediction log'
  readonly source: string
  readonly rows: number
  /** The median of the chunks. */
  readonly rowsEach: number
  /** Why as many as this. */
  readonly rowsFrom: string
  readonly order: 'as they come' | 'shuffled'
  /** Each was compared with the other rows of the baseline, of which it is a part. */
  readonly isOwn: boolean
}

/** Lines of mlops.yaml as they are and as they would be. */
export interface ConfigChange {
  /** Absolute; null without a mlops.yaml of this store. */
  readonly file: string | null
  /** Numbered as they will be; `-` lines as they are. Empty when nothing is to be changed. */
  readonly lines: readonly { readonly mark: '-' | '+' | ' '; readonly line: number; readonly text: string }[]
  readonly written: boolean
}

export interface Calibration {
  readonly model: string
  readonly version: number
  readonly metric: MetricName
  /** The default that applies today. */
  readonly threshold: number
  readonly reference: string
  readonly data: ChunkSet
  readonly chunks: readonly ChunkResult[]
  /** Of the chunks that could say something: those that would have fired with the thresholds of today. */
  readonly alarms: Rate
  /** Chunks that could say nothing; no rate or threshold rests on them. */
  readonly inconclusive: number
  /** Most alarms first. */
  readonly columns: readonly CalibratedColumn[]
  /** Null with too few chunks that could say something. */
  readonly proposal: Proposal | null
  /** What is missing, where there is no proposal. */
  readonly needed: {
    readonly chunks: number
    readonly rows: number
    /** Rows of a chunk that could say something; null where the size of the chunks is not what is missing. */
    readonly chunkRows: number | null
  } | null
  readonly notes: readonly string[]
}
