/** Metrics with a history, side by side. Reading and thinning them is `records/series.ts`. Pure. */
import type { MetricSeries } from '../records/series.ts'
import { namesOf, type Row } from './rows.ts'

export type SeriesRow = Row<Omit<MetricSeries, 'key'>>

/** Metrics of which some run has more than one value. @param runs per run, with or without a history */
export function seriesRows(runs: readonly (readonly MetricSeries[])[]): SeriesRow[] {
  const long = runs.map((series) => series.filter(({ count }) => count > 1).map(({ key }) => key))
  return namesOf(long).map((name) => {
    const cells = runs.map((series) => {
      const found = series.find(({ key }) => key === name)
      if (found === undefined) return null
      const { key: _, ...rest } = found
      return rest
    })
    const texts = cells.map((cell) => JSON.stringify(cell))
    return { name, cells, same: cells[0] !== null && new Set(texts).size === 1 }
  })
}
