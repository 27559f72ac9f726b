/**
 * What a count of events says of their rate: exact tails of the binomial and the hypergeometric distribution, and the
 * intervals built on them. Whether a difference matters is judged where it is used.
 * Sources: Clopper and Pearson (1934), Biometrika 26, 404; Abramowitz and Stegun 26.5.24 (binomial tail and beta law).
 */
import { incompleteBeta, logGamma } from './special.ts'

/** P(X >= k) for X ~ Binomial(n, p): the chance of at least as many. */
export function binomialAtLeast(k: number, n: number, p: number): number {
  if (k <= 0) return 1
  return k > n ? 0 : incompleteBeta(k, n - k + 1, p)
}

/** P(X <= k) for X ~ Binomial(n, p). */
export const binomialAtMost = (k: number, n: number, p: number): number =>
  k >= n ? 1 : 1 - binomialAtLeast(k + 1, n, p)

/**
 * Fisher's exact test, one-sided: the chance that of all `a + b` marked ones at least `a` fall among the `n` of the
 * first group, when `n` of the first and `m` of the second are alike (R. A. Fisher, Statistical Methods for Research
 * Workers, 1934, section 21.02). Equals scipy.stats.hypergeom.sf(a - 1, n + m, a + b, n).
 */
export function fisherAtLeast(a: number, n: number, b: number, m: number): number {
  const marked = a + b
  const most = Math.min(n, marked)
  if (a <= Math.max(0, marked - m)) return 1
  // Below the mean the tail is most of the whole: it never is evidence.
  if (a * (n + m) <= marked * n) return 0.5
  let term = Math.exp(logChoose(n, a) + logChoose(m, marked - a) - logChoose(n + m, marked))
  let sum = 0
  for (let k = a; k <= most && term > sum * 1e-17; k++) {
    sum += term
    term *= ((n - k) * (marked - k)) / ((k + 1) * (m - marked + k + 1))
  }
  return Math.min(1, sum)
}

const logChoose = (n: number, k: number): number => logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)

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
    if (binomialAtLeast(events, tries, middle) < tail) low = middle
    else high = middle
  }
  return (low + high) / 2
}
