/**
 * Git for reproductions: one process per question or change, in a repository or in a worktree of ours, with no hook run,
 * no filter of Git LFS (large files are restored by digest instead) and no line ends changed. Which questions, and what
 * the answers mean, is `repository.ts` and `worktree.ts`; the facts of a run are `project/git.ts`.
 */
import { createHash } from 'node:crypto'
import { devNull } from 'node:os'
import type { Digest } from '../../core/digest.ts'
import { failed } from '../../core/errors.ts'
import { type Env, type ProgramEnd, runProgram } from './program.ts'

const SAFE = [
  '--no-optional-locks',
  ...['core.quotePath=false', 'core.fsmonitor=false', `core.hooksPath=${devNull}`, 'core.autocrlf=false'],
  ...['filter.lfs.smudge=', 'filter.lfs.process=', 'filter.lfs.required=false'],
  ...['submodule.recurse=false', 'advice.detachedHead=false', 'gc.auto=0', 'maintenance.auto=false'],
].flatMap((word) => (word.startsWith('-') ? [word] : ['-c', word]))

export interface Git {
  /** @returns stdout. @throws failed `GIT_FAILED` with git's last words */
  (args: readonly string[]): Promise<string>
  /** As above, and never throws for what git says. */
  attempt(args: readonly string[]): Promise<ProgramEnd>
  /** Digest and size of what git prints; undefined when it fails. */
  digest(args: readonly string[]): Promise<{ readonly sha256: Digest; readonly size: number } | undefined>
}

/** @param cwd absolute */
export function gitIn(cwd: string, env: Env, signal?: AbortSignal): Git {
  const child = gitEnvironment(env)
  const attempt = (args: readonly string[]): Promise<ProgramEnd> =>
    runProgram(['git', ...SAFE, ...args], { cwd, env: child, signal })
  const must = async (args: readonly string[]): Promise<string> => {
    const end = await attempt(args)
    if (end.code === 0) return end.stdout
    throw failed({
      code: 'GIT_FAILED',
      message: `git ${args[0] ?? ''} failed in ${cwd}: ${end.tail.slice(-3).join(' ') || `exit ${end.code}`}`,
      hint: 'Look at the repository: git status',
    })
  }
  return Object.assign(must, {
    attempt,
    async digest(args: readonly string[]) {
      const hash = createHash('sha256')
      let size = 0
      const onStdout = (chunk: Buffer): void => {
        hash.update(chunk)
        size += chunk.length
      }
      const end = await runProgram(['git', ...SAFE, ...args], { cwd, env: child, signal, onStdout })
      return end.code === 0 ? { sha256: hash.digest('hex'), size } : undefined
    },
  })
}

/** Without what would point git at another repository, and never asking for a password. */
function gitEnvironment(env: Env): Env {
  const kept = Object.entries(env).filter(
    ([name]) => !/^GIT_(?:DIR|WORK_TREE|INDEX_FILE|PREFIX|OBJECT_DIRECTORY|COMMON_DIR|NAMESPACE)$/.test(name),
  )
  return { ...Object.fromEntries(kept), LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_LFS_SKIP_SMUDGE: '1' }
}
