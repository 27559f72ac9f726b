/**
 * Runs a helper program (git, pip, uv, dvc, a Python) to its end: its output kept, its lines told, ended with all it
 * started when the work is given up. The command of a run itself is started by `execute/child.ts`.
 */
import { spawn } from 'node:child_process'
import { redactText } from '../../core/redact.ts'

export type Env = Readonly<Record<string, string | undefined>>

export interface ProgramOptions {
  readonly cwd: string
  readonly env: Env
  readonly signal?: AbortSignal | undefined
  /** Each line as it comes, of both streams. */
  readonly onLine?: ((line: string) => void) | undefined
  /** Gets stdout as it comes, and nothing of it is kept. */
  readonly onStdout?: ((chunk: Buffer) => void) | undefined
}

export interface ProgramEnd {
  /** Null when a signal ended it, or it could not be started. */
  readonly code: number | null
  readonly stdout: string
  /** The last lines that say anything, without secrets; why it could not be started. */
  readonly tail: readonly string[]
}

const MOST_STDOUT = 64 << 20
const TAIL = 12
/** Milliseconds between SIGTERM and SIGKILL. */
const GRACE = 1_500

/** Never rejects but for an abort. @throws the reason of `signal` */
export async function runProgram(words: readonly string[], options: ProgramOptions): Promise<ProgramEnd> {
  options.signal?.throwIfAborted()
  const [program = '', ...args] = words
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
  const kept: Buffer[] = []
  let size = 0
  const lines = lastLines(options.onLine)
  child.stdout.on('data', (chunk: Buffer) => {
    options.onStdout?.(chunk)
    if (options.onStdout === undefined && size < MOST_STDOUT) kept.push(chunk)
    size += chunk.length
    if (options.onStdout === undefined) lines.feed('out', chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => lines.feed('err', chunk))
  let killer: NodeJS.Timeout | undefined
  const onAbort = (): void => {
    endGroup(child.pid, 'SIGTERM')
    killer = setTimeout(() => endGroup(child.pid, 'SIGKILL'), GRACE)
  }
  options.signal?.addEventListener('abort', onAbort)
  try {
    const code = await new Promise<number | null>((resolve) => {
      child.once('error', (error) => {
        lines.feed('err', Buffer.from(`${error.message}\n`))
        resolve(null)
      })
      child.once('close', (exit) => resolve(exit))
    })
    options.signal?.throwIfAborted()
    return { code, stdout: Buffer.concat(kept).toString('utf8'), tail: lines.end() }
  } finally {
    clearTimeout(killer)
    options.signal?.removeEventListener('abort', onAbort)
  }
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // It is gone already.
  }
}

function lastLines(onLine: ((line: string) => void) | undefined) {
  const open = { out: '', err: '' }
  const last: string[] = []
  const take = (line: string): void => {
    if (line.trim() === '') return
    onLine?.(line)
    last.push(line.trimEnd())
    if (last.length > TAIL) last.shift()
  }
  return {
    feed(stream: 'out' | 'err', chunk: Buffer): void {
      const pieces = (open[stream] + chunk.toString('utf8')).split(/[\r\n]+/)
      open[stream] = (pieces.pop() ?? '').slice(-10_000)
      for (const piece of pieces) take(piece)
    },
    end(): string[] {
      take(open.out)
      take(open.err)
      return last.map((line) => redactText(line).slice(0, 400))
    },
  }
}
