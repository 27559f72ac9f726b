/**
 * Asking GitHub's REST API of one repository: one request, or a reading one that is tried again within limits. What is
 * asked, and what is never tried twice blindly, is `create.ts`, `runs.ts` and `watch.ts`.
 */
import { setTimeout } from 'node:timers/promises'
import type { Context } from '../../core/context.ts'
import { gitHubHeaders, gitHubMessage, rateLimitPause, serverTime } from '../../net/github.ts'
import { httpRequest, NetProblem, type Reply } from '../../net/http.ts'
import { conceal, cut } from '../../notify/clean.ts'
import type { Repository } from './repository.ts'

/** What a test puts in the place of the world. Milliseconds. */
export interface Wire {
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>
  /** 0 to 1. */
  readonly random: () => number
  /** Of one request. */
  readonly timeout: number
}

export const realWire: Wire = {
  sleep: async (milliseconds, signal) => {
    await setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal })
  },
  random: Math.random,
  timeout: 30_000,
}

export interface ProblemFacts {
  /**
   * `refused`: the answer is no, and would be again. `limited`: too many requests, nothing was done. `server`: 5xx.
   * `network`: no answer. `unsafe`: no connection that may be trusted. `interrupted`: Ctrl-C.
   */
  readonly kind: 'refused' | 'limited' | 'server' | 'network' | 'unsafe' | 'interrupted'
  /** Null without an answer. */
  readonly status: number | null
  /** It may have been carried out all the same. */
  readonly sent: boolean
  /** Of `limited`: milliseconds that GitHub asks to wait. */
  readonly pause?: number
  /** What GitHub says would be needed (`x-accepted-github-permissions`). */
  readonly permissions?: string | undefined
  /** An organisation wants the token to be authorised for its single sign-on. */
  readonly singleSignOn?: boolean
}

/** Why a request was not answered as hoped for. The message holds no secret. */
export class GitHubProblem extends Error {
  readonly facts: ProblemFacts
  constructor(message: string, facts: ProblemFacts) {
    super(message)
    this.name = 'GitHubProblem'
    this.facts = facts
  }
}

/** A page to sign in to a network, a proxy that answers by itself. */
export const notGitHub = ({ repository }: Client, sent = false): GitHubProblem =>
  new GitHubProblem(`What ${repository.api} answers is not what GitHub would`, {
    kind: sent ? 'server' : 'refused',
    status: 200,
    sent,
  })

/** A failed reading request is tried again after 1, 2, 4 and 8 seconds, and up to half as long again by chance. */
const MAX_FAILURES = 5
const FIRST_PAUSE = 1_000
/** A list of 100 runs with everything GitHub tells of them. Bytes. */
const READ_AT_MOST = 16_777_216
const MAX_REDIRECTS = 3
const QUOTED = 500
/** Milliseconds that a single question may take with all its tries, where nobody waits for longer anyway. */
export const PATIENCE = 60_000

export interface GetOptions {
  /** No further try begins after this moment. Milliseconds since 1970, by `ctx.now`. */
  readonly until: number
  /** Of the last answer: 304 costs nothing of the rate limit. */
  readonly etag?: string | undefined
  readonly accept?: string
}

export interface Client {
  readonly ctx: Context
  readonly wire: Wire
  readonly repository: Repository
  /** A moment of this machine's clock as GitHub would have written it: asks for the time if nothing was answered yet. */
  atGitHub(moment: Date): Promise<Date>
  /** @param path below the repository (`/actions/…`, empty for itself), or a whole address. @throws GitHubProblem */
  once(method: 'GET' | 'POST', path: string, content?: object, headers?: Record<string, string>): Promise<Reply>
  /** @returns 200 or, with an `etag`, 304. @throws GitHubProblem */
  get(path: string, options: GetOptions): Promise<Reply>
  /** @throws GitHubProblem `interrupted` */
  sleep(milliseconds: number): Promise<void>
}

export function openClient(ctx: Context, repository: Repository, wire: Wire = realWire): Client {
  const { api, owner, name, token } = repository
  const base = `${api}/repos/${owner}/${name}`
  let ahead: number | undefined
  const client: Client = {
    ctx,
    wire,
    repository,
    async atGitHub(moment) {
      if (ahead === undefined) await client.get('', { until: ctx.now().getTime() + PATIENCE })
      return new Date(moment.getTime() + (ahead ?? 0))
    },
    async once(method, path, content, headers = {}) {
      const url = path === '' || path.startsWith('/') ? base + path : path
      const reply = await follow(client, { method, url, content, headers })
      ahead = serverTime(reply, ctx.now()).getTime() - ctx.now().getTime()
      if (reply.status === 304 || (reply.status >= 200 && reply.status < 300)) return reply
      throw refusal(reply, ctx.now(), token)
    },
    get: (path, options) => getPatiently(client, path, options),
    async sleep(milliseconds) {
      try {
        await wire.sleep(milliseconds, ctx.signal)
      } catch (error) {
        if (ctx.signal?.aborted !== true) throw error
      }
      if (ctx.signal?.aborted === true) throw interruption(false)
    },
  }
  return client
}

interface Call {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly content: object | undefined
  readonly headers: Record<string, string>
}

/**
 * A repository that was renamed answers with a redirect ("Best practices for using the REST API: Follow redirects").
 * Only within the same API: another place would be given the token.
 */
async function follow({ ctx, wire, repository }: Client, call: Call): Promise<Reply> {
  let { url } = call
  for (let redirects = 0; ; redirects++) {
    const reply = await ask(ctx, wire, repository.token, { ...call, url })
    const keepsMethod = reply.status === 307 || reply.status === 308
    const isRedirect = keepsMethod || (call.method === 'GET' && (reply.status === 301 || reply.status === 302))
    const location = reply.headers.get('location')
    if (!isRedirect || location === null || redirects >= MAX_REDIRECTS || !URL.canParse(location, url)) return reply
    const next = new URL(location, url)
    if (next.origin !== new URL(repository.api).origin) return reply
    url = next.href
  }
}

async function ask(ctx: Context, wire: Wire, token: string, call: Call): Promise<Reply> {
  const body = call.content === undefined ? undefined : JSON.stringify(call.content)
  try {
    return await httpRequest(
      {
        method: call.method,
        url: call.url,
        readAtMost: READ_AT_MOST,
        headers: {
          ...gitHubHeaders(token, ctx.tool),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...call.headers,
        },
        ...(body === undefined ? {} : { body }),
      },
      { env: ctx.env, timeout: wire.timeout, signal: ctx.signal },
    )
  } catch (error) {
    if (!(error instanceof NetProblem)) throw error
    if (error.aborted) throw interruption(error.sent)
    const { host } = new URL(call.url)
    const kind = error.permanent ? 'unsafe' : 'network'
    throw new GitHubProblem(`${host}: ${conceal(error.message, [token])}`, { kind, status: null, sent: error.sent })
  }
}

const interruption = (sent: boolean): GitHubProblem =>
  new GitHubProblem('interrupted', { kind: 'interrupted', status: null, sent })

function refusal(reply: Reply, now: Date, token: string): GitHubProblem {
  const { status, headers } = reply
  const said = cut(conceal(gitHubMessage(reply), [token]), QUOTED)
  const words = `GitHub answered ${status}${said === '' ? '' : `: ${said}`}`
  const pause = rateLimitPause(reply, now)
  if (pause !== undefined) return new GitHubProblem(words, { kind: 'limited', status, sent: false, pause })
  const isPassing = status >= 500 || status === 408
  return new GitHubProblem(words, {
    kind: isPassing ? 'server' : 'refused',
    status,
    sent: isPassing,
    permissions: headers.get('x-accepted-github-permissions') ?? undefined,
    singleSignOn: headers.get('x-github-sso')?.startsWith('required') === true,
  })
}

async function getPatiently(client: Client, path: string, { until, etag, accept }: GetOptions): Promise<Reply> {
  const headers = {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(accept === undefined ? {} : { accept }),
  }
  let failures = 0
  let limits = 0
  for (;;) {
    try {
      return await client.once('GET', path, undefined, headers)
    } catch (error) {
      if (!(error instanceof GitHubProblem)) throw error
      const { kind } = error.facts
      if (kind === 'limited') limits++
      else failures++
      const pause = kind === 'limited' ? limitPause(error, limits) : backoff(client.wire, failures)
      const isPassing = kind === 'limited' || kind === 'server' || kind === 'network'
      if (!isPassing || failures >= MAX_FAILURES || client.ctx.now().getTime() + pause > until) throw error
      if (kind === 'limited') client.ctx.progress?.(`GitHub limits the rate: waiting ${Math.ceil(pause / 1000)} s`)
      await client.sleep(pause)
    }
  }
}

/** "Wait for an exponentially increasing amount of time between retries" when the limit holds on. */
export const limitPause = ({ facts }: GitHubProblem, times: number): number => (facts.pause ?? 0) * 2 ** (times - 1)

export const backoff = ({ random }: Wire, failures: number): number =>
  Math.round(FIRST_PAUSE * 2 ** (failures - 1) * (1 + random() / 2))
