/** A rollback to a version that does not fit today's data, where nobody can be asked: the answer is no, and how to insist. */

import { type MlopsError, refused } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import { shellWord } from '../../core/shell.ts'
import type { Fit } from './fit.ts'
import type { RollbackPlan } from './plan.ts'

/** What was typed, so that the command that insists can be pasted. */
export interface TypedRollback {
  readonly to?: string | undefined
  readonly current?: string | undefined
  readonly reason?: string | undefined
}

/** @returns refused `ROLLBACK_UNFIT` */
export function unfitRefused(plan: RollbackPlan, fit: Fit, typed: TypedRollback): MlopsError {
  const { model, stage, version } = plan
  const { drifted = [] } = fit
  const option = (name: string, value: string | undefined): string =>
    value === undefined ? '' : ` --${name} ${shellWord(value)}`
  const command = [
    `mlops rollback ${model}`,
    stage === 'production' ? '' : option('stage', stage),
    option('to', typed.to),
    option('current', typed.current),
    option('reason', typed.reason),
    ' --yes',
  ].join('')
  return refused({
    code: 'ROLLBACK_UNFIT',
    message: `${versionName(model, plan.from.version)} stays in ${stage}: ${fit.summary}.`,
    hint: `To go back all the same: ${command}`,
    details: { model, stage, version, fit, problems: drifted.map(({ summary }) => summary) },
  })
}
