/**
 * A permutation of 0 … n-1 that is computed, not stored: a Feistel network over the next power of four, walked on until
 * it lands inside (Black and Rogaway 2002, Ciphers with Arbitrary Finite Domains). The same seed, the same order.
 */

const ROUNDS = 6

/** @param size at most 2^52. @returns where a row stands in the shuffled order */
export function shuffler(size: number, seed: number): (row: number) => number {
  const half = Math.max(1, Math.ceil(Math.log2(Math.max(2, size)) / 2))
  const base = 2 ** half
  const keys = Array.from({ length: ROUNDS }, (_, i) => mix((seed ^ Math.imul(i + 1, 0x9e3779b9)) >>> 0))
  const once = (row: number): number => {
    let [left, right] = [Math.floor(row / base), row % base]
    for (const key of keys) {
      const next = (left ^ mix((right ^ key) >>> 0)) & (base - 1)
      left = right
      right = next
    }
    return left * base + right
  }
  return (row) => {
    let place = once(row)
    while (place >= size) place = once(place)
    return place
  }
}

/** The finaliser of MurmurHash3: every bit of the input decides half of those of the output. */
function mix(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
