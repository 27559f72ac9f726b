/**
 * What git knows of a folder: commit, branch, remote, and the changes that no commit holds yet, as a patch.
 *
 * Read-only: no lock is taken, no hook runs, nothing is fetched. Making the patch is `git-patch.ts`, asking git
 * `git-run.ts`. Running it beside a training command and storing the patch belong to `src/tracking/`.
 */
import { relative } from 'node:path'
import { redact } from '../core/redact.ts'
import { findGitTop } from './find.ts'
import { dirtyPatch, type GitPatch } from './git-patch.ts'
import { pickRemote, REMOTE_QUESTION } from './git-remote.ts'
import { type Git, type GitEnv, type Output, openGit, whyNone } from './git-run.ts'

export interface GitSnapshot {
  readonly commit: string | null
  readonly branch: string | null
  /** User-info removed. */
  readonly remote: string | null
  readonly dirty: boolean
  readonly patch?: GitPatch
  /** What the patch leaves out, and why; how many values were redacted. */
  readonly notes: readonly string[]
}

export type GitResult =
  | { readonly kind: 'facts'; readonly facts: GitSnapshot }
  /** No repository, no git, or git refuses: `reason` is one sentence. */
  | { readonly kind: 'none'; readonly reason: string }

export interface GitRequest {
  readonly env: GitEnv
  /** Absolute folders that are none of the project's source: the store. */
  readonly exclude?: readonly string[]
  /** Of what `git status` lists; 8 MiB. A home folder in a repository has millions of new files. Bytes. */
  readonly maxStatus?: number
}

const MAX_STATUS = 8 * 1024 * 1024

/** @param cwd absolute; the facts are those of the repository around it. Never throws for what git says. */
export async function gitFacts(cwd: string, request: GitRequest): Promise<GitResult> {
  // Looking for .git costs a microsecond, loading simple-git and asking git costs 50 ms. GIT_DIR may say otherwise.
  const found = request.env.GIT_DIR === undefined ? findGitTop(cwd) : undefined
  if (found === undefined && request.env.GIT_DIR === undefined) {
    return { kind: 'none', reason: 'the folder is in no git repository' }
  }
  let git: Git
  let status: Output
  let top: string
  let remote: string | undefined
  try {
    git = await openGit(cwd, request.env)
    const [topText, statusText, remoteText] = await Promise.all([
      found ?? git(['rev-parse', '--show-toplevel']),
      git.bytes(STATUS, request.maxStatus ?? MAX_STATUS),
      git(REMOTE_QUESTION).catch(() => ''),
    ])
    top = topText.replace(/\n$/, '')
    status = statusText
    remote = pickRemote(remoteText)
  } catch (error) {
    return { kind: 'none', reason: whyNone(error) }
  }
  const { commit, branch, changed, untracked } = parseStatus(wholeRecords(status))
  const excluded = (request.exclude ?? []).map((folder) => relative(top, folder).split('\\').join('/'))
  const isOurs = (path: string): boolean =>
    !path.endsWith('/') && !excluded.some((folder) => path === folder || path.startsWith(`${folder}/`))
  const facts = {
    commit,
    branch,
    remote: remote === undefined ? null : redact(remote).text,
    dirty: changed.length > 0 || untracked.some(isOurs),
  }
  if (!facts.dirty) return { kind: 'facts', facts: { ...facts, notes: [] } }
  const notes = status.cut ? ['git names too many new files; only the first of them were looked at'] : []
  const patch = await dirtyPatch(
    git,
    { top, changed, untracked: untracked.filter(isOurs), hasCommit: commit !== null },
    notes,
  ).catch((error) => {
    notes.push(`the patch could not be made: ${whyNone(error)}`)
    return undefined
  })
  return { kind: 'facts', facts: { ...facts, ...(patch === undefined ? {} : { patch }), notes } }
}

/** Changed files come before the new ones, so the end can be missed. */
const STATUS = ['status', '--porcelain=v2', '-z', '--branch', '--untracked-files=all', '--no-renames'] as const

const wholeRecords = ({ bytes, cut }: Output): string =>
  (cut ? bytes.subarray(0, bytes.lastIndexOf(0) + 1) : bytes).toString('utf8')

interface Status {
  readonly commit: string | null
  readonly branch: string | null
  readonly changed: readonly string[]
  readonly untracked: readonly string[]
}

/** `git status --porcelain=v2 -z --no-renames`: paths relative to the top folder, NUL after each record. */
function parseStatus(text: string): Status {
  let commit: string | null = null
  let branch: string | null = null
  const changed: string[] = []
  const untracked: string[] = []
  for (const record of text.split('\0')) {
    if (record.startsWith('# branch.oid ')) {
      const oid = record.slice(13)
      commit = oid === '(initial)' ? null : oid
    } else if (record.startsWith('# branch.head ')) {
      const head = record.slice(14)
      branch = head === '(detached)' ? null : head
    } else if (record.startsWith('? ')) untracked.push(record.slice(2))
    else if (record.startsWith('1 ')) changed.push(afterFields(record, 8))
    else if (record.startsWith('u ')) changed.push(afterFields(record, 10))
  }
  return { commit, branch, changed, untracked }
}

/** What follows the first `count` space-separated fields: a path may hold spaces. */
function afterFields(record: string, count: number): string {
  let at = 0
  for (let field = 0; field < count; field++) at = record.indexOf(' ', at) + 1
  return record.slice(at)
}
