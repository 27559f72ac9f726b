/**
 * One retraining that holds its claim: obtain a candidate, judge it, tell, and what becomes of a failure. Every step is
 * recorded when it is done, so that another process can go on where this one stops. Nothing is ever moved but by
 * `promote`, through its gate.
 */
import type { Context } from '../core/context.ts'
import { isMlopsError } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import type { Project } from '../project/config.ts'
import type { Store } from '../store/store.ts'
import type { SignalSource } from '../tracking/execute/child.ts'
import type { Claimed, Ending } from './job-log.ts'
import type { OpenJob } from './job-records.ts'
import { candidateHere } from './local-job.ts'
import type { RetrainPlan } from './plan.ts'
import { candidateElsewhere, type Left } from './remote-job.ts'
import { type RetrainResult, resultOf } from './result.ts'
import { letIn } from './stage.ts'
import type { RetrainSteps } from './steps.ts'
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
  /** Of a job that runs elsewhere: stay until it has ended. Default true. */
  readonly wait?: boolean | undefined
}

/** What every step is given. */
export interface Job {
  readonly ctx: Context
  readonly project: Project
  readonly store: Store
  readonly plan: RetrainPlan
  readonly claim: Claimed
  readonly steps: RetrainSteps
  readonly options: JobOptions
  /** What an earlier process had done of it; null for a new one. */
  readonly open: OpenJob | null
  /** How far it got: for the record of a failure. */
  readonly reached: Reached
}

export interface Reached {
  run: string | null
  version: number | null
  workflow: string | null
  /** The training has ended well: from here on nothing makes it train again. */
  isTrained: boolean
  /** A workflow of it may be at work: whatever goes wrong here, the attempt stays open, and is not begun anew. */
  isElsewhere?: boolean
}

/** A version that a training gave. */
export interface Candidate {
  readonly version: number
  readonly manifest: string
  readonly run: RetrainResult['run']
  readonly workflow: RetrainResult['workflow']
}

/**
 * @throws failed `JOB_FAILED`, `JOB_KILLED`, `VERSION_NOT_HERE`, `WORKFLOW_STILL_RUNNING`; conflict
 *   `RETRAIN_SUPERSEDED`; interrupted; whatever a step throws. The end is recorded, or where somebody may go on.
 */
export async function runJob(job: Job): Promise<RetrainResult> {
  const { plan, options, reached } = job
  const isRemote = plan.job.type === 'github_actions'
  const of = plan.toProduction ? 4 : 3
  const say = (number: number, what: string): void => options.onStep?.({ number, of, what })
  try {
    const candidate = isRemote ? await candidateElsewhere(job, say) : await candidateHere(job, say)
    if ('left' in candidate) return await leave(job, candidate)
    reached.version = candidate.version
    if (candidate.version === plan.champion?.version) return await unchanged(job, candidate)
    await warnOfSameData(job, candidate)
    return await letIn(job, candidate, say)
  } catch (error) {
    await closeAfter(job, error)
    throw error
  }
}

async function leave(job: Job, { left, workflow }: Left): Promise<RetrainResult> {
  const { claim, plan, reached } = job
  reached.workflow = workflow?.runUrl ?? null
  await claim.step({ name: 'left', why: left })
  return resultOf(plan, { outcome: 'dispatched', workflow, message: left })
}

async function unchanged(job: Job, candidate: Candidate): Promise<RetrainResult> {
  const { plan } = job
  const message = `Training gave ${versionName(plan.model, candidate.version)} again, byte for byte: the version in production.`
  await finish(job, { outcome: 'unchanged', version: candidate.version, message })
  return resultOf(plan, { ...candidate, outcome: 'unchanged', message })
}

/** A model trained on the rows that production was trained on answers no drift, however good its numbers are. */
async function warnOfSameData({ ctx, store, plan }: Job, { version, manifest }: Candidate): Promise<void> {
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

/**
 * A failure is told and ends the attempt. What somebody else did meanwhile, or Ctrl-C, is no failure: before the
 * training has ended it is an interruption, after it the attempt stays open, and the next one goes on from there.
 */
async function closeAfter(job: Job, error: unknown): Promise<void> {
  const { ctx, claim, reached } = job
  const message = error instanceof Error ? error.message : String(error)
  const hasGone = isMlopsError(error) && error.code === 'RETRAIN_SUPERSEDED'
  if (hasGone) return
  if (reached.isElsewhere === true || (isInterruption(error) && reached.isTrained)) {
    await claim.step({ name: 'left', why: message }).catch((reason: unknown) => unrecorded(ctx, reason))
    return
  }
  const hasBegun = reached.run !== null || reached.workflow !== null
  const outcome = isInterruption(error) ? 'interrupted' : hasBegun ? 'failed' : 'not started'
  if (outcome === 'failed') {
    // The error is the result here, so what `stdout` was to get goes to stderr.
    const told = await tellEnd(job, { outcome: 'failed', version: reached.version, run: reached.run, message })
    for (const { print } of told) if (print !== undefined) ctx.warn(print)
  }
  await finish(job, { outcome, message, ...(outcome === 'failed' ? { failure: failureOf(error) } : {}) })
}

const isInterruption = (error: unknown): boolean =>
  isMlopsError(error)
    ? ['interrupted', 'conflict'].includes(error.exit)
    : error instanceof Error && error.name === 'AbortError'

/** What the next retraining, held back by this failure, tells about it. */
function failureOf(error: unknown): NonNullable<Ending['failure']> {
  if (isMlopsError(error) && error.code === 'JOB_FAILED') {
    const { exit, output } = error.details as { exit?: number; output?: readonly string[] }
    return { exitCode: exit ?? null, lastLine: output?.findLast((line) => line.trim() !== '')?.trim() ?? null }
  }
  return { exitCode: null, lastLine: error instanceof Error ? error.message : String(error) }
}

type End = Pick<Ending, 'outcome' | 'message' | 'failure'> &
  Partial<Pick<Ending, 'gate' | 'awaitsApproval' | 'version'>>

/** Writes the end of the job. What was done stands in the model's log; this record only tells later jobs. */
export async function finish({ ctx, claim, plan: { stage }, reached }: Job, ending: End): Promise<void> {
  const { run, version, workflow } = reached
  const base = { stage, gate: null, awaitsApproval: false, run, version, ...(workflow === null ? {} : { workflow }) }
  await claim.end({ ...base, ...ending }).catch((error: unknown) => unrecorded(ctx, error))
}

const unrecorded = (ctx: Context, error: unknown): void =>
  ctx.warn(`The end of this retraining could not be recorded: ${error instanceof Error ? error.message : error}`)
