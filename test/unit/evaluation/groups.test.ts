/** Slices and differences between groups: intervals against scipy, differences against Fairlearn on real data. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fairnessOf } from '../../../src/evaluation/fairness.ts'
import { readHeldOutFile } from '../../../src/evaluation/held-out.ts'
import { metricOf } from '../../../src/evaluation/metrics.ts'
import { sliceMetrics, wilson } from '../../../src/evaluation/slices.ts'
import { skipBecause } from '../../support/skip.ts'
import { askPython, folder, heldOutOf, ROOT, said, twoVersions } from './support.ts'

const close = (actual: number | null | undefined, expected: number, what: string): void =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) <= 1e-12, `${what}: ${actual}, expected ${expected}`)

/** Rows of three regions, the south answered at random, and some without one. */
function regions() {
  const { truth, score } = twoVersions(900, 3)
  const region = truth.map((_, row) => [null, 'north', 'south', 'west', 'north'][row % 5] ?? null)
  const blind = score.map((value, row) => (region[row] === 'south' ? ((row * 7) % 100) / 100 : value))
  return { truth, answer: said(blind), score: blind, groups: { region, one: truth.map(() => 'x') } }
}

describe('Slices', function () {
  // Python and its libraries take their time on a busy machine.
  this.timeout(180_000)

  it('are every value of the column and the missing one, worst first', () => {
    const columns = regions()
    const slices = sliceMetrics(heldOutOf(columns), 'region', ['auc', 'recall'])
    assert.deepEqual(slices.map(({ value }) => value).sort(), ['north', 'south', 'west', null].sort())
    assert.equal(slices[0]?.value, 'south')
    const areas = slices.map(({ metrics }) => metrics.auc?.value ?? 0)
    assert.deepEqual(
      areas,
      areas.toSorted((one, other) => one - other),
    )
    assert.equal(
      slices.reduce((sum, { rows }) => sum + rows, 0),
      900,
    )
    for (const { value, rows, positives, metrics } of slices) {
      const mine = columns.groups.region.flatMap((each, row) => (each === value ? [row] : []))
      const pick = <T>(values: readonly T[]) => mine.map((row) => values[row] as T)
      const alone = heldOutOf({ truth: pick(columns.truth), answer: pick(columns.answer), score: pick(columns.score) })
      assert.deepEqual([rows, positives], [mine.length, pick(columns.truth).filter((label) => label === 1).length])
      for (const name of ['auc', 'recall']) close(metrics[name]?.value, metricOf(alone, name) ?? Number.NaN, name)
      assert.ok((metrics.auc?.interval.low ?? 1) < (metrics.auc?.value ?? 0), 'the interval lies around the value')
      assert.deepEqual([metrics.auc?.method, metrics.recall?.method], ['bootstrap', 'Wilson'])
    }
    const errors = sliceMetrics(heldOutOf(columns), 'region', ['log_loss'])
    assert.equal(errors[0]?.value, 'south', 'a large loss is worst')
  })

  it('of one value are the whole', () => {
    const heldOut = heldOutOf(regions())
    const [whole] = sliceMetrics(heldOut, 'one', ['accuracy', 'f1'])
    close(whole?.metrics.accuracy?.value, metricOf(heldOut, 'accuracy') ?? 0, 'accuracy')
    close(whole?.metrics.f1?.value, metricOf(heldOut, 'f1') ?? 0, 'f1')
  })

  it('have the interval of scipy for shares', function () {
    const shares = [
      [0, 10],
      [10, 10],
      [1, 3],
      [45, 50],
      [999, 1_000],
      [37, 412],
    ] as const
    const [expected = []] = askPython(this, { do: 'wilson', shares })
    for (const [index, [hits, of]] of shares.entries()) {
      const { low, high } = wilson(hits, of)
      close(low, expected[index][0], `${hits} of ${of}`)
      close(high, expected[index][1], `${hits} of ${of}`)
    }
  })

  it('leave out what is not defined, put such groups last, and say which are small', () => {
    const truth = Array.from({ length: 100 }, (_, row) => (row < 60 ? row % 2 : 0))
    const kind = truth.map((_, row) => (row < 60 ? 'mixed' : row < 95 ? 'negative' : 'tiny'))
    const score = truth.map((value, row) => (value + (row % 10) / 10) / 2.2)
    const slices = sliceMetrics(heldOutOf({ truth, answer: said(score), score, groups: { kind } }), 'kind', [
      'auc',
      'accuracy',
    ])
    assert.deepEqual(
      slices.map(({ value }) => value),
      ['mixed', 'negative', 'tiny'],
    )
    assert.deepEqual(Object.keys(slices[1]?.metrics ?? {}), ['accuracy'])
    assert.deepEqual(
      slices.map(({ few }) => few),
      [null, '0 positive rows, fewer than 10', '5 rows, fewer than 30'],
    )
    const [first] = sliceMetrics(heldOutOf({ truth, answer: truth.map(() => 0), groups: { kind } }), 'kind', [
      'precision',
    ])
    assert.deepEqual(first?.metrics, {}, 'a share of nothing is not zero')
  })

  it('of a column that is not there, or names every row, are refused', () => {
    const many = heldOutOf({ truth: [0, 1], answer: [0, 1], groups: { region: ['a', 'b'] } })
    assert.throws(
      () => sliceMetrics(many, 'regoin', ['accuracy']),
      (error: Error & { hint?: string }) => {
        assert.equal(error.message, 'The test predictions have no column regoin.')
        assert.equal(error.hint, 'They have region')
        return true
      },
    )
    const wide = { ...many, groups: { amount: { values: [], codes: null } } }
    assert.throws(() => sliceMetrics(wide, 'amount', ['accuracy']), /more than 200 different values/)
    assert.throws(() => sliceMetrics(many, 'region', ['auc']), { code: 'SLICE_METRIC' })
  })
})

describe('Differences between groups', function () {
  // Python and its libraries take their time on a busy machine.
  this.timeout(180_000)

  it('are those of Fairlearn on the adult data, group by group', async function () {
    this.timeout(180_000)
    const data = join(ROOT, '../shared/data/adult.parquet')
    if (!existsSync(data)) skipBecause(this, 'the adult data set is not there')
    const work = folder()
    try {
      const by = ['sex', 'race']
      const out = join(work.path, 'held.parquet')
      const [expected] = askPython(this, { do: 'adult', data, out, by })
      const heldOut = await readHeldOutFile(out, {}, { by })
      for (const name of by) {
        for (const measure of ['demographic_parity', 'equalized_odds'] as const) {
          const found = fairnessOf(heldOut, name, measure)
          close(found.difference, expected[name][measure], `${measure} by ${name}`)
          assert.ok(found.interval.low <= found.difference && found.difference <= found.interval.high)
          for (const { value, rows, selectionRate, truePositiveRate, falsePositiveRate } of found.groups) {
            const theirs = expected[name].groups[value ?? '']
            assert.equal(rows, theirs.rows)
            close(selectionRate, theirs.selectionRate, `${name} ${value}`)
            // Fairlearn's rate of a group without positives is 0; ours is unknown.
            if (truePositiveRate !== null) close(truePositiveRate, theirs.truePositiveRate, `${name} ${value}`)
            if (falsePositiveRate !== null) close(falsePositiveRate, theirs.falsePositiveRate, `${name} ${value}`)
          }
        }
      }
    } finally {
      work.remove()
    }
  })

  it('leave out a rate that a group does not have, and say which groups are small', () => {
    const truth = Array.from({ length: 130 }, (_, row) => (row < 100 ? row % 2 : 0))
    const answer = truth.map((label, row) => (row % 5 === 0 ? 1 - label : label))
    const group = truth.map((_, row) => (row < 50 ? 'a' : row < 100 ? 'b' : row < 126 ? 'c' : null))
    const found = fairnessOf(heldOutOf({ truth, answer, groups: { group } }), 'group', 'equalized_odds')
    const rates = found.groups.map(({ truePositiveRate }) => truePositiveRate)
    assert.deepEqual(rates, [0.8, 0.8, null, null])
    assert.deepEqual(found.notes, [
      '"c" has 26 rows, fewer than 30',
      'the missing value has 4 rows, fewer than 30',
      '"c" has no positive rows: its rate is left out',
      'the missing value has no positive rows: its rate is left out',
    ])
    // The false positive rates of all four count.
    const alarms = found.groups.map((each) => each.falsePositiveRate ?? 0)
    close(found.difference, Math.max(...alarms) - Math.min(...alarms), 'difference')
  })

  it('need two groups and two classes', () => {
    const one = heldOutOf({ truth: [0, 1], answer: [0, 1], groups: { g: ['x', 'x'] } })
    assert.throws(() => fairnessOf(one, 'g', 'demographic_parity'), { code: 'FAIRNESS_GROUPS' })
    const three = heldOutOf({ truth: ['a', 'b', 'c'], answer: ['a', 'b', 'c'], groups: { g: ['x', 'y', 'x'] } })
    assert.throws(() => fairnessOf(three, 'g', 'equalized_odds'), { code: 'FAIRNESS_TASK' })
  })
})
