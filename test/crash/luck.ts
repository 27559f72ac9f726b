/** Random choices that come back: a failing test prints its seed. */
import type { Luck } from './memory-disk.ts'

/** @returns an even coin */
export function luck(seed: number): Luck {
  const next = numbers(seed)
  return () => next(2) === 1
}

/** @returns a generator of integers from 0 up to, not including, its argument (mulberry32) */
export function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
