/** Compressed files: told by their bytes, not by their names. */

import * as zlib from 'node:zlib'
import { createGunzip } from 'node:zlib'
import { failed, isMlopsError, systemCode } from '../core/errors.ts'

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

/** @throws failed `DATA_UNREADABLE` for what cannot be unpacked here */
export function decompressor(kind: Kind, label: string): NodeJS.ReadWriteStream {
  if (kind === 'gzip') return createGunzip()
  // Node has had it since 22.15 and 23.8.
  const zstd = (zlib as { createZstdDecompress?: () => NodeJS.ReadWriteStream }).createZstdDecompress
  if (kind === 'zstd' && zstd !== undefined) return zstd()
  const why = kind === 'zstd' ? 'zstd, which needs Node 22.15 or newer' : `${kind}; gzip and zstd can be read`
  throw failed({
    code: 'DATA_UNREADABLE',
    message: `${label} is compressed with ${why}.`,
    hint: kind === 'zip' && /\.xlsx?$/i.test(label) ? 'Export the sheet as CSV' : `Unpack it: ${TOOLS[kind]} ${label}`,
  })
}

/** What went wrong while unpacking, in one sentence. */
export function unpackingFailed(error: unknown, label: string): Error {
  if (isMlopsError(error)) return error
  const isShort = systemCode(error) === 'Z_BUF_ERROR'
  return failed({
    code: 'DATA_UNREADABLE',
    message: isShort
      ? `${label} is cut short: its compressed data end in the middle.`
      : `${label} is compressed and damaged: it cannot be unpacked.`,
    hint: 'Copy or write the file again',
    cause: error,
  })
}
