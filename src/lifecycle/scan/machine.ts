/**
 * The state of one walk over a pickle: stack, marks and memo, as the C unpickler keeps them, and what the opcodes share.
 * What each opcode does is in `pickle.ts`, `containers.ts`, `imports.ts` and `array-bytes.ts`.
 */
import { isWrapperClass } from './known-globals.ts'
import { Memo } from './memo.ts'
import type { ByteReader } from './reader.ts'
import type { Report } from './report.ts'
import { ArrayWrapper, DATA, Dict, MOST_ITEMS, Tuple, type Value } from './values.ts'

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
export const MOST_STACK = 8_000_000

export const NO_ITEMS = new Tuple([])

/** Python would raise here: nothing after it is ever run. */
export class Raises extends Error {
  readonly how: Exclude<WalkEnd['how'], 'stop'>
  constructor(how: Exclude<WalkEnd['how'], 'stop'>) {
    super(how)
    this.how = how
  }
}

/** Walks a pickle that lies inside of another. */
export type Walk = (reader: ByteReader, options: WalkOptions) => Promise<WalkEnd>

export class Machine {
  readonly reader: ByteReader
  readonly options: WalkOptions
  readonly report: Report
  readonly walk: Walk
  readonly stack: Value[] = []
  /** Stack heights at which a MARK stands. */
  readonly marks: number[] = []
  readonly memo = new Memo()
  /** Where the newest frame ends. */
  frameEnd = 0
  /** Unpicklers disagree about some bytes; the walk goes on with one reading, and ends as lost. */
  ambiguous = false
  /** Something was called or changed. */
  ran = false
  /** Position of the first array that joblib and pickle read differently. */
  divergesAt: number | undefined

  constructor(reader: ByteReader, options: WalkOptions, walk: Walk) {
    this.reader = reader
    this.options = options
    this.report = options.report
    this.walk = walk
  }

  end(how: WalkEnd['how']): WalkEnd {
    return { how: this.ambiguous ? 'lost' : how, at: this.reader.position, ran: this.ran, divergesAt: this.divergesAt }
  }

  /** POP takes the newest mark when nothing stands on it. */
  popOne(): void {
    if (this.marks.length > 0 && this.floor === this.stack.length) this.marks.pop()
    else this.pop()
  }

  private get floor(): number {
    return this.marks.at(-1) ?? 0
  }

  push(value: Value): void {
    this.stack.push(value)
  }

  pop(): Value {
    if (this.stack.length <= this.floor) throw new Raises('malformed')
    return this.stack.pop() as Value
  }

  top(): Value {
    if (this.stack.length <= this.floor) throw new Raises('malformed')
    return this.stack.at(-1) as Value
  }

  popToMark(): Value[] {
    const mark = this.marks.pop()
    if (mark === undefined) throw new Raises('malformed')
    return this.stack.splice(mark)
  }

  remember(index: number, value: Value): void {
    if (!this.memo.set(index, value)) throw new Raises('too much')
  }

  /** Bytes of an opcode's fixed argument; they were asked for before the opcode was taken. */
  need(n: number): ByteReader {
    if (!this.reader.has(n)) throw new Raises('truncated')
    return this.reader
  }

  tuple(items: Value[]): Value {
    this.inside(items)
    if (items.length > MOST_ITEMS) return DATA
    return items.length === 0 ? NO_ITEMS : new Tuple(items)
  }

  setItems(target: Value, items: readonly Value[]): void {
    if (items.length % 2 !== 0) throw new Raises('malformed')
    this.inside(items)
    if (!(target instanceof Dict)) return
    for (let i = 0; i < items.length; i += 2) target.set(items[i] as Value, items[i + 1] as Value)
  }

  /**
   * An array wrapper, or its class, that goes anywhere but to its own BUILD could come back by a way that cannot be
   * followed, and then nobody knows which bytes are an array.
   */
  inside(values: readonly Value[]): void {
    if (this.options.arrays !== 'joblib') return
    for (const value of values) {
      if (typeof value === 'object' && value !== null && (value instanceof ArrayWrapper || isWrapperClass(value))) {
        throw new Raises('lost')
      }
    }
  }
}
