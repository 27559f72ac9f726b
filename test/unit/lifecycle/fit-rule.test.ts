/** When an old version counts as worse on today's labelled rows: the rule of docs/lifecycle.md, by figures. */
import assert from 'node:assert/strict'
import { type EvaluationFacts, judgeEvaluation } from '../../../src/lifecycle/rollback/fit-rule.ts'

const facts = (more: Partial<EvaluationFacts>): EvaluationFacts => ({
  rows: 800,
  positives: 240,
  now: {},
  registered: {},
  rowsRegistered: 1_000,
  min: {},
  max: {},
  ...more,
})
const auc = (now: number, more: Partial<EvaluationFacts> = {}) =>
  judgeEvaluation(facts({ now: { auc: now }, registered: { auc: 0.872 }, ...more }))

function uniforms(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

describe('An evaluation of today against the one of registration', () => {
  it('has an interval for AUC as wide as AUCs of drawn rows spread (scores of the form that the formula assumes)', () => {
    const next = uniforms(11)
    const exponential = (rate: number): number => -Math.log(next()) / rate
    // P(positive > negative) = 1 / (1 + 0.25) = 0.8
    const drawn = Array.from({ length: 2_000 }, () => {
      const positives = Array.from({ length: 40 }, () => exponential(0.25))
      const negatives = Array.from({ length: 60 }, () => exponential(1))
      const won = positives.flatMap((p) => negatives.map((n) => (p > n ? 1 : 0)))
      return won.reduce<number>((sum, each) => sum + each, 0) / won.length
    })
    const mean = drawn.reduce((sum, each) => sum + each, 0) / drawn.length
    const spread = Math.sqrt(drawn.reduce((sum, each) => sum + (each - mean) ** 2, 0) / drawn.length)
    const [low = 0, high = 0] = auc(0.8, { rows: 100, positives: 40 }).metrics[0]?.interval ?? []
    const error = (high - low) / 2 / 1.959964
    assert.ok(Math.abs(error / spread - 1) < 0.06, `${error} against ${spread}`)
  })

  it('has the binomial interval for accuracy', () => {
    const [found] = judgeEvaluation(facts({ now: { accuracy: 0.8 }, registered: { accuracy: 0.8 } })).metrics
    const wide = 1.959964 * Math.sqrt((0.8 * 0.2) / 800)
    assert.ok(Math.abs((found?.interval?.[0] ?? 0) - (0.8 - wide)) < 1e-12)
  })

  it('holds when it is as good as then, and is worse after a loss that matters and is beyond chance', () => {
    assert.equal(auc(0.861).verdict, 'holds')
    assert.equal(auc(0.74).verdict, 'worse')
  })

  it('does not call a loss that chance explains worse, nor a loss that hardly matters', () => {
    assert.equal(auc(0.78, { rows: 60, positives: 15 }).verdict, 'inconclusive')
    assert.equal(auc(0.862, { rows: 200_000, positives: 60_000, rowsRegistered: 200_000 }).verdict, 'holds')
  })

  it('does not hold on a figure that the metric cannot have, whatever the gate asks for and other figures say', () => {
    assert.equal(auc(99).verdict, 'inconclusive')
    assert.equal(auc(99, { min: { auc: 0.5 } }).verdict, 'inconclusive')
    const two = facts({ now: { auc: 86, accuracy: 0.8 }, registered: { auc: 0.86, accuracy: 0.8 } })
    assert.equal(judgeEvaluation(two).verdict, 'inconclusive')
    assert.equal(auc(0.861, { registered: { auc: 87 }, min: { auc: 0.5 } }).verdict, 'holds', 'the bound is kept')
  })

  it('says nothing on a handful of rows', () => {
    assert.equal(auc(0.3, { rows: 49, positives: 20 }).verdict, 'inconclusive')
  })

  it('is worse when a bound of the stage is broken beyond chance, and says which bound', () => {
    const broken = auc(0.79, { min: { auc: 0.85 } })
    assert.deepEqual([broken.verdict, broken.metrics[0]?.broken], ['worse', 'min_auc 0.85'])
    const byChance = auc(0.845, { min: { auc: 0.85 } })
    assert.deepEqual([byChance.verdict, byChance.metrics[0]?.broken], ['inconclusive', 'min_auc 0.85'])
  })

  it('takes a bound as the gate does where the figure gives no interval', () => {
    const judged = (rmse: number) =>
      judgeEvaluation(facts({ positives: null, now: { rmse }, registered: { rmse: 50 }, max: { rmse: 55 } })).verdict
    assert.deepEqual([judged(56), judged(54), judged(49)], ['worse', 'holds', 'holds'])
  })

  it('wants twice the loss, and 200 rows, where neither interval nor bound is known', () => {
    const judged = (rmse: number, rows = 800) =>
      judgeEvaluation(facts({ rows, positives: null, now: { rmse }, registered: { rmse: 50 } })).verdict
    assert.deepEqual([judged(61), judged(57), judged(54)], ['worse', 'inconclusive', 'holds'])
    assert.deepEqual([judged(61, 150), judged(50, 150)], ['inconclusive', 'inconclusive'])
  })

  it('goes by the metrics that the gate names, and else by those it knows in any spelling', () => {
    const now = { roc_auc: 0.5, accuracy: 0.9 }
    const registered = { roc_auc: 0.9, accuracy: 0.9 }
    assert.equal(judgeEvaluation(facts({ now, registered })).verdict, 'worse')
    const named = judgeEvaluation(facts({ now, registered, min: { accuracy: 0.8 } }))
    assert.deepEqual([named.verdict, named.metrics.length], ['holds', 1])
    const strange = judgeEvaluation(facts({ now: { profit: 3 }, registered: { profit: 9 } }))
    assert.deepEqual([strange.verdict, strange.metrics], ['inconclusive', []])
  })

  it('is wrong about a version that is what it was less often than it says', () => {
    // Draws of an AUC around the same true value, with the error of the formula: false alarms at 5 % of two sides.
    const uniform = uniforms(7)
    const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
    let worse = 0
    for (let draw = 0; draw < 2_000; draw++) {
      const [a, b] = [0.85 + 0.045 * normal(), 0.85 + 0.045 * normal()]
      const judged = judgeEvaluation(
        facts({ rows: 100, positives: 40, rowsRegistered: 100, now: { auc: a }, registered: { auc: b } }),
      )
      if (judged.verdict === 'worse') worse++
    }
    assert.ok(worse / 2_000 < 0.05, `${worse} of 2,000`)
  })
})
