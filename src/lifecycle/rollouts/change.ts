/**
 * Advancing and aborting a rollout as events: written once, compare-and-swap, repeatable by an idempotency key. Neither
 * moves the stage. Whether to do it is decided by who calls: `src/rollout/`, and a rollback.
 */
import type { Context } from '../../core/context.ts'
import type { EventDraft, RolloutBody } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import type { Store } from '../../store/store.ts'
import type { Operation } from '../operation.ts'
import { type RolloutEvent, type RunningRollout, rolloutEnded, runningRollout } from './running.ts'

export interface RolloutChange {
  readonly action: 'advance' | 'abort'
  /** Of an `advance`: below 100. */
  readonly weight: number
  readonly reason: string | undefined
  readonly comparison?: RolloutBody['comparison']
}

/**
 * @param state the one that `running` was read from
 * @throws conflict `ROLLOUT_ENDED` where somebody else changed the rollout meanwhile; `IDEMPOTENCY_MISMATCH`
 */
export async function changeRollout(
  ctx: Context,
  store: Store,
  state: ModelState,
  running: RunningRollout,
  op: Operation,
  change: RolloutChange,
): Promise<RolloutEvent> {
  const draft = draftOf(ctx, running, op, change)
  let latest = state
  for (;;) {
    const outcome = await store.models.commit(latest, draft)
    if (outcome.kind !== 'lost') return outcome.event as RolloutEvent
    latest = outcome.state
    // A registration or an approval in between changes nothing; another weight, or none, does.
    if (runningRollout(latest, running.stage)?.seq !== running.seq) throw rolloutEnded(latest, running.stage)
  }
}

function draftOf(
  ctx: Context,
  { stage, version, stable, steps }: RunningRollout,
  { opId, request }: Operation,
  { action, weight, reason, comparison }: RolloutChange,
): EventDraft {
  return {
    op_id: opId,
    request,
    type: 'rollout',
    expect: { [stage]: stable.seq },
    body: {
      stage,
      version,
      from: stable.version,
      action,
      weight: action === 'abort' ? 0 : weight,
      steps,
      ...(reason === undefined ? {} : { reason }),
      ...(comparison === undefined ? {} : { comparison }),
    },
    actor: ctx.actor,
    tool: ctx.tool,
    time: ctx.now().toISOString(),
  }
}
