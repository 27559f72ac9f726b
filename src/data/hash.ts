/** The digest of a file's bytes, with flat memory; and of many files together. What is in them is not looked at. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type Digest, sha256 } from '../core/digest.ts'
import { failed, interrupted, isMlopsError, systemCode } from '../core/errors.ts'

/** Large pieces: 1.8 GB/s against 1.3 with Node's 64 KiB. */
const PIECE = 1 << 20

/**
 * The bytes of a file in order.
 * @param name for the error
 * @throws failed `DATA_UNREADABLE`; interrupted
 */
export async function* piecesOf(path: string, name: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  try {
    for await (const piece of createReadStream(path, { highWaterMark: PIECE, ...(signal ? { signal } : {}) })) {
      yield piece as Buffer
    }
  } catch (error) {
    throw readingFailed(error, name, signal)
  }
}

export function readingFailed(error: unknown, name: string, signal: AbortSignal | undefined): Error {
  if (signal?.aborted) return interrupted({ code: 'INTERRUPTED', message: 'Interrupted while reading data.' })
  if (isMlopsError(error)) return error
  const why = systemCode(error) === 'EACCES' ? 'permission denied' : (systemCode(error) ?? 'read error')
  return failed({ code: 'DATA_UNREADABLE', message: `${name} cannot be read: ${why}.`, cause: error })
}

/** @param look sees every piece on its way */
export async function digestFile(
  path: string,
  name: string,
  signal?: AbortSignal,
  look?: (piece: Buffer) => void,
): Promise<Digest> {
  const hash = createHash('sha256')
  for await (const piece of piecesOf(path, name, signal)) {
    hash.update(piece)
    look?.(piece)
  }
  return hash.digest('hex')
}

/** Of a folder or a pattern: the digest of its `path\0sha256\n` lines, sorted by path. */
export function digestOfMany(parts: readonly { readonly label: string; readonly sha256: Digest }[]): Digest {
  const lines = parts.map(({ label, sha256: digest }) => `${label}\0${digest}\n`)
  return sha256(Buffer.from(lines.sort().join(''), 'utf8'))
}
