/** Whole files that are compressed, as joblib writes them: unpacked as a stream where Node can, else not determined. */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip, createInflate, type Gunzip, type Inflate } from 'node:zlib'
import { type ByteSource, sourceOf } from './reader.ts'

/** A model of 2 GB may well be 8 GB of numbers; more is an attack on whoever unpacks it. */
const MOST_UNPACKED = 16 * 2 ** 30

export type Compression = 'zlib' | 'gzip' | 'bz2' | 'xz' | 'lzma' | 'lz4' | 'zstd'

/** By the first bytes, as joblib does it. */
export function compressionOf(head: Buffer): Compression | undefined {
  const starts = (hex: string): boolean => head.subarray(0, hex.length / 2).equals(Buffer.from(hex, 'hex'))
  if (starts('1f8b')) return 'gzip'
  if (['7801', '785e', '789c', '78da'].some(starts)) return 'zlib'
  if (starts('425a68')) return 'bz2'
  if (starts('fd377a585a')) return 'xz'
  if (starts('5d0000')) return 'lzma'
  if (starts('04224d18')) return 'lz4'
  return starts('28b52ffd') ? 'zstd' : undefined
}

/** What is wrong with a compressed file, thrown out of its stream. */
export class Unpackable extends Error {}

/** The unpacked bytes. @throws Unpackable from `next` */
export function unpack(path: string, compression: 'zlib' | 'gzip', size: number): ByteSource {
  const engine: Gunzip | Inflate = compression === 'gzip' ? createGunzip() : createInflate()
  pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), engine, () => {})
  const source = sourceOf(engine, MOST_UNPACKED, () => new Unpackable('it unpacks to more than 16 GiB'))
  return {
    async next() {
      try {
        const chunk = await source.next()
        // Another reader would go on behind the end of the first stream.
        if (chunk === undefined && engine.bytesWritten !== size)
          throw new Unpackable('bytes follow the compressed data')
        return chunk
      } catch (error) {
        if (error instanceof Unpackable) throw error
        throw new Unpackable(`the ${compression} data is damaged`)
      }
    },
  }
}
