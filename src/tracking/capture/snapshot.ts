/** Keeping the bytes of declared data as objects: each once, whatever its name, and none that is there already. */
import { open } from 'node:fs/promises'
import { MlopsError } from '../../core/errors.ts'
import type { Pin } from '../../store/events.ts'
import type { Store } from '../../store/store.ts'
import type { FoundFile } from './folder-files.ts'

export interface Kept {
  /** Every byte of the data is in the store. */
  readonly isWhole: boolean
  readonly files: number
  /** Of all of the data. */
  readonly bytes: number
  /** What the store did not have before. */
  readonly addedBytes: number
  readonly notes: readonly string[]
}

/** A file and the bytes that were recorded of it. */
export type Recorded = Omit<FoundFile, 'raw'> & Pin

interface Options {
  readonly signal?: AbortSignal | undefined
  readonly progress?: ((step: string, fraction?: number) => void) | undefined
}

/** Objects on their way at a time: a disk settles several as fast as one. */
const AT_ONCE = 8

/** Bytes. */
const PIECE = 1 << 20

/** What is in the store already is looked at again, so that a snapshot never counts on damaged bytes. */
export async function keepBytes(
  store: Store,
  name: string,
  files: readonly Recorded[],
  { signal, progress }: Options,
): Promise<Kept> {
  const wanted = new Map(files.map((file) => [file.sha256, file]))
  const left = [...wanted.values()]
  const lost: string[] = []
  let [addedBytes, done] = [0, 0]
  const worker = async (): Promise<void> => {
    const buffer = Buffer.allocUnsafe(PIECE)
    for (let file = left.pop(); file !== undefined; file = left.pop()) {
      signal?.throwIfAborted()
      const isNew = !(await store.objects.has(file.sha256))
      const why = await keepOne(store, file, buffer)
      if (why !== undefined) lost.push(`${file.path}: ${why}`)
      else if (isNew) addedBytes += file.size
      progress?.(`keeping data ${name}: ${++done} of ${wanted.size} files`, done / wanted.size)
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  } catch (error) {
    if (!signal?.aborted) throw error
    // What was kept so far is found again by the next snapshot.
    const notes = [`data ${name} has no snapshot: stopped before it was done`]
    return { isWhole: false, files: 0, bytes: 0, addedBytes, notes }
  }
  const more = lost.length > 1 ? ` (and ${lost.length - 1} more)` : ''
  return {
    isWhole: lost.length === 0,
    files: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    addedBytes,
    notes: lost.length === 0 ? [] : [`data ${name} has no whole snapshot: ${lost[0]}${more}`],
  }
}

/** @returns why the store does not have these bytes now */
async function keepOne(
  store: Store,
  { full, sha256, size }: Recorded,
  buffer: Uint8Array,
): Promise<string | undefined> {
  try {
    await store.objects.putChunks({ sha256, size }, () => piecesOf(full, buffer))
    return undefined
  } catch (error) {
    if (error instanceof MlopsError && error.code === 'BYTES_CHANGED') return 'it changed after it was hashed'
    return error instanceof Error ? error.message : String(error)
  }
}

/** Piece by piece in the same buffer: a stream takes a new one for each file, however small. */
async function* piecesOf(path: string | Buffer, buffer: Uint8Array): AsyncIterable<Uint8Array> {
  const file = await open(path, 'r')
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}
