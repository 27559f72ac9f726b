/**
 * One file, made ready for DuckDB: hashed, its format found out from its bytes, unpacked and turned into UTF-8 where it
 * is not. What its columns are is the business of the `*-shape.ts` files.
 */
import { isUtf8 } from 'node:buffer'
import { open } from 'node:fs/promises'
import type { Digest } from '../core/digest.ts'
import { failed } from '../core/errors.ts'
import { HEADER_BYTES } from './csv-header.ts'
import { digestFile, type Hasher, piecesOf } from './hash.ts'
import type { Located } from './locate.ts'
import { makeSpool, type Spool } from './spool.ts'
import { kindOf, unpacked } from './unpack.ts'

export type Format = 'csv' | 'parquet' | 'jsonl'

export interface Part {
  /** For people. */
  readonly label: string
  /** What DuckDB opens: the file itself, or its unpacked and decoded copy. */
  readonly path: string
  /** Of the file's own bytes; those of Parquet are hashed while they are counted. */
  readonly sha256: Promise<Digest>
  readonly format: Format
  /** The beginning of the text, without byte-order mark; '' for Parquet. */
  readonly head: string
  /** Whether `head` is all of it. */
  readonly isWhole: boolean
  /** `UTF-16`, `Windows-1252 (Latin-1)`: said aloud where it is not UTF-8. */
  readonly encoding?: string
}

/** @param spools takes the temporary copies that were made: the caller removes them */
export async function openPart(file: Located, hasher: Hasher, spools: Spool[], signal?: AbortSignal): Promise<Part> {
  const { label } = file
  const first = await firstBytes(file.path, label)
  const kind = kindOf(first)
  if (kind === 'parquet') {
    await assertParquetEnd(file.path, label, file.size)
    const sha256 = file.size < WORTH_A_THREAD ? digestFile(file.path, label, signal) : hasher.digest(file.path, label)
    if (file.size < WORTH_A_THREAD) await sha256
    return { label, path: file.path, sha256, format: 'parquet', head: '', isWhole: false }
  }
  const look = new TextLook()
  let path = file.path
  let sha256: Digest
  if (kind === 'plain') sha256 = await digestFile(path, label, signal, look.take)
  else {
    const spool = await makeSpool(`the unpacked ${label}`)
    spools.push(spool)
    path = spool.path
    sha256 = await digestFile(file.path, label, signal)
    await spool.write(seen(unpacked(kind, file, signal), look.take))
    if (look.size === 0)
      throw failed({ code: 'DATA_EMPTY', message: `${label} is empty when it is unpacked.`, hint: CHECK })
    if (kindOf(look.head()) === 'parquet') {
      await assertParquetEnd(path, label, look.size)
      return { label, path, sha256: Promise.resolve(sha256), format: 'parquet', head: '', isWhole: false }
    }
  }
  const encoding = encodingOf(look, label)
  if (encoding !== undefined) {
    const spool = await makeSpool(`${label} as UTF-8`)
    spools.push(spool)
    await spool.write(decoded(path, label, encoding.decoder, signal))
    path = spool.path
  }
  const head = new TextDecoder(encoding?.decoder ?? 'utf-8').decode(look.head())
  const format = formatOf(label, head)
  const said = encoding === undefined ? {} : { encoding: encoding.name }
  return { label, path, sha256: Promise.resolve(sha256), format, head, isWhole: look.isWhole, ...said }
}

/** Starting a thread takes as long as hashing so many bytes. */
const WORTH_A_THREAD = 32 << 20

const CHECK = 'Check the program that writes it'

/** By the ending where it says something, else by the first character. */
function formatOf(label: string, head: string): Format {
  const ending = /\.([a-z]+)(?:\.(?:gz|zst|zstd))?$/i.exec(label)?.[1]?.toLowerCase() ?? ''
  if (ending === 'parquet' || ending === 'pq') {
    throw failed({
      code: 'DATA_UNREADABLE',
      message: `${label} is not a Parquet file: it does not begin with PAR1.`,
      hint: 'Give it the ending of what it is (.csv, .jsonl), or write it again',
    })
  }
  if (['jsonl', 'ndjson', 'json'].includes(ending)) return 'jsonl'
  if (['csv', 'tsv'].includes(ending)) return 'csv'
  return /^\s*(?:\{\s*["}]|\[\s*[{\]])/.test(head) ? 'jsonl' : 'csv'
}

/** What of a text is needed to know how to read it, seen piece by piece. */
class TextLook {
  size = 0
  #head: Buffer[] = []
  #headSize = 0
  #isUtf8 = true
  #rest = Buffer.alloc(0)

  readonly take = (piece: Uint8Array): void => {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    this.size += chunk.length
    if (this.#headSize < HEADER_BYTES) {
      const more = Buffer.from(chunk.subarray(0, HEADER_BYTES - this.#headSize))
      this.#head.push(more)
      this.#headSize += more.length
    }
    if (!this.#isUtf8) return
    const text = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const cut = text.length - incompleteTail(text)
    this.#isUtf8 = isUtf8(text.subarray(0, cut))
    this.#rest = Buffer.from(text.subarray(cut))
  }

  head(): Buffer {
    return Buffer.concat(this.#head)
  }

  get isWhole(): boolean {
    return this.size <= this.#headSize
  }

  get isUtf8(): boolean {
    return this.#isUtf8 && this.#rest.length === 0
  }
}

/** How many bytes at the end begin a character that the next piece finishes. */
function incompleteTail(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? back : 0
  }
  return 0
}

interface Encoding {
  /** For `TextDecoder`. */
  readonly decoder: string
  readonly name: string
}

/** @returns undefined for UTF-8 */
function encodingOf(look: TextLook, label: string): Encoding | undefined {
  const head = look.head().subarray(0, 65_536)
  const mark = head.subarray(0, 2).toString('hex')
  if (mark === 'fffe') return { decoder: 'utf-16le', name: 'UTF-16' }
  if (mark === 'feff') return { decoder: 'utf-16be', name: 'UTF-16 (big-endian)' }
  if (head.includes(0)) {
    // Text in UTF-16 without its mark: most letters of a header have one zero byte, always at the same side.
    const zeros = [0, 0]
    head.forEach((byte, at) => {
      if (byte === 0) zeros[at & 1] = (zeros[at & 1] ?? 0) + 1
    })
    const [even = 0, odd = 0] = zeros
    if (odd > head.length / 5 && even < head.length / 50) return { decoder: 'utf-16le', name: 'UTF-16' }
    if (even > head.length / 5 && odd < head.length / 50) return { decoder: 'utf-16be', name: 'UTF-16 (big-endian)' }
    throw failed({
      code: 'DATA_UNREADABLE',
      message: `${label} is binary, not text; CSV, JSONL and Parquet can be read.`,
      hint: 'Export it as CSV or Parquet',
    })
  }
  return look.isUtf8 ? undefined : { decoder: 'windows-1252', name: 'Latin-1 (Windows-1252)' }
}

async function* decoded(path: string, label: string, decoder: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const text = new TextDecoder(decoder)
  for await (const piece of piecesOf(path, label, signal))
    yield Buffer.from(text.decode(piece, { stream: true }), 'utf8')
  yield Buffer.from(text.decode(), 'utf8')
}

async function* seen(pieces: AsyncIterable<Buffer>, look: (piece: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    look(piece)
    yield piece
  }
}

async function firstBytes(path: string, label: string): Promise<Buffer> {
  for await (const piece of piecesOf(path, label)) return piece.subarray(0, 8)
  return Buffer.alloc(0)
}

async function assertParquetEnd(path: string, label: string, size: number): Promise<void> {
  const file = await open(path)
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, Math.max(0, size - 4))
    if (buffer.toString('latin1') === 'PAR1' && size >= 12) return
  } finally {
    await file.close()
  }
  throw failed({
    code: 'DATA_UNREADABLE',
    message: `${label} is cut short: a Parquet file ends with PAR1, this one does not.`,
    hint: 'Copy or write the file again',
  })
}
