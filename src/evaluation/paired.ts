/**
 * Is the challenger better than the champion on the same rows? A seeded paired bootstrap gives the interval, the interval
 * the verdict; DeLong's and McNemar's methods stand beside it. What the verdict means for a stage is decided in
 * `src/lifecycle/`.
 */

import { inconclusive } from '../core/errors.ts'
import { betterOf, knownName } from '../core/metric-names.ts'
import { deLongMethod } from './delong.ts'
import { fewFor } from './few.ts'
import { mcNemarMethod } from './mcnemar.ts'
import { metricNames, metricOf, weightedMetric } from './metrics.ts'
import { drawsFor, percentileInterval, resample, seedOf } from './resample.ts'
import type { Better, HeldOut, Interval, PairedComparison } from './types.ts'

export { type Pairing, pairRows } from './pair-rows.ts'

export interface PairedOptions {
  /** `auc`, or another name that people record it under (`roc_auc`). */
  readonly metric: string
  /** Default: as the metric is commonly read (`betterOf`). */
  readonly better?: Better
  /** How much worse the challenger may be, in the unit of the metric, not below 0. Default: 0. */
  readonly margin?: number
}

/** Why a metric of two versions cannot be compared row by row, in words; undefined where it can. */
export function whyNotComparable(challenger: HeldOut, champion: HeldOut, metric: string): string | undefined {
  const name = knownName(metric)
  for (const [who, heldOut] of [
    ['the challenger', challenger],
    ['the champion', champion],
  ] as const) {
    const names = metricNames(heldOut)
    if (!names.includes(name)) {
      const needsScore = ['auc', 'log_loss', 'brier'].includes(name) && heldOut.task === 'binary'
      if (needsScore && heldOut.score === null) return `the recorded answers of ${who} hold no score`
      return `${metric} is not computed from recorded answers; known for ${heldOut.task} are ${names.join(', ')}`
    }
    if (metricOf(heldOut, name) === undefined) return `${metric} is not defined on these rows: ${alike(heldOut)}`
  }
  return undefined
}

const alike = ({ task }: HeldOut): string =>
  task === 'regression' ? 'what came true is the same in all of them' : 'all of them are of one class'

/**
 * @param challenger, champion as `pairRows` returns them: the same rows in the same order
 * @throws inconclusive `NOT_COMPARABLE` where `whyNotComparable` has a reason
 */
export function comparePaired(challenger: HeldOut, champion: HeldOut, options: PairedOptions): PairedComparison {
  if (challenger.rows !== champion.rows)
    throw new RangeError('comparePaired needs rows that pairRows has brought together')
  const reason = whyNotComparable(challenger, champion, options.metric)
  if (reason !== undefined) throw notComparable(options.metric, reason)
  const name = knownName(options.metric)
  const better = options.better ?? betterOf(name)
  const sign = better === 'higher' ? 1 : -1
  const [ours, theirs] = [metricOf(challenger, name) ?? Number.NaN, metricOf(champion, name) ?? Number.NaN]
  const { rows } = challenger
  const seed = seedOf(name, challenger.truth)
  const { interval, draws } = bootstrap(challenger, champion, { name, sign, seed })
  const margin = options.margin ?? 0
  const few =
    fewFor(challenger, name) ?? (draws < drawsFor(rows) / 2 ? 'hardly any draw of these rows has the metric' : null)
  return {
    ...{ metric: options.metric, better, challenger: ours, champion: theirs, gain: plain(sign * (ours - theirs)) },
    ...{ interval, method: 'paired bootstrap', rows, seed, draws, margin },
    also: secondOpinion(challenger, champion, name),
    verdict: few === null ? verdictOf(interval, margin) : 'inconclusive',
    ...(few === null ? {} : { note: `too few rows: ${few}` }),
  }
}

const notComparable = (metric: string, reason: string) =>
  inconclusive({ code: 'NOT_COMPARABLE', message: `${metric} cannot be compared: ${reason}.` })

/** @param margin not below 0 */
export function verdictOf({ low, high }: Interval, margin: number): PairedComparison['verdict'] {
  if (low > 0) return 'better'
  if (low >= -margin) return 'not worse'
  return high < -margin ? 'worse' : 'inconclusive'
}

interface Drawing {
  readonly name: string
  readonly sign: number
  readonly seed: number
}

/** Both versions are measured on the same draw: what is hard about a row is hard for both. */
function bootstrap(challenger: HeldOut, champion: HeldOut, { name, sign, seed }: Drawing) {
  const [ours, theirs] = [weightedMetric(challenger, name), weightedMetric(champion, name)]
  const gains = new Float64Array(drawsFor(challenger.rows))
  let used = 0
  const draws = resample(challenger.rows, gains.length, seed, (weights) => {
    const gain = sign * (ours(weights) - theirs(weights))
    if (!Number.isFinite(gain)) return false
    gains[used++] = plain(gain)
    return true
  })
  if (draws === 0) throw notComparable(name, 'no draw of these rows has it')
  return { interval: percentileInterval(gains.subarray(0, draws)), draws }
}

/** No minus zero: it is a string in canonical JSON. */
const plain = (value: number): number => (value === 0 ? 0 : value)

function secondOpinion(challenger: HeldOut, champion: HeldOut, name: string) {
  if (name === 'auc') return deLongMethod(challenger, champion)
  return name === 'accuracy' ? mcNemarMethod(challenger, champion) : null
}
