/**
 * All measures of one column from its two profiles, and the one that decides, with its noise bound. No verdict here.
 */
import type { MetricName } from '../project/config.ts'
import { type Homogeneity, homogeneity, jsNoise, ksNoise, psiNoise } from './evidence.ts'
import { evidenceCells, type Group, groupColumn, totalRows } from './groups.ts'
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
const TRIM = 0.01

export interface Measured {
  readonly metric: MetricName
  readonly effect: number
  readonly noise: number
  /** `noise` is proportional to (1/n + 1/m) to this power. */
  readonly noisePower: 1 | 0.5
  readonly evidence: Homogeneity
  readonly groups: readonly Group[]
  /** The bins of either sample with their extents; empty for columns that are not numeric. */
  readonly spans: { readonly before: readonly Span[]; readonly after: readonly Span[] }
  readonly measures: Readonly<Record<string, number | null>>
}

/** Both columns must have rows. @param wanted falls back to PSI where it is not defined for the column */
export function measureColumn(before: ColumnProfile, after: ColumnProfile, wanted: MetricName): Measured {
  const [n, m] = [totalRows(before), totalRows(after)]
  const groups = groupColumn(before, after)
  const a = groups.map((group) => group.before)
  const b = groups.map((group) => group.after)
  const cells = evidenceCells(before, after, groups)
  const evidence = homogeneity(cells.before, cells.after, cells.order)
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
  const spans = numeric?.spans ?? { before: [], after: [] }
  const common = { metric, evidence, groups, spans, measures }
  if (metric === 'ks' && numeric !== undefined) {
    return { ...common, effect: numeric.ks.lower, noise: ksNoise(numeric.n, numeric.m), noisePower: 0.5 }
  }
  if (metric === 'wasserstein' && numeric !== undefined) {
    const noise = wassersteinNoise(spans.before, spans.after, TRIM) / numeric.scale
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
  const spans = { before: spansOf(before), after: spansOf(after) }
  const scale = robustScale(spans.before)
  return { n, m, ks, spans, scale, wasserstein: wasserstein(spans.before, spans.after, TRIM) / scale }
}

/** The bins of one sample with their extents, which end at the smallest and the largest value it has. */
export function spansOf(column: NumericColumn): Span[] {
  const edges = column.edges.map(toNumber)
  const values = new Map(column.singles)
  const least = toNumber(column.min ?? 0)
  const most = toNumber(column.max ?? 0)
  return column.counts.map((count, bin) => {
    const value = values.get(bin)
    if (value !== undefined) return { low: toNumber(value), high: toNumber(value), count }
    const low = Math.min(Math.max(edges[bin - 1] ?? least, least), most)
    return { low, high: Math.max(low, Math.min(edges[bin] ?? most, most)), count }
  })
}
