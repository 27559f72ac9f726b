/**
 * Fills a store with 1,500 events of one model and 10,000 ended runs (or as many as MLOPS_BENCH_RUNS says), then times
 * reading them as `status` and `run list` do. In memory where there is /dev/shm: filling is not what is measured, and its syncs would take minutes.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from '../../src/core/context.ts'
import { sha256 } from '../../src/core/digest.ts'
import { ulid } from '../../src/core/ulid.ts'
import { createStore } from '../../src/store/create.ts'
import type { EventDraft } from '../../src/store/events.ts'
import { fold } from '../../src/store/fold.ts'
import { openStore } from '../../src/store/open.ts'
import type { RunStart } from '../../src/store/run-records.ts'
import type { Store } from '../../src/store/store.ts'
import { type ListRequest, listRuns } from '../../src/tracking/records/list-runs.ts'

const EVENTS = 1_500
const RUNS = Number(process.env.MLOPS_BENCH_RUNS ?? 10_000)
const actor = { name: 'bench', origin: 'local' } as const
const tool = 'mlops bench'
const ctx: Context = {
  cwd: '/',
  env: {},
  actor,
  tool,
  now: () => new Date(),
  warn: (message) => console.error(message),
}
const COMMIT = 'ab'.repeat(20)
/** As many as a real script logs. */
const METRICS = ['auc', 'loss', 'f1', 'recall', 'precision', 'brier', 'log_loss', 'accuracy']
const PARAMS = ['depth', 'lr', 'trees', 'seed', 'subsample', 'alpha', 'lambda', 'gamma', 'bins', 'folds']
const ENV = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', OMP_NUM_THREADS: '2', PYTHONHASHSEED: '0' }
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'mlops-bench-'))

try {
  const root = join(folder, '.mlops')
  await createStore(root)
  const open = (): Promise<Store> => openStore(root, { write: true, now: () => new Date() })
  const store = await open()
  await fillEvents(store)
  await fillRuns(store)
  await report(`fold ${EVENTS.toLocaleString('en')} events`, 200, async () => (await open()).models.state('m'))
  await report(`list ${RUNS.toLocaleString('en')} runs`, 300, async () => (await open()).runs.list())
  const listed = async (request: Partial<ListRequest>) => listRuns(ctx, await open(), { limit: 20, ...request })
  const of = `${RUNS.toLocaleString('en')} runs`
  await report(`newest 20 of ${of}`, 300, () => listed({}))
  await report(`filter and sort ${of}`, 300, () =>
    listed({ where: 'metrics.auc > 0.8 and params.depth = 6 and git.dirty = false', sort: ['metrics.auc'] }),
  )
  await report(`filter ${of} by tag`, 300, () => listed({ where: 'tags has gold' }))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function fillEvents(store: Store): Promise<void> {
  let state = await store.models.stateOrEmpty('m')
  for (let n = 1; n <= EVENTS; n++) {
    const file = await store.objects.put(Buffer.from(`weights ${n}`))
    const scan = { verdict: 'inert', findings: [] }
    const manifest = {
      format: 1,
      model: 'm',
      files: [{ path: 'm.bin', ...file, scan }],
      metrics: { n },
      params: {},
      data: [],
    }
    const { sha256: digest } = await store.objects.put(Buffer.from(`${JSON.stringify(manifest)}\n`))
    const body = { version: n, manifest: digest, tags: [] }
    const time = new Date().toISOString()
    const draft = {
      op_id: `op-${n}`,
      request: sha256(`op-${n}`),
      type: 'register',
      body,
      actor,
      tool,
      time,
    } as EventDraft
    const outcome = await store.models.commit(state, draft)
    if (outcome.kind === 'lost') throw new Error('somebody else writes into this store')
    state = fold('m', [...state.events, outcome.event])
  }
}

async function fillRuns(store: Store): Promise<void> {
  const started = Date.now()
  for (let n = 0; n < RUNS; n++) {
    const start: RunStart = {
      ...{
        format: 1,
        id: ulid(started + n),
        started: new Date(started + n).toISOString(),
        command: ['true'],
        cwd: '.',
      },
      ...{
        env: ENV,
        git: { commit: COMMIT, branch: 'main', remote: null, dirty: n % 3 === 0 },
        host: { name: 'bench', platform: 'linux', cpus: 2, memory: 1 },
        data: [],
        params: paramsOf(n),
        tags: [],
      },
      ...{ actor, tool, source: 'track' },
    }
    const run = await store.runs.create(start)
    await run.end({
      ...{ format: 1, status: 'finished', exit: 0, signal: null, ended: start.started, duration: 0 },
      ...{
        metrics: metricsOf(n),
        params: paramsOf(n),
        tags: n % 50 === 0 ? ['gold'] : [],
        artifacts: [],
        warnings: [],
      },
    })
  }
}

function metricsOf(n: number): Record<string, number> {
  return Object.fromEntries(METRICS.map((key, at) => [key, ((n * 7919 + at) % RUNS) / RUNS]))
}

function paramsOf(n: number): Record<string, number> {
  return Object.fromEntries(PARAMS.map((key, at) => [key, (n + at) % 10]))
}

async function report(name: string, budget: number, read: () => Promise<unknown>): Promise<void> {
  const times: number[] = []
  for (let round = 0; round < 7; round++) {
    const started = performance.now()
    await read()
    times.push(performance.now() - started)
  }
  const median = times.sort((a, b) => a - b)[3] ?? 0
  console.log(`${name.padEnd(30)} ${median.toFixed(0).padStart(5)} ms  at most ${budget} ms`)
}
