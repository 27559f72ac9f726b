/** Why a rollout does not go on, in words and with the next thing to type. */
import { inconclusive, type MlopsError, refused, usage } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import { type RunningRollout, stageFlag } from '../lifecycle/rollouts/running.ts'
import type { Comparison } from './compare.ts'

const findingsOf = ({ findings }: Comparison, verdict: 'breach' | 'hold'): string[] =>
  findings.filter((finding) => finding.verdict === verdict).map(({ summary }) => summary)

const detailsOf = ({ model, stage, version, weight }: RunningRollout, comparison: Comparison) => ({
  model,
  stage,
  version,
  weight,
  comparison,
})

/** The version is worse: no reason advances it. */
export const breached = (running: RunningRollout, comparison: Comparison): MlopsError =>
  refused({
    code: 'ROLLOUT_BREACH',
    message: `${versionName(running.model, running.version)} is worse than ${versionName(running.model, running.stable.version)}, which holds ${running.stage}; its share stays at ${running.weight} %.`,
    hint: `Give all traffic back: mlops rollout abort ${running.model}${stageFlag(running.stage)} --reason TEXT. The margins stand in mlops.yaml under models.${running.model}.rollout`,
    details: { ...detailsOf(running, comparison), problems: findingsOf(comparison, 'breach') },
  })

/** Nothing can be said yet, which is no yes. */
export const held = (running: RunningRollout, comparison: Comparison): MlopsError =>
  inconclusive({
    code: 'ROLLOUT_HOLD',
    message: `Too little is known of ${versionName(running.model, running.version)} to give it more traffic; its share stays at ${running.weight} %.`,
    hint: `Wait and look again: mlops rollout status ${running.model}${stageFlag(running.stage)}. To go on all the same: mlops rollout advance ${running.model}${stageFlag(running.stage)} --force --reason TEXT`,
    details: { ...detailsOf(running, comparison), problems: findingsOf(comparison, 'hold') },
  })

/** @throws usage `REASON_MISSING` */
export function assertForced(force: boolean, reason: string | undefined): void {
  if (!force || reason !== undefined) return
  throw usage({
    code: 'REASON_MISSING',
    message: 'Going on without data needs a reason, which is kept in the history.',
    hint: 'Say why: --force --reason "no traffic at night, checked by hand"',
  })
}
