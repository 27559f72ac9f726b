/**
 * The recorded code in a folder of its own: commit, uncommitted changes, submodules. The user's work tree, index and
 * branches are not touched; taking it away again is `workshop.ts`.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Context } from '../../core/context.ts'
import { failed } from '../../core/errors.ts'
import type { GitFacts } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { gitIn } from './git.ts'
import { putLargeFiles } from './large-files.ts'
import { assertNoneOutside, linksOfTree, staysIn } from './outside-links.ts'
import { patchedFiles, patchProblems, stagedBlobs } from './patch.ts'
import { restored } from './patch-redaction.ts'
import type { CodeFacts } from './types.ts'
import { signWorktree } from './workshop.ts'

export interface WorktreeRequest {
  readonly top: string
  readonly git: GitFacts
  readonly code: CodeFacts
  /** Absolute; must not exist. */
  readonly path: string
  /** Absolute; an existing folder for patches on their way. */
  readonly scratch: string
  readonly allowOutside: boolean
}

/** @throws failed `GIT_FAILED`, `PATCH_FAILED`, `SUBMODULE_OUTSIDE`; usage `LINKS_LEAD_OUT` */
export async function makeWorktree(ctx: Context, store: Store, request: WorktreeRequest): Promise<void> {
  const { top, git: facts, path } = request
  await mkdir(dirname(path), { recursive: true })
  if (facts.commit === null) {
    // Nothing was committed yet: the patch holds every file.
    await mkdir(path)
    await gitIn(path, ctx.env, ctx.signal)(['init', '--quiet'])
  } else {
    await gitIn(top, ctx.env, ctx.signal)(['worktree', 'add', '--detach', '--quiet', path, facts.commit])
    await signWorktree(path)
  }
  await putLargeFiles(request.code.largeFiles, path)
  // A nested submodule comes after the one it lies in.
  const submodules = [...request.code.submodules].sort((a, b) => a.path.length - b.path.length)
  for (const { path: inside, commit } of submodules) {
    const target = join(path, inside)
    if (!(await staysIn(request.scratch, target))) throw leadsOut(inside)
    await gitIn(top, ctx.env, ctx.signal)(['clone', '--quiet', '--shared', '--no-checkout', join(top, inside), target])
    await gitIn(target, ctx.env, ctx.signal)(['checkout', '--quiet', '--detach', commit])
    const patch = facts.submodules?.find((each) => each.path === inside)?.patch
    if (patch !== undefined) await applyPatch(ctx, target, await store.objects.read(patch.sha256), request.scratch)
  }
  if (request.code.patchBytes !== null) await applyPatch(ctx, path, request.code.patchBytes, request.scratch)
  assertNoneOutside(await linksOfTree(path, request.scratch), request.allowOutside)
}

const leadsOut = (path: string) =>
  failed({
    code: 'SUBMODULE_OUTSIDE',
    message: `The submodule ${path} would come to lie outside of the worktree: a link of the code stands in its place.`,
    hint: 'mlops track writes no such record; look the store over: mlops store verify',
  })

/** Exactly: every line of context fits, and every file is what it was then. New files stay untracked, as they were. */
async function applyPatch(ctx: Context, folder: string, recorded: Buffer, scratch: string): Promise<void> {
  const git = gitIn(folder, ctx.env, ctx.signal)
  const committed = async (path: string): Promise<string | undefined> => {
    const end = await git.attempt(['show', `HEAD:${path}`])
    return end.code === 0 ? end.stdout : undefined
  }
  const { bytes, guessed } = await restored(recorded, committed)
  const file = join(scratch, 'changes.patch')
  await writeFile(file, bytes)
  const end = await git.attempt(['apply', '--index', '--whitespace=nowarn', '--binary', file])
  if (end.code !== 0) {
    throw failed({
      code: 'PATCH_FAILED',
      message: `The recorded uncommitted changes do not fit the recorded commit in ${folder}: ${end.tail.slice(-3).join(' ')}`,
      hint: guessed
        ? 'Values that look like secrets were taken out of them; commit the changes without those values, and track again'
        : 'Look the store over: mlops store verify',
    })
  }
  const staged = stagedBlobs(await git(['ls-files', '--stage', '-z']))
  // Where values were redacted the content is not, and cannot be, what it was; the plan says so.
  const files = patchedFiles(bytes).map((each) => (guessed ? { ...each, blob: null } : each))
  const problems = patchProblems(files, staged).filter((problem) => !guessed || !problem.includes('is not there'))
  if (problems.length > 0) {
    throw failed({
      code: 'PATCH_FAILED',
      message: `The recorded uncommitted changes were applied, but ${problems.slice(0, 5).join(', ')}.`,
      hint: 'Look the store over: mlops store verify',
    })
  }
  await git(['reset', '--quiet'])
}
