/**
 * The digest of a folder of data: every file once, those that are unchanged since the last time not at all. Reading is
 * on another thread (`hash-worker.ts`), what is remembered in `hash-cache.ts`.
 */
import { realpath, stat } from 'node:fs/promises'
import { type Digest, sha256 } from '../../core/digest.ts'
import { failed } from '../../core/errors.ts'
import { inOrder, type ListedFile, writeManifest } from './data-manifest.ts'
import { type FoundFile, filesOf } from './folder-files.ts'
import { type HashCache, type Memory, openHashCache, type Remembered } from './hash-cache.ts'
import { type Answer, type FileReader, type Md5Kind, startFileReader } from './hash-worker.ts'

export interface FolderRequest {
  readonly signal?: AbortSignal | undefined
  /** Root of the store that remembers; undefined: every file is read. It is never part of the data. */
  readonly store?: string | undefined
  /** Read every file, and say where the memory was wrong. */
  readonly rehash?: boolean | undefined
  /** Take this digest, too. */
  readonly md5?: Md5Kind | undefined
  readonly progress?: ((done: number, of: number) => void) | undefined
}

export interface HashedFile extends FoundFile {
  readonly sha256: Digest
  readonly size: number
  readonly md5?: string
}

export interface FolderDigest {
  readonly sha256: Digest
  /** Bytes. */
  readonly size: number
  /** In the order of the manifest. */
  readonly files: readonly HashedFile[]
  /** The bytes that `sha256` is of: `data-manifest.ts`. */
  readonly manifest: Buffer
  /** In words: what changed, went away or was not followed. */
  readonly notes: readonly string[]
}

const BATCH = 256

/**
 * @param folder absolute
 * @throws system errors; failed `DATA_UNREADABLE` naming the file; the reason of the signal. What was read until then is
 *   remembered.
 */
export async function hashFolder(folder: string, request: FolderRequest = {}): Promise<FolderDigest> {
  const { store, signal } = request
  const reader = startFileReader(request.md5, signal)
  try {
    const [found, cache] = await Promise.all([
      filesOf(folder, store === undefined ? [] : [store], signal),
      store === undefined ? undefined : cacheOf(store, folder),
    ])
    const memory = (await cache?.load()) ?? new Map<string, Remembered>()
    const work = createWork(folder, request, memory)
    try {
      await readAll(await reader, found.files, work, request)
    } catch (error) {
      // The next attempt goes on from here: what was not looked at is as it was.
      if (signal?.aborted && work.isNew()) await cache?.save(new Map([...memory, ...work.memory]))
      throw error
    }
    if (work.isNew() || work.memory.size !== memory.size) await cache?.save(work.memory)
    return digestOf(inOrder(work.read), [
      ...work.notes(),
      ...told(found.links, 'is a link that was not followed', 'are links that were not followed'),
      ...told(found.others, 'is no regular file and is not part of it', 'are no regular files and no part of it'),
    ])
  } finally {
    void reader.then(({ close }) => close()).catch(() => {})
  }
}

function digestOf(files: readonly HashedFile[], notes: readonly string[]): FolderDigest {
  const manifest = writeManifest(files)
  const size = files.reduce((sum, each) => sum + each.size, 0)
  return { sha256: sha256(manifest), size, files, manifest, notes }
}

/** What is known of each file, before and after it was looked at. */
function createWork(folder: string, { md5, rehash }: FolderRequest, before: Memory) {
  const memory = new Map<string, Remembered>()
  const read: HashedFile[] = []
  const [changed, gone, lies]: [string[], string[], string[]] = [[], [], []]
  let isNew = false
  /** A name that is no text is never remembered. */
  const known = ({ path, raw }: ListedFile): Remembered | undefined =>
    raw === undefined ? before.get(path) : undefined
  const takeHashed = (file: FoundFile, answer: Extract<Answer, { kind: 'hashed' }>): void => {
    const { mark, isSettled, changed: isChanging, size, sha256: digest } = answer
    const old = known(file)
    if (isChanging) changed.push(file.path)
    else if (old?.mark === mark && old.sha256 !== digest) lies.push(file.path)
    read.push({ ...file, size, sha256: digest, ...(answer.md5 === undefined ? {} : { md5: answer.md5 }) })
    if (file.raw !== undefined || !isSettled || isChanging) return
    isNew = true
    memory.set(file.path, {
      mark,
      sha256: digest,
      ...(answer.md5 === undefined ? {} : { md5: `${md5}:${answer.md5}` }),
    })
  }
  return {
    memory,
    read,
    isNew: () => isNew,
    /** Of a file that need not be read when it still has it. */
    mark(file: ListedFile): string | undefined {
      const old = rehash === true ? undefined : known(file)
      return md5 === undefined || old?.md5?.startsWith(`${md5}:`) ? old?.mark : undefined
    },
    take(file: FoundFile, answer: Answer): void {
      const old = known(file)
      if (answer.kind === 'hashed') takeHashed(file, answer)
      else if (answer.kind === 'failed' && answer.code === 'ENOENT') gone.push(file.path)
      else if (answer.kind === 'failed' || old === undefined)
        throw unreadable(folder, file.path, answer.kind === 'failed' ? answer.code : 'no answer')
      else {
        const size = Number(old.mark.slice(0, old.mark.indexOf(',')))
        const md5Of = md5 === undefined ? undefined : old.md5?.slice(md5.length + 1)
        read.push({ ...file, size, sha256: old.sha256, ...(md5Of === undefined ? {} : { md5: md5Of }) })
        memory.set(file.path, old)
      }
    },
    notes: (): string[] => [
      ...told(changed, 'changed while it was read', 'changed while they were read'),
      ...told(gone, 'went away before it was read', 'went away before they were read'),
      ...told(lies, 'was other than the store remembered', 'were other than the store remembered'),
    ],
  }
}

/** Two batches are on their way at any time, so that the thread never waits. */
async function readAll(
  reader: FileReader,
  files: readonly FoundFile[],
  work: ReturnType<typeof createWork>,
  { progress }: FolderRequest,
): Promise<void> {
  let begun: { readonly batch: readonly FoundFile[]; readonly answers: Promise<readonly Answer[]> } | undefined
  const finish = async (at: number): Promise<void> => {
    if (begun === undefined) return
    const { batch } = begun
    const answers = await begun.answers
    for (const [n, file] of batch.entries()) work.take(file, answers[n] ?? { kind: 'failed', code: 'no answer' })
    progress?.(at, files.length)
  }
  for (let at = 0; at < files.length; at += BATCH) {
    const batch = files.slice(at, at + BATCH)
    const answers = reader.ask(batch.map((file) => ({ path: file.full, mark: work.mark(file) })))
    // Whoever gives up on the batch before does not wait for this one.
    answers.catch(() => {})
    await finish(at)
    begun = { batch, answers }
  }
  await finish(files.length)
}

async function cacheOf(store: string, folder: string): Promise<HashCache | undefined> {
  const real = await realpath(folder)
  return openHashCache(store, real, (await stat(real, { bigint: true })).dev)
}

const told = (paths: readonly string[], one: string, many: string): string[] => {
  const [first] = paths
  if (first === undefined) return []
  if (paths.length === 1) return [`${first} ${one}`]
  const names = paths.slice(0, 3).join(', ')
  return [`${paths.length} files ${many}: ${names}${paths.length > 3 ? ', …' : ''}`]
}

const unreadable = (folder: string, path: string, code: string) =>
  failed({
    code: 'DATA_UNREADABLE',
    message: `${path} in ${folder} cannot be read (${code === 'EACCES' ? 'permission denied' : code}).`,
    hint: `Make it readable, or keep it out of the folder: ls -l '${folder}/${path}'`,
  })
