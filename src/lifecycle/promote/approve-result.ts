/** From a plan, or from the event of an earlier run, to what `approve` answers. Pure. */
import type { ModelEvent } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import { failingChecks } from '../gate/gate.ts'
import type { GateRules } from '../gate/rules.ts'
import { standing } from '../operation.ts'
import type { ApproveResult } from './approve.ts'
import type { PromotePlan } from './plan.ts'
import type { CountedApprovals } from './standing-approvals.ts'

/** @param done the word and its event, where one was given */
export function resultOfApproval(
  plan: PromotePlan,
  outcome: ApproveResult['outcome'],
  done: Partial<Pick<ApproveResult, 'approval' | 'event'>> = {},
): ApproveResult {
  const { model, stage, version, from, gate, already } = plan
  return {
    outcome,
    repeated: false,
    model,
    stage,
    version,
    from: from?.version ?? null,
    approval: done.approval ?? null,
    approvals: plan.approvals,
    approvalsMissing: already ? 0 : plan.approvalsMissing,
    uncounted: already ? [] : plan.uncounted,
    passes: already || failingChecks(gate).every(({ name }) => name === 'approval'),
    gate: already ? null : gate,
    changes: plan.changes,
    health: plan.health,
    event: done.event ?? null,
  }
}

/** What an earlier run with the same idempotency key did, and whose word counts now. */
export function approvedEarlier(
  state: ModelState,
  event: Extract<ModelEvent, { type: 'approve' }>,
  rules: Pick<GateRules, 'approval'>,
  { counted, uncounted }: CountedApprovals,
): ApproveResult {
  const { stage, version, approval } = event.body
  const now = standing(state, stage)
  return {
    outcome: 'approved',
    repeated: true,
    model: state.model,
    stage,
    version,
    from: now?.version ?? null,
    approval: { ...approval, time: event.time },
    approvals: counted,
    // Once it is in the stage its words are used, and nothing is missing.
    approvalsMissing: now?.version === version ? 0 : Math.max(0, rules.approval - counted.length),
    uncounted,
    passes: true,
    gate: null,
    changes: null,
    health: null,
    event: { seq: event.seq, time: event.time },
  }
}
