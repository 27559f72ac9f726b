/** What a check of a model in production is asked, and what it answers. Behaviour is in the files beside this one. */

import type { Digest } from '../core/digest.ts'
import type { ModelRef } from '../core/names.ts'
import type { CheckResult } from '../drift/types.ts'
import type { AlertKind, Delivery } from '../notify/types.ts'
import type { TimeWindow } from '../predictions/types.ts'
import type { WindowFlags } from '../predictions/window.ts'
import type { MetricName } from '../project/config.ts'

export type FailOn = 'inconclusive' | 'drift' | 'never'

/** Words as they were typed; nothing is looked at yet. */
export interface MonitorRequest {
  readonly ref: ModelRef
  /** The batch that a person names; undefined: a window of the prediction log. */
  readonly current?: string
  /** The SELECT for `current` in a database. */
  readonly query?: string
  readonly window: WindowFlags
  /** Already known, as for a period of a longer window: goes before `window`. */
  readonly exact?: TimeWindow
  /** `baseline` (default), `previous`, `@V`, `@STAGE`, or data. */
  readonly against?: string
  /** Look at the values of this column one by one too. */
  readonly by?: string
  /** A file that says how much the model listens to each column. */
  readonly importances?: string
  readonly metric?: MetricName
  readonly threshold?: number
}

/** A check as it was made now. */
export type MonitoredCheck = CheckResult & {
  /** Under which the check is stored. */
  readonly key: Digest
  /** The command to type next. */
  readonly next: string
  /** When this very check (window, reference, configuration and rows) was made first; null for a new one. */
  readonly alreadyChecked: string | null
}

/** What became of one kind of alert of a check. */
export interface AlertReport {
  readonly kind: AlertKind
  /** Whether this check found trouble of the kind. */
  readonly trouble: boolean
  /** What was sent: the newest state, or an earlier message to channels that had missed it. Null when nothing was. */
  readonly state: 'firing' | 'recovered' | null
  readonly decision: 'fire' | 'recover' | 'redeliver' | 'hold'
  /** Why it was sent, or why not. */
  readonly reason: string
  readonly title: string
  readonly deliveries: readonly Delivery[]
}

/** One period of `--every`. */
export interface PeriodResult {
  readonly since: string
  readonly until: string
  readonly rows: number
  readonly verdict: CheckResult['verdict']
  /** Of the service and of the labels; null where there was nothing to judge by. */
  readonly health: 'breach' | 'inconclusive' | 'ok' | null
  readonly quality: 'breach' | 'inconclusive' | 'ok' | null
  /** Columns in drift, worst first. */
  readonly drifted: readonly string[]
  /** The largest effect of a column in units of its threshold: the trend. Null where none was measured. */
  readonly effect: number | null
  /** The period was not over. */
  readonly running: boolean
  readonly summary: string
}

/** The answer to one model. */
export type DriftReport = MonitoredCheck & {
  /** With `--alert`. */
  readonly alerts?: readonly AlertReport[]
  /** With `--every`, oldest first; the check itself is that of the newest period that is over. */
  readonly periods?: readonly PeriodResult[]
  /** Files that were written. */
  readonly reports?: readonly string[]
}
