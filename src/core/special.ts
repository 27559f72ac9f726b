/**
 * The special functions that evidence needs: tails and quantiles of the chi-square, the normal and Student's distribution.
 * Those of counted events are in `binomial.ts`.
 * Sources: Abramowitz and Stegun, Handbook of Mathematical Functions, 6.1.41 (Stirling's series), 6.5.29 (series of the
 * incomplete gamma function), 6.5.31 (its continued fraction, evaluated by Lentz's method), 26.4.19 and 26.4.17;
 * 26.5.8 (continued fraction of the incomplete beta function), 26.7.1 (Student's distribution).
 */

/** ln Γ(x) for x > 0; relative error below 1e-13. */
export function logGamma(x: number): number {
  // Stirling's series converges fast from 10 on; below, Γ(x) = Γ(x+1)/x leads there.
  let shift = 0
  let z = x
  while (z < 10) {
    shift -= Math.log(z)
    z += 1
  }
  const w = 1 / (z * z)
  const series = (1 / 12 - w * (1 / 360 - w * (1 / 1260 - w * (1 / 1680 - w * (1 / 1188 - (w * 691) / 360360))))) / z
  return shift + (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series
}

/** Q(a, x), the upper regularized incomplete gamma function; a > 0, x >= 0. */
function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1
  if (x === Number.POSITIVE_INFINITY) return 0
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; n < 10_000 && term > sum * 1e-16; n++) {
      term *= x / (a + n)
      sum += term
    }
    return Math.max(0, 1 - sum * scale)
  }
  const tiny = 1e-300
  let b = x + 1 - a
  let c = 1 / tiny
  let d = 1 / b
  let fraction = d
  for (let i = 1; i < 10_000; i++) {
    const numerator = -i * (i - a)
    b += 2
    d = 1 / nonZero(numerator * d + b, tiny)
    c = nonZero(b + numerator / c, tiny)
    const factor = d * c
    fraction *= factor
    if (Math.abs(factor - 1) < 1e-15) break
  }
  return Math.min(1, scale * fraction)
}

const nonZero = (value: number, tiny: number): number => (Math.abs(value) < tiny ? tiny : value)

/** P(X > x) of a chi-square with `df` degrees of freedom. */
export const chiSquareTail = (x: number, df: number): number => (df <= 0 ? 1 : upperGamma(df / 2, x / 2))

/** The x with P(X > x) = `tail`, by bisection: exact to 1e-12 and fast enough for one call per column. */
export function chiSquareQuantile(tail: number, df: number): number {
  if (df <= 0) return 0
  return invert((x) => chiSquareTail(x, df), tail, df + 10 * Math.sqrt(2 * df) + 50)
}

/** The z with P(Z > z) = `tail`, for tail <= 0.5. */
export const normalQuantile = (tail: number): number => Math.sqrt(chiSquareQuantile(2 * tail, 1))

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

/** P(T > t) of Student's distribution with `df` degrees of freedom. */
export function studentTail(t: number, df: number): number {
  const half = incompleteBeta(df / 2, 0.5, df / (df + t * t)) / 2
  return t >= 0 ? half : 1 - half
}

function invert(tailOf: (x: number) => number, tail: number, start: number): number {
  let low = 0
  let high = start
  while (tailOf(high) > tail) high *= 2
  for (let i = 0; i < 200 && high - low > 1e-12 * high; i++) {
    const middle = (low + high) / 2
    if (tailOf(middle) > tail) low = middle
    else high = middle
  }
  return (low + high) / 2
}
