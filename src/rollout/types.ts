/** What is known of the two versions of a rollout in one window, and what is said of it. Plain types. */
import type { RolloutBody } from '../store/events.ts'

/** One of the two in the window: what the prediction log has of it. */
export interface VariantFigures {
  readonly version: number
  readonly requests: number
  readonly errors: number
  readonly errorsByCategory: Readonly<Record<string, number>>
  /** Share of the requests that count as independent: the rows of one call do not. */
  readonly part: number
  /** Milliseconds of answered requests; null where none says how long it took. */
  readonly latency: {
    readonly count: number
    readonly p50: number
    readonly p95: number
    readonly p99: number
    /** In which the p95 lies with 99.9 % and with 90 %; an end is null where so few values have none. */
    readonly surely: Ends
    readonly likely: Ends
  } | null
  /** What the labels that have come say of it; null without one. */
  readonly quality: {
    readonly task: 'classification' | 'regression'
    readonly labelled: number
    readonly metrics: Readonly<Record<string, number>>
  } | null
}

export interface Ends {
  readonly low: number | null
  readonly high: number | null
}

/** The answers of the two, counted into the same groups; or why they are not compared. */
export type AnswerGroups =
  | { readonly column: string; readonly stable: readonly number[]; readonly rollout: readonly number[] }
  | { readonly reason: string }

export interface RolloutFigures {
  readonly stable: VariantFigures
  readonly rollout: VariantFigures
  readonly answers: AnswerGroups
  /** Milliseconds that the step has lasted. */
  readonly lasted: number
}

/**
 * `breach`: worse by more than the margin, beyond chance. `hold`: nothing can be said yet. `holds`: as well as the other
 * one. `better`: beyond chance better. `not judged`: there is nothing to judge it by, and nobody asked for that.
 */
export type FindingVerdict = 'better' | 'holds' | 'breach' | 'hold' | 'not judged'

export interface Finding {
  readonly what: 'requests' | 'errors' | 'latency' | 'predictions' | 'quality'
  readonly verdict: FindingVerdict
  /** The figure of the version in the stage, and of the one that is rolled out; null where there is none. */
  readonly stable: number | null
  readonly rollout: number | null
  /** How they differ: shares and accuracy by difference, latency and MAE by ratio, predictions by PSI. */
  readonly effect: number | null
  /** Of the effect, 99.9 %; an end is null where there are too few values for one. */
  readonly interval: readonly [number | null, number | null] | null
  /** From which effect on it counts as worse; of `requests` how many are needed. */
  readonly limit: number
  readonly summary: string
}

export type RolloutVerdict = NonNullable<RolloutBody['comparison']>['verdict']

export interface Judgement {
  readonly verdict: RolloutVerdict
  /** One sentence: the finding that decides. */
  readonly summary: string
  readonly findings: readonly Finding[]
}
