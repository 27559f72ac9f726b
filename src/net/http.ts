/**
 * One HTTP request: through the proxy that the environment names, within a time limit, with a bounded answer. Redirects
 * are not followed: a message, its signature and its token go to the address that was configured and nowhere else.
 * Trying again is for those who know what the request does.
 */
import { type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http'
import { request as secureRequest } from 'node:https'
import type { Socket } from 'node:net'
import { ProxyRefused, proxyAuthorization, tunnel } from './connect.ts'
import { hostOf, type NetEnv, ProxyProblem, portOf, proxyFor } from './proxy.ts'

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Bytes of the answer that are read; the rest is dropped. */
  readonly readAtMost?: number
}

export interface HttpOptions {
  readonly env: NetEnv
  /** Milliseconds from the first byte sent to the last one read. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Why there was no answer. */
export class NetProblem extends Error {
  /** Nothing gets better by trying again: a certificate, an address that makes no sense. */
  readonly permanent: boolean
  /** The far end was reached: it may have done what was asked. */
  readonly sent: boolean
  /** The work was given up, not the network. */
  readonly aborted: boolean

  constructor(
    message: string,
    facts: { readonly permanent?: boolean; readonly sent?: boolean; readonly aborted?: boolean },
  ) {
    super(message)
    this.name = 'NetProblem'
    this.permanent = facts.permanent === true
    this.sent = facts.sent === true
    this.aborted = facts.aborted === true
  }
}

const READ_AT_MOST = 8_192
const QUOTED = 200

/** @throws NetProblem when there was no whole answer */
export async function httpRequest(request: HttpRequest, options: HttpOptions): Promise<Reply> {
  const limit = AbortSignal.timeout(options.timeout)
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal])
  const progress = { sent: false }
  try {
    if (!URL.canParse(request.url)) throw new NetProblem('the address cannot be read', { permanent: true })
    const response = await open(request, new URL(request.url), options.env, signal, progress)
    const text = await readUpTo(response, request.readAtMost ?? READ_AT_MOST)
    return { status: response.statusCode ?? 0, headers: headersOf(response), text }
  } catch (error) {
    const { sent } = progress
    if (options.signal?.aborted === true) throw new NetProblem('interrupted', { aborted: true, sent })
    if (limit.aborted) throw new NetProblem(`no answer within ${options.timeout / 1000} s`, { sent })
    throw problemOf(error, sent)
  }
}

async function open(
  { method = 'POST', headers = {}, body }: HttpRequest,
  url: URL,
  env: NetEnv,
  signal: AbortSignal,
  progress: { sent: boolean },
): Promise<IncomingMessage> {
  const proxy = proxyFor(url, env)
  const isSecure = url.protocol === 'https:'
  if (!isSecure && url.protocol !== 'http:') throw new NetProblem('the address is not http(s)://', { permanent: true })
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const options: RequestOptions = { method, headers: { ...headers, ...length }, signal }
  if (proxy === undefined || !isSecure) {
    // In the clear a proxy is asked for the whole address (RFC 9112, section 3.2.2).
    const authorization = proxy === undefined ? undefined : proxyAuthorization(proxy)
    const at = proxy ?? url
    return send(proxy?.protocol === 'https:' || (proxy === undefined && isSecure), body, progress, {
      ...options,
      host: hostOf(at),
      port: portOf(at),
      path: proxy === undefined ? url.pathname + url.search : `${url.origin}${url.pathname}${url.search}`,
      headers: {
        ...options.headers,
        host: url.host,
        ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }),
      },
      agent: false,
    })
  }
  const socket = await tunnel(url, proxy, signal)
  return send(false, body, progress, {
    ...options,
    host: hostOf(url),
    path: url.pathname + url.search,
    headers: { ...options.headers, host: url.host, connection: 'close' },
    // The socket speaks TLS already.
    createConnection: () => socket,
  })
}

function send(
  isSecure: boolean,
  body: string | undefined,
  progress: { sent: boolean },
  options: RequestOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (isSecure ? secureRequest : plainRequest)(options)
    request.once('response', resolve)
    request.once('error', reject)
    request.once('socket', (socket: Socket) => {
      const reached = (): void => {
        progress.sent = true
      }
      if (socket.connecting) socket.once(isSecure ? 'secureConnect' : 'connect', reached)
      else reached()
    })
    request.end(body)
  })
}

async function readUpTo(response: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= limit) break
  }
  return Buffer.concat(chunks).subarray(0, limit).toString('utf8')
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '')
  return headers
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'the connection timed out',
}

/** What the codes of Node and OpenSSL mean to a person; a certificate does not get better by trying again. */
export function problemOf(error: unknown, sent = false): NetProblem {
  if (error instanceof NetProblem) return error
  if (error instanceof ProxyProblem) return new NetProblem(error.message, { permanent: true })
  if (error instanceof ProxyRefused) {
    return new NetProblem(error.message, { permanent: error.status < 500 && error.status !== 429 })
  }
  const code = String((error as { code?: unknown } | undefined)?.code ?? '')
  const message = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').slice(0, QUOTED)
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO|EPROTO/.test(code) || /certificate|\bssl\b|\btls\b/i.test(message)) {
    const hint = /SELF_SIGNED|UNABLE_TO|UNKNOWN_CA/.test(code)
      ? '; NODE_EXTRA_CA_CERTS names a file of further authorities'
      : ''
    return new NetProblem(`no safe connection (TLS): ${message}${code === '' ? '' : ` (${code})`}${hint}`, {
      permanent: true,
    })
  }
  const known = WORDS[code]
  const said = known === undefined ? message || 'no connection' : `${known} (${code})`
  // Without a code the request was not even made: an address or a header that is not allowed.
  return new NetProblem(said, { permanent: code === '', sent })
}
