/**
 * Walks the opcodes of one pickle, protocols 0 to 5, without making anything (Python's Lib/pickle.py and pickletools.py
 * are the reference). Every import goes into the report with the name it really has: names are followed through the
 * stack and the memo, and a name that cannot be followed is a finding, not a gap.
 *
 * joblib puts raw array bytes between two opcodes; `arrays` says whether they are passed over, as `joblib.load` does,
 * or read as opcodes, as `pickle.load` does.
 */

import { argumentProblem, isWrapperClass, WRAPPER_FIELDS } from './known-globals.ts'
import { Memo } from './memo.ts'
import { isImportable } from './modules.ts'
import { OP } from './opcodes.ts'
import type { ByteReader } from './reader.ts'
import type { Report } from './report.ts'
import { decimal, decodeString, decodeUnicode, isPlausibleName } from './text-opcodes.ts'
import {
  ArrayWrapper,
  DATA,
  Dict,
  Dtype,
  Global,
  INSTANCE,
  layoutOf,
  MOST_ITEMS,
  OPAQUE,
  Tuple,
  type Value,
} from './values.ts'

export interface WalkOptions {
  readonly report: Report
  /** `joblib`: raw bytes after an array wrapper are passed over. `opcodes`: whatever follows is an opcode. */
  readonly arrays: 'joblib' | 'opcodes'
  /** What a persistent id does: plain `pickle.load` raises, `torch.load` finds a tensor's bytes. */
  readonly persistent: 'doubt' | 'tensor'
  /** Bytes from here on are read as opcodes only by the wrong loader: what is no plausible name ends it there. */
  readonly guessFrom?: number
}

/** How a walk ended. `stop`: at a STOP, as a pickle does. Anything else names where Python would have raised. */
export interface WalkEnd {
  readonly how: 'stop' | 'malformed' | 'truncated' | 'lost' | 'too much'
  readonly at: number
  /** Something was called or imported that is not on the list, before the end. */
  readonly ran: boolean
  /** Position of the first array that joblib and pickle read differently. */
  readonly divergesAt: number | undefined
}

/** Values on the stack at once. One tuple of a million items is data; ten million are an attack or a mistake. */
const MOST_STACK = 8_000_000
const LONGEST_NAME = 512
const LONGEST_STRING = 256

export async function walkPickle(reader: ByteReader, options: WalkOptions): Promise<WalkEnd> {
  return new Walker(reader, options).walk()
}

/** Python would raise here: nothing after it is ever run. */
class Raises extends Error {
  readonly how: Exclude<WalkEnd['how'], 'stop'>
  constructor(how: Exclude<WalkEnd['how'], 'stop'>) {
    super(how)
    this.how = how
  }
}

class Walker {
  private readonly reader: ByteReader
  private readonly options: WalkOptions
  private readonly report: Report
  private readonly stack: Value[] = []
  /** Stack heights at which a MARK stands. */
  private readonly marks: number[] = []
  private readonly memo = new Memo()
  private frameEnd = 0
  private ran = false
  private divergesAt: number | undefined

  constructor(reader: ByteReader, options: WalkOptions) {
    this.reader = reader
    this.options = options
    this.report = options.report
  }

  async walk(): Promise<WalkEnd> {
    const { reader } = this
    try {
      for (;;) {
        if (!reader.has(9)) await reader.fill(9)
        if (!reader.has(1)) throw new Raises('truncated')
        const op = reader.u8()
        if (op === OP.STOP) {
          this.pop()
          return this.end('stop')
        }
        if (this.simple(op)) continue
        await this.withBytes(op)
        if (this.stack.length > MOST_STACK) throw new Raises('too much')
      }
    } catch (error) {
      if (error instanceof Raises) return this.end(error.how)
      throw error
    }
  }

  private end(how: WalkEnd['how']): WalkEnd {
    return { how, at: this.reader.position, ran: this.ran, divergesAt: this.divergesAt }
  }

  // --- the stack, as the C unpickler keeps it: nothing below the newest mark can be reached -----------------------

  private get floor(): number {
    return this.marks.at(-1) ?? 0
  }

  private push(value: Value): void {
    this.stack.push(value)
  }

  private pop(): Value {
    if (this.stack.length <= this.floor) throw new Raises('malformed')
    return this.stack.pop() as Value
  }

  private top(): Value {
    if (this.stack.length <= this.floor) throw new Raises('malformed')
    return this.stack.at(-1) as Value
  }

  private popToMark(): Value[] {
    const mark = this.marks.pop()
    if (mark === undefined) throw new Raises('malformed')
    return this.stack.splice(mark)
  }

  private remember(index: number, value: Value): void {
    if (!this.memo.set(index, value)) throw new Raises('too much')
  }

  /** Bytes of an opcode's fixed argument; they were asked for before the opcode was taken. */
  private need(n: number): ByteReader {
    if (!this.reader.has(n)) throw new Raises('truncated')
    return this.reader
  }

  // --- opcodes whose arguments are short ---------------------------------------------------------------------------

  /** @returns false for an opcode that `withBytes` knows */
  private simple(op: number): boolean {
    switch (op) {
      case OP.MARK:
        this.marks.push(this.stack.length)
        if (this.marks.length > MOST_STACK) throw new Raises('too much')
        return true
      case OP.POP:
        if (this.marks.length > 0 && this.floor === this.stack.length) this.marks.pop()
        else this.pop()
        return true
      case OP.POP_MARK:
        this.popToMark()
        return true
      case OP.DUP:
        this.push(this.top())
        return true
      case OP.NONE:
        this.push(null)
        return true
      case OP.NEWTRUE:
      case OP.NEWFALSE:
        this.push(op === OP.NEWTRUE)
        return true
      case OP.BININT:
        this.push(this.need(4).i32())
        return true
      case OP.BININT1:
        this.push(this.need(1).u8())
        return true
      case OP.BININT2:
        this.push(this.need(2).u16())
        return true
      case OP.BINFLOAT:
        this.need(8).take(8)
        this.push(DATA)
        return true
      case OP.BINGET:
        this.push(this.memo.get(this.need(1).u8()))
        return true
      case OP.LONG_BINGET:
        this.push(this.memo.get(this.need(4).u32()))
        return true
      case OP.BINPUT:
        this.remember(this.need(1).u8(), this.top())
        return true
      case OP.LONG_BINPUT:
        this.remember(this.need(4).u32(), this.top())
        return true
      case OP.MEMOIZE:
        this.remember(this.memo.nextIndex, this.top())
        return true
      case OP.PROTO:
        if (this.need(1).u8() > 5) throw new Raises('malformed')
        return true
      case OP.FRAME: {
        const length = this.need(8).u64()
        this.frameEnd = this.reader.position + length
        return true
      }
      case OP.SHORT_BINUNICODE: {
        // The commonest opcode of all, so it does not wait when it need not.
        const length = this.reader.peekByte()
        if (length < 0 || length > LONGEST_STRING || !this.reader.has(length + 1)) return false
        this.reader.u8()
        this.push(this.reader.text(length))
        return true
      }
      default:
        return this.container(op) || this.maker(op)
    }
  }

  private container(op: number): boolean {
    switch (op) {
      case OP.EMPTY_TUPLE:
        this.push(NO_ITEMS)
        return true
      case OP.EMPTY_LIST:
      case OP.EMPTY_SET:
        this.push(DATA)
        return true
      case OP.EMPTY_DICT:
        this.push(new Dict())
        return true
      case OP.TUPLE:
        this.push(this.tuple(this.popToMark()))
        return true
      case OP.TUPLE1:
      case OP.TUPLE2:
      case OP.TUPLE3: {
        const items: Value[] = []
        for (let i = OP.TUPLE1; i <= op; i++) items.unshift(this.pop())
        this.push(this.tuple(items))
        return true
      }
      case OP.LIST:
      case OP.FROZENSET:
        this.inside(this.popToMark())
        this.push(DATA)
        return true
      case OP.DICT: {
        const dict = new Dict()
        this.setItems(dict, this.popToMark())
        this.push(dict)
        return true
      }
      case OP.APPEND:
        this.inside([this.pop()])
        this.top()
        return true
      case OP.APPENDS:
      case OP.ADDITEMS:
        this.inside(this.popToMark())
        this.top()
        return true
      case OP.SETITEM: {
        const value = this.pop()
        const key = this.pop()
        this.setItems(this.top(), [key, value])
        return true
      }
      case OP.SETITEMS: {
        const items = this.popToMark()
        this.setItems(this.top(), items)
        return true
      }
      default:
        return false
    }
  }

  private tuple(items: Value[]): Value {
    this.inside(items)
    if (items.length > MOST_ITEMS) return DATA
    return items.length === 0 ? NO_ITEMS : new Tuple(items)
  }

  private setItems(target: Value, items: readonly Value[]): void {
    if (items.length % 2 !== 0) throw new Raises('malformed')
    this.inside(items)
    if (!(target instanceof Dict)) return
    for (let i = 0; i < items.length; i += 2) target.set(items[i] as Value, items[i + 1] as Value)
  }

  /**
   * An array wrapper, or its class, that goes anywhere but to its own BUILD could come back by a way that cannot be
   * followed, and then nobody knows which bytes are an array.
   */
  private inside(values: readonly Value[]): void {
    if (this.options.arrays !== 'joblib') return
    for (const value of values) {
      if (typeof value === 'object' && value !== null && (value instanceof ArrayWrapper || isWrapperClass(value))) {
        throw new Raises('lost')
      }
    }
  }

  // --- opcodes that import and call ---------------------------------------------------------------------------------

  private maker(op: number): boolean {
    switch (op) {
      case OP.REDUCE:
      case OP.NEWOBJ: {
        const args = this.pop()
        const callee = this.pop()
        if (op === OP.NEWOBJ && callee === INSTANCE) throw new Raises('malformed')
        this.push(this.call(callee, args))
        return true
      }
      case OP.NEWOBJ_EX: {
        this.inside([this.pop()])
        const args = this.pop()
        const made = this.call(this.pop(), args)
        if (made instanceof ArrayWrapper) made.lost = true
        this.push(made)
        return true
      }
      case OP.OBJ: {
        const [callee, ...args] = this.popToMark()
        if (callee === undefined) throw new Raises('malformed')
        this.push(this.call(callee, this.tuple(args)))
        return true
      }
      case OP.STACK_GLOBAL: {
        const name = this.pop()
        const module = this.pop()
        if (typeof name === 'string' && typeof module === 'string') this.push(this.import(module, name))
        else if (isNoString(name) || isNoString(module)) throw new Raises('malformed')
        else {
          this.found('a global whose name is computed')
          this.push(OPAQUE)
        }
        return true
      }
      case OP.EXT1:
      case OP.EXT2:
      case OP.EXT4: {
        const code = op === OP.EXT1 ? this.need(1).u8() : op === OP.EXT2 ? this.need(2).u16() : this.need(4).i32()
        this.found(`the global behind extension code ${code}`)
        this.push(OPAQUE)
        return true
      }
      case OP.BINPERSID:
        this.pop()
        this.persistent()
        return true
      case OP.NEXT_BUFFER:
        // Its bytes come from outside of the file.
        this.report.doubt('a buffer that is not in the file')
        this.push(OPAQUE)
        return true
      case OP.READONLY_BUFFER:
        this.top()
        return true
      default:
        return false
    }
  }

  private import(module: string, name: string): Value {
    const { guessFrom } = this.options
    const guessing = guessFrom !== undefined && this.reader.position > guessFrom
    if (guessing && !(isPlausibleName(name) && isImportable(module, name))) throw new Raises('malformed')
    const global = new Global(module, name)
    this.report.global(global)
    return global
  }

  private found(what: string): void {
    this.ran = true
    this.report.danger(what)
  }

  private persistent(): void {
    if (this.options.persistent === 'doubt') this.report.doubt('a persistent id, which only its own loader understands')
    this.push(OPAQUE)
  }

  private call(callee: Value, args: Value): Value {
    if (!(callee instanceof Global)) {
      // Python raises: it cannot be called.
      if (callee !== OPAQUE && callee !== INSTANCE) throw new Raises('malformed')
      this.ran = true
      this.report.danger('a call of a computed object')
      return OPAQUE
    }
    this.ran = true
    const problem = argumentProblem(callee, args)
    if (problem !== undefined) this.report.danger(problem)
    if (callee.is('numpy', 'dtype')) return new Dtype(args)
    if (!isWrapperClass(callee)) return MAKES_INSTANCES.test(callee.name) ? INSTANCE : OPAQUE
    const wrapper = new ArrayWrapper()
    wrapper.lost = args !== NO_ITEMS
    return wrapper
  }

  // --- opcodes with text or long arguments --------------------------------------------------------------------------

  private async withBytes(op: number): Promise<void> {
    switch (op) {
      case OP.SHORT_BINUNICODE:
        return this.string(this.need(1).u8(), 'utf8')
      case OP.BINUNICODE:
        return this.string(this.need(4).u32(), 'utf8')
      case OP.BINUNICODE8:
        return this.string(this.need(8).u64(), 'utf8')
      case OP.SHORT_BINSTRING:
        return this.string(this.need(1).u8(), 'latin1')
      case OP.BINSTRING: {
        const length = this.need(4).i32()
        if (length < 0) throw new Raises('malformed')
        return this.string(length, 'latin1')
      }
      case OP.SHORT_BINBYTES:
        return this.bytes(this.need(1).u8())
      case OP.BINBYTES:
        return this.bytes(this.need(4).u32())
      case OP.BINBYTES8:
      case OP.BYTEARRAY8:
        return this.bytes(this.need(8).u64())
      case OP.LONG1:
        return this.long(this.need(1).u8())
      case OP.LONG4: {
        const length = this.need(4).i32()
        if (length < 0) throw new Raises('malformed')
        return this.long(length)
      }
      case OP.BUILD:
        return this.build()
      case OP.GLOBAL:
      case OP.INST: {
        const module = await this.name()
        const name = await this.name()
        const made = module === undefined || name === undefined ? this.unnamed() : this.import(module, name)
        if (op === OP.GLOBAL) this.push(made)
        else this.push(this.call(made, this.tuple(this.popToMark())))
        return
      }
      case OP.PERSID:
        await this.line()
        return this.persistent()
      case OP.PUT:
        return this.remember(decimal(await this.line()) ?? this.lost(), this.top())
      case OP.GET:
        this.push(this.memo.get(decimal(await this.line()) ?? this.lost()))
        return
      case OP.INT: {
        const line = await this.line()
        const text = line === 'long' ? '' : line.toString('latin1')
        this.push(text === '00' || text === '01' ? text === '01' : (decimal(line) ?? OPAQUE))
        return
      }
      case OP.LONG: {
        const line = await this.line()
        this.push(
          line === 'long' ? OPAQUE : (decimal(line.subarray(0, line.at(-1) === 0x4c ? -1 : undefined)) ?? OPAQUE),
        )
        return
      }
      case OP.FLOAT:
        await this.line()
        this.push(OPAQUE)
        return
      case OP.STRING:
        this.push(decodeString(await this.line()) ?? OPAQUE)
        return
      case OP.UNICODE:
        this.push(decodeUnicode(await this.line()) ?? OPAQUE)
        return
      default:
        // No such opcode.
        throw new Raises('malformed')
    }
  }

  /** Python may read as a number what we do not. */
  private lost(): never {
    throw new Raises('lost')
  }

  private unnamed(): Value {
    this.found('a global whose name is not text')
    return OPAQUE
  }

  private async line(): Promise<Buffer | 'long'> {
    const line = await this.reader.line(1 << 16)
    if (line === undefined) throw new Raises('truncated')
    return line
  }

  /** One of the two lines of GLOBAL and INST. Undefined: it is no name that could be shown or known. */
  private async name(): Promise<string | undefined> {
    const line = await this.line()
    if (line === 'long' || line.length > LONGEST_NAME) return undefined
    const text = line.toString('utf8')
    return text.includes('\ufffd') ? undefined : text
  }

  private async string(length: number, encoding: 'utf8' | 'latin1'): Promise<void> {
    const { reader } = this
    if (length > LONGEST_STRING) {
      if (!(await reader.skip(length))) throw new Raises('truncated')
      this.push(OPAQUE)
      return
    }
    if (!reader.has(length) && !(await reader.fill(length))) throw new Raises('truncated')
    const text = reader.take(length).toString(encoding)
    // Latin-1 bytes are no text for Python by default; a name that is not plain ASCII is followed no further.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is the range
    this.push(encoding === 'latin1' && !/^[\u0000-\u007f]*$/.test(text) ? OPAQUE : text)
  }

  private async bytes(length: number): Promise<void> {
    if (!(await this.reader.skip(length))) throw new Raises('truncated')
    this.push(DATA)
  }

  private async long(length: number): Promise<void> {
    if (length > 6) return this.bytes(length)
    if (!this.reader.has(length) && !(await this.reader.fill(length))) throw new Raises('truncated')
    this.push(length === 0 ? 0 : this.reader.take(length).readIntLE(0, length))
  }

  // --- BUILD, and the arrays of joblib ------------------------------------------------------------------------------

  private async build(): Promise<void> {
    const state = this.pop()
    const target = this.top()
    this.ran = true
    if (target instanceof ArrayWrapper) return this.buildArray(target, state)
    this.inside([state])
    if (target instanceof Dtype) {
      target.state = state
      target.builds++
    } else if (target instanceof Global) {
      // It would set attributes of a class or a function that others use.
      this.report.danger(`${target.text} is changed`)
    }
  }

  private async buildArray(wrapper: ArrayWrapper, state: Value): Promise<void> {
    const entries = state instanceof Dict ? state.entries : undefined
    if (entries === undefined) wrapper.lost = true
    for (const [key, value] of entries ?? []) {
      if (typeof key === 'string' && WRAPPER_FIELDS.has(key)) wrapper.fields.set(key, value)
      else wrapper.lost = true
    }
    this.divergesAt ??= this.reader.position
    if (this.options.arrays === 'opcodes') return
    // joblib reads the array behind the frame, whatever the frame still holds.
    if (wrapper.lost || this.frameEnd > this.reader.position) throw new Raises('lost')
    const layout = layoutOf(wrapper.fields.get('dtype'))
    const count = countOf(wrapper.fields.get('shape'))
    if (layout === undefined || count === undefined) throw new Raises('lost')
    await (layout.hasObject ? this.nestedPickle() : this.rawArray(wrapper, count * layout.itemSize))
    this.stack.pop()
    this.push(INSTANCE)
  }

  private async rawArray(wrapper: ArrayWrapper, length: number): Promise<void> {
    const { reader } = this
    const alignment = wrapper.fields.get('numpy_array_alignment_bytes') ?? null
    if (!Number.isSafeInteger(length) || (alignment !== null && typeof alignment !== 'number')) throw new Raises('lost')
    if (alignment !== null) {
      if (!(await reader.fill(1))) throw new Raises('truncated')
      if (!(await reader.skip(reader.u8()))) throw new Raises('truncated')
    }
    if (!(await reader.skip(length))) throw new Raises('truncated')
  }

  /** An array of Python objects is a pickle of its own, with a stack and a memo of its own. */
  private async nestedPickle(): Promise<void> {
    const end = await walkPickle(this.reader, { ...this.options, arrays: 'opcodes' })
    this.ran ||= end.ran
    if (end.how !== 'stop') throw new Raises(end.how)
  }
}

const NO_ITEMS = new Tuple([])

/** Classes by the convention of their names, and what else never makes a string. Others may: `str`, `max`, `operator.add`. */
const MAKES_INSTANCES = /^(?:[A-Z]|_reconstruct$|ndarray$|(?:bsr|coo|csc|csr|dia|dok|lil)_(?:matrix|array)$)/

/** Known to be something else than a string: Python raises. What is OPAQUE may be one. */
const isNoString = (value: Value): boolean => typeof value !== 'string' && value !== OPAQUE

/** Items of an array of this shape. Undefined: unknown, or so many that numpy's own product would overflow. */
function countOf(shape: Value | undefined): number | undefined {
  if (!(shape instanceof Tuple)) return undefined
  let count = 1
  let bound = 1
  for (const size of shape.items) {
    if (typeof size !== 'number' || size < 0) return undefined
    count *= size
    bound *= Math.max(1, size)
  }
  return bound <= Number.MAX_SAFE_INTEGER ? count : undefined
}
