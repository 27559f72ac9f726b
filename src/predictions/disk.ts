/**
 * Writing into a log kept in files: folders and files with the modes of docs/prediction-log.md, section 3. The only
 * place of this room that creates, renames or deletes. When that happens is decided in `label.ts`, `compact.ts` and `prune.ts`.
 */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { failed, isMlopsError, systemCode } from '../core/errors.ts'

/** A name that readers do not look at. */
export const hiddenName = (purpose: string): string => `.${purpose}-${randomBytes(8).toString('hex')}`

/** Of one process and one purpose, unlike all others (docs/prediction-log.md, section 3). */
export const writerName = (): string => `mlops-${randomBytes(8).toString('hex')}`

/** Does a team with different user ids write here? Asked of the nearest folder that exists. */
function isSharedPlace(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    const info = statSync(at, { throwIfNoEntry: false })
    if (info !== undefined) return (info.mode & 0o2020) === 0o2020
    if (at === dirname(at)) return false
  }
}

export function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  const parent = dirname(folder)
  makeFolder(parent)
  if (!isSharedPlace(parent)) {
    mkdirSync(folder, { recursive: true, mode: 0o750 })
    return
  }
  // Writable for the group from its first instant on.
  const temporary = join(parent, hiddenName('new'))
  mkdirSync(temporary)
  chmodSync(temporary, 0o2770)
  try {
    renameSync(temporary, folder)
  } catch (error) {
    rmdirSync(temporary)
    if (!existsSync(folder)) throw error
  }
}

/** Writes a new file and syncs it and its folder. @throws what `wx` throws when there is one */
export function writeNew(path: string, pieces: Iterable<Uint8Array | string>): void {
  const shared = isSharedPlace(dirname(path))
  const fd = openSync(path, 'ax', 0o640)
  try {
    if (shared) chmodSync(path, 0o660)
    for (const piece of pieces) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
    }
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

export function syncFile(path: string): void {
  const fd = openSync(path, 'r+')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Some file systems cannot: then there is nothing to be done. */
export function syncFolder(folder: string): void {
  try {
    const fd = openSync(folder, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EISDIR', 'EPERM'].includes(systemCode(error) ?? '')) throw error
  }
}

/** @returns false when another folder that is not empty has the name already */
export function renameFolder(from: string, to: string): boolean {
  try {
    renameSync(from, to)
    return true
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) return false
    throw error
  }
}

export const removeFolder = (folder: string): void => rmSync(folder, { recursive: true, force: true })
export const removeFile = (path: string): void => rmSync(path, { force: true })

/** Hidden folders that a killed compaction or pruning left behind more than a day ago. */
export function removeLeftovers(modelFolder: string, now: number): void {
  if (!existsSync(modelFolder)) return
  for (const name of readdirSync(modelFolder)) {
    if (!/^\.(?:compacting|pruned|new)-/.test(name)) continue
    const path = join(modelFolder, name)
    const info = statSync(path, { throwIfNoEntry: false })
    if (name.startsWith('.pruned-') || (info !== undefined && now - info.mtimeMs > 864e5)) removeFolder(path)
  }
}

/** System errors in our words. @param what `label the predictions` */
export async function onDisk<T>(folder: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = systemCode(error) ?? codeOfDuck(error)
    if (isMlopsError(error) || code === undefined) throw error
    const full = code === 'ENOSPC' || code === 'EDQUOT'
    throw failed({
      code: full ? 'PREDICTIONS_FULL' : 'PREDICTIONS_NOT_WRITTEN',
      message: `mlops cannot ${what} in ${folder}: ${full ? 'the disk is full' : `${code} at ${String((error as NodeJS.ErrnoException).path ?? folder)}`}. Nothing is lost.`,
      hint: full ? 'Free space, for example: mlops predictions prune' : `Check who may write there: ls -ld ${folder}`,
      cause: error,
    })
  }
}

/** DuckDB writes a file of its own, and has only words for what the system said. */
const codeOfDuck = (error: unknown): string | undefined =>
  /No space left on device|Disk quota exceeded/.test(error instanceof Error ? error.message : '') ? 'ENOSPC' : undefined
