/**
 * The blocks of a tar file, strictly: every entry has exactly one form, so whatever differs from it is refused. Readers
 * of tar, the `tar` package's own included, skip or rewrite what they find odd and report success; here its `Header`
 * is used for single blocks and nothing is left to its parser.
 */
import type { Header } from 'tar'

export const BLOCK = 512
/** Two blocks of zeros. */
export const END = Buffer.alloc(2 * BLOCK)

export const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK
/** Bytes that an entry takes in the archive. */
export const lengthOf = (size: number): number => BLOCK + size + padding(size)

/** What one header block says. */
export type Seen =
  | { readonly kind: 'file'; readonly path: string; readonly size: number }
  /** A block of zeros: the archive ends here. */
  | { readonly kind: 'end' }
  /** Not a tar header, or a changed one. */
  | { readonly kind: 'damaged'; readonly why: string }
  /** A header that is whole and that no archive of ours has. */
  | { readonly kind: 'foreign'; readonly path: string; readonly why: string }

export interface Blocks {
  header(path: string, size: number): Buffer
  look(block: Buffer): Seen
}

/** Loads the `tar` package. */
export async function tarBlocks(): Promise<Blocks> {
  const { Header } = await import('tar')
  const header = (path: string, size: number): Buffer => {
    const block = Buffer.alloc(BLOCK)
    // Epoch, nobody's, readable: the same on every machine.
    const fields = { path, size, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0), type: 'File' as const }
    new Header(fields).encode(block)
    return block
  }
  return { header, look: (block) => look(block, (bytes) => new Header(bytes), header) }
}

function look(block: Buffer, parse: (block: Buffer) => Header, header: Blocks['header']): Seen {
  if (block.every((byte) => byte === 0)) return { kind: 'end' }
  let found: Header
  try {
    found = parse(block)
  } catch {
    return { kind: 'damaged', why: 'its numbers cannot be read' }
  }
  if (!found.cksumValid) return { kind: 'damaged', why: 'its checksum is wrong' }
  const { path = '', size } = found
  const unwanted = UNWANTED[found.type]
  if (found.type !== 'File') return { kind: 'foreign', path, why: unwanted ?? 'it is of an unknown kind' }
  if (size === undefined || !Number.isSafeInteger(size)) return { kind: 'damaged', why: 'it has no size' }
  const problem = nameProblem(path)
  if (problem !== undefined) return { kind: 'foreign', path, why: problem }
  if (header(path, size).equals(block)) return { kind: 'file', path, size }
  return { kind: 'foreign', path, why: 'its header says more than a name and a size (owner, mode, time, a link)' }
}

/** Why a name is refused before anybody looks whether it is expected: the words should say what it would have done. */
function nameProblem(path: string): string | undefined {
  if (path === '') return 'it has no name'
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path) || path.startsWith('\\')) return 'its path is absolute'
  if (path.split(/[/\\]/).includes('..')) return 'its path leads upwards with ".."'
  return path.includes('\ufffd') ? 'its name is not valid Unicode' : undefined
}

const OVERRIDES = 'which would change the name or the size of another entry'

const UNWANTED: Readonly<Partial<Record<Header['type'], string>>> = {
  SymbolicLink: 'it is a symbolic link',
  Link: 'it is a hard link',
  CharacterDevice: 'it is a device',
  BlockDevice: 'it is a device',
  FIFO: 'it is a pipe',
  Directory: 'it is a folder; archives hold files only',
  OldFile: 'it is a file of an old kind',
  ContiguousFile: 'it is a file of an old kind',
  SparseFile: 'it is a sparse file',
  GNUDumpDir: 'it is a folder of a GNU dump',
  ExtendedHeader: `it is a pax header, ${OVERRIDES}`,
  GlobalExtendedHeader: `it is a pax header, ${OVERRIDES}`,
  OldExtendedHeader: `it is a pax header, ${OVERRIDES}`,
  NextFileHasLongPath: `it is a GNU long name, ${OVERRIDES}`,
  NextFileHasLongLinkpath: `it is a GNU long name, ${OVERRIDES}`,
  OldGnuLongPath: `it is a GNU long name, ${OVERRIDES}`,
  TapeVolumeHeader: 'it is the label of a tape',
}
