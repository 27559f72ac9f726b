/**
 * Rows and columns of a Parquet file from its footer alone: a few kilobytes at the end of the file, whatever its size.
 * Loading DuckDB for this would take longer than most captures. The footer is a `FileMetaData` struct in Thrift's
 * compact protocol (parquet-format, parquet.thrift); fields 2 (schema) and 3 (num_rows) are read, others are skipped.
 */
import { open } from 'node:fs/promises'

const MAX_FOOTER = 64 << 20

/** @returns undefined for anything that is no whole, unencrypted Parquet file */
export async function parquetShape(path: string): Promise<{ rows: number; columns: number } | undefined> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size < 12) return undefined
    const tail = Buffer.alloc(8)
    await file.read(tail, 0, 8, size - 8)
    const length = tail.readUInt32LE(0)
    if (tail.toString('latin1', 4) !== 'PAR1' || length > size - 12 || length > MAX_FOOTER) return undefined
    const footer = Buffer.alloc(length)
    await file.read(footer, 0, length, size - 8 - length)
    return readFooter(footer)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  } finally {
    await file.close()
  }
}

function readFooter(bytes: Buffer): { rows: number; columns: number } | undefined {
  const reader = new CompactReader(bytes)
  let rows: number | undefined
  let columns: number | undefined
  reader.struct((field, type) => {
    if (field === 2 && type === LIST) {
      let first = true
      reader.list((elementType) => {
        if (!first) return reader.skip(elementType, false)
        first = false
        // The root of the schema: num_children (field 5) is the number of top-level columns.
        reader.struct((member, memberType) => {
          if (member === 5 && memberType === I32) columns = reader.zigzag()
          else reader.skip(memberType)
        })
      })
    } else if (field === 3 && type === I64) rows = reader.zigzag()
    else reader.skip(type)
  })
  return rows === undefined || columns === undefined ? undefined : { rows, columns }
}

const BOOL_TRUE = 1
const BOOL_FALSE = 2
const I8 = 3
const I16 = 4
const I32 = 5
const I64 = 6
const DOUBLE = 7
const BINARY = 8
const LIST = 9
const SET = 10
const MAP = 11
const STRUCT = 12
const MAX_DEPTH = 64

/** Throws RangeError for what is no Thrift. */
class CompactReader {
  private readonly bytes: Buffer
  private at = 0
  private depth = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  struct(read: (field: number, type: number) => void): void {
    if (++this.depth > MAX_DEPTH) throw new RangeError('too deep')
    let field = 0
    for (let head = this.byte(); head !== 0; head = this.byte()) {
      const delta = head >> 4
      field = delta === 0 ? this.zigzag() : field + delta
      read(field, head & 15)
    }
    this.depth--
  }

  list(read: (type: number) => void): void {
    const head = this.byte()
    const type = head & 15
    const size = head >> 4 === 15 ? this.varint() : head >> 4
    if (size > this.bytes.length) throw new RangeError('longer than the footer')
    for (let i = 0; i < size; i++) read(type)
  }

  skip(type: number, isField = true): void {
    switch (type) {
      case BOOL_TRUE:
      case BOOL_FALSE:
        // A field's boolean is in its type; an element's is a byte of its own.
        if (!isField) this.byte()
        return
      case I8:
        this.byte()
        return
      case I16:
      case I32:
      case I64:
        this.varint()
        return
      case DOUBLE:
        this.move(8)
        return
      case BINARY:
        this.move(this.varint())
        return
      case LIST:
      case SET:
        this.list((element) => this.skip(element, false))
        return
      case MAP: {
        const size = this.varint()
        if (size === 0) return
        const types = this.byte()
        for (let i = 0; i < size; i++) {
          this.skip(types >> 4, false)
          this.skip(types & 15, false)
        }
        return
      }
      case STRUCT:
        this.struct((_field, member) => this.skip(member))
        return
      default:
        throw new RangeError(`no Thrift type ${type}`)
    }
  }

  zigzag(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  private varint(): number {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte()
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return value
    }
    throw new RangeError('a number without end')
  }

  private byte(): number {
    const byte = this.bytes[this.at++]
    if (byte === undefined) throw new RangeError('cut short')
    return byte
  }

  private move(count: number): void {
    this.at += count
    if (this.at > this.bytes.length) throw new RangeError('cut short')
  }
}
