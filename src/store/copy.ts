/**
 * Copying a file while hashing it, with flat memory: while one chunk is hashed on this thread, the one before it is
 * being written and the next one read by others.
 */
import { createHash } from 'node:crypto'
import type { Pin } from './events.ts'
import type { Files } from './files.ts'

const CHUNK = 4 << 20

/**
 * @param source a file open for reading, at its beginning
 * @param write keeps the bytes; not called again before it has resolved
 */
export async function copyHashed(
  files: Files,
  source: number,
  write: (bytes: Uint8Array) => Promise<void>,
  progress?: (bytes: number) => void,
): Promise<Pin> {
  const hash = createHash('sha256')
  let [current, next] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)]
  let size = 0
  let count = await files.read(source, current)
  while (count > 0) {
    const bytes = current.subarray(0, count)
    const writing = write(bytes)
    const reading = files.read(source, next)
    hash.update(bytes)
    const [, following] = await bothSettled(writing, reading)
    size += count
    progress?.(size)
    ;[current, next] = [next, current]
    count = following
  }
  return { sha256: hash.digest('hex'), size }
}

/** Waits for both even when one fails, so that no call is still using a buffer or a descriptor afterwards. */
async function bothSettled<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([a, b])
  if (first.status === 'rejected') throw first.reason
  if (second.status === 'rejected') throw second.reason
  return [first.value, second.value]
}
