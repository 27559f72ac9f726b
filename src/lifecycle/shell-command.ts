/**
 * Runs a command of the user's through the shell, in the folder of the project, and ends with all that it started: on
 * an abort, at a time limit, or when this process ends first. What its end means is for the caller to say.
 */
import type { Context } from '../core/context.ts'
import { redactText } from '../core/redact.ts'

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
  const ended = await endedBy(ctx.signal, options.timeout, child)
  const tails = { stdout: stdout.lines(), stderr: stderr.lines() }
  if (ended === TIMED_OUT) return { kind: 'timed out', end: options.timeout ?? 0, ...tails }
  const { exitCode, signal, originalMessage } = ended
  if (exitCode !== undefined) return { kind: 'exited', end: exitCode, ...tails }
  if (signal !== undefined) return { kind: 'killed', end: signal, ...tails }
  return { kind: 'not started', end: redactText(originalMessage ?? 'an error'), ...tails }
}

/** A path as one word of the command. */
export const shellQuoted = (path: string): string =>
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

/** Until the child has ended; on an abort, at the limit, or when this process ends before it, its group is killed. */
async function endedBy<T>(
  signal: AbortSignal | undefined,
  timeout: number | undefined,
  child: Promise<T> & { readonly pid?: number },
): Promise<T | typeof TIMED_OUT> {
  const kill = (): void => killGroup(child.pid)
  let stop = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      kill()
      // Not only when it has ended: a process that left the group may hold its output open for ever.
      reject(signal?.reason)
    }
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<typeof TIMED_OUT>((resolve) => {
    if (timeout === undefined) return
    timer = setTimeout(() => {
      kill()
      resolve(TIMED_OUT)
    }, timeout)
  })
  signal?.addEventListener('abort', stop)
  process.once('exit', kill)
  try {
    if (signal?.aborted === true) stop()
    return await Promise.race([child, aborted, late])
  } finally {
    clearTimeout(timer)
    process.off('exit', kill)
    signal?.removeEventListener('abort', stop)
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}
