/**
 * Moves a stage to a version: plan, gate, approval, re-hash, compare-and-swap. The only way a version enters a stage
 * (rollback alone restores one that was there).
 */
import type { Context } from '../core/context.ts'
import { MlopsError } from '../core/errors.ts'
import { type ModelRef, versionName } from '../core/names.ts'
import type { Project } from '../project/config.ts'
import type { Gate } from '../project/gate-config.ts'
import { missingConfig, modelConfig } from '../project/load.ts'
import type { Approval, EventDraft, GateResult, ModelEvent } from '../store/events.ts'
import type { ModelState } from '../store/fold.ts'
import { resolveVersion } from '../store/resolve.ts'
import type { Store } from '../store/store.ts'
import { approvalsOf, promptApproval, reasonOf } from './approval.ts'
import { diffVersions, loadLock, type VersionDiff } from './diff.ts'
import { collectFacts } from './facts.ts'
import { cautions, type GateFacts, onlyApprovalMissing, type Rescore } from './gate.ts'
import { directionsOf, type GateRules, gateRules } from './gate-rules.ts'
import { assertIntact } from './integrity.ts'
import {
  assertStage,
  commitMove,
  movedOnSince,
  type Operation,
  operation,
  repeated,
  standing,
  versionAt,
} from './operation.ts'
import { essence, type PromotePlan, planPromote } from './promote-plan.ts'
import { assertPasses, declined } from './promote-refusal.ts'
import { loadVersion } from './version.ts'

export interface PromoteRequest {
  /** The version to promote; the model alone means its newest version. */
  readonly ref: ModelRef
  readonly stage: string
  /** Names given with `--approve`. */
  readonly approve?: readonly string[]
  readonly reason?: string
  /** Stop after the plan. */
  readonly dryRun?: boolean
  readonly idempotencyKey?: string
  /** The policy's own gate, which must hold besides the stage's. */
  readonly validation?: Gate
  /** The challenger's test set, where its run does not say where it lies. */
  readonly test?: string
  /** Shows the plan to a person and asks. Not given when nobody is there. */
  readonly askApproval?: (plan: PromotePlan) => Promise<boolean>
}

export interface PromoteResult {
  readonly outcome: 'promoted' | 'already there' | 'planned'
  /** An earlier run with the same idempotency key did it; this is its result. */
  readonly repeated: boolean
  /** What `planned` says: would it be done? */
  readonly passes: boolean
  /** Of `planned`: every other check passes, and a person has to say yes. */
  readonly awaitsApproval: boolean
  readonly model: string
  readonly stage: string
  readonly version: number
  readonly from: number | null
  readonly gate: GateResult | null
  readonly approvals: readonly Approval[]
  readonly reason: string | null
  readonly event: { readonly seq: number; readonly time: string } | null
  readonly changes: VersionDiff | null
  /** Since when and by whom, for `already there`. */
  readonly since: { readonly time: string; readonly by: string } | null
}

/**
 * @throws refused `GATE_REFUSED`, `APPROVAL_MISSING`, `APPROVAL_DECLINED` with all checks in the details; conflict
 *   `STAGE_MOVED`, `PLAN_CHANGED`, `IDEMPOTENCY_MISMATCH`; failed `VERSION_DAMAGED`; usage `STAGE_UNKNOWN`
 */
export async function promote(
  ctx: Context,
  project: Project,
  store: Store,
  request: PromoteRequest,
): Promise<PromoteResult> {
  const { ref, stage } = request
  assertStage(project, stage)
  const doubt = missingConfig(project, ref.model)
  if (doubt !== undefined) ctx.warn(doubt)
  const given = approvalsOf(ctx, request.approve ?? [])
  const reason = reasonOf(request.reason)
  const op = operation(ctx, request.idempotencyKey, {
    type: 'promote',
    model: ref.model,
    selector: ref.selector ?? null,
    stage,
    approve: given.map(({ name }) => name),
  })
  const state = await store.models.state(ref.model)
  const earlier = request.dryRun === true ? undefined : repeated(state, op)
  if (earlier?.type === 'promote') {
    // Commits nothing: makes sure that what stands in the log is durable, should its writer have died.
    await store.models.commit(state, earlier)
    const since = movedOnSince(state, stage, earlier)
    if (since !== undefined) ctx.warn(since)
    return resultOfEvent(earlier)
  }

  const planner = createPlanner(ctx, project, store, request, reason)
  let plan = await planner(state, given)
  if (plan.already) return result(plan, 'already there')
  if (request.dryRun === true) return result(plan, 'planned')

  let approvals = given
  if (onlyApprovalMissing(plan.gate) && request.askApproval !== undefined) {
    const [withMine, planWithMine] = await askForApproval(ctx, request.askApproval, planner, state, plan, given)
    approvals = withMine
    plan = planWithMine
  }
  assertPasses(plan)
  for (const caution of cautions(plan.gate)) ctx.warn(caution)
  await assertIntact(ctx, store, ref.model, versionAt(state, plan.version), {
    tolerate: 'nothing',
    hint: `Register it again from its source, then promote the new version; see the damage: mlops model verify ${versionName(plan.model, plan.version)}`,
  })
  const move = { stage, from: plan.from, essence: essence(plan), draft: draftOf(ctx, op, plan) }
  const event = await commitMove(store, state, move, async (now) => essence(await planner(now, approvals)))
  return { ...result(plan, 'promoted'), event: { seq: event.seq, time: event.time } }
}

type Planner = (state: ModelState, approvals: readonly Approval[]) => Promise<PromotePlan>

function createPlanner(
  ctx: Context,
  project: Project,
  store: Store,
  request: PromoteRequest,
  reason: string | undefined,
): Planner {
  const { ref, stage, validation, test } = request
  const config = modelConfig(project, ref.model)
  const rules = gateRules(config, stage, validation)
  const scored = new Map<string, Rescore | undefined>()
  return async (state, approvals) => {
    const version = resolveVersion(state, ref, 'newest')
    const facts = await collectFacts(ctx, project, store, state, {
      rules,
      version,
      approvals,
      evaluate: config.evaluate,
      test,
      scored,
    })
    const changes = await changesFor(store, state, stage, version.version, facts, rules)
    return planPromote(state, { version, stage, reason }, { ...facts, rules, changes })
  }
}

async function changesFor(
  store: Store,
  state: ModelState,
  stage: string,
  to: number,
  facts: GateFacts,
  rules: GateRules,
): Promise<VersionDiff | null> {
  const now = standing(state, stage)
  if (now === null || now.version === to) return null
  try {
    const [a, b] = await Promise.all([
      loadVersion(store, state, versionAt(state, now.version)),
      loadVersion(store, state, versionAt(state, to)),
    ])
    const [from, lock] = await Promise.all([loadLock(store, a), loadLock(store, b)])
    const champion = Object.values(facts.champions).find((each) => each?.version === now.version)
    const anew = champion?.rescore?.kind === 'measured' ? { rescored: champion.rescore.metrics } : {}
    return diffVersions(a, b, { from, to: lock }, { directions: directionsOf(rules), ...anew })
  } catch (error) {
    // A damaged champion must not keep a sound challenger out: the comparison is for the eye only.
    if (error instanceof MlopsError) return null
    throw error
  }
}

async function askForApproval(
  ctx: Context,
  ask: (plan: PromotePlan) => Promise<boolean>,
  planner: Planner,
  state: ModelState,
  plan: PromotePlan,
  given: readonly Approval[],
): Promise<[readonly Approval[], PromotePlan]> {
  const approvals = [...given, promptApproval(ctx)]
  const approved = await planner(state, approvals)
  // One yes at this terminal would not be enough, so it is not asked for.
  if (approved.gate.verdict !== 'pass') return [given, plan]
  if (await ask(plan)) return [approvals, approved]
  throw declined(plan)
}

function draftOf(ctx: Context, { opId, request }: Operation, plan: PromotePlan): EventDraft {
  const [approval] = plan.approvals
  return {
    op_id: opId,
    request,
    type: 'promote',
    expect: { [plan.stage]: plan.from?.seq ?? null },
    body: {
      stage: plan.stage,
      version: plan.version,
      from: plan.from?.version ?? null,
      gate: plan.gate,
      ...(approval === undefined ? {} : { approval }),
      ...(plan.approvals.length > 1 ? { approvals: plan.approvals } : {}),
      ...(plan.reason === null ? {} : { reason: plan.reason }),
    },
    actor: ctx.actor,
    tool: ctx.tool,
    time: ctx.now().toISOString(),
  }
}

function result(plan: PromotePlan, outcome: PromoteResult['outcome']): PromoteResult {
  const { model, stage, version, from, gate, approvals, reason, changes, already } = plan
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
    approvals,
    reason,
    event: null,
    changes,
    since: already && from !== null ? { time: from.since, by: from.by } : null,
  }
}

function resultOfEvent(event: Extract<ModelEvent, { type: 'promote' }>): PromoteResult {
  const { body } = event
  return {
    outcome: 'promoted',
    repeated: true,
    passes: true,
    awaitsApproval: false,
    model: event.model,
    stage: body.stage,
    version: body.version,
    from: body.from,
    gate: body.gate,
    approvals: body.approvals ?? (body.approval === undefined ? [] : [body.approval]),
    reason: body.reason ?? null,
    event: { seq: event.seq, time: event.time },
    changes: null,
    since: null,
  }
}
