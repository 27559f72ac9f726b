/**
 * Reading workflow runs: find the one that carries a correlation id, look at one, list what failed in it.
 *
 * docs.github.com/en/rest/actions: "List workflow runs for a workflow", "Get a workflow run", "List jobs for a workflow
 * run"; version 2022-11-28.
 */
import { jsonOf, nextPage } from '../../net/github.ts'
import type { Reply } from '../../net/http.ts'
import { type Client, notGitHub, PATIENCE } from './client.ts'
import type { FailedJob } from './types.ts'

/** What is used of what GitHub tells of a run. */
export interface Run {
  readonly id: number
  readonly url: string
  /** `requested`, `queued`, `pending`, `waiting`, `in_progress`, `completed`. */
  readonly status: string
  readonly conclusion: string | null
}

/** What a dispatch must have made. */
export interface Expected {
  /** The file name of the workflow. */
  readonly workflow: string
  readonly correlation: string
}

/** "This API will return up to 1,000 results for each search": ten pages. */
const MAX_PAGES = 10
/** The clocks of the machines of GitHub, and the second that is cut off. Milliseconds. */
const SKEW = 60_000

export interface Search {
  readonly workflow: string
  readonly correlation: string
  /** When it was dispatched, by this machine's clock. */
  readonly since: Date
  /** Milliseconds since 1970: up to then it may still show up. */
  readonly until: number
}

/**
 * The run whose name carries the correlation id; the oldest, should there be several. Not narrowed to the branch: the
 * id is the only one in the world, and a tag or a renamed branch would hide the run.
 * @throws GitHubProblem
 */
export async function findRun(
  client: Client,
  { workflow, correlation, since, until }: Search,
): Promise<Run | undefined> {
  const dispatched = await client.atGitHub(since)
  const from = `${new Date(dispatched.getTime() - SKEW).toISOString().slice(0, 19)}Z`
  const query = new URLSearchParams({ event: 'workflow_dispatch', created: `>=${from}`, per_page: '100' })
  let path: string | undefined = `/actions/workflows/${encodeURIComponent(workflow)}/runs?${query}`
  const found: Run[] = []
  for (let page = 0; page < MAX_PAGES && path !== undefined; page++) {
    const reply: Reply = await client.get(path, { until: Math.max(until, client.ctx.now().getTime() + PATIENCE) })
    const { workflow_runs: runs } = (jsonOf(reply) ?? {}) as { workflow_runs?: unknown }
    if (!Array.isArray(runs)) throw notGitHub(client)
    found.push(...runs.filter((run) => carries(run, correlation)).flatMap((run) => runOf(run) ?? []))
    path = nextPage(reply, client.repository.api)
  }
  if (found.length > 1) {
    client.ctx.warn(`${found.length} runs carry the correlation id ${correlation}; the oldest counts.`)
  }
  return found.sort((a, b) => a.id - b.id)[0]
}

/** `run-name` becomes the title; the id of a run is also in its name where the workflow has no other. */
function carries(run: unknown, correlation: string): boolean {
  const { display_title: title, name } = (run ?? {}) as { display_title?: unknown; name?: unknown }
  return [title, name].some((text) => typeof text === 'string' && text.includes(correlation))
}

function runOf(value: unknown): Run | undefined {
  const { id, html_url: page, status, conclusion } = (value ?? {}) as Readonly<Record<string, unknown>>
  const url = pageOf(page)
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || url === null) return undefined
  return {
    id,
    url,
    status: typeof status === 'string' ? status : 'unknown',
    conclusion: typeof conclusion === 'string' ? conclusion : null,
  }
}

/** The address of a page for people; null where it is none: it stands in terminals, messages and records. */
export function pageOf(value: unknown): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (typeof value !== 'string' || /[\s\u0000-\u001f\u007f-\u009f]/.test(value)) return null
  return /^https?:\/\//.test(value) && URL.canParse(value) ? value : null
}

/**
 * Looks at a run that is said to be the one that was dispatched.
 * @returns the run; or why it is not the one, in words. @throws GitHubProblem
 */
export async function checkedRun(
  client: Client,
  id: number,
  { workflow, correlation }: Expected,
): Promise<Run | string> {
  const reply = await client.get(`/actions/runs/${id}?exclude_pull_requests=true`, {
    until: client.ctx.now().getTime() + PATIENCE,
  })
  const body = jsonOf(reply)
  const run = runOf(body)
  if (run === undefined) throw notGitHub(client)
  const { path, event } = body as { readonly path?: unknown; readonly event?: unknown }
  if (run.id !== id) return `GitHub answers with run ${run.id}`
  const file = typeof path === 'string' ? path.split('@', 1)[0]?.split('/').at(-1) : workflow
  if (file !== workflow) return `it is of the workflow ${JSON.stringify(file)}, not ${workflow}`
  if (event !== 'workflow_dispatch') return `it was begun by ${JSON.stringify(event)}, not by a dispatch`
  return carries(body, correlation) ? run : `its name does not carry ${correlation}`
}

export interface Look {
  /** Undefined: unchanged since the last look. */
  readonly run: Run | undefined
  readonly etag: string | undefined
  /** Milliseconds before which GitHub does not want to be asked again (`x-poll-interval`); 0 where it does not say. */
  readonly notBefore: number
}

/** @param etag of the last look. @throws GitHubProblem */
export async function lookAtRun(client: Client, id: number, etag: string | undefined, until: number): Promise<Look> {
  const reply = await client.get(`/actions/runs/${id}?exclude_pull_requests=true`, { until, etag })
  const interval = Number(reply.headers.get('x-poll-interval') ?? 0) * 1000
  const notBefore = Number.isFinite(interval) ? interval : 0
  if (reply.status === 304) return { run: undefined, etag, notBefore }
  const run = runOf(jsonOf(reply))
  if (run === undefined) throw notGitHub(client)
  return { run, etag: reply.headers.get('etag') ?? undefined, notBefore }
}

/** The jobs of the last attempt that did not end well, with the first failing step of each. @throws GitHubProblem */
export async function failedJobs(client: Client, id: number, until: number): Promise<readonly FailedJob[]> {
  let path: string | undefined = `/actions/runs/${id}/jobs?filter=latest&per_page=100`
  const jobs: unknown[] = []
  for (let page = 0; page < MAX_PAGES && path !== undefined; page++) {
    const reply: Reply = await client.get(path, { until })
    const { jobs: more } = (jsonOf(reply) ?? {}) as { jobs?: unknown }
    if (!Array.isArray(more)) break
    jobs.push(...more)
    path = nextPage(reply, client.repository.api)
  }
  return jobs.flatMap((job) => failedJob(job) ?? [])
}

const WELL = new Set(['success', 'skipped', 'neutral'])

function failedJob(value: unknown): FailedJob | undefined {
  const { name, conclusion, html_url: url, steps } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (typeof name !== 'string' || typeof conclusion !== 'string' || WELL.has(conclusion)) return undefined
  const page = pageOf(url)
  const step = (Array.isArray(steps) ? steps : []).find((each: unknown) => {
    const { conclusion: end } = (each ?? {}) as { conclusion?: unknown }
    return typeof end === 'string' && !WELL.has(end)
  }) as { name?: unknown; number?: unknown } | undefined
  const number = typeof step?.number === 'number' ? step.number : null
  return {
    name,
    conclusion,
    step: typeof step?.name === 'string' ? step.name : null,
    // The page of a job opens at a step by this fragment.
    url: page !== null && number !== null ? `${page}#step:${number}:1` : page,
  }
}
