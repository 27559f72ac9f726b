/** A set of 128-bit digests with how often each was added, in flat memory: 20 bytes a place, at most two thirds full. */

/** Four words of 32 bits each per digest. */
export type Words = Uint32Array

const TAKEN = 0xffffffff

export class DigestSet {
  #keys = new Uint32Array(4 << 16)
  #counts = new Uint32Array(1 << 16)
  #size = 0

  /** How many different ones. */
  get size(): number {
    return this.#size
  }

  /** @param at where the four words begin */
  add(words: Words, at: number, count = 1): void {
    if (3 * this.#size >= 2 * this.#counts.length) this.#rebuild(2 * this.#counts.length, () => true)
    const place = this.#seek(words, at)
    if (this.#counts[place] === 0) {
      this.#keys.set(words.subarray(at, at + 4), 4 * place)
      this.#size++
    }
    this.#counts[place] = (this.#counts[place] as number) + count
  }

  /** How often it was added, the first time it is asked for; 0 from then on, and when it never was. */
  take(words: Words, at: number): number {
    const place = this.#seek(words, at)
    const count = this.#counts[place] as number
    if (count === 0 || count === TAKEN) return 0
    // The place must stay filled: others were put behind it.
    this.#counts[place] = TAKEN
    return count
  }

  /** Forgets those that do not match. */
  keep(matches: (words: Words, at: number) => boolean): void {
    this.#rebuild(this.#counts.length, matches)
  }

  /** Every digest with its count. */
  forEach(use: (words: Words, at: number, count: number) => void): void {
    for (let place = 0; place < this.#counts.length; place++) {
      const count = this.#counts[place] as number
      if (count > 0) use(this.#keys, 4 * place, count)
    }
  }

  /** Where it is, or where it would be. Linear probing from its second word: the first one samples. */
  #seek(words: Words, at: number): number {
    const mask = this.#counts.length - 1
    for (let place = (words[at + 1] as number) & mask; ; place = (place + 1) & mask) {
      if (this.#counts[place] === 0) return place
      const key = 4 * place
      const isSame =
        this.#keys[key] === words[at] &&
        this.#keys[key + 1] === words[at + 1] &&
        this.#keys[key + 2] === words[at + 2] &&
        this.#keys[key + 3] === words[at + 3]
      if (isSame) return place
    }
  }

  #rebuild(places: number, matches: (words: Words, at: number) => boolean): void {
    const old = { keys: this.#keys, counts: this.#counts }
    this.#keys = new Uint32Array(4 * places)
    this.#counts = new Uint32Array(places)
    this.#size = 0
    old.counts.forEach((count, place) => {
      if (count > 0 && matches(old.keys, 4 * place)) this.add(old.keys, 4 * place, count)
    })
  }
}
