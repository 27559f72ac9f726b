/** Git's own HTTP backend behind a server on loopback that wants a password: what a host of git does to a push. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

export interface GitHttp {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** The `Authorization` headers that were sent, in order. */
  readonly seen: readonly string[]
  close(): Promise<void>
}

const backend = (): string =>
  join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-http-backend')

/** Why there is none here, or undefined. */
export const noGitHttp = (): string | undefined =>
  existsSync(backend()) ? undefined : 'git-http-backend is not installed'

/** Serves the bare repositories in `folder` to who says `password` by HTTP basic authentication. */
export async function serveGit(folder: string, password: string): Promise<GitHttp> {
  const seen: string[] = []
  const server = createServer((request, response) => {
    const given = request.headers.authorization ?? ''
    if (given !== '') seen.push(given)
    const ok = Buffer.from(given.replace(/^basic /i, ''), 'base64')
      .toString('utf8')
      .endsWith(`:${password}`)
    if (ok) return answer(folder, request, response)
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' })
    response.end(`no entry with ${given}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function answer(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const [path = '', query = ''] = (request.url ?? '').split('?')
  const header = (name: string): string => String(request.headers[name] ?? '')
  const child = spawn(backend(), [], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      REMOTE_USER: 'somebody',
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: header('content-type'),
      CONTENT_LENGTH: header('content-length'),
      HTTP_CONTENT_ENCODING: header('content-encoding'),
      HTTP_GIT_PROTOCOL: header('git-protocol'),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  child.stdin.on('error', () => {})
  request.pipe(child.stdin)
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.on('close', () => {
    const all = Buffer.concat(chunks)
    const end = all.indexOf('\r\n\r\n')
    const lines = all.subarray(0, end).toString('latin1').split('\r\n')
    let status = 200
    for (const line of lines) {
      const [name = '', value = ''] = line.split(/:\s*/, 2)
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10)
      else response.setHeader(name, value)
    }
    response.writeHead(status)
    response.end(all.subarray(end + 4))
  })
}
