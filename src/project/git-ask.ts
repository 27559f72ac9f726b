/**
 * Asking git beside a training command: the same questions as `git-run.ts` takes, without its library, whose import
 * alone costs as much as all the answers. Only for what reads; what writes into a repository goes through `git-run.ts`.
 */
import { spawn } from 'node:child_process'
import { GIT_MILLISECONDS, type Git, type GitEnv, gitEnvironment, type Output, SAFE } from './git-run.ts'

interface Answer extends Output {
  readonly code: number | null
  readonly complaint: string
}

/** @param cwd absolute */
export function askGit(cwd: string, env: GitEnv): Git {
  const child = gitEnvironment(env)
  const ask = async (args: readonly string[], limit: number): Promise<Output> => {
    const { code, complaint, ...output } = await run([...SAFE, ...args], cwd, child, limit)
    // Without a word it is an answer: `git config` says "none of these" that way.
    if (code !== 0 && complaint !== '' && !output.cut) throw new Error(complaint)
    return output
  }
  return Object.assign(
    async (args: readonly string[]) => (await ask(args, Number.POSITIVE_INFINITY)).bytes.toString(),
    {
      bytes: ask,
    },
  )
}

/** @throws system errors; Error when it has been silent for too long */
function run(args: readonly string[], cwd: string, env: Record<string, string>, limit: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const git = spawn('git', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
    const [chunks, words]: [Buffer[], Buffer[]] = [[], []]
    let size = 0
    let isSilent = false
    const patience = setTimeout(() => {
      isSilent = true
      git.kill()
    }, GIT_MILLISECONDS)
    git.stdout.on('data', (chunk: Buffer) => {
      patience.refresh()
      if (size <= limit) chunks.push(chunk)
      size += chunk.length
      if (size > limit) git.kill()
    })
    git.stderr.on('data', (chunk: Buffer) => {
      patience.refresh()
      words.push(chunk)
    })
    git.on('error', (error) => {
      clearTimeout(patience)
      reject(error)
    })
    git.on('close', (code) => {
      clearTimeout(patience)
      if (isSilent) return reject(new Error('block timeout reached'))
      const bytes = Buffer.concat(chunks)
      const cut = size > limit
      resolve({ code, bytes: cut ? bytes.subarray(0, limit) : bytes, cut, complaint: Buffer.concat(words).toString() })
    })
  })
}
