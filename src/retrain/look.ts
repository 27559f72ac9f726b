/** Looks at what the trigger of a policy is about: the last check, realised quality, hashes, times. Reads only. */

import type { Context } from '../core/context.ts'
import { inconclusive, notFound } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import type { CheckResult } from '../drift/types.ts'
import { isHistoric, isSmallCheck } from '../lifecycle/status/health.ts'
import type { Project } from '../project/config.ts'
import { nextMove } from '../project/next-move.ts'
import type { Policy, Trigger } from '../project/policy.ts'
import type { CheckRecord, Store } from '../store/store.ts'
import { identitiesOf } from './data-identity.ts'
import { judgeMetric } from './metric-trigger.ts'
import type { RetrainSteps } from './steps.ts'
import {
  type Champion,
  type Finding,
  judgeDrift,
  judgeNewData,
  judgeSchedule,
  manualFinding,
  notJudged,
} from './trigger.ts'

export interface TriggerRequest {
  readonly reason: string | undefined
  /** `--current DATA`: check this batch now instead of looking at the last check. */
  readonly current: string | undefined
  /** What cannot be looked at does not matter. */
  readonly tolerant: boolean
}

type Looks = Pick<RetrainSteps, 'check' | 'checkNow' | 'realisedNow'>

/**
 * @throws inconclusive `CHECK_MISSING`, `LABELS_TOO_FEW`, `METRIC_NOT_GIVEN`; notFound `STAGE_EMPTY`, `DATA_NOT_FOUND`;
 *   whatever a drift check throws. If tolerant, a trigger that cannot be judged does not fire, and says why.
 */
export async function lookAtTrigger(
  ctx: Context,
  project: Project,
  store: Store,
  policy: Policy,
  champion: Champion | null,
  request: TriggerRequest,
  steps: Looks,
): Promise<Finding> {
  const { model, trigger } = policy
  if (trigger.type === 'manual') return manualFinding(request.reason)
  if (request.current !== undefined && trigger.type !== 'drift') {
    ctx.warn(`--current is not looked at: the trigger of ${policy.file} is ${trigger.type}, not drift.`)
  }
  try {
    if (champion === null) throw noChampion(project, model)
    if (trigger.type === 'drift')
      return await lookAtDrift(ctx, project, store, model, trigger, champion, request, steps)
    if (trigger.type === 'schedule') return judgeSchedule(trigger.every, champion, model, ctx.now())
    if (trigger.type === 'metric') {
      ctx.progress?.(`joining labels with the answers of ${versionName(model, champion.version)}`)
      const wanted = { model, version: champion.version, window: trigger.window }
      return judgeMetric(trigger, await steps.realisedNow(ctx, project, store, wanted), champion, model)
    }
    ctx.progress?.(`hashing ${trigger.data}`)
    return judgeNewData(trigger.data, await identitiesOf(ctx, trigger.data, project.root), champion, model)
  } catch (error) {
    if (!request.tolerant) throw error
    return notJudged(trigger.type, error instanceof Error ? error.message : String(error))
  }
}

async function lookAtDrift(
  ctx: Context,
  project: Project,
  store: Store,
  model: string,
  trigger: Extract<Trigger, { type: 'drift' }>,
  champion: Champion,
  { current }: TriggerRequest,
  steps: Looks,
): Promise<Finding> {
  const { version } = champion
  if (current !== undefined) {
    ctx.progress?.(`checking ${current} for drift`)
    return judgeDrift(
      trigger,
      await steps.check(ctx, project, store, { ref: { model, selector: { version } }, current }),
    )
  }
  ctx.progress?.(`checking the predictions of ${versionName(model, version)} for drift`)
  const now = await steps.checkNow(ctx, project, store, { model, version, window: trigger.window })
  // What is logged by now says more than an older check, unless it says nothing.
  if (now !== undefined && now.verdict !== 'inconclusive') return judgeDrift(trigger, now)
  return judgeDrift(trigger, await lastCheck(store, model, champion))
}

/** The last check of the version in production against its baseline; one on enough rows before a slice of a few. */
async function lastCheck(store: Store, model: string, champion: Champion): Promise<CheckResult> {
  const fits = ({ record, time }: CheckRecord): boolean => {
    const check = record as unknown as CheckResult
    if (check.version !== champion.version || !Array.isArray(check.columns)) return false
    if (check.purpose === 'rollback') return false
    // A look into the past is no reason to retrain today.
    if (check.window !== undefined && isHistoric(check.window, time)) return false
    return champion.baselines.includes(check.reference?.profile)
  }
  const isLarge = ({ record }: CheckRecord): boolean => {
    const { current, reference } = record as unknown as CheckResult
    return !isSmallCheck(current.rows, reference.rows)
  }
  const last =
    (await store.checks.newest(model, (check) => fits(check) && isLarge(check))) ??
    (await store.checks.newest(model, fits))
  if (last !== undefined) return last.record as unknown as CheckResult
  const name = versionName(model, champion.version)
  throw inconclusive({
    code: 'CHECK_MISSING',
    message: `${name} is in production, has no predictions in the log and was never checked for drift, so the trigger of the policy cannot be judged.`,
    hint: `Check a batch of production data and decide by it: mlops retrain ${model} --current DATA`,
    details: { model, version: champion.version },
  })
}

const noChampion = (project: Project, model: string) =>
  notFound({
    code: 'STAGE_EMPTY',
    message: `No version of ${model} is in production, so there is nothing that could need a successor.`,
    hint: `Put one there: ${nextMove(project, model, model, 'production')}. To train now all the same: mlops retrain ${model} --force`,
    details: { model, stage: 'production' },
  })
