/** What a report gets. The forms are in the files beside this one; nothing here computes anything. */
import type { CheckResult } from '../../drift/types.ts'
import type { PeriodResult } from '../../monitor/types.ts'

/** A check with what the command that made it knows besides. */
export type ReportedCheck = CheckResult & {
  /** The command to type next. */
  readonly next?: string
  /** With `--every`, oldest first. */
  readonly periods?: readonly PeriodResult[]
}

/** One check, or those of a fleet. */
export type Reported = ReportedCheck | readonly ReportedCheck[]

export const asList = (reported: Reported): readonly ReportedCheck[] =>
  'format' in reported ? [reported] : [...reported]
