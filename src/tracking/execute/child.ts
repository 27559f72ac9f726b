/**
 * Starts the command of a run, hands its output on in chunks, passes signals to it, and says how it ended.
 * What is done with the output is the caller's; nothing here knows the store.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { MlopsError, systemCode } from '../../core/errors.ts'
import { openPipes, type Pipes } from './pipes.ts'

/** Subscribes to the signals that reach this process; returns the way to unsubscribe. */
export type SignalSource = (listener: (signal: NodeJS.Signals) => void) => () => void

/** @returns false when nobody reads any more, so that the command shall meet a closed pipe as it would without us */
export type TakeChunk = (chunk: Buffer) => Promise<boolean>

export interface ChildRequest {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: TakeChunk
  readonly stderr: TakeChunk
  /**
   * Stay in the terminal's foreground process group: the command keeps its terminal (Ctrl-Z, password prompts), and
   * the terminal itself delivers Ctrl-C to it. Otherwise the command leads a group of its own, and a signal reaches
   * all of its processes.
   */
  readonly foreground: boolean
  /** For its output, being made already; undefined: they are made here. */
  readonly pipes?: Promise<Pipes | undefined> | undefined
  readonly signals?: SignalSource | undefined
  /** Milliseconds between a second signal and SIGKILL. */
  readonly grace?: number | undefined
  /** Called once, a while after a first signal that did not end the command. @param grace milliseconds, as above */
  readonly ignored?: ((grace: number) => void) | undefined
}

export interface ChildEnd {
  readonly exit: number | null
  readonly signal: NodeJS.Signals | null
  /** The first signal that was passed on to it. */
  readonly sent: NodeJS.Signals | undefined
  /** Some process it started still held its output open, and was no longer listened to. */
  readonly leftOpen: boolean
}

type Exit = Pick<ChildEnd, 'exit' | 'signal'>

export interface Child {
  readonly pid: number
  readonly ended: Promise<ChildEnd>
}

const PASSED_ON: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
const DEFAULT_GRACE = 5_000
/** Milliseconds after a first signal until a word is said; a clean-up that takes no longer needs none. */
const SILENT = 2_000

/** Exit code of a command that could not be found, and of one that could not be executed, as shells have it. */
const NOT_FOUND = 127
const NOT_EXECUTABLE = 126

/** Thrown by `startChild`; `code` of the process is `exit`. */
class StartError extends MlopsError {
  readonly status: number
  constructor(status: number, message: string, hint: string, cause: unknown) {
    super('failed', {
      code: status === NOT_FOUND ? 'COMMAND_NOT_FOUND' : 'COMMAND_NOT_EXECUTABLE',
      message,
      hint,
      cause,
    })
    this.status = status
  }
  override get exitCode(): number {
    return this.status
  }
}

/** @throws StartError when the system cannot start it */
export async function startChild(request: ChildRequest): Promise<Child> {
  const [program = '', ...args] = request.command
  const pipes = await (request.pipes ?? openPipes())
  const child = spawn(program, args, {
    cwd: request.cwd,
    env: { ...request.env },
    stdio: ['inherit', pipes?.write.stdout ?? 'pipe', pipes?.write.stderr ?? 'pipe'],
    detached: !request.foreground,
    windowsHide: true,
  })
  // At once: a short command has ended before the next line is reached.
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (exit, signal) => resolve({ exit, signal }))
  })
  try {
    await new Promise<void>((started, failedToStart) => {
      child.once('spawn', started)
      child.once('error', (error) => failedToStart(startError(program, error)))
    })
  } catch (error) {
    await pipes?.abandon()
    throw error
  }
  // A later `error` is a signal that could not be delivered: the process is gone, and `exit` says so.
  child.on('error', () => {})
  const pid = child.pid as number
  const ended = follow(exited, pid, request, pipes?.read ?? child)
  await pipes?.closeWriting()
  return { pid, ended }
}

/** 128 + number for a signal, as shells have it. */
export function exitCodeOf(end: Pick<ChildEnd, 'exit' | 'signal'>): number {
  return end.exit ?? (end.signal === null ? 1 : 128 + (constants.signals[end.signal] ?? 0))
}

async function follow(
  exited: Promise<Exit>,
  pid: number,
  request: ChildRequest,
  output: { readonly stdout: Readable | null; readonly stderr: Readable | null },
): Promise<ChildEnd> {
  const out = pump(output.stdout, request.stdout)
  const err = pump(output.stderr, request.stderr)
  const passing = passSignals(pid, request)
  const end = await exited
  passing.stop()
  const leftOpen = await drain([out, err])
  return { ...end, sent: passing.first(), leftOpen }
}

interface Pump {
  readonly done: Promise<void>
  /** Chunks taken so far. */
  count(): number
  /** A chunk is being handed on right now: the reader downstream is slow, not the command. */
  busy(): boolean
  stop(): void
}

function pump(stream: Readable | null, take: TakeChunk): Pump {
  let count = 0
  let busy = false
  const run = async (): Promise<void> => {
    if (stream === null) return
    try {
      for await (const chunk of stream) {
        count++
        busy = true
        const wanted = await take(chunk as Buffer)
        busy = false
        // Leaving the loop closes the pipe: the command's next write fails as it would have in the shell.
        if (!wanted) break
      }
    } catch (error) {
      if (!['ERR_STREAM_PREMATURE_CLOSE', 'EIO', 'ECONNRESET'].includes(systemCode(error) ?? '')) throw error
    }
  }
  return { done: run(), count: () => count, busy: () => busy, stop: () => void stream?.destroy() }
}

const TICK = 100
/** Ticks without a byte after the command ended until its pipe counts as held open by somebody else. */
const QUIET_TICKS = 3
/** Ticks altogether, for a left-over process that never stops writing. */
const MOST_TICKS = 50

/**
 * Reads what is still in the pipes of an ended command. A daemon it left behind may hold them open for ever, so
 * silence ends the reading.
 */
async function drain(pumps: readonly Pump[]): Promise<boolean> {
  const all = Promise.all(pumps.map((each) => each.done)).then(() => true)
  const counted = (): number => pumps.reduce((sum, each) => sum + each.count(), 0)
  let quiet = 0
  let before = counted()
  for (let tick = 0; tick < MOST_TICKS && quiet < QUIET_TICKS; ) {
    const { promise, cancel } = pause(TICK)
    const done = await Promise.race([all, promise])
    cancel()
    if (done) return false
    if (pumps.some((each) => each.busy())) continue
    tick++
    const now = counted()
    quiet = now === before ? quiet + 1 : 0
    before = now
  }
  for (const each of pumps) each.stop()
  await all
  return true
}

function pause(milliseconds: number): { promise: Promise<false>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined
  const promise = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds)
  })
  return { promise, cancel: () => clearTimeout(timer) }
}

/**
 * First signal: passed on. Second: passed on again, and SIGKILL after the grace period. Third: SIGKILL at once.
 * In the foreground the terminal has delivered Ctrl-C already; twice would interrupt the command's own clean-up.
 */
function passSignals(pid: number, request: ChildRequest) {
  const grace = request.grace ?? DEFAULT_GRACE
  let count = 0
  let first: NodeJS.Signals | undefined
  let timer: NodeJS.Timeout | undefined
  let word: NodeJS.Timeout | undefined
  const send = (signal: NodeJS.Signals): void => {
    try {
      process.kill(request.foreground ? pid : -pid, signal)
    } catch {
      // It is gone already.
    }
  }
  const stop = request.signals?.((signal) => {
    if (!PASSED_ON.includes(signal)) return
    count++
    first ??= signal
    if (!(request.foreground && signal === 'SIGINT')) send(signal)
    if (count === 1) word = setTimeout(() => request.ignored?.(grace), SILENT)
    else clearTimeout(word)
    if (count === 2) timer = setTimeout(() => send('SIGKILL'), grace)
    if (count > 2) send('SIGKILL')
  })
  return {
    first: () => first,
    stop() {
      clearTimeout(timer)
      clearTimeout(word)
      stop?.()
    },
  }
}

function startError(program: string, error: unknown): MlopsError {
  const code = systemCode(error) ?? 'unknown'
  if (code === 'ENOENT') {
    return new StartError(
      NOT_FOUND,
      `There is no command ${JSON.stringify(program)}: nothing was run and nothing recorded.`,
      `Look for it: command -v ${program}`,
      error,
    )
  }
  return new StartError(
    NOT_EXECUTABLE,
    code === 'EACCES'
      ? `${JSON.stringify(program)} is not executable: nothing was run and nothing recorded.`
      : `${JSON.stringify(program)} could not be started (${code}): nothing was run and nothing recorded.`,
    code === 'EACCES'
      ? `Make it so (chmod +x ${program}), or name its interpreter: python ${program}`
      : 'Check the command.',
    error,
  )
}
