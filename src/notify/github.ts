/**
 * `github`: one open issue per model, with a part per fingerprint that is updated in place. A comment tells of every
 * change of state; when no part is firing any more the issue is closed. The text of the issue is `github-issue.ts`.
 *
 * REST API of GitHub: "List repository issues", "Create an issue", "Update an issue", "Create an issue comment" and
 * "Rate limits for the REST API" (docs.github.com/rest, version 2022-11-28).
 */
import type { Context } from '../core/context.ts'
import { gitHubHeaders, gitHubMessage, jsonOf, nextPage, rateLimitPause } from '../net/github.ts'
import { type Channel, missingVariable, type SendKit, SendProblem, variable, webDestination } from './channel.ts'
import { cut } from './clean.ts'
import { commentOf, isFiring, issueTitle, mergedBody, modelMarker, partState } from './github-issue.ts'
import { httpRequest, type Reply, replyProblem } from './http.ts'
import type { Alert } from './types.ts'

const LABEL = 'mlops-alert'
const API = 'https://api.github.com'
const PAGES = 10
/** A page of 100 issues whose bodies are as long as they may be. */
const LIST_BYTES = 16_777_216
const TOKENS = ['MLOPS_GITHUB_TOKEN', 'GITHUB_TOKEN']

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
    destination: () => webDestination(repositoryOf(ctx, token).base, 'GITHUB_API_URL'),
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
  const made = jsonOf(reply) as Partial<Issue> | undefined
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
    const issues = jsonOf(reply)
    if (!Array.isArray(issues)) throw new SendProblem('the answer is no list of issues: is it GitHub?', 'never')
    const found = (issues as Issue[]).find(
      ({ body, pull_request }) => pull_request === undefined && (body ?? '').includes(modelMarker(model)),
    )
    if (found !== undefined) return found
    path = nextPage(reply, repository.base)
  }
  return undefined
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
      ...gitHubHeaders(token, ctx.tool),
      ...(content === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(content === undefined ? {} : { body: JSON.stringify(content) }),
  })
  const problem = limited(reply, ctx.now()) ?? replyProblem(reply, ctx.now(), messageOf)
  if (problem !== undefined) throw problem
  return reply
}

function limited(reply: Reply, now: Date): SendProblem | undefined {
  const pause = rateLimitPause(reply, now)
  if (pause === undefined) return undefined
  return new SendProblem(`GitHub limits the rate; it asks to wait ${Math.ceil(pause / 1000)} s`, pause)
}

const messageOf = (reply: Reply): string => cut(gitHubMessage(reply), 200)

const hasLabel = ({ labels = [] }: Partial<Issue>): boolean =>
  labels.some((label) => (typeof label === 'string' ? label : label.name) === LABEL)
