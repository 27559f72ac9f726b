/**
 * What becomes of text that cannot be written: a full disk, a closed file, a reader that left. Nothing about what the
 * text says belongs here.
 */
import { failed, type MlopsError, systemCode } from '../core/errors.ts'
import { type Failure, isClosedPipe } from './errors.ts'

export interface Output {
  /** oclif's `Command`, when it is loaded, adds a listener that throws; call this afterwards. */
  takeOver(): void
  /** Waits until everything is written. @returns why stdout could not be, undefined when all went well */
  settle(): Promise<Error | undefined>
}

/**
 * Listens to both streams. A reader that goes away (`mlops model list | head -1`) is no failure; a change in progress
 * still ends as it should. Nor is stderr that cannot be written: nobody could be told.
 */
export function watchOutput(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream): Output {
  let failure: Error | undefined
  const listen = (): void => {
    stdout.removeAllListeners('error').on('error', (error) => {
      if (!isClosedPipe(error)) failure ??= error
    })
  }
  listen()
  stderr.on('error', () => {})
  return {
    takeOver: listen,
    async settle() {
      await Promise.all([stdout, stderr].map(drained))
      // The error of a write arrives one tick after it.
      await new Promise(setImmediate)
      return failure
    },
  }
}

/** Not by an empty write to a stream on which nothing waits: a full disk refuses even that. */
const drained = (stream: NodeJS.WriteStream): Promise<void> | undefined =>
  stream.writableLength === 0 ? undefined : new Promise((done) => stream.write('', () => done()))

/** How a command ended, for what is said when its output could not be printed. */
export interface Ended {
  /** `model list` */
  readonly command: string
  /** Undefined when it did what it was asked to do, whatever the answer was. */
  readonly failure: Failure | undefined
  /** It may have written into the store. */
  readonly wrote: boolean
  /** What to end with when the result could not be printed. */
  readonly exitCode: number
}

/**
 * A command whose result is lost has failed for who waits for it, but what it did is done, and that is said.
 * @param ended undefined for help and the version
 */
export function unprinted(cause: Error, ended: Ended | undefined): MlopsError {
  const why = `${REASONS[systemCode(cause) ?? ''] ?? cause.message} (${systemCode(cause) ?? cause.name})`
  const code = 'OUTPUT_FAILED'
  if (ended === undefined) return failed({ code, message: `stdout cannot be written: ${why}.`, cause })
  const what = `mlops ${ended.command}`
  if (ended.failure !== undefined) {
    return failed({ code, message: `The error of ${what} could not be printed on stdout: ${why}.`, cause })
  }
  return failed({
    code,
    message: `${what} did its work, but its result could not be printed on stdout: ${why}.`,
    hint: ended.wrote
      ? 'See mlops status, mlops model history MODEL or mlops run list before running it again'
      : 'Send stdout somewhere else and run it again',
    cause,
  })
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left there',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than is allowed',
  EBADF: 'it is not open for writing',
  EIO: 'writing failed',
}
