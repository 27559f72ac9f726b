/**
 * One HTTP request of a channel, and what its failure means for another try. The request itself, with proxies and
 * limits, is `src/net/`.
 */
import type { Context } from '../core/context.ts'
import { type HttpRequest, httpRequest as netRequest, problemOf, type Reply } from '../net/http.ts'
import { type Retry, SendProblem, type Wire } from './channel.ts'
import { cut, oneLine } from './clean.ts'

export type { Reply } from '../net/http.ts'

/** What of an answer is worth telling. */
const QUOTED = 200

/** @throws SendProblem when there was no answer */
export async function httpRequest(ctx: Context, { timeout }: Wire, request: HttpRequest): Promise<Reply> {
  const headers = { 'user-agent': ctx.tool.replace(' ', '/'), ...request.headers }
  try {
    return await netRequest({ ...request, headers }, { env: ctx.env, timeout, signal: ctx.signal })
  } catch (error) {
    throw networkProblem(error)
  }
}

/** What an error of the network means to a person; a certificate does not get better by trying again. */
export function networkProblem(error: unknown): SendProblem {
  const { message, permanent, aborted } = problemOf(error)
  return new SendProblem(oneLine(cut(message, QUOTED)) || 'no connection', permanent || aborted ? 'never' : 'soon')
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
