/** sha256 everywhere (1.8 GB/s in node:crypto), written as 64 lower-case hex digits. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'

/** 64 lower-case hex digits of a sha256. */
export type Digest = string

export const isDigest = (text: unknown): text is Digest => typeof text === 'string' && /^[0-9a-f]{64}$/.test(text)

export function sha256(bytes: Uint8Array | string): Digest {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Digest and size of a file, read in one pass with flat memory. Rejects with the system error of the read. */
export async function sha256File(path: string): Promise<{ sha256: Digest; size: number }> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer)
    size += (chunk as Buffer).length
  }
  return { sha256: hash.digest('hex'), size }
}
