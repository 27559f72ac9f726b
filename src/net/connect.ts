/**
 * A way through a proxy: `CONNECT host:port` (RFC 9110, section 9.3.6), and TLS with the far end inside of it. Node 20
 * has no proxies of its own, and what newer ones have differs from line to line; this is the same on all.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { hostOf, portOf } from './proxy.ts'

/** The proxy gave an answer, and it was no. */
export class ProxyRefused extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.name = 'ProxyRefused'
    this.status = status
  }
}

/** `Proxy-Authorization` of the user and password in the address of the proxy; undefined without any. */
export function proxyAuthorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

/**
 * @returns a connection to the target of `url` through `proxy`, with TLS inside if the target is `https:`
 * @throws ProxyRefused; errors of the network
 */
export async function tunnel(url: URL, proxy: URL, signal: AbortSignal): Promise<Socket> {
  const socket = await openTunnel(url, proxy, signal)
  return url.protocol === 'https:' ? secure(socket, url, signal) : socket
}

function openTunnel(url: URL, proxy: URL, signal: AbortSignal): Promise<Socket> {
  const authority = `${isIP(hostOf(url)) === 6 ? `[${hostOf(url)}]` : hostOf(url)}:${portOf(url)}`
  const authorization = proxyAuthorization(proxy)
  const begin = proxy.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const ask = begin({
      host: hostOf(proxy),
      port: portOf(proxy),
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) },
      agent: false,
      signal,
    })
    ask.once('connect', (reply: IncomingMessage, socket: Socket, head: Buffer) => {
      if (reply.statusCode !== 200) {
        socket.destroy()
        reject(refusal(reply.statusCode ?? 0))
        return
      }
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    // An answer with a body instead of a tunnel.
    ask.once('response', (reply) => {
      reply.destroy()
      reject(refusal(reply.statusCode ?? 0))
    })
    ask.once('error', reject)
    ask.end()
  })
}

const refusal = (status: number): ProxyRefused =>
  new ProxyRefused(
    status,
    status === 407 ? 'the proxy wants a user and a password (407)' : `the proxy refused the connection (${status})`,
  )

function secure(socket: Socket, url: URL, signal: AbortSignal): Promise<Socket> {
  const host = hostOf(url)
  return new Promise((resolve, reject) => {
    // The name of a server is sent along only if it is one; an address is checked against the certificate all the same.
    const inner = tlsConnect({ socket, host, ...(isIP(host) === 0 ? { servername: host } : {}) })
    const stop = (): void => void inner.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    signal.addEventListener('abort', stop, { once: true })
    inner.once('secureConnect', () => {
      signal.removeEventListener('abort', stop)
      inner.off('error', reject)
      resolve(inner)
    })
    inner.once('error', reject)
  })
}
