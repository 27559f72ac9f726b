/**
 * How far apart two sets of counts are: the formulas, each with its source, on plain arrays. Which counts go in is
 * decided in `groups.ts` and `compare.ts`, what the numbers mean in `verdict.ts`.
 */
import { normalQuantile } from '../core/special.ts'

export type Counts = readonly number[]

const sum = (counts: Counts): number => counts.reduce((total, count) => total + count, 0)

/**
 * Population stability index, natural logarithm: sum of (q - p) ln(q/p), 0.5 added to every group so that an empty one
 * stays finite. Symmetric; 0 when equal. (Siddiqi, Credit Risk Scorecards, 2006; it is Jeffreys' divergence.)
 */
export function psi(before: Counts, after: Counts): number {
  const n = sum(before) + before.length / 2
  const m = sum(after) + after.length / 2
  return before.reduce((total, count, i) => {
    const p = (count + 0.5) / n
    const q = ((after[i] ?? 0) + 0.5) / m
    return total + (q - p) * Math.log(q / p)
  }, 0)
}

/** Jensen-Shannon distance, natural logarithm: between 0 and sqrt(ln 2) = 0.83. (Endres and Schindelin, 2003.) */
export function jensenShannon(before: Counts, after: Counts): number {
  const [n, m] = [sum(before), sum(after)]
  const divergence = before.reduce((total, count, i) => {
    const p = count / n
    const q = (after[i] ?? 0) / m
    const middle = (p + q) / 2
    return total + (p > 0 ? p * Math.log(p / middle) : 0) / 2 + (q > 0 ? q * Math.log(q / middle) : 0) / 2
  }, 0)
  return Math.sqrt(Math.max(0, divergence))
}

/** The largest difference of two shares. */
export function lInfinity(before: Counts, after: Counts): number {
  const [n, m] = [sum(before), sum(after)]
  return before.reduce((max, count, i) => Math.max(max, Math.abs(count / n - (after[i] ?? 0) / m)), 0)
}

/** Pearson's statistic of the 2 x k table, without continuity correction. Cells that are empty in both count nothing. */
export function chiSquare(before: Counts, after: Counts): { readonly statistic: number; readonly df: number } {
  const [n, m] = [sum(before), sum(after)]
  let statistic = 0
  let cells = 0
  before.forEach((count, i) => {
    const other = after[i] ?? 0
    const pooled = count + other
    if (pooled === 0) return
    cells++
    const expected = (pooled * n) / (n + m)
    statistic += (count - expected) ** 2 * (1 / expected + 1 / (pooled - expected))
  })
  return { statistic: n > 0 && m > 0 ? statistic : 0, df: Math.max(0, cells - 1) }
}

/**
 * Kolmogorov-Smirnov distance of the values that were counted: it lies between the two bounds. At an edge both
 * distribution functions are known exactly; inside a bin that holds more than one value they are not.
 * @param isSingle whether a bin holds one value only
 */
export function kolmogorovSmirnov(
  before: Counts,
  after: Counts,
  isSingle: (bin: number) => boolean,
): { readonly lower: number; readonly upper: number } {
  const [n, m] = [sum(before), sum(after)]
  let [lower, upper, p, q] = [0, 0, 0, 0]
  before.forEach((count, bin) => {
    const nextP = p + count / n
    const nextQ = q + (after[bin] ?? 0) / m
    lower = Math.max(lower, Math.abs(nextP - nextQ))
    if (!isSingle(bin)) upper = Math.max(upper, nextP - q, nextQ - p)
    p = nextP
    q = nextQ
  })
  return { lower, upper: Math.min(1, Math.max(lower, upper)) }
}

/** One bin of one sample: its rows, spread evenly from `low` to `high` (equal for a single value). */
export interface Span {
  readonly low: number
  readonly high: number
  readonly count: number
}

/**
 * First Wasserstein distance: the area between the two quantile functions (Vallender 1974), over the quantiles from
 * `trim` to 1 - `trim` so that a few outliers cannot make it. In the unit of the column; divide by a scale.
 */
export function wasserstein(before: readonly Span[], after: readonly Span[], trim: number): number {
  const a = quantilePieces(before)
  const b = quantilePieces(after)
  const levels = [...new Set([trim, 1 - trim, ...a.map((piece) => piece.to), ...b.map((piece) => piece.to)])]
    .filter((level) => level >= trim && level <= 1 - trim)
    .sort((x, y) => x - y)
  let area = 0
  let [i, j] = [0, 0]
  for (let k = 1; k < levels.length; k++) {
    const from = levels[k - 1] as number
    const to = levels[k] as number
    const middle = (from + to) / 2
    while (i + 1 < a.length && (a[i] as Piece).to <= middle) i++
    while (j + 1 < b.length && (b[j] as Piece).to <= middle) j++
    const left = valueAt(a[i], from) - valueAt(b[j], from)
    const right = valueAt(a[i], to) - valueAt(b[j], to)
    area += (to - from) * meanAbsolute(left, right)
  }
  return area
}

interface Piece {
  readonly from: number
  readonly to: number
  readonly low: number
  readonly high: number
}

function quantilePieces(spans: readonly Span[]): Piece[] {
  const total = spans.reduce((sum, span) => sum + span.count, 0)
  const pieces: Piece[] = []
  let seen = 0
  for (const { low, high, count } of spans) {
    if (count <= 0) continue
    pieces.push({ from: seen / total, to: (seen + count) / total, low, high })
    seen += count
  }
  return pieces
}

const valueAt = (piece: Piece | undefined, level: number): number =>
  piece === undefined ? 0 : piece.low + ((piece.high - piece.low) * (level - piece.from)) / (piece.to - piece.from)

/** Mean of |x| where x runs evenly from `a` to `b`. */
function meanAbsolute(a: number, b: number): number {
  if (a * b >= 0) return (Math.abs(a) + Math.abs(b)) / 2
  return (a * a + b * b) / (2 * (Math.abs(a) + Math.abs(b)))
}

/** The value below which the share `level` of a sample lies, interpolated inside its bin; null without rows. */
export function quantile(spans: readonly Span[], level: number): number | null {
  const pieces = quantilePieces(spans)
  const piece = pieces.find(({ to }) => to >= level - 1e-12) ?? pieces.at(-1)
  return piece === undefined ? null : Math.min(piece.high, Math.max(piece.low, valueAt(piece, level)))
}

/** A robust standard deviation: the interquartile range of a normal is 1.349 of them. Wider ranges where it is 0. */
export function robustScale(spans: readonly Span[]): number {
  const at = (level: number) => quantile(spans, level) ?? 0
  const ranges = [(at(0.75) - at(0.25)) / 1.349, (at(0.95) - at(0.05)) / 3.29, at(1) - at(0)]
  return ranges.find((range) => range > 0) ?? 1
}

/** 95 % bound of `lInfinity` with no drift: Bonferroni over the groups, normal approximation of each difference. */
export function lInfinityNoise(before: Counts, after: Counts): number {
  const [n, m] = [sum(before), sum(after)]
  const z = normalQuantile(0.025 / Math.max(1, before.length))
  const largest = before.reduce((max, count, i) => {
    const p = (count + (after[i] ?? 0)) / (n + m)
    return Math.max(max, p * (1 - p))
  }, 0)
  return z * Math.sqrt(largest * (1 / n + 1 / m))
}

const DRAWS = 200

/**
 * 95 % bound of the trimmed Wasserstein distance with no drift: with F the pooled distribution function, the
 * difference of two empirical ones is sqrt(1/n + 1/m) times a Brownian bridge B(F(x)) (Donsker), and the distance the
 * area under its absolute value. Drawn 200 times from a fixed seed, so that the same counts have the same bound.
 */
export function wassersteinNoise(before: readonly Span[], after: readonly Span[], trim: number): number {
  const n = before.reduce((total, span) => total + span.count, 0)
  const m = after.reduce((total, span) => total + span.count, 0)
  const centres = before.map((span, i) => {
    const other = after[i] ?? span
    const known = [...(span.count > 0 ? [span] : []), ...(other.count > 0 ? [other] : [])]
    const sides = known.length === 0 ? [span] : known
    return sides.reduce((sum, { low, high }) => sum + (low + high) / 2, 0) / sides.length
  })
  const gaps: { readonly mass: number; readonly width: number }[] = []
  let level = 0
  before.forEach((span, i) => {
    const mass = (span.count + (after[i]?.count ?? 0)) / (n + m)
    level += mass
    const inside = level - mass / 2 >= trim && level - mass / 2 <= 1 - trim
    const width = Math.max(0, (centres[i + 1] ?? centres[i] ?? 0) - (centres[i] ?? 0))
    gaps.push({ mass, width: inside ? width : 0 })
  })
  const random = normalStream(0x9e3779b9)
  const areas = Array.from({ length: DRAWS }, () => {
    const walk: number[] = []
    let position = 0
    for (const { mass } of gaps) {
      position += Math.sqrt(mass) * random()
      walk.push(position)
    }
    let reached = 0
    return gaps.reduce((area, { mass, width }, i) => {
      reached += mass
      return area + width * Math.abs((walk[i] ?? 0) - reached * position)
    }, 0)
  }).sort((x, y) => x - y)
  return (areas[Math.ceil(0.95 * DRAWS) - 1] ?? 0) * Math.sqrt(1 / n + 1 / m)
}

/** Standard normal numbers from a seed: a 32-bit mixing counter (splitmix) and the Box-Muller transform. */
export function normalStream(seed: number): () => number {
  const uniform = uniformStream(seed)
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}

/** Numbers in [0, 1) from a seed. */
export function uniformStream(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let z = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32
  }
}
