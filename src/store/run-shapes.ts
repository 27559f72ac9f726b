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
  words,
} from '../core/shape.ts'
import { isUlid } from '../core/ulid.ts'
import type { Pin } from './events.ts'
import type {
  Annotation,
  ClientRecord,
  DeclaredData,
  DvcEntry,
  GitFacts,
  HostFacts,
  Intent,
  PythonFacts,
  Resources,
  RunArtifact,
  RunEnd,
  RunEvidence,
  RunStart,
  SubmoduleFacts,
} from './run-records.ts'

/** How much a run may have recorded is not decided by who reads it. */
const MOST = 100_000_000
const listOf = (item: Check): Check => list(item, MOST)
const mapOf = (item: Check): Check => map(item, MOST, MOST)

const pin = atLeast<Pin>({ sha256: digest, size })
const runId: Check = (value, at) => (typeof value === 'string' && isUlid(value) ? undefined : `${at} is no run id`)
const time: Check = (value, at) =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]{8,18}Z$/.test(value) && !Number.isNaN(Date.parse(value))
    ? undefined
    : `${at} is no time`
const actor = atLeast<Actor>({ name: words, origin: one('local', 'ci'), url: optional(words) })

const declared = atLeast<DeclaredData>({
  name: words,
  path: words,
  kind: one('file', 'directory'),
  sha256: digest,
  size,
  rows: optional(count),
  columns: optional(count),
  files: optional(count),
  manifest: optional(pin),
  snapshot: optional(one(true)),
  dvc: optional(atLeast<DvcEntry>({ file: words, stage: optional(words), md5: words, matches: flag })),
})

const patch = atLeast<NonNullable<GitFacts['patch']>>({ sha256: digest, size, files: listOf(words) })

const submodule = atLeast<SubmoduleFacts>({
  path: words,
  commit: orNull(words),
  url: orNull(words),
  dirty: flag,
  patch: optional(patch),
})

const git = atLeast<GitFacts>({
  commit: orNull(words),
  branch: orNull(words),
  remote: orNull(words),
  dirty: flag,
  patch: optional(patch),
  notes: optional(listOf(words)),
  submodules: optional(listOf(submodule)),
})

const python = atLeast<PythonFacts>({
  executable: words,
  version: words,
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
  name: words,
  memory: optional(count),
  driver: optional(words),
})

const host = atLeast<HostFacts>({
  name: words,
  platform: words,
  cpus: count,
  memory: count,
  cpu: optional(words),
  release: optional(words),
  gpus: optional(listOf(gpu)),
})

/** Other writers (the Python client) leave members out that nobody here reads without looking. */
export const isRunStart = atLeast<RunStart>({
  format: one(1),
  id: runId,
  model: optional(words),
  started: time,
  command: listOf(words),
  cwd: words,
  git: optional(git),
  python: optional(python),
  env: optional(mapOf(words)),
  host,
  seed: optional(scalar),
  seedFrom: optional(one('flag', 'environment', 'random')),
  data: listOf(declared),
  params: optional(mapOf(scalar)),
  tags: optional(listOf(words)),
  actor,
  tool: words,
  source: one('track', 'python'),
  process: optional(atLeast<ProcessPlace>({ pid: count, place: words, start: optional(count) })),
  reproduces: optional(words),
  parent: optional(words),
})

export const isRunEnd = atLeast<RunEnd>({
  format: one(1),
  status: one('finished', 'failed', 'interrupted'),
  exit: orNull(scalar),
  signal: orNull(words),
  ended: time,
  duration: metric,
  metrics: mapOf(metric),
  params: mapOf(scalar),
  tags: listOf(words),
  artifacts: listOf(atLeast<RunArtifact>({ path: words, sha256: digest, size })),
  late: optional(
    atLeast<NonNullable<RunEnd['late']>>({
      git: optional(git),
      python: optional(python),
      data: optional(listOf(declared)),
      host: optional(host),
    }),
  ),
  model: optional(words),
  resources: optional(
    atLeast<Resources>({
      maxRssBytes: optional(metric),
      memoryOf: optional(one('family', 'process')),
      cpuSeconds: optional(metric),
    }),
  ),
  files: mapOf(atLeast<Pin>({ sha256: digest, size })),
  warnings: listOf(words),
})

const said = { format: one(1), id: runId, run: runId, actor, time }
const taggedNote = atLeast<Extract<Annotation, { kind: 'tags' }>>({
  ...{ ...said, kind: one('tags'), add: listOf(words), remove: listOf(words) },
})
const textNote = atLeast<Extract<Annotation, { kind: 'note' }>>({ ...said, kind: one('note'), text: words })
const reproduced = atLeast<Extract<Annotation, { kind: 'reproduced' }>>({
  ...{ ...said, kind: one('reproduced'), by: words, verdict: words },
})

/** Of each kind its own; what a newer mlops says of a run is passed over. */
export const isAnnotation: Check = (value, at) => ofKind(value, at, { tags: taggedNote, note: textNote, reproduced })

const register = atLeast<Extract<Intent, { kind: 'register' }>>({
  ...{ format: one(1), kind: one('register'), model: words, stage: optional(words), tags: listOf(words) },
  message: optional(words),
})
const baseline = atLeast<Extract<Intent, { kind: 'baseline' }>>({
  ...{ format: one(1), kind: one('baseline'), model: words, data: pin },
})
export const isIntent: Check = (value, at) => ofKind(value, at, { register, baseline })

const test = atLeast<Extract<RunEvidence, { kind: 'test' }>>({
  ...{ format: one(1), kind: one('test'), time: words, data: pin, rows: count, columns: count },
  rowsDigest: optional(digest),
})
const examples = atLeast<Extract<RunEvidence, { kind: 'examples' }>>({
  ...{ format: one(1), kind: one('examples'), time: words, data: pin, rows: count },
})
export const isEvidence: Check = (value, at) => ofKind(value, at, { test, examples })

/** Only what is shown of one: older writers left more out. */
export const isClient: Check = (value, at) => clientFacts(value, at)
const clientFacts = atLeast<Pick<ClientRecord, 'writer' | 'pid' | 'model'>>({
  writer: words,
  pid: count,
  model: optional(words),
})

function ofKind(value: unknown, at: string, kinds: Readonly<Record<string, Check>>): string | undefined {
  const kind = (value as { readonly kind?: unknown } | null)?.kind
  const check = typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
  return check === undefined ? 'kind is none that this mlops knows' : check(value, at)
}

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
