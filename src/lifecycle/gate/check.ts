/**
 * `gate check`: the verdict that a promotion would reach now, with everything it looks at, and nothing written. What is
 * judged is decided in `gate.ts`; the facts are those of `promote`.
 */
import type { Context } from '../../core/context.ts'
import type { ModelRef } from '../../core/names.ts'
import type { Project } from '../../project/config.ts'
import type { Gate } from '../../project/gate-config.ts'
import { missingConfig } from '../../project/load.ts'
import type { GateResult } from '../../store/events.ts'
import type { Store } from '../../store/store.ts'
import { assertStage } from '../operation.ts'
import type { PromotePlan } from '../promote/plan.ts'
import { createPlanner } from '../promote/planner.ts'
import type { UncountedApproval } from '../promote/standing-approvals.ts'
import { failingChecks, isWaiting, onlyApprovalMissing } from './gate.ts'

export interface GateCheckRequest {
  /** The model alone means its newest version. */
  readonly ref: ModelRef
  readonly stage: string
  /** A policy's own gate, which must hold besides the stage's. */
  readonly validation?: Gate
  /** The version's test set, where its run does not say where it lies. */
  readonly test?: string
  /** Leave people's approvals out: what can be said before anybody has looked. */
  readonly withoutApproval: boolean
}

export interface GateReport {
  readonly model: string
  readonly version: number
  readonly stage: string
  /** Who holds the stage now. */
  readonly from: number | null
  /** The event that put it there: a version that comes back to a stage holds it by another one. */
  readonly fromSeq: number | null
  /** The version holds the stage already; the verdict is what a move would meet all the same. */
  readonly alreadyThere: boolean
  /** `inconclusive`: nothing fails, and something could not be judged. A missing approval is a `fail`. */
  readonly verdict: 'pass' | 'fail' | 'inconclusive'
  /** Everything but a person's yes is there. */
  readonly awaitsApproval: boolean
  /** How many more people must approve. */
  readonly approvalsMissing: number
  readonly withoutApproval: boolean
  /** Words that do not count, and why; none where approvals are left out. */
  readonly uncounted: readonly UncountedApproval[]
  /** `waiting`: those of `fail` that a person's yes alone is missing from. */
  readonly counts: Readonly<Record<'pass' | 'waived' | 'inconclusive' | 'fail' | 'waiting', number>>
  readonly gate: GateResult
}

/**
 * @throws usage `STAGE_UNKNOWN`; notFound `MODEL_NOT_FOUND`, `VERSION_NOT_FOUND`; whatever the store throws for damaged
 *   bytes of a version that has to be run
 */
export async function checkGate(
  ctx: Context,
  project: Project,
  store: Store,
  request: GateCheckRequest,
): Promise<GateReport> {
  const { ref, stage, withoutApproval } = request
  assertStage(project, stage)
  const doubt = missingConfig(project, ref.model)
  if (doubt !== undefined) ctx.warn(doubt)
  const planner = createPlanner(ctx, project, store, { ...request, reason: undefined })
  const plan = await planner.plan(await store.models.state(ref.model), { given: [] })
  const gate = withoutApproval ? withoutPeople(plan.gate) : plan.gate
  const count = (verdict: GateReport['verdict'] | 'waived'): number =>
    gate.checks.filter((check) => check.verdict === verdict).length
  return {
    ...judged(plan, gate),
    awaitsApproval: onlyApprovalMissing(gate),
    approvalsMissing: plan.approvalsMissing,
    withoutApproval,
    uncounted: withoutApproval ? [] : plan.uncounted,
    counts: {
      pass: count('pass'),
      waived: count('waived'),
      inconclusive: count('inconclusive'),
      fail: count('fail'),
      waiting: gate.checks.filter(isWaiting).length,
    },
  }
}

/** What of a verdict a proposal is held against. */
export type Judged = Pick<
  GateReport,
  'model' | 'version' | 'stage' | 'from' | 'fromSeq' | 'alreadyThere' | 'verdict' | 'gate'
>

/** A plan as `gate propose` and `gate confirm` judge it: whose word there is does not belong to it. */
export const judgedWithoutPeople = (plan: PromotePlan): Judged => judged(plan, withoutPeople(plan.gate))

function judged({ model, version, stage, from, already }: PromotePlan, gate: GateResult): Judged {
  const failing = failingChecks(gate)
  return {
    model,
    version,
    stage,
    from: from?.version ?? null,
    fromSeq: from?.seq ?? null,
    alreadyThere: already,
    verdict:
      failing.length === 0 ? 'pass' : failing.some(({ verdict }) => verdict === 'fail') ? 'fail' : 'inconclusive',
    gate,
  }
}

function withoutPeople(gate: GateResult): GateResult {
  const checks = gate.checks.filter(({ name }) => name !== 'approval')
  const isIn = checks.every(({ verdict }) => verdict === 'pass' || verdict === 'waived')
  return { ...gate, verdict: isIn ? 'pass' : 'fail', checks }
}
