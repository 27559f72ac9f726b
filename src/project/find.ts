/**
 * Where the project and its store are, by looking at files only: no git process on the start-up path.
 * Reading `mlops.yaml` belongs to `load.ts`.
 */
import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'

export const CONFIG_NAME = 'mlops.yaml'

/** A linked git worktree (`git worktree add`) and the main one that it belongs to. */
export interface Worktrees {
  /** Top folder of the linked worktree. */
  readonly linked: string
  /** Top folder of the main worktree. */
  readonly main: string
}

export interface Found {
  /** Absolute path of mlops.yaml, when there is one here or above. */
  readonly file: string | undefined
  /** The folder the project's relative paths mean. */
  readonly root: string
  readonly worktrees: Worktrees | undefined
  /** A `mlops.yml` here: nearly right, and worth a word. */
  readonly misnamed: string | undefined
  /** A `mlops.yaml` that somebody else may have planted: not used, see `isPlanted`. */
  readonly planted: string | undefined
}

/** Looks for the nearest `mlops.yaml` from `cwd` upwards, then at the same place of the main worktree. */
export function findProject(cwd: string): Found {
  const worktrees = findWorktrees(cwd)
  const usual = { worktrees, misnamed: undefined, planted: undefined }
  const file = upwards(cwd)
  if (file !== undefined && isPlanted(file)) return { ...usual, file: undefined, root: cwd, planted: file }
  if (file !== undefined) return { ...usual, file, root: dirname(file) }
  if (worktrees !== undefined) {
    const twin = upwards(mapPath(cwd, worktrees.linked, worktrees.main))
    // Not committed, so it is in the main worktree only; its relative paths still mean this checkout.
    if (twin !== undefined && !isPlanted(twin)) {
      return { ...usual, file: twin, root: mapPath(dirname(twin), worktrees.main, worktrees.linked) }
    }
  }
  const nearly = join(cwd, 'mlops.yml')
  return { ...usual, file: undefined, root: cwd, misnamed: exists(nearly) ? nearly : undefined }
}

/** Levels below a folder in which a project is looked for, and folders that are opened for it. */
const DEEPEST = 2
const MOST_FOLDERS = 200

/**
 * Projects just below a folder, for whoever stands at the top of a repository whose project is in `ml/`: a look, no
 * search. @returns their folders, relative, the nearest first
 */
export function projectsBelow(folder: string): string[] {
  const found: string[] = []
  let level = ['']
  let opened = 0
  for (let depth = 0; depth < DEEPEST; depth++) {
    const next: string[] = []
    for (const parent of level) {
      if (opened++ >= MOST_FOLDERS) return found
      for (const name of foldersIn(join(folder, parent))) {
        const child = parent === '' ? name : `${parent}/${name}`
        const file = join(folder, child, CONFIG_NAME)
        if (isNamed(file) && !isPlanted(file)) found.push(child)
        next.push(child)
      }
    }
    level = next
  }
  return found
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
      .map(({ name }) => name)
      .sort()
  } catch {
    return []
  }
}

/** Every project whose folder is `folder` or lies above it, the nearest first. */
export function projectsAbove(folder: string): Found[] {
  const found: Found[] = []
  for (let here = folder; ; ) {
    const file = upwards(here)
    if (file === undefined) return found
    const root = dirname(file)
    if (!isPlanted(file)) {
      found.push({ file, root, worktrees: findWorktrees(root), misnamed: undefined, planted: undefined })
    }
    if (dirname(root) === root) return found
    here = dirname(root)
  }
}

/**
 * Is this file of another user's, in a folder where everybody may put one (`/tmp`)? Its commands would run as us. A
 * folder that a group shares is no such folder: there, whoever may write is meant to.
 * @param me a user id; undefined where there are none
 */
export function isPlanted(file: string, me = process.getuid?.()): boolean {
  if (me === undefined) return false
  try {
    // The link, not what it leads to: whoever made it chose that.
    const owner = lstatSync(file).uid
    const PUBLIC = 0o1002
    return owner !== me && owner !== 0 && (statSync(dirname(file)).mode & PUBLIC) === PUBLIC
  } catch {
    return false
  }
}

/** The same place in the other worktree; a path outside of it stays. */
export function mapPath(path: string, from: string, to: string): string {
  const inside = relative(from, path)
  return inside.startsWith('..') ? path : resolve(to, inside)
}

/** Nearest ancestor (or `folder` itself) that holds a `.git`, as folder or as file; undefined outside of git. */
export function findGitTop(folder: string): string | undefined {
  for (let here = folder; ; here = dirname(here)) {
    if (exists(join(here, '.git'))) return here
    if (dirname(here) === here) return undefined
  }
}

function upwards(folder: string): string | undefined {
  for (let here = folder; ; here = dirname(here)) {
    const candidate = join(here, CONFIG_NAME)
    if (isNamed(candidate)) return candidate
    if (dirname(here) === here) return undefined
  }
}

/**
 * A linked worktree has a `.git` file, `gitdir: <common>/worktrees/<name>`, whose folder names the common directory
 * in `commondir`. A submodule also has a `.git` file, but no `commondir`; a bare common directory has no worktree.
 */
export function findWorktrees(cwd: string): Worktrees | undefined {
  const top = findGitTop(cwd)
  if (top === undefined) return undefined
  const gitFile = readSmall(join(top, '.git'))
  const target = /^gitdir: (.+)$/m.exec(gitFile ?? '')?.[1]?.trim()
  if (target === undefined) return undefined
  const gitDir = resolve(top, target)
  const common = readSmall(join(gitDir, 'commondir'))?.trim()
  if (common === undefined || common === '') return undefined
  const commonDir = resolve(gitDir, common)
  return basename(commonDir) === '.git' ? { linked: top, main: dirname(commonDir) } : undefined
}

const exists = (path: string): boolean => kindOf(path) !== undefined

/** Also a link to nothing: settings that were lost must be an error, not the defaults, which have no gates. */
function isNamed(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}

/** What a path leads to, links followed; undefined for nothing, or where one may not look. */
export function kindOf(path: string): 'file' | 'folder' | 'other' | undefined {
  try {
    const facts = statSync(path, { throwIfNoEntry: false })
    if (facts === undefined) return undefined
    return facts.isFile() ? 'file' : facts.isDirectory() ? 'folder' : 'other'
  } catch {
    return undefined
  }
}

/** Contents of a small regular file; undefined for anything else. */
function readSmall(path: string): string | undefined {
  try {
    const facts = statSync(path)
    return facts.isFile() && facts.size < 65_536 ? readFileSync(path, 'utf8') : undefined
  } catch {
    return undefined
  }
}
