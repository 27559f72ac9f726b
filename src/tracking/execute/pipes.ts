/**
 * Real pipes for a command's output. What Node calls a pipe is a pair of sockets, and a command can tell: `> /dev/stdout`
 * and `tee /dev/stderr` fail on a socket, and a reader that leaves is ECONNRESET instead of SIGPIPE. A fifo is the one
 * real pipe that can be made without native code.
 */
import { execFile } from 'node:child_process'
import { close, constants, open } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'

export interface Pipes {
  /** File descriptors for the command. */
  readonly write: { readonly stdout: number; readonly stderr: number }
  readonly read: { readonly stdout: Readable; readonly stderr: Readable }
  /** Closes our copies of the writing ends, so that the command's are the last. */
  closeWriting(): Promise<void>
  /** Closes all ends: no command gets them. */
  abandon(): Promise<void>
}

/** @returns undefined where fifos cannot be made (Windows, no `mkfifo`, no temporary folder): take Node's then */
export async function openPipes(): Promise<Pipes | undefined> {
  if (process.platform === 'win32') return undefined
  let folder: string | undefined
  try {
    folder = await mkdtemp(join(tmpdir(), 'mlops-'))
    const paths = [join(folder, '1'), join(folder, '2')] as const
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths])
    const [stdout, stderr] = await Promise.all([openFifo(paths[0]), openFifo(paths[1])])
    const closeWriting = async (): Promise<void> => {
      await Promise.all([closeAsync(stdout.writer), closeAsync(stderr.writer)])
    }
    return {
      write: { stdout: stdout.writer, stderr: stderr.writer },
      read: { stdout: stdout.reader, stderr: stderr.reader },
      closeWriting,
      async abandon() {
        await closeWriting()
        for (const { reader } of [stdout, stderr]) reader.destroy()
      },
    }
  } catch {
    return undefined
  } finally {
    // Open ends live on without their names.
    if (folder !== undefined) await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}

const openAsync = promisify(open) as (path: string, flags: number) => Promise<number>
const closeAsync = promisify(close)

/** The reading end first and without waiting, else each would wait for the other. */
async function openFifo(path: string): Promise<{ reader: Socket; writer: number }> {
  const reading = await openAsync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = await openAsync(path, constants.O_WRONLY)
  return { reader: new Socket({ fd: reading, readable: true, writable: false }), writer }
}
