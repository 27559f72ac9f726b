/**
 * Can the disk under the store be relied on? Tries in the store's `tmp/` what every commit needs (docs/store-format.md),
 * and leaves nothing there. What the answers mean for a person is in `src/doctor/`.
 */
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../core/errors.ts'

export interface DiskFacts {
  /** False: it cannot be written here, so the rest was not tried. */
  readonly writable: boolean
  /** `link()` works, and refuses a name that is taken: what makes two writers exclude each other. */
  readonly exclusiveLinks: boolean
  /** `fsync` of a file and of a folder works. */
  readonly syncs: boolean
  /** Milliseconds that the disk's clock is ahead of this machine's; negative where it is behind. */
  readonly clockAhead: number | null
  /** `nfs`, `tmpfs`, … where it is a kind that matters. */
  readonly kind: string | null
  readonly freeBytes: number
}

/** `f_type` of statfs(2). */
const KINDS: Readonly<Record<number, string>> = {
  26985: 'nfs',
  4283649346: 'cifs',
  4266872130: 'smb2',
  20859: 'smb',
  16914836: 'tmpfs',
  2240043254: 'ramfs',
  1702057286: 'fuse',
  19993: 'msdos',
}

export async function probeDisk(root: string, now: () => number): Promise<DiskFacts> {
  const facts = await statfs(root)
  const base = { kind: KINDS[facts.type] ?? null, freeBytes: facts.bavail * facts.bsize }
  const name = `doctor-${randomBytes(8).toString('hex')}`
  const first = join(root, 'tmp', name)
  const second = `${first}.link`
  try {
    await mkdir(join(root, 'tmp'), { recursive: true })
    const before = now()
    const syncs = await writeSynced(first, join(root, 'tmp'))
    const { mtimeMs } = await stat(first)
    const after = now()
    // Written between the two looks at our clock: only what lies outside of them is a difference.
    const clockAhead = mtimeMs > after ? mtimeMs - after : mtimeMs < before ? mtimeMs - before : 0
    return { ...base, writable: true, syncs, clockAhead, exclusiveLinks: await linksExclude(first, second) }
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return { ...base, writable: false, exclusiveLinks: false, syncs: false, clockAhead: null }
  } finally {
    await Promise.all([first, second].map((path) => rm(path, { force: true }).catch(() => undefined)))
  }
}

async function writeSynced(path: string, folder: string): Promise<boolean> {
  const file = await open(path, 'wx')
  try {
    await file.writeFile('doctor')
    await file.sync()
  } finally {
    await file.close()
  }
  try {
    const directory = await open(folder, 'r')
    await directory.sync().finally(() => directory.close())
    return true
  } catch {
    return false
  }
}

async function linksExclude(first: string, second: string): Promise<boolean> {
  try {
    await link(first, second)
  } catch {
    return false
  }
  try {
    await link(first, second)
    return false
  } catch (error) {
    return systemCode(error) === 'EEXIST'
  }
}
