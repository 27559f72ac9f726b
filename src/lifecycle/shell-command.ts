/**
 * Runs a command of the user's through the shell, in the folder of the project, and ends with all that it started: on
 * an abort, at a time limit, or when this process ends first. What its end means is for the caller to say.
 */
import type { Context } from '../core/context.ts'
import { redactText } from '../core/redact.ts'
import { placeholderProblem } from '../core/shell.ts'

export interface ShellOptions {
  readonly cwd: string
  /** Milliseconds; undefined: as long as it takes. */
  readonly timeout?: number | undefined
  readonly onStdout?: (chunk: Buffer) => void
}

export interface ShellEnd {
  readonly kind: 'exited' | 'killed' | 'timed out' | 'not started'
  /** Exit code, name of the signal, or why it could not be started. */
  readonly end: number | string
  /** The last lines of each stream, without what looks like a secret. */
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
}

/** @throws the reason of `ctx.signal` when it is aborted */
export async function runShell(ctx: Context, line: string, options: ShellOptions): Promise<ShellEnd> {
  const { execa } = await import('execa')
  // A run of the user's own must not take this for a part of itself.
  const { MLOPS_RUN_ID: _, ...env } = ctx.env
  const child = execa(line, {
    cwd: options.cwd,
    env,
    extendEnv: false,
    shell: true,
    stdin: 'ignore',
    buffer: false,
    reject: false,
    // A group of its own: what the shell started ends with it.
    detached: process.platform !== 'win32',
  })
  const [stdout, stderr] = [lastBytes(), lastBytes()]
  child.stdout.on('data', (chunk: Buffer) => {
    stdout.feed(chunk)
    options.onStdout?.(chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => stderr.feed(chunk))
  const ended = await endedBy(ctx.signal, options.timeout, child).finally(() => {
    // A process that left the group may hold them open; nobody listens any more.
    child.stdout.destroy()
    child.stderr.destroy()
  })
  const tails = { stdout: stdout.lines(), stderr: stderr.lines() }
  if (ended === TIMED_OUT) return { kind: 'timed out', end: options.timeout ?? 0, ...tails }
  const { code, signal, message } = ended
  if (code !== null) return { kind: 'exited', end: code, ...tails }
  if (signal !== null) return { kind: 'killed', end: signal, ...tails }
  return { kind: 'not started', end: redactText(message ?? 'an error'), ...tails }
}

/**
 * The command with a path for each placeholder, or why there is no safe way to put it in. Configuration and `register`
 * refuse such a command too; one that was recorded before is met here.
 */
export function filledIn(
  command: string,
  paths: Readonly<Record<string, string>>,
): { readonly line: string } | { readonly problem: string } {
  const problem = placeholderProblem(command)
  if (problem !== undefined) return { problem }
  // In one pass: a path that holds a placeholder is not filled in again.
  const line = command.replace(/\{(?:model|data|predictions)\}/g, (word) => {
    const path = Object.hasOwn(paths, word) ? paths[word] : undefined
    return path === undefined ? word : shellQuoted(path)
  })
  return { line }
}

/** A path as one word of the command. */
const shellQuoted = (path: string): string =>
  process.platform === 'win32' ? `"${path}"` : `'${path.replaceAll("'", `'\\''`)}'`

const TAIL_BYTES = 8192
const LINE_LENGTH = 400

function lastBytes() {
  let kept = Buffer.alloc(0)
  let cut = false
  return {
    feed(chunk: Buffer): void {
      const all = Buffer.concat([kept, chunk.subarray(-TAIL_BYTES)])
      cut ||= all.length > TAIL_BYTES || chunk.length > TAIL_BYTES
      kept = all.subarray(-TAIL_BYTES)
    },
    lines(): readonly string[] {
      // A secret whose beginning was cut off is not recognised: the first line of a cut is left out.
      const lines = kept
        .toString('utf8')
        .split(/\r?\n/)
        .slice(cut ? 1 : 0)
      return lines.filter((line) => line.trim() !== '').map((line) => redactText(line).slice(-LINE_LENGTH))
    },
  }
}

const TIMED_OUT = Symbol('timed out')

/** Milliseconds for the last words of a command whose shell has ended. */
const LAST_WORDS = 1_000

interface Ended {
  readonly code: number | null
  readonly signal: string | null
  /** Why it was not started. */
  readonly message?: string | undefined
}

/** What of execa's child this needs. */
interface Child extends Promise<{ readonly originalMessage?: string | undefined }> {
  readonly pid?: number
  once(event: 'exit', listener: (code: number | null, signal: string | null) => void): unknown
}

/**
 * Until the shell has ended; on an abort, at the limit, or when this process ends before it, its group is killed. So is
 * what it left running in the group: a background process must not outlive the check, nor keep it waiting.
 */
async function endedBy(
  signal: AbortSignal | undefined,
  timeout: number | undefined,
  child: Child,
): Promise<Ended | typeof TIMED_OUT> {
  const kill = (): void => killGroup(child.pid)
  let stop = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      kill()
      // Not only when it has ended: a process that left the group may hold its output open for ever.
      reject(signal?.reason)
    }
  })
  const timers: NodeJS.Timeout[] = []
  const late = new Promise<typeof TIMED_OUT>((resolve) => {
    if (timeout === undefined) return
    const giveUp = (): void => {
      kill()
      resolve(TIMED_OUT)
    }
    timers.push(setTimeout(giveUp, Math.min(timeout, LONGEST_TIMER)))
  })
  const exited = new Promise<Ended>((resolve) => {
    child.once('exit', (code, by) => {
      kill()
      const end = (): void => resolve({ code, signal: by })
      child.then(end, end)
      timers.push(setTimeout(end, LAST_WORDS))
    })
    const notStarted = ({ originalMessage }: { readonly originalMessage?: string | undefined }): void =>
      resolve({ code: null, signal: null, message: originalMessage })
    if (child.pid === undefined) child.then(notStarted, notStarted)
  })
  signal?.addEventListener('abort', stop)
  process.once('exit', kill)
  try {
    if (signal?.aborted === true) stop()
    return await Promise.race([exited, aborted, late])
  } finally {
    for (const timer of timers) clearTimeout(timer)
    process.off('exit', kill)
    signal?.removeEventListener('abort', stop)
  }
}

/** Milliseconds; Node takes a longer one for none at all. */
const LONGEST_TIMER = 2 ** 31 - 1

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}
