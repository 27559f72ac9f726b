/** Importances: how they are read, and that they order columns without hiding any. */
import assert from 'node:assert/strict'
import { MlopsError } from '../../../src/core/errors.ts'
import { importanceNotes, importancesFile, orderColumns, parseImportances } from '../../../src/drift/importances.ts'
import type { ColumnResult } from '../../../src/drift/types.ts'
import { column } from './support.ts'

const wrong = (text: string): MlopsError => {
  try {
    parseImportances(text, 'imp.csv')
  } catch (error) {
    assert.ok(error instanceof MlopsError)
    return error
  }
  throw new assert.AssertionError({ message: `${text} was accepted` })
}

describe('A list of importances', () => {
  const expected = { tenure: 0.4, plan: -2, 'a, b': 1e-3 }
  for (const [form, text] of Object.entries({
    'a JSON object': '{"tenure": 0.4, "plan": -2, "a, b": 0.001}',
    'JSON entries':
      '[{"feature": "tenure", "importance": 0.4}, {"column": "plan", "weight": -2}, {"name": "a, b", "value": "1e-3"}]',
    'JSON pairs': '[["tenure", 0.4], ["plan", -2], ["a, b", 0.001]]',
    'CSV with a header': 'column,importance\ntenure,0.4\nplan,-2\n"a, b",0.001\n',
    'CSV without one, with Windows line ends': '\uFEFFtenure,0.4\r\nplan,-2\r\na, b,1e-3\r\n',
    tabs: 'tenure\t0.4\nplan\t-2\na, b\t0.001',
  })) {
    it(`is read from ${form}`, () => assert.deepEqual(parseImportances(text, 'x'), expected))
  }

  it('that is wrong is refused with every line that is', () => {
    const error = wrong('column,importance\ntenure,0.4\nplan,high\ntenure,1\n,3\n')
    assert.equal(error.code, 'IMPORTANCES_INVALID')
    assert.deepEqual(error.details?.problems, [
      'line 3: "plan" has no number',
      'line 4: "tenure" stands there twice',
      'line 5: there is no name of a column',
    ])
  })
  it('that is empty, not JSON or not finite is refused', () => {
    assert.match(wrong('').message, /it is empty/)
    assert.match(wrong('{"a": 1,').message, /not valid JSON/)
    assert.match(wrong('a,Infinity').message, /"a" has no number/)
    assert.match(wrong('{"a": null}').message, /"a" has no number/)
  })
  it('is found among the files of a version, the one nearest to the root', () => {
    assert.equal(
      importancesFile(['model.joblib', 'out/importances.json', 'feature_importances.csv']),
      'feature_importances.csv',
    )
    assert.equal(importancesFile(['model.joblib']), undefined)
  })
  it('that names a column in vain says so, with the nearest name', () => {
    const [note] = importanceNotes({ tenur: 1 }, ['tenure', 'plan'], 'imp.csv')
    assert.match(note ?? '', /imp.csv names "tenur", which the baseline does not have; did you mean "tenure"\?/)
  })
})

const names = (columns: readonly ColumnResult[]) => columns.map((each) => each.column)

describe('The order of columns is', () => {
  const columns = [
    column('small', { effect: 0.02 }),
    column('large', { effect: 0.08 }),
    column('drifted', { effect: 0.2, verdict: 'drift' }),
    column('gone', { effect: null, verdict: 'broken' }),
    column('truth', { role: 'target' }),
    column('score', { role: 'prediction' }),
  ]
  it('prediction, target, then features: worst verdict first, then by effect', () => {
    assert.deepEqual(names(orderColumns(columns)), ['score', 'truth', 'gone', 'drifted', 'large', 'small'])
  })
  it('effect times importance where importances are known, which are shown', () => {
    const ordered = orderColumns(columns, { small: -9, large: 1 })
    assert.deepEqual(names(ordered), ['score', 'truth', 'gone', 'drifted', 'small', 'large'])
    assert.deepEqual(
      ordered.map(({ importance }) => importance),
      [undefined, undefined, undefined, undefined, -9, 1],
    )
  })
  it('the same at any scale of the weights', () => {
    const weights = { small: 3, large: 0.7, drifted: 0.1 }
    const scaled = Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, 1e6 * weight]))
    assert.deepEqual(names(orderColumns(columns, weights)), names(orderColumns(columns, scaled)))
  })
  it('never such that a weight of nothing hides a drift', () => {
    const ordered = names(orderColumns(columns, { drifted: 0, gone: 0, small: 1e9, large: 1e9 }))
    assert.deepEqual(ordered.slice(0, 4), ['score', 'truth', 'gone', 'drifted'])
  })
  it('without the target first when the batch has no labels', () => {
    const skipped = columns.map((each) => (each.role === 'target' ? { ...each, verdict: 'skipped' as const } : each))
    assert.equal(names(orderColumns(skipped)).at(-1), 'truth')
  })
})
