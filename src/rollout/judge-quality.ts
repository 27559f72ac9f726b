/**
 * What the labels say that have come for the answers of the two versions: accuracy by Newcombe's interval of a difference;
 * the mean absolute error by the normal law, its variance following from MAE and RMSE (the mean of squares less the square
 * of the mean). Pure.
 */
import { meanDifference, newcombe } from '../evaluation/difference.ts'
import type { RolloutConfig } from '../project/config.ts'
import type { Finding, RolloutFigures, VariantFigures } from './types.ts'
import { count, figure, LIKELY, points, SURELY, share } from './words.ts'

type Found = (verdict: Finding['verdict'], summary: string, rest?: Partial<Finding>) => Finding
type Labelled = NonNullable<VariantFigures['quality']>

export function judgeQuality(figures: RolloutFigures, config: RolloutConfig): Finding {
  const { stable, rollout } = figures
  const { minLabels, labels, maxQualityLoss: limit } = config
  const found: Found = (verdict, summary, rest = {}) => ({
    what: 'quality',
    verdict,
    stable: null,
    rollout: null,
    effect: null,
    interval: null,
    limit,
    summary: `labels: ${summary}`,
    ...rest,
  })
  const missing = labels === 'required' ? 'hold' : 'not judged'
  const [now, before] = [rollout.quality, stable.quality]
  if (now === null || before === null) return found(missing, 'none have come for the answers of both')
  const fewest = Math.min(now.labelled, before.labelled)
  if (fewest < minLabels) {
    const which = now.labelled < minLabels ? rollout.version : stable.version
    return found(missing, `@${which} has ${count(fewest)}; ${count(minLabels)} are needed`)
  }
  if (now.task !== before.task) return found(missing, 'the answers of the two are of different kinds')
  const judged = now.task === 'classification' ? judgeAccuracy : judgeError
  const finding = judged(figures, now, before, limit, found)
  // Labels come late: what they cannot say yet keeps nobody from going on, unless that was asked for.
  return finding.verdict === 'hold' ? { ...finding, verdict: missing } : finding
}

function judgeAccuracy(
  { stable, rollout }: RolloutFigures,
  now: Labelled,
  before: Labelled,
  limit: number,
  found: Found,
): Finding {
  const [after, was] = [now.metrics.accuracy, before.metrics.accuracy]
  if (after === undefined || was === undefined) return found('hold', 'they say nothing of the accuracy')
  const wrong = (accuracy: number, { labelled }: Labelled, { part }: VariantFigures) => ({
    hits: (1 - accuracy) * labelled * part,
    of: labelled * part,
  })
  const pair = [wrong(after, now, rollout), wrong(was, before, stable)] as const
  const [surely, likely] = [newcombe(...pair, SURELY), newcombe(...pair, LIKELY)]
  // What is lost is worse, as with failed requests: the effect is the loss.
  const rest = { stable: was, rollout: after, effect: was - after, interval: [surely.low, surely.high] as const }
  const said = `accuracy ${share(after)} of ${count(now.labelled)}, beside ${share(was)} of @${stable.version}`
  if (surely.low > limit)
    return found('breach', `${said}: less by at least ${points(surely.low)}, of ${points(limit)} allowed`, rest)
  if (likely.high > limit) return found('hold', `${said}: it can still be ${points(likely.high)} less`, rest)
  return found(surely.high < 0 ? 'better' : 'holds', said, rest)
}

function judgeError(
  { stable, rollout }: RolloutFigures,
  now: Labelled,
  before: Labelled,
  limit: number,
  found: Found,
): Finding {
  const [after, was] = [meanOf(now, rollout), meanOf(before, stable)]
  if (after === undefined || was === undefined || was.mean <= 0)
    return found('hold', 'they say nothing of the mean absolute error')
  const beyond = (factor: number, confidence: number) => meanDifference(after, was, factor, confidence)
  const surely = beyond(1, SURELY)
  const rest = {
    stable: was.mean,
    rollout: after.mean,
    effect: after.mean / was.mean - 1,
    interval: [surely.low / was.mean, surely.high / was.mean] as const,
  }
  const said = `mean absolute error ${figure(after.mean)} of ${count(now.labelled)}, beside ${figure(was.mean)} of @${stable.version}`
  if (beyond(1 + limit, SURELY).low > 0) return found('breach', `${said}: more by over ${share(limit)}`, rest)
  if (beyond(1 + limit, LIKELY).high > 0) return found('hold', `${said}: it can still be ${share(limit)} more`, rest)
  return found(surely.high < 0 ? 'better' : 'holds', said, rest)
}

function meanOf({ metrics, labelled }: Labelled, { part }: VariantFigures) {
  const { mae, rmse } = metrics
  if (mae === undefined || rmse === undefined) return undefined
  return { mean: mae, variance: Math.max(0, rmse * rmse - mae * mae), of: labelled * part }
}
