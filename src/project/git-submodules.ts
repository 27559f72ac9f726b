/** Which submodules a repository has, by its `.gitmodules`. What is checked out in them is asked in `git.ts`. */
import { lstat, realpath } from 'node:fs/promises'
import { isAbsolute, join, normalize } from 'node:path'
import { redact } from '../core/redact.ts'
import type { Git } from './git-run.ts'

export interface Submodule {
  /** Relative to the top of the repository, `/`-separated. */
  readonly path: string
  /** As .gitmodules says, user-info removed. */
  readonly url: string | null
  /** Something is checked out there. */
  readonly isInitialised: boolean
}

/** More than that are a sign of something else. */
export const MAX_SUBMODULES = 200

/** @param top absolute. What points out of the repository is none of its submodules. */
export async function submodulesOf(git: Git, top: string): Promise<Submodule[]> {
  const file = join(top, '.gitmodules')
  if (!(await lstat(file).catch(() => undefined))?.isFile()) return []
  const text = await git(['config', '-z', '--file', file, '--get-regexp', '^submodule\\..*\\.(path|url)$']).catch(
    () => '',
  )
  const byName = new Map<string, { path?: string; url?: string }>()
  for (const record of text.split('\0')) {
    const [, name = '', key, value] = /^submodule\.([\s\S]*)\.(path|url)\n([\s\S]*)$/.exec(record) ?? []
    if (key === undefined) continue
    byName.set(name, { ...byName.get(name), [key]: value })
  }
  const found: Submodule[] = []
  for (const { path = '', url } of [...byName.values()].slice(0, MAX_SUBMODULES)) {
    const clean = normalize(path).replace(/\/+$/, '')
    if (path === '' || isAbsolute(path) || clean === '.' || /^\.\.(?:\/|$)/.test(clean)) continue
    const isInitialised = await isCheckout(top, clean)
    found.push({ path: clean, url: url === undefined ? null : redact(url).text, isInitialised })
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function isCheckout(top: string, path: string): Promise<boolean> {
  const full = join(top, path)
  if ((await lstat(join(full, '.git')).catch(() => undefined)) === undefined) return false
  // A link instead of the folder leads to something else.
  return (await realpath(full)) === join(await realpath(top), path)
}
