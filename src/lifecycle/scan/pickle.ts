/**
 * Walks the opcodes of one pickle, protocols 0 to 5, without making anything (Python's Lib/pickle.py and pickletools.py
 * are the reference). Every imported name goes into the report as it really is: names are followed through the stack
 * and the memo, and a name that cannot be followed is a finding, not a gap.
 *
 * joblib puts raw array bytes between two opcodes; `arrays` says whether they are passed over, as `joblib.load` does,
 * or read as opcodes, as `pickle.load` does.
 */
import { build } from './array-bytes.ts'
import { container } from './containers.ts'
import { call, found, importGlobal, maker, persistent } from './imports.ts'
import { Machine, MOST_STACK, Raises, type WalkEnd, type WalkOptions } from './machine.ts'
import { OP } from './opcodes.ts'
import type { ByteReader } from './reader.ts'
import { decimal, decodeString, decodeUnicode } from './text-opcodes.ts'
import { DATA, OPAQUE, type Value } from './values.ts'

export type { WalkEnd, WalkOptions } from './machine.ts'

const LONGEST_NAME = 512
const LONGEST_STRING = 256

export async function walkPickle(reader: ByteReader, options: WalkOptions): Promise<WalkEnd> {
  const m = new Machine(reader, options, walkPickle)
  try {
    for (;;) {
      if (m.stack.length > MOST_STACK) throw new Raises('too much')
      if (!reader.has(9)) await reader.fill(9)
      if (!reader.has(1)) throw new Raises('truncated')
      const from = reader.position
      const op = reader.u8()
      if (op === OP.STOP) {
        m.pop()
        return m.end('stop')
      }
      if (!simple(m, op)) await withBytes(m, op)
      // Where a frame ends inside of an argument, one of Python's two unpicklers raises, and the other drops the part
      // inside and reads the argument anew behind the frame. (BUILD has none: what it passes over are array bytes.)
      if (m.frameEnd > from && m.frameEnd < reader.position && op !== OP.BUILD) m.ambiguous = true
    }
  } catch (error) {
    if (error instanceof Raises) return m.end(error.how)
    throw error
  }
}

/** @returns false for an opcode that `withBytes` knows */
function simple(m: Machine, op: number): boolean {
  switch (op) {
    case OP.MARK:
      m.marks.push(m.stack.length)
      if (m.marks.length > MOST_STACK) throw new Raises('too much')
      return true
    case OP.POP:
      m.popOne()
      return true
    case OP.POP_MARK:
      m.popToMark()
      return true
    case OP.DUP:
      m.push(m.top())
      return true
    case OP.NONE:
      m.push(null)
      return true
    case OP.NEWTRUE:
    case OP.NEWFALSE:
      m.push(op === OP.NEWTRUE)
      return true
    case OP.BININT:
      m.push(m.need(4).i32())
      return true
    case OP.BININT1:
      m.push(m.need(1).u8())
      return true
    case OP.BININT2:
      m.push(m.need(2).u16())
      return true
    case OP.BINFLOAT:
      m.need(8).take(8)
      m.push(DATA)
      return true
    case OP.BINGET:
      m.push(m.memo.get(m.need(1).u8()))
      return true
    case OP.LONG_BINGET:
      m.push(m.memo.get(m.need(4).u32()))
      return true
    case OP.BINPUT:
      m.remember(m.need(1).u8(), m.top())
      return true
    case OP.LONG_BINPUT:
      m.remember(m.need(4).u32(), m.top())
      return true
    case OP.MEMOIZE:
      m.remember(m.memo.nextIndex, m.top())
      return true
    case OP.PROTO:
      if (m.need(1).u8() > 5) throw new Raises('malformed')
      return true
    case OP.FRAME: {
      const length = m.need(8).u64()
      // The same two ways of reading.
      if (m.frameEnd > m.reader.position) m.ambiguous = true
      m.frameEnd = m.reader.position + length
      return true
    }
    case OP.SHORT_BINUNICODE: {
      // The commonest opcode of all, so it does not wait when it need not.
      const length = m.reader.peekByte()
      if (length < 0 || length > LONGEST_STRING || !m.reader.has(length + 1)) return false
      m.reader.u8()
      m.push(m.reader.text(length))
      return true
    }
    default:
      return container(m, op) || maker(m, op)
  }
}

async function withBytes(m: Machine, op: number): Promise<void> {
  switch (op) {
    case OP.SHORT_BINUNICODE:
      return string(m, m.need(1).u8(), 'utf8')
    case OP.BINUNICODE:
      return string(m, m.need(4).u32(), 'utf8')
    case OP.BINUNICODE8:
      return string(m, m.need(8).u64(), 'utf8')
    case OP.SHORT_BINSTRING:
      return string(m, m.need(1).u8(), 'latin1')
    case OP.BINSTRING: {
      const length = m.need(4).i32()
      if (length < 0) throw new Raises('malformed')
      return string(m, length, 'latin1')
    }
    case OP.SHORT_BINBYTES:
      return bytes(m, m.need(1).u8())
    case OP.BINBYTES:
      return bytes(m, m.need(4).u32())
    case OP.BINBYTES8:
    case OP.BYTEARRAY8:
      return bytes(m, m.need(8).u64())
    case OP.LONG1:
      return long(m, m.need(1).u8())
    case OP.LONG4: {
      const length = m.need(4).i32()
      if (length < 0) throw new Raises('malformed')
      return long(m, length)
    }
    case OP.BUILD:
      return build(m)
    case OP.GLOBAL:
    case OP.INST: {
      const module = await readName(m)
      const name = await readName(m)
      const made = module === undefined || name === undefined ? unnamed(m) : importGlobal(m, module, name)
      if (op === OP.GLOBAL) m.push(made)
      else m.push(call(m, made, m.tuple(m.popToMark())))
      return
    }
    case OP.PERSID:
      await readLine(m)
      return persistent(m)
    case OP.PUT:
      return m.remember(decimal(await readLine(m)) ?? lost(), m.top())
    case OP.GET:
      m.push(m.memo.get(decimal(await readLine(m)) ?? lost()))
      return
    case OP.INT: {
      const line = await readLine(m)
      const text = line === 'long' ? '' : line.toString('latin1')
      m.push(text === '00' || text === '01' ? text === '01' : (decimal(line) ?? OPAQUE))
      return
    }
    case OP.LONG: {
      const line = await readLine(m)
      m.push(line === 'long' ? OPAQUE : (decimal(line.subarray(0, line.at(-1) === 0x4c ? -1 : undefined)) ?? OPAQUE))
      return
    }
    case OP.FLOAT:
      await readLine(m)
      m.push(OPAQUE)
      return
    case OP.STRING:
      m.push(decodeString(await readLine(m)) ?? OPAQUE)
      return
    case OP.UNICODE:
      m.push(decodeUnicode(await readLine(m)) ?? OPAQUE)
      return
    default:
      // No such opcode.
      throw new Raises('malformed')
  }
}

/** Python may read as a number what we do not. */
function lost(): never {
  throw new Raises('lost')
}

function unnamed(m: Machine): Value {
  found(m, 'a global whose name is not text')
  return OPAQUE
}

function readLine(m: Machine): Promise<Buffer | 'long'> {
  return m.reader.line(1 << 16)
}

/** One of the two lines of GLOBAL and INST. Undefined: it is no name that could be shown or known. */
async function readName(m: Machine): Promise<string | undefined> {
  const line = await readLine(m)
  if (line === 'long' || line.length > LONGEST_NAME) return undefined
  const text = line.toString('utf8')
  return text.includes('\ufffd') ? undefined : text
}

async function string(m: Machine, length: number, encoding: 'utf8' | 'latin1'): Promise<void> {
  const { reader } = m
  if (length > LONGEST_STRING) {
    if (!(await reader.skip(length))) throw new Raises('truncated')
    m.push(OPAQUE)
    return
  }
  if (!reader.has(length) && !(await reader.fill(length))) throw new Raises('truncated')
  const text = reader.take(length).toString(encoding)
  // Latin-1 bytes are no text for Python by default; a name that is not plain ASCII is followed no further.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is the range
  m.push(encoding === 'latin1' && !/^[\u0000-\u007f]*$/.test(text) ? OPAQUE : text)
}

async function bytes(m: Machine, length: number): Promise<void> {
  if (!(await m.reader.skip(length))) throw new Raises('truncated')
  m.push(DATA)
}

async function long(m: Machine, length: number): Promise<void> {
  if (length > 6) return bytes(m, length)
  if (!m.reader.has(length) && !(await m.reader.fill(length))) throw new Raises('truncated')
  m.push(length === 0 ? 0 : m.reader.take(length).readIntLE(0, length))
}
