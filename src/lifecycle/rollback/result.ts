/** What a rollback answers, from its plan or from the event of an earlier run. Pure. */
import type { ModelEvent } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import type { Services } from '../serving/services.ts'
import type { Fit } from './fit.ts'
import { type RollbackPlan, wayBack } from './plan.ts'

export interface RollbackResult {
  readonly outcome: 'rolled back' | 'rollout ended' | 'already there' | 'planned'
  readonly repeated: boolean
  readonly model: string
  readonly stage: string
  readonly version: number
  readonly from: number
  /** The event whose entry was restored. */
  readonly restores: number
  /** When the version had been put there. */
  readonly held: string
  readonly fit: Fit
  readonly reason: string | null
  readonly event: { readonly seq: number; readonly time: string } | null
  /** How many people the gate of the stage asks for, should it go forward again. */
  readonly approvals: number
  /** The versions that further rollbacks would restore, the next one first. */
  readonly before: readonly number[]
  /** Tags that were made in the project's git repository, where `git_tags` is on. */
  readonly gitTags?: readonly string[]
  /** The rollout that this ended: the version that was rolled out, and its share of the traffic. Null where none was on. */
  readonly rollout: { readonly version: number; readonly weight: number } | null
  /** What running services made of it; absent where none says anything, or nobody asked. */
  readonly services?: Services
}

export function result(
  state: ModelState,
  plan: RollbackPlan,
  outcome: RollbackResult['outcome'],
  fit: Fit,
  reason: string | undefined,
  approvals: number,
): RollbackResult {
  const { model, stage, version, from, restores, held } = plan
  return {
    outcome,
    repeated: false,
    model,
    stage,
    version,
    from: from.version,
    restores,
    held,
    fit,
    reason: reason ?? null,
    event: null,
    approvals,
    before: behind(state, stage, restores),
    rollout: outcome === 'already there' ? null : rolledOut(state, stage),
  }
}

function rolledOut({ stages }: Pick<ModelState, 'stages'>, stage: string): RollbackResult['rollout'] {
  const running = stages[stage]?.rollout
  return running === undefined ? null : { version: running.version, weight: running.weight }
}

/** What lies behind an entry on the way back. */
export function behind(state: ModelState, stage: string, seq: number): number[] {
  const entry = state.events[seq - 1]?.stages[stage]
  if (entry === undefined) return []
  return wayBack({ ...state, stages: { [stage]: entry } }, stage).map(({ version }) => version)
}

export function resultOfEvent(
  state: ModelState,
  event: Extract<ModelEvent, { type: 'rollback' }>,
  approvals: number,
): RollbackResult {
  const { body } = event
  return {
    outcome: 'rolled back',
    repeated: true,
    model: event.model,
    stage: body.stage,
    version: body.version,
    from: body.from,
    restores: body.restores,
    held: state.events[body.restores - 1]?.time ?? '',
    fit: { verdict: body.fit, summary: 'as recorded then' },
    reason: body.reason ?? null,
    event: { seq: event.seq, time: event.time },
    approvals,
    before: behind(state, body.stage, body.restores),
    rollout: rolledOut({ stages: state.events[event.seq - 2]?.stages ?? {} }, body.stage),
  }
}
