/**
 * The candidate of a job of type github_actions: a workflow is dispatched once, followed to its end, and what it
 * registered is looked for in this store. How GitHub is spoken to is in `github/`.
 */
import type { Context } from '../core/context.ts'
import { failed, interrupted, type MlopsError } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import { HOUR, MINUTE } from '../project/duration.ts'
import type { DispatchOutcome, RunIdentity } from './github/types.ts'
import type { Candidate, Job } from './job.ts'
import { reasonOf } from './local-job.ts'
import type { RetrainPlan } from './plan.ts'

/** It goes on without anybody who waits for it. */
export interface Left {
  /** Why, in one sentence. */
  readonly left: string
  readonly workflow: { readonly runId: number | null; readonly runUrl: string | null } | null
}

type Say = (number: number, what: string) => void
type Ended = Extract<DispatchOutcome, { kind: 'ended' }>

/** GitHub lists a run some seconds after it has taken the dispatch; after this long it is not coming. */
const LISTED_BY = HOUR

/** @throws failed `JOB_FAILED`, `VERSION_NOT_HERE`, `WORKFLOW_STILL_RUNNING`; interrupted; whatever GitHub's steps throw */
export async function candidateElsewhere(job: Job, say: Say): Promise<Candidate | Left> {
  const { open, claim, reached } = job
  if (open?.registered != null) {
    reached.isTrained = true
    return known(job, open.registered.version, open.dispatch?.runUrl ?? null)
  }
  const outcome = await interruptible(job, (ctx) => workflow({ ...job, ctx }, say))
  if (outcome.kind === 'left') return leftBehind(job, outcome)
  reached.isElsewhere = false
  reached.workflow = outcome.runUrl
  assertSucceeded(job, outcome)
  reached.isTrained = true
  say(2, 'find the version that the workflow registered')
  const { version, run } = await registeredBy(job, outcome)
  await claim.step({ name: 'registered', run, version })
  reached.run = run
  return known(job, version, outcome.runUrl)
}

/** Ctrl-C ends the waiting, never the workflow. */
async function interruptible<T>({ ctx, options }: Job, work: (ctx: Context) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  const ignore = options.signals?.(() => stop.abort())
  const signal = ctx.signal === undefined ? stop.signal : AbortSignal.any([ctx.signal, stop.signal])
  try {
    return await work({ ...ctx, signal })
  } finally {
    ignore?.()
  }
}

/** Dispatched now, or by an earlier process: never both. */
async function workflow(job: Job, say: Say): Promise<DispatchOutcome> {
  const { ctx, project, plan, claim, steps, open, options } = job
  if (plan.job.type !== 'github_actions') throw new RangeError('this job runs here')
  const { workflow: file } = plan.job
  let noted = open?.dispatch?.runUrl ?? null
  const note = async ({ runId, runUrl }: RunIdentity): Promise<void> => {
    if (noted === runUrl) return
    noted = runUrl
    job.reached.workflow = runUrl
    job.reached.isElsewhere = true
    await claim.step({ name: 'dispatched', runId, runUrl })
  }
  const watching = {
    job: plan.job,
    model: plan.model,
    correlation: claim.begin.attempt,
    wait: options.wait !== false,
    onRun: note,
    say: (line: string) => say(1, line),
  }
  const before = open?.dispatch ?? null
  if (before !== null) {
    say(1, `follow ${before.runUrl ?? file}`)
    const { runId, time } = before
    // It may be at work: what goes wrong in looking for it says nothing of it.
    job.reached.isElsewhere = true
    const found = await steps.resume(ctx, project, { ...watching, runId, dispatchedAt: time })
    if (found.kind !== 'missing') return found
    job.reached.isElsewhere = false
    if (before.accepted || runId !== null) return notListed(job, before, found.message)
  }
  say(1, `dispatch ${file}`)
  await claim.step({ name: 'dispatching' })
  const outcome = await steps.dispatch(ctx, project, { ...watching, reason: reasonOf(job) })
  job.reached.isElsewhere = true
  if (outcome.runId !== null && outcome.runUrl !== null) await note({ runId: outcome.runId, runUrl: outcome.runUrl })
  else if (outcome.kind === 'left' && outcome.accepted) {
    await claim.step({ name: 'dispatched', runId: null, runUrl: null })
  }
  return outcome
}

/** GitHub took it, and shows no such run: yet, or any more. It is not dispatched again. */
function notListed(
  { ctx, plan }: Job,
  { time, runId, runUrl }: { readonly time: string; readonly runId: number | null; readonly runUrl: string | null },
  message: string,
): DispatchOutcome {
  const age = ctx.now().getTime() - Date.parse(time)
  if (runId === null && age < LISTED_BY) {
    const why = `GitHub has taken the dispatch and lists no run of it yet, ${Math.ceil(age / MINUTE)} min after it.`
    return { kind: 'left', why: 'unlisted', accepted: true, runId, runUrl, status: null, message: why }
  }
  throw failed({
    code: 'WORKFLOW_GONE',
    message: `The workflow of ${plan.model} was dispatched at ${time}, and GitHub knows no run of it (any more). ${message}`,
    hint: `Look at the runs of the workflow, then: mlops retrain ${plan.model} --force --reason TEXT`,
    details: { runId, runUrl, dispatched: time },
  })
}

/** @throws what nobody may take for a success: a wait that was too short, Ctrl-C */
function leftBehind({ plan, reached, options }: Job, outcome: Extract<DispatchOutcome, { kind: 'left' }>): Left {
  const { why, accepted, runId, runUrl, message } = outcome
  reached.workflow = runUrl
  // Who does not wait is content that GitHub has taken it.
  if (why === 'asked' || (why === 'unlisted' && accepted && options.wait === false))
    return { left: message, workflow: { runId, runUrl } }
  const hint = `It goes on at GitHub. To go on from there: mlops retrain ${plan.model}`
  const details = { runId, runUrl, status: outcome.status }
  // Nothing is lost: whoever comes next follows it.
  if (why === 'timeout') throw failed({ code: 'WORKFLOW_STILL_RUNNING', message, hint, details })
  if (why === 'interrupted') throw interrupted({ code: 'INTERRUPTED', message, hint, details })
  throw failed({ code: 'WORKFLOW_NOT_FOLLOWED', message, hint, details })
}

function assertSucceeded({ plan }: Job, { conclusion, runId, runUrl, message, failedJobs }: Ended): void {
  if (conclusion === 'success') return
  const detail = {
    message: `The workflow of ${plan.model} ended as ${conclusion}; nothing was moved. ${message}`,
    hint: `See the run: ${runUrl}`,
    details: { conclusion, runId, workflow: runUrl, failedJobs, output: [`${conclusion}: ${runUrl}`] },
  }
  throw conclusion === 'cancelled'
    ? interrupted({ code: 'WORKFLOW_CANCELLED', ...detail })
    : failed({ code: 'JOB_FAILED', ...detail })
}

/** The version whose registration names the workflow's page, or carries the tag of this retraining. */
async function registeredBy({ store, plan, claim }: Job, { runUrl }: Ended) {
  const { events } = await store.models.stateOrEmpty(plan.model)
  const tag = tagOf(claim.begin.attempt)
  const event = events.findLast(
    (each) =>
      each.type === 'register' &&
      (isPageOf(each.actor.url, runUrl) || each.body.tags.some((one) => one.toLowerCase() === tag)),
  )
  if (event?.type === 'register') return { version: event.body.version, run: event.body.run?.id ?? null }
  throw notHere(plan, runUrl, tag)
}

/** What a workflow may tag its version with, so that it is found: `mlops register … --tag`. */
export const tagOf = (attempt: string): string => `retrain-${attempt.toLowerCase()}`

/** A later attempt of the same workflow run has the page with `/attempts/2` behind it. */
const isPageOf = (url: string | undefined, page: string): boolean =>
  url !== undefined && (url === page || url.startsWith(`${page}/`))

function notHere({ model }: RetrainPlan, runUrl: string, tag: string): MlopsError {
  return failed({
    code: 'VERSION_NOT_HERE',
    message: `The workflow ended well (${runUrl}), and no version of ${model} in this store comes from it: it registered into another store, or did not register at all.`,
    hint: `Let the workflow register into this store (mlops register ${model} --run @last --tag retrain --tag ${tag}), or bring its version here: mlops model import FILE`,
    details: { model, workflow: runUrl, tag },
  })
}

async function known({ store, plan }: Job, version: number, runUrl: string | null): Promise<Candidate> {
  const state = await store.models.state(plan.model)
  const found = state.versions[version - 1]
  if (found === undefined) throw new RangeError(`no ${versionName(plan.model, version)}`)
  const { metrics } = await store.models.manifest(found.manifest)
  const run = found.run === undefined ? null : { id: found.run.id, metrics }
  return { version, manifest: found.manifest, run, workflow: runUrl === null ? null : { runId: null, runUrl } }
}
