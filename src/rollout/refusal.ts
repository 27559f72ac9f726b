/** Why a rollout does not go on, in words and with the next thing to type. */
import { inconclusive, type MlopsError, refused, usage } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import { type RunningRollout, stageFlag } from '../lifecycle/rollouts/running.ts'
import { remedyOf } from '../lifecycle/serving/remedy.ts'
import type { Service } from '../lifecycle/serving/services.ts'
import type { Comparison } from './compare.ts'
import { count, onlyDiffers } from './words.ts'

const findingsOf = ({ findings }: Comparison, verdict: 'breach' | 'hold'): string[] =>
  findings.filter((finding) => finding.verdict === verdict).map(({ summary }) => summary)

const detailsOf = ({ model, stage, version, weight }: RunningRollout, comparison: Comparison) => ({
  model,
  stage,
  version,
  weight,
  comparison,
})

/** The version is worse, or answers otherwise than is allowed: no reason advances it. */
export function breached(running: RunningRollout, comparison: Comparison): MlopsError {
  const { model, stage, version, stable, weight } = running
  const is = onlyDiffers(comparison.findings) ? 'answers differently from' : 'is worse than'
  return refused({
    code: 'ROLLOUT_BREACH',
    message: `${versionName(model, version)} ${is} ${versionName(model, stable.version)}, which holds ${stage}, by more than is allowed; its share stays at ${weight} %.`,
    hint: `Give all traffic back: mlops rollout abort ${model}${stageFlag(stage)} --reason TEXT. ${marginsHint(model, comparison)}`,
    details: { ...detailsOf(running, comparison), problems: findingsOf(comparison, 'breach') },
  })
}

/** The key of mlops.yaml that holds each margin. */
const KEYS = {
  requests: 'min_requests',
  errors: 'max_error_increase',
  latency: 'max_latency_ratio',
  predictions: 'max_prediction_psi',
  quality: 'max_quality_loss',
} as const

/** Which keys to write, also where mlops.yaml has no such section yet. */
export function marginsHint(model: string, { findings }: Pick<Comparison, 'findings'>): string {
  const breaches = findings.filter(({ verdict }) => verdict === 'breach')
  const keys = breaches.map(({ what, limit }) => `models.${model}.rollout.${KEYS[what]} (${limit} now)`)
  const meant = onlyDiffers(findings) ? 'If it is meant to answer differently' : 'Where that is allowed'
  return `${meant}, write a larger margin in mlops.yaml: ${keys.join(', ')}`
}

/** The last step would move the stage to a version that the running services say they cannot serve. */
export const keptOut = (running: RunningRollout, services: readonly Service[]): MlopsError => {
  const { model, stage, version, weight } = running
  const { command, why } = remedyOf(model, running, services)
  return refused({
    code: 'ROLLOUT_NOT_SERVED',
    message: `${versionName(model, version)} is served by none of the running services, so it does not get ${stage}; its share stays at ${weight} %.`,
    hint: `Mend that first: ${command} (${why}). Or give all traffic back: mlops rollout abort ${model}${stageFlag(stage)} --reason TEXT`,
    details: {
      model,
      stage,
      version,
      services,
      problems: services.flatMap(({ instance, host, why: said }) =>
        said === null ? [] : [`${instance} on ${host}: ${said}`],
      ),
    },
  })
}

/** Nothing can be said yet, which is no yes. */
export const held = (running: RunningRollout, comparison: Comparison): MlopsError =>
  inconclusive({
    code: 'ROLLOUT_HOLD',
    message: `Too little is known of ${versionName(running.model, running.version)} to give it more traffic; its share stays at ${running.weight} %.`,
    hint: `Awaited: ${awaited(comparison)}. Look again: mlops rollout status ${running.model}${stageFlag(running.stage)}. To go on all the same: mlops rollout advance ${running.model}${stageFlag(running.stage)} --force --reason TEXT`,
    details: { ...detailsOf(running, comparison), problems: findingsOf(comparison, 'hold') },
  })

/** What a rollout that holds waits for: how many more requests, else the figure that is not certain yet. */
export function awaited({ findings, stable, rollout }: Pick<Comparison, 'findings' | 'stable' | 'rollout'>): string {
  const open = findings.filter(({ verdict }) => verdict === 'hold')
  const needed = open.find(({ what }) => what === 'requests')?.limit ?? 0
  const lacking = [rollout, stable].flatMap(({ version, requests }) =>
    requests >= needed ? [] : [`${count(needed - requests)} more requests of @${version}`],
  )
  if (lacking.length > 0) return `${lacking.join(' and ')} (${count(needed)} of each are needed)`
  return open.map(({ summary }) => summary).join('; ')
}

/** @throws usage `REASON_MISSING` */
export function assertForced(force: boolean, reason: string | undefined): void {
  if (!force || reason !== undefined) return
  throw usage({
    code: 'REASON_MISSING',
    message: 'Going on without data needs a reason, which is kept in the history.',
    hint: 'Say why: --force --reason "no traffic at night, checked by hand"',
  })
}
