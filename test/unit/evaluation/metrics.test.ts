/** The metrics of held-out rows against scikit-learn, and what they say where they are not defined. */
import assert from 'node:assert/strict'
import { betterOf, knownName } from '../../../src/core/metric-names.ts'
import { metricNames, metricOf, metricsOf, weightedMetric } from '../../../src/evaluation/metrics.ts'
import { askPython, type Columns, heldOutOf, normalOf, randomOf, said, twoVersions } from './support.ts'

const close = (actual: number | undefined, expected: number, what: string): void => {
  const difference = Math.abs((actual ?? Number.NaN) - expected)
  assert.ok(difference <= 1e-12 * Math.max(1, Math.abs(expected)), `${what}: ${actual}, scikit-learn says ${expected}`)
}

const repeat = <T>(rows: number, make: (row: number) => T): T[] => Array.from({ length: rows }, (_, row) => make(row))

describe('The metrics of held-out rows', function () {
  // Python and its libraries take their time on a busy machine.
  this.timeout(180_000)

  it('are those of scikit-learn, to 1e-12', function () {
    const random = randomOf(11)
    const normal = normalOf(random)
    const plain = twoVersions(2_000, 1)
    const tied = twoVersions(2_000, 2, { digits: 1 })
    const rare = twoVersions(5_000, 3, { share: 0.004 })
    // Certain of what did not come true: the logarithm is taken at the precision of a double.
    const certain = {
      truth: repeat(200, (row) => row % 2),
      score: repeat(200, (row) => [0, 1, 0.3, 0.9, 1][row % 5] ?? 0),
    }
    const kinds = repeat(3_000, () => Math.floor(random() * 5))
    const guesses = kinds.map((kind) => (random() < 0.6 ? kind : Math.floor(random() * 6)))
    // Far from zero, where a careless sum of squares would lose all digits.
    const far = repeat(2_000, () => 1e6 + normal())
    const cases: readonly (Columns & { task: string })[] = [
      ...[plain, tied, rare, certain].map(({ truth, score }) => ({
        task: 'binary',
        truth,
        answer: said(score),
        score,
      })),
      { task: 'binary', truth: plain.truth, answer: plain.truth.map(() => 0), score: plain.score },
      { task: 'multiclass', truth: kinds, answer: guesses },
      { task: 'multiclass', truth: kinds.map(String), answer: kinds.map(() => '0') },
      { task: 'regression', truth: far, answer: far.map((value) => value + 0.1 * normal()) },
      { task: 'regression', truth: repeat(50, (row) => row), answer: repeat(50, (row) => 50 - row) },
    ]
    const [expected = []]: Record<string, number>[][] = askPython(this, { do: 'metrics', cases })
    for (const [index, each] of cases.entries()) {
      const found = metricsOf(heldOutOf(each, each.task === 'regression'))
      assert.deepEqual(Object.keys(found).sort(), Object.keys(expected[index] ?? {}).sort(), `case ${index}`)
      for (const [name, value] of Object.entries(expected[index] ?? {}))
        close(found[name], value, `${name} of case ${index}`)
    }
  })

  it('of a draw are those of the rows written out as often as they were drawn', () => {
    const { truth, score } = twoVersions(300, 5, { digits: 1 })
    const random = randomOf(6)
    const weights = new Uint8Array(300).map(() => Math.floor(random() * 4))
    const rows = truth.flatMap((_, row) => Array.from({ length: weights[row] as number }, () => row))
    const pick = <T>(values: readonly T[]): T[] => rows.map((row) => values[row] as T)
    const all = heldOutOf({ truth, answer: said(score), score })
    const written = heldOutOf({ truth: pick(truth), answer: pick(said(score)), score: pick(score) })
    // Means divide by the rows of the draw, which has as many as there are.
    const scale = (name: string): number => (['log_loss', 'brier'].includes(name) ? rows.length / 300 : 1)
    for (const name of metricNames(all)) {
      const drawn = weightedMetric(all, name)(weights)
      close(drawn, (metricOf(written, name) ?? Number.NaN) * scale(name), name)
    }
  })

  it('are left out where the rows do not define them', () => {
    const one = heldOutOf({ truth: [0, 0, 0], answer: [0, 1, 0], score: [0.1, 0.7, 0.2] })
    assert.deepEqual(Object.keys(metricsOf(one)), ['accuracy', 'precision', 'recall', 'f1', 'log_loss', 'brier'])
    const unscored = heldOutOf({ truth: [0, 1], answer: [0, 1] })
    assert.equal(metricOf(unscored, 'auc'), undefined)
    const flat = heldOutOf({ truth: [2, 2, 2], answer: [1, 2, 3] }, true)
    assert.deepEqual(Object.keys(metricsOf(flat)), ['mae', 'rmse'])
    // Scores of a decision function have an area, and no logarithm.
    const margins = heldOutOf({ truth: [0, 1, 1], answer: [0, 1, 1], score: [-3, 0.5, 2] })
    assert.deepEqual([metricOf(margins, 'auc'), metricOf(margins, 'log_loss')], [1, undefined])
  })

  it('are found under the other names people record them by, and count the way they are read', () => {
    const heldOut = heldOutOf({ truth: [0, 1], answer: [0, 1], score: [0.2, 0.9] })
    assert.equal(metricOf(heldOut, 'ROC_AUC'), 1)
    assert.equal(knownName('profit'), 'profit')
    assert.equal(metricOf(heldOut, 'profit'), undefined)
    const ways = ['auc', 'f1_macro', 'r2', 'profit'].map(betterOf)
    assert.deepEqual(ways, ['higher', 'higher', 'higher', 'higher'])
    assert.deepEqual(['log_loss', 'brier', 'rmse', 'test_mae', 'val_loss'].map(betterOf), Array(5).fill('lower'))
  })
})
