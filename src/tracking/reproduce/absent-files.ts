/**
 * What the user's checkout holds and the worktree does not: no commit holds it, and the run did not declare it. A script
 * that finds its data with a pattern fails without naming a file. Reads only.
 */
import { existsSync, lstatSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { Context } from '../../core/context.ts'
import { gitIn } from './git.ts'
import type { Tree } from './tree.ts'

/** Caches, environments and stores: no training reads them. */
const NOISE =
  /(?:^|\/)(?:\.git|\.mlops|\.?venv[^/]*|__pycache__|node_modules|\.cache|\.(?:pytest|mypy|ruff)_cache|\.tox|\.nox|\.ipynb_checkpoints|\.idea|\.vscode|\.DS_Store|\.dvc|mlruns|wandb|[^/]*\.(?:pyc|egg-info|swp))(?:\/|$)/

/**
 * @param since milliseconds: files that were written later are what runs wrote, and no run could have read them before
 * @returns relative to the folder of the run, `/` at the end of folders; what `words` name first, then folders
 */
export async function absentFiles(ctx: Context, tree: Tree, words: string, since: number): Promise<string[]> {
  const git = gitIn(tree.top, ctx.env, ctx.signal)
  const asked = ['status', '--porcelain=v1', '-z', '--ignored=matching', '--untracked-files=normal', '--no-renames']
  const { code, stdout } = await git.attempt(asked)
  if (code !== 0) return []
  const found = stdout
    .split('\0')
    .filter((record) => /^(?:!!|\?\?) /.test(record))
    .map((record) => record.slice(3))
    .filter((path) => !NOISE.test(path) && !existsSync(join(tree.mirror, path)))
    .filter((path) => path.endsWith('/') || !isWrittenSince(join(tree.top, path), since))
    .map((path) => relative(tree.from, resolve(tree.top, path)).split('\\').join('/') + (path.endsWith('/') ? '/' : ''))
    .filter((path) => !path.startsWith('../') && path !== '')
  const isNamed = (path: string): boolean => words.includes(path.replace(/\/$/, '').replace(/^.*\//, ''))
  const rank = (path: string): number => (isNamed(path) ? 0 : path.endsWith('/') ? 1 : 2)
  return found.sort((a, b) => rank(a) - rank(b))
}

const isWrittenSince = (path: string, since: number): boolean =>
  (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= since
