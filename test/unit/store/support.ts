/** Real stores in temporary folders, and the smallest valid events to put into them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256 } from '../../../src/core/digest.ts'
import { type ExitName, MlopsError } from '../../../src/core/errors.ts'
import { ulid } from '../../../src/core/ulid.ts'
import { createStore } from '../../../src/store/create.ts'
import type { BodyByType, EventDraft, EventType, Pin } from '../../../src/store/events.ts'
import { openStore } from '../../../src/store/open.ts'
import type { RunEnd, RunStart } from '../../../src/store/run-records.ts'
import type { CommitResult, Store } from '../../../src/store/store.ts'

export const TIME = '2025-11-21T09:00:00.000Z'
export const now = (): Date => new Date(TIME)

const made: string[] = []
after(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mlops-store-'))
  made.push(folder)
  return folder
}

export async function temporaryStore(): Promise<Store> {
  const root = join(temporaryFolder(), '.mlops')
  await createStore(root)
  return openStore(root, { write: true, now })
}

let operations = 0

export function draft<T extends EventType>(type: T, body: BodyByType[T], more: Partial<EventDraft> = {}): EventDraft {
  operations += 1
  const op_id = more.op_id ?? `op-${operations}`
  const actor = { name: 'ada@laptop', origin: 'local' as const }
  return { op_id, request: sha256(op_id), actor, tool: 'mlops test', time: TIME, ...more, type, body } as EventDraft
}

/** A manifest of one file whose content is `text`. */
export async function manifest(store: Store, text: string, model = 'churn-model'): Promise<Pin> {
  const file = await store.objects.put(Buffer.from(text))
  const scan = { verdict: 'inert', findings: [] }
  const record = { format: 1, model, files: [{ path: 'model.bin', ...file, scan }], metrics: {}, params: {}, data: [] }
  return store.objects.put(Buffer.from(`${JSON.stringify(record)}\n`))
}

export async function register(
  store: Store,
  text: string,
  more: Partial<EventDraft> & { readonly model?: string; readonly run?: string } = {},
): Promise<CommitResult> {
  const { model = 'churn-model', run, ...rest } = more
  const state = await store.models.stateOrEmpty(model)
  const { sha256: digest } = await manifest(store, text, model)
  const pin = run === undefined ? {} : { run: await store.runs.pin(run) }
  const body = { version: state.versions.length + 1, manifest: digest, tags: [], ...pin }
  return store.models.commit(state, draft('register', body, rest))
}

export async function promote(store: Store, version: number, more: Partial<EventDraft> = {}): Promise<CommitResult> {
  const state = await store.models.state('churn-model')
  const bound = { manifest: state.versions[version - 1]?.manifest ?? '', policy: sha256('policy') }
  const from = state.stages.production?.version ?? null
  const body = { stage: 'production', version, from, gate: { verdict: 'pass' as const, checks: [], bound } }
  return store.models.commit(state, draft('promote', body, more))
}

export async function rollback(store: Store): Promise<CommitResult> {
  const state = await store.models.state('churn-model')
  const held = state.stages.production
  const restores = held?.back ?? 0
  const version = state.events[restores - 1]?.stages.production?.version ?? 0
  const body = { stage: 'production', version, from: held?.version ?? 0, restores, fit: 'skipped' as const }
  return store.models.commit(state, draft('rollback', body))
}

let runTime = 1_763_700_000_000

export const runStart = (more: Partial<RunStart> = {}): RunStart => ({
  format: 1,
  id: ulid(++runTime),
  started: TIME,
  command: ['python', 'train.py'],
  cwd: '.',
  env: {},
  host: { name: 'laptop', platform: 'linux', cpus: 2, memory: 1 },
  data: [],
  params: {},
  tags: [],
  actor: { name: 'ada@laptop', origin: 'local' },
  tool: 'mlops test',
  source: 'track',
  ...more,
})

export const runEnd = (more: Partial<RunEnd> = {}): Omit<RunEnd, 'files'> => ({
  format: 1,
  status: 'finished',
  exit: 0,
  signal: null,
  ended: TIME,
  duration: 1.5,
  metrics: {},
  params: {},
  tags: [],
  artifacts: [],
  warnings: [],
  ...more,
})

/** Asserts that a user gets this error: code, exit code, one message and a next step. */
export async function refusal(work: () => unknown, exit: ExitName, code: string): Promise<MlopsError> {
  try {
    await work()
  } catch (error) {
    assert.ok(error instanceof MlopsError, `not an error for users: ${String(error)}`)
    assert.equal(error.code, code, error.message)
    assert.equal(error.exit, exit)
    assert.ok(error.message.length > 0 && error.hint !== undefined && error.hint.length > 0)
    return error
  }
  return assert.fail(`nothing was refused; expected ${code}`)
}
