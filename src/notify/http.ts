/**
 * One HTTP request with a time limit, and what its failure means for another try. Redirects are not followed: a
 * message, its signature and its token go to the address that was configured and nowhere else.
 */
import type { Context } from '../core/context.ts'
import { type Retry, SendProblem, type Wire } from './channel.ts'
import { cut, oneLine } from './clean.ts'

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Bytes of the answer that are read; the rest is dropped. */
  readonly readAtMost?: number
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** What of an answer is worth telling. */
const QUOTED = 200
const READ_AT_MOST = 8_192

/** @throws SendProblem when there was no answer */
export async function httpRequest(ctx: Context, { timeout }: Wire, request: HttpRequest): Promise<Reply> {
  const limit = AbortSignal.timeout(timeout)
  const signal = ctx.signal === undefined ? limit : AbortSignal.any([limit, ctx.signal])
  try {
    const response = await fetch(request.url, {
      method: request.method ?? 'POST',
      redirect: 'manual',
      signal,
      headers: { 'user-agent': ctx.tool.replace(' ', '/'), ...request.headers },
      ...(request.body === undefined ? {} : { body: request.body }),
    })
    const text = await readUpTo(response, request.readAtMost ?? READ_AT_MOST)
    return { status: response.status, headers: response.headers, text }
  } catch (error) {
    if (ctx.signal?.aborted === true) throw new SendProblem('interrupted', 'never')
    if (limit.aborted) throw new SendProblem(`no answer within ${timeout / 1000} s`, 'soon')
    throw networkProblem(error)
  }
}

async function readUpTo(response: Response, limit: number): Promise<string> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= limit) break
  }
  return Buffer.concat(chunks).subarray(0, limit).toString('utf8')
}

/** What the codes of Node and OpenSSL mean to a person; a certificate does not get better by trying again. */
export function networkProblem(error: unknown): SendProblem {
  const cause = (error as { cause?: unknown } | undefined)?.cause ?? error
  const code = String((cause as { code?: unknown } | undefined)?.code ?? '')
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'the connection was refused',
    ECONNRESET: 'the connection was cut',
    UND_ERR_SOCKET: 'the connection was cut',
    ENOTFOUND: 'the host name is unknown',
    EAI_AGAIN: 'the host name could not be looked up',
    EHOSTUNREACH: 'the host cannot be reached',
    ENETUNREACH: 'the network cannot be reached',
    ETIMEDOUT: 'the connection timed out',
    UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  }
  const message = cause instanceof Error ? cause.message : String(cause)
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO|EPROTO/.test(code) || /certificate|\bssl\b|\btls\b/i.test(message)) {
    return new SendProblem(
      `no safe connection (TLS): ${oneLine(cut(message, QUOTED))}${code === '' ? '' : ` (${code})`}`,
      'never',
    )
  }
  const known = words[code]
  return new SendProblem(
    known === undefined ? oneLine(cut(message, QUOTED)) || 'no connection' : `${known} (${code})`,
    // Without a code the request was not even made: an address or a port that is not allowed.
    code === '' ? 'never' : 'soon',
  )
}

/** The failure that an answer is, or undefined when it is a success. `explain` adds what the service says by it. */
export function replyProblem(
  reply: Reply,
  now: Date,
  explain: (reply: Reply) => string = ({ text }) => text,
): SendProblem | undefined {
  const { status } = reply
  if (status >= 200 && status < 300) return undefined
  const said = oneLine(cut(clip(explain(reply)), QUOTED))
  const what = status >= 300 && status < 400 ? 'a redirect, which is not followed' : said === '' ? 'nothing more' : said
  const isPassing = status === 429 || status === 408 || status >= 500
  const retry: Retry = isPassing ? (retryAfter(reply.headers, now) ?? 'soon') : 'never'
  const asked = typeof retry === 'number' ? `; it asks to wait ${Math.ceil(retry / 1000)} s` : ''
  return new SendProblem(`the answer was ${status}: ${what}${asked}`, retry)
}

/** Of a page of HTML nothing is worth telling. */
const clip = (text: string): string => (/^\s*<(?:!doctype|html)/i.test(text) ? '' : text)

/** `Retry-After` in milliseconds: seconds, or a date (RFC 9110, section 10.2.3). */
function retryAfter(headers: Headers, now: Date): number | undefined {
  const value = headers.get('retry-after')?.trim()
  if (value === undefined || value === '') return undefined
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now.getTime()
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined
}
