/**
 * A person's word ahead of a move: shown the plan that `promote` shows, recorded as an event, moving nothing. It is bound
 * to the bytes of the version and to the rules of the stage; which words still count is decided in
 * `standing-approvals.ts`, and used by `promote`.
 */
import type { Context } from '../../core/context.ts'
import { usage } from '../../core/errors.ts'
import type { ModelRef } from '../../core/names.ts'
import type { Project } from '../../project/config.ts'
import { missingConfig } from '../../project/load.ts'
import type { Approval, EventDraft, GateResult } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import type { Store } from '../../store/store.ts'
import { failingChecks } from '../gate/gate.ts'
import {
  assertStage,
  changedMeanwhile,
  movedMeanwhile,
  type Operation,
  operation,
  repeated,
  standing,
} from '../operation.ts'
import type { VersionDiff } from '../versions/diff.ts'
import { approvalsOf, personOf, promptApproval, reasonOf } from './approval.ts'
import { approvedEarlier, resultOfApproval } from './approve-result.ts'
import { essenceForApproval, type PlanHealth, type PromotePlan } from './plan.ts'
import { createPlanner, type Planner } from './planner.ts'
import { declined, gateRefused, selfApproval } from './refusal.ts'
import type { UncountedApproval } from './standing-approvals.ts'
import type { Consent } from './types.ts'

export interface ApproveRequest {
  /** The version to approve; the model alone means its newest version. */
  readonly ref: ModelRef
  readonly stage: string
  /** Who approves, where nobody is asked at a terminal. */
  readonly name?: string
  readonly reason?: string
  /** Stop after the plan. */
  readonly dryRun?: boolean
  readonly idempotencyKey?: string
  /** The challenger's test set, where its run does not say where it lies. */
  readonly test?: string
  /** Shows the plan to the person at the terminal and asks; null is a no. Not given when nobody is there. */
  readonly ask?: (plan: PromotePlan) => Promise<Consent | null>
}

export interface ApproveResult {
  /** `already approved`: by this person, for the same bytes and rules. `already there`: the version holds the stage. */
  readonly outcome: 'approved' | 'already approved' | 'already there' | 'planned'
  /** An earlier run with the same idempotency key did it; this is its result. */
  readonly repeated: boolean
  readonly model: string
  readonly stage: string
  readonly version: number
  readonly from: number | null
  /** The word that was given, now or before; null where none was. */
  readonly approval: Approval | null
  /** All that count now. */
  readonly approvals: readonly Approval[]
  /** How many more people must approve. */
  readonly approvalsMissing: number
  /** Words that do not count, and why. */
  readonly uncounted: readonly UncountedApproval[]
  /** Every check but the approval passes. */
  readonly passes: boolean
  readonly gate: GateResult | null
  readonly changes: VersionDiff | null
  readonly health: PlanHealth | null
  readonly event: { readonly seq: number; readonly time: string } | null
}

/**
 * @throws refused `GATE_REFUSED`, `SELF_APPROVAL`, `APPROVAL_DECLINED`; usage `APPROVER_MISSING`, `REASON_MISSING`,
 *   `APPROVAL_INVALID`, `STAGE_UNKNOWN`; conflict `STAGE_MOVED`, `PLAN_CHANGED`, `IDEMPOTENCY_MISMATCH`
 */
export async function approve(
  ctx: Context,
  project: Project,
  store: Store,
  request: ApproveRequest,
): Promise<ApproveResult> {
  const { ref, stage, test } = request
  assertStage(project, stage)
  assertAnswerable(request)
  const [named] = approvalsOf(ctx, request.name === undefined ? [] : [request.name])
  const reason = reasonOf(request.reason)
  const doubt = missingConfig(project, ref.model)
  if (doubt !== undefined) ctx.warn(doubt)
  const asked = { type: 'approve', model: ref.model, selector: ref.selector ?? null, stage, name: named?.name ?? null }
  const op = operation(ctx, request.idempotencyKey, asked)
  const state = await store.models.state(ref.model)
  const earlier = request.dryRun === true ? undefined : repeated(state, op)
  if (earlier?.type === 'approve') {
    // Commits nothing: makes sure that what stands in the log is durable, should its writer have died.
    await store.models.commit(state, earlier)
    const version = { model: ref.model, selector: { version: earlier.body.version } }
    const { rules, count } = createPlanner(ctx, project, store, { ref: version, stage, test, reason: undefined })
    return approvedEarlier(state, earlier, rules, await count(state, { given: [] }))
  }

  const planner = createPlanner(ctx, project, store, { ref, stage, test, reason: undefined })
  const plan = await planner.plan(state, { given: [] })
  if (plan.already) return resultOfApproval(plan, 'already there')
  if (request.dryRun === true) return resultOfApproval(plan, 'planned')
  const own: Approval = named ?? promptApproval(ctx)
  const before = wordOf(plan, own)
  if (before !== undefined) return resultOfApproval(plan, 'already approved', { approval: before })
  await assertMayApprove(planner, state, plan, own)
  const consent = named === undefined ? await request.ask?.(plan) : {}
  if (consent == null) throw declined(plan)
  const why = reason ?? reasonOf(consent.reason)
  const approval: Approval = { ...own, ...(why === undefined ? {} : { reason: why }) }
  return record({ ctx, store, planner, op }, state, plan, approval)
}

/** What a person at a terminal is asked must be given elsewhere. */
function assertAnswerable({ name, reason, ask, dryRun, ref, stage }: ApproveRequest): void {
  if (ask !== undefined || dryRun === true) return
  const version = ref.selector === undefined ? ref.model : `${ref.model}@${Object.values(ref.selector)[0]}`
  const hint = `mlops approve ${version} --to ${stage} --as ${name ?? 'NAME'} --reason "why it may go there"`
  if (name === undefined) {
    throw usage({
      code: 'APPROVER_MISSING',
      message: 'There is nobody to ask, and no name was given: an approval is the word of a person.',
      hint,
    })
  }
  if ((reason ?? '').trim() !== '') return
  throw usage({
    code: 'REASON_MISSING',
    message: 'An approval that nobody gives at a terminal needs a reason: whoever reads it later cannot ask.',
    hint,
  })
}

/** Nobody is asked to approve what the gate refuses, or what they made themselves where that is refused. */
async function assertMayApprove(planner: Planner, state: ModelState, plan: PromotePlan, own: Approval): Promise<void> {
  if (failingChecks(plan.gate).some(({ name }) => name !== 'approval')) {
    throw gateRefused(plan, 'nothing was approved')
  }
  const { uncounted } = await planner.count(state, { given: [own] })
  const refusal = uncounted.find(({ kind, name }) => kind === 'author' && personOf(name) === personOf(own.name))
  if (refusal !== undefined) throw selfApproval(plan, { ...refusal, name: own.name })
}

/** The word that a person gave before, if it counts. */
const wordOf = ({ approvals }: PromotePlan, { name }: Approval): Approval | undefined =>
  approvals.find((each) => personOf(each.name) === personOf(name))

interface Scene {
  readonly ctx: Context
  readonly store: Store
  readonly planner: Planner
  readonly op: Operation
}

/** What was shown must still be so; what else was written meanwhile, also by others who approve, is no matter. */
async function record(
  { ctx, store, planner, op }: Scene,
  start: ModelState,
  shown: PromotePlan,
  approval: Approval,
): Promise<ApproveResult> {
  const draft = draftOf(ctx, op, shown, approval, planner.rules.digest)
  let state = start
  for (;;) {
    const outcome = await store.models.commit(state, draft)
    if (outcome.kind !== 'lost') {
      const { seq, time } = outcome.event
      const now = await planner.plan(await store.models.state(shown.model), { given: [] })
      return resultOfApproval(now, 'approved', { approval: { ...approval, time }, event: { seq, time } })
    }
    state = outcome.state
    const now = standing(state, shown.stage)
    if (now?.seq !== shown.from?.seq) throw movedMeanwhile(state, shown, now)
    const again = await planner.plan(state, { given: [] })
    const mine = wordOf(again, approval)
    if (mine !== undefined) return resultOfApproval(again, 'already approved', { approval: mine })
    if (essenceForApproval(again) !== essenceForApproval(shown)) throw changedMeanwhile(state, shown)
  }
}

function draftOf(
  ctx: Context,
  { opId, request }: Operation,
  { stage, version, manifest, from }: PromotePlan,
  approval: Approval,
  policy: string,
): EventDraft {
  return {
    op_id: opId,
    request,
    type: 'approve',
    // Approved was what was shown: in the place of the version that holds the stage now.
    expect: { [stage]: from?.seq ?? null },
    body: { stage, version, approval, bound: { manifest, policy } },
    actor: ctx.actor,
    tool: ctx.tool,
    time: ctx.now().toISOString(),
  }
}
