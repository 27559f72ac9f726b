/** What the intervals promise, on populations whose truth is known. In full size: `npm run simulate:evaluation`. */
import assert from 'node:assert/strict'
import { metricOf } from '../../../src/evaluation/metrics.ts'
import { coverageOf, drawPair, normalBelow, parityCoverage, trueGain } from '../../simulate/evaluation-draws.ts'

/** 95 % of 400 repetitions: within 93 to 97 % and two standard errors of the simulation. */
const REPETITIONS = 400
const [LEAST, MOST] = [0.93 - 2 * 0.0109, 0.97 + 2 * 0.0109]
const POPULATION = { share: 0.3, ours: 1.8, theirs: 1.5 }

describe('The intervals of src/evaluation/', function () {
  this.timeout(120_000)

  it('are judged against the true difference of the population', () => {
    assert.ok(Math.abs(normalBelow(1.959963984540054) - 0.975) < 1e-12)
    const [challenger, champion] = drawPair(POPULATION, 400_000, 1)
    for (const metric of ['auc', 'accuracy', 'log_loss'] as const) {
      const sign = metric === 'log_loss' ? -1 : 1
      const drawn = sign * ((metricOf(challenger, metric) ?? 0) - (metricOf(champion, metric) ?? 0))
      assert.ok(Math.abs(drawn - trueGain(POPULATION, metric)) < 0.002, `${metric}: ${drawn}`)
    }
  })

  for (const metric of ['auc', 'accuracy', 'log_loss'] as const) {
    it(`hold the true difference of ${metric} in about 95 of 100 comparisons`, () => {
      const { bootstrap, deLong } = coverageOf(POPULATION, metric, { rows: 150, repetitions: REPETITIONS, seed: 5 })
      assert.ok(bootstrap !== null && LEAST <= bootstrap && bootstrap <= MOST, `bootstrap: ${bootstrap}`)
      if (deLong !== null) assert.ok(LEAST <= deLong && deLong <= MOST, `DeLong: ${deLong}`)
    })
  }

  it('hold the true difference between groups at least as often, also when there is none', () => {
    for (const rates of [
      [0.3, 0.3],
      [0.2, 0.3],
      [0.3, 0.3, 0.3, 0.3],
    ]) {
      const coverage = parityCoverage(rates, { rows: 200, repetitions: 200, seed: 9 })
      assert.ok(coverage > 0.9, `${rates}: ${coverage}`)
    }
  })
})
