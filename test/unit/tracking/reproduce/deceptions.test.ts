/** What looks equal and is not: names, small numbers, rows that stand for several, parameters, values of options. */
import assert from 'node:assert/strict'
import { compareRows } from '../../../../src/tracking/reproduce/compare-answers.ts'
import { compareRuns, overallVerdict } from '../../../../src/tracking/reproduce/compare-runs.ts'
import { compareNumbers, measuresWork } from '../../../../src/tracking/reproduce/compare-values.ts'
import { parseTolerances } from '../../../../src/ui/reproduce-flags.ts'
import { facts } from '../compare-facts.ts'

describe('a reproduction is not deceived', () => {
  it('by a unit of time at the end of what says how good the answers are', () => {
    const results = ['mae_minutes', 'rmse_seconds', 'val/mse_ms', 'error_s', 'lossMinutes', 'bias_seconds']
    const targets = ['median_wait_seconds', 'predicted_delay_minutes', 'trip_duration', 'minutes', 'time_to_event']
    assert.deepEqual([...results, ...targets].filter(measuresWork), [])
    const work = ['fit_seconds', 'train_minutes', 'mean_fit_time', 'score_time', 'inference_ms', 'seconds', 'time_s']
    assert.deepEqual(
      work.filter((name) => !measuresWork(name)),
      [],
    )
  })

  it('by a value that is small: tolerance is a share of it', () => {
    assert.equal(compareNumbers(1e-9, 9e-7, 1e-6), 'different')
    assert.equal(compareNumbers(1e-9, 1e-9 + 1e-16, 1e-6), 'within tolerance')
    // Two sums that should be 0.
    assert.equal(compareNumbers(3e-17, -2e-17, 1e-6), 'within tolerance')
    assert.equal(compareNumbers(3e-17, -2e-17, 0), 'different')
  })

  it('by examples with the same features: each row answers for one', () => {
    const row = (x: number, output: number) => ({ features: { x }, output })
    const twice = [row(1, 0), row(1, 0)]
    assert.deepEqual(compareRows(twice, [row(1, 0), row(2, 77)], 1e-6), {
      verdict: 'different',
      note: '1 of 2 rows differ',
    })
    assert.equal(compareRows([row(1, 0), row(1, 1)], [row(1, 1), row(1, 0)], 0).verdict, 'equal')
    assert.equal(compareRows([row(1, 0), row(1, 1)], [row(1, 1), row(1, 1)], 0).verdict, 'different')
    // The first would take what only the second can have, if nearness alone decided.
    const near = compareRows([row(1, 1), row(1, 1.05)], [row(1, 1.08), row(1, 1.04)], 0.05)
    assert.deepEqual(near, { verdict: 'within tolerance', note: '2 of 2 rows within tolerance' })
  })

  it('by parameters that the script found otherwise, and takes equal ones for no result', () => {
    const options = { tolerances: { general: 1e-6, byName: {} }, ignore: ['seen'] }
    const compare = (a: Record<string, number | boolean>, b: Record<string, number | boolean>) => {
      const nothing = { series: [], answers: [], models: [] }
      const run = (params: typeof a) => facts({ status: 'finished', exit: 0, metrics: {}, artifacts: [], params })
      return compareRuns(run(a), run(b), nothing, options)
    }
    const rows = compare({ depth: 3, best_depth: 3, shuffled: true, seen: 1 }, { depth: 3, best_depth: 9, seen: 2 })
    assert.deepEqual(
      rows.map(({ kind, name, verdict, reproduced }) => [kind, name, verdict, reproduced]),
      [
        ['param', 'best_depth', 'different', 9],
        ['param', 'depth', 'equal', 3],
        ['param', 'seen', 'ignored', 2],
        ['param', 'shuffled', 'missing', null],
      ],
    )
    assert.equal(overallVerdict(rows), 'different')
    assert.equal(overallVerdict(compare({ depth: 3 }, { depth: 3 })), 'nothing to compare')
  })

  it('by a tolerance that nobody meant', () => {
    for (const text of ['0x10', '1_0', 'Infinity', '-1', 'auc=', '0b1', 'auc=0x1'])
      assert.throws(() => parseTolerances([text]), { code: 'TOLERANCE_INVALID' }, text)
    assert.deepEqual(parseTolerances(['1e-3', 'auc=.5', 'a=b=2.']), { general: 1e-3, byName: { auc: 0.5, 'a=b': 2 } })
  })
})
