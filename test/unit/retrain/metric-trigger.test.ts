/** A trigger on realised quality: at which value it fires, what it needs, and what it keeps as evidence. */
import assert from 'node:assert/strict'
import type { MlopsError } from '../../../src/core/errors.ts'
import { betterOf } from '../../../src/core/metric-names.ts'
import type { RealisedNow } from '../../../src/monitor/latest.ts'
import { REALISED_METRICS } from '../../../src/project/realised-metrics.ts'
import { judgeMetric } from '../../../src/retrain/metric-trigger.ts'

const window = { since: '2026-06-01T00:00:00.000Z', until: '2026-06-08T00:00:00.000Z' }
const realised = (metrics: Record<string, number>, labelled = 400): RealisedNow => ({
  window,
  rows: 1_000,
  labelled,
  metrics,
})
const champion = { version: 3 }
const judge = (metric: string, threshold: number, value: number, labelled?: number) =>
  judgeMetric({ type: 'metric', metric, threshold }, realised({ [metric]: value }, labelled), champion, 'm')

describe('a metric trigger', () => {
  it('fires when the metric is worse than the threshold, and not when it is exactly at it', () => {
    assert.equal(judge('auc', 0.8, 0.8).fires, false)
    assert.equal(judge('auc', 0.8, 0.81).fires, false)
    assert.equal(judge('auc', 0.8, 0.8 - Number.EPSILON).fires, true)
    assert.equal(judge('log_loss', 0.5, 0.5).fires, false)
    assert.equal(judge('log_loss', 0.5, 0.49).fires, false)
    assert.equal(judge('log_loss', 0.5, 0.5 + Number.EPSILON).fires, true)
  })

  it('knows of every metric that labels give which way it is better', () => {
    const lower = REALISED_METRICS.filter((metric) => betterOf(metric) === 'lower')
    assert.deepEqual(lower, ['log_loss', 'mae', 'rmse'])
  })

  it('keeps the evidence: rows, labels, coverage, window and value', () => {
    const { cause, metric, summary } = judge('auc', 0.8, 0.71)
    assert.equal(cause, 'metric:auc')
    assert.deepEqual(metric, {
      name: 'auc',
      value: 0.71,
      threshold: 0.8,
      better: 'higher',
      rows: 1_000,
      labelled: 400,
      coverage: 0.4,
      window,
    })
    assert.equal(summary, 'realised auc of m@3 is worse than 0.8: 0.71; 400 of 1,000 answers have a label')
  })

  it('never rounds a value onto the threshold that it misses', () => {
    assert.match(judge('auc', 0.8, 0.799999).summary, /worse than 0.8: 0.799999;/)
  })

  const refusal = (act: () => unknown): MlopsError => {
    try {
      act()
    } catch (error) {
      return error as MlopsError
    }
    return assert.fail('it was judged')
  }

  it('says nothing on fewer labels than a verdict on quality needs', () => {
    const error = refusal(() => judge('auc', 0.8, 0.2, 49))
    assert.deepEqual([error.code, error.exitCode], ['LABELS_TOO_FEW', 6])
    assert.match(error.message, /49 of 1,000 answers of m@3 in the window have a label; .* at least 50/)
    assert.match(error.hint ?? '', /mlops predictions label m FILE/)
    assert.equal(judge('auc', 0.8, 0.2, 50).fires, true)
    const none = refusal(() => judgeMetric({ type: 'metric', metric: 'auc', threshold: 0.8 }, undefined, champion, 'm'))
    assert.match(none.message, /No prediction of m@3 is in the window/)
  })

  it('names what the labels do give when the metric is not among it', () => {
    const trigger = { type: 'metric', metric: 'auc', threshold: 0.8 } as const
    const error = refusal(() => judgeMetric(trigger, realised({ accuracy: 0.9, f1: 0.8 }), champion, 'm'))
    assert.deepEqual([error.code, error.exitCode], ['METRIC_NOT_GIVEN', 6])
    assert.match(error.message, /do not give auc; they give accuracy, f1/)
  })
})
