/**
 * What a clean-up does to files: putting objects aside, removing for good what has been aside, taking away leftovers.
 * Every step can be the last one. What is a candidate was decided before, in `gc.ts`.
 */
import type { Digest } from '../core/digest.ts'
import { systemCode } from '../core/errors.ts'
import { objectKey, PURGED, TMP, TRASHED_OBJECTS } from './layout.ts'
import type { LocalBackend } from './local-backend.ts'
import { infoAt, linkOrRename, removeTree, type Trashed } from './trash-objects.ts'

/** Between two fsyncs of the folder in the trash. */
const BATCH = 256

/**
 * Into a folder of this clean-up alone: no other one takes its copies away, and its name says since when they are there.
 * The copy in the trash is durable before the place of the object is given up.
 * @param limit milliseconds since 1970: what somebody needed after it, also this instant, stays
 * @returns what was put aside
 */
export async function sweep(
  backend: LocalBackend,
  id: string,
  candidates: Iterable<Digest>,
  limit: number,
  step: (what: string) => void,
): Promise<Digest[]> {
  const { files } = backend
  const key = `${TRASHED_OBJECTS}/${id}`
  const list = [...candidates]
  if (list.length === 0) return []
  await backend.refuseLinks(key)
  await backend.makeFolder(backend.path(key))
  const swept: Digest[] = []
  for (let at = 0; at < list.length; at += BATCH) {
    const linked: Digest[] = []
    for (const digest of list.slice(at, at + BATCH)) {
      step(objectKey(digest))
      const [from, to] = [backend.path(objectKey(digest)), backend.path(`${key}/${digest}`)]
      const found = infoAt(files, from)
      // Taken by another clean-up, or needed meanwhile.
      if (found === undefined || found.modified > limit) continue
      const how = await linkOrRename(files, from, to).catch(unlessGone)
      if (how === 'linked') linked.push(digest)
      else if (how === 'renamed') swept.push(digest)
    }
    await backend.settleFolder(backend.path(key))
    for (const digest of linked) {
      const [from, to] = [backend.path(objectKey(digest)), backend.path(`${key}/${digest}`)]
      if ((infoAt(files, from)?.modified ?? 0) > limit) await files.unlink(to)
      else {
        await files.unlink(from).catch(unlessGone)
        swept.push(digest)
      }
    }
  }
  return swept
}

/** @param marked what is needed after all stays, should it not have been brought back: the next clean-up does */
export async function removeExpired(
  backend: LocalBackend,
  folders: readonly (readonly [string, readonly Trashed[]])[],
  marked: ReadonlySet<Digest>,
  step: (what: string) => void,
): Promise<Trashed[]> {
  const { files } = backend
  const removed: Trashed[] = []
  for (const [id, list] of folders) {
    for (const trashed of list) {
      step(`${TRASHED_OBJECTS}/${id}`)
      const isNeeded =
        marked.has(trashed.digest) && infoAt(files, backend.path(objectKey(trashed.digest))) === undefined
      if (isNeeded || infoAt(files, trashed.path) === undefined) continue
      await files.unlink(trashed.path).catch(unlessGone)
      removed.push(trashed)
    }
    // Not while anything is in it.
    await files.rmdir(backend.path(`${TRASHED_OBJECTS}/${id}`)).catch(() => {})
  }
  return removed
}

export interface Leftovers {
  /** Keys below the store: files and folders. */
  readonly keys: readonly string[]
  readonly files: number
  readonly bytes: number
}

/** Milliseconds for which nobody has written into a file in `tmp/` that is a leftover. */
const STALE = 24 * 3600e3

/** Of commands that were killed; and of purges, which take away whole folders. */
export async function leftovers(backend: LocalBackend, now: number): Promise<Leftovers> {
  const keys: string[] = []
  let [files, bytes] = [0, 0]
  for (const folder of [TMP, PURGED]) {
    for (const { name } of await backend.list(folder)) {
      const found = await extent(backend, `${folder}/${name}`)
      if (found === undefined || (folder === TMP && now - found.newest < STALE)) continue
      keys.push(`${folder}/${name}`)
      files += found.files
      bytes += found.bytes
    }
  }
  return { keys, files, bytes }
}

export async function removeLeftovers(backend: LocalBackend, found: Leftovers): Promise<Leftovers> {
  for (const key of found.keys) {
    const path = backend.path(key)
    if (infoAt(backend.files, path)?.kind === 'folder') await removeTree(backend.files, path)
    else await backend.files.unlink(path).catch(unlessGone)
  }
  return found
}

async function extent(
  backend: LocalBackend,
  key: string,
): Promise<{ files: number; bytes: number; newest: number } | undefined> {
  const info = infoAt(backend.files, backend.path(key))
  if (info === undefined) return undefined
  if (info.kind !== 'folder') return { files: 1, bytes: info.size, newest: info.modified }
  let [files, bytes, newest] = [0, 0, info.modified]
  for (const { name } of await backend.list(key)) {
    const inner = await extent(backend, `${key}/${name}`)
    files += inner?.files ?? 0
    bytes += inner?.bytes ?? 0
    newest = Math.max(newest, inner?.newest ?? 0)
  }
  return { files, bytes, newest }
}

function unlessGone(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error
}
