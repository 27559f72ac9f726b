/** Labels that arrive later, and the realised metrics they give: against scikit-learn. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { namedData } from '../../../src/data/input.ts'
import { compactLog } from '../../../src/predictions/compact.ts'
import { type LabelRequest, labelOf, labelPredictions } from '../../../src/predictions/label.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import { type Line, MODEL, many, NOW, record, type TestLog, testLog, WEEK } from './support.ts'

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
const EVERYTHING = { since: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY }

let test: TestLog
beforeEach(() => {
  test = testLog()
})
afterEach(() => test.remove())

const label = (content: string, more: Partial<LabelRequest> = {}, name = 'labels.csv') => {
  writeFileSync(join(test.path, name), content)
  return labelPredictions(test.ctx, test.home, { model: MODEL, input: namedData(name), window: EVERYTHING, ...more })
}
const quality = (more = {}) => test.log.quality(WEEK, more)
const counts = ({ labelled, changed, unchanged, unknown, blank }: Awaited<ReturnType<typeof label>>) => [
  labelled,
  changed,
  unchanged,
  unknown,
  blank,
]

describe('Labels', () => {
  beforeEach(() => test.write([...many('2026-11-15', 10), ...many('2026-11-16', 10)]))

  it('are joined by id, whenever they come, and only once', async () => {
    const file = 'id,label\n2026-11-15-0,1\n2026-11-16-3,0\n'
    assert.deepEqual(counts(await label(file)), [2, 0, 0, 0, 0])
    assert.deepEqual(counts(await label(file)), [0, 0, 2, 0, 0])
    assert.deepEqual(counts(await label(`${file}2026-11-15-1,1\n`)), [1, 0, 2, 0, 0])
    const days = ['date=2026-11-15', 'date=2026-11-16'].map(
      (day) => readdirSync(join(test.home.folder, day, 'labels')).length,
    )
    assert.deepEqual(days, [2, 1])
    const { rows, labelled } = await quality()
    assert.deepEqual([rows, labelled], [20, 3])
  })

  it('that came later win, also over a clock that was ahead', async () => {
    test.raw(
      '2026-11-15',
      'labels/other.jsonl',
      '{"v":1,"id":"2026-11-15-0","time":"2099-01-01T00:00:00Z","label":0}\n{"torn',
    )
    assert.deepEqual(counts(await label('id,label\n2026-11-15-0,1\n')), [0, 1, 0, 0, 0])
    assert.deepEqual(counts(await label('id,label\n2026-11-15-0,1\n')), [0, 0, 1, 0, 0])
    assert.deepEqual(counts(await label('id,label\n2026-11-15-0,0\n2026-11-15-0,5\n')), [0, 1, 0, 0, 0])
    assert.deepEqual(counts(await label('id,label\n2026-11-15-0,5\n')), [0, 0, 1, 0, 0])
  })

  it('of unknown ids are counted, kept, and joined when their prediction comes', async () => {
    const result = await label('id,label\n2026-11-15-0,1\nlate,1\n,1\n2026-11-15-2,\n')
    assert.deepEqual(counts(result), [1, 0, 0, 1, 2])
    assert.deepEqual(result.unknownIds, ['late'])
    assert.equal((await quality()).labelled, 1)
    test.write([record('late', '2026-11-17T00:00:00Z')], 'b.jsonl')
    assert.equal((await quality()).labelled, 2)
    assert.deepEqual(counts(await label('id,label\nlate,1\n')), [0, 0, 1, 0, 0])
    assert.deepEqual(counts(await label('id,label\nlate,0\n')), [0, 1, 0, 0, 0])
  })

  it('survive a compaction', async () => {
    await label('id,label\n2026-11-15-0,1\n')
    await compactLog(test.home, { model: MODEL, grace: 72e5, dryRun: false, tool: 't', now: NOW.getTime() })
    assert.equal((await quality()).labelled, 1)
    assert.deepEqual(counts(await label('id,label\n2026-11-15-0,1\n2026-11-15-4,1\n')), [1, 0, 1, 0, 0])
  })

  it('find their columns by name, by flag, or say which there are', async () => {
    const named = await label('prediction_id,x,churned\n2026-11-15-0,7,yes\n', { target: 'churned' })
    assert.deepEqual([named.idColumn, named.labelColumn, named.labelled], ['prediction_id', 'churned', 1])
    const flagged = await label('{"k":"2026-11-15-1","a":1,"b":2}\n', { idColumn: 'k', labelColumn: 'b' }, 'x.jsonl')
    assert.equal(flagged.labelled, 1)
    await assert.rejects(label('key,value\n1,2\n'), {
      code: 'LABEL_COLUMN_UNKNOWN',
      exit: 'usage',
      message: /key, value/,
    })
    await assert.rejects(label('id,value\n1,2\n', { labelColumn: 'valu' }), { message: /did you mean "value"/ })
  })

  it('are told apart as numbers, booleans and words', () => {
    const texts = [
      '1',
      '1.0',
      '0.50',
      'true',
      'False',
      'yes',
      '',
      ' ',
      null,
      '007',
      '1e3',
      '12345678901234567890',
      'NaN',
    ]
    assert.deepEqual(texts.map(labelOf), [
      1,
      1,
      0.5,
      true,
      false,
      'yes',
      null,
      null,
      null,
      '007',
      1000,
      '12345678901234567890',
      'NaN',
    ])
  })
})

describe('Realised metrics', () => {
  const random = (seed: number) => () => {
    seed = (seed * 1664525 + 1013904223) >>> 0
    return seed / 4294967296
  }

  it('are those of scikit-learn', async function () {
    needsPython(this)
    const next = random(7)
    const rows = Array.from({ length: 500 }, () => ({ r: next(), s: next(), k: Math.floor(next() * 4) }))
    // Scores with many ties; classes as words; classes with a score beside them; more than two classes; numbers.
    const scores = rows.map(({ r }) => Math.round(r * 20) / 20)
    const truth = rows.map(({ r, s }) => (r + s > 1.1 ? 1 : 0))
    const words = truth.map((value) => (value === 1 ? 'yes' : 'no'))
    const said = scores.map((value) => (value >= 0.4 ? 'yes' : 'no'))
    const kinds = rows.map(({ k }) => ['a', 'b', 'c', 'd'][k] ?? '')
    const guesses = rows.map(({ k, r }) => ['a', 'b', 'c', 'e'][r > 0.3 ? k : 0] ?? '')
    const cases = [
      { task: 'scores', answer: scores, label: truth },
      { task: 'classes', answer: said, label: words, positive: 'yes' },
      { task: 'classes', answer: said, label: words, positive: 'yes', score: scores },
      { task: 'classes', answer: guesses, label: kinds },
      { task: 'numbers', answer: rows.map(({ r }) => 100 * r), label: rows.map(({ r, s }) => 100 * r + 10 * s) },
    ]
    const { stdout, stderr, status } = spawnSync(PYTHON, [join(ROOT, 'test/python/quality_reference.py')], {
      input: JSON.stringify({ cases }),
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
    const expected = JSON.parse(stdout) as Record<string, number>[]
    for (const [index, each] of cases.entries()) {
      const output = (i: number): Line[string] =>
        each.score === undefined ? each.answer[i] : { answer: each.answer[i], probability: each.score[i] }
      test.write(
        many('2026-11-15', 500, (i) => ({ id: `${index}-${i}`, version: index + 1, output: output(i) })),
        `${index}.jsonl`,
      )
      const lines = each.label.map((value, i) => `{"id":"${index}-${i}","label":${JSON.stringify(value)}}\n`)
      const { labelled } = await label(lines.join(''), {}, 'labels.jsonl')
      assert.equal(labelled, 500)
    }
    const { versions } = await quality({ prediction: 'answer' })
    assert.equal(versions.length, cases.length)
    for (const [index, { metrics, task, rows: all, labelled }] of versions.entries()) {
      const reference = expected[index] ?? {}
      assert.deepEqual(Object.keys(metrics).sort(), Object.keys(reference).sort(), `case ${index}`)
      for (const [name, value] of Object.entries(reference)) {
        assert.ok(
          Math.abs((metrics[name] ?? Number.NaN) - value) < 1e-9,
          `case ${index}: ${name} ${metrics[name]}, scikit-learn ${value}`,
        )
      }
      assert.deepEqual([task, all, labelled], [index === 4 ? 'regression' : 'classification', 500, 500])
    }
  })

  it('say their coverage, and nothing about versions without labels', async () => {
    test.write(many('2026-11-15', 10, (i) => ({ version: i < 5 ? 1 : 2, output: i / 10 })))
    await label('id,label\n2026-11-15-0,true\n2026-11-15-1,false\n')
    const { rows, labelled, versions } = await quality()
    assert.deepEqual([rows, labelled], [10, 2])
    assert.deepEqual(versions[1], { version: 2, rows: 5, labelled: 0, task: null, metrics: {}, notes: [] })
    const { auc, accuracy } = versions[0]?.metrics ?? {}
    assert.deepEqual([auc, accuracy], [0, 0.5])
  })

  it('have no AUC while all labels are of one class', async () => {
    test.write(many('2026-11-15', 4, (i) => ({ output: i / 10 })))
    await label('id,label\n2026-11-15-0,0\n2026-11-15-1,0\n')
    const { metrics, notes } = (await quality()).versions[0] ?? assert.fail()
    assert.deepEqual([metrics.auc, metrics.accuracy], [undefined, 1])
    assert.deepEqual(notes, ['positive class: 1'])
  })

  it('take 1 and true for the same class', async () => {
    test.write(many('2026-11-15', 4, (i) => ({ output: i % 2 })))
    await label('id,label\n2026-11-15-0,false\n2026-11-15-1,true\n2026-11-15-2,true\n')
    const { metrics } = (await quality()).versions[0] ?? assert.fail()
    assert.deepEqual([metrics.accuracy, metrics.precision, metrics.recall], [2 / 3, 1, 0.5])
  })

  it('become the target column once nearly all rows have a label', async () => {
    test.write(many('2026-11-15', 20))
    const columns = () =>
      test.log
        .rows(WEEK, { target: 'churned' })
        .open({ cwd: '/' }, async (source) => [source.columns.map(({ name }) => name), source.notes])
    await label(`id,label\n${Array.from({ length: 10 }, (_, i) => `2026-11-15-${i},1`).join('\n')}\n`)
    assert.deepEqual(await columns(), [
      ['plan', 'prediction', 'tenure'],
      ['churned was left out: 50 % of the rows have a label so far'],
    ])
    await label(`id,label\n${Array.from({ length: 20 }, (_, i) => `2026-11-15-${i},1`).join('\n')}\n`)
    assert.deepEqual(await columns(), [['churned', 'plan', 'prediction', 'tenure'], []])
  })
})
