/**
 * The directory of a zip file, read strictly. Loaders disagree about mangled archives (one trusts the central directory,
 * another the local headers, a third refuses), so an archive that two of them could read differently is not determined.
 */

import { pipeline } from 'node:stream'
import { createInflateRaw } from 'node:zlib'
import { type ByteSource, type OpenFile, sourceOf } from './reader.ts'

export interface ZipEntry {
  readonly name: string
  readonly deflated: boolean
  readonly compressed: number
  readonly size: number
  /** Where its bytes begin. */
  readonly data: number
}

export type ZipDirectory = { readonly entries: readonly ZipEntry[] } | { readonly problem: string }

const END = 0x06054b50
const END64 = 0x06064b50
const LOCATOR64 = 0x07064b50
const CENTRAL = 0x02014b50
const LOCAL = 0x04034b50
const MOST_ENTRIES = 100_000
const LARGEST_DIRECTORY = 64 << 20
const MAX32 = 0xffffffff

export const isZip = (head: Buffer): boolean => head.length >= 4 && head.readUInt32LE(0) === LOCAL

export async function readZipDirectory(file: OpenFile): Promise<ZipDirectory> {
  const end = await findEnd(file)
  if (typeof end === 'string') return { problem: end }
  const bytes = await file.at(end.offset, end.length)
  const entries: ZipEntry[] = []
  const names = new Set<string>()
  let at = 0
  for (let i = 0; i < end.count; i++) {
    const read = centralEntry(bytes, at)
    if (typeof read === 'string') return { problem: read }
    const key = read.name.toLowerCase()
    if (names.has(key)) return { problem: `two zip entries are called ${read.name}` }
    names.add(key)
    const data = await dataOffset(file, read, end.offset)
    if (typeof data === 'string') return { problem: data }
    entries.push({ ...read, data })
    at += read.length
  }
  if (at !== bytes.length) return { problem: 'the zip directory has bytes that belong to no entry' }
  return overlapping(entries) ? { problem: 'zip entries overlap' } : { entries }
}

/** The record at the very end: a comment or anything behind it is a place to hide another archive in. */
async function findEnd(file: OpenFile) {
  const tail = await file.at(Math.max(0, file.size - 22), 22)
  if (tail.length < 22 || tail.readUInt32LE(0) !== END) return 'the zip file does not end with its directory'
  if (tail.readUInt16LE(20) !== 0) return 'the zip file has a comment'
  if (tail.readUInt16LE(4) !== 0 || tail.readUInt16LE(6) !== 0) return 'the zip file is one of several'
  let count = tail.readUInt16LE(10)
  let length = tail.readUInt32LE(12)
  let offset = tail.readUInt32LE(16)
  let before = file.size - 22
  const locator = await file.at(Math.max(0, before - 20), 20)
  if (locator.length === 20 && locator.readUInt32LE(0) === LOCATOR64) {
    const where = number64(locator, 8)
    const record = await file.at(where, 56)
    if (record.length < 56 || record.readUInt32LE(0) !== END64) return 'the zip64 record is not where it should be'
    const [count64, length64, offset64] = [number64(record, 32), number64(record, 40), number64(record, 48)]
    const agree = (small: number, large: number, most: number): boolean => small === most || small === large
    if (!agree(count, count64, 0xffff) || !agree(length, length64, MAX32) || !agree(offset, offset64, MAX32)) {
      return 'the two ends of the zip file contradict each other'
    }
    count = count64
    length = length64
    offset = offset64
    before = where
  }
  if (count > MOST_ENTRIES || length > LARGEST_DIRECTORY) return 'the zip directory is too large'
  if (offset + length !== before) return 'the zip directory is not where it should be'
  return { count, length, offset }
}

function centralEntry(bytes: Buffer, at: number) {
  if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== CENTRAL) return 'the zip directory is damaged'
  const flags = bytes.readUInt16LE(at + 8)
  const method = bytes.readUInt16LE(at + 10)
  const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field)) as [
    number,
    number,
    number,
  ]
  const length = 46 + nameLength + extraLength + commentLength
  if (at + length > bytes.length) return 'the zip directory is damaged'
  const rawName = bytes.subarray(at + 46, at + 46 + nameLength)
  const name = rawName.toString('utf8')
  if ((flags & 1) !== 0) return `the zip entry ${name} is encrypted`
  if (method !== 0 && method !== 8) return `the zip entry ${name} is compressed in an uncommon way`
  let compressed = bytes.readUInt32LE(at + 20)
  let size = bytes.readUInt32LE(at + 24)
  let header = bytes.readUInt32LE(at + 42)
  const extra = bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength)
  const wide = zip64Field(extra)
  let next = 0
  const widened = (value: number): number => {
    if (value !== MAX32 || wide === undefined || next + 8 > wide.length) return value
    next += 8
    return number64(wide, next - 8)
  }
  size = widened(size)
  compressed = widened(compressed)
  header = widened(header)
  if (method === 0 && size !== compressed) return `the zip entry ${name} has two sizes`
  return {
    name,
    rawName: Buffer.from(rawName),
    flags,
    method,
    deflated: method === 8,
    compressed,
    size,
    header,
    length,
  }
}

type Central = Exclude<ReturnType<typeof centralEntry>, string>

/** Reads the local header; what it says must be what the directory says. */
async function dataOffset(file: OpenFile, entry: Central, directory: number): Promise<number | string> {
  const local = await file.at(entry.header, 30 + entry.rawName.length)
  if (local.length < 30 || local.readUInt32LE(0) !== LOCAL) return `the zip entry ${entry.name} has no header`
  const sameName = local.readUInt16LE(26) === entry.rawName.length && local.subarray(30).equals(entry.rawName)
  if (!sameName) return `the zip entry ${entry.name} has two names`
  const flags = local.readUInt16LE(6)
  if (flags !== entry.flags || local.readUInt16LE(8) !== entry.method)
    return `the zip entry ${entry.name} has two methods`
  // Bit 3: sizes follow the data. They may be left out here, or written after all.
  const later = (flags & 8) !== 0
  const agrees = (field: number, size: number): boolean => {
    const said = local.readUInt32LE(field)
    return said === size || said === MAX32 || (later && said === 0)
  }
  if (!agrees(18, entry.compressed) || !agrees(22, entry.size)) return `the zip entry ${entry.name} has two sizes`
  const data = entry.header + 30 + entry.rawName.length + local.readUInt16LE(28)
  return data + entry.compressed > directory ? `the zip entry ${entry.name} runs into the directory` : data
}

function zip64Field(extra: Buffer): Buffer | undefined {
  for (let at = 0; at + 4 <= extra.length; ) {
    const size = extra.readUInt16LE(at + 2)
    if (extra.readUInt16LE(at) === 1) return extra.subarray(at + 4, at + 4 + size)
    at += 4 + size
  }
  return undefined
}

function overlapping(entries: readonly ZipEntry[]): boolean {
  const sorted = entries.toSorted((a, b) => a.data - b.data)
  return sorted.some((entry, i) => i > 0 && (sorted[i - 1]?.data ?? 0) + (sorted[i - 1]?.compressed ?? 0) > entry.data)
}

const number64 = (bytes: Buffer, at: number): number => bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32

/** The bytes of an entry, as they are after unpacking. */
export function entrySource(file: OpenFile, entry: ZipEntry, tooMuch: () => Error): ByteSource {
  const raw = file.from(entry.data, entry.data + entry.compressed)
  if (!entry.deflated) return raw
  const inflate = createInflateRaw()
  pipeline(chunksOf(raw), inflate, () => {})
  return sourceOf(inflate, entry.size, tooMuch)
}

async function* chunksOf(source: ByteSource): AsyncGenerator<Buffer> {
  for (let chunk = await source.next(); chunk !== undefined; chunk = await source.next()) yield chunk
}
