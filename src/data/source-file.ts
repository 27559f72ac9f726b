/** The file behind a source as a file: is there one, what are its bytes. What is in it is the business of `source.ts`. */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Digest } from '../core/digest.ts'
import { failed, interrupted, notFound, systemCode, usage } from '../core/errors.ts'
import { redactText } from '../core/redact.ts'
import { HEADER_BYTES } from './csv-header.ts'

export async function statData(name: string, path: string) {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(name)) {
    throw usage({
      code: 'DATA_REMOTE',
      message: `${redactText(name)} is not a local file; only local files can be read.`,
      hint: 'Download it first',
    })
  }
  const facts = await stat(path).catch((error: unknown) => {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw notFound({ code: 'DATA_NOT_FOUND', message: `There is no file ${name}.`, hint: `Looked for ${path}` })
    }
    throw failed({ code: 'DATA_UNREADABLE', message: `${name} cannot be opened (${code}).`, cause: error })
  })
  if (facts.isDirectory()) {
    throw usage({
      code: 'DATA_IS_DIRECTORY',
      message: `${name} is a directory, not a data file.`,
      hint: 'Name one CSV, Parquet or JSONL file in it',
    })
  }
  if (!facts.isFile()) {
    throw usage({
      code: 'DATA_NOT_A_FILE',
      message: `${name} is not a regular file.`,
      hint: 'Write it to a file first',
    })
  }
  if (facts.size === 0) {
    throw failed({
      code: 'DATA_EMPTY',
      message: `${name} is empty: it does not even have a header.`,
      hint: 'Check the program that writes it',
    })
  }
  return facts
}

export interface FileBytes {
  readonly sha256: Digest
  readonly head: Buffer
  readonly tail: Buffer
  readonly isWhole: boolean
  readonly isUtf8: boolean
}

/** One pass over the file: its digest, its first bytes, and whether all of it is UTF-8. */
export async function readThrough(path: string, name: string, signal?: AbortSignal): Promise<FileBytes> {
  const hash = createHash('sha256')
  let head = Buffer.alloc(0)
  let tail = Buffer.alloc(0)
  let size = 0
  let utf8 = true
  let rest = Buffer.alloc(0)
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 20, ...(signal ? { signal } : {}) })) {
      const chunk = piece as Buffer
      hash.update(chunk)
      size += chunk.length
      if (head.length < HEADER_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEADER_BYTES - head.length)])
      tail = Buffer.from(chunk.subarray(-4))
      if (!utf8 || head.subarray(0, 4).toString('latin1') === 'PAR1') continue
      const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const cut = text.length - incompleteTail(text)
      utf8 = isUtf8(text.subarray(0, cut))
      rest = Buffer.from(text.subarray(cut))
    }
  } catch (error) {
    if (signal?.aborted) throw interrupted({ code: 'INTERRUPTED', message: 'Interrupted while reading data.' })
    const why = systemCode(error) === 'EACCES' ? 'permission denied' : (systemCode(error) ?? 'read error')
    throw failed({ code: 'DATA_UNREADABLE', message: `${name} cannot be read: ${why}.`, cause: error })
  }
  return { sha256: hash.digest('hex'), head, tail, isWhole: size <= head.length, isUtf8: utf8 && rest.length === 0 }
}

/** How many bytes at the end begin a character that the next chunk finishes. */
function incompleteTail(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? back : 0
  }
  return 0
}
