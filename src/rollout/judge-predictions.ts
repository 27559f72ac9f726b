/** How far the answers of the two versions are from each other on the same traffic: PSI, with its interval. Pure. */
import { normalQuantile } from '../core/special.ts'
import { psiInterval } from '../drift/evidence.ts'
import { psi } from '../drift/measures.ts'
import type { RolloutConfig } from '../project/config.ts'
import type { Finding, RolloutFigures } from './types.ts'
import { figure, LIKELY, SURELY } from './words.ts'

const reach = (confidence: number): number => normalQuantile((1 - confidence) / 2)

export function judgePredictions(
  { stable, rollout, answers }: RolloutFigures,
  { maxPredictionPsi: limit }: RolloutConfig,
): Finding {
  const found = (verdict: Finding['verdict'], summary: string, rest: Partial<Finding> = {}): Finding => ({
    what: 'predictions',
    verdict,
    stable: null,
    rollout: null,
    effect: null,
    interval: null,
    limit,
    summary: `answers: ${summary}`,
    ...rest,
  })
  if ('reason' in answers) return found('not judged', answers.reason)
  const [before, after] = [answers.stable, answers.rollout]
  const part = Math.min(stable.part, rollout.part)
  const effect = psi(before, after)
  const [low, high] = psiInterval(before, after, reach(SURELY), part)
  const likely = psiInterval(before, after, reach(LIKELY), part)[1]
  const measured = { effect, interval: [low, high] as const }
  const said = `PSI ${figure(effect)} of ${answers.column} between the two`
  if (low > limit) return found('breach', `${said}, at least ${figure(low)}, of ${figure(limit)} allowed`, measured)
  if (likely > limit)
    return found('hold', `${said}: it can still be ${figure(likely)}, of ${figure(limit)} allowed`, measured)
  return found('holds', said, measured)
}
