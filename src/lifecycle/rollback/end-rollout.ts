/** A rollback while a version is rolled out: it ends that, and moves nothing. */
import type { Context } from '../../core/context.ts'
import type { ModelState } from '../../store/fold.ts'
import type { Store } from '../../store/store.ts'
import type { Operation } from '../operation.ts'
import { changeRollout } from '../rollouts/change.ts'
import type { RolloutEvent, RunningRollout } from '../rollouts/running.ts'
import { tellServices } from '../serving/services.ts'
import { behind, type RollbackResult } from './result.ts'
import type { RollbackRequest } from './rollback.ts'

interface Ending {
  readonly ctx: Context
  readonly store: Store
  readonly state: ModelState
  readonly request: RollbackRequest
  readonly op: Operation
  readonly reason: string | undefined
  readonly approvals: number
}

/**
 * A rollback while a version is rolled out takes that one's traffic away, and goes no step further back: what was new
 * since all was well is the rollout. Nothing new is served, so no byte has to be read and no fit looked at.
 */
export async function endRollout(
  { ctx, store, state, request, op, reason, approvals }: Ending,
  running: RunningRollout,
): Promise<RollbackResult> {
  const ended = resultOfEnd(state, running, approvals, reason)
  if (request.dryRun === true) return { ...ended, outcome: 'planned' }
  const event = await changeRollout(ctx, store, state, running, op, { action: 'abort', weight: 0, reason })
  const services = await tellServices(ctx, store, state, running.stage, request.wait)
  return {
    ...ended,
    event: { seq: event.seq, time: event.time },
    ...(services === undefined ? {} : { services }),
  }
}

function resultOfEnd(
  state: ModelState,
  { model, stage, version, weight, stable }: Pick<RunningRollout, 'model' | 'stage' | 'version' | 'weight' | 'stable'>,
  approvals: number,
  reason: string | undefined,
): RollbackResult {
  return {
    outcome: 'rollout ended',
    repeated: false,
    model,
    stage,
    version: stable.version,
    from: version,
    restores: stable.seq,
    held: stable.since,
    fit: { verdict: 'skipped', summary: 'the version that holds the stage is served already' },
    reason: reason ?? null,
    event: null,
    approvals,
    before: behind(state, stage, stable.seq),
    rollout: { version, weight },
  }
}

/** An earlier run with the same idempotency key ended a rollout. */
export function resultOfAbort(state: ModelState, event: RolloutEvent, approvals: number): RollbackResult {
  const { stage, version, reason } = event.body
  const entry = state.events[event.seq - 1]?.stages[stage]
  const weight = state.events[event.seq - 2]?.stages[stage]?.rollout?.weight ?? 0
  const held = entry === undefined ? undefined : state.events[entry.seq - 1]
  const stable = {
    version: entry?.version ?? event.body.from,
    manifest: entry?.manifest ?? '',
    seq: entry?.seq ?? 0,
    since: held?.time ?? '',
    by: held?.actor.name ?? '',
  }
  const ended = resultOfEnd(state, { model: event.model, stage, version, weight, stable }, approvals, reason)
  return { ...ended, repeated: true, event: { seq: event.seq, time: event.time } }
}
