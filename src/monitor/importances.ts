/** Where the importances of a check come from: a file that is named, else one of the version's own. */
import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Context } from '../core/context.ts'
import { failed, MlopsError, notFound, systemCode, usage } from '../core/errors.ts'
import { type Importances, importancesFile, parseImportances } from '../drift/importances.ts'
import type { Store } from '../store/store.ts'
import type { Subject } from './subject.ts'

/** `--importances FILE`, else a file of importances among those of the version. */
export async function importancesOf(
  ctx: Context,
  store: Store,
  { manifest }: Subject,
  given: string | undefined,
): Promise<{ readonly values: Importances } | undefined> {
  if (given !== undefined) return { values: parseImportances(await textOf(resolve(ctx.cwd, given), given), given) }
  const path = importancesFile(manifest.files.map((file) => file.path))
  const file = manifest.files.find((each) => each.path === path)
  if (path === undefined || file === undefined) return undefined
  try {
    const bytes = await store.objects.read(file.sha256)
    return { values: parseImportances(bytes.toString('utf8'), basename(path)) }
  } catch (error) {
    if (!(error instanceof MlopsError)) throw error
    // The order of the columns is no reason to have no check.
    ctx.warn(`The importances of the version were not used: ${error.message}`)
    return undefined
  }
}

async function textOf(path: string, name: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    const hint = 'Check the path; it is relative to where you stand'
    if (code === 'ENOENT') throw notFound({ code: 'IMPORTANCES_NOT_FOUND', message: `There is no file ${name}.`, hint })
    if (code === 'EISDIR') throw usage({ code: 'IMPORTANCES_INVALID', message: `${name} is a folder.`, hint })
    throw failed({ code: 'IMPORTANCES_UNREADABLE', message: `${name} cannot be read (${code}).`, hint, cause: error })
  }
}
