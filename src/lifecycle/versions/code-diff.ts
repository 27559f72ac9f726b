/** The text of a change of code between two versions: a real `git diff` of their commits, and their own patches. */
import type { Context } from '../../core/context.ts'
import { MlopsError } from '../../core/errors.ts'
import type { Store } from '../../store/store.ts'
import type { VersionDetail } from './version.ts'

export interface CodeDiff {
  /** Unified diff from one commit to the other; null when git cannot tell, and `note` says why. */
  readonly commits: string | null
  readonly note: string | null
  /** The uncommitted changes each version was trained with; null where there were none. */
  readonly patches: { readonly from: string | null; readonly to: string | null }
}

const LIMIT = 64 << 20

/** @param root the project's folder, inside the repository that both commits should be in */
export async function codeDiff(
  ctx: Context,
  store: Store,
  root: string,
  from: VersionDetail,
  to: VersionDetail,
): Promise<CodeDiff> {
  const patches = { from: await patchOf(store, from), to: await patchOf(store, to) }
  const [a, b] = [from.code?.commit ?? null, to.code?.commit ?? null]
  if (a === null || b === null) {
    const lacking = a === null ? from : to
    return { commits: null, note: `${lacking.model}@${lacking.version} records no commit`, patches }
  }
  if (a === b) return { commits: '', note: null, patches }
  if (!isCommit(a) || !isCommit(b)) return { commits: null, note: 'a recorded commit is no git object name', patches }
  return { ...(await gitDiff(ctx, root, a, b)), patches }
}

const isCommit = (text: string): boolean => /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(text)

async function gitDiff(
  ctx: Context,
  root: string,
  from: string,
  to: string,
): Promise<{ readonly commits: string | null; readonly note: string | null }> {
  const { execFile } = await import('node:child_process')
  // No pager, no external diff program, no hook: reading a diff must run nobody's code.
  const args = ['-C', root, '--no-pager', 'diff', '--no-color', '--no-ext-diff', '--no-textconv', from, to, '--']
  return new Promise((resolve) => {
    execFile('git', args, { env: ctx.env as NodeJS.ProcessEnv, maxBuffer: LIMIT }, (error, stdout, stderr) => {
      if (error === null) resolve({ commits: stdout, note: null })
      else resolve({ commits: null, note: `git cannot compare the two commits here: ${reasonOf(error, stderr)}` })
    })
  })
}

function reasonOf(error: Error, stderr: string): string {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'git is not installed'
  const line = stderr.trim().split('\n')[0] ?? ''
  return line === '' ? error.message : `${line} (try: git fetch)`
}

async function patchOf(store: Store, version: VersionDetail): Promise<string | null> {
  const digest = version.code?.patch?.sha256
  if (digest === undefined) return null
  try {
    return (await store.objects.read(digest)).toString('utf8')
  } catch (error) {
    if (error instanceof MlopsError) return null
    throw error
  }
}
