/** Under which names there are prediction logs, whether there is such a model or not. */
import { type Dirent, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isMlopsError, systemCode } from '../core/errors.ts'
import type { Project } from '../project/config.ts'
import { type LogContext, logHome } from './home.ts'

/** Any name: those that have a place of their own in mlops.yaml are models. */
const SOME_NAME = 'x'

/**
 * Of the home that logs have without a place of their own; folders alone are listed. None where that is a database or
 * cannot be listed.
 */
export function loggedNames(
  ctx: Pick<LogContext, 'cwd' | 'env'>,
  project: Project,
  store: { readonly root: string },
): string[] {
  try {
    const home = logHome(ctx, { ...project, storeRoot: store.root }, SOME_NAME)
    if (home.kind !== 'files') return []
    return foldersIn(home.home)
      .filter((name) => foldersIn(join(home.home, name)).some((day) => day.startsWith('date=')))
      .sort()
  } catch (error) {
    if (isMlopsError(error) || systemCode(error) !== undefined) return []
    throw error
  }
}

const foldersIn = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry: Dirent) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
