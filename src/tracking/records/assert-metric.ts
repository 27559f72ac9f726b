/** A metric that a person named, among those of a run. Pure. */
import { notFound } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import type { RunRow } from './run-row.ts'

/** @throws notFound `METRIC_NOT_FOUND` with the nearest name */
export function assertMetric({ run, metrics }: Pick<RunRow, 'run' | 'metrics'>, name: string): void {
  if (name in metrics) return
  const names = Object.keys(metrics)
  const meant = nearest(name, names)
  const there =
    names.length === 0 ? 'It has none.' : `It has ${names.slice(0, 10).join(', ')}${names.length > 10 ? ' …' : ''}.`
  throw notFound({
    code: 'METRIC_NOT_FOUND',
    message: `Run ${run} has no metric ${JSON.stringify(name)}. ${there}`,
    hint: meant === undefined ? `See the run: mlops run show ${run}` : `Did you mean --metric ${meant}?`,
  })
}
