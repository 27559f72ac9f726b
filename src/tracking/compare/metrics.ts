/** Metrics of several runs: the differences from the first, and which run is better. Pure. */
import { readNumber } from '../../core/canonical-json.ts'
import { directionOf } from '../../core/metric-names.ts'
import { namesOf, type Row, rowOfCells } from './rows.ts'

export interface MetricCell {
  /** Non-finite values as strings: `"NaN"`. */
  readonly value: number | string
  /** From the first run; null in the first run's own cell, and where one of the two is no finite number. */
  readonly difference: number | null
  /** The difference as a share of the first run's value; null besides where that is 0. */
  readonly relative: number | null
}

export interface MetricRow extends Row<MetricCell> {
  /** Which way it counts: as a gate of the model says, else by its name; null for what is neither. */
  readonly better: 'higher' | 'lower' | null
  /** Positions of the runs with the best finite value; empty where none is better. */
  readonly best: readonly number[]
}

export type Directions = Readonly<Record<string, 'higher' | 'lower'>>

export function metricRows(
  runs: readonly Readonly<Record<string, number | string>>[],
  directions: Directions = {},
): MetricRow[] {
  return namesOf(runs.map(Object.keys)).map((name) => {
    const values = runs.map((metrics) => (Object.hasOwn(metrics, name) ? metrics[name] : undefined))
    const [first] = values
    const cells = values.map((value, at) => (value === undefined ? null : cellOf(value, at === 0 ? undefined : first)))
    const better = (Object.hasOwn(directions, name) ? directions[name] : directionOf(name)) ?? null
    return { ...rowOfCells(name, cells, ({ value }) => value), better, best: bestOf(values, better) }
  })
}

function cellOf(value: number | string, first: number | string | undefined): MetricCell {
  const [from, to] = [finite(first), finite(value)]
  if (from === undefined || to === undefined) return { value, difference: null, relative: null }
  // 0.84 - 0.82 is 0.020000000000000018 in doubles: twelve digits are what the inputs can carry.
  const difference = Number((to - from).toPrecision(12))
  const relative = from === 0 ? null : Number((difference / Math.abs(from)).toPrecision(6))
  return { value, difference, relative }
}

function finite(value: number | string | undefined): number | undefined {
  const number = value === undefined ? undefined : readNumber(value)
  return number !== undefined && Number.isFinite(number) ? number : undefined
}

/** A run that diverged to NaN is no better than any number, whichever way the metric counts. */
function bestOf(values: readonly (number | string | undefined)[], better: MetricRow['better']): number[] {
  const numbers = values.map(finite)
  const measured = numbers.filter((each) => each !== undefined)
  const others = values.filter((value) => value !== undefined).length - measured.length
  if (better === null || measured.length + others < 2 || measured.length === 0) return []
  if (others === 0 && new Set(measured).size === 1) return []
  const best = better === 'higher' ? Math.max(...measured) : Math.min(...measured)
  return numbers.flatMap((each, at) => (each === best ? [at] : []))
}
