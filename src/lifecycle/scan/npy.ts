/** NumPy's own files (numpy/lib/format.py): a header that is a Python literal, then raw items or a pickle of objects. */
import { type Literal, parseLiteral } from './python-literal.ts'
import type { OpenFile } from './reader.ts'

export interface NpyHeader {
  /** Where the items begin. */
  readonly data: number
  /** The items are Python objects: a pickle follows. */
  readonly hasObject: boolean
}

const MAGIC = '\u0093NUMPY'
const LONGEST_HEADER = 1 << 20
/** Item types that hold no objects. Everything else, also what numpy would understand, is taken to be objects. */
const PLAIN = /^[<>|=]?(?:\?|[biufcmMSUVa]\d*)(?:\[[0-9A-Za-z]+\])?$/

export const isNpy = (head: Buffer): boolean => head.subarray(0, 6).toString('latin1') === MAGIC

/** @returns undefined for a header that is not the one numpy writes */
export async function readNpyHeader(
  read: (offset: number, length: number) => Promise<Buffer>,
): Promise<NpyHeader | undefined> {
  const head = await read(0, 12)
  const major = head[6] ?? 0
  if (head.length < 10 || !isNpy(head) || major < 1 || major > 3) return undefined
  const wide = major > 1
  if (wide && head.length < 12) return undefined
  const length = wide ? head.readUInt32LE(8) : head.readUInt16LE(8)
  const start = wide ? 12 : 10
  if (length > LONGEST_HEADER) return undefined
  const text = (await read(start, length)).toString(major === 3 ? 'utf8' : 'latin1')
  if (Buffer.byteLength(text, major === 3 ? 'utf8' : 'latin1') !== length) return undefined
  const header = parseLiteral(text.trim())
  if (!(header instanceof Map) || !['descr', 'fortran_order', 'shape'].every((key) => header.has(key))) return undefined
  return { data: start + length, hasObject: !isPlainDescr(header.get('descr'), 0) }
}

/** `'<f8'`, or fields `[('a', '<i4'), ('b', '<f8', (3,)), ('c', [('d', '|u1')])]`. */
function isPlainDescr(descr: Literal | undefined, depth: number): boolean {
  if (typeof descr === 'string') return PLAIN.test(descr)
  if (!Array.isArray(descr) || depth > 8) return false
  return descr.every((field) => Array.isArray(field) && field.length >= 2 && isPlainDescr(field[1], depth + 1))
}

/** The same over a file. */
export const npyOfFile = (file: OpenFile): Promise<NpyHeader | undefined> =>
  readNpyHeader((offset, n) => file.at(offset, n))
