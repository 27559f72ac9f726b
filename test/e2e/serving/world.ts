/** A store with trained versions, a generated service, and that service running for real under uvicorn. No expectations. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipBecause } from '../../support/skip.ts'
import { cleanEnv, ROOT, type TempProject, tempProject } from '../harness.ts'

export const MODEL = 'churn-model'
const PYTHON = join(ROOT, '.cache/venv/bin/python')

export interface ServingWorld {
  readonly project: TempProject
  /** Fails the test on another exit code than `code` (default 0). Python is that of the tests. */
  mlops(args: readonly string[], options?: { code?: number }): ReturnType<TempProject['mlops']>
  /** Trains a version of a flavour with train.py and registers it; with a seed, two versions answer differently. */
  train(flavour: string, seed: number, ...more: readonly string[]): Promise<void>
  promote(version: number, ...more: readonly string[]): Promise<void>
  /** `mlops scaffold fastapi` of this version, anew, into `service/`. */
  scaffold(version: number): Promise<void>
  /** Starts the service; it is stopped when the tests of the file end. */
  serve(env?: Readonly<Record<string, string | undefined>>, ...args: readonly string[]): Promise<Service>
  python(args: readonly string[], env?: Readonly<Record<string, string | undefined>>): { code: number; output: string }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
  readonly body: any
}

export interface Service {
  readonly process: ChildProcess
  readonly url: string
  output(): string
  get(path: string): Promise<Answer>
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** Waits until `/v1/model` says what is wanted. */
  until(what: string, holds: (model: Answer['body']) => boolean): Promise<Answer['body']>
  /** Resolves with the exit code. */
  ended(): Promise<number | null>
}

/** Two versions that answer differently, the first in production, and a service that follows it. */
export async function servedWorld(
  context: Mocha.Context,
  configuration?: string,
): Promise<{ readonly world: ServingWorld; readonly service: Service }> {
  const world = await servingWorld(context, configuration)
  await world.train('sklearn', 1)
  await world.train('sklearn', 2)
  await world.promote(1)
  await world.scaffold(1)
  const service = await world.serve({ MLOPS_INSTANCE: 'pod-1', FOLLOW_SECONDS: '0.1' })
  await service.until('it is ready', ({ state }) => state === 'serving')
  return { world, service }
}

export async function servingWorld(context: Mocha.Context, configuration = ''): Promise<ServingWorld> {
  if (!existsSync(PYTHON)) skipBecause(context, 'the Python environment of the tests is not set up')
  const project = tempProject({
    'mlops.yaml': `models:\n  ${MODEL}:\n    schema: {prediction: churn_probability}\n    gates: {production: {approval: 1}}\n${configuration}`,
  })
  copyFileSync(join(import.meta.dirname, 'train.py'), project.path('train.py'))
  const env = {
    PATH: [join(PYTHON, '..'), process.env.PATH].join(delimiter),
    PYTHONPATH: join(ROOT, 'templates/python'),
    PYTHONDONTWRITEBYTECODE: '1',
  }
  const services: ChildProcess[] = []
  process.on('exit', () => {
    for (const each of services) each.kill('SIGKILL')
  })
  const world: ServingWorld = {
    project,
    mlops: (args, options) => project.mlops(args, { ...options, env }),
    async train(flavour, seed, ...more) {
      await world.mlops(['track', '--model', MODEL, '--', 'python', 'train.py', flavour, String(seed), ...more])
      await world.mlops(['register', MODEL, '--run', '@last', '--baseline', 'train.csv'])
    },
    async promote(version, ...more) {
      await world.mlops(['promote', `${MODEL}@${version}`, '--to', 'production', '--approve', 'ada', ...more])
    },
    async scaffold(version) {
      rmSync(project.path('service'), { recursive: true, force: true })
      // Locking the requirements asks a package index, and is tested elsewhere.
      await world.mlops(['scaffold', 'fastapi', `${MODEL}@${version}`, '--stage', 'production', '--unlocked'])
    },
    async serve(more = {}, ...args) {
      const port = await freePort()
      const child = spawn(
        PYTHON,
        ['-m', 'uvicorn', 'app.main:app', '--port', String(port), '--no-access-log', ...args],
        {
          cwd: project.path('service'),
          env: cleanEnv({
            ...env,
            PYTHONPATH: undefined,
            MLOPS_STORE: project.path('.mlops'),
            DRAIN_SECONDS: '0',
            ...more,
          }),
        },
      )
      services.push(child)
      return running(child, `http://127.0.0.1:${port}`)
    },
    python(args, more = {}) {
      const options = {
        cwd: project.path('service'),
        env: cleanEnv({ ...env, PYTHONPATH: undefined, ...more }),
        encoding: 'utf8' as const,
      }
      const { status, stdout, stderr } = spawnSync(
        PYTHON,
        args,
        existsSync(options.cwd) ? options : { ...options, cwd: project.dir },
      )
      return { code: status ?? -1, output: stdout + stderr }
    },
  }
  await world.mlops(['init', '--yes', '--name', MODEL])
  return world
}

async function running(child: ChildProcess, url: string): Promise<Service> {
  let output = ''
  child.stdout?.on('data', (chunk) => {
    output += chunk
  })
  child.stderr?.on('data', (chunk) => {
    output += chunk
  })
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve))
  const ask = async (path: string, init?: RequestInit): Promise<Answer> => {
    const response = await fetch(url + path, init)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') === true
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }
  const service: Service = {
    process: child,
    url,
    output: () => output,
    get: (path) => ask(path),
    post: (path, body, headers = {}) =>
      ask(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    until: (what, holds) =>
      until(
        async () => {
          if (child.exitCode !== null) assert.fail(`the service ended while waiting until ${what}:\n${output}`)
          const model = await service.get('/v1/model').catch(() => undefined)
          return model?.status === 200 && holds(model.body) ? model.body : undefined
        },
        async () => `${what}: ${JSON.stringify((await service.get('/v1/model')).body)}\n${output}`,
      ),
    ended: () => exit,
  }
  return service
}

/** Waits until `look` finds something. Gives up after a minute and a half, so that nothing hangs. */
export async function until<T>(
  look: () => T | undefined | Promise<T | undefined>,
  what?: () => Promise<string>,
): Promise<T> {
  const end = Date.now() + 90_000
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > end) assert.fail(`waited in vain${what === undefined ? '' : ` until ${await what()}`}`)
    await sleep(50)
  }
}

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
