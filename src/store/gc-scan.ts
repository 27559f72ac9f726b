/**
 * Which digests bytes speak of. Nothing is known here of what a record means: any 64 hex digits are a digest, so that a
 * kind of record that this program does not know cannot be forgotten. Pure.
 */
import type { Digest } from '../core/digest.ts'

/** As a digest is written, and as the path of an object says it. */
const HEX = /[0-9a-fA-F]{64,}/g
const IN_PATH = /[0-9a-f]{2}\/[0-9a-f]{62}/g
/** Characters that may be the beginning of either. */
const TAIL = 66

/** Takes bytes piece by piece; a digest may lie across two pieces. */
export class DigestScanner {
  readonly #found: (digest: Digest) => void
  #tail = ''

  constructor(found: (digest: Digest) => void) {
    this.#found = found
  }

  take(bytes: Buffer): void {
    const text = this.#tail + bytes.toString('latin1')
    for (const [run] of text.matchAll(HEX)) this.#windows(run.toLowerCase())
    for (const [path] of text.matchAll(IN_PATH)) this.#found(path.replace('/', ''))
    this.#tail = text.slice(-TAIL)
  }

  /** What stands before or after may be a hex digit by chance: an escape, a prefix. */
  #windows(run: string): void {
    for (let at = 0; at + 64 <= run.length; at++) this.#found(run.slice(at, at + 64))
  }
}

export function digestsIn(bytes: Buffer): Digest[] {
  const found: Digest[] = []
  new DigestScanner((digest) => found.push(digest)).take(bytes)
  return found
}

/** An object that speaks of others does so in its first 64 KiB, or is JSON (docs/store-format.md, section 8). */
export const HEAD_BYTES = 64 << 10

export const maySpeakOfObjects = (head: Buffer): boolean =>
  /^\s*[[{]/.test(head.subarray(0, 256).toString('latin1')) || digestsIn(head).length > 0
