/** A project whose model is in production and logs its predictions: written by hand, as docs/prediction-log.md says. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TempProject, tempProject } from '../harness.ts'

export const MODEL = 'churn-model'
export const DAY = 864e5

export interface LogOptions {
  readonly model?: string
  readonly version?: number
  /** Rows per day. */
  readonly rows?: number
  /** Days before today, oldest first, that are written; today is 0. */
  readonly days: readonly number[]
  /** Draws customers of another kind. */
  readonly shifted?: boolean
  /** Share of failed requests. */
  readonly errors?: number
  /** Milliseconds, around which latencies lie. */
  readonly latency?: number
  /** Spelled into the ids, so that more rows of one day are other rows. */
  readonly batch?: string
}

/** Deterministic numbers in [0, 1). */
export function draws(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

const customer = (next: () => number, shifted: boolean) => ({
  tenure: Math.floor(next() * (shifted ? 12 : 60)) + 1,
  plan: ['basic', 'plus', 'pro'][Math.floor(next() * 3)] ?? 'pro',
  region: next() < 0.5 ? 'north' : 'south',
})
const scoreOf = (tenure: number) => Number((1 - tenure / 61).toFixed(3))

/** The instant at which the UTC day began that was `days` days ago. */
export const dayStart = (days: number): number => Math.floor(Date.now() / DAY) * DAY - days * DAY

/** Appends predictions, spread over each whole day; those of today lie in its part that is over. */
export function log(project: TempProject, options: LogOptions): void {
  const { model = MODEL, version = 1, rows = 400, errors = 0, latency = 20, batch = 'a' } = options
  for (const day of options.days) {
    const next = draws(1_000 + day * 7 + batch.length * 131 + (options.shifted === true ? 17 : 0))
    const from = dayStart(day)
    const length = day === 0 ? Math.max(1_000, Date.now() - from - 1_000) : DAY
    const lines = Array.from({ length: rows }, (_, i) => {
      const features = customer(next, options.shifted === true)
      const time = new Date(from + Math.floor((i / rows) * length)).toISOString()
      const base = { v: 1, id: `${day}-${batch}-${i}`, time, model, version, features }
      const failed = next() < errors
      const answer = failed ? { status: 'error', error: 'timeout' } : { output: scoreOf(features.tenure) }
      return JSON.stringify({ ...base, ...answer, latency_ms: Number((latency * (0.5 + next())).toFixed(2)) })
    })
    const date = new Date(from).toISOString().slice(0, 10)
    const writer = `py-${Buffer.from(batch).toString('hex').padEnd(16, '0').slice(0, 16)}-0001`
    project.write(`.mlops/predictions/${model}/date=${date}/${writer}.jsonl`, `${lines.join('\n')}\n`)
  }
}

/** Rows like those that the service sees. */
export function customersCsv(count: number, seed: number, shifted = false): string {
  const next = draws(seed)
  const rows = Array.from({ length: count }, () => {
    const { tenure, plan, region } = customer(next, shifted)
    const score = scoreOf(tenure)
    return `${tenure},${plan},${region},${score},${next() < score ? 1 : 0}`
  })
  return `${['tenure,plan,region,churn_probability,churned', ...rows].join('\n')}\n`
}

/** @param settings more lines under the model in mlops.yaml, with four blanks before each */
export async function loggedProject(settings = '', models: readonly string[] = [MODEL]): Promise<TempProject> {
  const entries = models.map(
    (model) =>
      `  ${model}:\n    schema: {target: churned, prediction: churn_probability}\n    gates: {production: {approval: 1}}\n${settings}`,
  )
  const project = tempProject({
    'mlops.yaml': `models:\n${entries.join('')}`,
    'train.csv': customersCsv(4_000, 11),
    'model.bin': 'weights',
  })
  await project.mlops(['init', '--yes'])
  for (const model of models) {
    await project.mlops([
      'register',
      model,
      '--artifact',
      'model.bin',
      '--baseline',
      'train.csv',
      '--metric',
      'accuracy=0.8',
    ])
    await project.mlops(['promote', `${model}@1`, '--to', 'production', '--approve', 'ada'])
  }
  return project
}

export interface Receiver {
  readonly url: string
  // biome-ignore lint/suspicious/noExplicitAny: the body of another program's message
  readonly bodies: any[]
  /** What it answers from now on. */
  answer: number
  close(): Promise<void>
}

/** A real HTTP receiver on the loopback. */
export async function receiver(): Promise<Receiver> {
  const bodies: unknown[] = []
  const state = { answer: 200 }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk))
    if (state.answer < 300) bodies.push(JSON.parse(Buffer.concat(chunks).toString('utf8')))
    response.statusCode = state.answer
    response.end('ok')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook`,
    bodies,
    get answer() {
      return state.answer
    },
    set answer(code: number) {
      state.answer = code
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
