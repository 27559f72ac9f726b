/**
 * Symbolic links of the recorded code that lead out of the worktree: what the command writes through them lands in files of
 * the user's. Those of the commit and of the patch are known while planning; in the worktree they are followed to
 * their ends. Reads only.
 */
import { readdir, readlink, realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, normalize } from 'node:path'
import { usage } from '../../core/errors.ts'
import { shortened } from '../../core/shortened.ts'
import { isIn } from './find-data.ts'
import { isThere } from './folder-digest.ts'
import type { Git } from './git.ts'

export interface OutsideLink {
  /** Relative to the top of the repository. */
  readonly path: string
  readonly target: string
}

/** The folders between a worktree and the workshop that it lies in: nothing of the user's is there. */
const OWN_FOLDERS = 2

/** Of more the worktree tells. */
const MOST = 500

/** As the words of the links say; a link through a link is found in the worktree. @param prefix of a submodule */
export async function linksOfCommit(git: Git, commit: string, prefix = ''): Promise<OutsideLink[]> {
  const listed = await git.attempt(['ls-tree', '-r', '-z', '--full-tree', commit])
  const found: OutsideLink[] = []
  const links = listed.stdout.split('\0').filter((record) => record.startsWith('120000 '))
  for (const record of links.slice(0, MOST)) {
    const [, blob, path] = /^120000 blob ([0-9a-f]+)\t([\s\S]+)$/.exec(record) ?? []
    if (blob === undefined || path === undefined) continue
    const target = (await git.attempt(['cat-file', 'blob', blob])).stdout
    if (leadsOut(path, target)) found.push({ path: `${prefix}${path}`, target })
  }
  return found
}

/** @param patch as recorded; its new and changed links */
export function linksOfPatch(patch: Buffer | null): OutsideLink[] {
  if (patch === null) return []
  return patch
    .toString('utf8')
    .split(/^(?=diff --git )/m)
    .flatMap((section) => {
      if (!/^(?:new file mode 120000|new mode 120000|index \S+ 120000)$/m.test(section)) return []
      const path = /^\+\+\+ "?b\/(.*?)"?\t?$/m.exec(section)?.[1]
      const target = /^\+(?!\+\+ )(.*)$/m.exec(section)?.[1]
      return path === undefined || target === undefined || !leadsOut(path, target) ? [] : [{ path, target }]
    })
}

function leadsOut(path: string, target: string): boolean {
  if (isAbsolute(target)) return true
  const parts = normalize(join(dirname(path), target)).split('/')
  return parts.filter((part) => part === '..').length > OWN_FOLDERS
}

/** Every link of the worktree, followed to its end. @param workshop absolute folder that none may leave */
export async function linksOfTree(tree: string, workshop: string): Promise<OutsideLink[]> {
  const found: OutsideLink[] = []
  const home = await realpath(workshop)
  for (const entry of await readdir(tree, { withFileTypes: true, recursive: true })) {
    if (!entry.isSymbolicLink()) continue
    const path = join(entry.parentPath, entry.name)
    const inside = path.slice(tree.length + 1)
    if (inside.split('/').includes('.git')) continue
    if (!isIn(home, await endOf(path))) found.push({ path: inside, target: await readlink(path) })
  }
  return found
}

/** Where a file would come to lie that is written to `path`, which need not be there. */
export async function endOf(path: string, hops = 40): Promise<string> {
  const real = await realpath(path).catch(() => undefined)
  if (real !== undefined || dirname(path) === path) return real ?? path
  const folder = await endOf(dirname(path), hops)
  const target = hops > 0 ? await readlink(join(folder, basename(path))).catch(() => undefined) : undefined
  return target === undefined ? join(folder, basename(path)) : await followed(folder, target, hops - 1)
}

/** Part by part, as the kernel does: `..` after a link is above what the link leads to. */
async function followed(from: string, target: string, hops: number): Promise<string> {
  let here = isAbsolute(target) ? '/' : from
  for (const part of target.split('/')) {
    if (part === '..') here = dirname(here)
    else if (part !== '' && part !== '.') here = await endOf(join(here, part), hops)
  }
  return here
}

/** Would a folder made at `path` lie in `home`? */
export async function staysIn(home: string, path: string): Promise<boolean> {
  return (await isThere(home)) && isIn(await realpath(home), await endOf(path))
}

/** @throws usage `LINKS_LEAD_OUT` */
export function assertNoneOutside(links: readonly OutsideLink[], allowed: boolean): void {
  if (links.length === 0 || allowed) return
  throw usage({
    code: 'LINKS_LEAD_OUT',
    message: `${linksInWords(links)}: what the command writes there would land in your own files. Nothing was run.`,
    hint: 'Where it only reads there, or may write: --allow-outside',
    details: { links },
  })
}

export function linksInWords(links: readonly OutsideLink[]): string {
  const named = links.slice(0, 3).map(({ path, target }) => `${shortened(path)} -> ${shortened(target)}`)
  const more = links.length > 3 ? ` and ${links.length - 3} more` : ''
  return `${links.length === 1 ? 'A link of the code leads' : 'Links of the code lead'} out of the worktree: ${named.join(', ')}${more}`
}
