/** Which exit code answers a check, and which one a fleet: 1 before 3 before 6 before 0 (docs/drift.md). Pure. */
import type { ExitName } from '../core/errors.ts'
import type { CheckResult } from '../drift/types.ts'
import { isBreached } from './next.ts'
import type { AlertReport, FailOn, PeriodResult } from './types.ts'

export type DriftExit = Extract<ExitName, 'ok' | 'failed' | 'no' | 'inconclusive'>

/** Drift, a breach of the service or of the quality is a no. An alert that reached nobody goes before all of that. */
export function exitOfCheck(
  check: Pick<CheckResult, 'verdict' | 'health' | 'quality'> & {
    readonly alerts?: readonly AlertReport[]
    readonly periods?: readonly PeriodResult[]
  },
  failOn: FailOn,
): DriftExit {
  if (check.alerts?.some(isUndelivered) === true) return 'failed'
  const isNo = isBreached(check) || check.periods?.some(isBadPeriod) === true
  if (isNo) return failOn === 'never' ? 'ok' : 'no'
  return check.verdict === 'inconclusive' && failOn === 'inconclusive' ? 'inconclusive' : 'ok'
}

const isBadPeriod = ({ verdict, health, quality }: PeriodResult): boolean =>
  verdict === 'drift' || health === 'breach' || quality === 'breach'

/** At least one channel was tried in vain. */
const isUndelivered = ({ deliveries }: AlertReport): boolean => deliveries.some(({ delivered }) => !delivered)

const ORDER: readonly DriftExit[] = ['failed', 'no', 'inconclusive', 'ok']

export const worstExit = (exits: readonly DriftExit[]): DriftExit => ORDER.find((exit) => exits.includes(exit)) ?? 'ok'
