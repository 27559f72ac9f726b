/**
 * Exact multinomial counts: how many of `rows` fall into each cell. Binomials one after the other (Davis 1993); a binomial
 * of large mean by transformed rejection (Hörmann 1993, BTRS), of small mean by inversion.
 */
import type { Uniform } from './shapes.ts'

export function multinomial(rows: number, shares: readonly number[], uniform: Uniform): number[] {
  let left = rows
  let rest = shares.reduce((sum, share) => sum + share, 0)
  return shares.map((share) => {
    if (left === 0 || share <= 0) return 0
    const count = share >= rest ? left : binomial(left, Math.min(1, share / rest), uniform)
    left -= count
    rest -= share
    return count
  })
}

export function binomial(n: number, p: number, uniform: Uniform): number {
  if (p > 0.5) return n - binomial(n, 1 - p, uniform)
  return n * p < 10 ? byInversion(n, p, uniform) : byRejection(n, p, uniform)
}

function byInversion(n: number, p: number, uniform: Uniform): number {
  const odds = p / (1 - p)
  let chance = Math.exp(n * Math.log1p(-p))
  // Two draws: one has too few bits for the tail.
  let u = uniform() + uniform() / 2 ** 32
  let k = 0
  while (u > chance && k < n) {
    u -= chance
    chance *= (odds * (n - k)) / (k + 1)
    k++
  }
  return k
}

function byRejection(n: number, p: number, uniform: Uniform): number {
  const spread = Math.sqrt(n * p * (1 - p))
  const b = 1.15 + 2.53 * spread
  const a = -0.0873 + 0.0248 * b + 0.01 * p
  const c = n * p + 0.5
  const vr = 0.92 - 4.2 / b
  const alpha = (2.83 + 5.1 / b) * spread
  const mode = Math.floor((n + 1) * p)
  const odds = Math.log(p / (1 - p))
  for (;;) {
    const u = uniform() - 0.5
    const v = uniform()
    const us = 0.5 - Math.abs(u)
    const k = Math.floor(((2 * a) / us + b) * u + c)
    if (k < 0 || k > n) continue
    if (us >= 0.07 && v <= vr) return k
    const height = Math.log((v * alpha) / (a / (us * us) + b))
    if (
      height <=
      logFactorial(mode) + logFactorial(n - mode) - logFactorial(k) - logFactorial(n - k) + (k - mode) * odds
    ) {
      return k
    }
  }
}

/** ln k!, Stirling's series from 10 on. */
function logFactorial(k: number): number {
  if (k < 10) {
    let product = 1
    for (let i = 2; i <= k; i++) product *= i
    return Math.log(product)
  }
  const x = k + 1
  const w = 1 / (x * x)
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + (1 / 12 - w * (1 / 360 - w / 1260)) / x
}
