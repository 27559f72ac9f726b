/**
 * What git knows of a folder: commit, branch, remote, submodules, and the changes that no commit holds yet, as a patch.
 *
 * Read-only: no lock is taken, no hook runs, nothing is fetched. Making the patch is `git-patch.ts`, asking git
 * `git-run.ts`. Running it beside a training command and storing the patch belong to `src/tracking/`.
 */
import { existsSync, lstatSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { redact } from '../core/redact.ts'
import { findGitTop } from './find.ts'
import { askGit } from './git-ask.ts'
import { dirtyPatch, type GitPatch, type OutputsAmong } from './git-patch.ts'
import { pickRemote, REMOTE_QUESTION } from './git-remote.ts'
import { type Git, type GitEnv, type Output, whyNone } from './git-run.ts'
import { isCode } from './git-source-names.ts'
import { submodulesOf } from './git-submodules.ts'

export interface GitSnapshot {
  readonly commit: string | null
  readonly branch: string | null
  /** User-info removed. */
  readonly remote: string | null
  readonly dirty: boolean
  readonly patch?: GitPatch
  /** Absent when there are none. */
  readonly submodules?: readonly SubmoduleSnapshot[]
  /** What the patch leaves out, and why; how many values were redacted. */
  readonly notes: readonly string[]
}

export interface SubmoduleSnapshot {
  /** Relative to the top of the outermost repository, `/`-separated. */
  readonly path: string
  /** What is checked out; null when nothing is. */
  readonly commit: string | null
  readonly url: string | null
  readonly dirty: boolean
  readonly patch?: GitPatch
}

export type GitResult =
  | { readonly kind: 'facts'; readonly facts: GitSnapshot }
  /** No repository, no git, or git refuses: `reason` is one sentence. */
  | { readonly kind: 'none'; readonly reason: string }

export interface GitRequest {
  readonly env: GitEnv
  /** Absolute folders that are none of the project's source: the store. */
  readonly exclude?: readonly string[]
  /** Of absolute paths that no patch holds: those that are outputs of runs. Asked only when there are any. */
  readonly outputs?: OutputsAmong
  /** Of what `git status` lists; 8 MiB. A home folder in a repository has millions of new files. Bytes. */
  readonly maxStatus?: number
}

const MAX_STATUS = 8 * 1024 * 1024

/** @param cwd absolute; the facts are those of the repository around it. Never throws for what git says. */
export async function gitFacts(cwd: string, request: GitRequest): Promise<GitResult> {
  // Looking for .git costs a microsecond, asking git costs 20 ms. GIT_DIR may say otherwise.
  if (request.env.GIT_DIR === undefined && findGitTop(cwd) === undefined) {
    return { kind: 'none', reason: 'the folder is in no git repository' }
  }
  const exclude = await Promise.all((request.exclude ?? []).map((folder) => realpath(folder).catch(() => folder)))
  try {
    return { kind: 'facts', facts: await snapshot(cwd, { ...request, exclude }, 0) }
  } catch (error) {
    return { kind: 'none', reason: whyNone(error) }
  }
}

/** @throws whatever git says */
async function snapshot(cwd: string, request: GitRequest, depth: number): Promise<GitSnapshot> {
  const git = askGit(cwd, request.env)
  const notes: string[] = []
  const [status, remoteText] = await Promise.all([
    askStatus(git, request.maxStatus ?? MAX_STATUS, notes),
    git(REMOTE_QUESTION).catch(() => ''),
  ])
  const top = await topOf(git, cwd, request.env, remoteText)
  const remote = pickRemote(remoteText)
  if (status.cut) notes.push('git names too many new files; only the first of them were looked at')
  const { commit, branch, changed, modules, untracked, ignored } = parseStatus(wholeRecords(status))
  const excluded = (request.exclude ?? []).map((folder) => relative(top, folder).split('\\').join('/'))
  const isOurs = (path: string): boolean =>
    !excluded.some((folder) => path === folder || `${path}/`.startsWith(`${folder}/`))
  const ours = untracked.filter(isOurs)
  // A repository inside of this one that is no submodule; nothing of it can be in a patch of this one.
  for (const path of ours.filter((each) => each.endsWith('/')))
    notes.push(`${path} is a repository of its own; what is in it is not recorded`)
  const added = ours.filter((path) => !path.endsWith('/'))
  const hidden = ignored.filter((path) => isOurs(path) && isCode(path))
  if (hidden.length > 0)
    notes.push(
      `git ignores, so not in the patch: ${hidden.slice(0, 5).join(', ')}${hidden.length > 5 ? ` and ${hidden.length - 5} more` : ''}`,
    )
  const parts = { top, changed, untracked: added, hasCommit: commit !== null }
  const patch =
    changed.length + added.length === 0
      ? undefined
      : await dirtyPatch(git, { ...parts, outputs: outputsBelow(top, request) }, notes).catch((error) => {
          notes.push(`the patch could not be made: ${whyNone(error)}`)
          return undefined
        })
  const submodules = await submoduleFacts(git, top, request, depth, notes)
  return {
    commit,
    branch,
    remote: remote === undefined ? null : redact(remote).text,
    dirty: changed.length + added.length + modules.length > 0,
    ...(patch === undefined ? {} : { patch }),
    ...(submodules.length === 0 ? {} : { submodules }),
    notes,
  }
}

const outputsBelow =
  (top: string, { outputs }: GitRequest): OutputsAmong =>
  async (paths) => {
    const found = await outputs?.(paths.map((path) => join(top, path)))
    return new Set(paths.filter((path) => found?.has(join(top, path))))
  }

/** As git says; it is asked only where looking cannot tell. @param config the answer to `REMOTE_QUESTION` */
async function topOf(git: Git, cwd: string, env: GitEnv, config: string): Promise<string> {
  const top = findGitTop(cwd)
  const isOrdinary =
    top !== undefined &&
    env.GIT_DIR === undefined &&
    env.GIT_WORK_TREE === undefined &&
    lstatSync(join(top, '.git')).isDirectory() &&
    ['HEAD', 'objects', 'refs'].every((name) => existsSync(join(top, '.git', name))) &&
    /^core\.repositoryformatversion /m.test(config) &&
    !/^core\.worktree /m.test(config)
  return isOrdinary ? await realpath(top) : (await git(['rev-parse', '--show-toplevel'])).replace(/\n$/, '')
}

/** Deeper than that is a sign of something else. */
const MAX_DEPTH = 5

/** Nested ones follow those that they are in; their paths are those of the outermost repository. */
async function submoduleFacts(
  git: Git,
  top: string,
  request: GitRequest,
  depth: number,
  notes: string[],
): Promise<SubmoduleSnapshot[]> {
  const found: SubmoduleSnapshot[] = []
  if (depth >= MAX_DEPTH) return found
  const { GIT_DIR: _dir, GIT_WORK_TREE: _tree, ...env } = request.env
  for (const { path, url, isInitialised } of await submodulesOf(git, top)) {
    if (!isInitialised) {
      found.push({ path, commit: null, url, dirty: false })
      continue
    }
    try {
      const inner = await snapshot(join(top, path), { ...request, env }, depth + 1)
      const { commit, dirty, patch, submodules = [] } = inner
      notes.push(...inner.notes.map((note) => `in the submodule ${path}: ${note}`))
      found.push({ path, commit, url, dirty, ...(patch === undefined ? {} : { patch }) })
      found.push(...submodules.map((each) => ({ ...each, path: `${path}/${each.path}` })))
    } catch (error) {
      notes.push(`the submodule ${path} could not be looked at: ${whyNone(error)}`)
      found.push({ path, commit: null, url, dirty: false })
    }
  }
  return found
}

/** Where new files cannot be found in time, the rest of the answer is worth having. */
async function askStatus(git: Git, limit: number, notes: string[]): Promise<Output> {
  try {
    return await git.bytes([...STATUS, '--untracked-files=all', '--ignored=matching'], limit)
  } catch (error) {
    if (!/timeout/i.test(String(error))) throw error
    notes.push(`new files are not recorded: ${whyNone(error)}`)
    return await git.bytes([...STATUS, '--untracked-files=no'], limit)
  }
}

/** Changed files come before the new ones, so the end can be missed. */
const STATUS = ['status', '--porcelain=v2', '-z', '--branch', '--no-renames', '--ignore-submodules=none'] as const

const wholeRecords = ({ bytes, cut }: Output): string =>
  (cut ? bytes.subarray(0, bytes.lastIndexOf(0) + 1) : bytes).toString('utf8')

interface Status {
  readonly commit: string | null
  readonly branch: string | null
  readonly changed: readonly string[]
  /** Submodules in which something else is checked out than the commit says, or something is changed. */
  readonly modules: readonly string[]
  readonly untracked: readonly string[]
  /** A folder that is ignored as a whole has a `/` at its end, and nothing in it is named. */
  readonly ignored: readonly string[]
}

/** `git status --porcelain=v2 -z --no-renames`: paths relative to the top folder, NUL after each record. */
function parseStatus(text: string): Status {
  let commit: string | null = null
  let branch: string | null = null
  const changed: string[] = []
  const modules: string[] = []
  const untracked: string[] = []
  const ignored: string[] = []
  for (const record of text.split('\0')) {
    if (record.startsWith('# branch.oid ')) {
      const oid = record.slice(13)
      commit = oid === '(initial)' ? null : oid
    } else if (record.startsWith('# branch.head ')) {
      const head = record.slice(14)
      branch = head === '(detached)' ? null : head
    } else if (record.startsWith('? ')) untracked.push(record.slice(2))
    else if (record.startsWith('! ')) ignored.push(record.slice(2))
    else if (record.startsWith('1 ')) (record[5] === 'S' ? modules : changed).push(afterFields(record, 8))
    else if (record.startsWith('u ')) (record[5] === 'S' ? modules : changed).push(afterFields(record, 10))
  }
  return { commit, branch, changed, modules, untracked, ignored }
}

/** What follows the first `count` space-separated fields: a path may hold spaces. */
function afterFields(record: string, count: number): string {
  let at = 0
  for (let field = 0; field < count; field++) at = record.indexOf(' ', at) + 1
  return record.slice(at)
}
