/**
 * All measures of one column from its two profiles, and the one that decides, with its noise bound. No verdict here.
 */
import type { MetricName } from '../project/config.ts'
import { type Homogeneity, homogeneity, jsNoise, ksNoise, psiNoise } from './evidence.ts'
import { type Group, groupColumn, totalRows } from './groups.ts'
import {
  chiSquare,
  jensenShannon,
  kolmogorovSmirnov,
  lInfinity,
  lInfinityNoise,
  psi,
  robustScale,
  type Span,
  wasserstein,
  wassersteinNoise,
} from './measures.ts'
import { type ColumnProfile, type NumericColumn, toNumber } from './profile.ts'

/** From which effect on a difference matters, unless configured (docs/profile-format.md, Thresholds). */
export const DEFAULT_THRESHOLD: Readonly<Record<MetricName, number>> = {
  psi: 0.1,
  js: 0.1,
  ks: 0.1,
  wasserstein: 0.25,
  chi2: 0.1,
  linf: 0.1,
}

/** Wasserstein leaves out this share of the values at either end. */
export const TRIM = 0.01

export interface Measured {
  readonly metric: MetricName
  readonly effect: number
  readonly noise: number
  /** `noise` is proportional to (1/n + 1/m) to this power. */
  readonly noisePower: 1 | 0.5
  readonly evidence: Homogeneity
  readonly groups: readonly Group[]
  readonly spans: readonly Span[]
  readonly measures: Readonly<Record<string, number | null>>
}

/** Both columns must have rows. @param wanted falls back to PSI where it is not defined for the column */
export function measureColumn(before: ColumnProfile, after: ColumnProfile, wanted: MetricName): Measured {
  const [n, m] = [totalRows(before), totalRows(after)]
  const groups = groupColumn(before, after)
  const a = groups.map((group) => group.before)
  const b = groups.map((group) => group.after)
  const evidence = homogeneity(a, b)
  const s = 1 / n + 1 / m
  const numeric = before.type === 'numeric' && after.type === 'numeric' ? numericMeasures(before, after) : undefined
  const measures = {
    psi: psi(a, b),
    js: jensenShannon(a, b),
    ks_lower: numeric?.ks.lower ?? null,
    ks_upper: numeric?.ks.upper ?? null,
    wasserstein: numeric?.wasserstein ?? null,
    linf: lInfinity(a, b),
    chi2: chiSquare(a, b).statistic * s,
    chi2_statistic: evidence.statistic,
    chi2_df: evidence.df,
    p: evidence.p,
  }
  const isDefined = (wanted !== 'ks' && wanted !== 'wasserstein') || numeric !== undefined
  const metric = isDefined ? wanted : 'psi'
  const spans = numeric?.spans ?? []
  const common = { metric, evidence, groups, spans, measures }
  if (metric === 'ks' && numeric !== undefined) {
    return { ...common, effect: numeric.ks.lower, noise: ksNoise(numeric.n, numeric.m), noisePower: 0.5 }
  }
  if (metric === 'wasserstein' && numeric !== undefined) {
    const noise = wassersteinNoise(spans, TRIM) / numeric.scale
    return { ...common, effect: numeric.wasserstein, noise, noisePower: 0.5 }
  }
  if (metric === 'js') return { ...common, effect: measures.js, noise: jsNoise(n, m, groups.length), noisePower: 0.5 }
  if (metric === 'linf') return { ...common, effect: measures.linf, noise: lInfinityNoise(a, b), noisePower: 0.5 }
  const effect = metric === 'chi2' ? measures.chi2 : measures.psi
  return { ...common, effect, noise: psiNoise(n, m, groups.length), noisePower: 1 }
}

/** Undefined when either side has no finite value: there is no distribution of values to compare. */
function numericMeasures(before: NumericColumn, after: NumericColumn) {
  const n = before.counts.reduce((sum, count) => sum + count, 0)
  const m = after.counts.reduce((sum, count) => sum + count, 0)
  if (n === 0 || m === 0) return undefined
  const single = new Set(before.singles.map(([bin]) => bin))
  const ks = kolmogorovSmirnov(before.counts, after.counts, (bin) => single.has(bin))
  const spans = spansOf(before, after)
  const scale = robustScale(spans)
  return { n, m, ks, spans, scale, wasserstein: wasserstein(spans, TRIM) / scale }
}

/** The bins with their extents: open bins end at the smallest and largest value seen. */
export function spansOf(before: NumericColumn, after: NumericColumn): Span[] {
  const edges = before.edges.map(toNumber)
  const values = new Map(before.singles)
  const seen = [before.min, before.max, after.min, after.max].filter((wide) => wide !== null).map(toNumber)
  const [least, most] = [Math.min(...seen), Math.max(...seen)]
  return before.counts.map((count, bin) => {
    const value = values.get(bin)
    const low = value === undefined ? Math.max(edges[bin - 1] ?? least, least) : toNumber(value)
    const high = value === undefined ? Math.min(edges[bin] ?? most, most) : toNumber(value)
    return { low: Math.min(low, high), high, before: count, after: after.counts[bin] ?? 0 }
  })
}
