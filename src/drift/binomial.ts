/**
 * What a count of events says of their rate: tails of the binomial distribution and the exact intervals built on them.
 * Sources: Clopper and Pearson (1934), Biometrika 26, 404; Abramowitz and Stegun 26.5.24 (binomial tail and beta law).
 */
import { logGamma } from './special.ts'

/** P(X >= k) of a binomial X with `n` tries of probability `p`. */
export function binomialTail(n: number, p: number, k: number): number {
  if (k <= 0) return 1
  if (k > n || p <= 0) return 0
  if (p >= 1) return 1
  // The shorter side is summed; terms are taken in logarithms, which hold for any n.
  let sum = 0
  const upper = k > n * p
  const [from, to] = upper ? [k, n] : [0, k - 1]
  for (let i = from; i <= to; i++) sum += Math.exp(logTerm(n, p, i))
  return Math.min(1, Math.max(0, upper ? sum : 1 - sum))
}

const logTerm = (n: number, p: number, i: number): number =>
  logGamma(n + 1) - logGamma(i + 1) - logGamma(n - i + 1) + i * Math.log(p) + (n - i) * Math.log1p(-p)

export interface Interval {
  readonly low: number
  readonly high: number
}

/** The exact interval for the rate behind `events` of `tries` (Clopper and Pearson): never too short. */
export function clopperPearson(events: number, tries: number, confidence = 0.95): Interval {
  const tail = (1 - confidence) / 2
  const low = events === 0 ? 0 : rateWith(tries, events, tail)
  const high = events === tries ? 1 : rateWith(tries, events + 1, 1 - tail)
  return { low, high }
}

/** The rate at which `events` or more of `tries` have the probability `tail`: also the quantile of a beta law. */
export function rateWith(tries: number, events: number, tail: number): number {
  let low = 0
  let high = 1
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (binomialTail(tries, middle, events) < tail) low = middle
    else high = middle
  }
  return (low + high) / 2
}
