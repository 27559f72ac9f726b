/**
 * The memo of a pickle. A list of ten million strings memoizes ten million strings, so only what can matter is kept:
 * everything else reads back as OPAQUE, which is never mistaken for something harmless.
 */
import { isVocabulary } from './known-globals.ts'
import { DATA, Dict, INSTANCE, OPAQUE, Tuple, type Value } from './values.ts'

/** Strings beyond the vocabulary, kept so that a finding can be named. */
const MOST_STRINGS = 50_000
/** Dicts and tuples. Beyond, they are data whose contents are not followed. */
const MOST_CONTAINERS = 150_000
/** Imports, arrays and what describes them. */
const MOST_KEPT = 1_000_000
/** Indices that a PUT left gaps before. No pickler writes any. */
const MOST_SPARSE = 100_000
/** Of indices beyond, nothing is known. One byte each below. */
const MOST_KINDS = 1 << 25
const KINDS = [OPAQUE, DATA, INSTANCE] as const
const KEPT = 3

export class Memo {
  private readonly kept = new Map<number, Value>()
  /** Of what is not kept: its place in KINDS. */
  private kinds = new Uint8Array(1_024)
  private strings = 0
  private containers = 0
  /** All indices below are set; beyond, those of `sparse` are. MEMOIZE takes the number of indices that are set. */
  private dense = 0
  private readonly sparse = new Set<number>()

  get nextIndex(): number {
    return this.dense + this.sparse.size
  }

  /** @returns false when it holds more than is kept */
  set(index: number, value: Value): boolean {
    if (index === this.dense) {
      this.dense++
      while (this.sparse.size > 0 && this.sparse.delete(this.dense)) this.dense++
    } else if (index > this.dense) this.sparse.add(index)
    if (this.worthKeeping(value)) {
      this.kept.set(index, value)
      this.setKind(index, KEPT)
    } else {
      if (this.isKept(index)) this.kept.delete(index)
      this.setKind(index, value === DATA || typeof value === 'object' ? 1 : value === INSTANCE ? 2 : 0)
    }
    return this.kept.size <= MOST_KEPT && this.sparse.size <= MOST_SPARSE
  }

  get(index: number): Value {
    const value = this.isKept(index) ? this.kept.get(index) : undefined
    return value === undefined ? (KINDS[this.kinds[index] ?? 0] ?? OPAQUE) : value
  }

  private isKept(index: number): boolean {
    return index >= 0 && index < MOST_KINDS ? this.kinds[index] === KEPT : this.kept.has(index)
  }

  private setKind(index: number, kind: number): void {
    if (index >= this.kinds.length) {
      if (kind === 0 || index < 0 || index >= MOST_KINDS) return
      const more = new Uint8Array(Math.min(MOST_KINDS, Math.max(index + 1, this.kinds.length * 2)))
      more.set(this.kinds)
      this.kinds = more
    }
    this.kinds[index] = kind
  }

  private worthKeeping(value: Value): boolean {
    if (typeof value === 'string') return isVocabulary(value) || this.strings++ < MOST_STRINGS
    if (typeof value !== 'object' || value === null) return false
    if (!(value instanceof Dict || value instanceof Tuple)) return true
    if (this.containers++ < MOST_CONTAINERS) return true
    // What is put into it by its alias would not be seen.
    if (value instanceof Dict) value.entries = undefined
    return false
  }
}
