/**
 * What the walker of `pickle.ts` knows about a value without ever making it. Almost everything is OPAQUE; only what can
 * decide which global is imported, which object is called, or how many bytes an array takes is kept.
 */

/** Anything at all. */
export const OPAQUE = Symbol('opaque')
/** Certainly no string, and nothing that can be called: a list, a float, bytes. */
export const DATA = Symbol('data')
/** Certainly no string and no class: what a class made. It may be callable. */
export const INSTANCE = Symbol('instance')

/** An imported name: a class, a function, or something worse. */
export class Global {
  readonly module: string
  readonly name: string
  constructor(module: string, name: string) {
    this.module = module
    this.name = name
  }
  get text(): string {
    return `${this.module}.${this.name}`
  }
  is(module: string, name: string): boolean {
    return this.module === module && this.name === name
  }
}

export class Tuple {
  readonly items: readonly Value[]
  constructor(items: readonly Value[]) {
    this.items = items
  }
}

/** A dict is known by reference: what is put into an alias is put into it. */
export class Dict {
  /** Undefined once it holds more than is kept. */
  entries: [Value, Value][] | undefined = []
  set(key: Value, value: Value): void {
    if (this.entries === undefined) return
    if (this.entries.length >= MOST_ENTRIES) this.entries = undefined
    else this.entries.push([key, value])
  }
}

/** `numpy.dtype(…)`, which says how long a raw array is. */
export class Dtype {
  readonly args: Value
  state: Value | undefined = undefined
  builds = 0
  constructor(args: Value) {
    this.args = args
  }
}

/** joblib's stand-in for an array whose raw bytes follow in the file. */
export class ArrayWrapper {
  readonly fields = new Map<string, Value>()
  /** Something about it could not be followed, so nobody knows where the array ends. */
  lost = false
}

export type Value =
  | typeof OPAQUE
  | typeof DATA
  | typeof INSTANCE
  | string
  | number
  | boolean
  | null
  | Global
  | Tuple
  | Dict
  | Dtype
  | ArrayWrapper

const MOST_ENTRIES = 256
/** Longer tuples are data. */
export const MOST_ITEMS = 32

export interface ArrayLayout {
  /** Bytes of one item. */
  readonly itemSize: number
  /** The items are Python objects: a pickle follows instead of raw bytes. */
  readonly hasObject: boolean
}

/**
 * Size and kind of a dtype as numpy pickles it (`descriptor.c`, arraydescr_reduce): `dtype('f8', False, True)` and a
 * state `(version, byteorder, subdtype, names, fields, itemsize, alignment, flags[, metadata])`.
 * @returns undefined for anything that is not exactly that
 */
export function layoutOf(value: Value | undefined, depth = 0): ArrayLayout | undefined {
  if (!(value instanceof Dtype) || depth > 8 || value.builds > 1) return undefined
  const [code] = value.args instanceof Tuple ? value.args.items : []
  const match = typeof code === 'string' ? /^([biufcmMSUVO])(\d{1,9})$/.exec(code) : null
  if (match === null) return undefined
  const kind = match[1] ?? ''
  const given = Number(match[2])
  const itemSize = kind === 'U' ? given * 4 : given
  if (value.state === undefined) return { itemSize, hasObject: kind === 'O' }
  const state = value.state instanceof Tuple ? value.state.items : []
  const [version, order, sub, names, fields, size, , flags] = state
  const regular = (version === 3 || version === 4) && typeof order === 'string' && typeof flags === 'number'
  if (!regular || sub !== null || (size !== -1 && size !== itemSize)) return undefined
  const hasObject = (flags & 1) === 1
  if (hasObject !== (kind === 'O')) return undefined
  if (names === null && fields === null) return { itemSize, hasObject }
  return kind === 'V' && fieldsArePlain(fields, depth) ? { itemSize, hasObject: false } : undefined
}

function fieldsArePlain(fields: Value | undefined, depth: number): boolean {
  if (!(fields instanceof Dict) || fields.entries === undefined) return false
  return fields.entries.every(([, field]) => {
    const [dtype] = field instanceof Tuple ? field.items : []
    return layoutOf(dtype, depth + 1)?.hasObject === false
  })
}
