/** What the data of a trigger is as it is now: the digests by which a version may know it. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Context } from '../core/context.ts'
import type { Digest } from '../core/digest.ts'
import { isMlopsError, notFound } from '../core/errors.ts'
import { digestFile, digestOfMany } from '../data/hash.ts'
import { locate } from '../data/locate.ts'
import { hashDeclaredData } from '../tracking/capture/declared-data.ts'

/**
 * A file, a folder or a pattern, relative to `cwd`. A folder may be known by two: that of its data files, as a baseline
 * is, and that of all its files, as `--data` of a run is.
 * @throws notFound `DATA_NOT_FOUND`; failed `DATA_UNREADABLE`, `DATA_EMPTY`
 */
export async function identitiesOf(ctx: Context, word: string, cwd: string): Promise<readonly Digest[]> {
  const { isMany, files } = await locate(word, cwd).catch((error: unknown) => {
    if (!isMlopsError(error) || error.code !== 'DATA_NOT_FOUND') throw error
    const hint = `The path stands in the policy under trigger.data, relative to mlops.yaml. ${error.hint ?? ''}`.trim()
    throw notFound({ code: error.code, message: error.message, hint, cause: error })
  })
  const parts: { label: string; sha256: Digest }[] = []
  for (const { path, label } of files) parts.push({ label, sha256: await digestFile(path, label, ctx.signal) })
  const [only] = parts
  if (!isMany && only !== undefined) return [only.sha256]
  const own = digestOfMany(parts)
  const isFolder = await stat(resolve(cwd, word)).then(
    (facts) => facts.isDirectory(),
    () => false,
  )
  if (!isFolder) return [own]
  const { sha256 } = await hashDeclaredData({ name: 'data', path: word }, cwd, ctx.signal)
  return own === sha256 ? [own] : [own, sha256]
}
