/**
 * The next step of a rollout, where the comparison allows it; the last one is the promotion. `auto`, for a scheduler, also
 * ends a rollout whose version is worse: all traffic goes back to the version that holds the stage.
 */
import type { Context } from '../core/context.ts'
import { given } from '../core/given.ts'
import { type Operation, operation, repeated } from '../lifecycle/operation.ts'
import { reasonOf } from '../lifecycle/promote/approval.ts'
import { promote } from '../lifecycle/promote/promote.ts'
import type { PromoteRequest, PromoteResult } from '../lifecycle/promote/types.ts'
import { changeRollout } from '../lifecycle/rollouts/change.ts'
import { marginsChanged } from '../lifecycle/rollouts/margins.ts'
import type { RolloutEvent, RunningRollout } from '../lifecycle/rollouts/running.ts'
import { awaitServices, runningOf, type Services, tellServices } from '../lifecycle/serving/services.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { ModelEvent } from '../store/events.ts'
import type { ModelState } from '../store/fold.ts'
import type { Store } from '../store/store.ts'
import { type Comparison, compareToDecide, recorded } from './compare.ts'
import { findRollout, rolloutsOf } from './find.ts'
import { assertForced, breached, held, keptOut } from './refusal.ts'

export interface AdvanceRequest
  extends Pick<PromoteRequest, 'approve' | 'askApproval' | 'reread' | 'test' | 'wait' | 'idempotencyKey'> {
  readonly model: string
  readonly stage?: string
  /** Milliseconds back from now, within the step. It may find a breach; one of the whole step stays one. */
  readonly window?: number
  /** Goes on also where too little is known; needs a reason. Never past a breach. */
  readonly force?: boolean
  readonly reason?: string
  /** A breach ends the rollout, and too little data is an answer instead of an error. */
  readonly auto?: boolean
}

export interface AdvanceResult {
  /** `nothing`: no rollout is going on, which a scheduler takes for done. */
  readonly outcome: 'advanced' | 'promoted' | 'aborted' | 'held' | 'nothing'
  readonly repeated: boolean
  readonly model: string
  /** Null, as the version and the other one are, where there was nothing to do. */
  readonly stage: string | null
  readonly version: number | null
  /** The version that held the stage when this began. */
  readonly stable: number | null
  /** Percent of the traffic, before and after. */
  readonly from: number
  readonly to: number
  readonly reason: string | null
  /** Null where an earlier run with the same idempotency key did it. */
  readonly comparison: Comparison | null
  readonly event: { readonly seq: number; readonly time: string } | null
  /** Of the last step. */
  readonly promotion: PromoteResult | null
  readonly services?: Services
}

/**
 * @throws notFound `NO_ROLLOUT`; refused `ROLLOUT_BREACH`, `ROLLOUT_NOT_SERVED`; inconclusive `ROLLOUT_HOLD`; conflict `ROLLOUT_ENDED`,
 *   `IDEMPOTENCY_MISMATCH`; usage `REASON_MISSING`; of the last step what `promote` throws
 */
export async function advanceRollout(
  ctx: Context,
  project: Project,
  store: Store,
  request: AdvanceRequest,
): Promise<AdvanceResult> {
  const { model, stage, force = false, auto = false, idempotencyKey } = request
  const reason = reasonOf(request.reason)
  assertForced(force, reason)
  const op = operation(ctx, idempotencyKey, { type: 'rollout advance', model, stage: stage ?? null })
  const state = await store.models.state(model)
  const before = await doneBefore(ctx, project, store, state, request, op)
  if (before !== undefined) return before

  if (auto && rolloutsOf(state).every((each) => stage !== undefined && each.stage !== stage))
    return nothing(model, stage)
  const running = findRollout(state, stage)
  if (marginsChanged(state, running, modelConfig(project, model).rollout)) {
    ctx.warn(
      `The margins of the comparison (models.${model}.rollout of mlops.yaml) are not those that this rollout began with; its last step needs a new approval.`,
    )
  }
  const comparison = await compareToDecide(ctx, project, store, running, request.window)
  const scene: Scene = { ctx, project, store, state, running, request, op, comparison, reason }
  const { verdict } = comparison
  if (verdict === 'breach') {
    if (!auto) throw breached(running, comparison)
    return step(scene, { action: 'abort', weight: 0, why: reason ?? `breach: ${comparison.summary}` })
  }
  if (verdict === 'hold' && !force) {
    if (!auto) throw held(running, comparison)
    return { ...common(scene), outcome: 'held', to: running.weight, event: null }
  }
  if (running.next < 100) return step(scene, { action: 'advance', weight: running.next, why: reason })
  return complete(scene)
}

/** The scheduler comes once more after the end: that is no failure. */
const nothing = (model: string, stage: string | undefined): AdvanceResult => ({
  outcome: 'nothing',
  repeated: false,
  model,
  stage: stage ?? null,
  version: null,
  stable: null,
  from: 0,
  to: 0,
  reason: null,
  comparison: null,
  event: null,
  promotion: null,
})

interface Scene {
  readonly ctx: Context
  readonly project: Project
  readonly store: Store
  readonly state: ModelState
  readonly running: RunningRollout
  readonly request: AdvanceRequest
  readonly op: Operation
  readonly comparison: Comparison
  readonly reason: string | undefined
}

const common = ({ running, comparison, reason }: Scene) => ({
  repeated: false,
  model: running.model,
  stage: running.stage,
  version: running.version,
  stable: running.stable.version,
  from: running.weight,
  reason: reason ?? null,
  comparison,
  promotion: null,
})

interface Step {
  readonly action: 'advance' | 'abort'
  readonly weight: number
  readonly why: string | undefined
}

async function step(scene: Scene, { action, weight, why }: Step): Promise<AdvanceResult> {
  const { ctx, store, state, running, op, comparison, request } = scene
  const change = { action, weight, reason: why, comparison: recorded(comparison) }
  const event = await changeRollout(ctx, store, state, running, op, change)
  const services = await tellServices(ctx, store, state, running.stage, request.wait)
  return {
    ...common(scene),
    outcome: action === 'abort' ? 'aborted' : 'advanced',
    to: weight,
    reason: why ?? null,
    event: { seq: event.seq, time: event.time },
    ...given({ services }),
  }
}

/** The gate is judged again, and the stage moves. */
async function complete(scene: Scene): Promise<AdvanceResult> {
  const { ctx, project, store, running, request, comparison, reason } = scene
  const { approve, askApproval, reread, test, wait, idempotencyKey } = request
  await assertServed(scene)
  const promotion = await promote(ctx, project, store, {
    ref: { model: running.model, selector: { version: running.version } },
    stage: running.stage,
    completes: running.start,
    comparison: recorded(comparison),
    reason: reason ?? `its rollout: ${comparison.verdict}; ${comparison.summary}`,
    ...given({ approve, askApproval, reread, test, wait, idempotencyKey }),
  })
  const { event, services, ...rest } = promotion
  return {
    ...common(scene),
    outcome: 'promoted',
    to: 100,
    reason: promotion.reason,
    event,
    promotion: { ...rest, event },
    ...given({ services }),
  }
}

/**
 * The stage goes to no version that the running services say they do not serve, whatever forces it. Where none says
 * anything nothing is known, and what cannot be read is no word of theirs.
 * @throws refused `ROLLOUT_NOT_SERVED`
 */
async function assertServed({ ctx, store, state, running }: Scene): Promise<void> {
  const found = await awaitServices(ctx, store, state, running.stage, 0).catch((error: Error) => {
    ctx.warn(`What the running services serve cannot be read: ${error.message}`)
    return undefined
  })
  const services = found === undefined ? [] : runningOf(found.services)
  if (services.length > 0 && services.every(({ rollout }) => rollout?.version !== running.version)) {
    throw keptOut(running, services)
  }
}

/** What an earlier run with the same idempotency key did: a step, the end after a breach, or the promotion. */
async function doneBefore(
  ctx: Context,
  project: Project,
  store: Store,
  state: ModelState,
  request: AdvanceRequest,
  op: Operation,
): Promise<AdvanceResult | undefined> {
  const event = state.events.find(({ op_id }) => op_id === op.opId)
  if (event?.type === 'promote' && event.body.rollout !== undefined) {
    const { stage, version, rollout } = event.body
    const promotion = await promote(ctx, project, store, {
      ref: { model: request.model, selector: { version } },
      stage,
      completes: rollout,
      ...given({ approve: request.approve, idempotencyKey: request.idempotencyKey }),
    })
    return { ...resultOf(state, event, promotion.reason), outcome: 'promoted', to: 100, promotion }
  }
  const earlier = repeated(state, op)
  if (earlier?.type !== 'rollout') return undefined
  await store.models.commit(state, earlier)
  const { action, weight, reason } = earlier.body
  return {
    ...resultOf(state, earlier, reason ?? null),
    outcome: action === 'abort' ? 'aborted' : 'advanced',
    to: weight,
    promotion: null,
  }
}

const resultOf = (
  { events, model }: ModelState,
  event: RolloutEvent | Extract<ModelEvent, { type: 'promote' }>,
  reason: string | null,
) => ({
  repeated: true,
  model,
  stage: event.body.stage,
  version: event.body.version,
  stable: event.body.from ?? 0,
  from: events[event.seq - 2]?.stages[event.body.stage]?.rollout?.weight ?? 0,
  reason,
  comparison: null,
  event: { seq: event.seq, time: event.time },
})
