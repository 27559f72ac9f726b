/**
 * Objects that a clean-up put aside: `trash/objects/<ulid of the clean-up>/<digest>`. Until they are removed for good
 * they are still of the store: they are read from here, and whoever needs one brings it back. What is put aside, and
 * when it is removed, is decided in `gc*.ts`.
 */
import { dirname } from 'node:path'
import { type Digest, isDigest } from '../core/digest.ts'
import { systemCode } from '../core/errors.ts'
import { isUlid, ulidTime } from '../core/ulid.ts'
import type { Files } from './files.ts'
import { digestOfKey, objectKey, TRASHED_OBJECTS } from './layout.ts'
import { NO_LINKS, type Place } from './local-publish.ts'

export interface Trashed {
  readonly digest: Digest
  /** Absolute. */
  readonly path: string
  readonly size: number
  /** Milliseconds: when it was put aside, by the clock of the disk. */
  readonly since: number
}

/** Absolute path of the object, in whichever folder of the trash it is; undefined when it is in none. */
export function asideOf(place: Pick<Place, 'files' | 'path'>, digest: Digest): string | undefined {
  for (const sweep of sweeps(place)) {
    const path = place.path(`${TRASHED_OBJECTS}/${sweep}/${digest}`)
    if (kindAt(place.files, path) === 'file') return path
  }
  return undefined
}

/** Everything that is aside, by the folder it is in. */
export function aside(place: Pick<Place, 'files' | 'path'>): Map<string, Trashed[]> {
  const found = new Map<string, Trashed[]>()
  for (const sweep of sweeps(place)) {
    const folder = place.path(`${TRASHED_OBJECTS}/${sweep}`)
    // The later of the two: a clean-up may have taken long, or the clock of its machine been wrong.
    const since = Math.max(ulidTime(sweep), infoAt(place.files, folder)?.modified ?? 0)
    const list: Trashed[] = []
    for (const { name, kind } of listed(place.files, folder)) {
      if (kind !== 'file' || !isDigest(name)) continue
      const size = sizeAt(place.files, `${folder}/${name}`)
      if (size !== undefined) list.push({ digest: name, path: `${folder}/${name}`, size, since })
    }
    found.set(sweep, list)
  }
  return found
}

/**
 * @returns false when it is not in the trash. Where it is in the store as well, that one stays: it may be newer
 */
export async function bringBack(place: Place, digest: Digest, now: Date): Promise<boolean> {
  const { files } = place
  const target = place.path(objectKey(digest))
  const path = asideOf(place, digest)
  if (path === undefined) return kindAt(files, target) !== undefined
  try {
    // So that no clean-up that looks now takes it again. In a shared store it may be another member's file.
    await files.touch(path, now).catch(() => {})
    place.forgetFolder(dirname(target))
    await place.makeFolder(dirname(target))
    await linkOrRename(files, path, target)
  } catch (error) {
    const code = systemCode(error)
    // Somebody else has brought it back, or stored it anew, this instant.
    if (code !== 'EEXIST' && code !== 'ENOENT') throw error
  }
  if (kindAt(files, target) === undefined) return false
  await place.settleFolder(dirname(target))
  await files.unlink(path).catch(() => {})
  return true
}

/** Milliseconds for which an object counts as needed lately without being told so again; shorter than any grace. */
const LATELY = 12 * 3600e3

/** As `Backend.keep`. */
export async function keepObject(place: Place, key: string): Promise<'kept' | 'foreign' | 'absent'> {
  const { files } = place
  const digest = digestOfKey(key)
  const now = await recentDiskTime(place)
  const there = infoAt(files, place.path(key))
  if (there !== undefined) {
    try {
      await files.touch(place.path(key), now)
      return 'kept'
    } catch (error) {
      const code = systemCode(error) ?? ''
      if (code === 'EPERM' || code === 'EACCES') return now.getTime() - there.modified < LATELY ? 'kept' : 'foreign'
      // Put aside this instant.
      if (code !== 'ENOENT') throw error
    }
  }
  return digest !== undefined && (await bringBack(place, digest, now)) ? 'kept' : 'absent'
}

/** What the disk takes for now: files of many machines lie on it, and their clocks need not agree. */
export async function diskTime(place: Place): Promise<Date> {
  const { files } = place
  const path = place.temporary()
  const fd = await files.open(path, 'wx')
  try {
    await files.close(fd)
    return new Date(files.info(path).modified)
  } finally {
    await files.unlink(path).catch(() => {})
  }
}

const measured = new WeakMap<object, { readonly disk: number; readonly at: number }>()
/** Milliseconds for which a look at the clock of the disk is good: a folder of 70,000 files is kept at once. */
const GOOD_FOR = 10_000

async function recentDiskTime(place: Place): Promise<Date> {
  const known = measured.get(place)
  const passed = performance.now() - (known?.at ?? Number.NEGATIVE_INFINITY)
  if (known !== undefined && passed < GOOD_FOR) return new Date(known.disk + passed)
  const disk = await diskTime(place)
  measured.set(place, { disk: disk.getTime(), at: performance.now() })
  return disk
}

/** Links are taken away, and not followed. What somebody else takes away meanwhile is no matter. */
export async function removeTree(files: Files, folder: string): Promise<void> {
  for (const { name, kind } of listed(files, folder)) {
    if (kind === 'folder') await removeTree(files, `${folder}/${name}`)
    else await files.unlink(`${folder}/${name}`).catch(unlessAbsent)
  }
  await files.rmdir(folder).catch(unlessAbsent)
}

function unlessAbsent(error: unknown): void {
  if (!isAbsent(error)) throw error
}

/** A link first, so that there is no instant, and no power cut, after which it is in neither place. */
export async function linkOrRename(files: Files, from: string, to: string): Promise<'linked' | 'renamed'> {
  try {
    await files.link(from, to)
    return 'linked'
  } catch (error) {
    // Some disks have no links, and no system lets one link a file of another user.
    if (![...NO_LINKS, 'EACCES'].includes(systemCode(error) ?? '')) throw error
    await files.rename(from, to)
    return 'renamed'
  }
}

function sweeps(place: Pick<Place, 'files' | 'path'>): string[] {
  const folders = listed(place.files, place.path(TRASHED_OBJECTS))
  return folders.filter(({ name, kind }) => kind === 'folder' && isUlid(name)).map(({ name }) => name)
}

function listed(files: Files, folder: string): ReturnType<Files['list']> {
  try {
    return files.list(folder)
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

export function kindAt(files: Files, path: string): ReturnType<Files['info']>['kind'] | undefined {
  return infoAt(files, path)?.kind
}

const sizeAt = (files: Files, path: string): number | undefined => infoAt(files, path)?.size

export function infoAt(files: Files, path: string): ReturnType<Files['info']> | undefined {
  try {
    return files.info(path)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')
