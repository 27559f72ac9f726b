/** From a plan, or from the event of an earlier run, to what `promote` answers. Pure. */
import type { ModelEvent } from '../../store/events.ts'
import { onlyApprovalMissing } from '../gate/gate.ts'
import { approvalsOfEvent } from '../versions/history.ts'
import type { PromotePlan } from './plan.ts'
import type { PromoteResult } from './types.ts'

const rolloutOf = (steps: readonly number[] | null) => (steps === null ? null : { weight: steps[0] ?? 0, steps })

export function resultOfPlan(plan: PromotePlan, outcome: PromoteResult['outcome']): PromoteResult {
  const { model, stage, version, from, gate, already } = plan
  return {
    outcome,
    repeated: false,
    passes: gate.verdict === 'pass' || already,
    awaitsApproval: !already && onlyApprovalMissing(gate),
    model,
    stage,
    version,
    from: from?.version ?? null,
    gate: already ? null : gate,
    approvals: plan.approvals,
    approvalsMissing: already ? 0 : plan.approvalsMissing,
    uncounted: already ? [] : plan.uncounted,
    reason: plan.reason,
    event: null,
    changes: plan.changes,
    health: plan.health,
    rollout: rolloutOf(plan.rollout),
    since: already && from !== null ? { time: from.since, by: from.by } : null,
  }
}

/** What an earlier run with the same idempotency key did. */
export function resultOfEvent(event: PromotionEvent): PromoteResult {
  const { body } = event
  const isStart = event.type === 'rollout'
  return {
    outcome: isStart ? 'rollout started' : 'promoted',
    repeated: true,
    passes: true,
    awaitsApproval: false,
    model: event.model,
    stage: body.stage,
    version: body.version,
    from: body.from,
    gate: body.gate ?? null,
    approvals: approvalsOfEvent(event),
    approvalsMissing: 0,
    uncounted: [],
    reason: body.reason ?? null,
    event: { seq: event.seq, time: event.time },
    changes: null,
    health: null,
    since: null,
    rollout: isStart ? { weight: event.body.weight, steps: event.body.steps } : null,
  }
}

/** What a promotion commits. */
export type PromotionEvent = Extract<ModelEvent, { type: 'promote' | 'rollout' }>
