/** Alerts, contexts, and receivers that really listen on loopback. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from '../../../src/core/context.ts'
import { fingerprintOf } from '../../../src/notify/fingerprint.ts'
import type { Alert, SeenCheck } from '../../../src/notify/types.ts'
import { skipBecause } from '../../support/skip.ts'

export const MODEL = 'churn-model'

export interface TestContext extends Context {
  readonly warnings: string[]
}

/** @param time the clock, which the test may set forward */
export function context(env: Record<string, string> = {}, time = { now: '2026-06-10T08:00:00.000Z' }): TestContext {
  const warnings: string[] = []
  return {
    cwd: '/nowhere',
    env,
    actor: { name: 'ada@laptop', origin: 'local' },
    tool: 'mlops 0.0.0',
    now: () => new Date(time.now),
    warn: (message) => warnings.push(message),
    warnings,
  }
}

export function alert(part: Partial<Alert> = {}): Alert {
  const base = { model: MODEL, stage: 'production', version: 3, kind: 'drift', state: 'firing', ...part } as const
  return {
    fingerprint: fingerprintOf(base.model, base.stage, base.kind),
    title: 'churn-model@3 in production: 2 of 20 columns drifted',
    summary: 'Looked at 1,000 rows. Compared with the baseline of churn-model@3.',
    findings: ['tenure: median 12 -> 40', 'Contract: Month-to-month 55 % -> 100 %'],
    since: '2026-06-09T00:00:00.000Z',
    time: '2026-06-10T08:00:00.000Z',
    evidence: [
      { label: 'run', value: '01J0000000000000000000000A' },
      { label: 'data', value: 'train.csv sha256 ab12' },
    ],
    next: 'mlops drift churn-model --window 1d',
    ...base,
  }
}

/** Everything at its worst: long, hostile, and in four bytes. */
export function worstAlert(): Alert {
  return alert({
    title: `${'🐘'.repeat(400)} <!channel> & <script>alert(1)</script> @org/team #12 \r\nBcc: eve@example.com`,
    summary: `<!here> & *bold* _it_ ${'x<>&'.repeat(3000)}`,
    findings: Array.from({ length: 500 }, (_, i) => `column_${i}<>&"'\`\`\`🐘<!-- mlops:end --> ${'😀'.repeat(300)}`),
    evidence: Array.from({ length: 30 }, (_, i) => ({ label: `label ${i} <&>`, value: '<@U123> '.repeat(800) })),
    next: `mlops drift ${'a'.repeat(5000)} \`whoami\``,
    url: 'https://ci.example.com/runs/1?a=<b>|c',
  })
}

export const seen = (since: string, until: string, trouble: boolean | null, id = `${since}/${until}`): SeenCheck => ({
  id,
  time: `${until.slice(0, 10)}T01:00:00.000Z`,
  window: { since: at(since), until: at(until) },
  trouble,
})
const at = (day: string): string => `${day}T00:00:00.000Z`

export interface Got {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}
export type Answer = {
  readonly status: number
  readonly body?: string
  readonly headers?: Record<string, string>
  /** Never answered. */
  readonly hang?: true
  /** The connection is cut. */
  readonly cut?: true
}

export interface Receiver {
  readonly url: string
  readonly got: Got[]
  close(): Promise<void>
}

/** @param answers one per request, the last of them for all that follow */
export async function receiver(...answers: (Answer | ((got: Got) => Answer))[]): Promise<Receiver> {
  const got: Got[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const one = { method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') }
      got.push(one)
      const next = answers[Math.min(got.length, answers.length) - 1] ?? { status: 200, body: 'ok' }
      const answer = typeof next === 'function' ? next(one) : next
      if (answer.hang) return
      if (answer.cut) return request.socket.destroy()
      response.writeHead(answer.status, answer.headers).end(answer.body ?? '')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** No waiting; says how long it would have been. */
export function quickWire(timeout = 10_000) {
  const pauses: number[] = []
  return {
    pauses,
    wire: {
      timeout,
      random: () => 0,
      sleep: async (milliseconds: number) => {
        pauses.push(milliseconds)
      },
    },
  }
}

/** A certificate for localhost that nobody signed. Skips the test where openssl is not installed. */
export function selfSigned(test: Mocha.Context): { readonly key: Buffer; readonly cert: Buffer } {
  if (spawnSync('openssl', ['version']).status !== 0) skipBecause(test, 'openssl is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'mlops-tls-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const kind = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'
  execFileSync('openssl', ['req', ...kind.split(' '), '-keyout', key, '-out', cert], { stdio: 'ignore' })
  const files = { key: readFileSync(key), cert: readFileSync(cert) }
  rmSync(folder, { recursive: true })
  return files
}
