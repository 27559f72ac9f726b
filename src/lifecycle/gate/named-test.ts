/**
 * A test set that was named with `--test`: is it there, and is it the one that the version was measured on? Whether the
 * champion is scored on it is decided in `rescore.ts`, which may not need it at all; what was named is never passed over
 * in silence.
 */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Context } from '../../core/context.ts'
import { notFound, systemCode } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import type { Manifest } from '../../store/manifest.ts'
import { hashDeclaredData } from '../../tracking/capture/declared-data.ts'
import { isTestLogged, otherTest, testHash } from './test-set.ts'

/**
 * Warns where the file cannot be, or is not, the test set of the version.
 * @param path as the user wrote it, relative to where they stand
 * @throws notFound `FILE_NOT_FOUND`
 */
export async function checkNamedTest(ctx: Context, manifest: Manifest, version: number, path: string): Promise<void> {
  await assertThere(ctx, path)
  const doubt = await doubtOf(ctx, manifest, version, path)
  if (doubt !== undefined) ctx.warn(doubt)
}

async function assertThere({ cwd }: Context, path: string): Promise<void> {
  try {
    await stat(resolve(cwd, path))
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    const why = code === 'ENOENT' ? `there is no such file in ${cwd}` : `it cannot be read (${code})`
    throw notFound({
      code: 'FILE_NOT_FOUND',
      message: `--test ${path}: ${why}.`,
      hint: 'Check the path; it is relative to where you stand',
      cause: error,
    })
  }
}

async function doubtOf(ctx: Context, manifest: Manifest, version: number, path: string): Promise<string | undefined> {
  const name = versionName(manifest.model, version)
  const wanted = testHash(manifest)
  const again = `register it again with --test ${path}`
  if (wanted === undefined) return `--test ${path} is not used: ${name} records no test set; ${again}`
  if (isTestLogged(manifest)) {
    return `--test ${path} is not used: the test set of ${name} is known by the rows that its script logged with log_test, and a file cannot be compared with them; ${again}`
  }
  ctx.progress?.(`hashing ${path}`)
  const found = await hashDeclaredData({ name: 'test', path }, ctx.cwd, ctx.signal)
  return found.sha256 === wanted ? undefined : `--test ${path} is not used: ${otherTest('it', version)}`
}
