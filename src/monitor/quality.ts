/**
 * Realised quality: what the labels that have arrived say of the answers of a window, against what the version had when
 * it was registered. Pure; the figures come from `PredictionLog.quality`, which joins labels by prediction id.
 *
 * A metric is a `breach` when it is worse by an amount that matters *and* beyond chance. The chance is measured, not
 * assumed, and for every metric alike: the metric is computed in up to ten blocks of the window, one after the other, and
 * their spread gives its standard error (the method of batch means: Law and Kelton, Simulation Modeling and Analysis,
 * 9.5.3; it holds for answers that resemble their neighbours in time). For shares the binomial error is the least that is
 * believed.
 */

import { knownName } from '../core/metric-names.ts'
import { studentTail } from '../core/special.ts'
import type { HealthVerdict, QualityResult } from '../drift/types.ts'
import type { VersionQuality } from '../predictions/types.ts'

export interface QualityQuestion {
  /** Of the whole window. */
  readonly quality: Pick<VersionQuality, 'rows' | 'labelled' | 'metrics'>
  /** Of each block of it that has a label. */
  readonly blocks: readonly Pick<VersionQuality, 'labelled' | 'metrics'>[]
  /** What the version had when it was registered; texts are numbers that are not finite. */
  readonly recorded: Readonly<Record<string, number | string>>
}

/** Blocks that a window is cut into. */
export const QUALITY_BLOCKS = 10
/** Fewer labels in all, or in a block, say nothing. */
export const FEWEST_LABELS = 50
const FEWEST_IN_BLOCK = 5
/** A spread needs a few values. */
const FEWEST_BLOCKS = 5
/** Beyond chance up to this probability, over all metrics together. */
const QUALITY_ALPHA = 0.01

/** Larger is better, between 0 and 1; worse from 0.05 less on. */
const SHARES = /^(?:accuracy|precision|recall|f1|auc)(?:_macro)?$/
const SHARE_DROP = 0.05
/** Smaller is better; worse from a tenth more on. */
const ERRORS = ['log_loss', 'mae', 'rmse']
const ERROR_RISE = 0.1

/** @returns undefined without a single label */
export function judgeQuality({ quality, blocks, recorded }: QualityQuestion): QualityResult | undefined {
  const { rows, labelled } = quality
  if (labelled === 0) return undefined
  const known = canonicalNames(recorded)
  const names = Object.keys(quality.metrics).filter((name) => isDirected(name))
  const tests = Math.max(1, names.filter((name) => known.has(name)).length)
  const large = blocks.filter((block) => block.labelled >= FEWEST_IN_BLOCK)
  const metrics = names.map((metric) => {
    const value = quality.metrics[metric] ?? Number.NaN
    const reference = known.get(metric) ?? null
    const values = large.flatMap((block) => block.metrics[metric] ?? [])
    const verdict = reference === null ? 'inconclusive' : judge(metric, value, reference, values, labelled, tests)
    return { metric, value, reference, verdict }
  })
  const has = (wanted: HealthVerdict) => metrics.filter(({ verdict }) => verdict === wanted)
  const verdict = has('breach').length > 0 ? 'breach' : has('ok').length > 0 ? 'ok' : 'inconclusive'
  const told = has(verdict).filter(({ reference }) => reference !== null)
  const words = told.map(
    ({ metric, value, reference }) => `${metric} ${figure(value)} (${figure(reference ?? 0)} when registered)`,
  )
  const cover = `${count(labelled)} of ${count(rows)} predictions have a label`
  const why =
    labelled < FEWEST_LABELS
      ? `; at least ${FEWEST_LABELS} are needed`
      : verdict !== 'inconclusive'
        ? ''
        : known.size === 0 || tests === 0 || told.length === 0
          ? '; no metric of the version has the same name'
          : '; a difference can be chance'
  return {
    verdict,
    rows,
    labelled,
    metrics,
    summary: `${words.length === 0 ? '' : `${words.join(', ')}; `}${cover}${why}`,
  }
}

function judge(
  metric: string,
  value: number,
  reference: number,
  blocks: readonly number[],
  labelled: number,
  tests: number,
): HealthVerdict {
  if (labelled < FEWEST_LABELS) return 'inconclusive'
  const isError = ERRORS.includes(metric)
  const worse = isError ? value - reference : reference - value
  const limit = isError ? ERROR_RISE * Math.abs(reference) : SHARE_DROP
  const error = standardError(metric, value, blocks, labelled)
  if (error === undefined) return 'inconclusive'
  const freedom = Math.max(FEWEST_BLOCKS, blocks.length) - 1
  if (worse >= limit) return studentTail(worse / error, freedom) <= QUALITY_ALPHA / tests ? 'breach' : 'inconclusive'
  // Fine only where a drop that matters would have shown: else chance could hide it.
  return studentTail((limit - worse) / error, freedom) <= 0.1 ? 'ok' : 'inconclusive'
}

/** Undefined where there are too few blocks and no other way to know it. */
function standardError(metric: string, value: number, blocks: readonly number[], labelled: number): number | undefined {
  const binomial = metric === 'accuracy' ? Math.sqrt(Math.max(value * (1 - value), 1 / labelled) / labelled) : undefined
  if (blocks.length < FEWEST_BLOCKS) return binomial
  const mean = blocks.reduce((sum, each) => sum + each, 0) / blocks.length
  const variance = blocks.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (blocks.length - 1)
  return Math.max(Math.sqrt(variance / blocks.length), binomial ?? 0, 1e-12)
}

/** What is known of a metric by its name, in any spelling; undefined: nothing, not even which way is better. */
export function knownMetric(
  name: string,
):
  | { readonly canonical: string; readonly better: 'higher' | 'lower'; readonly limit: (reference: number) => number }
  | undefined {
  const canonical = knownName(name)
  if (!isDirected(canonical)) return undefined
  const isError = ERRORS.includes(canonical)
  return {
    canonical,
    better: isError ? 'lower' : 'higher',
    limit: (reference) => (isError ? ERROR_RISE * Math.abs(reference) : SHARE_DROP),
  }
}

const isDirected = (metric: string): boolean => SHARES.test(metric) || metric === 'r2' || ERRORS.includes(metric)

/** Finite ones alone; a name that stands there as it is goes before another spelling of it. */
function canonicalNames(recorded: QualityQuestion['recorded']): ReadonlyMap<string, number> {
  const known = new Map<string, number>()
  for (const [name, value] of Object.entries(recorded)) {
    const canonical = knownName(name)
    if (typeof value !== 'number' || (canonical !== name && known.has(canonical))) continue
    known.set(canonical, value)
  }
  return known
}

const figure = (value: number): string => String(Number(value.toPrecision(3)))
const count = (n: number): string => n.toLocaleString('en-US')
