/**
 * What of the recorded code is in this clone: the repository, the commit, the patch, the submodules. Reads only; making
 * a worktree of it is `worktree.ts`.
 */
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Context } from '../../core/context.ts'
import { changesAreRecorded, notesOfCode } from '../../core/recorded-changes.ts'
import type { Project } from '../../project/config.ts'
import { findGitTop } from '../../project/find.ts'
import type { RunStart } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { type Git, gitIn } from './git.ts'
import { findLargeFiles } from './large-files.ts'
import { linksInWords, linksOfCommit, linksOfPatch, type OutsideLink } from './outside-links.ts'
import type { CodeFacts, Missing } from './types.ts'

const NO_CODE: CodeFacts = {
  ...{ top: null, reason: null, hasCommit: false, shallow: false, remote: false },
  ...{ hasPatch: true, patchBytes: null, largeFiles: [], outside: [], submodules: [] },
}

/** The folder the command ran in, as it would be here. */
export const runFolder = (project: Project, start: Pick<RunStart, 'cwd'>): string => resolve(project.root, start.cwd)

/** Top folder of the repository that the run's folder lies in here. */
export const repositoryOf = (project: Project, start: Pick<RunStart, 'cwd'>): string | undefined =>
  findGitTop(nearestExisting(runFolder(project, start)))

export async function readCode(ctx: Context, project: Project, store: Store, start: RunStart): Promise<CodeFacts> {
  const { git: facts } = start
  if (facts === undefined) {
    return {
      ...NO_CODE,
      reason: 'the run recorded no git facts: its folder was in no repository, or git was not there',
    }
  }
  const top = repositoryOf(project, start)
  const patch = facts.patch === undefined ? null : await objectBytes(store, facts.patch.sha256)
  const found = { ...NO_CODE, hasPatch: facts.patch === undefined || patch !== null, patchBytes: patch }
  if (top === undefined)
    return { ...found, reason: `${nearestExisting(runFolder(project, start))} is in no git repository` }
  const git = gitIn(top, ctx.env, ctx.signal)
  const [hasCommit, shallow, remotes] = await Promise.all([
    facts.commit === null ? true : isCommit(git, facts.commit),
    git.attempt(['rev-parse', '--is-shallow-repository']),
    git.attempt(['remote']),
  ])
  return {
    ...found,
    top: realpathSync(top),
    hasCommit,
    shallow: shallow.stdout.trim() === 'true',
    remote: remotes.stdout.trim() !== '',
    largeFiles: hasCommit && facts.commit !== null ? await findLargeFiles(git, top, facts.commit) : [],
    submodules: await submodulesOf(ctx, store, top, start),
    outside: [
      ...(hasCommit && facts.commit !== null ? await linksOfCommit(git, facts.commit) : []),
      ...linksOfPatch(patch),
      ...(await linksOfSubmodules(ctx, top, start)),
    ],
  }
}

async function linksOfSubmodules(ctx: Context, top: string, { git }: RunStart): Promise<OutsideLink[]> {
  const found: OutsideLink[] = []
  for (const { path, commit } of git?.submodules ?? []) {
    const folder = join(top, path)
    if (commit === null || !/^[0-9a-f]{7,64}$/.test(commit) || !existsSync(join(folder, '.git'))) continue
    found.push(...(await linksOfCommit(gitIn(folder, ctx.env, ctx.signal), commit, `${path}/`)))
  }
  return found
}

async function submodulesOf(
  ctx: Context,
  store: Store,
  top: string,
  start: RunStart,
): Promise<CodeFacts['submodules']> {
  const found: CodeFacts['submodules'][number][] = []
  for (const { path, commit, patch } of start.git?.submodules ?? []) {
    if (commit === null) continue
    const folder = join(top, path)
    // Without a checkout git would answer for the repository around it.
    const isCheckedOut = existsSync(join(folder, '.git'))
    const hasCommit = isCheckedOut && (await isCommit(gitIn(folder, ctx.env, ctx.signal), commit))
    found.push({
      path,
      commit,
      isCheckedOut,
      hasCommit,
      hasPatch: patch === undefined || (await store.objects.has(patch.sha256)),
    })
  }
  return found
}

async function isCommit(git: Git, id: string): Promise<boolean> {
  if (!/^[0-9a-f]{7,64}$/.test(id)) return false
  return (await git.attempt(['cat-file', '-e', `${id}^{commit}`])).code === 0
}

async function objectBytes(store: Store, digest: string): Promise<Buffer | null> {
  return (await store.objects.has(digest)) ? await store.objects.read(digest) : null
}

function nearestExisting(folder: string): string {
  for (let here = folder; ; here = dirname(here)) if (existsSync(here) || dirname(here) === here) return here
}

/** Everything of the code that is not here, each with what mends it. Pure. */
export function missingCode({ git }: RunStart, code: CodeFacts): Missing[] {
  if (git === undefined || code.top === null) {
    return [
      {
        what: 'code',
        why: `Nobody can say which code ran: ${code.reason ?? 'it is in no repository'}.`,
        mend:
          git === undefined
            ? 'git init && git add -A && git commit, then track the command again'
            : 'cd into a clone of the repository of the run, and type it there',
      },
    ]
  }
  const missing: Missing[] = []
  if (!code.hasCommit && git.commit !== null) {
    const where = git.remote === null ? '' : ` It came from ${git.remote}.`
    missing.push({
      what: `commit ${git.commit.slice(0, 12)}`,
      why: `Commit ${git.commit} is not in the clone ${code.top}.${where}`,
      mend: fetchCommand(git.commit, git.branch, code),
    })
  }
  if (!code.hasPatch && git.patch !== undefined) missing.push(lostPatch('', git.patch.sha256))
  const lost = code.largeFiles.filter(({ source }) => source === null).map(({ path }) => path)
  if (lost.length > 0) {
    const more = lost.length > 3 ? ` and ${lost.length - 3} more` : ''
    missing.push({
      what: lost.length === 1 ? `file ${lost[0]}` : `${lost.length} files of Git LFS`,
      why: `Git LFS keeps ${lost.slice(0, 3).join(', ')}${more}, and the bytes are not in this clone.`,
      mend: `git lfs fetch origin ${git.commit}`,
    })
  }
  for (const { path, commit, isCheckedOut, hasCommit, hasPatch } of code.submodules) {
    const patch = git.submodules?.find((each) => each.path === path)?.patch
    if (!hasPatch && patch !== undefined) missing.push(lostPatch(` of the submodule ${path}`, patch.sha256))
    if (hasCommit) continue
    missing.push({
      what: `submodule ${path}`,
      why: `Commit ${commit.slice(0, 12)} of the submodule ${path} is not here.`,
      mend: isCheckedOut
        ? `git -C ${path} fetch origin ${commit}`
        : `git submodule update --init ${path} && git -C ${path} fetch origin ${commit}`,
    })
  }
  return missing
}

const lostPatch = (whose: string, digest: string): Missing => ({
  what: `uncommitted changes${whose}`,
  why: `The uncommitted changes${whose} are the object ${digest.slice(0, 12)}, and the store does not have it.`,
  mend: 'mlops store verify, or bring the object from a copy of the store',
})

function fetchCommand(commit: string, branch: string | null, { remote, shallow }: CodeFacts): string {
  if (shallow) return 'git fetch --unshallow'
  if (!remote) return 'git fetch PATH_OF_THE_OTHER_CLONE, from a clone that has it'
  return branch === null ? `git fetch origin ${commit}` : `git fetch origin ${branch}`
}

/**
 * What may make the code differ though it is all here. One sentence each. Pure.
 * @param known paths of outputs and declared data: that no patch holds them says nothing of the code
 */
export function codeRisks({ git, source }: RunStart, code: CodeFacts, known: readonly string[]): string[] {
  if (git === undefined) return []
  const notes = notesOfCode(git, known)
  const risks = notes.map((note) => `Of the uncommitted changes: ${note}.`)
  const isSaid = notes.some((note) => /changes themselves are not recorded/.test(note))
  if (!isSaid && !changesAreRecorded(git, known)) {
    const why = source === 'python' ? 'only mlops track records them' : 'none of them went into the patch'
    risks.push(`There were uncommitted changes that were not recorded (${why}): the committed files run.`)
  }
  if (code.outside.length > 0) {
    risks.push(
      `${linksInWords(code.outside)}: what the command writes there lands in your own files (--allow-outside).`,
    )
  }
  for (const { path, commit } of git.submodules ?? []) {
    if (commit === null) risks.push(`The submodule ${path} was not checked out, and is not now.`)
  }
  return risks
}
