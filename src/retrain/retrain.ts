/**
 * `mlops retrain`: look, plan, claim, train, register, validate, promote. What is decided, and why, is in `plan.ts`;
 * this file is the order of the steps and what becomes of a failure: nothing is ever moved but by `promote`, through
 * its gate, and never to production.
 */
import { canonicalJson } from '../core/canonical-json.ts'
import type { Context } from '../core/context.ts'
import { sha256 } from '../core/digest.ts'
import { conflict, failed, interrupted, MlopsError, usage } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import { ulid } from '../core/ulid.ts'
import type { VersionDiff } from '../lifecycle/diff.ts'
import type { RegisterResult } from '../lifecycle/register-types.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { Policy } from '../project/policy.ts'
import type { GateResult } from '../store/events.ts'
import type { Store } from '../store/store.ts'
import type { SignalSource } from '../tracking/child.ts'
import type { TrackOutcome } from '../tracking/track.ts'
import { championOf, declaredDataOf, lookAtTrigger } from './facts.ts'
import { findPolicy } from './find-policy.ts'
import { type Claimed, claimJob, endOfKey, type JobEnd, type JobLog, readJobs } from './job-log.ts'
import { planRetrain, type RetrainPlan } from './plan.ts'
import { outputTail, type RetrainSteps, realSteps } from './steps.ts'

export interface RetrainRequest {
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
  readonly signals?: SignalSource | undefined
  /** Told when a step begins. */
  readonly onStep?: ((step: Step) => void) | undefined
}

export interface Step {
  readonly number: number
  readonly of: number
  readonly what: string
}

export interface RetrainResult {
  readonly outcome: 'promoted' | 'refused' | 'unchanged' | 'nothing to do' | 'planned'
  /** An earlier run with the same idempotency key did it; this is its result. */
  readonly repeated: boolean
  readonly model: string
  readonly plan: RetrainPlan
  readonly run: { readonly id: string; readonly metrics: Readonly<Record<string, number | string>> } | null
  readonly version: number | null
  readonly gate: GateResult | null
  /** Against the version that was in the stage. */
  readonly changes: VersionDiff | null
  readonly stage: string
  /** Fired and delivered are two facts: nothing is delivered in this version. */
  readonly notifications: readonly { readonly channel: string; readonly sent: false; readonly why: string }[]
  /** One sentence. */
  readonly message: string
  /** The command to type next. */
  readonly next: string
}

const NOT_SENT = 'notifications not configured in this version'

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
    if (plan.decision === 'nothing to do') return resultOf(plan, { outcome: 'nothing to do', message: plan.why })
    if (plan.job.type === 'github_actions') throw dispatchNotBuilt(plan)
    const { cause, reason } = plan
    const begin = { attempt: ulid(ctx.now().getTime()), cause, reason, key, request: digest }
    const job = await claimJob(ctx, store, plan.model, log, { ...begin, champion: plan.champion?.manifest ?? null })
    // Somebody was faster: what they did may have answered the question.
    if (job === undefined) continue
    try {
      return await runJob(ctx, project, store, plan, job, request, steps)
    } finally {
      job.release()
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
  const finding = await lookAtTrigger(ctx, project, store, policy, champion, asked, steps.check)
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
    { reason, force },
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

async function runJob(
  ctx: Context,
  project: Project,
  store: Store,
  plan: RetrainPlan,
  job: Claimed,
  request: RetrainRequest,
  steps: RetrainSteps,
): Promise<RetrainResult> {
  const say = (number: number, what: string): void => request.onStep?.({ number, of: 3, what })
  const there = { ...ctx, cwd: project.root }
  let run: string | null = null
  let version: number | null = null
  try {
    say(1, `train: ${plan.job.type === 'command' ? plan.job.command : ''}`)
    const tracked = await train(there, project, store, plan, request, steps)
    run = tracked.runId
    await assertEndedWell(store, plan, tracked)
    await assertMine(job, plan)
    say(2, `register the result of run ${run}`)
    const registered = await register(there, project, store, plan, run, steps)
    version = registered.version
    const done = { run: { id: run, metrics: tracked.end.metrics }, version }
    if (version === plan.champion?.version) {
      const message = `Training gave ${versionName(plan.model, version)} again, byte for byte: the version in production.`
      await finish(ctx, job, plan, { outcome: 'unchanged', run, version, message })
      return resultOf(plan, { ...done, outcome: 'unchanged', message })
    }
    await assertMine(job, plan)
    say(3, `validate ${versionName(plan.model, version)} for ${plan.stage}`)
    return await validate(ctx, project, store, plan, job, done, steps)
  } catch (error) {
    const outcome = outcomeOfError(error, run)
    const message = error instanceof Error ? error.message : String(error)
    await finish(ctx, job, plan, { outcome, run, version, message })
    if (outcome === 'failed') notifications(ctx, plan)
    throw error
  }
}

async function train(
  ctx: Context,
  project: Project,
  store: Store,
  plan: RetrainPlan,
  request: RetrainRequest,
  steps: RetrainSteps,
): Promise<TrackOutcome> {
  if (plan.job.type !== 'command') throw dispatchNotBuilt(plan)
  try {
    return await steps.train(ctx, project, store, {
      command: plan.job.words,
      model: plan.model,
      data: plan.job.data,
      params: {},
      tags: ['retrain'],
      artifacts: [],
      // stdout is the result of `mlops retrain`, not of the script.
      stdoutTo: 'stderr',
      ...(request.signals === undefined ? {} : { signals: request.signals }),
    })
  } catch (error) {
    // 126 and 127 are the exit codes of `track` alone.
    if (!(error instanceof MlopsError) || !error.code.startsWith('COMMAND_')) throw error
    const where = plan.policy === null ? `train: of ${plan.model} in mlops.yaml` : `policy.job of ${plan.policy}`
    const hint = `The command is "${plan.job.command}", from ${where}. ${error.hint ?? ''}`.trim()
    throw failed({ code: error.code, message: error.message, hint, cause: error })
  }
}

/** The registration that the script asked for is this one, never a second; but about stages the policy decides. */
async function register(
  ctx: Context,
  project: Project,
  store: Store,
  plan: RetrainPlan,
  run: string,
  steps: RetrainSteps,
): Promise<RegisterResult> {
  const { baseline, test } = plan.register
  const intents = await store.runs.intents(run)
  const wished = intents.flatMap((each) => (each.kind === 'register' && each.model === plan.model ? [each] : [])).at(-1)
  const registered = await steps.register(ctx, project, store, {
    model: plan.model,
    run,
    ...(baseline === null ? {} : { baseline }),
    ...(test === null ? {} : { test }),
    tags: [...new Set(['retrain', ...(wished?.tags ?? [])])],
    message: wished?.message ?? reasonOf(plan),
    useIntent: false,
  })
  for (const note of registered.notes) ctx.warn(note)
  return registered
}

const reasonOf = ({ reason, why }: RetrainPlan): string => reason ?? `retrained: ${why}`

async function validate(
  ctx: Context,
  project: Project,
  store: Store,
  plan: RetrainPlan,
  job: Claimed,
  done: { readonly run: NonNullable<RetrainResult['run']>; readonly version: number },
  steps: RetrainSteps,
): Promise<RetrainResult> {
  const name = versionName(plan.model, done.version)
  const record = { run: done.run.id, version: done.version }
  try {
    const moved = await steps.promote(ctx, project, store, {
      ref: { model: plan.model, selector: { version: done.version } },
      stage: plan.stage,
      reason: reasonOf(plan),
      validation: plan.validation,
    })
    const message = `${name} passed its gate and is in ${plan.stage}. Production is as it was: a person decides.`
    await finish(ctx, job, plan, { ...record, outcome: 'promoted', gate: moved.gate, message })
    return resultOf(plan, { ...done, outcome: 'promoted', gate: moved.gate, changes: moved.changes, message })
  } catch (error) {
    if (!(error instanceof MlopsError) || error.exit !== 'no') throw error
    const gate = gateOf(error)
    const awaitsApproval = error.code === 'APPROVAL_MISSING'
    const message = `${error.message} ${name} stays registered.`
    await finish(ctx, job, plan, { ...record, outcome: 'refused', gate, awaitsApproval, message })
    return resultOf(plan, { ...done, outcome: 'refused', gate, message }, notifications(ctx, plan))
  }
}

/** The gate's verdict as `promote` put it into the details of its refusal. */
function gateOf({ details }: MlopsError): GateResult | null {
  const checks = details?.checks as GateResult['checks'] | undefined
  const bound = details?.bound as GateResult['bound'] | undefined
  return checks === undefined || bound === undefined ? null : { verdict: 'fail', checks, bound }
}

async function assertEndedWell(store: Store, plan: RetrainPlan, { runId, end, exitCode }: TrackOutcome): Promise<void> {
  if (end.status === 'finished') return
  if (end.status === 'interrupted') {
    throw interrupted({
      code: 'INTERRUPTED',
      message: `Training was interrupted (run ${runId}); nothing was registered or moved.`,
      hint: `mlops retrain ${plan.model}`,
      details: { run: runId },
    })
  }
  const tail = await outputTail(store, runId)
  const output =
    tail.length === 0 ? 'It printed nothing.' : `Its last lines:\n${tail.map((line) => `  ${line}`).join('\n')}`
  throw failed({
    code: 'JOB_FAILED',
    message: `Training ended with exit code ${exitCode}; nothing was registered or moved. ${output}`,
    hint: `See the run: mlops run show ${runId}`,
    details: { run: runId, exit: exitCode, output: tail },
  })
}

async function assertMine(job: Claimed, plan: RetrainPlan): Promise<void> {
  if (await job.stillMine()) return
  throw conflict({
    code: 'RETRAIN_SUPERSEDED',
    message: `This retraining of ${plan.model} showed no sign of life for so long that another one took its place. Nothing was registered or moved by this one.`,
    hint: `See what became of it: mlops model history ${plan.model}`,
  })
}

/** Nothing trained yet: nothing failed that should keep the next attempt waiting. */
function outcomeOfError(error: unknown, run: string | null): JobEnd['outcome'] {
  if (error instanceof MlopsError && error.exit === 'interrupted') return 'interrupted'
  if (error instanceof Error && error.name === 'AbortError') return 'interrupted'
  return run === null ? 'not started' : 'failed'
}

type Ending = Pick<JobEnd, 'outcome' | 'run' | 'version' | 'message'> & Partial<Pick<JobEnd, 'gate' | 'awaitsApproval'>>

/** Writes the end of the job. What was done stands in the model's log; this record only tells later jobs. */
async function finish(ctx: Context, job: Claimed, { stage }: RetrainPlan, ending: Ending): Promise<void> {
  try {
    await job.end({ stage, gate: null, awaitsApproval: false, ...ending })
  } catch (error) {
    ctx.warn(`The end of this retraining could not be recorded: ${error instanceof Error ? error.message : error}`)
  }
}

function notifications(ctx: Context, { notifyOnFail }: RetrainPlan): RetrainResult['notifications'] {
  return notifyOnFail.map((channel) => {
    ctx.warn(`${channel} was NOT told: ${NOT_SENT}.`)
    return { channel, sent: false, why: NOT_SENT }
  })
}

type Partly = Pick<RetrainResult, 'outcome' | 'message'> &
  Partial<Pick<RetrainResult, 'run' | 'version' | 'gate' | 'changes' | 'repeated'>>

function resultOf(plan: RetrainPlan, part: Partly, sent: RetrainResult['notifications'] = []): RetrainResult {
  const base = { repeated: false, run: null, version: null, gate: null, changes: null, ...part }
  return { ...base, model: plan.model, plan, stage: plan.stage, notifications: sent, next: nextCommand(plan, base) }
}

function repeatedResult(plan: RetrainPlan, end: JobEnd): RetrainResult {
  const { version, gate, message } = end
  const run = end.run === null ? null : { id: end.run, metrics: {} }
  const outcome = end.outcome === 'promoted' || end.outcome === 'unchanged' ? end.outcome : 'refused'
  return resultOf(plan, { outcome, version, gate, message, run, repeated: true })
}

function nextCommand(plan: RetrainPlan, { outcome, version }: Pick<RetrainResult, 'outcome' | 'version'>): string {
  const { model, blocked } = plan
  switch (outcome) {
    case 'promoted':
      return `mlops promote ${model}@${version} --to production --approve NAME`
    case 'refused':
    case 'unchanged':
      return `mlops model show ${model}@${version}`
    case 'planned':
      return plan.decision === 'retrain' ? `mlops retrain ${model}` : `mlops status ${model}`
    default:
      return blocked?.hint ?? `mlops retrain ${model} --force --reason TEXT`
  }
}

function dispatchNotBuilt({ model, policy, job }: RetrainPlan): MlopsError {
  const workflow = job.type === 'github_actions' ? job.workflow : ''
  return usage({
    code: 'JOB_NOT_BUILT',
    message: `The trigger fires, but dispatching the workflow ${workflow} is not built yet; nothing was done.`,
    hint: `Run the training here: in ${policy ?? 'the policy'} write  job: {type: command, command: python train.py}  or call mlops retrain ${model} with such a policy inside the workflow`,
    details: { model, workflow },
  })
}
