/** Ends a rollout: all traffic goes back to the version that holds the stage, which did not move. */
import type { Context } from '../core/context.ts'
import { usage } from '../core/errors.ts'
import { given } from '../core/given.ts'
import { operation, repeated } from '../lifecycle/operation.ts'
import { reasonOf } from '../lifecycle/promote/approval.ts'
import { changeRollout } from '../lifecycle/rollouts/change.ts'
import type { RolloutEvent } from '../lifecycle/rollouts/running.ts'
import { type Services, tellServices } from '../lifecycle/serving/services.ts'
import type { ModelState } from '../store/fold.ts'
import type { Store } from '../store/store.ts'
import { findRollout } from './find.ts'

export interface AbortRequest {
  readonly model: string
  readonly stage?: string
  readonly reason: string
  readonly wait?: number
  readonly idempotencyKey?: string
}

export interface AbortResult {
  readonly repeated: boolean
  readonly model: string
  readonly stage: string
  /** The version that was rolled out, and its share of the traffic until now. */
  readonly version: number
  readonly from: number
  /** Who holds the stage, and has all of the traffic now. */
  readonly stable: number
  readonly reason: string
  readonly event: { readonly seq: number; readonly time: string }
  readonly services?: Services
}

/** @throws notFound `NO_ROLLOUT`; conflict `ROLLOUT_ENDED`, `IDEMPOTENCY_MISMATCH`; usage `REASON_MISSING` */
export async function abortRollout(ctx: Context, store: Store, request: AbortRequest): Promise<AbortResult> {
  const { model, stage, idempotencyKey } = request
  const reason = reasonOf(request.reason)
  if (reason === undefined) {
    throw usage({
      code: 'REASON_MISSING',
      message: 'Why is it aborted? That is kept in the history.',
      hint: 'Say it in a sentence: --reason "latency doubled"',
    })
  }
  const op = operation(ctx, idempotencyKey, { type: 'rollout abort', model, stage: stage ?? null })
  const state = await store.models.state(model)
  const earlier = repeated(state, op)
  if (earlier?.type === 'rollout') {
    await store.models.commit(state, earlier)
    return { ...resultOf(state, earlier), repeated: true }
  }
  const running = findRollout(state, stage)
  const event = await changeRollout(ctx, store, state, running, op, { action: 'abort', weight: 0, reason })
  const services = await tellServices(ctx, store, state, running.stage, request.wait)
  return { ...resultOf(await store.models.state(model), event), ...given({ services }) }
}

function resultOf({ events, model }: ModelState, { body, seq, time }: RolloutEvent): AbortResult {
  return {
    repeated: false,
    model,
    stage: body.stage,
    version: body.version,
    from: events[seq - 2]?.stages[body.stage]?.rollout?.weight ?? 0,
    stable: body.from,
    reason: body.reason ?? '',
    event: { seq, time },
  }
}
