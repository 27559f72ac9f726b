/**
 * The p95 latency of the two versions, each with the interval of its order statistics: no shape of latencies is assumed.
 * The two intervals together are wider than one of their ratio would be, which is in favour of "nothing happened". Pure.
 */
import type { RolloutConfig } from '../project/config.ts'
import type { Finding, RolloutFigures } from './types.ts'
import { figure, ms } from './words.ts'

/** A rise of less says nothing, whatever factor it is. */
const RISE_MS = 5

export function judgeLatency({ stable, rollout }: RolloutFigures, { maxLatencyRatio: limit }: RolloutConfig): Finding {
  const [now, before] = [rollout.latency, stable.latency]
  const found = (verdict: Finding['verdict'], summary: string, rest: Partial<Finding> = {}): Finding => ({
    what: 'latency',
    verdict,
    stable: before?.p95 ?? null,
    rollout: now?.p95 ?? null,
    effect: null,
    interval: null,
    limit,
    summary: `p95 latency: ${summary}`,
    ...rest,
  })
  if (now === null || before === null) return found('not judged', 'no request of one of the two says how long it took')
  const allowed = (p95: number): number => Math.max(limit * p95, p95 + RISE_MS)
  const ratio = (a: number | null, b: number | null): number | null =>
    a === null || b === null || b <= 0 ? null : a / b
  const measured = {
    effect: ratio(now.p95, before.p95),
    interval: [ratio(now.surely.low, before.surely.high), ratio(now.surely.high, before.surely.low)] as const,
  }
  const said = `${ms(now.p95)}, beside ${ms(before.p95)} of @${stable.version}`
  const { low } = now.surely
  if (low !== null && before.surely.high !== null && low > allowed(before.surely.high)) {
    return found(
      'breach',
      `${said}: at least ${figure(low / before.surely.high)} times as long, of ${limit} allowed`,
      measured,
    )
  }
  const { high } = now.likely
  if (high === null || before.likely.low === null)
    return found('hold', `${said}: too few requests to say more`, measured)
  if (high > allowed(before.likely.low)) {
    return found('hold', `${said}: it can still be more than ${limit} times as long`, measured)
  }
  const isFaster = now.surely.high !== null && before.surely.low !== null && now.surely.high < before.surely.low
  return found(isFaster ? 'better' : 'holds', said, measured)
}
