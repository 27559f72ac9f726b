/**
 * Drawing held-out rows from populations whose metrics are known, and how often an interval holds the true difference.
 * Used by the full simulation (`evaluation.ts`) and, small, by the tests.
 */
import { deLongMethod } from '../../src/evaluation/delong.ts'
import { fairnessOf } from '../../src/evaluation/fairness.ts'
import { mcNemarMethod } from '../../src/evaluation/mcnemar.ts'
import { comparePaired, whyNotComparable } from '../../src/evaluation/paired.ts'
import type { HeldOut, Interval } from '../../src/evaluation/types.ts'
import { heldOutOf, normalOf, randomOf } from '../unit/evaluation/support.ts'

/**
 * Scores of two models on one row: the class moves them by `ours` and `theirs`, what both see of the row has variance 1,
 * what each makes of it 0.25. Scores pass through the logistic function, the class is said at 0.5.
 */
export interface Population {
  readonly share: number
  readonly ours: number
  readonly theirs: number
}

const NOISE = 0.5
const SPREAD = Math.sqrt(1 + NOISE ** 2)
/** Halfway between the classes of the champion. */
const SHIFT = 0.5

export function drawPair({ share, ours, theirs }: Population, rows: number, seed: number): readonly [HeldOut, HeldOut] {
  const random = randomOf(seed)
  const normal = normalOf(random)
  const truth: number[] = []
  const scores: [number[], number[]] = [[], []]
  const squash = (value: number): number => 1 / (1 + Math.exp(-value))
  for (let row = 0; row < rows; row++) {
    const isPositive = random() < share ? 1 : 0
    const common = normal()
    truth.push(isPositive)
    scores[0].push(squash(isPositive * ours + common + NOISE * normal() - SHIFT * theirs))
    scores[1].push(squash(isPositive * theirs + common + NOISE * normal() - SHIFT * theirs))
  }
  const said = (score: readonly number[]): number[] => score.map((value) => (value >= 0.5 ? 1 : 0))
  const of = (score: number[]): HeldOut => ({
    ...heldOutOf({ truth: [...truth, 0, 1], answer: [...said(score), 0, 1] }),
    rows,
  })
  const cut = (heldOut: HeldOut, score: number[]): HeldOut => ({
    ...heldOut,
    truth: heldOut.truth.subarray(0, rows),
    answer: heldOut.answer.subarray(0, rows),
    score: Float64Array.from(score),
  })
  return [cut(of(scores[0]), scores[0]), cut(of(scores[1]), scores[1])]
}

/** Φ, by the series of Abramowitz and Stegun 26.2.11. */
export function normalBelow(z: number): number {
  let term = z
  let sum = z
  for (let k = 1; k < 200 && Math.abs(term) > 1e-17; k++) {
    term *= (z * z) / (2 * k + 1)
    sum += term
  }
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI)
}

/** The true difference of the two models: closed forms, but for the log loss, which is integrated numerically. */
export function trueGain({ share, ours, theirs }: Population, metric: 'auc' | 'accuracy' | 'log_loss'): number {
  const of = (move: number): number => {
    if (metric === 'auc') return normalBelow(move / (SPREAD * Math.SQRT2))
    const above = (mean: number) => normalBelow((mean - SHIFT * theirs) / SPREAD)
    if (metric === 'accuracy') return share * above(move) + (1 - share) * (1 - above(0))
    const loss = (mean: number, sign: number) =>
      integrate((z) => Math.log1p(Math.exp(-sign * (mean - SHIFT * theirs + SPREAD * z))))
    return -(share * loss(move, 1) + (1 - share) * loss(0, -1))
  }
  return of(ours) - of(theirs)
}

/** The mean of a function of a standard normal number. */
function integrate(value: (z: number) => number): number {
  const step = 0.001
  let sum = 0
  for (let z = -10; z <= 10; z += step) sum += value(z) * Math.exp((-z * z) / 2)
  return (sum * step) / Math.sqrt(2 * Math.PI)
}

export interface Coverage {
  /** Of those repetitions in which a conclusion was drawn. */
  readonly bootstrap: number | null
  /** DeLong's interval, for `auc`. */
  readonly deLong: number | null
  /** Share of p below 0.05: of the second method. */
  readonly rejected: number | null
  readonly repetitions: number
}

const holds = ({ low, high }: Interval, value: number): boolean => low <= value && value <= high

/** How often the 95 % interval of the bootstrap holds the true difference. */
export function coverageOf(
  population: Population,
  metric: 'auc' | 'accuracy' | 'log_loss',
  { rows, repetitions, seed }: { readonly rows: number; readonly repetitions: number; readonly seed: number },
): Coverage {
  const truth = trueGain(population, metric)
  let [used, bootstrap, deLong, rejected] = [0, 0, 0, 0]
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const pair = drawPair(population, rows, seed * 1_000_003 + repetition)
    if (whyNotComparable(...pair, metric) !== undefined) continue
    const { interval, note } = comparePaired(...pair, { metric })
    // Too few rows: no conclusion is drawn, so none can be wrong.
    if (note !== undefined) continue
    used++
    if (holds(interval, truth)) bootstrap++
    const also = metric === 'auc' ? deLongMethod(...pair) : metric === 'accuracy' ? mcNemarMethod(...pair) : null
    if (also?.interval != null && holds(also.interval, truth)) deLong++
    if (also !== null && also.p < 0.05) rejected++
  }
  const share = (count: number) => (used === 0 ? null : count / used)
  return {
    bootstrap: share(bootstrap),
    deLong: metric === 'auc' ? share(deLong) : null,
    rejected: metric === 'log_loss' ? null : share(rejected),
    repetitions: used,
  }
}

/** How often the interval of a demographic parity difference holds the true one: groups answered `yes` at these rates. */
export function parityCoverage(
  rates: readonly number[],
  { rows, repetitions, seed }: { readonly rows: number; readonly repetitions: number; readonly seed: number },
): number {
  const truth = Math.max(...rates) - Math.min(...rates)
  let held = 0
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const random = randomOf(seed * 1_000_003 + repetition)
    const groups = Array.from({ length: rows }, () => Math.floor(random() * rates.length))
    const answer = groups.map((group) => (random() < (rates[group] ?? 0) ? 1 : 0))
    const heldOut = heldOutOf({ truth: answer.map((_, row) => row % 2), answer, groups: { g: groups.map(String) } })
    if (holds(fairnessOf(heldOut, 'g', 'demographic_parity').interval, truth)) held++
  }
  return held / repetitions
}
