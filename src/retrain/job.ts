/**
 * One retraining that holds its claim: train, register, validate, and what becomes of a failure. Nothing is ever moved
 * but by `promote`, through its gate.
 */
import type { Context } from '../core/context.ts'
import { conflict, failed, interrupted, MlopsError } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import type { RegisterResult } from '../lifecycle/register-types.ts'
import type { Project } from '../project/config.ts'
import type { GateResult } from '../store/events.ts'
import type { Store } from '../store/store.ts'
import type { SignalSource } from '../tracking/child.ts'
import type { TrackOutcome } from '../tracking/track.ts'
import type { Claimed, JobEnd } from './job-log.ts'
import type { PlannedJob, RetrainPlan } from './plan.ts'
import { type RetrainResult, resultOf } from './result.ts'
import { outputTail, type RetrainSteps } from './steps.ts'
import { tellEnd } from './tell.ts'

export interface Step {
  readonly number: number
  readonly of: number
  readonly what: string
}

export interface JobOptions {
  readonly signals?: SignalSource | undefined
  /** Told when a step begins. */
  readonly onStep?: ((step: Step) => void) | undefined
}

/** A plan whose job can be run here. */
export type RunnablePlan = RetrainPlan & { readonly job: Extract<PlannedJob, { type: 'command' }> }

/** What every step is given. */
export interface Job {
  readonly ctx: Context
  readonly project: Project
  readonly store: Store
  readonly plan: RunnablePlan
  readonly claim: Claimed
  readonly steps: RetrainSteps
  readonly options: JobOptions
}

/** @throws failed `JOB_FAILED`; conflict `RETRAIN_SUPERSEDED`; interrupted; whatever a step throws. The end is recorded. */
export async function runJob(job: Job): Promise<RetrainResult> {
  const { ctx, plan, options } = job
  const say = (number: number, what: string): void => options.onStep?.({ number, of: 3, what })
  let run: string | null = null
  let version: number | null = null
  try {
    say(1, `train: ${plan.job.command}`)
    const tracked = await train(job)
    run = tracked.runId
    await assertEndedWell(job, tracked)
    await assertMine(job)
    say(2, `register the result of run ${run}`)
    const registered = await register(job, run)
    version = registered.version
    const done = { run: { id: run, metrics: tracked.end.metrics }, version }
    if (version === plan.champion?.version) {
      const message = `Training gave ${versionName(plan.model, version)} again, byte for byte: the version in production.`
      await finish(job, { outcome: 'unchanged', run, version, message })
      return resultOf(plan, { ...done, outcome: 'unchanged', message })
    }
    await warnOfSameData(job, registered)
    await assertMine(job)
    say(3, `validate ${versionName(plan.model, version)} for ${plan.stage}`)
    return await validate(job, done)
  } catch (error) {
    const outcome = outcomeOfError(error, run)
    const message = error instanceof Error ? error.message : String(error)
    await finish(job, {
      outcome,
      run,
      version,
      message,
      ...(outcome === 'failed' ? { failure: failureOf(error) } : {}),
    })
    if (outcome === 'failed') {
      // The error is the result here, so what `stdout` was to get goes to stderr.
      const told = await tellEnd(job, { failed: true, version, run, message })
      for (const { print } of told) if (print !== undefined) ctx.warn(print)
    }
    throw error
  }
}

async function train(job: Job): Promise<TrackOutcome> {
  const { plan, steps, options } = job
  try {
    return await steps.train(inProject(job), job.project, job.store, {
      command: plan.job.words,
      model: plan.model,
      data: plan.job.data,
      params: {},
      tags: ['retrain'],
      artifacts: [],
      // stdout is the result of `mlops retrain`, not of the script.
      stdoutTo: 'stderr',
      ...(options.signals === undefined ? {} : { signals: options.signals }),
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
async function register(job: Job, run: string): Promise<RegisterResult> {
  const { ctx, store, plan, steps } = job
  const { baseline, test } = plan.register
  const intents = await store.runs.intents(run)
  const wished = intents.flatMap((each) => (each.kind === 'register' && each.model === plan.model ? [each] : [])).at(-1)
  const registered = await steps.register(inProject(job), job.project, store, {
    model: plan.model,
    run,
    ...(baseline === null ? {} : { baseline }),
    ...(test === null ? {} : { test }),
    tags: [...new Set(['retrain', ...(wished?.tags ?? [])])],
    message: wished?.message ?? reasonOf(plan),
    useIntent: false,
    baselineAdvice: `declare it in ${plan.policy ?? 'retraining-policy.yaml'}, under policy.job:  data: {train: PATH}`,
  })
  for (const note of registered.notes) ctx.warn(note)
  if (intents.length > 0) {
    const { model, version } = registered
    const asked = { context: 'retrain', registered: { model, version } } as const
    const { failures } = await steps.applyIntents(ctx, job.project, store, run, asked)
    for (const { message, hint } of failures) ctx.warn(`${message} ${hint}`)
  }
  return registered
}

/** A model trained on the rows that production was trained on answers no drift, however good its numbers are. */
async function warnOfSameData({ ctx, store, plan }: Job, { version, manifest }: RegisterResult): Promise<void> {
  if (plan.champion === null) return
  const [ours, theirs] = await Promise.all(
    [manifest, plan.champion.manifest].map(
      async (digest) => (await store.models.manifest(digest)).baseline?.data.sha256,
    ),
  )
  if (ours === undefined || ours !== theirs) return
  const [name, production] = [version, plan.champion.version].map((each) => versionName(plan.model, each))
  ctx.warn(`${name} was trained on the same data as ${production} in production: what drifts for one drifts for both.`)
}

/** Paths of the policy, and of what a run declares, are relative to the project. */
const inProject = ({ ctx, project }: Job): Context => ({ ...ctx, cwd: project.root })

const reasonOf = ({ reason, why }: RetrainPlan): string => reason ?? `retrained: ${why}`

async function validate(
  job: Job,
  done: { readonly run: NonNullable<RetrainResult['run']>; readonly version: number },
): Promise<RetrainResult> {
  const { ctx, project, store, plan, steps } = job
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
    await finish(job, { ...record, outcome: 'promoted', gate: moved.gate, message })
    const told = await tellEnd(job, { failed: false, version: done.version, run: done.run.id, message })
    return resultOf(plan, { ...done, outcome: 'promoted', gate: moved.gate, changes: moved.changes, message }, told)
  } catch (error) {
    if (!(error instanceof MlopsError) || error.exit !== 'no') throw error
    const gate = gateOf(error)
    const awaitsApproval = error.code === 'APPROVAL_MISSING'
    const message = `${error.message} ${name} stays registered.`
    await finish(job, { ...record, outcome: 'refused', gate, awaitsApproval, message })
    const told = await tellEnd(job, { failed: true, version: done.version, run: done.run.id, message })
    return resultOf(plan, { ...done, outcome: 'refused', gate, message }, told)
  }
}

/** The gate's verdict as `promote` put it into the details of its refusal. */
function gateOf({ details }: MlopsError): GateResult | null {
  const checks = details?.checks as GateResult['checks'] | undefined
  const bound = details?.bound as GateResult['bound'] | undefined
  return checks === undefined || bound === undefined ? null : { verdict: 'fail', checks, bound }
}

async function assertEndedWell({ store, plan }: Job, { runId, end, exitCode }: TrackOutcome): Promise<void> {
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

async function assertMine({ claim, plan }: Job): Promise<void> {
  if (await claim.stillMine()) return
  throw conflict({
    code: 'RETRAIN_SUPERSEDED',
    message: `This retraining of ${plan.model} showed no sign of life for so long that another one took its place. Nothing was registered or moved by this one.`,
    hint: `See what became of it: mlops model history ${plan.model}`,
  })
}

/** What somebody else moved, or what never began to train, is no failure that should keep the next attempt waiting. */
function outcomeOfError(error: unknown, run: string | null): JobEnd['outcome'] {
  if (error instanceof MlopsError && ['interrupted', 'conflict'].includes(error.exit)) return 'interrupted'
  if (error instanceof Error && error.name === 'AbortError') return 'interrupted'
  return run === null ? 'not started' : 'failed'
}

/** What the next retraining, held back by this failure, tells about it. */
function failureOf(error: unknown): NonNullable<JobEnd['failure']> {
  if (error instanceof MlopsError && error.code === 'JOB_FAILED') {
    const { exit, output } = error.details as { exit?: number; output?: readonly string[] }
    return { exitCode: exit ?? null, lastLine: output?.findLast((line) => line.trim() !== '')?.trim() ?? null }
  }
  return { exitCode: null, lastLine: error instanceof Error ? error.message : String(error) }
}

type Ending = Pick<JobEnd, 'outcome' | 'run' | 'version' | 'message' | 'failure'> &
  Partial<Pick<JobEnd, 'gate' | 'awaitsApproval'>>

/** Writes the end of the job. What was done stands in the model's log; this record only tells later jobs. */
async function finish({ ctx, claim, plan: { stage } }: Job, ending: Ending): Promise<void> {
  try {
    await claim.end({ stage, gate: null, awaitsApproval: false, ...ending })
  } catch (error) {
    ctx.warn(`The end of this retraining could not be recorded: ${error instanceof Error ? error.message : error}`)
  }
}
