/** Compressed files: told by their bytes, not by their names. */

import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { failed, systemCode } from '../core/errors.ts'
import { readingFailed } from './hash.ts'

export type Kind = 'parquet' | 'gzip' | 'zstd' | 'bzip2' | 'xz' | 'zip' | 'plain'

/** What a file is by its first bytes. */
export function kindOf(first: Buffer): Kind {
  const hex = first.subarray(0, 6).toString('hex')
  if (hex.startsWith('50415231')) return 'parquet'
  if (hex.startsWith('1f8b')) return 'gzip'
  if (hex.startsWith('28b52ffd')) return 'zstd'
  if (hex.startsWith('425a68')) return 'bzip2'
  if (hex.startsWith('fd377a585a00')) return 'xz'
  if (hex.startsWith('504b0304')) return 'zip'
  return 'plain'
}

const TOOLS: Readonly<Record<string, string>> = { bzip2: 'bunzip2 -k', xz: 'unxz -k', zip: 'unzip', zstd: 'zstd -d' }

/**
 * What is packed in the file, in order.
 * @throws failed `DATA_UNREADABLE` for what cannot be unpacked here, is cut short or damaged
 */
export async function* unpacked(
  kind: Kind,
  { path, label, size }: { readonly path: string; readonly label: string; readonly size: number },
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  const decompressor = decompressorFor(kind, label)
  const ranges = kind === 'zstd' ? await zstdFrames(path, label, size) : [{ start: 0, end: size }]
  for (const { start, end } of ranges) {
    const packed = createReadStream(path, {
      start,
      end: end - 1,
      highWaterMark: 1 << 20,
      ...(signal ? { signal } : {}),
    })
    const unpack = decompressor()
    packed.on('error', (error) => unpack.destroy(error))
    try {
      for await (const piece of packed.pipe(unpack)) yield piece as Buffer
    } catch (error) {
      packed.destroy()
      throw unpackingFailed(error, label, signal)
    }
  }
}

function decompressorFor(kind: Kind, label: string): () => Transform {
  if (kind === 'gzip') return () => zlib.createGunzip()
  // Node has had it since 22.15 and 23.8.
  const zstd = (zlib as { createZstdDecompress?: () => Transform }).createZstdDecompress
  if (kind === 'zstd' && zstd !== undefined) return zstd
  const why = kind === 'zstd' ? 'zstd, which needs Node 22.15 or newer' : `${kind}; gzip and zstd can be read`
  throw failed({
    code: 'DATA_UNREADABLE',
    message: `${label} is compressed with ${why}.`,
    hint: kind === 'zip' && /\.xlsx?$/i.test(label) ? 'Export the sheet as CSV' : `Unpack it: ${TOOLS[kind]} ${label}`,
  })
}

/**
 * Node's decompressor stops after the first frame of a zstd file, and takes one that ends in the middle for whole
 * (22.23, measured). So we look for the frames ourselves, as RFC 8878 has them; only the lengths of blocks are read.
 */
async function zstdFrames(path: string, label: string, size: number): Promise<{ start: number; end: number }[]> {
  const file = await open(path)
  const frames: { start: number; end: number }[] = []
  try {
    let start = 0
    while (start < size) {
      const { end, isSkipped } = await frameAt(file, start, label)
      if (end > size) throw cutShort(label)
      if (!isSkipped) frames.push({ start, end })
      start = end
    }
  } finally {
    await file.close()
  }
  return frames
}

async function frameAt(file: FileHandle, start: number, label: string): Promise<{ end: number; isSkipped: boolean }> {
  const head = await bytesAt(file, start, 8)
  if (head.length < 6) throw cutShort(label)
  const magic = head.readUInt32LE(0)
  // A frame to be skipped: any of sixteen numbers, then its length.
  if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) {
    if (head.length < 8) throw cutShort(label)
    return { end: start + 8 + head.readUInt32LE(4), isSkipped: true }
  }
  if (magic !== 0xfd2fb528) throw damaged(label)
  const flags = head.readUInt8(4)
  const isSingle = (flags & 0x20) !== 0
  const dictionary = [0, 1, 2, 4][flags & 3] ?? 0
  const contentSize = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0
  let at = start + 5 + (isSingle ? 0 : 1) + dictionary + contentSize
  for (;;) {
    const block = await bytesAt(file, at, 3)
    if (block.length < 3) throw cutShort(label)
    const bits = block.readUIntLE(0, 3)
    // One byte stands for a whole block of equal ones (type 1).
    at += 3 + (((bits >> 1) & 3) === 1 ? 1 : bits >> 3)
    if ((bits & 1) === 1) return { end: at + ((flags & 4) === 0 ? 0 : 4), isSkipped: false }
  }
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/** What went wrong while unpacking, in one sentence. */
function unpackingFailed(error: unknown, label: string, signal: AbortSignal | undefined): Error {
  if (signal?.aborted || /^E[A-Z]+$/.test(systemCode(error) ?? '')) return readingFailed(error, label, signal)
  return systemCode(error) === 'Z_BUF_ERROR' ? cutShort(label, error) : damaged(label, error)
}

const AGAIN = 'Copy or write the file again'

const cutShort = (label: string, cause?: unknown) =>
  failed({
    code: 'DATA_UNREADABLE',
    message: `${label} is cut short: its compressed data end in the middle.`,
    hint: AGAIN,
    cause,
  })

const damaged = (label: string, cause?: unknown) =>
  failed({
    code: 'DATA_UNREADABLE',
    message: `${label} is compressed and damaged: it cannot be unpacked.`,
    hint: AGAIN,
    cause,
  })
