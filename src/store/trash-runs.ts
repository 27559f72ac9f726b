/**
 * Runs in the trash: `trash/runs/<id>/` is the folder as it was, `trash/runs/<id>.<ulid>.json` says who put it there,
 * when and why. Whether a run may be deleted is decided in `src/tracking/trash/`.
 */
import type { Actor } from '../core/context.ts'
import { isUlid, ulid } from '../core/ulid.ts'
import type { Backend } from './backend.ts'
import { PURGED, runFolder, TRASHED_RUNS } from './layout.ts'
import { readableOf } from './readable.ts'
import type { Annotation, RunEnd, RunStart } from './run-records.ts'
import { openSealed, seal } from './sealed.ts'
import { namedByModels, namedByRuns } from './trash-references.ts'

/** Why a run is in the trash. */
export interface Deletion {
  readonly format: 1
  readonly run: string
  readonly actor: Actor
  readonly tool: string
  /** RFC 3339. */
  readonly time: string
  readonly reason?: string
}

export interface DeletedRun {
  readonly run: string
  /** Absent when the record was lost: then it is not known since when it is there. */
  readonly deletion?: Deletion
  /** run.json, where it can be read. */
  readonly start?: RunStart
  readonly files: number
  readonly bytes: number
}

/** What is recorded of a deleted run but for its streams. */
export interface DeletedRecords {
  readonly start: RunStart
  readonly end: RunEnd | undefined
  /** What people said of it, oldest first. */
  readonly said: readonly Annotation[]
}

/** A run on its way into the trash and out of it. Moves are one rename each, and durable. */
export interface Trash {
  /** What is in it, the run that began last first. */
  list(): Promise<DeletedRun[]>
  ids(): Promise<string[]>
  /** Undefined where run.json cannot be read, or the run is not in it. */
  read(id: string): Promise<DeletedRecords | undefined>
  /** The record first, then the folder: what is in the trash has said why. @returns false when there is no such run */
  put(deletion: Deletion): Promise<'moved' | 'absent' | 'taken'>
  /** Its records go with it. `taken`: there is a run of this id already. */
  restore(id: string): Promise<'moved' | 'absent' | 'taken'>
  /** For good. @returns false when it is not in the trash (any more) */
  purge(id: string): Promise<boolean>
  /** Which records of models name these runs, in words. */
  namedByModels(ids: ReadonlySet<string>): Promise<Map<string, string[]>>
  /** Which other runs name these, there or in the trash. */
  namedByRuns(ids: ReadonlySet<string>): Promise<Map<string, { readonly by: string; readonly words: string }[]>>
}

const trashed = (id: string): string => `${TRASHED_RUNS}/${id}`

export function trashOf(backend: Backend, now: () => Date): Trash {
  return {
    list: () => list(backend),
    ids: () => idsIn(backend),
    read: (id) => read(backend, id),
    put: (deletion) => put(backend, deletion, now),
    restore: (id) => restore(backend, id),
    purge: (id) => purge(backend, id, now),
    namedByModels: (ids) => namedByModels(backend, ids),
    namedByRuns: (ids) => namedByRuns(backend, ids),
  }
}

/** For a writer whose version needs it. @returns whether it was in the trash and is back */
export const bringRunBack = async (backend: Backend, id: string): Promise<boolean> =>
  (await restore(backend, id)) === 'moved'

async function idsIn(backend: Backend): Promise<string[]> {
  const entries = await backend.list(TRASHED_RUNS)
  return entries.filter(({ name, kind }) => kind === 'folder' && isUlid(name)).map(({ name }) => name)
}

async function list(backend: Backend): Promise<DeletedRun[]> {
  const entries = await backend.list(TRASHED_RUNS)
  const found: DeletedRun[] = []
  for (const { name, kind } of entries) {
    if (kind !== 'folder' || !isUlid(name)) continue
    const newest = entries
      .map((entry) => entry.name)
      .filter((record) => record.startsWith(`${name}.`) && record.endsWith('.json'))
      .sort()
      .at(-1)
    const of = newest === undefined ? [] : [`${TRASHED_RUNS}/${newest}`]
    const [begun, bytes] = await readableOf(backend, [`${trashed(name)}/run.json`, ...of])
    const deletion = bytes && (openSealed(bytes) as unknown as Deletion | undefined)
    const start = begun && (openSealed(begun) as unknown as RunStart | undefined)
    const size = await sizeOf(backend, trashed(name))
    found.push({
      run: name,
      ...(deletion === undefined ? {} : { deletion }),
      ...(start === undefined ? {} : { start }),
      ...size,
    })
  }
  return found.reverse()
}

async function read(backend: Backend, id: string): Promise<DeletedRecords | undefined> {
  const record = async <T>(name: string): Promise<T | undefined> => {
    const [bytes] = await readableOf(backend, [`${trashed(id)}/${name}`])
    return bytes && (openSealed(bytes) as unknown as T | undefined)
  }
  const start = await record<RunStart>('run.json')
  if (start === undefined) return undefined
  const names = (await backend.list(`${trashed(id)}/annotations`)).map(({ name }) => name).sort()
  const said = await Promise.all(names.map((name) => record<Annotation>(`annotations/${name}`)))
  return { start, end: await record<RunEnd>('end.json'), said: said.flatMap((each) => each ?? []) }
}

async function sizeOf(backend: Backend, folder: string): Promise<{ files: number; bytes: number }> {
  let [files, bytes] = [0, 0]
  for (const { name, kind } of await backend.list(folder)) {
    if (kind === 'folder') {
      const inner = await sizeOf(backend, `${folder}/${name}`)
      files += inner.files
      bytes += inner.bytes
    } else {
      files += 1
      bytes += (await backend.stat(`${folder}/${name}`))?.size ?? 0
    }
  }
  return { files, bytes }
}

async function put(backend: Backend, deletion: Deletion, now: () => Date): Promise<'moved' | 'absent' | 'taken'> {
  const { run } = deletion
  if ((await backend.stat(`${runFolder(run)}/run.json`)) === undefined) return 'absent'
  const record = `${trashed(run)}.${ulid(now().getTime())}.json`
  await backend.putIfAbsent(record, seal({ ...deletion }))
  const moved = await backend.move(runFolder(run), trashed(run))
  if (moved !== 'moved') await backend.remove(record).catch(() => {})
  return moved
}

async function restore(backend: Backend, id: string): Promise<'moved' | 'absent' | 'taken'> {
  await takeStrays(backend, id)
  const moved = await backend.move(trashed(id), runFolder(id))
  if (moved === 'moved') await forget(backend, id)
  return moved
}

/**
 * Who wrote a note on the run, or its heartbeat, at the moment at which it was deleted, has left a folder that is no run
 * in its place. The note goes with the run.
 */
async function takeStrays(backend: Backend, id: string): Promise<void> {
  const stray = runFolder(id)
  if ((await backend.stat(trashed(id))) === undefined || (await backend.stat(stray)) === undefined) return
  if ((await backend.stat(`${stray}/run.json`)) !== undefined) return
  for (const { name, kind } of await backend.list(stray)) {
    if (kind === 'folder') {
      for (const inner of await backend.list(`${stray}/${name}`))
        await backend.move(`${stray}/${name}/${inner.name}`, `${trashed(id)}/${name}/${inner.name}`)
    } else await backend.move(`${stray}/${name}`, `${trashed(id)}/${name}`)
  }
  await backend.removeTree(stray)
}

async function purge(backend: Backend, id: string, now: () => Date): Promise<boolean> {
  const leaving = `${PURGED}/${id}.${ulid(now().getTime())}`
  if ((await backend.move(trashed(id), leaving)) !== 'moved') return false
  await forget(backend, id)
  await backend.removeTree(leaving)
  return true
}

async function forget(backend: Backend, id: string): Promise<void> {
  for (const { name } of await backend.list(TRASHED_RUNS)) {
    if (!name.startsWith(`${id}.`)) continue
    if (name.endsWith('.json')) await backend.remove(`${TRASHED_RUNS}/${name}`)
    // Of a disk without hard links.
    else if (name.endsWith('.claim')) await backend.removeTree(`${TRASHED_RUNS}/${name}`)
  }
}
