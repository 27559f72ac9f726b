/** Bytes of a file or of a decompressor, read forwards with little memory. Knows nothing of formats. */
import { open } from 'node:fs/promises'

export interface ByteSource {
  /** The next bytes, or undefined at the end. Valid until the next call. */
  next(): Promise<Buffer | undefined>
  /** Passes over up to `n` bytes without reading them, where that is possible. @returns how many */
  skip?(n: number): number
}

const EMPTY = Buffer.alloc(0)
const CHUNK = 1 << 20

export class ByteReader {
  private readonly source: ByteSource
  private buffer: Buffer = EMPTY
  private at = 0
  /** Position of `buffer[0]`. */
  private base = 0

  constructor(source: ByteSource) {
    this.source = source
  }

  get position(): number {
    return this.base + this.at
  }

  /** Are `n` more bytes at hand without waiting? */
  has(n: number): boolean {
    return this.buffer.length - this.at >= n
  }

  /** Waits until `n` bytes are at hand. @returns false when there are fewer before the end */
  async fill(n: number): Promise<boolean> {
    while (this.buffer.length - this.at < n) {
      const more = await this.source.next()
      if (more === undefined) return false
      this.base += this.at
      this.buffer = this.at === this.buffer.length ? more : Buffer.concat([this.buffer.subarray(this.at), more])
      this.at = 0
    }
    return true
  }

  /** The readers below need the bytes to be at hand. */
  u8(): number {
    return this.buffer[this.at++] ?? 0
  }
  /** The next byte without moving; -1 when it is not at hand. */
  peekByte(): number {
    return this.buffer[this.at] ?? -1
  }
  /** UTF-8 text of `n` bytes. */
  text(n: number): string {
    this.at += n
    return this.buffer.toString('utf8', this.at - n, this.at)
  }
  u16(): number {
    this.at += 2
    return this.buffer.readUInt16LE(this.at - 2)
  }
  u32(): number {
    this.at += 4
    return this.buffer.readUInt32LE(this.at - 4)
  }
  i32(): number {
    this.at += 4
    return this.buffer.readInt32LE(this.at - 4)
  }
  /** Inexact beyond 2^53, where no file ends. */
  u64(): number {
    this.at += 8
    return this.buffer.readUInt32LE(this.at - 8) + this.buffer.readUInt32LE(this.at - 4) * 2 ** 32
  }
  /** Valid until the next `fill` or `skip`. */
  take(n: number): Buffer {
    this.at += n
    return this.buffer.subarray(this.at - n, this.at)
  }
  /** Everything at hand. */
  takeAll(): Buffer {
    return this.take(this.buffer.length - this.at)
  }
  /** Looks ahead without moving. */
  peek(n: number): Buffer {
    return this.buffer.subarray(this.at, this.at + n)
  }

  /** @returns false when the end comes first */
  async skip(n: number): Promise<boolean> {
    const here = Math.min(n, this.buffer.length - this.at)
    this.at += here
    let left = n - here
    if (left > 0 && this.source.skip !== undefined) {
      const passed = this.source.skip(left)
      this.base += this.buffer.length + passed
      this.buffer = EMPTY
      this.at = 0
      left -= passed
    }
    while (left > 0) {
      if (!(await this.fill(1))) return false
      const step = Math.min(left, this.buffer.length - this.at)
      this.at += step
      left -= step
    }
    return true
  }

  /**
   * Text up to the next newline, which is passed over. At the end of the file Python takes the last byte for the newline,
   * whatever it is, and so does this. 'long': more than `most` bytes, passed over all the same.
   */
  async line(most: number): Promise<Buffer | 'long'> {
    let length = 0
    for (;;) {
      const end = this.buffer.indexOf(10, this.at + length)
      if (end >= 0 && end - this.at <= most) {
        const line = this.take(end - this.at)
        this.at += 1
        return line
      }
      if (end >= 0) {
        this.at = end + 1
        return 'long'
      }
      length = this.buffer.length - this.at
      if (length > most) return await this.skipLine()
      if (!(await this.fill(length + 1))) return this.take(length).subarray(0, -1)
    }
  }

  private async skipLine(): Promise<'long'> {
    for (;;) {
      const end = this.buffer.indexOf(10, this.at)
      if (end >= 0) {
        this.at = end + 1
        return 'long'
      }
      this.at = this.buffer.length
      if (!(await this.fill(1))) return 'long'
    }
  }

  /** What is left, as a source of its own. This reader must not be used any more. */
  rest(): ByteSource {
    let first: Buffer | undefined = this.takeAll()
    return {
      next: async () => {
        const here = first
        first = undefined
        return here !== undefined && here.length > 0 ? here : this.source.next()
      },
    }
  }

  async atEnd(): Promise<boolean> {
    return !(this.has(1) || (await this.fill(1)))
  }
}

/** A file that can be read from any place. */
export interface OpenFile {
  readonly size: number
  /** Exactly `length` bytes at `offset`, or fewer at the end of the file. */
  at(offset: number, length: number): Promise<Buffer>
  /** The bytes from `offset` (to `end`, exclusive), forwards. */
  from(offset: number, end?: number): ByteSource
  close(): Promise<void>
}

/** @param signal ends a long scan between two chunks */
export async function openFile(path: string, signal?: AbortSignal): Promise<OpenFile> {
  const handle = await open(path, 'r')
  const { size } = await handle.stat()
  const read = async (offset: number, length: number): Promise<Buffer> => {
    signal?.throwIfAborted()
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)))
    let done = 0
    while (done < buffer.length) {
      const { bytesRead } = await handle.read(buffer, done, buffer.length - done, offset + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return buffer.subarray(0, done)
  }
  return {
    size,
    at: read,
    from(offset, end = size) {
      let here = offset
      return {
        async next() {
          const chunk = await read(here, Math.min(CHUNK, end - here))
          here += chunk.length
          return chunk.length === 0 ? undefined : chunk
        },
        skip(n) {
          const step = Math.max(0, Math.min(n, end - here))
          here += step
          return step
        },
      }
    },
    close: () => handle.close(),
  }
}

/** Bytes of any stream, such as a decompressor's; `most` guards against a small file that becomes a huge one. */
export function sourceOf(stream: AsyncIterable<Buffer>, most: number, tooMuch: () => Error): ByteSource {
  const chunks = stream[Symbol.asyncIterator]()
  let total = 0
  return {
    async next() {
      const { value, done } = await chunks.next()
      if (done === true) return undefined
      total += value.length
      if (total > most) throw tooMuch()
      return value
    },
  }
}
