/**
 * What can be told to whom. An alert is plain data, made in `src/monitor/` and `src/retrain/`; every channel turns it
 * into its own message (`src/notify/<channel>.ts`). Whether one is due is decided in `due.ts`.
 */

export type AlertKind = 'drift' | 'health' | 'quality' | 'silence' | 'retrain' | 'test'

/** One message of one check: never one per column. */
export interface Alert {
  readonly model: string
  /** What the check looked at; null when the version is in no stage. */
  readonly stage: string | null
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
}
