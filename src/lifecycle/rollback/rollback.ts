/**
 * Moves a stage back to a version that held it before: plan, re-hash, fit to today's data, compare-and-swap.
 * No gate and no approval: it restores what was approved once, and must work at night.
 */
import type { Context } from '../../core/context.ts'
import { refused } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import { promotionCommand } from '../../core/next-command.ts'
import type { Project } from '../../project/config.ts'
import { modelConfig } from '../../project/load.ts'
import type { EventDraft, RollbackBody } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import type { Store } from '../../store/store.ts'
import { gateRules } from '../gate/rules.ts'
import { assertStage, commitMove, movedOnSince, type Operation, operation, repeated, versionAt } from '../operation.ts'
import { reasonOf } from '../promote/approval.ts'
import { tagMove } from '../promote/tag-move.ts'
import { runningRollout } from '../rollouts/running.ts'
import { warnOfKeepers } from '../serving/forecast.ts'
import { tellServices } from '../serving/services.ts'
import { assertIntact, verifyVersion } from '../versions/integrity.ts'
import { endRollout, resultOfAbort } from './end-rollout.ts'
import { determineFit, type Fit, isUnfit } from './fit.ts'
import type { FitEvaluation } from './fit-evaluation.ts'
import { rolledBackMeanwhile } from './meanwhile.ts'
import { planRollback, type RollbackPlan, wayBack } from './plan.ts'
import { type RollbackResult, result, resultOfEvent } from './result.ts'

export type { RollbackResult } from './result.ts'

export interface RollbackRequest {
  readonly model: string
  readonly stage: string
  /** The version to go back to; the previous holder when undefined. */
  readonly to?: number
  readonly reason?: string
  /** Today's data, to compare the old version's own baseline with. */
  readonly current?: string
  /** False for `--no-verify`: the fit is not looked at. Bytes are verified always. */
  readonly verify?: boolean
  /** Why the fit cannot be determined at all: the configuration could not be read. */
  readonly unknown?: string
  readonly dryRun?: boolean
  /** Milliseconds that running services are waited for once it is done; undefined: they are not looked at. */
  readonly wait?: number
  readonly idempotencyKey?: string
  /** When the command was started: a rollback by anybody since then was not known to whoever typed it. */
  readonly started?: Date
  /** Asked when the old version does not fit today's data; may throw `unfitRefused`. Not given: goes on. */
  readonly confirmUnfit?: (plan: RollbackPlan, fit: Fit) => Promise<boolean>
}

/**
 * @throws notFound `STAGE_EMPTY`, `NOTHING_BEFORE`, `NEVER_HELD`; refused `ROLLBACK_FORWARD`, `ROLLBACK_DECLINED`;
 *   conflict `STAGE_MOVED`, `IDEMPOTENCY_MISMATCH`; failed `VERSION_DAMAGED`
 */
export async function rollback(
  ctx: Context,
  project: Project,
  store: Store,
  request: RollbackRequest,
): Promise<RollbackResult> {
  const { model, stage, to } = request
  const reason = reasonOf(request.reason)
  const op = operation(ctx, request.idempotencyKey, { type: 'rollback', model, stage, to: to ?? null })
  const { approval: approvals } = gateRules(modelConfig(project, model), stage)
  const state = await store.models.state(model)
  // A stage that holds a version can go back, whatever mlops.yaml says of stages tonight.
  if (!Object.hasOwn(state.stages, stage)) assertStage(project, stage)
  const earlier = request.dryRun === true ? undefined : repeated(state, op)
  if (earlier?.type === 'rollback') {
    // Commits nothing: makes sure that what stands in the log is durable, should its writer have died.
    await store.models.commit(state, earlier)
    const since = movedOnSince(state, stage, earlier)
    if (since !== undefined) ctx.warn(since)
    return resultOfEvent(state, earlier, approvals)
  }
  if (earlier?.type === 'rollout') {
    await store.models.commit(state, earlier)
    return resultOfAbort(state, earlier, approvals)
  }

  const faster = to === undefined ? rolledBackMeanwhile(state, stage, { ...ctx, started: request.started }) : undefined
  if (faster !== undefined && request.dryRun !== true) throw faster
  if (faster !== undefined) ctx.warn(`Without --dry-run this is refused: ${faster.message}`)
  const running = runningRollout(state, stage)
  if (running !== null && (to === undefined || to === running.stable.version)) {
    return endRollout({ ctx, store, state, request, op, reason, approvals }, running)
  }
  const plan = planRollback(state, stage, to, approvals)
  const unlooked: Fit = { verdict: 'skipped', summary: 'nothing to move' }
  if (plan.already) return result(state, plan, 'already there', unlooked, reason, approvals)
  await assertIntact(ctx, store, model, versionAt(state, plan.version), {
    tolerate: 'evidence',
    hint: () => hintForDamaged(ctx, store, state, plan, approvals),
  })
  const fit = await determineFit(ctx, project, store, {
    model,
    version: plan.version,
    stage,
    from: plan.from.version,
    current: request.current,
    verify: request.verify ?? true,
    unknown: request.unknown,
  })
  await warnOfKeepers(ctx, project, store, state, stage, plan.version)
  if (request.dryRun === true) return result(state, plan, 'planned', fit, reason, approvals)
  if (isUnfit(fit) && request.confirmUnfit !== undefined && !(await request.confirmUnfit(plan, fit))) {
    throw refused({
      code: 'ROLLBACK_DECLINED',
      message: `Not rolled back: ${stage} of ${model} stays at ${versionName(model, plan.from.version)}.`,
    })
  }
  const draft = draftOf(ctx, op, plan, fit, reason)
  const event = await commitMove(store, state, { stage, from: plan.from, essence: essence(plan), draft }, async (now) =>
    essence(planRollback(now, stage, to, approvals)),
  )
  const gitTags = await tagMove(ctx, project, store, state, event)
  const services = await tellServices(ctx, store, state, stage, request.wait)
  return {
    ...result(state, plan, 'rolled back', fit, reason, approvals),
    event: { seq: event.seq, time: event.time },
    gitTags,
    ...(services === undefined ? {} : { services }),
  }
}

const essence = ({ from, version, manifest, restores }: RollbackPlan): string =>
  `${from.seq} ${version} ${manifest} ${restores}`

function draftOf(
  ctx: Context,
  { opId, request }: Operation,
  plan: RollbackPlan,
  fit: Fit,
  reason: string | undefined,
): EventDraft {
  const { stage, version, from, restores } = plan
  return {
    op_id: opId,
    request,
    type: 'rollback',
    expect: { [stage]: from.seq },
    body: {
      stage,
      version,
      from: from.version,
      restores,
      fit: fit.verdict,
      ...(fit.evaluation === undefined ? {} : { evaluation: evaluationOf(fit.evaluation) }),
      ...(reason === undefined ? {} : { reason }),
    },
    actor: ctx.actor,
    tool: ctx.tool,
    time: ctx.now().toISOString(),
  }
}

/** The figures that decided: a command may print hundreds, and an event is for people to read. */
function evaluationOf({ rows, metrics, verdict }: FitEvaluation): NonNullable<RollbackBody['evaluation']> {
  const now = Object.fromEntries(metrics.map((each) => [each.metric, each.now]))
  const recorded = metrics.flatMap(({ metric, registered }) => (registered === null ? [] : [[metric, registered]]))
  // biome-ignore lint/suspicious/noThenProperty: as the event has it; a number is no thenable
  return { rows, now, then: Object.fromEntries(recorded), verdict }
}

/** The next sound place to go, when the nearest one is damaged: others may be damaged with it. */
async function hintForDamaged(
  ctx: Context,
  store: Store,
  state: ModelState,
  { model, stage, version, from }: RollbackPlan,
  approvals: number,
): Promise<string> {
  const others = new Set(wayBack(state, stage).map((entry) => entry.version))
  for (const other of others) {
    if (other === version || other === from.version) continue
    const { damage } = await verifyVersion(ctx, store, model, versionAt(state, other))
    if (damage.some(({ kind }) => kind === 'model')) continue
    return `Go to another version, whose files are intact: mlops rollback ${model}${flag(stage)} --to ${other}`
  }
  const copy = 'Restore the files named above from a copy of the store (storing the same file again mends it, too)'
  return `${copy}; or put another version there: ${promotionCommand(`${model}@V`, stage, approvals)}`
}

const flag = (stage: string): string => (stage === 'production' ? '' : ` --stage ${stage}`)
