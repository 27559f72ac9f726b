/**
 * Is a difference of two shares, or of a share and a bound, more than chance? Exact tails of the binomial and the
 * hypergeometric distribution. What is compared, and from which size a difference matters, is in `service-health.ts`.
 */
import { logGamma } from '../drift/special.ts'

/**
 * I_x(a, b), the regularized incomplete beta function, by the continued fraction of Abramowitz and Stegun 26.5.8,
 * evaluated by Lentz's method; a, b > 0, 0 <= x <= 1. Agrees with scipy.special.betainc to 1e-10.
 */
export function incompleteBeta(a: number, b: number, x: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  // The fraction converges fast below the mean; the other side is its mirror image.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(b, a, 1 - x)
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x) - Math.log(a),
  )
  const tiny = 1e-300
  let c = 1
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1), tiny)
  let fraction = d
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / nonZero(1 + even * d, tiny)
    c = nonZero(1 + even / c, tiny)
    fraction *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / nonZero(1 + odd * d, tiny)
    c = nonZero(1 + odd / c, tiny)
    fraction *= d * c
    if (Math.abs(d * c - 1) < 1e-14) break
  }
  return Math.min(1, front * fraction)
}

const nonZero = (value: number, tiny: number): number => (Math.abs(value) < tiny ? tiny : value)

/** P(X >= k) for X ~ Binomial(n, p): the chance of at least as many (Abramowitz and Stegun 26.5.24). */
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
