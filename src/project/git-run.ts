/**
 * Asking git: one bounded process per question, with no lock taken, no hook run and no program of the repository's own
 * choosing started. What is asked, and what the answer means, is `git.ts`, `git-patch.ts` and `git-remote.ts`; asking
 * beside a training command, where milliseconds count, `git-ask.ts`.
 */

export type GitEnv = Readonly<Record<string, string | undefined>>

/** Without a word from git. */
export const GIT_MILLISECONDS = 20_000

/** A repository may name a program as its file system monitor, and status would run it. */
export const SAFE = ['--no-optional-locks', '-c', 'core.quotePath=false', '-c', 'core.fsmonitor=false'] as const

export interface Output {
  /** As git printed them: the sources of a patch may be in any encoding. */
  readonly bytes: Buffer
  /** There was more than the limit, and git was stopped. */
  readonly cut: boolean
}

export interface Git {
  (args: readonly string[]): Promise<string>
  bytes(args: readonly string[], limit: number): Promise<Output>
}

/**
 * @param cwd absolute
 * @param more variables for git besides those: who commits, and when
 */
export async function openGit(cwd: string, env: GitEnv, more: Readonly<Record<string, string>> = {}): Promise<Git> {
  // Measured: 30 ms to import, so only once the training command has been started.
  const { simpleGit } = await import('simple-git')
  const child = gitEnvironment(env, more)
  const fresh = (abort?: AbortSignal) =>
    simpleGit({
      baseDir: cwd,
      ...(abort === undefined ? {} : { abort }),
      timeout: { block: GIT_MILLISECONDS },
      maxConcurrentProcesses: 3,
      // Its guard refuses every GIT_ variable that is not named once more.
      allowEnvironment: Object.keys(child).filter((name) => name.startsWith('GIT_')),
      // Its guard cannot tell switching the monitor off from naming a program.
      unsafe: { allowUnsafeFsMonitor: true },
    }).env(child)
  const instance = fresh()
  return Object.assign(async (args: readonly string[]) => await instance.raw([...SAFE, ...args]), {
    async bytes(args: readonly string[], limit: number): Promise<Output> {
      const chunks: Buffer[] = []
      let size = 0
      const enough = new AbortController()
      // simple-git itself decodes what it collects as UTF-8, and collects without end.
      const tapped = fresh(enough.signal).outputHandler((_command, stdout) => {
        stdout.on('data', (chunk: Buffer) => {
          if (size <= limit) chunks.push(chunk)
          size += chunk.length
          if (size > limit) enough.abort()
        })
      })
      try {
        await tapped.raw([...SAFE, ...args])
      } catch (error) {
        if (size <= limit) throw error
      }
      return { bytes: Buffer.concat(chunks).subarray(0, limit), cut: size > limit }
    },
  })
}

const KEPT = ['PATH', 'HOME', 'XDG_CONFIG_HOME', 'USERPROFILE', 'SYSTEMROOT', 'TMPDIR', 'GIT_DIR', 'GIT_WORK_TREE']

/**
 * Of the caller's environment only what git needs to find itself and the user's configuration: simple-git refuses to
 * start git with variables that name programs (GIT_SSH_COMMAND, EDITOR, PAGER), and none of them is needed.
 */
export function gitEnvironment(env: GitEnv, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const child: Record<string, string> = { LC_ALL: 'C', ...more }
  for (const name of KEPT) {
    const value = env[name]
    if (value !== undefined) child[name] = value
  }
  return child
}

/** One sentence for a person: why there is no answer. */
export function whyNone(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  if (/ENOENT/.test(text)) return 'git is not installed'
  if (/not a git repository/i.test(text)) return 'the folder is in no git repository'
  if (/dubious ownership/i.test(text)) return 'git refuses: the repository belongs to another user (safe.directory)'
  if (/must be run in a work tree/i.test(text)) return 'the repository has no work tree'
  if (/block timeout/i.test(text)) return `git gave no answer within ${GIT_MILLISECONDS / 1000} s`
  return `git failed: ${text.trim().split('\n')[0]}`
}
