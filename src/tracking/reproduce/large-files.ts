/**
 * Files that Git LFS keeps. Its filter is not run, for that may ask the network; the commit holds the digest of each file,
 * and by it the bytes are found where Git LFS or the checkout has them. Reads only, but for `putLargeFiles`.
 */
import { constants } from 'node:fs'
import { copyFile, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { sha256File } from '../../core/digest.ts'
import { failed } from '../../core/errors.ts'
import type { Git } from './git.ts'
import type { LargeFile } from './types.ts'

const POINTER = 'version https://git-lfs.github.com/spec/v1'
const MOST = 2_000

/** @param top absolute top folder of the user's repository */
export async function findLargeFiles(git: Git, top: string, commit: string): Promise<LargeFile[]> {
  // One question for the many repositories that have none.
  const asked = await git.attempt(['grep', '-q', '-F', 'filter=lfs', commit, '--', ':(glob)**/.gitattributes'])
  if (asked.code !== 0) return []
  const listed = await git.attempt(['grep', '-l', '-z', '-F', '--max-count=1', POINTER, commit])
  const common = resolve(top, (await git.attempt(['rev-parse', '--git-common-dir'])).stdout.trim())
  const found: LargeFile[] = []
  for (const name of listed.stdout.split('\0').slice(0, MOST)) {
    const path = name.slice(name.indexOf(':') + 1)
    const text = path === '' ? '' : (await git.attempt(['cat-file', 'blob', `${commit}:${path}`])).stdout
    const sha256 = text.startsWith(POINTER) ? /^oid sha256:([0-9a-f]{64})$/m.exec(text)?.[1] : undefined
    if (sha256 !== undefined) found.push({ path, sha256, source: await sourceOf(common, top, path, sha256) })
  }
  return found
}

async function sourceOf(common: string, top: string, path: string, digest: string): Promise<string | null> {
  const kept = join(common, 'lfs', 'objects', digest.slice(0, 2), digest.slice(2, 4), digest)
  for (const place of [kept, join(top, path)]) {
    if (!(await stat(place).catch(() => undefined))?.isFile()) continue
    if ((await sha256File(place)).sha256 === digest) return place
  }
  return null
}

/** @throws failed `LARGE_FILE_CHANGED` when the bytes are no longer those that were found */
export async function putLargeFiles(files: readonly LargeFile[], mirror: string): Promise<void> {
  for (const { path, sha256, source } of files) {
    if (source === null) continue
    const target = join(mirror, path)
    await rm(target, { force: true })
    await copyFile(source, target, constants.COPYFILE_FICLONE)
    if ((await sha256File(target)).sha256 === sha256) continue
    throw failed({
      code: 'LARGE_FILE_CHANGED',
      message: `${path}, which Git LFS keeps, changed while it was copied.`,
      hint: `Bring it again: git lfs pull --include ${path}`,
    })
  }
}
