/**
 * Reading an archive: every block, every name and every byte is checked before anything of it is handed out, and nothing
 * is written. What its records must hold is in `check-archive.ts`.
 */
import { createHash } from 'node:crypto'
import type { Context } from '../core/context.ts'
import type { Digest } from '../core/digest.ts'
import { type ArchiveFile, openArchiveFile, parseCanonical } from './archive-file.ts'
import {
  ARCHIVE_FORMAT,
  type ArchiveIndex,
  byName,
  digestOf,
  INDEX,
  type IndexEntry,
  MANIFEST,
  MOST_JSON,
  ORIGIN,
} from './format.ts'
import { isIndex } from './records.ts'
import { archiveDamaged, archiveTooNew, entryRefused, notAnArchive } from './refusal.ts'
import { BLOCK, type Blocks, END, lengthOf, padding, tarBlocks } from './tar-block.ts'

/** An archive whose every byte has been checked against its index. */
export interface Archive {
  /** As the user named it. */
  readonly file: string
  /** Of the whole file. */
  readonly sha256: Digest
  readonly size: number
  readonly index: ArchiveIndex
  /** Reads an entry again; whoever stores the bytes compares their digest again. */
  chunks(entry: IndexEntry): AsyncIterable<Uint8Array>
  /** A small entry, parsed. @throws failed `ARCHIVE_REFUSED` when it is not canonical JSON */
  json(entry: IndexEntry): Promise<unknown>
}

/**
 * @param path absolute
 * @throws failed `ARCHIVE_UNKNOWN`, `ARCHIVE_DAMAGED`, `ARCHIVE_REFUSED`, `ARCHIVE_TOO_NEW`, `FILE_…`; notFound
 *   `FILE_NOT_FOUND`; usage `NOT_A_FILE`
 */
export async function withArchive<T>(
  ctx: Context,
  file: string,
  path: string,
  use: (archive: Archive) => Promise<T>,
): Promise<T> {
  const source = await openArchiveFile(file, path)
  try {
    return await use(await checkedArchive(ctx, source))
  } finally {
    await source.close()
  }
}

/** An entry with where its bytes begin. */
interface Placed {
  readonly entry: Pick<IndexEntry, 'path' | 'size'>
  readonly sha256: Digest | undefined
  readonly offset: number
}

async function checkedArchive(ctx: Context, source: ArchiveFile): Promise<Archive> {
  const { file, size } = source
  const blocks = await tarBlocks()
  const [index, indexSize] = await readIndex(source, blocks)
  const placed = placesOf(index, indexSize)
  await checkHeaders(source, blocks, placed)
  const sha256 = await hashAll(ctx, source, placed)
  const offsets = new Map(placed.map(({ entry, offset }) => [entry.path, offset]))
  const offsetOf = ({ path }: IndexEntry): number => offsets.get(path) ?? Number.NaN
  return {
    file,
    sha256,
    size,
    index,
    chunks: (entry) => source.range(offsetOf(entry), entry.size),
    async json(entry) {
      if (entry.size > MOST_JSON) throw entryRefused(file, entry.path, `it is larger than ${MOST_JSON} bytes`)
      const value = parseCanonical(await source.at(offsetOf(entry), entry.size))
      if (value === undefined) throw entryRefused(file, entry.path, 'it is not canonical JSON')
      return value
    },
  }
}

/** The first entry, which names all others. @returns it and its size */
async function readIndex(source: ArchiveFile, blocks: Blocks): Promise<[ArchiveIndex, number]> {
  const { file, size } = source
  const head = await source.at(0, BLOCK)
  if (size === 0) throw archiveDamaged(file, 'it is empty')
  if (head[0] === 0x1f && head[1] === 0x8b)
    throw notAnArchive(file, 'it is compressed', `Unpack it first: gzip -d ${file}`)
  const found = head.length < BLOCK ? undefined : blocks.look(head)
  if (found?.kind === 'foreign') throw entryRefused(file, found.path, found.why)
  if (found?.kind !== 'file') throw notAnArchive(file, 'it does not begin as a tar file does')
  if (found.path !== INDEX) {
    throw notAnArchive(file, `it begins with ${JSON.stringify(found.path.slice(0, 120))}, not with ${INDEX}`)
  }
  if (found.size > MOST_JSON) throw entryRefused(file, INDEX, `it is larger than ${MOST_JSON} bytes`)
  if (BLOCK + found.size > size) throw archiveDamaged(file, 'it was cut short', INDEX)
  const value = parseCanonical(await source.at(BLOCK, found.size))
  if (value === undefined) throw entryRefused(file, INDEX, 'it is not canonical JSON')
  const format = (value as { format?: unknown } | null)?.format
  if (typeof format === 'number' && format > ARCHIVE_FORMAT) throw archiveTooNew(file, format, ARCHIVE_FORMAT)
  const problem = isIndex(value, '') ?? entriesProblem(value as ArchiveIndex)
  if (problem !== undefined) throw entryRefused(file, INDEX, problem)
  return [value as ArchiveIndex, found.size]
}

function entriesProblem({ entries, manifest }: ArchiveIndex): string | undefined {
  for (const [n, entry] of entries.entries()) {
    const { path } = entry
    const before = entries[n - 1]
    const digest = digestOf(path)
    if (digest === undefined && path !== MANIFEST && path !== ORIGIN) {
      return `it names ${JSON.stringify(path)}, which no archive has`
    }
    if (before?.path === path) return `it names ${path} twice`
    if (before !== undefined && byName(before, entry) > 0) return `it names ${path} after ${before.path}`
    if (digest !== undefined && digest !== entry.sha256) return `it names ${path} with another digest`
  }
  if (entries.find(({ path }) => path === MANIFEST)?.sha256 !== manifest) {
    return `it does not name ${MANIFEST} with the digest of the version`
  }
  return entries.some(({ path }) => path === ORIGIN) ? undefined : `it does not name ${ORIGIN}`
}

/** An archive has one form, so the index says where everything is. */
function placesOf(index: ArchiveIndex, indexSize: number): Placed[] {
  const placed: Placed[] = []
  let at = 0
  const place = (entry: Placed['entry'], sha256: Digest | undefined): void => {
    placed.push({ entry, sha256, offset: at + BLOCK })
    at += lengthOf(entry.size)
  }
  place({ path: INDEX, size: indexSize }, undefined)
  for (const entry of index.entries) place(entry, entry.sha256)
  return placed
}

/** Every header, up to the last byte of the file. A few reads: it is done before gigabytes are hashed. */
async function checkHeaders(source: ArchiveFile, blocks: Blocks, placed: readonly Placed[]): Promise<void> {
  const { file, size } = source
  const names = placed.map(({ entry }) => entry.path)
  for (const [n, { entry, offset }] of placed.entries()) {
    const found = await lookAt(source, blocks, offset - BLOCK, entry.path)
    if (found.kind === 'end') throw archiveDamaged(file, 'it ends before this entry', entry.path)
    if (found.path !== entry.path) throw entryRefused(file, found.path, strangerIs(found.path, n, names))
    if (found.size !== entry.size) {
      throw entryRefused(file, entry.path, `it has ${found.size} bytes, and ${INDEX} says ${entry.size}`)
    }
    if (offset + entry.size + padding(entry.size) > size) throw archiveDamaged(file, 'it was cut short', entry.path)
  }
  const last = placed.at(-1)
  const end = last === undefined ? 0 : last.offset + last.entry.size + padding(last.entry.size)
  const found = await lookAt(source, blocks, end, 'after the last')
  if (found.kind === 'file') throw entryRefused(file, found.path, strangerIs(found.path, names.length, names))
  if (!(await source.at(end, END.length)).equals(END)) throw archiveDamaged(file, 'its end was cut short')
  const surplus = size - end - END.length
  if (surplus > 0) throw archiveDamaged(file, `${surplus} bytes follow its end`)
}

async function lookAt(source: ArchiveFile, blocks: Blocks, at: number, entry: string) {
  const { file } = source
  const block = await source.at(at, BLOCK)
  if (block.length < BLOCK) throw archiveDamaged(file, 'it was cut short', entry)
  const found = blocks.look(block)
  if (found.kind === 'damaged') throw archiveDamaged(file, found.why, entry)
  if (found.kind === 'foreign') throw entryRefused(file, found.path, found.why)
  return found
}

/** What is wrong with a name that is not the one that comes now. */
function strangerIs(path: string, n: number, names: readonly string[]): string {
  if (names.slice(0, n).includes(path)) return 'it is there twice'
  if (names.includes(path)) return 'it is not in its place'
  const twin = names.find((name) => name.toLowerCase() === path.toLowerCase())
  return twin === undefined
    ? `${INDEX} does not name it`
    : `its name differs from ${twin} in case only, which some file systems cannot tell apart`
}

/** Reads the whole file once: every entry must have its digest, and what fills its last block must be zeros. */
async function hashAll(ctx: Context, source: ArchiveFile, placed: readonly Placed[]): Promise<Digest> {
  const { file, size } = source
  const whole = createHash('sha256')
  for (const { entry, sha256, offset } of placed) {
    ctx.signal?.throwIfAborted()
    whole.update(await source.at(offset - BLOCK, BLOCK))
    const hash = createHash('sha256')
    let done = 0
    for await (const chunk of source.range(offset, entry.size)) {
      ctx.signal?.throwIfAborted()
      whole.update(chunk)
      hash.update(chunk)
      done += chunk.length
      ctx.progress?.(`checking ${file}`, (offset + done) / size)
    }
    if (done < entry.size || (sha256 !== undefined && hash.digest('hex') !== sha256)) {
      throw archiveDamaged(file, 'its bytes do not have the sha256 that they should have', entry.path)
    }
    const fill = await source.at(offset + entry.size, padding(entry.size))
    if (fill.some((byte) => byte !== 0)) throw archiveDamaged(file, 'something stands behind its bytes', entry.path)
    whole.update(fill)
  }
  whole.update(END)
  return whole.digest('hex')
}
