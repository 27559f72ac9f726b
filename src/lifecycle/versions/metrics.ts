/** Reading the metrics of a manifest, where non-finite values are kept as strings. */
import { readNumber } from '../../core/canonical-json.ts'
import type { Manifest } from '../../store/manifest.ts'

/** A metric as a number, however the canonical form wrote it. Undefined when it is not there or no number. */
export const metricOf = (metrics: Manifest['metrics'], name: string): number | undefined =>
  Object.hasOwn(metrics, name) ? readNumber(metrics[name]) : undefined

/** Those that are finite numbers. */
export const metricsAsNumbers = (metrics: Manifest['metrics']): Record<string, number> =>
  Object.fromEntries(Object.entries(metrics).filter((entry): entry is [string, number] => Number.isFinite(entry[1])))
