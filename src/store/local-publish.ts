/**
 * How bytes appear in a folder: whole, durable, and only where nothing was (docs/store-format.md, "Two primitives").
 *
 *   fsync the temporary file -> chmod 0444 -> link() it to its place -> unlink it -> fsync the folder and new parents
 *
 * link() is the one call that creates a name only if it is absent and never shows half a file. A disk without hard
 * links (exFAT, some network mounts) takes the way of `claimPlace`.
 */
import { randomBytes } from 'node:crypto'
import { basename, dirname } from 'node:path'
import { systemCode } from '../core/errors.ts'
import type { Files } from './files.ts'
import { QUARANTINE } from './layout.ts'

/** What this protocol needs of the folder. */
export interface Place {
  readonly files: Files
  /** An unused absolute path under `tmp/`. */
  temporary(): string
  path(key: string): string
  makeFolder(folder: string): Promise<void>
  /** The folder turned out not to be there: what was known about it holds no longer. */
  forgetFolder(folder: string): void
  settleFolder(folder: string): Promise<void>
}

export const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'ENOSYS', 'EMLINK']

/**
 * Everything but the last step, the fsync of the folders, which the caller does.
 *
 * @param temporary a closed file whose bytes are durable; gone afterwards, whatever happens
 * @param addressed the name says the content, so that a rename over it changes nothing
 * @param over rename over it: then the file is a new one, and ours
 * @returns false when something was at `target` already
 */
export async function publish(
  place: Place,
  temporary: string,
  target: string,
  addressed: boolean,
  over = false,
): Promise<boolean> {
  const { files } = place
  let published = true
  try {
    await files.chmod(temporary, 0o444)
    await place.makeFolder(dirname(target))
    try {
      if (over) await files.rename(temporary, target)
      else await linkInto(place, temporary, target)
    } catch (error) {
      const code = systemCode(error) ?? ''
      if (code === 'EEXIST') published = false
      else if (!NO_LINKS.includes(code)) throw error
      else if (addressed) await files.rename(temporary, target)
      else published = await claimPlace(place, temporary, target)
    }
  } finally {
    // A leftover is harmless, and failing after the link would deny what has happened.
    await files.unlink(temporary).catch(() => {})
  }
  return published
}

/** A long run may outlive a folder that a clean-up took because it was empty. */
async function linkInto(place: Place, temporary: string, target: string): Promise<void> {
  try {
    await place.files.link(temporary, target)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    place.forgetFolder(dirname(target))
    await place.makeFolder(dirname(target))
    await place.files.link(temporary, target)
  }
}

/**
 * Put-if-absent with rename alone. A folder cannot be renamed onto one that is not empty, so the first to rename its
 * `<target>.claim/` there has won for ever; whoever meets a claim whose file is still missing copies it into place, so
 * that a winner who died blocks nobody.
 */
async function claimPlace(place: Place, temporary: string, target: string): Promise<boolean> {
  const { files } = place
  if (exists(files, target)) return false
  const mine = place.temporary()
  const claim = `${target}.claim`
  let won = true
  await files.mkdir(mine)
  await files.rename(temporary, `${mine}/bytes`)
  await files.fsyncFolder(mine)
  try {
    await files.rename(mine, claim)
  } catch (error) {
    await files.unlink(`${mine}/bytes`).catch(() => {})
    await files.rmdir(mine).catch(() => {})
    if (!['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) throw error
    won = false
  }
  await place.settleFolder(dirname(target))
  if (!exists(files, target)) await copyIntoPlace(place, `${claim}/bytes`, target)
  return won
}

async function copyIntoPlace(place: Place, from: string, target: string): Promise<void> {
  const { files } = place
  const copy = place.temporary()
  const bytes = files.readFile(from)
  const fd = await files.open(copy, 'wx', 0o644)
  try {
    for (let done = 0; done < bytes.length; ) done += await files.write(fd, bytes.subarray(done))
    await files.fsync(fd)
  } finally {
    await files.close(fd)
  }
  await files.chmod(copy, 0o444)
  await files.rename(copy, target)
}

/** Keeps the damaged file under `quarantine/` and renames the whole one over it: at no instant is there none. */
export async function replaceDamaged(place: Place, temporary: string, key: string): Promise<void> {
  const { files } = place
  const target = place.path(key)
  try {
    await files.chmod(temporary, 0o444)
    const kept = place.path(
      `${QUARANTINE}/${basename(dirname(target))}${basename(target)}-${randomBytes(4).toString('hex')}`,
    )
    await place.makeFolder(dirname(kept))
    // Without hard links the damaged bytes are given up; they were worth nothing but curiosity.
    await files.link(target, kept).catch(() => {})
    await files.rename(temporary, target)
  } finally {
    await files.unlink(temporary).catch(() => {})
  }
}

function exists(files: Files, path: string): boolean {
  try {
    files.info(path)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}
