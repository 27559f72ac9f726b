/** Failed requests of the two versions: the difference of their shares, with Newcombe's interval. Pure. */
import { newcombe } from '../evaluation/difference.ts'
import type { RolloutConfig } from '../project/config.ts'
import type { Finding, RolloutFigures, VariantFigures } from './types.ts'
import { LIKELY, points, SURELY, share } from './words.ts'

export function judgeErrors({ stable, rollout }: RolloutFigures, { maxErrorIncrease: limit }: RolloutConfig): Finding {
  const rates = { stable: rateOf(stable), rollout: rateOf(rollout) }
  const found = (verdict: Finding['verdict'], summary: string, rest: Partial<Finding> = {}): Finding => ({
    what: 'errors',
    verdict,
    ...rates,
    effect: null,
    interval: null,
    limit,
    summary: `failed requests: ${summary}`,
    ...rest,
  })
  if (rates.stable === null || rates.rollout === null) return found('hold', 'there is nothing to compare yet')
  const [now, before] = [evidence(rollout), evidence(stable)]
  const surely = newcombe(now, before, SURELY)
  const likely = newcombe(now, before, LIKELY)
  const effect = rates.rollout - rates.stable
  const measured = { effect, interval: [surely.low, surely.high] as const }
  const said = `${share(rates.rollout)}, beside ${share(rates.stable)} of @${stable.version}`
  if (surely.low > limit) {
    const why = mostFrequent(rollout)
    return found(
      'breach',
      `${said}: more by at least ${points(surely.low)}, of ${points(limit)} allowed${why}`,
      measured,
    )
  }
  if (likely.high > limit) {
    return found('hold', `${said}: it can still be ${points(likely.high)} more, of ${points(limit)} allowed`, measured)
  }
  return found(surely.high < 0 ? 'better' : 'holds', said, measured)
}

const rateOf = ({ errors, requests }: VariantFigures): number | null => (requests === 0 ? null : errors / requests)

const evidence = ({ errors, requests, part }: VariantFigures) => ({ hits: errors * part, of: requests * part })

function mostFrequent({ errorsByCategory }: VariantFigures): string {
  const [most] = Object.entries(errorsByCategory).sort(([, a], [, b]) => b - a)
  return most === undefined ? '' : ` (mostly ${most[0]})`
}
