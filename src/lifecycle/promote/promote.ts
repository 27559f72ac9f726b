/**
 * Moves a stage to a version: plan, gate, approval, re-hash, compare-and-swap. The only way a version enters a stage
 * (rollback alone restores one that was there).
 */
import type { Context } from '../../core/context.ts'
import type { Digest } from '../../core/digest.ts'
import { conflict } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import type { Project, RolloutConfig } from '../../project/config.ts'
import { missingConfig, modelConfig } from '../../project/load.ts'
import type { Approval, EventDraft } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import { resolveVersion } from '../../store/resolve.ts'
import type { Store } from '../../store/store.ts'
import { cautions, onlyApprovalMissing } from '../gate/gate.ts'
import { assertProposed } from '../gate/proposal.ts'
import { gateRules } from '../gate/rules.ts'
import { assertStage, commitMove, movedOnSince, type Operation, operation, repeated, versionAt } from '../operation.ts'
import { assertMayMove, carriedWords } from '../rollouts/begin.ts'
import { marginsDigest } from '../rollouts/margins.ts'
import { warnOfKeepers } from '../serving/forecast.ts'
import { tellServices } from '../serving/services.ts'
import { assertIntact } from '../versions/integrity.ts'
import { approvalsOf, promptApproval, reasonOf } from './approval.ts'
import { policyWord } from './autonomy.ts'
import { essence, type PromotePlan } from './plan.ts'
import { createPlanner, type Planner } from './planner.ts'
import { assertPasses, declined } from './refusal.ts'
import { type PromotionEvent, resultOfEvent, resultOfPlan } from './result.ts'
import { retrainedVersions } from './retrained-versions.ts'
import { tagMove } from './tag-move.ts'
import type { PromoteRequest, PromoteResult } from './types.ts'

export type { PromoteRequest, PromoteResult } from './types.ts'

/**
 * @throws refused `GATE_REFUSED`, `APPROVAL_MISSING`, `SELF_APPROVAL`, `APPROVAL_DECLINED` with all checks in the
 *   details; refused `PROPOSAL_DIFFERS`; conflict `STAGE_MOVED`, `PLAN_CHANGED`, `IDEMPOTENCY_MISMATCH`; failed `VERSION_DAMAGED`; usage
 *   `STAGE_UNKNOWN`; what `assertMayMove` throws
 */
export async function promote(
  ctx: Context,
  project: Project,
  store: Store,
  request: PromoteRequest,
): Promise<PromoteResult> {
  const { ref, stage, validation, test, rollout, completes } = request
  assertStage(project, stage)
  const doubt = missingConfig(project, ref.model)
  if (doubt !== undefined) ctx.warn(doubt)
  const named = approvalsOf(ctx, request.approve ?? [])
  const reason = reasonOf(request.reason)
  const op = operation(ctx, request.idempotencyKey, {
    type: 'promote',
    model: ref.model,
    selector: ref.selector ?? null,
    stage,
    approve: named.map(({ name }) => name),
    ...(rollout === undefined ? {} : { rollout }),
    ...(completes === undefined ? {} : { completes }),
    ...(request.proposal === undefined ? {} : { proposal: request.proposal.gate }),
  })
  const state = await store.models.state(ref.model)
  const earlier = request.dryRun === true ? undefined : repeated(state, op)
  if (earlier?.type === 'promote' || earlier?.type === 'rollout') return doneBefore(ctx, store, state, earlier)

  const planner = createPlanner(ctx, project, store, { ref, stage, validation, test, reason, rollout })
  const mayMove = (now: ModelState): void =>
    assertMayMove(now, { ...request, version: resolveVersion(now, ref, 'newest').version })
  mayMove(state)
  const { rollout: margins } = modelConfig(project, ref.model)
  const given = [...named, ...carried(ctx, state, request, planner, margins)]
  const found = await planner.plan(state, { given })
  assertProposed(request.proposal, found)
  if (found.already) return resultOfPlan(found, 'already there')
  if (completes === undefined) await warnOfKeepers(ctx, project, store, state, stage, found.version)
  if (request.dryRun === true) return resultOfPlan(found, 'planned')

  const { plan, words, withheld } = await withConsent({ ctx, store, request, planner, state }, found, given)
  assertProposed(request.proposal, plan)
  assertPasses(plan, withheld)
  for (const { name, why } of plan.uncounted) ctx.warn(`The approval of ${name} does not count: ${why}.`)
  for (const caution of cautions(plan.gate)) ctx.warn(caution)
  await assertIntact(ctx, store, ref.model, versionAt(state, plan.version), {
    tolerate: 'nothing',
    hint: `Register it again from its source, then promote the new version; see the damage: mlops model verify ${versionName(plan.model, plan.version)}`,
  })
  await assertSameRules(request, planner)
  const draft =
    rollout === undefined ? draftOf(ctx, op, plan, request) : startOf(ctx, op, plan, rollout, marginsDigest(margins))
  const move = { stage, from: plan.from, essence: essence(plan), draft }
  const event = await commitMove(store, state, move, async (now) => {
    mayMove(now)
    return essence(await planner.plan(now, { given: words, only: plan.approvals }))
  })
  const gitTags = await tagMove(ctx, project, store, state, event)
  const services = await tellServices(ctx, store, state, stage, request.wait)
  return {
    ...resultOfPlan(plan, rollout === undefined ? 'promoted' : 'rollout started'),
    event: { seq: event.seq, time: event.time },
    gitTags,
    ...(completes === undefined ? {} : { completes }),
    ...(services === undefined ? {} : { services }),
  }
}

/** An earlier run with the same idempotency key. */
async function doneBefore(
  ctx: Context,
  store: Store,
  state: ModelState,
  earlier: PromotionEvent,
): Promise<PromoteResult> {
  // Commits nothing: makes sure that what stands in the log is durable, should its writer have died.
  await store.models.commit(state, earlier)
  const since = earlier.type === 'promote' ? movedOnSince(state, earlier.body.stage, earlier) : undefined
  if (since !== undefined) ctx.warn(since)
  return resultOfEvent(earlier)
}

/** The words that the rollout began with count for its last step too, while the rules are the same. */
function carried(
  ctx: Context,
  state: ModelState,
  { stage, completes }: PromoteRequest,
  { rules }: Planner,
  margins: RolloutConfig,
): readonly Approval[] {
  if (completes === undefined) return []
  const { words, lapsed, changed } = carriedWords(state, stage, rules, margins)
  const what =
    changed === 'margins'
      ? `the margins of the comparison have been changed since the rollout began (models.${state.model}.rollout of mlops.yaml)`
      : `the gate of ${stage} has been changed since the rollout began (its rules, or evaluate: of mlops.yaml)`
  for (const name of lapsed) ctx.warn(`The approval of ${name} does not count: ${what}.`)
  return words
}

/** The plan was judged by the rules of its beginning. @throws conflict `PLAN_CHANGED` */
async function assertSameRules({ reread, ref, stage, validation }: PromoteRequest, { rules }: Planner): Promise<void> {
  if (reread === undefined) return
  const now = gateRules(modelConfig(await reread(), ref.model), stage, validation)
  if (now.digest === rules.digest) return
  throw conflict({
    code: 'PLAN_CHANGED',
    message: `The gate of ${stage} was changed in mlops.yaml while this was being done, so that the plan no longer holds. Nothing was changed by you.`,
    hint: `Judge it by the new rules first: mlops gate check ${ref.model} --to ${stage}`,
    details: { model: ref.model, stage },
  })
}

interface Scene {
  readonly ctx: Context
  readonly store: Store
  readonly request: PromoteRequest
  readonly planner: Planner
  readonly state: ModelState
}

interface Decided {
  readonly plan: PromotePlan
  /** Given with the move: those of the request, and what was asked for. */
  readonly words: readonly Approval[]
  /** Why a policy may not stand in for a person. */
  readonly withheld: readonly string[]
}

/** The plan with the word that it lacks: of the person at the terminal, or of a policy that earned it. */
async function withConsent(scene: Scene, plan: PromotePlan, words: readonly Approval[]): Promise<Decided> {
  const { request } = scene
  const same: Decided = { plan, words, withheld: [] }
  if (!onlyApprovalMissing(plan.gate)) return same
  if (request.askApproval !== undefined) return askPerson(scene, request.askApproval, plan, words)
  return request.autonomy === undefined ? same : askPolicy(scene, request.autonomy, plan, words)
}

async function askPerson(
  { ctx, planner, state }: Scene,
  ask: NonNullable<PromoteRequest['askApproval']>,
  plan: PromotePlan,
  given: readonly Approval[],
): Promise<Decided> {
  const approved = await planner.plan(state, { given: [...given, promptApproval(ctx)] })
  // One yes at this terminal would not be enough, or not count, so it is not asked for.
  if (approved.gate.verdict !== 'pass') {
    // Where others have approved, one more person is missing: this one was not offered, so it is not them who is refused.
    const isRefused = plan.approvals.length === 0 && approved.uncounted.length > plan.uncounted.length
    return { plan: isRefused ? { ...plan, uncounted: approved.uncounted } : plan, words: given, withheld: [] }
  }
  const consent = await ask(plan)
  if (consent === null) throw declined(plan)
  const said = reasonOf(consent.reason)
  const words = [...given, promptApproval(ctx, said ?? plan.reason ?? undefined)]
  // Whoever moves it at a terminal is who approves it: their reason is that of the move.
  return {
    plan: { ...(await planner.plan(state, { given: words })), reason: plan.reason ?? said ?? null },
    words,
    withheld: [],
  }
}

async function askPolicy(
  { ctx, store, planner, state }: Scene,
  autonomy: NonNullable<PromoteRequest['autonomy']>,
  plan: PromotePlan,
  given: readonly Approval[],
): Promise<Decided> {
  const jobs = await retrainedVersions(store, state.model)
  const word = policyWord(state, plan, autonomy, planner.rules, ctx.now(), jobs)
  if (word.kind === 'withheld') return { plan, words: given, withheld: word.missing }
  const words = [...given, word.approval]
  return { plan: await planner.plan(state, { given: words }), words, withheld: [] }
}

/** A version gets the first part of the traffic; the stage stays where it is. */
function startOf(
  ctx: Context,
  { opId, request }: Operation,
  { stage, version, from, gate, approvals, reason }: PromotePlan,
  steps: readonly number[],
  margins: Digest,
): EventDraft {
  // `assertMayMove` refuses an empty stage.
  if (from === null) throw new RangeError(`nothing holds ${stage}`)
  return {
    op_id: opId,
    request,
    type: 'rollout',
    expect: { [stage]: from.seq },
    body: {
      stage,
      version,
      from: from.version,
      action: 'start',
      weight: steps[0] ?? 0,
      steps,
      gate,
      ...(approvals.length === 0 ? {} : { approvals }),
      margins,
      ...(reason === null ? {} : { reason }),
    },
    actor: ctx.actor,
    tool: ctx.tool,
    time: ctx.now().toISOString(),
  }
}

function draftOf(
  ctx: Context,
  { opId, request }: Operation,
  plan: PromotePlan,
  { completes, comparison }: PromoteRequest,
): EventDraft {
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
      ...(completes === undefined ? {} : { rollout: completes }),
      ...(completes === undefined || comparison === undefined ? {} : { comparison }),
    },
    actor: ctx.actor,
    tool: ctx.tool,
    time: ctx.now().toISOString(),
  }
}
