/**
 * `github`: one open issue per model, with a part per fingerprint that is updated in place. A comment tells of every
 * change of state; when no part is firing any more the issue is closed. The text of the issue is `github-issue.ts`.
 *
 * REST API of GitHub: "List repository issues", "Create an issue", "Update an issue", "Create an issue comment" and
 * "Rate limits for the REST API" (docs.github.com/rest, version 2022-11-28).
 */
import type { Context } from '../core/context.ts'
import { type Channel, hostOf, missingVariable, type SendKit, SendProblem, variable } from './channel.ts'
import { cut } from './clean.ts'
import { commentOf, isFiring, issueTitle, mergedBody, modelMarker, partState } from './github-issue.ts'
import { httpRequest, type Reply, replyProblem } from './http.ts'
import type { Alert } from './types.ts'

const LABEL = 'mlops-alert'
const API = 'https://api.github.com'
const API_VERSION = '2022-11-28'
const PAGES = 10
/** A page of 100 issues whose bodies are as long as they may be. */
const LIST_BYTES = 16_777_216
const TOKENS = ['MLOPS_GITHUB_TOKEN', 'GITHUB_TOKEN']
/** "Otherwise, wait for at least one minute before retrying" (secondary rate limits). */
const SECONDARY_PAUSE = 60_000

interface Issue {
  readonly number: number
  readonly body: string | null
  readonly labels: readonly (string | { readonly name?: string })[]
  readonly pull_request?: unknown
}

interface Repository {
  readonly base: string
  readonly token: string
}

export function gitHubChannel(ctx: Context): Channel {
  const token = variable(ctx, TOKENS)
  return {
    secrets: token === undefined ? [] : [token],
    destination: () => hostOf(repositoryOf(ctx, token).base, 'GITHUB_API_URL'),
    async send(alert, kit) {
      await tell(alert, kit, repositoryOf(ctx, token))
      return undefined
    },
  }
}

/** @throws SendProblem */
function repositoryOf(ctx: Context, token: string | undefined): Repository {
  if (token === undefined) throw missingVariable(TOKENS[0] ?? '', 'a token that may write issues (or GITHUB_TOKEN)')
  const name = variable(ctx, ['GITHUB_REPOSITORY'])
  if (name === undefined) throw missingVariable('GITHUB_REPOSITORY', 'owner/name of the repository of the issues')
  if (!/^[\w.-]+\/[\w.-]+$/.test(name)) {
    throw new SendProblem('GITHUB_REPOSITORY is not owner/name', 'never', 'GITHUB_REPOSITORY')
  }
  const api = (variable(ctx, ['GITHUB_API_URL']) ?? API).replace(/\/+$/, '')
  if (!URL.canParse(api)) throw new SendProblem('GITHUB_API_URL is no address', 'never', 'GITHUB_API_URL')
  return { base: `${api}/repos/${name}`, token }
}

async function tell(alert: Alert, kit: SendKit, repository: Repository): Promise<void> {
  const found = await findIssue(alert.model, kit, repository)
  if (found === undefined) {
    if (alert.state === 'recovered') return
    await create(alert, kit, repository)
    return
  }
  const before = partState(found.body ?? '', alert.fingerprint)
  const body = mergedBody(found.body ?? '', alert)
  const closes = !isFiring(body)
  const path = `/issues/${found.number}`
  // The comment goes out before the issue is closed, and the body last: it is what says that all was done.
  if (before !== alert.state) await call(kit, repository, 'POST', `${path}/comments`, { body: commentOf(alert) })
  await call(kit, repository, 'PATCH', path, {
    title: issueTitle(alert.model, body),
    body,
    ...(closes ? { state: 'closed', state_reason: 'completed' } : {}),
  })
}

async function create(alert: Alert, kit: SendKit, repository: Repository): Promise<void> {
  const body = mergedBody('', alert)
  const reply = await call(kit, repository, 'POST', '/issues', {
    title: issueTitle(alert.model, body),
    body,
    labels: [LABEL],
  })
  const made = parse(reply) as Partial<Issue> | undefined
  if (made?.number !== undefined && !hasLabel(made)) {
    kit.ctx.warn(
      `Issue #${made.number} could not be given the label ${LABEL}: the token may not set labels. Without it the next alert opens another issue.`,
    )
  }
}

/** The open issue of the model: by the label, and the marker in its body. */
async function findIssue(model: string, kit: SendKit, repository: Repository): Promise<Issue | undefined> {
  let path: string | undefined = `/issues?state=open&labels=${LABEL}&per_page=100`
  for (let page = 0; page < PAGES && path !== undefined; page++) {
    const reply: Reply = await call(kit, repository, 'GET', path)
    const issues = parse(reply)
    if (!Array.isArray(issues)) throw new SendProblem('the answer is no list of issues: is it GitHub?', 'never')
    const found = (issues as Issue[]).find(
      ({ body, pull_request }) => pull_request === undefined && (body ?? '').includes(modelMarker(model)),
    )
    if (found !== undefined) return found
    path = nextPage(reply, repository)
  }
  return undefined
}

/** `Link: <…&page=2>; rel="next"`. A link to another place gets no token. */
function nextPage({ headers }: Reply, { base }: Repository): string | undefined {
  const link = /<([^>]+)>;[^,]*\brel="next"/.exec(headers.get('link') ?? '')?.[1]
  if (link === undefined || !URL.canParse(link, base)) return undefined
  const url = new URL(link, base)
  return url.origin === new URL(base).origin ? url.href : undefined
}

/** @param path below the repository, or a whole address */
async function call(
  { ctx, wire }: SendKit,
  { base, token }: Repository,
  method: 'GET' | 'POST' | 'PATCH',
  path: string,
  content?: Readonly<Record<string, unknown>>,
): Promise<Reply> {
  const reply = await httpRequest(ctx, wire, {
    method,
    url: path.startsWith('/') ? base + path : path,
    readAtMost: LIST_BYTES,
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${token}`,
      'x-github-api-version': API_VERSION,
      ...(content === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(content === undefined ? {} : { body: JSON.stringify(content) }),
  })
  const problem = limited(reply, ctx.now()) ?? replyProblem(reply, ctx.now(), messageOf)
  if (problem !== undefined) throw problem
  return reply
}

/** 403 and 429 are also how GitHub limits the rate: by `retry-after`, by `x-ratelimit-reset`, else a minute. */
function limited(reply: Reply, now: Date): SendProblem | undefined {
  const { status, headers } = reply
  if (status !== 403 && status !== 429) return undefined
  const after = Number(headers.get('retry-after') ?? Number.NaN) * 1000
  const reset = Number(headers.get('x-ratelimit-reset') ?? Number.NaN) * 1000 - now.getTime()
  const isPrimary = headers.get('x-ratelimit-remaining') === '0'
  const isSecondary = status === 429 || /rate limit/i.test(messageOf(reply))
  const wait = Number.isFinite(after) ? after : isPrimary && Number.isFinite(reset) ? reset : SECONDARY_PAUSE
  if (!Number.isFinite(after) && !isPrimary && !isSecondary) return undefined
  const pause = Math.max(0, wait)
  return new SendProblem(`GitHub limits the rate; it asks to wait ${Math.ceil(pause / 1000)} s`, pause)
}

const messageOf = (reply: Reply): string => {
  const { message } = (parse(reply) ?? {}) as { message?: unknown }
  return typeof message === 'string' ? cut(message, 200) : ''
}

const parse = ({ text }: Reply): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const hasLabel = ({ labels = [] }: Partial<Issue>): boolean =>
  labels.some((label) => (typeof label === 'string' ? label : label.name) === LABEL)
