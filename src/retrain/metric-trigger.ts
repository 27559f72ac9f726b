/**
 * Does a trigger of type metric fire? Pure: the realised metric of the version in production, from the labels that have
 * arrived for its answers in a window, against the threshold of the policy.
 */
import { inconclusive } from '../core/errors.ts'
import { betterOf } from '../core/metric-names.ts'
import { versionName } from '../core/names.ts'
import type { RealisedNow } from '../monitor/latest.ts'
import { FEWEST_LABELS } from '../monitor/quality.ts'
import type { Trigger } from '../project/policy.ts'
import type { Champion, Finding } from './trigger.ts'

type MetricTrigger = Extract<Trigger, { type: 'metric' }>

/**
 * Fires when the realised metric is worse than the threshold; one that is exactly at it is what was asked for. On fewer
 * labels than a verdict on quality needs, or where the labels do not give the metric, nothing is said.
 */
export function judgeMetric(
  { metric, threshold }: MetricTrigger,
  realised: RealisedNow | undefined,
  { version }: Pick<Champion, 'version'>,
  model: string,
): Finding {
  const name = versionName(model, version)
  if (realised === undefined || realised.labelled < FEWEST_LABELS) throw tooFewLabels(name, model, realised)
  const { rows, labelled, window } = realised
  const value = Object.hasOwn(realised.metrics, metric) ? realised.metrics[metric] : undefined
  if (value === undefined) throw notGiven(name, metric, realised)
  const better = betterOf(metric)
  const fires = better === 'higher' ? value < threshold : value > threshold
  const evidence = { name: metric, value, threshold, better, rows, labelled, coverage: labelled / rows, window }
  const said = fires ? `is worse than ${threshold}` : `keeps ${threshold}`
  const share = `${count(labelled)} of ${count(rows)} answers have a label`
  return {
    type: 'metric',
    fires,
    cause: `metric:${metric}`,
    summary: `realised ${metric} of ${name} ${said}: ${figure(value, threshold)}; ${share}`,
    columns: [],
    check: null,
    metric: evidence,
  }
}

/** Rounded for a person, but never onto the threshold that it misses. */
const figure = (value: number, threshold: number): string => {
  const rounded = Number(value.toPrecision(4))
  return String(rounded === threshold ? value : rounded)
}

const count = (n: number): string => n.toLocaleString('en-US')

function tooFewLabels(name: string, model: string, realised: RealisedNow | undefined) {
  const { rows = 0, labelled = 0, window } = realised ?? {}
  const what =
    realised === undefined
      ? `No prediction of ${name} is in the window of the log`
      : `${count(labelled)} of ${count(rows)} answers of ${name} in the window have a label`
  return inconclusive({
    code: 'LABELS_TOO_FEW',
    message: `${what}; a verdict on its quality needs at least ${FEWEST_LABELS}, so the trigger of the policy cannot be judged.`,
    hint: `Join the truth by prediction id: mlops predictions label ${model} FILE; or look further back: trigger.window of the policy`,
    details: { model, rows, labelled, needed: FEWEST_LABELS, window: window ?? null },
  })
}

function notGiven(name: string, metric: string, { metrics, labelled, rows }: RealisedNow) {
  const given = Object.keys(metrics).sort()
  return inconclusive({
    code: 'METRIC_NOT_GIVEN',
    message: `The labels of ${name} do not give ${metric}; they give ${given.length === 0 ? 'none' : given.join(', ')}. The trigger of the policy cannot be judged.`,
    hint: 'Name another under trigger.metric of the policy. auc needs scores and labels of both classes: log the score beside the class',
    details: { metric, given, rows, labelled },
  })
}
