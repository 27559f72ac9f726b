/**
 * `mlops retrain`: look, plan, claim, and hand over to the job. What is decided, and why, is in `plan.ts`; what the
 * job does is in `job.ts`.
 */
import { canonicalJson } from '../core/canonical-json.ts'
import type { Context } from '../core/context.ts'
import { sha256 } from '../core/digest.ts'
import { conflict } from '../core/errors.ts'
import { given } from '../core/given.ts'
import { ulid } from '../core/ulid.ts'
import { gateOutlook } from '../lifecycle/gate/outlook.ts'
import { PRODUCTION } from '../lifecycle/gate/rules.ts'
import { reasonOf } from '../lifecycle/promote/approval.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { Policy } from '../project/policy.ts'
import type { ModelState } from '../store/fold.ts'
import type { Store } from '../store/store.ts'
import { problemsOf } from './declared-data.ts'
import { championOf, declaredDataOf, knownVersion, runStateOf } from './facts.ts'
import { findPolicy } from './find-policy.ts'
import { type Job, type JobOptions, runJob } from './job.ts'
import { claimJob, endOfKey, isAtWork, readJobs } from './job-log.ts'
import { type JobBegin, type JobLog, openJob } from './job-records.ts'
import { assertNoTrainingLeft } from './left-running.ts'
import { lookAtTrigger } from './look.ts'
import { checksBefore, isAutomatic, planRetrain, type RetrainPlan } from './plan.ts'
import { planJob } from './plan-job.ts'
import { isIndispensable, missingOf, preflightRefused } from './preflight.ts'
import { type RetrainResult, repeatedResult, resultOf } from './result.ts'
import { leftAsItIs } from './resume.ts'
import { type RetrainSteps, realSteps } from './steps.ts'
import { tellDue } from './tell.ts'

export type { RetrainResult } from './result.ts'

export interface RetrainRequest extends JobOptions {
  readonly model: string
  /** `--policy`, relative to `ctx.cwd`; undefined: `retraining-policy.yaml` of the project, if there is one. */
  readonly policyFile?: string | undefined
  readonly reason?: string | undefined
  readonly force?: boolean
  /** Stop after the plan. */
  readonly planOnly?: boolean
  /** A batch to check for drift now, relative to `ctx.cwd`. */
  readonly current?: string | undefined
  readonly idempotencyKey?: string | undefined
  /** Identity of the CI job, from which a default key is made. */
  readonly ciJob?: string | undefined
}

/** What `retrain` works with. */
interface Scene {
  readonly ctx: Context
  readonly project: Project
  readonly store: Store
  readonly steps: RetrainSteps
  readonly request: RetrainRequest
  readonly policy: Policy
}

/**
 * @throws usage for a policy or request that makes no sense; refused `PREFLIGHT_REFUSED`; inconclusive `CHECK_MISSING`,
 *   `LABELS_TOO_FEW`; conflict `RETRAIN_RUNNING`, `TRAINING_STILL_RUNNING`, `RETRAIN_SUPERSEDED`; failed `JOB_FAILED` with the tail of the output;
 *   whatever a step throws
 */
export async function retrain(
  ctx: Context,
  project: Project,
  store: Store,
  request: RetrainRequest,
  steps: RetrainSteps = realSteps,
): Promise<RetrainResult> {
  const policy = await findPolicy(ctx, project, request.model, request.policyFile)
  const scene = { ctx, project, store, steps, request, policy }
  for (;;) {
    const log = await readJobs(store, policy.model)
    const plan = await makePlan(scene, log)
    if (request.planOnly === true) return resultOf(plan, { outcome: 'planned', message: plan.why })
    const { key, digest } = identity(plan, request)
    const earlier = key === null ? undefined : endOfKey(log, key, digest)
    if (earlier !== undefined) return repeatedResult(plan, earlier)
    if (plan.decision !== 'retrain') return await withoutTraining(scene, plan)
    const left = await stillElsewhere(scene, plan, log)
    if (left !== undefined) return left
    const open = plan.running === null ? openJob(log.records) : null
    if (open !== null) await assertNoTrainingLeft(ctx, store, policy.model, open)
    const result = await claimAndRun(scene, plan, log, { key, request: digest })
    // Somebody was faster: what they did may have answered the question.
    if (result !== undefined) return result
  }
}

async function makePlan({ ctx, project, store, steps, request, policy }: Scene, log: JobLog): Promise<RetrainPlan> {
  const { model } = policy
  const reason = reasonOf(request.reason)
  const force = request.force === true
  const state = await store.models.stateOrEmpty(model)
  const champion = await championOf(store, state)
  const open = openJob(log.records)
  const config = modelConfig(project, model)
  const declaredData = await declaredDataOf(project, store, state)
  const job = planJob(policy, { config, declaredData, platform: process.platform })
  const facts = {
    champion,
    jobs: log.records,
    declaredData,
    dataProblems: job.type === 'command' ? await problemsOf(ctx, project.root, job.data) : [],
    known: await knownVersion(store, state),
    open,
    runState: open === null ? null : await runStateOf(store, open),
    refusal: await refusalOf(ctx, project, store, state, log),
    atWork: await isAtWork(ctx, store, model, log),
    config,
    stages: project.config.stages,
    now: ctx.now(),
    platform: process.platform,
  }
  // Where nothing may be automated, what cannot be looked at is said together with all that is missing.
  const isReady = missingOf(checksBefore(state, policy, facts)).length === 0
  const tolerant = force || request.planOnly === true || (policy.autonomy.level >= 2 && !isReady)
  const asked = { reason, tolerant, current: request.current }
  const finding = await lookAtTrigger(ctx, project, store, policy, champion, asked, steps)
  return planRetrain(state, policy, { ...facts, finding }, { reason, force, policyFile: request.policyFile })
}

/** Asked of records alone: what needs a look at rows or a command is not known, and the candidate waits. */
async function refusalOf(
  ctx: Context,
  project: Project,
  store: Store,
  state: ModelState,
  { records }: JobLog,
): Promise<{ readonly version: number; readonly why: string } | null> {
  const end = records.findLast((record) => record.kind === 'end' && record.outcome === 'promoted')
  if (end?.kind !== 'end' || end.version === null || end.stage === PRODUCTION) return null
  const version = state.versions[end.version - 1]
  if (version === undefined || state.stages[end.stage]?.version !== end.version) return null
  const { verdict, refusal } = await gateOutlook(ctx, project, store, state, version, PRODUCTION)
  return verdict === 'refuses' ? { version: end.version, why: refusal ?? 'its checks fail' } : null
}

async function withoutTraining(scene: Scene, plan: RetrainPlan): Promise<RetrainResult> {
  const { decision, model, policy, preflight, why } = plan
  if (plan.unfinished !== null) scene.ctx.warn(leftAsItIs(model, plan.unfinished))
  if (decision === 'not ready') {
    const byPerson = !isAutomatic(plan.autonomy, plan.trigger, scene.request.force === true)
    const missing = missingOf(preflight).filter((check) => !byPerson || isIndispensable(check))
    throw preflightRefused(model, policy, missing, byPerson)
  }
  const outcome = decision === 'retrain' || decision === 'not judged' ? 'planned' : decision
  const isReport = plan.autonomy.level === 1 && ['due', 'nothing to do'].includes(decision)
  const told = isReport ? await tellDue({ ...scene, plan }, scene.policy.coolDown) : []
  return resultOf(plan, { outcome, message: why }, told)
}

/**
 * A workflow that was dispatched earlier: nothing is claimed while it is at work and nobody wants to wait, so that asking
 * every night leaves nothing behind. Whoever wants something else hears that it is at work.
 */
async function stillElsewhere(scene: Scene, plan: RetrainPlan, log: JobLog): Promise<RetrainResult | undefined> {
  const { ctx, project, steps, request } = scene
  const open = openJob(log.records)
  const isOther = plan.unfinished !== null && request.force !== true
  if (plan.job.type !== 'github_actions' || open?.dispatch == null || open.registered !== null) return undefined
  if (!isOther && !(plan.resume !== null && request.wait === false)) return undefined
  const { runId, time } = open.dispatch
  const watching = { job: plan.job, model: plan.model, correlation: open.attempt, wait: false }
  const found = await steps.resume(ctx, project, { ...watching, runId, dispatchedAt: time })
  if (found.kind !== 'left') return undefined
  if (!isOther) {
    const workflow = { runId: found.runId, runUrl: found.runUrl }
    return resultOf(plan, { outcome: 'dispatched', workflow, message: found.message })
  }
  throw conflict({
    code: 'RETRAIN_RUNNING',
    message: `${plan.model} is being retrained already: ${open.actor} dispatched a workflow for another reason (${found.runUrl ?? 'not listed yet'}). Nothing was dispatched.`,
    hint: `Wait for it, or begin another all the same: mlops retrain ${plan.model} --force --reason TEXT`,
    details: { model: plan.model, attempt: open.attempt, actor: open.actor, since: time, workflow: found.runUrl },
  })
}

async function claimAndRun(
  { ctx, project, store, steps, request }: Scene,
  plan: RetrainPlan,
  log: JobLog,
  operation: { readonly key: string | null; readonly request: string },
): Promise<RetrainResult | undefined> {
  const open = plan.resume === null ? null : openJob(log.records)
  const claim = await claimJob(ctx, store, plan.model, log, { ...beginOf(ctx, plan, open), ...operation })
  if (claim === undefined) return undefined
  remark(ctx, plan)
  const reached: Job['reached'] = { run: null, version: null, workflow: null, isTrained: false }
  try {
    return await runJob({ ctx, project, store, plan, claim, steps, options: request, open, reached })
  } finally {
    claim.release()
  }
}

/** Whoever goes on writes down what the first one wrote. */
function beginOf(
  ctx: Context,
  plan: RetrainPlan,
  open: Job['open'],
): Omit<JobBegin, 'kind' | 'actor' | 'host' | 'process' | 'time' | 'key' | 'request'> {
  if (open !== null) {
    const { attempt, cause, reason, champion, what, forced, trigger } = open.begin
    return { attempt, cause, reason, champion, takenUp: true, ...given({ what, forced, trigger }) }
  }
  const { cause, reason, what, champion, forced, trigger } = plan
  return {
    attempt: ulid(ctx.now().getTime()),
    cause,
    reason,
    champion: champion?.manifest ?? null,
    what,
    // A claim is read as a whole every time: the worst columns say enough.
    trigger: { ...trigger, columns: trigger.columns.slice(0, MOST_COLUMNS) },
    ...(forced ? { forced } : {}),
  }
}

const MOST_COLUMNS = 20

/** What a person should know before it begins. */
function remark(ctx: Context, { resume, unfinished, model, preflight, trigger, autonomy, forced }: RetrainPlan): void {
  if (resume !== null) {
    ctx.warn(
      `The retraining that ${resume.by} began at ${resume.since} stopped ${resume.stopped}; this goes on from there.`,
    )
    return
  }
  if (unfinished !== null) ctx.warn(leftAsItIs(model, unfinished))
  const missing = missingOf(preflight)
  const isByPerson = trigger.type === 'manual' || forced || autonomy.level === 1
  if (!isByPerson || missing.length === 0) return
  const list = missing.map(({ what, found, mend }) => `no ${what}: ${found} (${mend})`)
  ctx.warn(`This could not go without a person; ${list.join('; ')}.`)
}

/** The key of the operation and the digest of what was asked for. In CI a re-run job has its first run's key. */
function identity(plan: RetrainPlan, request: RetrainRequest): { key: string | null; digest: string } {
  const { model, champion, cause, reason, forced, job, stage, validation } = plan
  const digest = sha256(canonicalJson({ model, cause, reason, forced, job, stage, validation }))
  const ci = request.ciJob
  const content = sha256(canonicalJson({ digest, champion: champion?.manifest ?? null }))
  return { key: request.idempotencyKey ?? (ci === undefined ? null : `${ci}/retrain/${content}`), digest }
}
