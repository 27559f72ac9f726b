/** The histories of the metrics of two runs, value by value, in order of steps. Reads only. */
import { readNumber } from '../../core/canonical-json.ts'
import type { MetricLine } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { compareNumbers, type RowVerdict, toleranceOf } from './compare-values.ts'
import type { Tolerances } from './types.ts'

export interface SeriesVerdict {
  readonly key: string
  readonly verdict: RowVerdict
  /** Where they part. */
  readonly note: string | null
}

/** Metrics with more than one value in either run. */
export async function compareSeries(
  store: Store,
  a: string,
  b: string,
  tolerances: Tolerances,
): Promise<SeriesVerdict[]> {
  const [before, after] = await Promise.all([histories(store, a), histories(store, b)])
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort()
  return keys.flatMap((key) => {
    const [one, other] = [before.get(key) ?? [], after.get(key) ?? []]
    if (one.length < 2 && other.length < 2) return []
    // That a metric is missing altogether stands in its own row.
    if (one.length === 0 || other.length === 0) return []
    return [{ key, ...compareHistories(one, other, toleranceOf(key, tolerances)) }]
  })
}

interface Point {
  readonly value: number
  readonly step: number | undefined
}

async function histories(store: Store, id: string): Promise<Map<string, Point[]>> {
  const found = new Map<string, Map<string, Point[]>>()
  for await (const lines of store.runs.batches(id, 'metrics')) for (const line of lines) take(found, line)
  // Of a metric that is both logged and printed one history is enough, as in records/series.ts.
  const chosen = [...found].map(([key, origins]): [string, Point[]] => {
    const there = ['logged', 'file', 'printed']
      .map((origin) => origins.get(origin))
      .filter((each) => each !== undefined)
    return [key, inOrder(there.find(({ length }) => length > 1) ?? there[0] ?? [])]
  })
  return new Map(chosen)
}

function take(found: Map<string, Map<string, Point[]>>, { key, value, step, from }: MetricLine): void {
  const number = readNumber(value)
  if (typeof key !== 'string' || number === undefined) return
  const origins = found.get(key) ?? new Map<string, Point[]>()
  if (origins.size === 0) found.set(key, origins)
  const points = origins.get(from ?? 'logged') ?? []
  if (points.length === 0) origins.set(from ?? 'logged', points)
  points.push({ value: number, step })
}

/** Several processes write in turns that differ from run to run; steps put them in one order. */
const inOrder = (points: Point[]): Point[] =>
  points.every(({ step }) => step !== undefined) ? points.sort((x, y) => (x.step ?? 0) - (y.step ?? 0)) : points

export function compareHistories(
  a: readonly Point[],
  b: readonly Point[],
  tolerance: number,
): { readonly verdict: RowVerdict; readonly note: string | null } {
  if (a.length !== b.length) return { verdict: 'different', note: `${a.length} values, then ${b.length}` }
  let near = 0
  for (const [at, one] of a.entries()) {
    const other = b[at]
    if (other === undefined) break
    const verdict = one.step === other.step ? compareNumbers(one.value, other.value, tolerance) : 'different'
    if (verdict === 'different') {
      const where = one.step === undefined ? `value ${at + 1} of ${a.length}` : `step ${one.step}`
      return { verdict, note: `differs from ${where} on: ${one.value}, then ${other.value}` }
    }
    if (verdict === 'within tolerance') near++
  }
  return near === 0
    ? { verdict: 'equal', note: null }
    : { verdict: 'within tolerance', note: `${near} of ${a.length} values within tolerance` }
}
