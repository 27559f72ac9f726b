/**
 * The history of each metric of a run: collected line by line in typed arrays (a run may have a million values), put in
 * order of steps, and thinned to what can be drawn. How one value per metric is chosen is in fold-run.ts.
 */
import { readNumber } from '../../core/canonical-json.ts'
import type { MetricLine } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { Column } from './series-column.ts'

export interface MetricPoint {
  /** The step, or where there are none how many values came before. */
  readonly x: number
  /** `"NaN"`, `"Infinity"` and `"-Infinity"` are kept as such: gaps of a drawing. */
  readonly value: number | string
}

export interface MetricSeries {
  readonly key: string
  /** Values recorded, non-finite ones included. */
  readonly count: number
  /** By time of recording. */
  readonly first: number | string
  readonly last: number | string
  /** Of the finite values; null when there are none. */
  readonly min: number | null
  readonly max: number | null
  readonly nonFinite: number
  /** Every value has a step, so that `x` is one. Values with the same step follow each other as they were recorded. */
  readonly hasSteps: boolean
  /** In order of `x`; of more than were asked for the least and the greatest of equal stretches of `x`. */
  readonly points: readonly MetricPoint[]
}

export interface SeriesOptions {
  /** At most so many points of each metric (at least 4); 400. */
  readonly points?: number
  /** Only these metrics. */
  readonly keys?: readonly string[] | undefined
}

/** Logged by the client, then from files, then printed: the order of fold-run.ts. */
const RANKS = ['logged', 'file', 'printed'] as const

/** @returns the series of every metric of a run, also of one that goes on, in the order in which they appeared */
export async function readSeries(store: Store, id: string, options: SeriesOptions = {}): Promise<MetricSeries[]> {
  const collected = collectSeries(options.keys)
  for await (const lines of store.runs.batches(id, 'metrics')) collected.take(lines)
  return collected.series(options.points)
}

export interface SeriesCollector {
  /** Lines of one writer in their order; those of several in any. */
  take(lines: readonly MetricLine[]): void
  series(points?: number): MetricSeries[]
}

export function collectSeries(keys?: readonly string[]): SeriesCollector {
  const columns = new Map<string, (Column | undefined)[]>()
  const wanted = keys === undefined ? undefined : new Set(keys)
  const time = timeReader()
  const columnOf = (key: string, rank: number): Column => {
    const origins = columns.get(key) ?? []
    const column = origins[rank] ?? new Column()
    if (origins.length === 0) columns.set(key, origins)
    origins[rank] = column
    return column
  }
  return {
    take(lines) {
      for (const { key, value, t, step, from } of lines) {
        const number = readNumber(value)
        if (typeof key !== 'string' || number === undefined || wanted?.has(key) === false) continue
        columnOf(key, Math.max(0, RANKS.indexOf(from ?? 'logged'))).push(number, time(t), step)
      }
    },
    series: (points = 400) =>
      [...columns].flatMap(([key, origins]) => {
        const column = chosen(origins)
        return column === undefined ? [] : [seriesOf(key, column, Math.max(4, points))]
      }),
  }
}

/**
 * A metric that is both logged and printed at every epoch is one history, not two in turns. One value that a file or
 * the client states at the end does not hide the history that was printed before.
 */
function chosen(origins: readonly (Column | undefined)[]): Column | undefined {
  const there = origins.filter((column) => column !== undefined)
  return there.find(({ count }) => count > 1) ?? there[0]
}

function seriesOf(key: string, column: Column, points: number): MetricSeries {
  const { count, nonFinite, hasSteps, min, max } = column
  const [first, last] = [plain(column.first), plain(column.last)]
  const none = count === nonFinite
  return {
    ...{ key, count, first, last, nonFinite, hasSteps },
    ...{ min: none ? null : min, max: none ? null : max },
    points: column.thinned(points).map(({ x, value }) => ({ x, value: plain(value) })),
  }
}

const plain = (value: number): number | string => (Number.isFinite(value) ? value : String(value))

/** Milliseconds of an RFC 3339 time; lines follow each other within a minute, and parsing each anew costs a second. */
function timeReader(): (t: unknown) => number {
  let minute = ''
  let base = Number.NaN
  return (t) => {
    if (typeof t !== 'string') return Number.NaN
    if (t.length !== 24 || !t.endsWith('Z')) return Date.parse(t)
    if (!t.startsWith(minute) || minute === '') {
      minute = t.slice(0, 17)
      base = Date.parse(`${minute}00.000Z`)
    }
    return base + 1_000 * twoDigits(t, 17) + 10 * twoDigits(t, 20) + t.charCodeAt(22) - ZERO
  }
}

const ZERO = 48
const twoDigits = (text: string, at: number): number =>
  (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO
