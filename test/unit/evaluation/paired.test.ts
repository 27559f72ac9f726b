/** The comparison of two versions on the same rows: against scipy and DeLong's paper, its verdicts, what must not change it. */
import assert from 'node:assert/strict'
import { deLong } from '../../../src/evaluation/delong.ts'
import { exactMcNemar } from '../../../src/evaluation/mcnemar.ts'
import { comparePaired, pairRows, verdictOf, whyNotComparable } from '../../../src/evaluation/paired.ts'
import { drawsFor, quantile, resample } from '../../../src/evaluation/resample.ts'
import type { HeldOut, PairedComparison } from '../../../src/evaluation/types.ts'
import { askPython, heldOutOf, normalOf, pairOf, randomOf, said, twoVersions } from './support.ts'

const near = (actual: number, expected: number, tolerance: number, what: string): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, expected ${expected}`)

function compare(challenger: HeldOut, champion: HeldOut, metric: string, margin = 0): PairedComparison {
  const pairing = pairRows(challenger, champion)
  assert.ok(pairing.kind === 'paired', pairing.kind === 'unpaired' ? pairing.reason : '')
  return comparePaired(pairing.challenger, pairing.champion, { metric, margin })
}

/** A fixed permutation of the rows. */
function shuffled(heldOut: HeldOut, seed: number): HeldOut {
  const random = randomOf(seed)
  const order = Array.from({ length: heldOut.rows }, (_, row) => [random(), row] as const)
    .sort(([one], [other]) => one - other)
    .map(([, row]) => row)
  const pick = (values: Float64Array) => Float64Array.from(order, (row) => values[row] as number)
  const { truth, answer, score, id } = heldOut
  return { ...heldOut, truth: pick(truth), answer: pick(answer), score: score && pick(score), id: id && pick(id) }
}

describe('A paired comparison', function () {
  // Python and its libraries take their time on a busy machine.
  this.timeout(180_000)

  it('gives the interval of scipy.stats.bootstrap, up to the chance of the draws', function () {
    const classes = twoVersions(400, 21)
    const normal = normalOf(randomOf(31))
    const values = Array.from({ length: 300 }, () => 50 + 10 * normal())
    const [hit, miss] = [5, 6].map((width) => values.map((value) => value + width * normal())) as [number[], number[]]
    const of = { truth: classes.truth, score: classes.score, other_score: classes.other }
    const binary = { ...of, answer: said(classes.score), other_answer: said(classes.other) }
    const quantity = { truth: values, score: values, answer: hit, other_score: values, other_answer: miss }
    const requests = ['auc', 'accuracy', 'f1', 'log_loss', 'rmse', 'r2'].map((metric) => ({
      ...{ do: 'bootstrap', metric, draws: 4_000 },
      ...(['rmse', 'r2'].includes(metric) ? quantity : binary),
    }))
    const expected = askPython(this, ...requests)
    for (const [index, { metric, truth, answer, other_answer: other }] of requests.entries()) {
      const isQuantity = truth === values
      const [challenger, champion] = isQuantity
        ? ([heldOutOf({ truth, answer }, true), heldOutOf({ truth, answer: other }, true)] as const)
        : pairOf(classes)
      const { interval, gain, better } = compare(challenger, champion, metric)
      const { low, high, error } = expected[index]
      const [least, most] = better === 'lower' ? [-high, -low] : [low, high]
      near(interval.low, least, 0.25 * error, `${metric}, low`)
      near(interval.high, most, 0.25 * error, `${metric}, high`)
      near(gain, (least + most) / 2, error, metric)
    }
  })

  it('agrees with DeLong, written down from the paper, also with ties and few positives', function () {
    const all = [twoVersions(300, 41), twoVersions(400, 42, { digits: 1 }), twoVersions(500, 43, { share: 0.02 })]
    const expected = askPython(
      this,
      ...all.map(({ truth, score, other }) => ({ do: 'delong', truth, score, other_score: other })),
    )
    for (const [index, versions] of all.entries()) {
      const { areas, variance, p } = expected[index]
      const [challenger, champion] = pairOf(versions)
      const found = deLong(challenger, champion)
      near(found?.challenger ?? 0, areas[0], 1e-12, 'area')
      near(found?.champion ?? 0, areas[1], 1e-12, 'area of the champion')
      near(found?.variance ?? 0, variance, 1e-12 * variance + 1e-18, 'variance')
      near(compare(challenger, champion, 'auc').also?.p ?? 0, p, 1e-9, 'p')
    }
  })

  it('agrees with the published example of DeLong, DeLong and Clarke-Pearson', () => {
    // Ovarian cancer: albumin, total protein, Krebs-Goplerud score, benefit of surgery; figures of SAS/STAT, PROC LOGISTIC.
    const truth = PATIENTS.map(([, , , benefit]) => benefit)
    const of = (score: number[]) => heldOutOf({ truth, answer: truth, score })
    const [albumin, protein, score] = [
      of(PATIENTS.map(([value]) => value)),
      of(PATIENTS.map(([, value]) => value)),
      of(PATIENTS.map(([, , value]) => 10 - value)),
    ] as const
    const error = (one: HeldOut, other: HeldOut): number => Math.sqrt(deLong(one, other)?.variance ?? 0)
    const none = of(truth.map(() => 0))
    for (const [version, area, deviation] of [
      [albumin, 0.7366, 0.0927],
      [protein, 0.6478, 0.1],
      [score, 0.7258, 0.1028],
    ] as const) {
      near(deLong(version, none)?.challenger ?? 0, area, 5e-5, 'area')
      near(error(version, none), deviation, 5e-5, 'standard error')
    }
    near(error(albumin, score), 0.0953, 5e-5, 'standard error of the difference')
    const also = comparePaired(protein, score, { metric: 'auc' }).also
    const published = [-0.078, -0.283, 0.1271, 0.4561]
    for (const [index, value] of [also?.gain, also?.interval?.low, also?.interval?.high, also?.p].entries()) {
      near(value ?? Number.NaN, published[index] as number, 5e-5, 'difference, limits and p')
    }
  })

  it('agrees with the exact binomial test on the rows that only one answers right', function () {
    const pairs = [
      [0, 0],
      [1, 0],
      [0, 6],
      [5, 5],
      [3, 12],
      [40, 60],
      [1_000, 1_200],
      [20, 900],
      [7, 8],
    ]
    const [expected = []]: number[][] = askPython(this, { do: 'mcnemar', pairs: pairs.slice(1) })
    assert.equal(exactMcNemar(0, 0), 1)
    for (const [index, [one = 0, other = 0]] of pairs.slice(1).entries()) {
      const p = expected[index] ?? Number.NaN
      near(exactMcNemar(one, other), p, 1e-9 * p + 1e-300, `${one} against ${other}`)
    }
  })

  it('says better, not worse within the margin, worse, or that the rows do not say', () => {
    const confidence = 0.95
    const verdicts = [
      [0.01, 0.03, 0],
      [0, 0, 0],
      [-0.01, 0.03, 0.02],
      [-0.01, 0.03, 0],
      [-0.03, -0.01, 0],
      [-0.03, -0.01, 0.02],
      [-0.03, -0.025, 0.02],
    ]
    assert.deepEqual(
      verdicts.map(([low = 0, high = 0, margin = 0]) => verdictOf({ low, high, confidence }, margin)),
      ['better', 'not worse', 'not worse', 'inconclusive', 'worse', 'inconclusive', 'worse'],
    )
    const good = pairOf(twoVersions(4_000, 51, { gap: 0.5 }))
    assert.equal(compare(...good, 'auc').verdict, 'better')
    assert.equal(compare(good[1], good[0], 'auc').verdict, 'worse')
    const alike = pairOf(twoVersions(4_000, 52, { gap: 0 }))
    assert.equal(compare(...alike, 'auc').verdict, 'inconclusive')
    assert.equal(compare(...alike, 'auc', 0.03).verdict, 'not worse')
  })

  it('of identical answers is a tie: the interval is [0, 0] and nobody is worse', () => {
    const [one] = pairOf(twoVersions(200, 61))
    for (const metric of ['auc', 'accuracy', 'f1', 'log_loss']) {
      const { gain, interval, verdict, also } = compare(one, { ...one }, metric)
      assert.deepEqual([gain, interval.low, interval.high, verdict], [0, 0, 0, 'not worse'], metric)
      assert.ok(also === null || also.p === 1)
    }
  })

  it('draws no conclusion from fewer than 30 rows, or 10 of a class that the metric rests on', () => {
    const few = pairOf(twoVersions(29, 71, { gap: 4 }))
    const { verdict, note } = compare(...few, 'accuracy')
    assert.deepEqual([verdict, note], ['inconclusive', 'too few rows: 29 rows, fewer than 30'])
    const truth = Array.from({ length: 200 }, (_, row) => (row < 4 ? 1 : 0))
    const score = truth.map((value, row) => value * 0.9 + (row % 7) / 100)
    const other = truth.map((_, row) => (row % 10) / 10)
    const of = (scores: number[]) => heldOutOf({ truth, answer: said(scores), score: scores })
    assert.equal(compare(of(score), of(other), 'auc').verdict, 'inconclusive')
    assert.equal(compare(of(score), of(other), 'auc').note, 'too few rows: 4 positive rows, fewer than 10')
    assert.equal(compare(of(score), of(other), 'accuracy').verdict, 'better')
  })

  it('comes out the same in any order of the rows, when they have ids', () => {
    const [challenger, champion] = pairOf(twoVersions(500, 81))
    for (const metric of ['auc', 'accuracy', 'log_loss']) {
      const expected = compare(challenger, champion, metric)
      for (const seed of [1, 2, 3]) {
        const found = compare(shuffled(challenger, seed), shuffled(champion, seed + 10), metric)
        assert.deepEqual(found, expected, metric)
      }
    }
  })

  it('changes its sign when challenger and champion change places', () => {
    for (const seed of [1, 2, 3, 4]) {
      const [one, other] = pairOf(twoVersions(300, seed))
      for (const metric of ['auc', 'f1', 'log_loss']) {
        const [there, back] = [compare(one, other, metric), compare(other, one, metric)]
        near(back.gain, -there.gain, 1e-15, metric)
        near(back.interval.low, -there.interval.high, 1e-12, metric)
        near(back.interval.high, -there.interval.low, 1e-12, metric)
        assert.equal(back.seed, there.seed)
      }
    }
  })

  it('of areas depends on the order of the scores alone, not on their scale', () => {
    for (const [seed, digits] of [
      [1, 6],
      [2, 1],
    ] as const) {
      const { truth, score, other } = twoVersions(400, seed, { digits })
      const of = (scores: number[]) => heldOutOf({ truth, answer: said(other), score: scores })
      const expected = compare(of(score), of(other), 'auc')
      for (const stretch of [
        (x: number) => 100 * x - 7,
        (x: number) => Math.log(x / (1 - x) + 1e-9),
        (x: number) => x ** 3,
      ]) {
        assert.deepEqual(compare(of(score.map(stretch)), of(other), 'auc'), expected)
      }
    }
  })

  it('draws rows evenly, the same on every machine', () => {
    const total = new Float64Array(1_000)
    let squares = 0
    resample(1_000, 2_000, 12345, (weights) => {
      assert.equal(
        weights.reduce((sum, weight) => sum + weight, 0),
        1_000,
      )
      for (let row = 0; row < 1_000; row++) total[row] = (total[row] as number) + (weights[row] as number)
      squares += weights.reduce((sum, weight) => sum + weight * weight, 0)
      return true
    })
    // Multinomial: mean 1 and variance 1 - 1/n per row; 2,000 draws of each.
    const chiSquare = total.reduce((sum, count) => sum + (count - 2_000) ** 2 / 2_000, 0)
    near(chiSquare, 999, 5 * Math.sqrt(2 * 999), 'chi-square of the rows')
    near(squares / 2_000_000, 1.999, 0.01, 'mean square of a weight')
    // Fixed for ever: a gate must not come out otherwise with another Node or processor.
    const first: number[] = []
    resample(12, 2, 7, (weights) => first.push(...weights) > 0)
    assert.deepEqual(first, FIRST_DRAWS)
    assert.deepEqual([1_000, 200_000, 1_000_000, 5_000_000].map(drawsFor), [2_000, 2_000, 400, 400])
    assert.equal(quantile(Float64Array.of(1, 2, 4), 0.75), 3)
  })

  it('draws again where a draw holds one class only', () => {
    assert.equal(
      resample(10, 100, 1, (weights) => (weights[0] as number) > 0),
      100,
    )
    assert.equal(
      resample(10, 100, 1, () => false),
      0,
    )
  })

  it('says in words why a metric cannot be compared', () => {
    const [scored] = pairOf(twoVersions(50, 91))
    const bare = { ...scored, score: null }
    assert.equal(whyNotComparable(scored, bare, 'roc_auc'), 'the recorded answers of the champion hold no score')
    assert.match(
      whyNotComparable(scored, scored, 'profit') ?? '',
      /^profit is not computed .* known for binary are accuracy/,
    )
    const single = heldOutOf({ truth: Array(40).fill(0), answer: Array(40).fill(0), score: Array(40).fill(0.1) })
    assert.match(whyNotComparable(single, single, 'auc') ?? '', /all of them are of one class/)
    assert.throws(() => comparePaired(single, single, { metric: 'auc' }), {
      code: 'NOT_COMPARABLE',
      exit: 'inconclusive',
    })
  })
})

const FIRST_DRAWS: readonly number[] = [2, 2, 0, 2, 1, 0, 0, 2, 1, 0, 0, 2, 2, 0, 1, 0, 1, 3, 1, 1, 0, 1, 2, 0]

/** Albumin, total protein, Krebs-Goplerud score, benefit of surgery. */
const PATIENTS: readonly (readonly [number, number, number, number])[] = [
  [3.0, 5.8, 10, 0],
  [3.2, 6.3, 5, 1],
  [3.9, 6.8, 3, 1],
  [2.8, 4.8, 6, 0],
  [3.2, 5.8, 3, 1],
  [0.9, 4.0, 5, 0],
  [2.5, 5.7, 8, 0],
  [1.6, 5.6, 5, 1],
  [3.8, 5.7, 5, 1],
  [3.7, 6.7, 6, 1],
  [3.2, 5.4, 4, 1],
  [3.8, 6.6, 6, 1],
  [4.1, 6.6, 5, 1],
  [3.6, 5.7, 5, 1],
  [4.3, 7.0, 4, 1],
  [3.6, 6.7, 4, 0],
  [2.3, 4.4, 6, 1],
  [4.2, 7.6, 4, 0],
  [4.0, 6.6, 6, 0],
  [3.5, 5.8, 6, 1],
  [3.8, 6.8, 7, 1],
  [3.0, 4.7, 8, 0],
  [4.5, 7.4, 5, 1],
  [3.7, 7.4, 5, 1],
  [3.1, 6.6, 6, 1],
  [4.1, 8.2, 6, 1],
  [4.3, 7.0, 5, 1],
  [4.3, 6.5, 4, 1],
  [3.2, 5.1, 5, 1],
  [2.6, 4.7, 6, 1],
  [3.3, 6.8, 6, 0],
  [1.7, 4.0, 7, 0],
  [3.7, 6.1, 5, 1],
  [3.3, 6.3, 7, 1],
  [4.2, 7.7, 6, 1],
  [3.5, 6.2, 5, 1],
  [2.9, 5.7, 9, 0],
  [2.1, 4.8, 7, 1],
  [2.8, 6.2, 8, 0],
  [4.0, 7.0, 7, 1],
  [3.3, 5.7, 6, 1],
  [3.7, 6.9, 5, 1],
  [3.6, 6.6, 5, 1],
]
