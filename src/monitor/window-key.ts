/** What of a window of the prediction log, besides the bytes of its rows, makes a check of it another check. Pure. */
import { canonicalJson, type Json } from '../core/canonical-json.ts'
import { sha256 } from '../core/digest.ts'
import type { CheckResult, QualityResult } from '../drift/types.ts'
import type { LogStats } from '../predictions/types.ts'

/**
 * The same rows with other failures, other labels or another judgement of the service are another check. What they were
 * compared with is no part of it: while a window is running, the one before it moves with the clock.
 */
export function windowKey(
  check: Pick<CheckResult, 'window' | 'health' | 'quality' | 'leftOut'>,
  { requests, errors, latency: measured }: Pick<LogStats, 'requests' | 'errors' | 'latency'>,
): Record<string, Json> {
  const latency = measured === null ? null : [measured.count, measured.p50, measured.p95, measured.p99]
  const findings = check.health?.findings.map(({ what, verdict }) => [what, verdict]) ?? []
  const quality = check.quality === undefined ? null : qualityKey(check.quality)
  const service = { requests, errors, latency, findings, quality, leftOut: check.leftOut ?? 0 }
  return { ...check.window, service: sha256(canonicalJson(service as unknown as Json)) }
}

/** Sums over many rows differ in their last digits with the order in which threads were ready. */
const qualityKey = ({ summary: _, metrics, ...rest }: QualityResult) => ({
  ...rest,
  metrics: metrics.map((metric) => ({ ...metric, value: metric.value.toPrecision(9) })),
})
