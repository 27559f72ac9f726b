/** What becomes of a run that was dispatched: waited for or left, and what a person is told of it. */
import { describeDuration } from '../../project/duration.ts'
import { type Client, GitHubProblem, PATIENCE } from './client.ts'
import { failedJobs, type Run } from './runs.ts'
import type { DispatchOutcome, DispatchRequest, LeftBecause, ResumeRequest, RunIdentity } from './types.ts'
import { type Watched, watchRun } from './watch.ts'
import { conclusionWords, failedJobLines, knownConclusion, statusWords } from './words.ts'

type Request = DispatchRequest | ResumeRequest
type Left = Extract<DispatchOutcome, { kind: 'left' }>
/** A run, or why it is not known and what GitHub, or the network, said. */
export type Found =
  | RunIdentity
  | { readonly unseen: 'unlisted' | 'unreachable' | 'interrupted'; readonly said?: string }

export async function follow(client: Client, request: Request, run: Found): Promise<DispatchOutcome> {
  if ('unseen' in run) return left(request, run.unseen, null, run.said)
  await request.onRun?.(run)
  request.say?.(`run ${run.runId}: ${run.runUrl}`)
  const now = client.ctx.now().getTime()
  // Without waiting it is looked at once: it may have ended long ago.
  const watched = await watchRun(client, {
    id: run.runId,
    until: request.wait ? now + request.job.timeout : now,
    say: request.say,
  })
  switch (watched.kind) {
    case 'ended':
      return ended(client, watched.run)
    case 'gone':
      return left(request, 'unreachable', run, 'GitHub knows the run no more: somebody deleted it')
    case 'timeout':
      return left(request, request.wait ? 'timeout' : 'asked', run, undefined, watched)
    default:
      return left(request, watched.kind, run, 'problem' in watched ? watched.problem : undefined, watched)
  }
}

async function ended(client: Client, run: Run): Promise<DispatchOutcome> {
  const conclusion = knownConclusion(run.conclusion)
  const isWell = conclusion === 'success'
  const jobs = isWell ? [] : await whatFailed(client, run.id)
  const message = [`Run ${run.id} ${conclusionWords(run.conclusion)}: ${run.url}`, ...failedJobLines(jobs)].join('\n')
  return { kind: 'ended', conclusion, runId: run.id, runUrl: run.url, failedJobs: jobs, message }
}

/** The page of the run says it too, so that it cannot be fetched is no failure of its own. */
async function whatFailed(client: Client, id: number) {
  try {
    return await failedJobs(client, id, client.ctx.now().getTime() + PATIENCE)
  } catch (error) {
    if (error instanceof GitHubProblem) return []
    throw error
  }
}

/** @param said what GitHub, or the network, said */
export function left(
  { job, correlation }: Request,
  why: LeftBecause,
  run: RunIdentity | null,
  said?: string,
  watched?: Exclude<Watched, { kind: 'gone' }>,
): Left {
  const status = watched?.run?.status ?? null
  const what = run === null ? `The run with the id ${correlation}` : `Run ${run.runId}`
  const where = run === null ? '' : `: ${run.runUrl}`
  const state = status === null ? '' : ` (${statusWords(status)})`
  const because = said === undefined ? '' : ` ${said.replace(/\.$/, '')}.`
  const sentences: Readonly<Record<LeftBecause, string>> = {
    asked: `${what} goes on by itself${state}${where}`,
    timeout: `${what} has not ended within ${describeDuration(job.timeout)}${state} and goes on by itself${where}`,
    interrupted: `${what} is not waited for any longer and goes on by itself${state}${where}`,
    unreachable: `${what} could not be looked at any longer${where}${where === '' ? '.' : ''}${because}`,
    unlisted: `GitHub accepted the dispatch but does not list a run whose name carries ${correlation} yet. The run-name: of ${job.workflow} must carry it.`,
    uncertain: `GitHub may or may not have accepted the dispatch: the answer was lost and no run whose name carries ${correlation} showed up.${because}`,
  }
  const { runId = null, runUrl = null } = run ?? {}
  return { kind: 'left', why, accepted: why !== 'uncertain', runId, runUrl, status, message: sentences[why] }
}
