/** Rows of the table of a reproduction: numbers, histories, answers, names that do not count. */
import assert from 'node:assert/strict'
import { differenceOf } from '../../../../src/tracking/reproduce/artifact-notes.ts'
import { compareRows } from '../../../../src/tracking/reproduce/compare-answers.ts'
import { compareRuns, overallVerdict, type ResultRow } from '../../../../src/tracking/reproduce/compare-runs.ts'
import { compareHistories } from '../../../../src/tracking/reproduce/compare-series.ts'
import { compareNumbers, isIgnored, measuresWork } from '../../../../src/tracking/reproduce/compare-values.ts'
import { likelyCause } from '../../../../src/tracking/reproduce/failure.ts'
import { facts } from '../compare-facts.ts'

describe('the table of a reproduction', () => {
  it('tells equal from near and from different, NaN from numbers', () => {
    assert.equal(compareNumbers(0.5, 0.5, 0), 'equal')
    assert.equal(compareNumbers('NaN', 'NaN', 1e-6), 'equal')
    assert.equal(compareNumbers('NaN', 0.5, 1e9), 'different')
    assert.equal(compareNumbers('Infinity', '-Infinity', 1e9), 'different')
    assert.equal(compareNumbers(0.5, 0.5000004, 1e-6), 'within tolerance')
    assert.equal(compareNumbers(0.5, 0.5000021, 1e-6), 'different')
    // Relative beyond 1.
    assert.equal(compareNumbers(1e9, 1e9 + 100, 1e-6), 'within tolerance')
    assert.equal(compareNumbers(1e9, 1e9 + 2000, 1e-6), 'different')
    assert.equal(compareNumbers(0.1, 0.1 + 1e-18, 0), 'equal')
  })

  it('takes what a stopped run had recorded by then for no result, and what is equal all the same for no proof', () => {
    const stopped = facts({ status: 'interrupted', exit: null, signal: 'SIGINT', metrics: { loss: 0.9, rows: 100 } })
    const options = { tolerances: { general: 1e-6, byName: {} }, ignore: [] }
    const table = (metrics: Record<string, number>) =>
      compareRuns(stopped, facts({ status: 'finished', metrics }), { series: [], answers: [], models: [] }, options)
    const rows = table({ loss: 0.1, rows: 100, auc: 0.8 })
    assert.deepEqual(
      rows.map(({ name, verdict }) => [name, verdict]),
      [
        ['exit', 'not compared'],
        ['auc', 'not compared'],
        ['loss', 'not compared'],
        ['rows', 'equal'],
        ['depth', 'equal'],
      ],
    )
    assert.equal(overallVerdict(rows, 'interrupted'), 'nothing to compare')
    assert.equal(overallVerdict(table({ loss: 0.9, rows: 100 }), 'interrupted'), 'equal')
  })

  it('knows measures of the work by their names, and leaves results alone', () => {
    const work = [
      'fit_seconds',
      'train_time',
      'time',
      'trainTime',
      'epoch/duration',
      'latency_ms',
      'rows_per_second',
      'peak_memory_mb',
      'elapsed',
      'val.time_s',
      'wall_time',
    ]
    assert.deepEqual(
      work.filter((name) => !measuresWork(name)),
      [],
    )
    const results = [
      'auc',
      'rmse',
      'time_to_event_mae',
      'loss',
      'accuracy',
      'seconds_error',
      'n_estimators',
      'ms_ssim',
      'timeliness',
      'latency_rmse',
    ]
    assert.deepEqual(results.filter(measuresWork), [])
  })

  it('takes patterns for names that do not count', () => {
    assert.ok(isIgnored('out/a.log', ['**.log']))
    assert.ok(isIgnored('out/a.log', ['*.log']))
    assert.ok(!isIgnored('out/a.log', ['logs/*.log']) && !isIgnored('a/b/c', ['a/*']))
    assert.ok(isIgnored('val/auc', ['val/*']))
    assert.ok(isIgnored('a.b', ['a.b']) && !isIgnored('axb', ['a.b']))
  })

  it('says from which step on two histories part', () => {
    const points = (...values: number[]) => values.map((value, step) => ({ value, step }))
    assert.deepEqual(compareHistories(points(1, 2, 3), points(1, 2, 3), 0), { verdict: 'equal', note: null })
    assert.deepEqual(compareHistories(points(1, 2, 3), points(1, 2.5, 3), 1e-6), {
      verdict: 'different',
      note: 'differs from step 1 on: 2, then 2.5',
    })
    assert.equal(compareHistories(points(1, 2), points(1, 2, 3), 1).note, '2 values, then 3')
    assert.equal(compareHistories(points(1, 2), points(1, 2 + 1e-9), 1e-6).verdict, 'within tolerance')
  })

  it('matches examples by their features, whatever their order', () => {
    const rows = [
      { features: { x: 1 }, output: 0.2 },
      { features: { x: 2 }, output: { a: 1, b: [0.1, 0.9] } },
    ]
    assert.equal(compareRows(rows, [...rows].reverse(), 0).verdict, 'equal')
    const near = [rows[0], { features: { x: 2 }, output: { a: 1, b: [0.1 + 1e-9, 0.9] } }]
    assert.deepEqual(compareRows(rows, near, 1e-6), {
      verdict: 'within tolerance',
      note: '1 of 2 rows within tolerance',
    })
    const other = [rows[0], { features: { x: 3 }, output: { a: 1, b: [0.1, 0.9] } }]
    assert.equal(compareRows(rows, other, 1e-6).note, '1 of 2 rows differ')
    assert.equal(compareRows([{ truth: 1, score: 0.5 }], [{ truth: 1 }], 1).verdict, 'different')
  })

  it('is as good as its worst row that counts', () => {
    const row = (verdict: ResultRow['verdict']): ResultRow => ({
      kind: 'metric',
      name: 'm',
      verdict,
      original: 1,
      reproduced: 1,
      note: null,
    })
    assert.equal(overallVerdict([row('equal'), row('ignored'), row('not compared')]), 'equal')
    assert.equal(overallVerdict([row('equal'), row('within tolerance')]), 'within tolerance')
    assert.equal(overallVerdict([row('equal'), row('missing')]), 'different')
    assert.equal(overallVerdict([row('ignored'), row('not compared')]), 'nothing to compare')
  })

  it('says of text that only a time or a path differs in it', () => {
    const places = { top: '/home/ada/p', mirror: '/tmp/w/p' }
    assert.match(differenceOf('at /home/ada/p/x', 'at /tmp/w/p/x', places) ?? '', /path/)
    assert.match(
      differenceOf('Sat Nov 21 23:01:02 2026 done', 'Sun Nov 22 01:01:09 2026 done', places) ?? '',
      /numbers alone/,
    )
    assert.equal(differenceOf('spam', 'eggs', places), undefined)
  })

  it('names the file that a script misses, as languages and shells say it', () => {
    const facts = { run: 'R', declared: [], packages: [], absent: [], mirror: '/tmp/w', isHere: () => true }
    const texts = [
      "FileNotFoundError: [Errno 2] No such file or directory: 'data/x.csv'",
      "FileNotFoundError: [Errno 2] No such file or directory: '/tmp/w/data/x.csv'",
      'FileNotFoundError: data/x.csv not found.',
      'cat: data/x.csv: No such file or directory',
      'train.sh: 2: cannot open data/x.csv: No such file',
      "Error: ENOENT: no such file or directory, open 'data/x.csv'",
      "cannot open file 'data/x.csv': No such file or directory",
    ]
    for (const text of texts)
      assert.match(likelyCause({ ...facts, tail: [text] })?.text ?? text, /It reads data\/x\.csv, which/, text)
    assert.match(
      likelyCause({ ...facts, tail: ["ModuleNotFoundError: No module named 'foo'"] })?.text ?? '',
      /imports foo/,
    )
    assert.equal(likelyCause({ ...facts, tail: ['ValueError: bad'] }), null)
    const packages = [{ name: 'foo', kind: 'missing', recorded: '1.0', found: null }] as const
    const lacking = likelyCause({ ...facts, packages, tail: ["ModuleNotFoundError: No module named 'foo'"] })
    assert.match(lacking?.text ?? '', /not those of the run: foo 1\.0 is missing/)
  })
})
