/** A real store in a temporary folder, and versions in it as `register` writes them, for the tests of the lifecycle. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalBytes } from '../../../src/core/canonical-json.ts'
import type { Actor, Context } from '../../../src/core/context.ts'
import { sha256 } from '../../../src/core/digest.ts'
import { MlopsError } from '../../../src/core/errors.ts'
import { ulid } from '../../../src/core/ulid.ts'
import type { ModelConfig, Project } from '../../../src/project/config.ts'
import { defaultModel } from '../../../src/project/config-read.ts'
import { type Gate, NO_GATE } from '../../../src/project/gate-config.ts'
import { createStore } from '../../../src/store/create.ts'
import type { ModelEvent } from '../../../src/store/events.ts'
import type { DataFact, Manifest, ScanResult } from '../../../src/store/manifest.ts'
import { openStore } from '../../../src/store/open.ts'
import type { RunEnd, RunStart } from '../../../src/store/run-records.ts'
import type { Store } from '../../../src/store/store.ts'

export const MODEL = 'churn-model'
export const ADA: Actor = { name: 'ada@laptop', origin: 'local' }
export const BOB: Actor = { name: 'bob@desk', origin: 'local' }

export interface World {
  readonly dir: string
  readonly store: Store
  readonly ctx: Context
  readonly warnings: string[]
  /** `ctx` of somebody else. */
  as(actor: Actor): Context
  project(config?: Partial<ModelConfig>, stages?: readonly string[]): Project
  /** Another handle on the same folder, as another process has one. */
  reopen(): Promise<Store>
  remove(): void
}

export async function world(): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'mlops-lifecycle-'))
  const root = join(dir, '.mlops')
  await createStore(root, {})
  const warnings: string[] = []
  let tick = Date.UTC(2026, 0, 1)
  const ctx: Context = {
    cwd: dir,
    env: { PATH: process.env.PATH },
    actor: ADA,
    tool: 'mlops 0.1.0',
    now: () => {
      tick += 60_000
      return new Date(tick)
    },
    warn: (message) => warnings.push(message),
  }
  return {
    dir,
    store: await openStore(root, { write: true }),
    ctx,
    warnings,
    as: (actor) => ({ ...ctx, actor }),
    project: (config = {}, stages = ['staging', 'production']) => ({
      root: dir,
      storeRoot: root,
      config: { store: '.mlops', stages, models: { [MODEL]: { ...defaultModel(), ...config } } },
    }),
    reopen: () => openStore(root, { write: true }),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}

export const gate = (more: Partial<Gate> = {}): Gate => ({
  ...NO_GATE,
  ...more,
})

export interface VersionSpec {
  readonly model?: string
  readonly metrics?: Manifest['metrics']
  readonly params?: Manifest['params']
  /** Text of the files by path; `model.joblib` with random bytes when undefined. */
  readonly files?: Readonly<Record<string, string>>
  readonly scan?: ScanResult
  /** Hash of the test set, made from this text. */
  readonly test?: string
  readonly data?: readonly DataFact[]
  /** With a stand-in for a profile. */
  readonly baseline?: boolean
  /** With a real profile. */
  readonly profile?: NonNullable<Manifest['baseline']>
  /** JSON lines of `{"features", "output"}`. */
  readonly examples?: string
  readonly target?: string
  readonly evaluate?: string
  /** With a stand-in for held-out predictions, which cannot be read as a table. */
  readonly predictions?: boolean
  readonly run?: Partial<RunStart> & { readonly lock?: string; readonly end?: Partial<RunEnd> }
  readonly tags?: readonly string[]
  readonly message?: string
  readonly actor?: Actor
}

/** Registers a version as `register` does: objects first, then the event. @returns its number */
export async function addVersion(world: World, spec: VersionSpec = {}): Promise<number> {
  const { store } = world
  const model = spec.model ?? MODEL
  const files = spec.files ?? { 'model.joblib': randomBytes(40).toString('hex') }
  const pins = await Promise.all(
    Object.entries(files).map(async ([path, text]) => ({
      path,
      ...(await store.objects.put(Buffer.from(text))),
      scan: spec.scan ?? { verdict: 'inert' as const, findings: [] },
    })),
  )
  const profile = spec.baseline === true ? await store.objects.put(Buffer.from(`{"profile":"${model}"}\n`)) : undefined
  const test = spec.test === undefined ? [] : [{ name: 'test', sha256: sha256(spec.test), rows: 100 }]
  const manifest: Manifest = {
    format: 1,
    model,
    files: pins,
    metrics: spec.metrics ?? {},
    params: spec.params ?? {},
    data: [...(spec.data ?? []), ...test],
    ...(profile === undefined
      ? {}
      : { baseline: { profile: profile.sha256, data: { name: 'baseline', sha256: sha256('train'), rows: 3500 } } }),
    ...(spec.profile === undefined ? {} : { baseline: spec.profile }),
    ...(spec.examples === undefined
      ? {}
      : { examples: { ...(await store.objects.put(Buffer.from(spec.examples))), format: 'jsonl' as const } }),
    ...(spec.target === undefined ? {} : { target: spec.target }),
    ...(spec.evaluate === undefined ? {} : { evaluate: spec.evaluate }),
    ...(spec.predictions === true ? { testPredictions: await store.objects.put(Buffer.from([0, 1, 2])) } : {}),
  }
  const { sha256: digest } = await store.objects.put(canonicalBytes(manifest))
  const run = spec.run === undefined ? undefined : await pinRun(world, model, spec.run)
  for (;;) {
    const state = await store.models.stateOrEmpty(model)
    const version = state.versions.length + 1
    const outcome = await store.models.commit(state, {
      op_id: ulid(Date.now()),
      request: sha256(`${digest}${version}`),
      type: 'register',
      body: {
        version,
        manifest: digest,
        tags: spec.tags ?? [],
        ...(run === undefined ? {} : { run }),
        ...(spec.message === undefined ? {} : { message: spec.message }),
      },
      actor: spec.actor ?? world.ctx.actor,
      tool: world.ctx.tool,
      time: world.ctx.now().toISOString(),
    })
    if (outcome.kind === 'committed') return version
  }
}

async function pinRun(world: World, model: string, spec: NonNullable<VersionSpec['run']>) {
  const { store, ctx } = world
  const { lock, end: more, ...rest } = spec
  const id = ulid(ctx.now().getTime())
  const lockPin = lock === undefined ? undefined : await store.objects.put(Buffer.from(lock))
  const start: RunStart = {
    format: 1,
    id,
    model,
    started: ctx.now().toISOString(),
    command: ['python', 'train.py'],
    cwd: '.',
    env: {},
    host: { name: 'laptop', platform: 'linux', cpus: 2, memory: 8e9 },
    data: [],
    params: {},
    tags: [],
    actor: ctx.actor,
    tool: ctx.tool,
    source: 'track',
    ...(lockPin === undefined
      ? {}
      : {
          python: {
            executable: '/usr/bin/python3',
            version: '3.11.2',
            lock: { sha256: lockPin.sha256, packages: lock?.trim().split('\n').length ?? 0 },
          },
        }),
    ...rest,
  }
  const end: RunEnd = {
    format: 1,
    status: 'finished',
    exit: 0,
    signal: null,
    ended: ctx.now().toISOString(),
    duration: 12.5,
    metrics: {},
    params: {},
    tags: [],
    artifacts: [],
    files: {},
    warnings: [],
    ...more,
  }
  return { id, run: await store.objects.put(canonicalBytes(start)), end: await store.objects.put(canonicalBytes(end)) }
}

/** The versions in a stage, by event: what happened to it. */
export const movesOf = (events: readonly ModelEvent[], stage: string): number[] =>
  events.flatMap((event) =>
    (event.type === 'promote' || event.type === 'rollback') && event.body.stage === stage ? [event.body.version] : [],
  )

/** Absolute path of an object's file. */
export const objectPath = (world: World, digest: string): string =>
  join(world.store.root, 'objects/sha256', digest.slice(0, 2), digest.slice(2))

/** The refusal that a promise ends with. Anything but an `MlopsError` is thrown on. */
export async function rejection(promise: Promise<unknown>): Promise<MlopsError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof MlopsError) return error
  throw error ?? new assert.AssertionError({ message: 'it was expected to be refused' })
}

/** Flips one bit of an object's file. */
export function damage(world: World, digest: string): void {
  const path = objectPath(world, digest)
  const bytes = readFileSync(path)
  bytes[0] = (bytes[0] ?? 0) ^ 1
  chmodSync(path, 0o644)
  writeFileSync(path, bytes)
}
