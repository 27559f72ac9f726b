/**
 * A real forward proxy on loopback: CONNECT tunnels, and whole addresses in the clear. It alone knows where the made-up
 * hosts of a test are, so what reaches them went through it.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'

export interface ForwardProxy {
  readonly url: string
  /** `CONNECT github.test:443`, `GET http://…`: what it was asked for, in order. */
  readonly asked: string[]
  close(): Promise<void>
}

export interface ForwardProxyOptions {
  /** Ports on loopback by made-up host; what is not in it cannot be reached (502). */
  readonly hosts: Readonly<Record<string, number>>
  /** `user:password` that it wants, else 407. */
  readonly account?: string
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer }
}

export async function proxy({ hosts, account, tls }: ForwardProxyOptions): Promise<ForwardProxy> {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const isAllowed = ({ headers }: IncomingMessage): boolean =>
    account === undefined || headers['proxy-authorization'] === `Basic ${Buffer.from(account).toString('base64')}`
  const plain = (incoming: IncomingMessage, response: ServerResponse): void => {
    asked.push(`${incoming.method} ${incoming.url}`)
    const url = new URL(incoming.url ?? '')
    const port = hosts[url.hostname]
    if (!isAllowed(incoming) || port === undefined) {
      response.writeHead(isAllowed(incoming) ? 502 : 407).end()
      return
    }
    const { 'proxy-authorization': _, ...headers } = incoming.headers
    const onward = request({
      host: '127.0.0.1',
      port,
      method: incoming.method,
      path: url.pathname + url.search,
      headers,
    })
    onward.on('response', (reply) => reply.pipe(response.writeHead(reply.statusCode ?? 0, reply.headers)))
    incoming.pipe(onward)
  }
  const server = tls === undefined ? createServer(plain) : createSecureServer(tls, plain)
  server.on('connect', (incoming: IncomingMessage, socket: Socket) => {
    asked.push(`CONNECT ${incoming.url}`)
    const [host = ''] = (incoming.url ?? '').split(':')
    const port = hosts[host]
    sockets.add(socket)
    socket.on('error', () => {})
    if (!isAllowed(incoming) || port === undefined) {
      const status = isAllowed(incoming) ? '502 Bad Gateway' : '407 Proxy Authentication Required'
      socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    const far = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      far.pipe(socket)
      socket.pipe(far)
    })
    sockets.add(far)
    far.on('error', () => socket.destroy())
    socket.on('close', () => far.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    asked,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
