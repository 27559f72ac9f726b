/** Metrics of the rows of each value of a column, worst first: where a version fails though the whole looks well. */

import { usage } from '../core/errors.ts'
import { betterOf, knownName } from '../core/metric-names.ts'
import { normalQuantile } from '../core/special.ts'
import { positivesOf } from './area.ts'
import { countsOf, positiveIndex } from './count-metrics.ts'
import { fewFor } from './few.ts'
import { metricNames, metricOf, weightedMetric } from './metrics.ts'
import { inOrder } from './pair-rows.ts'
import { MOST_GROUPS } from './read-groups.ts'
import { CONFIDENCE, drawsFor, percentileInterval, resample, seedOf } from './resample.ts'
import type { GroupColumn, HeldOut, Interval, SliceMetric, SliceResult } from './types.ts'

/**
 * @param by a column of the held-out rows
 * @param metrics which metrics; the first decides the order
 * @throws usage `SLICE_COLUMN`, `SLICE_METRIC`
 */
export function sliceMetrics(heldOut: HeldOut, by: string, metrics: readonly string[]): readonly SliceResult[] {
  assertKnown(heldOut, metrics)
  const slices = groupsOf(heldOut, by).map(({ value, rows }) => sliceOf(inOrder(heldOut, rows), value, by, metrics))
  const [first = ''] = metrics
  const sign = betterOf(knownName(first)) === 'higher' ? 1 : -1
  // A group on which the metric is not defined says nothing: last.
  const badness = ({ metrics: found }: SliceResult) => sign * (found[first]?.value ?? sign * Number.POSITIVE_INFINITY)
  return slices.sort((one, other) => badness(one) - badness(other) || other.rows - one.rows)
}

/** The rows of each value, the missing one last. @throws usage `SLICE_COLUMN` */
export function groupsOf(
  { groups, rows }: HeldOut,
  by: string,
): readonly { readonly value: string | null; readonly rows: Int32Array }[] {
  const column = Object.hasOwn(groups, by) ? groups[by] : undefined
  if (column === undefined || column.codes === null) throw noGroups(groups, by, column)
  const { codes, values } = column
  const members = [...values, null].map(() => [] as number[])
  for (let row = 0; row < rows; row++) members[codes[row] === -1 ? values.length : (codes[row] as number)]?.push(row)
  return [...values, null].flatMap((value, place) => {
    const found = members[place] ?? []
    return found.length === 0 ? [] : [{ value, rows: Int32Array.from(found) }]
  })
}

function noGroups(groups: HeldOut['groups'], by: string, column: GroupColumn | undefined) {
  if (column !== undefined) {
    return usage({
      code: 'SLICE_COLUMN',
      message: `The column ${by} of the test predictions has more than ${MOST_GROUPS} different values: no groups to compare.`,
      hint: 'Record a coarser column beside it, for example ranges of it',
    })
  }
  const names = Object.keys(groups)
  return usage({
    code: 'SLICE_COLUMN',
    message: `The test predictions have no column ${by}.`,
    hint:
      names.length === 0
        ? 'They have none but truth, answer, score and id: write the column into the file'
        : `They have ${names.slice(0, 12).join(', ')}${names.length > 12 ? ' …' : ''}`,
    details: { by, columns: names.slice(0, 100) },
  })
}

function assertKnown(heldOut: HeldOut, metrics: readonly string[]): void {
  const known = metricNames(heldOut)
  const unknown = metrics.find((metric) => !known.includes(knownName(metric)))
  if (unknown === undefined) return
  throw usage({
    code: 'SLICE_METRIC',
    message: `${unknown} cannot be computed from these test predictions.`,
    hint: `Known for ${heldOut.task} are ${known.join(', ')}${heldOut.task === 'binary' && heldOut.score === null ? '; auc, log_loss and brier need a score' : ''}`,
  })
}

function sliceOf(heldOut: HeldOut, value: string | null, by: string, metrics: readonly string[]): SliceResult {
  const found = metrics.flatMap((metric) => {
    const figure = figureOf(heldOut, knownName(metric), `${by}=${value ?? ''}`)
    return figure === null ? [] : [[metric, figure] as const]
  })
  const few = metrics.map((metric) => fewFor(heldOut, knownName(metric))).find((why) => why !== null)
  const positives = heldOut.task === 'binary' ? positivesOf(heldOut).reduce((sum, mark) => sum + mark, 0) : null
  return { value, rows: heldOut.rows, positives, metrics: Object.fromEntries(found), few: few ?? null }
}

function figureOf(heldOut: HeldOut, name: string, group: string): SliceMetric | null {
  const value = metricOf(heldOut, name)
  if (value === undefined) return null
  const share = shareOf(heldOut, name)
  if (share !== null) return share.of === 0 ? null : { value, interval: wilson(share.hits, share.of), method: 'Wilson' }
  const { interval, draws } = resampled(heldOut, name, group)
  return draws === 0 ? null : { value, interval, method: 'bootstrap' }
}

/** Metrics that are a share of counted rows; null for the others. */
function shareOf(heldOut: HeldOut, name: string): { readonly hits: number; readonly of: number } | null {
  if (!['accuracy', 'precision', 'recall'].includes(name)) return null
  const { hit, said, was, rows } = countsOf(heldOut, new Uint8Array(heldOut.rows).fill(1))
  if (name === 'accuracy') return { hits: hit.reduce((sum, count) => sum + count, 0), of: rows }
  const positive = positiveIndex(heldOut)
  return { hits: hit[positive] ?? 0, of: (name === 'recall' ? was : said)[positive] ?? 0 }
}

/** Wilson's score interval of a share (Journal of the American Statistical Association 22, 1927, 209). */
export function wilson(hits: number, of: number, confidence = CONFIDENCE): Interval {
  const z = normalQuantile((1 - confidence) / 2)
  const share = hits / of
  const scale = 1 + (z * z) / of
  const middle = (share + (z * z) / (2 * of)) / scale
  const reach = (z / scale) * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of))
  // Rounding must not leave the ends that are exact.
  return { low: hits === 0 ? 0 : middle - reach, high: hits === of ? 1 : middle + reach, confidence }
}

function resampled(heldOut: HeldOut, name: string, group: string): { interval: Interval; draws: number } {
  const metric = weightedMetric(heldOut, name)
  const values = new Float64Array(drawsFor(heldOut.rows))
  let used = 0
  const draws = resample(heldOut.rows, values.length, seedOf(name, group, heldOut.truth), (weights) => {
    const value = metric(weights)
    if (!Number.isFinite(value)) return false
    values[used++] = value
    return true
  })
  return { interval: percentileInterval(values.subarray(0, draws)), draws }
}
