/**
 * The list of the files of a folder of data: `path\0sha256\n` for each, sorted. Its digest is the digest of the data.
 * Paths are bytes, as the disk has them; `/` stands between folders. Pure.
 */
import { type Digest, isDigest } from '../../core/digest.ts'

export interface ListedFile {
  /** For people, and for most programs: what is no UTF-8 in it is replaced. */
  readonly path: string
  /** The name as it is, where it is no UTF-8. */
  readonly raw?: Buffer
}

/** In the order of the manifest: that of UTF-16 code units, as `Array.sort` has it. */
export const inOrder = <F extends ListedFile>(files: readonly F[]): F[] =>
  files.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : Buffer.compare(bytesOf(a), bytesOf(b))))

export const bytesOf = ({ path, raw }: ListedFile): Buffer => raw ?? Buffer.from(path, 'utf8')

/** @param files in order */
export function writeManifest(files: readonly (ListedFile & { readonly sha256: Digest })[]): Buffer {
  return Buffer.concat(
    files.map((file) =>
      file.raw === undefined
        ? Buffer.from(`${file.path}\0${file.sha256}\n`, 'utf8')
        : Buffer.concat([file.raw, Buffer.from(`\0${file.sha256}\n`)]),
    ),
  )
}

/** @throws RangeError for bytes that are no manifest: torn, or of something else */
export function readManifest(bytes: Buffer): (ListedFile & { readonly sha256: Digest })[] {
  const files: (ListedFile & { readonly sha256: Digest })[] = []
  for (let at = 0; at < bytes.length; ) {
    // A name may hold a line break, never a NUL.
    const end = bytes.indexOf(0, at)
    const sha256 = bytes.toString('latin1', end + 1, end + 65)
    if (end <= at || !isDigest(sha256) || bytes[end + 65] !== 0x0a) throw new RangeError('this is no list of files')
    const name = bytes.subarray(at, end)
    const path = name.toString('utf8')
    files.push(path.includes('\ufffd') ? { path, raw: Buffer.from(name), sha256 } : { path, sha256 })
    at = end + 66
  }
  return files
}
