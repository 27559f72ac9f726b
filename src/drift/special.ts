/**
 * The special functions that evidence needs: tails and quantiles of the chi-square and the normal distribution.
 * Sources: Abramowitz and Stegun, Handbook of Mathematical Functions, 6.1.41 (Stirling's series), 6.5.29 (series of the
 * incomplete gamma function), 6.5.31 (its continued fraction, evaluated by Lentz's method), 26.4.19 and 26.4.17.
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
