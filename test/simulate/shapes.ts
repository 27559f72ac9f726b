/**
 * The distributions of the drift simulation: what production columns look like when nothing is wrong. Each can be drawn
 * row by row, and each knows its distribution function, so that the counts of a million rows can be drawn at once.
 */
import { chiSquareTail } from '../../src/core/special.ts'

/** Numbers in [0, 1). */
export type Uniform = () => number

/** sfc32 (Doty-Humphrey's small fast counter): 128 bits of state, so that two streams do not overlap. */
export function stream(...seeds: readonly number[]): Uniform {
  let [a, b, c, d] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1]
  const next = () => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + t
    return t >>> 0
  }
  for (const seed of seeds) {
    a ^= seed | 0
    b ^= Math.floor(seed / 2 ** 32)
    for (let i = 0; i < 12; i++) next()
  }
  return () => next() / 2 ** 32
}

export function normalOf(uniform: Uniform): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}

export interface NumericShape {
  readonly name: string
  readonly kind: 'numeric'
  /** NaN stands for a null. */
  readonly draw: (uniform: Uniform) => number
  /** P(X <= x) among the values that are there, and the share of nulls. */
  readonly cdf: (x: number) => number
  readonly nulls: number
}

export interface CategoryShape {
  readonly name: string
  readonly kind: 'categorical'
  /** Probability of each category; what is missing to 1 is the share of nulls. */
  readonly shares: readonly number[]
  /** Index of the category, -1 for a null. */
  readonly draw: (uniform: Uniform) => number
}

export type Shape = NumericShape | CategoryShape

const phi = (x: number): number => (x > 0 ? 1 - chiSquareTail(x * x, 1) / 2 : chiSquareTail(x * x, 1) / 2)

const numeric = (
  name: string,
  draw: (uniform: Uniform) => number,
  cdf: (x: number) => number,
  nulls = 0,
): NumericShape => ({
  name,
  kind: 'numeric',
  draw: nulls === 0 ? draw : (uniform) => (uniform() < nulls ? Number.NaN : draw(uniform)),
  cdf,
  nulls,
})

/** Whole numbers from 0 on with these probabilities. */
function whole(name: string, shares: readonly number[]): NumericShape {
  const sums = cumulated(shares)
  return numeric(name, byShares(sums), (x) => (x < 0 ? 0 : (sums[Math.min(sums.length - 1, Math.floor(x))] ?? 1)))
}

const cumulated = (shares: readonly number[]): number[] => {
  let sum = 0
  return shares.map((share) => {
    sum += share
    return sum
  })
}

const byShares =
  (sums: readonly number[]) =>
  (uniform: Uniform): number => {
    const u = uniform()
    let [from, to] = [0, sums.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if ((sums[middle] as number) <= u) from = middle + 1
      else to = middle
    }
    return from
  }

function categories(name: string, weights: readonly number[], nulls = 0): CategoryShape {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const shares = weights.map((weight) => ((1 - nulls) * weight) / total)
  const index = byShares(cumulated(shares))
  return {
    name,
    kind: 'categorical',
    shares,
    draw: (uniform) => {
      const found = index(uniform)
      return found >= shares.length ? -1 : found
    },
  }
}

const poisson = (mean: number): number[] => {
  const shares = [Math.exp(-mean)]
  for (let k = 1; k < 60; k++) shares.push(((shares[k - 1] ?? 0) * mean) / k)
  return shares
}
const times = (count: number, weigh: (i: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => weigh(i))
const t2 = (u: number): number => (2 * u - 1) / Math.sqrt(2 * u * (1 - u))

/** A standard normal column moved by `shift` of its standard deviations. */
export const normal = (shift = 0): NumericShape =>
  numeric(
    'normal',
    (uniform) => normalOf(uniform) + shift,
    (x) => phi(x - shift),
  )

/** Every shape without drift; the checks of the simulation take them in turn. */
export const SHAPES: readonly Shape[] = [
  normal(),
  numeric(
    '70 % zeros',
    (uniform) => (uniform() < 0.7 ? 0 : -Math.log(1 - uniform())),
    (x) => (x < 0 ? 0 : 0.7 + 0.3 * (1 - Math.exp(-x))),
  ),
  categories('2 categories', [0.7, 0.3]),
  numeric(
    'log-normal',
    (uniform) => Math.exp(2 * normalOf(uniform)),
    (x) => (x <= 0 ? 0 : phi(Math.log(x) / 2)),
  ),
  categories(
    '5,000 categories, Zipf',
    times(5_000, (i) => 1 / (i + 1)),
  ),
  whole('integers, Poisson', poisson(6)),
  numeric('52 % nulls', normalOf, phi, 0.52),
  categories(
    '1,000 equal categories',
    times(1_000, () => 1),
  ),
  whole(
    'integers, 10 equal',
    times(10, () => 0.1),
  ),
  categories(
    '40 categories',
    times(40, (i) => 1 / (i + 5) ** 2),
  ),
  numeric(
    'heavy tails (t, 2 degrees)',
    (uniform) => t2(uniform() || 0.5),
    (x) => 0.5 + x / (2 * Math.sqrt(2 + x * x)),
  ),
  numeric(
    'constant',
    () => 3.5,
    (x) => (x < 3.5 ? 0 : 1),
  ),
  categories('3 categories, 7 % nulls', [5, 3, 2], 0.07),
  numeric(
    'rounded to 0.1',
    (uniform) => Math.round(10 * normalOf(uniform)) / 10,
    (x) => phi((Math.floor(10 * x + 1e-9) + 0.5) / 10),
  ),
  whole('0 and 1', [0.97, 0.03]),
  whole(
    'integers, geometric',
    times(400, (k) => 0.05 * 0.95 ** k),
  ),
  numeric('98 % nulls', normalOf, phi, 0.98),
  categories(
    '12 equal categories',
    times(12, () => 1),
  ),
]
