/**
 * Is the version that is rolled out as good as the one that holds the stage? Pure, from figures of one window. The rules in
 * words are in docs/rollout.md.
 *
 * A figure is a breach when its 99.9 % interval lies beyond the margin, so that whoever looks every hour and aborts at the
 * first breach is wrong seldom: each look at each figure has a chance of at most 0.05 %. It holds when its 90 % interval lies
 * within the margin (one side: 95 %). Between the two nothing can be said, and that is no yes.
 */
import type { RolloutConfig } from '../project/config.ts'
import { describeDuration } from '../project/duration.ts'
import { judgeErrors } from './judge-errors.ts'
import { judgeLatency } from './judge-latency.ts'
import { judgePredictions } from './judge-predictions.ts'
import { judgeQuality } from './judge-quality.ts'
import type { Finding, Judgement, RolloutFigures } from './types.ts'
import { count } from './words.ts'

export function judgeRollout(figures: RolloutFigures, config: RolloutConfig): Judgement {
  const findings = [
    judgeRequests(figures, config),
    judgeErrors(figures, config),
    judgeLatency(figures, config),
    judgePredictions(figures, config),
    judgeQuality(figures, config),
  ]
  const first = (verdict: Finding['verdict']): Finding | undefined =>
    findings.find((finding) => finding.verdict === verdict)
  const breach = first('breach')
  if (breach !== undefined) return { verdict: 'breach', summary: breach.summary, findings }
  const open = first('hold')
  if (open !== undefined) return { verdict: 'hold', summary: open.summary, findings }
  const better = first('better')
  if (better !== undefined) return { verdict: 'better', summary: better.summary, findings }
  const judged = findings.filter(({ verdict }) => verdict === 'holds').map(({ what }) => what)
  return { verdict: 'holds', summary: `no worse in ${judged.slice(1).join(', ')}`, findings }
}

/** No data means hold; a breach does not wait for them. */
function judgeRequests({ stable, rollout, lasted }: RolloutFigures, { minRequests, minTime }: RolloutConfig): Finding {
  const found = (verdict: Finding['verdict'], summary: string): Finding => ({
    what: 'requests',
    verdict,
    stable: stable.requests,
    rollout: rollout.requests,
    effect: null,
    interval: null,
    limit: minRequests,
    summary,
  })
  for (const { version, requests } of [rollout, stable]) {
    if (requests === 0)
      return found('hold', `@${version} has no request in the log yet; ${count(minRequests)} are needed`)
    if (requests < minRequests)
      return found('hold', `@${version} has ${count(requests)} requests; ${count(minRequests)} are needed`)
  }
  if (minTime !== undefined && lasted < minTime)
    return found('hold', `the step has lasted ${describeDuration(lasted)} of ${describeDuration(minTime)}`)
  return found('holds', `${count(rollout.requests)} requests, beside ${count(stable.requests)}`)
}
