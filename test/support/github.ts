/**
 * GitHub's REST API of one repository on loopback, by the published contract (docs.github.com/en/rest, version
 * 2022-11-28): "Create a workflow dispatch event", "List workflow runs for a workflow", "Get a workflow run", "List jobs
 * for a workflow run", "Get a repository", "Get repository content". What a client does against the contract is
 * answered as GitHub would, and kept in `violations`.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { load } from 'js-yaml'

export const TOKEN = 'a-token-of-github-0123456789abcdef'
/** Fits what `src/retrain/github/inputs.ts` asks for. */
export const WORKFLOW = `name: Retrain
run-name: retrain \${{ inputs.model }} \${{ inputs.correlation_id }}
on:
  workflow_dispatch:
    inputs:
      correlation_id: { type: string, required: true }
      model: { type: string, required: true }
      reason: { type: string, default: '' }
      days: { type: number, default: 30 }
      full: { type: boolean, default: false }
      size: { type: choice, options: [small, large], default: small }
jobs:
  train:
    runs-on: self-hosted
    steps:
      - run: python train.py
`

export interface FakeJob {
  readonly name: string
  readonly conclusion: string | null
  readonly steps: readonly { readonly name: string; readonly number: number; readonly conclusion: string | null }[]
}

export interface FakeRun {
  readonly id: number
  readonly url: string
  readonly title: string
  readonly ref: string
  /** Its file. */
  readonly workflow: string
  readonly inputs: Readonly<Record<string, string>>
  readonly created: Date
  status: string
  conclusion: string | null
  jobs: readonly FakeJob[]
  /** Lists in which it is not in yet. */
  unlisted: number
}

export interface Asked {
  readonly method: string
  /** With the query; without the host. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface FakeAnswer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** `cut`: the connection. `hang`: no answer ever. */
  readonly instead?: 'cut' | 'hang'
  /** What was asked for is done all the same; only the answer is this. */
  readonly after?: true
}

export interface FakeOptions {
  readonly owner?: string
  readonly name?: string
  /** `/api/v3` of GitHub Enterprise Server. */
  readonly prefix?: string
  readonly token?: string
  /** `return_run_details`: answered with 200; not known and ignored (204); a key that is not permitted (422). */
  readonly details?: 'given' | 'ignored' | 'refused'
  /** Files of `.github/workflows/` on the default branch. */
  readonly workflows?: Readonly<Record<string, string>>
  readonly branches?: readonly string[]
  /** Lists that a new run is not in. */
  readonly unlisted?: number
  /** Runs per page, at most. */
  readonly pageSize?: number
  /** Called once a run was made; changes it as it goes on. */
  readonly onRun?: (run: FakeRun) => void
  /** Gets every request first. */
  readonly fault?: (asked: Asked) => FakeAnswer | undefined
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer }
  /** The host of its addresses; default 127.0.0.1. */
  readonly host?: string
  readonly now?: () => Date
}

export interface FakeGitHub {
  /** What `GITHUB_API_URL` would be. */
  readonly api: string
  readonly port: number
  readonly runs: FakeRun[]
  readonly asked: Asked[]
  /** What no correct client does. */
  readonly violations: string[]
  /** Answers with 304, which cost nothing of the rate limit, and all others. */
  readonly cost: { free: number; charged: number }
  close(): Promise<void>
}

interface State extends FakeGitHub {
  readonly options: FakeOptions
  readonly full: string
}

export async function fakeGitHub(options: FakeOptions = {}): Promise<FakeGitHub> {
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => serve(state, request, Buffer.concat(chunks).toString('utf8'), response))
  }
  const server = options.tls === undefined ? createServer(listener) : createSecureServer(options.tls, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const scheme = options.tls === undefined ? 'http' : 'https'
  const state: State = {
    options,
    api: `${scheme}://${options.host ?? '127.0.0.1'}:${port}${options.prefix ?? ''}`,
    port,
    full: `${options.owner ?? 'acme'}/${options.name ?? 'ml'}`,
    runs: [],
    asked: [],
    violations: [],
    cost: { free: 0, charged: 0 },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return state
}

function serve(state: State, request: IncomingMessage, body: string, response: ServerResponse): void {
  const { method = '', url = '', headers } = request
  const asked = { method, path: url, headers, body }
  state.asked.push(asked)
  const fault = state.options.fault?.(asked)
  const own = fault === undefined || fault.after === true ? answer(state, asked) : undefined
  const { status, body: content, headers: more, instead } = fault ?? own ?? { status: 500 }
  if (instead === 'hang') return
  if (instead === 'cut') {
    request.socket.destroy()
    return
  }
  const text = content === undefined ? '' : typeof content === 'string' ? content : JSON.stringify(content)
  const etag = `W/"${createHash('sha256').update(text).digest('hex')}"`
  const isSame = method === 'GET' && status === 200 && headers['if-none-match'] === etag
  state.cost[isSame ? 'free' : 'charged']++
  response.writeHead(isSame ? 304 : status, {
    date: now(state).toUTCString(),
    'x-ratelimit-limit': '5000',
    'x-ratelimit-remaining': String(5000 - state.cost.charged),
    'x-ratelimit-reset': String(Math.floor(now(state).getTime() / 1000) + 3600),
    'x-github-media-type': 'github.v3; format=json',
    ...(status === 200 && method === 'GET' ? { etag } : {}),
    ...(text === '' || isSame ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    ...more,
  })
  response.end(isSame ? undefined : text)
}

const now = ({ options }: State): Date => options.now?.() ?? new Date()
const says = (status: number, message: string): FakeAnswer => ({
  status,
  body: { message, documentation_url: 'https://docs.github.com/rest', status: String(status) },
})

function answer(state: State, asked: Asked): FakeAnswer {
  const { options } = state
  const { method, headers } = asked
  const url = new URL(asked.path, 'http://receiver')
  if (headers['user-agent'] === undefined) {
    state.violations.push('no user-agent')
    return says(403, 'Request forbidden by administrative rules. Please make sure your request has a User-Agent header')
  }
  if (headers.authorization !== `Bearer ${options.token ?? TOKEN}`) return says(401, 'Bad credentials')
  if (!['2022-11-28', '2026-03-10'].includes(String(headers['x-github-api-version']))) {
    state.violations.push(`x-github-api-version ${headers['x-github-api-version']}`)
    return says(400, 'Unsupported API version')
  }
  const prefix = `${options.prefix ?? ''}/repos/${state.full}`
  if (url.pathname !== prefix && !url.pathname.startsWith(`${prefix}/`)) return says(404, 'Not Found')
  const path = url.pathname.slice(prefix.length)
  const raw = path.startsWith('/contents/')
  if (headers.accept !== (raw ? 'application/vnd.github.raw+json' : 'application/vnd.github+json')) {
    state.violations.push(`accept ${headers.accept} of ${path}`)
  }
  const [, workflow, what] = /^\/actions\/workflows\/([^/]+)\/(dispatches|runs)$/.exec(path) ?? []
  const [, id, jobs] = /^\/actions\/runs\/(\d+)(\/jobs)?$/.exec(path) ?? []
  if (method === 'GET' && path === '') return { status: 200, body: repositoryOf(state) }
  if (method === 'GET' && raw) return content(state, path.slice('/contents/.github/workflows/'.length))
  if (workflow !== undefined && fileOf(state, workflow) === undefined) return says(404, 'Not Found')
  if (method === 'POST' && what === 'dispatches') return create(state, asked, decodeURIComponent(workflow ?? ''))
  if (method === 'GET' && what === 'runs') return list(state, url)
  const run = state.runs.find((each) => each.id === Number(id))
  if (method !== 'GET' || run === undefined) return says(404, 'Not Found')
  if (jobs === undefined) return { status: 200, body: runBody(state, run) }
  return { status: 200, body: { total_count: run.jobs.length, jobs: run.jobs.map((job, at) => jobBody(run, job, at)) } }
}

const fileOf = ({ options }: State, workflow: string): string | undefined =>
  (options.workflows ?? { 'retrain.yml': WORKFLOW })[decodeURIComponent(workflow)]

const branchesOf = ({ options }: State): readonly string[] => options.branches ?? ['main']

const repositoryOf = (state: State) => ({
  id: 1,
  full_name: state.full,
  private: true,
  default_branch: branchesOf(state)[0],
})

const content = (state: State, name: string): FakeAnswer => {
  const text = fileOf(state, name)
  return text === undefined ? says(404, 'Not Found') : { status: 200, body: text }
}

interface Declared {
  readonly type?: string
  readonly required?: boolean
  readonly default?: unknown
  readonly options?: readonly string[]
}

/** "Create a workflow dispatch event": `ref` required, `inputs` by name, `return_run_details`; 204, 200 or 422. */
function create(state: State, { headers, body }: Asked, workflow: string): FakeAnswer {
  const { options } = state
  if (!String(headers['content-type']).startsWith('application/json')) state.violations.push('no JSON content-type')
  if (headers['content-length'] !== String(Buffer.byteLength(body))) state.violations.push('content-length')
  const asked = JSON.parse(body) as { ref?: unknown; inputs?: Record<string, unknown>; return_run_details?: unknown }
  const known = ['ref', 'inputs', ...(options.details === 'refused' ? [] : ['return_run_details'])]
  const extra = Object.keys(asked).filter((key) => !known.includes(key))
  const bad = [
    ...extra.map((key) => `"${key}" is not a permitted key.`),
    ...(typeof asked.ref === 'string' ? [] : ['"ref" wasn\'t supplied.']),
  ]
  if (bad.length > 0) return says(422, `Invalid request.\n\n${bad.join('\n')}`)
  const ref = String(asked.ref)
  if (!branchesOf(state).includes(ref.replace(/^refs\/heads\//, ''))) return says(422, `No ref found for: ${ref}`)
  const file = load(fileOf(state, workflow) ?? '') as Record<string, unknown>
  const on = file.on as { workflow_dispatch?: { inputs?: Record<string, Declared> } | null } | string
  if (typeof on === 'string' || !('workflow_dispatch' in on)) {
    return says(422, "Workflow does not have 'workflow_dispatch' trigger")
  }
  const declared = on.workflow_dispatch?.inputs ?? {}
  const given = asked.inputs ?? {}
  const problem = inputProblem(declared, given)
  if (problem !== undefined) return says(422, problem)
  const defaults = Object.entries(declared).map(([name, each]) => [name, String(each.default ?? '')])
  const inputs = { ...Object.fromEntries(defaults), ...(given as Record<string, string>) }
  const run = begin(state, { ...file, workflow }, ref, inputs)
  if (options.details !== 'given' && options.details !== undefined) return { status: 204 }
  if (asked.return_run_details !== true) return { status: 204 }
  const api = `${state.api}/repos/${state.full}/actions/runs/${run.id}`
  return { status: 200, body: { workflow_run_id: run.id, run_url: api, html_url: run.url } }
}

function inputProblem(declared: Record<string, Declared>, given: Record<string, unknown>): string | undefined {
  const unexpected = Object.keys(given).filter((name) => !(name in declared))
  if (unexpected.length > 0) return `Unexpected inputs provided: ${JSON.stringify(unexpected)}`
  if (Object.keys(given).length > 25) return 'you may only define up to 25 `inputs` for a `workflow_dispatch` event'
  if (JSON.stringify(given).length > 65_535) return 'inputs are too large.'
  for (const [name, { type = 'string', required, default: standard, options = [] }] of Object.entries(declared)) {
    const value = given[name]
    if (value === undefined) {
      if (required === true && standard === undefined) return `Required input '${name}' not provided`
      continue
    }
    const isFit =
      typeof value === 'string' &&
      (type !== 'boolean' || value === 'true' || value === 'false') &&
      (type !== 'number' || (value !== '' && Number.isFinite(Number(value)))) &&
      (type !== 'choice' || options.map(String).includes(value))
    if (!isFit) return `Provided value '${String(value)}' for input '${name}' is not a ${type}`
  }
  return undefined
}

function begin(state: State, file: Record<string, unknown>, ref: string, inputs: Record<string, string>): FakeRun {
  const title = String(file['run-name'] ?? file.name ?? '').replace(
    /\$\{\{\s*inputs\.(\w+)\s*\}\}/g,
    (_, name: string) => inputs[name] ?? '',
  )
  const id = 30_433_642 + state.runs.length
  const run: FakeRun = {
    id,
    url: `https://github.example/${state.full}/actions/runs/${id}`,
    title,
    ref,
    workflow: String(file.workflow),
    inputs,
    created: now(state),
    status: 'queued',
    conclusion: null,
    jobs: [],
    unlisted: state.options.unlisted ?? 0,
  }
  state.runs.push(run)
  state.options.onRun?.(run)
  return run
}

const LIST_PARAMETERS = 'actor branch event status created exclude_pull_requests check_suite_id head_sha per_page page'

function list(state: State, url: URL): FakeAnswer {
  const query = url.searchParams
  for (const name of query.keys()) {
    if (!LIST_PARAMETERS.split(' ').includes(name)) state.violations.push(`query ${name}`)
  }
  const [, from] = /^>=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$/.exec(query.get('created') ?? '') ?? []
  if (query.has('created') && from === undefined) state.violations.push(`created ${query.get('created')}`)
  const matching = state.runs
    .filter((run) => run.unlisted-- <= 0)
    .filter(({ created }) => from === undefined || created.getTime() >= Date.parse(from))
    .filter(({ ref }) => !query.has('branch') || ref === query.get('branch'))
    .filter(() => !query.has('event') || query.get('event') === 'workflow_dispatch')
    .sort((a, b) => b.id - a.id)
  const size = Math.min(Number(query.get('per_page') ?? 30), 100, state.options.pageSize ?? 100)
  const page = Number(query.get('page') ?? 1)
  const next = new URL(url.pathname + url.search, state.api)
  next.searchParams.set('page', String(page + 1))
  const link = matching.length > page * size ? { link: `<${next.href}>; rel="next", <${next.href}>; rel="last"` } : {}
  const runs = matching.slice((page - 1) * size, page * size).map((run) => runBody(state, run))
  return { status: 200, body: { total_count: matching.length, workflow_runs: runs }, headers: link }
}

const runBody = (state: State, { id, url, title, ref, workflow, status, conclusion, created }: FakeRun) => ({
  id,
  name: 'Retrain',
  display_title: title,
  event: 'workflow_dispatch',
  path: `.github/workflows/${workflow}@${ref}`,
  head_branch: ref,
  run_number: id,
  run_attempt: 1,
  status,
  conclusion,
  html_url: url,
  url: `${state.api}/repos/${state.full}/actions/runs/${id}`,
  created_at: created.toISOString(),
})

const jobBody = (run: FakeRun, { name, conclusion, steps }: FakeJob, at: number) => ({
  id: at + 1,
  run_id: run.id,
  name,
  status: conclusion === null ? 'in_progress' : 'completed',
  conclusion,
  html_url: `${run.url}/job/${at + 1}`,
  steps: steps.map((step) => ({ ...step, status: step.conclusion === null ? 'queued' : 'completed' })),
})
