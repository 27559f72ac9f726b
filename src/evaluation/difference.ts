/** Intervals of a difference between two independent groups of rows, and of a quantile of one. Pure. */
import { binomialAtLeast, binomialAtMost } from '../core/binomial.ts'
import { normalQuantile } from '../core/special.ts'
import { CONFIDENCE } from './resample.ts'
import { wilson } from './slices.ts'
import type { Interval } from './types.ts'

/** `hits` of `of`; need not be whole where rows count as fewer than they are. */
export interface Share {
  readonly hits: number
  readonly of: number
}

/**
 * The difference of two shares, the first less the second: Newcombe's hybrid of two score intervals (Statistics in Medicine
 * 17, 1998, 873-890, method 10). It keeps its coverage where hardly anything or nothing was hit.
 */
export function newcombe(first: Share, second: Share, confidence: number = CONFIDENCE): Interval {
  const [p, q] = [first.hits / first.of, second.hits / second.of]
  const [a, b] = [wilson(first.hits, first.of, confidence), wilson(second.hits, second.of, confidence)]
  return {
    low: p - q - Math.hypot(p - a.low, b.high - q),
    high: p - q + Math.hypot(a.high - p, q - b.low),
    confidence,
  }
}

export interface Mean {
  readonly mean: number
  /** Of one row. */
  readonly variance: number
  readonly of: number
}

/** `first - factor * second` of two independent means, by the normal law: for some dozens of rows each at least. */
export function meanDifference(
  first: Mean,
  second: Mean,
  factor: number = 1,
  confidence: number = CONFIDENCE,
): Interval {
  const middle = first.mean - factor * second.mean
  const error = Math.sqrt(first.variance / first.of + (factor * factor * second.variance) / second.of)
  const reach = normalQuantile((1 - confidence) / 2) * error
  return { low: middle - reach, high: middle + reach, confidence }
}

/**
 * Between which places of the sorted values a quantile of their distribution lies, whatever that distribution is: order
 * statistics and the binomial law (Conover, Practical Nonparametric Statistics, 3.2). Places begin at 1.
 * @returns null for an end that so few values do not have
 */
export function quantilePlaces(
  of: number,
  level: number,
  confidence: number = CONFIDENCE,
): { readonly low: number | null; readonly high: number | null } {
  const tail = (1 - confidence) / 2
  // P(X_low > quantile) = P(at most low - 1 values are below it).
  const low = largest(of, (place) => binomialAtMost(place - 1, of, level) <= tail)
  // P(X_high < quantile) = P(at least high values are below it).
  const below = largest(of + 1, (place) => binomialAtLeast(place, of, level) > tail)
  return { low: low === 0 ? null : low, high: below >= of ? null : below + 1 }
}

/** The largest of 1 … `most` for which it holds, where it holds for all smaller ones; 0 where it holds for none. */
function largest(most: number, holds: (place: number) => boolean): number {
  let [yes, no] = [0, most + 1]
  while (no - yes > 1) {
    const middle = Math.floor((yes + no) / 2)
    if (holds(middle)) yes = middle
    else no = middle
  }
  return yes
}
