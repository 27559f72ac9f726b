/** Runs: creating, finding and reading them. Writing into one is in `run-writer.ts`. */
import { conflict, type MlopsError, notFound, usage } from '../core/errors.ts'
import type { Check } from '../core/shape.ts'
import { isUlid } from '../core/ulid.ts'
import type { Backend } from './backend.ts'
import { recordDamaged } from './checks.ts'
import type { Pin } from './events.ts'
import { runFolder } from './layout.ts'
import { annotationsOf, endedRun, readEnded, readEnds } from './many-runs.ts'
import { readableOf } from './readable.ts'
import { annotate, annotations } from './run-annotations.ts'
import type { ClientRecord, Intent, RunEnd, RunEvidence, RunStart } from './run-records.ts'
import { isClient, isEvidence, isIntent, isRunEnd, startProblem, wholeStart } from './run-shapes.ts'
import { readStream, streamBatches } from './run-streams.ts'
import { runWriter } from './run-writer.ts'
import { openSealed, seal, sealProblem } from './sealed.ts'
import type { Objects, RunFolder, Runs, RunWriter } from './store.ts'

export function runsOf(backend: Backend, objects: Objects, now: () => Date): Runs {
  return {
    create: (start) => create(backend, start, now),
    list: () => list(backend),
    resolve: (prefix) => resolve(backend, prefix),
    read: (id) => read(backend, id, now),
    ends: (ids) => readEnds(backend, ids),
    readEnded: (ids) => readEnded(backend, ids),
    annotationsOf: (ids) => annotationsOf(backend, ids),
    stream: (id, stream) => readStream(backend, id, stream),
    batches: (id, stream, skipped) => streamBatches(backend, id, stream, skipped),
    annotations: (id) => annotations(backend, id),
    annotate: (annotation) => annotate(backend, annotation),
    intents: (id) => writeOnce<Intent>(backend, `${runFolder(id)}/intents`, isIntent),
    evidence: (id) => evidence(backend, id),
    clients: (id) => clients(backend, id),
    pin: (id) => pin(backend, objects, id),
  }
}

async function create(backend: Backend, start: RunStart, now: () => Date): Promise<RunWriter> {
  if (!isUlid(start.id)) throw new RangeError(`${start.id} is no run id`)
  if (!(await backend.putIfAbsent(`${runFolder(start.id)}/run.json`, seal({ ...start })))) {
    throw conflict({
      code: 'RUN_EXISTS',
      message: `Run ${start.id} exists already.`,
      hint: 'Start the run again; it gets a new id',
    })
  }
  await backend.touch(`${runFolder(start.id)}/alive`, now())
  return runWriter(backend, start.id, now)
}

async function list(backend: Backend): Promise<string[]> {
  const folders = (await backend.list('runs')).filter(({ name, kind }) => kind === 'folder' && isUlid(name))
  // A client may write into the folder before `track` has written what the run is.
  const begun = await backend.existing(folders.map(({ name }) => `${runFolder(name)}/run.json`))
  return folders.flatMap(({ name }, at) => (begun[at] === true ? [name] : [])).reverse()
}

async function resolve(backend: Backend, prefix: string): Promise<string> {
  const ids = await list(backend)
  const newest = ids[0]
  if (prefix === '@last') {
    if (newest !== undefined) return newest
    throw runNotFound('There are no runs in this store yet.', 'Make one: mlops track -- python train.py')
  }
  const wanted = prefix.toUpperCase()
  const matches = wanted === '' ? [] : ids.filter((id) => id.startsWith(wanted))
  const [only, second] = matches
  if (only === undefined) throw runNotFound(`There is no run ${prefix}.`, 'See the runs: mlops run list')
  if (second === undefined) return only
  throw usage({
    code: 'RUN_AMBIGUOUS',
    message: `${matches.length} runs begin with ${prefix}: ${matches.slice(0, 5).join(', ')}${matches.length > 5 ? ' …' : ''}.`,
    hint: 'Write more of the id, or @last for the newest run',
    details: { prefix, matches: matches.slice(0, 50) },
  })
}

async function read(backend: Backend, id: string, now: () => Date): Promise<RunFolder> {
  const folder = runFolder(id)
  const [run, end] = await backend.getMany([`${folder}/run.json`, `${folder}/end.json`])
  if (run === undefined) throw runNotFound(`There is no run ${id}.`, 'See the runs: mlops run list')
  const start = wholeStart(opened(backend, `${folder}/run.json`, run, (record) => startProblem(record, id)))
  // An ended run needs no heartbeat, and one call less counts over 10,000 of them.
  if (end !== undefined) return endedRun(start, opened<RunEnd>(backend, `${folder}/end.json`, end, isEnd))
  const alive = await backend.stat(`${folder}/alive`)
  const silent = alive === undefined ? undefined : (now().getTime() - alive.modified) / 1000
  return { start, end: undefined, silent }
}

async function writeOnce<T extends object>(backend: Backend, folder: string, check: Check): Promise<T[]> {
  const found: T[] = []
  for (const { name } of (await backend.list(folder)).filter((entry) => entry.name.endsWith('.json'))) {
    const bytes = await backend.get(`${folder}/${name}`)
    if (bytes !== undefined) found.push(opened<T>(backend, `${folder}/${name}`, bytes, (record) => check(record, '')))
  }
  return found
}

async function evidence(backend: Backend, id: string): Promise<RunEvidence[]> {
  const found = await writeOnce<RunEvidence>(backend, `${runFolder(id)}/evidence`, isEvidence)
  return found.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
}

/** Only facts for people, so an unreadable one is left out; `verify` names it. */
async function clients(backend: Backend, id: string): Promise<ClientRecord[]> {
  const folder = `${runFolder(id)}/clients`
  const names = (await backend.list(folder)).filter(({ name }) => name.endsWith('.json')).map(({ name }) => name)
  const files = await readableOf(
    backend,
    names.map((name) => `${folder}/${name}`),
  )
  return files
    .map((bytes) => bytes && openSealed(bytes))
    .filter((record) => record !== undefined && isClient(record, '') === undefined)
    .map((record) => record as unknown as ClientRecord)
}

async function pin(backend: Backend, objects: Objects, id: string): Promise<{ id: string; run: Pin; end?: Pin }> {
  const folder = runFolder(id)
  const [run, end] = await backend.getMany([`${folder}/run.json`, `${folder}/end.json`])
  if (run === undefined) throw runNotFound(`There is no run ${id}.`, 'See the runs: mlops run list')
  checked(backend, `${folder}/run.json`, run)
  if (end === undefined) return { id, run: await objects.put(run) }
  checked(backend, `${folder}/end.json`, end)
  return { id, run: await objects.put(run), end: await objects.put(end) }
}

/** The shape first: it says which member is wrong. Lists go without the seal: 10,000 runs must not be felt. */
function opened<T extends object>(
  backend: Backend,
  key: string,
  bytes: Buffer,
  problemOf: (record: object) => string | undefined,
): T {
  const record = openSealed(bytes)
  const problem = record && problemOf(record)
  if (problem !== undefined) throw recordDamaged(backend, key, problem)
  return checked<T>(backend, key, bytes)
}

const isEnd = (record: object): string | undefined => isRunEnd(record, '')

function checked<T>(backend: Backend, key: string, bytes: Buffer): T {
  const problem = sealProblem(bytes)
  if (problem !== undefined) throw recordDamaged(backend, key, problem)
  return openSealed(bytes) as T
}

const runNotFound = (message: string, hint: string): MlopsError => notFound({ code: 'RUN_NOT_FOUND', message, hint })
