/**
 * How long a rollback takes from the moment its verification is over until the pointer has moved, as a ratio against
 * the bare commit of the same event, on a log of 1,500 events. On the disk of the temporary folder: syncs count.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256 } from '../../src/core/digest.ts'
import { ulid } from '../../src/core/ulid.ts'
import { rollback } from '../../src/lifecycle/rollback/rollback.ts'
import { defaultConfig } from '../../src/project/config-read.ts'
import { createStore } from '../../src/store/create.ts'
import type { BodyByType, EventDraft, EventType } from '../../src/store/events.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'

const EVENTS = 1_500
const ROUNDS = 15
const MEGABYTES = 64
const actor = { name: 'bench', origin: 'local' } as const
const tool = 'mlops bench'
const folder = mkdtempSync(join(tmpdir(), 'mlops-bench-rollback-'))

try {
  const [ours, bare] = [await filled('ours'), await filled('bare')]
  const [after, verified, commits]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < ROUNDS; round++) {
    const one = await timedRollback(ours)
    after.push(one.after)
    verified.push(one.verified)
    commits.push(await timedCommit(bare))
    await move(ours, 2)
    await move(bare, 2)
  }
  const ratio = median(after) / median(commits)
  console.log(`rollback of ${MEGABYTES} MB after ${EVENTS.toLocaleString('en')} events, medians of ${ROUNDS} rounds`)
  console.log(`  bare commit of the event       ${median(commits).toFixed(1).padStart(8)} ms`)
  console.log(
    `  pointer moved after the bytes  ${median(after).toFixed(1).padStart(8)} ms  ${ratio.toFixed(2)}x the bare commit; budget 300 ms`,
  )
  console.log(`  verifying the bytes            ${median(verified).toFixed(1).padStart(8)} ms`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function filled(name: string): Promise<Store> {
  const root = join(folder, name)
  await createStore(root)
  const store = await openStore(root, { write: true, now: () => new Date() })
  const file = await store.objects.put(Buffer.alloc(MEGABYTES << 20, name))
  const scan = { verdict: 'inert', findings: [] }
  for (const version of [1, 2]) {
    const files = [{ path: 'model.bin', ...file, scan }]
    const record = { format: 1, model: 'm', files, metrics: { version }, params: {}, data: [] }
    const manifest = await store.objects.put(Buffer.from(`${JSON.stringify(record)}\n`))
    await commit(store, 'register', { version, manifest: manifest.sha256, tags: [] })
    await move(store, version)
  }
  for (let n = 4; n < EVENTS; n++) await commit(store, 'tag', { version: 1, add: [`t${n % 7}`], remove: [] })
  return store
}

async function move(store: Store, version: number): Promise<void> {
  const state = await store.models.state('m')
  const bound = { manifest: state.versions[version - 1]?.manifest ?? '', policy: sha256('policy') }
  const gate = { verdict: 'pass' as const, checks: [], bound }
  const from = state.stages.production?.version ?? null
  await commit(store, 'promote', { stage: 'production', version, from, gate })
}

function draftOf<T extends EventType>(type: T, body: BodyByType[T]): EventDraft {
  const op_id = ulid(Date.now())
  return { op_id, request: sha256(op_id), actor, tool, time: new Date().toISOString(), type, body } as EventDraft
}

async function commit<T extends EventType>(store: Store, type: T, body: BodyByType[T]): Promise<void> {
  await store.models.commit(await store.models.stateOrEmpty('m'), draftOf(type, body))
}

/** From the end of the last look at the bytes to the durable event. */
async function timedRollback(store: Store): Promise<{ after: number; verified: number }> {
  const start = performance.now()
  let [verified, moved] = [start, start]
  const watched: Store = {
    ...store,
    objects: {
      ...store.objects,
      verify: async (digest) => {
        const pin = await store.objects.verify(digest)
        verified = performance.now()
        return pin
      },
    },
    models: {
      ...store.models,
      commit: async (...args) => {
        const outcome = await store.models.commit(...args)
        moved = performance.now()
        return outcome
      },
    },
  }
  const ctx = { cwd: folder, env: {}, actor, tool, now: () => new Date(), warn: () => {} }
  const project = { root: folder, storeRoot: store.root, config: defaultConfig() }
  await rollback(ctx, project, watched, { model: 'm', stage: 'production', verify: false })
  return { after: moved - verified, verified: verified - start }
}

async function timedCommit(store: Store): Promise<number> {
  const state = await store.models.state('m')
  const restores = state.stages.production?.back ?? 0
  const version = state.events[restores - 1]?.stages.production?.version ?? 0
  const draft = draftOf('rollback', { stage: 'production', version, from: 2, restores, fit: 'skipped' })
  const start = performance.now()
  await store.models.commit(state, draft)
  return performance.now() - start
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
