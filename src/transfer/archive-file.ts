/** The file of an archive, open for reading at any place. What its bytes mean is not known here. */
import { type FileHandle, open, stat } from 'node:fs/promises'
import { canonicalBytes } from '../core/canonical-json.ts'
import { systemCode } from '../core/errors.ts'
import { fileFailure } from '../store/failures.ts'
import { fileNotFound, notARegularFile } from './refusal.ts'

const CHUNK = 4 << 20

export interface ArchiveFile {
  /** As the user named it. */
  readonly file: string
  readonly size: number
  /** Fewer bytes than asked for only at the end of the file. */
  at(offset: number, length: number): Promise<Buffer>
  /** Chunks of a range, each valid until the next; fewer bytes in all when the file has become shorter. */
  range(offset: number, length: number): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/** @param path absolute. @throws notFound `FILE_NOT_FOUND`; usage `NOT_A_FILE`; failed when it cannot be read */
export async function openArchiveFile(file: string, path: string): Promise<ArchiveFile> {
  try {
    // Opening a pipe would wait for its writer for ever, so look first.
    if (!(await stat(path)).isFile()) throw notARegularFile(file)
    const handle = await open(path, 'r')
    const { size } = await handle.stat()
    return {
      file,
      size,
      async at(offset, length) {
        const bytes = Buffer.alloc(length)
        return bytes.subarray(0, await fill(handle, path, bytes, offset))
      },
      range: (offset, length) => range(handle, path, offset, length),
      close: () => handle.close(),
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw fileNotFound(file)
    throw fileFailure(error, path, 'read')
  }
}

async function* range(handle: FileHandle, path: string, offset: number, length: number): AsyncIterable<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, length))
  for (let done = 0; done < length; ) {
    const wanted = buffer.subarray(0, Math.min(buffer.length, length - done))
    const count = await fill(handle, path, wanted, offset + done)
    if (count > 0) yield wanted.subarray(0, count)
    if (count < wanted.length) return
    done += count
  }
}

async function fill(handle: FileHandle, path: string, into: Buffer, offset: number): Promise<number> {
  try {
    let done = 0
    while (done < into.length) {
      const { bytesRead } = await handle.read(into, done, into.length - done, offset + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return done
  } catch (error) {
    throw fileFailure(error, path, 'read')
  }
}

/** The value of a whole canonical JSON file; undefined when it is anything else: two readers could differ about it. */
export function parseCanonical(bytes: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return canonicalBytes(value).equals(bytes) ? value : undefined
  } catch {
    // No JSON, or nested so deeply that nobody can walk it.
    return undefined
  }
}
