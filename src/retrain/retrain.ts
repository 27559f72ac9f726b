/**
 * `mlops retrain`: look, plan, claim, and hand over to the job. What is decided, and why, is in `plan.ts`; what the
 * job does is in `job.ts`.
 */
import { canonicalJson } from '../core/canonical-json.ts'
import type { Context } from '../core/context.ts'
import { sha256 } from '../core/digest.ts'
import { type MlopsError, usage } from '../core/errors.ts'
import { ulid } from '../core/ulid.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { Policy } from '../project/policy.ts'
import type { Store } from '../store/store.ts'
import { championOf, declaredDataOf, lookAtTrigger } from './facts.ts'
import { findPolicy } from './find-policy.ts'
import { type JobOptions, type RunnablePlan, runJob } from './job.ts'
import { claimJob, endOfKey, type JobLog, readJobs } from './job-log.ts'
import { planRetrain, type RetrainPlan } from './plan.ts'
import { type RetrainResult, repeatedResult, resultOf } from './result.ts'
import { type RetrainSteps, realSteps } from './steps.ts'

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

/**
 * @throws usage for a policy or request that makes no sense; inconclusive `CHECK_MISSING`; conflict `RETRAIN_RUNNING`,
 *   `RETRAIN_SUPERSEDED`; failed `JOB_FAILED` with the tail of the output; whatever a step throws
 */
export async function retrain(
  ctx: Context,
  project: Project,
  store: Store,
  request: RetrainRequest,
  steps: RetrainSteps = realSteps,
): Promise<RetrainResult> {
  const policy = await findPolicy(ctx, project, request.model, request.policyFile)
  for (;;) {
    const log = await readJobs(store, policy.model)
    const plan = await makePlan(ctx, project, store, policy, log, request, steps)
    if (request.planOnly === true) return resultOf(plan, { outcome: 'planned', message: plan.why })
    const { key, digest } = identity(plan, request)
    const earlier = key === null ? undefined : endOfKey(log, key, digest)
    if (earlier !== undefined) return repeatedResult(plan, earlier)
    if (plan.decision !== 'retrain') return resultOf(plan, { outcome: plan.decision, message: plan.why })
    if (!canRun(plan)) throw dispatchNotBuilt(plan)
    const { cause, reason } = plan
    const begin = { attempt: ulid(ctx.now().getTime()), cause, reason, key, request: digest }
    const claim = await claimJob(ctx, store, plan.model, log, { ...begin, champion: plan.champion?.manifest ?? null })
    // Somebody was faster: what they did may have answered the question.
    if (claim === undefined) continue
    try {
      return await runJob({ ctx, project, store, plan, claim, steps, options: request })
    } finally {
      claim.release()
    }
  }
}

async function makePlan(
  ctx: Context,
  project: Project,
  store: Store,
  policy: Policy,
  log: JobLog,
  request: RetrainRequest,
  steps: RetrainSteps,
): Promise<RetrainPlan> {
  const { model } = policy
  const reason = request.reason?.trim() || undefined
  const force = request.force === true
  const state = await store.models.stateOrEmpty(model)
  const champion = await championOf(store, state)
  const asked = { reason, force, current: request.current }
  const finding = await lookAtTrigger(ctx, project, store, policy, champion, asked, steps)
  return planRetrain(
    state,
    policy,
    {
      champion,
      finding,
      jobs: log.records,
      declaredData: await declaredDataOf(project, store, state),
      config: modelConfig(project, model),
      stages: project.config.stages,
      now: ctx.now(),
      platform: process.platform,
    },
    { reason, force, policyFile: request.policyFile },
  )
}

/** The key of the operation and the digest of what was asked for. In CI a re-run job has its first run's key. */
function identity(plan: RetrainPlan, request: RetrainRequest): { key: string | null; digest: string } {
  const { model, champion, cause, reason, forced, job, stage, validation } = plan
  const digest = sha256(canonicalJson({ model, cause, reason, forced, job, stage, validation }))
  const ci = request.ciJob
  const content = sha256(canonicalJson({ digest, champion: champion?.manifest ?? null }))
  return { key: request.idempotencyKey ?? (ci === undefined ? null : `${ci}/retrain/${content}`), digest }
}

const canRun = (plan: RetrainPlan): plan is RunnablePlan => plan.job.type === 'command'

function dispatchNotBuilt({ model, policy, job }: RetrainPlan): MlopsError {
  const workflow = job.type === 'github_actions' ? job.workflow : ''
  return usage({
    code: 'JOB_NOT_BUILT',
    message: `The trigger fires, but dispatching the workflow ${workflow} is not built yet; nothing was done.`,
    hint: `Run the training here: in ${policy ?? 'the policy'} write  job: {type: command, command: python train.py}  or call mlops retrain ${model} with such a policy inside the workflow`,
    details: { model, workflow },
  })
}
