/**
 * What a run records of one source of data: digest, the list of a folder's files, what DVC says of it, and with
 * `snapshot` the bytes. Finding DVC's word is `dvc-files.ts`, hashing `file-hash.ts` and `folder-hash.ts`.
 */
import { stat } from 'node:fs/promises'
import { relative, resolve, sep } from 'node:path'
import type { DeclaredData } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import type { DataSource } from './declared-data.ts'
import { digestOfListing, listedByDvc } from './dvc-digest.ts'
import { type DvcClaim, findDvcClaim, hasIgnoreRules } from './dvc-files.ts'
import { hashFile } from './file-hash.ts'
import { filesOf } from './folder-files.ts'
import { type FolderDigest, hashFolder } from './folder-hash.ts'
import { type Kept, keepBytes } from './snapshot.ts'
import { type Before, lookAtPaths } from './written.ts'

export interface DataRequest {
  readonly cwd: string
  /** Do not believe what the store remembers of unchanged files. */
  readonly rehash: boolean
  /** Keep the bytes. */
  readonly snapshot: boolean
  /** Before the command started: what `lookAtPaths` saw of the sources, and milliseconds of the clock. */
  readonly start?: { readonly marks: Before; readonly at: number } | undefined
  readonly signal?: AbortSignal | undefined
  readonly progress?: ((step: string, fraction?: number) => void) | undefined
}

export interface RecordedData {
  readonly data: DeclaredData
  readonly notes: readonly string[]
  /** What a snapshot took. */
  readonly kept?: Kept
}

/** @throws system errors; failed `DATA_UNREADABLE`; the reason of the signal */
export async function recordData(store: Store, source: DataSource, request: DataRequest): Promise<RecordedData> {
  const full = resolve(request.cwd, source.path)
  const claim = await findDvcClaim(full)
  return (await stat(full)).isDirectory()
    ? await recordFolder(store, source, full, claim, request)
    : await recordFile(store, source, full, claim, request)
}

async function recordFile(
  store: Store,
  source: DataSource,
  full: string,
  claim: DvcClaim | undefined,
  { cwd, snapshot, signal, progress }: DataRequest,
): Promise<RecordedData> {
  const { facts, md5, changed } = await hashFile(full, {
    signal,
    md5: claim?.kind,
    progress: (done, of) => progress?.(`hashing data ${source.name}`, of === 0 ? 1 : done / of),
  })
  const notes = changed ? [`data ${source.name}: ${source.path} changed while it was read`] : []
  const dvc = entryOf(claim, md5, cwd)
  if (dvc?.matches === false) notes.push(isNotWhat(source, dvc))
  const kept = snapshot
    ? await keepBytes(store, source.name, [{ ...facts, path: source.path, full }], { signal, progress })
    : undefined
  return {
    data: {
      ...source,
      kind: 'file',
      ...facts,
      ...(kept?.isWhole ? { snapshot: true } : {}),
      ...(dvc === undefined ? {} : { dvc }),
    },
    notes: [...notes, ...(kept?.notes ?? [])],
    ...(kept === undefined ? {} : { kept }),
  }
}

async function recordFolder(
  store: Store,
  source: DataSource,
  full: string,
  claim: DvcClaim | undefined,
  { cwd, rehash, snapshot, signal, progress }: DataRequest,
): Promise<RecordedData> {
  const digest = await hashFolder(full, {
    ...{ signal, rehash, md5: claim?.kind },
    store: store.root,
    progress: (done, of) => progress?.(`hashing data ${source.name}: ${done} of ${of} files`, done / of),
  })
  const notes = digest.notes.map((note) => `data ${source.name}: ${note}`)
  const dvc = entryOf(claim, claim === undefined ? undefined : folderMd5(digest), cwd)
  if (dvc?.matches === false) {
    notes.push(`${isNotWhat(source, dvc)}${(await hasIgnoreRules(full)) ? ' (.dvcignore was not applied)' : ''}`)
  }
  const kept = snapshot ? await keepBytes(store, source.name, digest.files, { signal, progress }) : undefined
  return {
    data: {
      ...source,
      kind: 'directory',
      sha256: digest.sha256,
      size: digest.size,
      files: digest.files.length,
      manifest: await store.objects.put(digest.manifest),
      ...(kept?.isWhole ? { snapshot: true } : {}),
      ...(dvc === undefined ? {} : { dvc }),
    },
    notes: [...notes, ...(kept?.notes ?? [])],
    ...(kept === undefined ? {} : { kept }),
  }
}

const folderMd5 = ({ files }: FolderDigest): string =>
  digestOfListing(
    files.filter(({ path }) => listedByDvc(path)).map(({ path, md5 }) => ({ relpath: path, md5: md5 ?? '' })),
  )

function entryOf(claim: DvcClaim | undefined, found: string | undefined, cwd: string): DeclaredData['dvc'] {
  if (claim === undefined) return undefined
  const { file, stage, md5 } = claim
  const path = relative(cwd, file).split(sep).join('/')
  return { file: path, ...(stage === undefined ? {} : { stage }), md5, matches: md5 === found }
}

const isNotWhat = ({ name, path }: DataSource, { file, stage }: NonNullable<DeclaredData['dvc']>): string =>
  `data ${name}: ${path} is not what ${file} says${stage === undefined ? '' : ` of the stage ${stage}`}`

/** Of all that was kept: what a person is told. */
export interface KeptInAll {
  readonly files: number
  /** Of the data, and of it what the store did not have before. */
  readonly bytes: number
  readonly addedBytes: number
}

/**
 * Each source by itself: what one of them lacks, none of the others misses.
 * @param failed gets what went wrong with a source, which then is not in the record
 */
export async function recordAllData(
  store: Store,
  sources: readonly DataSource[],
  request: DataRequest,
  notes: string[],
  failed: (source: DataSource, error: unknown) => void,
): Promise<{ readonly data: readonly DeclaredData[]; readonly kept?: KeptInAll }> {
  const data: DeclaredData[] = []
  let kept: KeptInAll | undefined
  for (const source of sources) {
    try {
      const recorded = await recordData(store, source, request)
      data.push(recorded.data)
      notes.push(...recorded.notes, ...(await changedSinceStart(source, recorded, request)))
      if (recorded.kept !== undefined) kept = sumOf(kept, recorded.kept)
    } catch (error) {
      failed(source, error)
    }
  }
  return { data, ...(kept === undefined ? {} : { kept }) }
}

/** Of a folder whose files are looked at again. */
const MOST_FILES = 1_000

/** A command that overwrites what it learns from has read other bytes than those that were hashed beside it. */
async function changedSinceStart(
  { name, path }: DataSource,
  { notes, data }: RecordedData,
  { cwd, start, signal }: DataRequest,
): Promise<string[]> {
  if (start === undefined || notes.some((note) => note.includes('changed while it was read'))) return []
  const full = resolve(cwd, path)
  // A folder of very many files is not walked a second time: its own mark says at least what came and went.
  const isChanged =
    data.kind === 'directory' && (data.files ?? 0) <= MOST_FILES
      ? await holdsNewer(full, start.at, signal)
      : (await lookAtPaths([path], cwd)).get(path) !== start.marks.get(path)
  const what = 'changed after the command had started and before its digest was complete'
  return isChanged ? [`data ${name}: ${path} ${what}; what the command read may be something else`] : []
}

async function holdsNewer(folder: string, since: number, signal: AbortSignal | undefined): Promise<boolean> {
  const { files } = await filesOf(folder, [], signal)
  for (const { full } of files) {
    const facts = await stat(full).catch(() => undefined)
    if (facts !== undefined && facts.mtimeMs > since) return true
  }
  return false
}

const sumOf = (a: KeptInAll = { files: 0, bytes: 0, addedBytes: 0 }, b: Kept): KeptInAll => ({
  files: a.files + b.files,
  bytes: a.bytes + b.bytes,
  addedBytes: a.addedBytes + b.addedBytes,
})
