/**
 * Where a command's output goes: on to the terminal or pipe it was meant for, unchanged, and into output.log, capped.
 * Both in flat memory, whatever the command writes.
 */
import { write } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { systemCode } from '../../core/errors.ts'

const writeAsync = promisify(write) as unknown as (
  fd: number,
  bytes: Uint8Array,
  offset: number,
) => Promise<{ bytesWritten: number }>

/** Beyond the first 32 MiB only the last MiB is kept: the beginning and the end are what people read. */
const HEAD_BYTES = 32 << 20
const TAIL_BYTES = 1 << 20
/** Kept in memory while the run's folder is not there yet; then the command waits. */
const PENDING_BYTES = 8 << 20

/** @returns false when the reader has gone */
export async function passOn(fd: number, chunk: Uint8Array): Promise<boolean> {
  for (let offset = 0; offset < chunk.length; ) {
    try {
      offset += (await writeAsync(fd, chunk, offset)).bytesWritten
    } catch (error) {
      const code = systemCode(error)
      // A terminal or pipe that somebody set to non-blocking: it is full, not broken.
      if (code === 'EAGAIN') await sleep(5)
      else if (code === 'EPIPE' || code === 'EBADF' || code === 'EIO' || code === 'ENOSPC') return false
      else throw error
    }
  }
  return true
}

export interface OutputLog {
  write(chunk: Uint8Array): Promise<void>
  /** The run's folder is there; what was written so far goes into it. */
  open(path: string): Promise<void>
  /** There will be no folder: forget it. */
  abandon(): void
  /** Writes the tail. @returns what is missing from the file, in words, or undefined */
  close(): Promise<string | undefined>
}

export function createOutputLog(limits = { head: HEAD_BYTES, tail: TAIL_BYTES }): OutputLog {
  let file: FileHandle | undefined
  let trouble: string | undefined
  let abandoned = false
  let written = 0
  let pending: Buffer[] = []
  let pendingBytes = 0
  let tail: Buffer[] = []
  let tailBytes = 0
  let leftOut = 0
  let isOpen = false
  /** One write after the other: stdout and stderr come at the same time. */
  let queue = Promise.resolve()
  let opened: () => void = () => {}
  const ready = new Promise<void>((resolve) => {
    opened = resolve
  })

  const put = async (bytes: Buffer): Promise<void> => {
    if (trouble !== undefined || file === undefined) return
    try {
      await file.write(bytes)
    } catch (error) {
      trouble = `output.log ends early: ${systemCode(error) ?? 'write failed'}`
    }
  }
  const keep = async (bytes: Buffer): Promise<void> => {
    const room = limits.head - written
    if (room > 0) {
      const part = bytes.subarray(0, room)
      written += part.length
      await put(part)
    }
    if (bytes.length > Math.max(room, 0)) keepTail(bytes.subarray(Math.max(room, 0)))
  }
  const keepTail = (bytes: Buffer): void => {
    tail.push(Buffer.from(bytes))
    tailBytes += bytes.length
    for (let first = tail[0]; first !== undefined && tailBytes - first.length >= limits.tail; first = tail[0]) {
      tail.shift()
      tailBytes -= first.length
      leftOut += first.length
    }
  }

  return {
    async write(chunk) {
      if (abandoned) return
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      if (!isOpen) {
        if (pendingBytes < PENDING_BYTES) {
          pending.push(bytes)
          pendingBytes += bytes.length
          return
        }
        await ready
        if (abandoned) return
      }
      queue = queue.then(() => keep(bytes))
      await queue
    },
    async open(path) {
      try {
        file = await open(path, 'a', 0o644)
      } catch (error) {
        trouble = `output.log could not be written: ${systemCode(error) ?? 'unknown error'}`
      }
      const early = pending
      pending = []
      queue = (async () => {
        for (const bytes of early) await keep(bytes)
      })()
      isOpen = true
      opened()
      await queue
    },
    abandon() {
      abandoned = true
      pending = []
      opened()
    },
    async close() {
      await queue
      if (leftOut > 0) await put(Buffer.from(`\n[mlops: ${leftOut} bytes of output left out here]\n`))
      for (const bytes of tail) await put(bytes)
      tail = []
      await file?.close()
      if (trouble !== undefined) return trouble
      return leftOut > 0 ? `output.log leaves out ${leftOut} bytes in the middle of the output` : undefined
    },
  }
}
