/**
 * Creating the workflow dispatch event, once. The one request here that changes something is never made again blindly:
 * when its answer was lost, the run is looked for by its correlation id first.
 *
 * docs.github.com/en/rest/actions/workflows: "Create a workflow dispatch event", version 2022-11-28: 204 without
 * content; with `return_run_details` 200 with `workflow_run_id`, `run_url`, `html_url`. GitHub Enterprise Server up to
 * 3.19 refuses that key (422 "is not a permitted key").
 */
import { jsonOf } from '../../net/github.ts'
import { backoff, type Client, GitHubProblem, limitPause, notGitHub } from './client.ts'
import { awaitRun } from './watch.ts'

export interface Creation {
  readonly workflow: string
  readonly ref: string
  readonly inputs: Readonly<Record<string, string>>
  readonly correlation: string
  /** By this machine's clock. */
  readonly since: Date
}

export type Created =
  /** As GitHub says, and to be looked at before it is believed; null where it does not tell. */
  | { readonly kind: 'accepted'; readonly runId: number | null }
  /** It may have been made: nobody knows, and it must not be made again before the run was looked for. */
  | { readonly kind: 'uncertain'; readonly why: string; readonly interrupted: boolean }

/** Tries whose answer is lost. */
const MAX_AMBIGUOUS = 3
/** Tries that never got to GitHub. */
const MAX_UNSENT = 5
/** Milliseconds after a lost answer within which a run that was made shows up. */
const LOOK_FOR = 45_000
/** Milliseconds that limits of the rate may take together before a dispatch is given up. */
const LONGEST_LIMIT = 10 * 60_000

/** @throws GitHubProblem when nothing was dispatched for certain */
export async function createDispatch(client: Client, creation: Creation): Promise<Created> {
  const { ctx, wire } = client
  const path = `/actions/workflows/${encodeURIComponent(creation.workflow)}/dispatches`
  const began = ctx.now().getTime()
  const count = { lost: 0, unsent: 0, limited: 0 }
  let asksForRun = true
  for (;;) {
    try {
      const { ref, inputs } = creation
      const reply = await client.once('POST', path, {
        ref,
        inputs,
        ...(asksForRun ? { return_run_details: true } : {}),
      })
      const runId = idOf(jsonOf(reply))
      if (runId === null && reply.status !== 204) throw notGitHub(client, true)
      return { kind: 'accepted', runId }
    } catch (error) {
      if (!(error instanceof GitHubProblem)) throw error
      const { kind, sent } = error.facts
      if (kind === 'interrupted' && sent) return { kind: 'uncertain', why: error.message, interrupted: true }
      if (kind === 'limited') {
        const pause = limitPause(error, ++count.limited)
        if (ctx.now().getTime() + pause > began + LONGEST_LIMIT) throw error
        ctx.progress?.(`GitHub limits the rate: waiting ${Math.ceil(pause / 1000)} s`)
        await client.sleep(pause)
      } else if (kind === 'refused' && asksForRun && /return_run_details/.test(error.message)) {
        asksForRun = false
      } else if (kind === 'network' && !sent) {
        if (++count.unsent >= MAX_UNSENT) throw error
        await client.sleep(backoff(wire, count.unsent))
      } else if (sent) {
        const run = await lookAfterLoss(client, creation)
        if (run !== 'none') return run
        if (++count.lost >= MAX_AMBIGUOUS) return { kind: 'uncertain', why: error.message, interrupted: false }
      } else {
        throw error
      }
    }
  }
}

/** @returns `none` when GitHub answers and lists no such run: only then it is dispatched again */
async function lookAfterLoss(client: Client, { workflow, correlation, since }: Creation): Promise<Created | 'none'> {
  client.ctx.progress?.('GitHub Actions: the answer was lost; looking whether the run was made')
  try {
    const until = client.ctx.now().getTime() + LOOK_FOR
    const run = await awaitRun(client, { workflow, correlation, since, until })
    return run === undefined ? 'none' : { kind: 'accepted', runId: run.id }
  } catch (error) {
    if (!(error instanceof GitHubProblem)) throw error
    return { kind: 'uncertain', why: error.message, interrupted: error.facts.kind === 'interrupted' }
  }
}

function idOf(body: unknown): number | null {
  const { workflow_run_id: runId } = (body ?? {}) as Readonly<Record<string, unknown>>
  return typeof runId === 'number' && Number.isSafeInteger(runId) ? runId : null
}
