/**
 * The job of type `github_actions`: start a workflow and stay with its run, or find an earlier one again. What is sent
 * and how it is judged is in the files beside this one.
 */
import type { Context } from '../../core/context.ts'
import { usage } from '../../core/errors.ts'
import { jsonOf } from '../../net/github.ts'
import type { Project } from '../../project/config.ts'
import { findGitTop } from '../../project/find.ts'
import { type Client, GitHubProblem, notGitHub, openClient, PATIENCE, realWire, type Wire } from './client.ts'
import { createDispatch } from './create.ts'
import { assertInputs, inputsOf, unfit } from './inputs.ts'
import { type Found, follow, left } from './outcome.ts'
import { errorOf } from './refusal.ts'
import { findRepository } from './repository.ts'
import { checkedRun, type Expected, type Run } from './runs.ts'
import type { DispatchOutcome, DispatchRequest, ResumeOutcome, ResumeRequest } from './types.ts'
import { awaitRun } from './watch.ts'
import { localWorkflow, readWorkflow, type WorkflowFile } from './workflow-file.ts'

/** Milliseconds within which a run shows up in the list: seconds as a rule. The shorter one where nobody waits. */
const APPEARS_WITHIN = 120_000
const APPEARS_WITHIN_UNWAITED = 30_000

/**
 * Starts the workflow, once. With `wait` it stays until the run has ended; an aborted `ctx.signal` leaves the run, which
 * goes on by itself. Once GitHub has accepted the dispatch, this does not throw any more for what GitHub answers.
 *
 * @throws usage `WORKFLOW_UNFIT` with every problem, `WORKFLOW_NOT_FOUND`, `WORKFLOW_REFUSED`, `WORKFLOW_INVALID`,
 *   `GITHUB_TOKEN_MISSING`, `GITHUB_TOKEN_REFUSED`, `GITHUB_REPOSITORY_UNKNOWN` …; failed `GITHUB_RATE_LIMITED`,
 *   `GITHUB_UNREACHABLE`; interrupted. After any of them nothing was dispatched.
 */
export async function dispatch(
  ctx: Context,
  project: Project,
  request: DispatchRequest,
  wire: Wire = realWire,
): Promise<DispatchOutcome> {
  const { job, correlation } = request
  const workflow = fileName(job.workflow)
  const repository = await findRepository(ctx, project, job.repository)
  const client = openClient(ctx, repository, wire)
  let ref = job.ref ?? null
  try {
    const checked = repository.isHere ? localCheck(ctx, project, request, workflow) : undefined
    ref ??= await defaultBranch(client)
    const inputs = checked ?? (await remoteCheck(client, request, workflow, ref))
    const since = ctx.now()
    const created = await createDispatch(client, { workflow, ref, inputs, correlation, since })
    if (created.kind === 'uncertain') {
      const outcome = left(request, created.interrupted ? 'interrupted' : 'uncertain', null, created.why)
      return { ...outcome, accepted: false }
    }
    request.say?.(`${workflow} was dispatched at ${ref} of ${repository.owner}/${repository.name}`)
    const appears = request.wait ? Math.min(APPEARS_WITHIN, job.timeout) : APPEARS_WITHIN_UNWAITED
    const until = ctx.now().getTime() + appears
    const search = { workflow, correlation, since, until }
    return await follow(client, request, await shownRun(client, created.runId, search))
  } catch (error) {
    if (error instanceof GitHubProblem) throw errorOf(error, { repository, workflow, ref })
    throw error
  }
}

/**
 * Finds the run of an earlier dispatch, and waits for it with `wait`. Never starts anything.
 * @throws as `dispatch`, but for what is about starting
 */
export async function resume(
  ctx: Context,
  project: Project,
  request: ResumeRequest,
  wire: Wire = realWire,
): Promise<ResumeOutcome> {
  const { job, correlation, runId } = request
  const workflow = fileName(job.workflow)
  const repository = await findRepository(ctx, project, job.repository)
  const client = openClient(ctx, repository, wire)
  try {
    const known = runId === null ? undefined : await runById(client, runId, { workflow, correlation })
    const since = new Date(Date.parse(request.dispatchedAt) || ctx.now().getTime())
    // What was dispatched a moment ago may not be listed yet.
    const search = { workflow, correlation, since, until: since.getTime() + APPEARS_WITHIN }
    const run = known ?? (await awaitRun(client, search))
    if (run !== undefined) return await follow(client, request, { runId: run.id, runUrl: run.url })
    const what = runId === null ? `with the id ${correlation}` : `${runId}`
    const message = `GitHub knows no run ${what} of ${workflow}: it was never made, or was deleted.`
    return { kind: 'missing', runId, message }
  } catch (error) {
    if (!(error instanceof GitHubProblem)) throw error
    if (error.facts.kind === 'interrupted') return { ...left(request, 'interrupted', null), accepted: false }
    throw errorOf(error, { repository, workflow, ref: null, lead: 'The run could not be looked up.' })
  }
}

/** `retrain.yml`, also written with its folder. */
function fileName(workflow: string): string {
  const name = workflow.trim().replace(/^\.?\/?\.github\/workflows\//, '')
  if (/^[^/\\\s][^/\\]*\.ya?ml$/.test(name)) return name
  throw usage({
    code: 'WORKFLOW_INVALID',
    message: `workflow: ${JSON.stringify(workflow)} is not the name of a workflow file.`,
    hint: 'Name the file in .github/workflows/, for example  workflow: retrain.yml',
  })
}

function localCheck(ctx: Context, project: Project, request: DispatchRequest, workflow: string) {
  const local = localWorkflow(findGitTop(project.root) ?? project.root, workflow, ctx.cwd)
  return local === undefined ? undefined : checkedInputs(ctx, request, workflow, local)
}

/** The file as it is at the ref ("Get repository content"). Reading it needs another permission, which may be missing. */
async function remoteCheck(client: Client, request: DispatchRequest, workflow: string, ref: string) {
  const { ctx } = client
  const path = `/contents/.github/workflows/${encodeURIComponent(workflow)}?ref=${encodeURIComponent(ref)}`
  try {
    const until = ctx.now().getTime() + PATIENCE
    const { text } = await client.get(path, { until, accept: 'application/vnd.github.raw+json' })
    const name = `.github/workflows/${workflow} (${ref})`
    return checkedInputs(ctx, request, workflow, { bytes: Buffer.from(text), name })
  } catch (error) {
    if (!(error instanceof GitHubProblem) || error.facts.kind !== 'refused') throw error
    ctx.warn(`${workflow} could not be read before it was dispatched (${error.message}); GitHub judges the inputs.`)
    return checkedInputs(ctx, request, workflow, undefined)
  }
}

/** @throws usage `WORKFLOW_UNFIT` */
function checkedInputs(
  ctx: Context,
  { job, model, reason, correlation }: DispatchRequest,
  workflow: string,
  found: { readonly bytes: Uint8Array; readonly name: string } | undefined,
): Readonly<Record<string, string>> {
  let file: WorkflowFile | undefined
  if (found !== undefined) {
    const read = readWorkflow(found.bytes, found.name)
    if (read.kind === 'invalid') throw unfit([read.problem], 'Correct the file and push it', found.name)
    if (read.kind === 'read') file = read.file
    else ctx.warn(`${found.name} was not checked (${read.why}); GitHub judges the inputs.`)
  }
  const wanted = { own: job.inputs, model, reason, correlation }
  const inputs = inputsOf(wanted, file)
  assertInputs(inputs, wanted, file, workflow)
  return inputs
}

/** "Get a repository". */
async function defaultBranch(client: Client): Promise<string> {
  const reply = await client.get('', { until: client.ctx.now().getTime() + PATIENCE })
  const { default_branch: branch } = (jsonOf(reply) ?? {}) as { default_branch?: unknown }
  if (typeof branch !== 'string' || branch === '') throw notGitHub(client)
  return branch
}

/**
 * The run that was made: the one that GitHub named, if it is that, else the one whose name carries the correlation id.
 * Accepted it was; that it cannot be looked at does not change it.
 */
async function shownRun(client: Client, named: number | null, search: Parameters<typeof awaitRun>[1]): Promise<Found> {
  try {
    const run = (named === null ? undefined : await runById(client, named, search)) ?? (await awaitRun(client, search))
    return run === undefined ? { unseen: 'unlisted' } : { runId: run.id, runUrl: run.url }
  } catch (error) {
    if (!(error instanceof GitHubProblem)) throw error
    const { kind } = error.facts
    return kind === 'interrupted' ? { unseen: kind } : { unseen: 'unreachable', said: error.message }
  }
}

/** @returns undefined where there is none with this id (yet), or it is another one, which is said */
async function runById(client: Client, id: number, expected: Expected): Promise<Run | undefined> {
  try {
    const run = await checkedRun(client, id, expected)
    if (typeof run !== 'string') return run
    client.ctx.warn(`Run ${id} is not the one that was dispatched: ${run}. It is looked for by its name.`)
    return undefined
  } catch (error) {
    if (error instanceof GitHubProblem && error.facts.status === 404) return undefined
    throw error
  }
}
