/**
 * One user's day with a store, in small steps, and what must be true afterwards, whatever happened in between. Each
 * step's promise is recorded when it resolves: from then on the fact must survive.
 */
import assert from 'node:assert/strict'
import { sha256 } from '../../src/core/digest.ts'
import { MlopsError } from '../../src/core/errors.ts'
import { createStore } from '../../src/store/create.ts'
import type { EventDraft } from '../../src/store/events.ts'
import type { Files } from '../../src/store/files.ts'
import { openStore } from '../../src/store/open.ts'
import type { CommitResult, RunWriter, Store } from '../../src/store/store.ts'
import { verifyStore } from '../../src/store/verify.ts'

export const ROOT = '/disk/project/.mlops'
export const MODEL = 'churn-model'
export const RUN = '01JABCDEFG0000000000000000'
const CHECK = sha256('check')
const TIME = '2025-11-21T09:00:00.000Z'

/** What was promised: each entry looks at a store and says whether the promise holds. */
export interface Promised {
  readonly what: string
  holds(store: Store): Promise<boolean>
}

export const model = (text: string): Buffer => Buffer.from(`model ${text} `.repeat(20))

const common = { actor: { name: 'ada@laptop', origin: 'local' as const }, tool: 'mlops test', time: TIME }

/** Registers as a use case does: objects first, then fold, decide, commit, and again when somebody was faster. */
export async function register(store: Store, op: string, name = MODEL): Promise<CommitResult> {
  const file = await store.objects.put(model(op))
  const manifest = await store.objects.put(
    Buffer.from(
      `${JSON.stringify({
        format: 1,
        model: name,
        files: [{ path: 'model.bin', ...file, scan: { verdict: 'inert', findings: [] } }],
        metrics: {},
        params: {},
        data: [],
      })}\n`,
    ),
  )
  for (;;) {
    const state = await store.models.stateOrEmpty(name)
    const body = { version: state.versions.length + 1, manifest: manifest.sha256, tags: [] }
    const result = await store.models.commit(state, {
      ...common,
      op_id: op,
      request: sha256(op),
      type: 'register',
      body,
    })
    if (result.kind !== 'lost') return result
  }
}

export async function promote(store: Store, op: string, version: number, name = MODEL): Promise<CommitResult> {
  const state = await store.models.state(name)
  const manifest = state.versions[version - 1]?.manifest ?? ''
  const before = state.stages.production
  const draft: EventDraft = {
    ...common,
    op_id: op,
    request: sha256(op),
    type: 'promote',
    expect: { production: before?.seq ?? null },
    body: {
      stage: 'production',
      version,
      from: before?.version ?? null,
      gate: { verdict: 'pass', checks: [], bound: { manifest, policy: sha256('policy') } },
    },
  }
  return store.models.commit(state, draft)
}

export async function rollback(store: Store, op: string, name = MODEL): Promise<CommitResult> {
  const state = await store.models.state(name)
  const held = state.stages.production
  const restores = held?.back ?? 0
  const draft: EventDraft = {
    ...common,
    op_id: op,
    request: sha256(op),
    type: 'rollback',
    expect: { production: held?.seq ?? null },
    body: {
      stage: 'production',
      version: state.events[restores - 1]?.stages.production?.version ?? 0,
      from: held?.version ?? 0,
      restores,
      fit: 'skipped',
    },
  }
  return store.models.commit(state, draft)
}

const eventStands = (op: string): Promised => ({
  what: `the event of ${op}`,
  async holds(store) {
    const state = await store.models.state(MODEL)
    return state.events.filter(({ op_id }) => op_id === op).length === 1
  },
})

export async function beginRun(store: Store, id: string): Promise<RunWriter> {
  return store.runs.create({
    format: 1,
    id,
    started: TIME,
    command: ['python', 'train.py'],
    cwd: '.',
    env: {},
    host: { name: 'laptop', platform: 'linux', cpus: 2, memory: 1 },
    data: [],
    params: {},
    tags: [],
    source: 'track',
    actor: common.actor,
    tool: common.tool,
  })
}

export async function endRun(run: RunWriter): Promise<void> {
  await run.append('metrics', [{ t: TIME, key: 'auc', value: 0.9 }])
  await run.append('metrics', [{ t: TIME, key: 'auc', value: 0.91 }])
  await run.beat()
  const rest = { metrics: { auc: 0.91 }, params: {}, tags: [], artifacts: [], warnings: [] }
  await run.end({ format: 1, status: 'finished', exit: 0, signal: null, ended: TIME, duration: 1, ...rest })
}

export interface Step {
  readonly name: string
  run(files: Files): Promise<void>
  readonly promises: readonly Promised[]
}

const step = (name: string, work: (store: Store) => Promise<unknown>, ...promises: Promised[]): Step => ({
  name,
  promises,
  async run(files) {
    await work(await openStore(ROOT, { write: true, files, now: () => new Date(TIME) }))
  },
})

/** In order; each opens the store anew, as a command does. */
export const STEPS: readonly Step[] = [
  { name: 'init', promises: [], run: async (files) => void (await createStore(ROOT, { files })) },
  step('store a file', (store) => store.objects.put(model('a')), {
    what: 'the stored file',
    holds: async (store) => (await store.objects.read(sha256(model('a')))).equals(model('a')),
  }),
  step('register v1', (store) => register(store, 'v1'), eventStands('v1')),
  step('register v2', (store) => register(store, 'v2'), eventStands('v2')),
  step('promote v1', (store) => promote(store, 'p1', 1), eventStands('p1')),
  step('promote v2', (store) => promote(store, 'p2', 2), eventStands('p2')),
  step('roll back', (store) => rollback(store, 'r1'), eventStands('r1')),
  step('check', (store) => store.checks.put(MODEL, CHECK, { time: TIME, verdict: 'stable' }), {
    what: 'the check',
    holds: async (store) => (await store.checks.get(MODEL, CHECK)) !== undefined,
  }),
  step('claim', (store) => store.claims.take(MODEL, 'jobs/drift', 1, { by: 'me' }), {
    what: 'the claim',
    holds: async (store) => (await store.claims.newest(MODEL, 'jobs/drift'))?.number === 1,
  }),
  step('run', async (store) => endRun(await beginRun(store, RUN)), {
    what: 'the end of the run',
    holds: async (store) => (await store.runs.read(RUN)).end !== undefined,
  }),
]

/** The invariants of docs/store-format.md on whatever is left of the disk. */
export async function assertSound(files: Files, promised: readonly Promised[], when: string): Promise<void> {
  let store: Store
  try {
    store = await openStore(ROOT, { write: false, files })
  } catch (error) {
    assert.ok(error instanceof MlopsError && error.code === 'STORE_NOT_FOUND', `${when}: ${String(error)}`)
    assert.deepEqual(promised, [], `${when}: the whole store is gone`)
    return
  }
  const report = await verifyStore(ROOT, { files })
  assert.deepEqual(report.damages, [], when)
  for (const promise of promised) {
    const holds = await promise.holds(store).catch(() => false)
    assert.ok(holds, `${when}: ${promise.what} was promised and is lost`)
  }
}

/** Nobody is blocked: everybody can go on working on what is left. */
export async function assertUsable(files: Files, when: string): Promise<void> {
  try {
    await createStore(ROOT, { files })
    const store = await openStore(ROOT, { write: true, files })
    await store.objects.put(model('a'))
    const result = await register(store, 'after')
    assert.equal(result.kind, 'committed')
  } catch (error) {
    assert.fail(`${when}: the next user is blocked: ${String(error)}`)
  }
  await assertSound(files, [eventStands('after')], `${when}, and work after it`)
}
