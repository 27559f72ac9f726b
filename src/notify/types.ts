/**
 * What can be told to whom. An alert is plain data, made in `src/monitor/` and `src/retrain/`; every channel turns it
 * into its own message (`src/notify/<channel>.ts`). Whether one is due is decided in `due.ts`.
 */

/** `retrain`: one failed or was refused. `due`: a policy would retrain, and leaves it to a person. `passed`: a candidate waits. */
export type AlertKind = 'drift' | 'health' | 'quality' | 'silence' | 'retrain' | 'due' | 'passed' | 'test'

/** One message of one check: never one per column. */
export interface Alert {
  readonly model: string
  /** What the check looked at; null when the version is in no stage. */
  readonly stage: string | null
  /** 0 when there is none: a retraining that failed before it registered one. */
  readonly version: number
  readonly kind: AlertKind
  readonly state: 'firing' | 'recovered'
  /** sha256 of model, stage and kind: the same trouble is the same fingerprint, however often it is seen. */
  readonly fingerprint: string
  /** One line: `churn-model@3 in production: 3 of 20 columns drifted`. */
  readonly title: string
  /** One or two sentences more. */
  readonly summary: string
  /** What shifted, before and after, worst first; plain sentences. */
  readonly findings: readonly string[]
  /** When the trouble was seen first (ISO), and when this check was made. */
  readonly since: string
  readonly time: string
  /** What lies behind the version: label and value, e.g. `run 01J…`, `data train.csv sha256 ab12…`, `check …`. */
  readonly evidence: readonly { readonly label: string; readonly value: string }[]
  /** The command to type next. */
  readonly next: string
  /** A page with more, when there is one: the CI run. */
  readonly url?: string
}

export interface Delivery {
  /** As configured, without what is secret: `slack:#ml-alerts`, `webhook:https://host/…`, `pagerduty`. */
  readonly channel: string
  readonly delivered: boolean
  readonly attempts: number
  /** Why not, in one line; free of secrets. */
  readonly error?: string
  /** The environment variable to set, when that is what is missing. */
  readonly missing?: string
  /** Of `stdout`: what the command is to print. */
  readonly print?: string
}

/** `k of n` and the cool-down of a model (`drift.alert_after`, `drift.cool_down`). */
export interface AlertRules {
  /** Of the last `n` disjoint windows that could be judged, `k` must be in trouble. */
  readonly k: number
  readonly n: number
  /** Milliseconds in which an alert that was sent is not repeated. */
  readonly coolDown: number
}

/** What one check said about one fingerprint. */
export interface SeenCheck {
  /** Names what was looked at: the key of the check. */
  readonly id: string
  /** When the check was made (ISO). */
  readonly time: string
  /** Rows with `since <= time < until` (ISO); null for data that a person named. */
  readonly window: { readonly since: string; readonly until: string } | null
  /** Milliseconds of the whole window, where `window` is only the part of it that was over. */
  readonly length?: number
  /** What it was compared with moves along from check to check: another question than one with a fixed reference. */
  readonly against?: 'previous'
  /** True: there is trouble. False: there is none. Null: the check cannot say. */
  readonly trouble: boolean | null
}

/** What of a check a message is remembered by. */
export type SeenWhat = Pick<SeenCheck, 'id' | 'window' | 'length' | 'against'>

/** A message that was sent, or tried, as the store remembers it. */
export interface FiredAlert {
  /** Of the claim that stands for it. */
  readonly number: number
  readonly state: Alert['state']
  readonly time: string
  /** When the trouble was seen first. */
  readonly since: string
  readonly seen: SeenWhat
}

export type Due =
  | { readonly decision: 'fire' | 'recover'; readonly reason: string; readonly since: string }
  | { readonly decision: 'hold'; readonly reason: string }
