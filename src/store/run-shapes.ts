/**
 * What the records of a run must be before anything is done with them: whoever may write into the store, or hands over
 * an archive, may have written anything there. The rest of the program trusts the types of `run-records.ts`. Pure.
 */
import type { Actor } from '../core/context.ts'
import type { ProcessPlace } from '../core/process-place.ts'
import {
  atLeast,
  type Check,
  count,
  digest,
  flag,
  list,
  map,
  metric,
  one,
  optional,
  orNull,
  scalar,
  size,
  text,
} from '../core/shape.ts'
import { isUlid } from '../core/ulid.ts'
import type { Pin } from './events.ts'
import type {
  DeclaredData,
  DvcEntry,
  GitFacts,
  HostFacts,
  PythonFacts,
  Resources,
  RunArtifact,
  RunEnd,
  RunStart,
  SubmoduleFacts,
} from './run-records.ts'

const pin = atLeast<Pin>({ sha256: digest, size })
const runId: Check = (value, at) => (typeof value === 'string' && isUlid(value) ? undefined : `${at} is no run id`)
const time: Check = (value, at) =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]{8,18}Z$/.test(value) && !Number.isNaN(Date.parse(value))
    ? undefined
    : `${at} is no time`
const actor = atLeast<Actor>({ name: text(1000), origin: one('local', 'ci'), url: optional(text()) })

const declared = atLeast<DeclaredData>({
  name: text(),
  path: text(),
  kind: one('file', 'directory'),
  sha256: digest,
  size,
  rows: optional(count),
  columns: optional(count),
  files: optional(count),
  manifest: optional(pin),
  snapshot: optional(one(true)),
  dvc: optional(atLeast<DvcEntry>({ file: text(), stage: optional(text()), md5: text(200), matches: flag })),
})

const patch = atLeast<NonNullable<GitFacts['patch']>>({ sha256: digest, size, files: list(text()) })

const submodule = atLeast<SubmoduleFacts>({
  path: text(),
  commit: orNull(text(200)),
  url: orNull(text()),
  dirty: flag,
  patch: optional(patch),
})

const git = atLeast<GitFacts>({
  commit: orNull(text(200)),
  branch: orNull(text()),
  remote: orNull(text()),
  dirty: flag,
  patch: optional(patch),
  notes: optional(list(text())),
  submodules: optional(list(submodule)),
})

const python = atLeast<PythonFacts>({
  executable: text(),
  version: text(1000),
  lock: optional(atLeast<NonNullable<PythonFacts['lock']>>({ sha256: digest, packages: count })),
  environment: optional(
    atLeast<NonNullable<PythonFacts['environment']>>({
      sha256: digest,
      size,
      manager: one('pip', 'uv', 'conda', 'poetry', 'pixi'),
      hashed: count,
    }),
  ),
})

const gpu = atLeast<NonNullable<HostFacts['gpus']>[number]>({
  name: text(),
  memory: optional(count),
  driver: optional(text()),
})

const host = atLeast<HostFacts>({
  name: text(),
  platform: text(),
  cpus: count,
  memory: count,
  cpu: optional(text()),
  release: optional(text()),
  gpus: optional(list(gpu)),
})

/** Other writers (the Python client) leave members out that nobody here reads without looking. */
export const isRunStart = atLeast<RunStart>({
  format: one(1),
  id: runId,
  model: optional(text(1000)),
  started: time,
  command: list(text(1_000_000)),
  cwd: text(),
  git: optional(git),
  python: optional(python),
  env: optional(map(text(1_000_000))),
  host,
  seed: optional(scalar),
  seedFrom: optional(one('flag', 'environment', 'random')),
  data: list(declared),
  params: optional(map(scalar)),
  tags: optional(list(text())),
  actor,
  tool: text(1000),
  source: one('track', 'python'),
  process: optional(atLeast<ProcessPlace>({ pid: count, place: text(), start: optional(count) })),
  reproduces: optional(text(1000)),
  parent: optional(text(1000)),
})

export const isRunEnd = atLeast<RunEnd>({
  format: one(1),
  status: one('finished', 'failed', 'interrupted'),
  exit: orNull(scalar),
  signal: orNull(text(100)),
  ended: time,
  duration: metric,
  metrics: map(metric),
  params: map(scalar),
  tags: list(text()),
  artifacts: list(atLeast<RunArtifact>({ path: text(), sha256: digest, size })),
  late: optional(
    atLeast<NonNullable<RunEnd['late']>>({
      git: optional(git),
      python: optional(python),
      data: optional(list(declared)),
      host: optional(host),
    }),
  ),
  model: optional(text(1000)),
  resources: optional(
    atLeast<Resources>({
      maxRssBytes: optional(metric),
      memoryOf: optional(one('family', 'process')),
      cpuSeconds: optional(metric),
    }),
  ),
  files: map(atLeast<Pin>({ sha256: digest, size })),
  warnings: list(text(100_000)),
})

/** What older and other writers leave out is read as empty. @param record of which `isRunStart` says nothing */
export function wholeStart(record: object): RunStart {
  const { env, params, tags } = record as Partial<RunStart>
  if (env !== undefined && params !== undefined && tags !== undefined) return record as RunStart
  return { env: {}, params: {}, tags: [], ...record } as unknown as RunStart
}

/** @returns what is wrong with the record of the run `id`, in words, or undefined */
export function startProblem(record: object, id: string): string | undefined {
  const problem = isRunStart(record, '')
  if (problem !== undefined) return problem
  const named = (record as RunStart).id
  return named === id ? undefined : `it is the record of run ${named}`
}
