/** Reading held-out files: which column is what, what the values mean, every format, and what is refused with which words. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { MlopsError } from '../../../src/core/errors.ts'
import { openDuck } from '../../../src/data/duck.ts'
import { readHeldOut, readHeldOutFile } from '../../../src/evaluation/held-out.ts'
import { metricsOf } from '../../../src/evaluation/metrics.ts'
import { pairRows } from '../../../src/evaluation/pair-rows.ts'
import type { HeldOut } from '../../../src/evaluation/types.ts'
import { createStore } from '../../../src/store/create.ts'
import { openStore } from '../../../src/store/open.ts'
import { type Folder, folder } from './support.ts'

let work: Folder
beforeEach(() => {
  work = folder()
})
afterEach(() => work.remove())

const read = (content: string, hints = {}, name = 'held.csv'): Promise<HeldOut> =>
  readHeldOutFile(work.write(name, content), hints)
const refusal = async (content: string, hints = {}, name?: string): Promise<MlopsError> => {
  const error = await read(content, hints, name).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof MlopsError, String(error))
  return error
}
/** What was understood, in words. */
const names = ({ classes, truth, answer }: HeldOut) => [
  [...truth].map((label) => classes[label]),
  [...answer].map((label) => classes[label]),
]
const group = ({ groups }: HeldOut, name: string) => {
  const column = groups[name]
  return column?.codes === null || column === undefined
    ? null
    : [...column.codes].map((code) => column.values[code] ?? null)
}

describe('A held-out file', () => {
  it('is truth, answer, score, id, and columns to cut the rows by', async () => {
    const heldOut = await read(
      'id,truth,answer,score,region,age\nb,1,1,0.9,north,41\na,0,1,0.6,,7\nc,0,0,0.2,south,41\n',
    )
    assert.deepEqual([heldOut.rows, heldOut.task, heldOut.classes, heldOut.positive], [3, 'binary', ['0', '1'], '1'])
    assert.deepEqual(names(heldOut), [
      ['1', '0', '0'],
      ['1', '1', '0'],
    ])
    assert.deepEqual([...(heldOut.score ?? [])], [0.9, 0.6, 0.2])
    assert.equal(new Set(heldOut.id).size, 3)
    assert.deepEqual(
      [group(heldOut, 'region'), group(heldOut, 'age')],
      [
        ['north', null, 'south'],
        ['41', '7', '41'],
      ],
    )
  })

  it('is known by other names, and by those of the manifest', async () => {
    for (const header of [
      'y_true,y_pred,proba',
      'label,predicted,probability',
      'Truth,Answer,Score',
      'churned,said,p',
    ]) {
      const heldOut = await read(
        `${header}\n1,1,0.9\n0,0,0.3\n`,
        header.startsWith('churned') ? { target: 'churned', prediction: 'said' } : {},
      )
      assert.deepEqual(
        names(heldOut),
        [
          ['1', '0'],
          ['1', '0'],
        ],
        header,
      )
      assert.equal(heldOut.score === null, header.startsWith('churned'))
    }
    // The target of the manifest is meant, not another column that happens to be called label.
    const heldOut = await read('label,churned,answer\nx,1,1\ny,0,0\n', { target: 'churned' })
    assert.deepEqual(
      [names(heldOut)[0], group(heldOut, 'label')],
      [
        ['1', '0'],
        ['x', 'y'],
      ],
    )
  })

  it('takes the prediction of the manifest for a score when it holds fractions, else for the answer', async () => {
    const fractions = await read('truth,churn\n1,0.9\n0,0.4\n1,0.5\n', { prediction: 'churn' })
    assert.deepEqual(
      [names(fractions)[1], [...(fractions.score ?? [])]],
      [
        ['1', '0', '1'],
        [0.9, 0.4, 0.5],
      ],
    )
    const classes = await read('truth,churn\n1,1\n0,0\n1,0\n', { prediction: 'churn' })
    assert.deepEqual([names(classes)[1], classes.score], [['1', '0', '0'], null])
    const beside = await read('truth,answer,churn\n1,1,0.9\n0,1,0.4\n', { prediction: 'churn' })
    assert.deepEqual(
      [names(beside)[1], [...(beside.score ?? [])]],
      [
        ['1', '1'],
        [0.9, 0.4],
      ],
    )
    const words = await read('truth,answer,churn\n1,1,likely\n0,1,no\n', { prediction: 'churn' })
    assert.deepEqual([words.score, words.notes], [null, []])
  })

  it('tells scores, classes and quantities apart as realised quality does', async () => {
    const task = async (content: string) => (await read(content)).task
    assert.equal(await task('truth,answer\n1.5,1.4\n2,2.2\n'), 'regression')
    assert.equal(
      await task(`truth,answer\n${Array.from({ length: 60 }, (_, row) => `${row},${row}`).join('\n')}\n`),
      'regression',
    )
    assert.equal(await task('truth,answer\n1,2\n2,2\n3,1\n'), 'multiclass')
    assert.equal(await task('truth,answer\ncat,dog\ndog,dog\n'), 'binary')
    assert.equal(await task('truth,score\n10,9.5\n20,19\n30.5,29\n'), 'regression')
    const scores = await read('truth,answer\nyes,0.9\nno,0.2\n')
    assert.deepEqual([scores.positive, names(scores)[1], [...(scores.score ?? [])]], ['yes', ['yes', 'no'], [0.9, 0.2]])
  })

  it('takes 1, 1.0, true and TRUE for one class, and yes for the positive one', async () => {
    const mixed = await read('truth,answer\n1,1.0\n0,0.0\n1,true\n0,FALSE\n')
    assert.deepEqual(names(mixed), [
      ['1', '0', '1', '0'],
      ['1', '0', '1', '0'],
    ])
    assert.equal((await read('truth,answer\nYes,no\nNo,no\n')).positive, 'Yes')
    assert.equal((await read('truth,answer\nbad,good\ngood,bad\n')).positive, 'good')
    const single = await read('truth,score\n0,0.9\n0,0.2\n')
    assert.deepEqual([single.classes, single.positive, names(single)[1]], [['0', '1'], '1', ['1', '0']])
  })

  it('reads CSV, TSV, gzip, JSONL and Parquet alike, with or without the ending of its name', async () => {
    const csv = 'id,truth,answer,score,region\n7,1,1,0.75,no\u00ebl\n8,0,1,0.5,"a,b"\n9,0,0,0.25,\n'
    const jsonl = [
      '{"id":7,"truth":true,"answer":1,"score":0.75,"region":"noël"}',
      '{"id":8,"truth":false,"answer":1,"score":0.5,"region":"a,b"}',
      '{"id":9.0,"truth":false,"answer":0,"score":0.25,"region":null}',
    ]
    const duck = await openDuck([])
    duck.close()
    const { DuckDBInstance } = await import('@duckdb/node-api')
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    const parquet = `${work.path}/held.parquet`
    await connection.run(
      `COPY (SELECT * FROM (VALUES (7, true, 1::TINYINT, 0.75::FLOAT, 'noël'), (8, false, 1, 0.5, 'a,b'), (9, false, 0, 0.25, NULL)) t(id, truth, answer, score, region)) TO '${parquet}' (FORMAT parquet)`,
    )
    connection.closeSync()
    const expected = await read(csv)
    const forms: readonly (readonly [string, string | Uint8Array])[] = [
      ['held', csv],
      ['held.tsv', csv.replaceAll('"a,b"', 'a;b').replaceAll(',', '\t').replaceAll('a;b', 'a,b')],
      ['held.csv.gz', gzipSync(csv)],
      ['packed', gzipSync(csv)],
      ['held.jsonl', jsonl.join('\n')],
      ['lines', jsonl.join('\n')],
      ['array', `[${jsonl.join(',\n')}]`],
      ['held.parquet', readFileSync(parquet)],
      ['table', readFileSync(parquet)],
    ]
    for (const [name, content] of forms) {
      const found = await readHeldOutFile(work.write(name, content), {})
      assert.deepEqual(metricsOf(found), metricsOf(expected), name)
      assert.deepEqual(
        [[...(found.id ?? [])], group(found, 'region')],
        [[...(expected.id ?? [])], ['noël', 'a,b', null]],
        name,
      )
      assert.equal(pairRows(found, expected).kind, 'paired', name)
    }
  })

  it('is read from the store, where it has no name', async () => {
    const root = `${work.path}/store`
    await createStore(root, { shared: false, tool: 'mlops test' } as never)
    const store = await openStore(root, { write: true })
    const pin = await store.objects.putFile(work.write('held.csv', 'churned,p\n1,0.9\n0,0.2\n'))
    const manifest = { model: 'churn', testPredictions: pin, target: 'churned', prediction: 'p' }
    assert.equal((await readHeldOut(store, manifest)).score?.length, 2)
    await assert.rejects(readHeldOut(store, { model: 'churn' }), { code: 'NO_TEST_PREDICTIONS', exit: 'notFound' })
    const empty = await store.objects.putFile(work.write('other.csv', 'a,b\n1,2\n'))
    await assert.rejects(readHeldOut(store, { model: 'churn', testPredictions: empty }), (error: MlopsError) => {
      assert.match(
        error.message,
        /^No column of the test predictions of churn says what came true; there are "a", "b"\.$/,
      )
      return true
    })
  })

  it('keeps the order of many rows, and the groups of those columns that were asked for', async () => {
    const rows = 30_000
    const lines = Array.from({ length: rows }, (_, row) => `${row % 2},${row % 3 === 0 ? 1 : 0},r${row % 7},${row}`)
    const file = work.write('many.csv', `truth,answer,region,amount\n${lines.join('\n')}\n`)
    const heldOut = await readHeldOutFile(file, {}, { by: ['region', 'amount'] })
    assert.ok(heldOut.answer.every((label, row) => label === (row % 3 === 0 ? 1 : 0)))
    assert.ok(heldOut.groups.region?.codes?.every((code, row) => code === row % 7))
    assert.deepEqual(heldOut.groups.amount, { values: [], codes: null })
    assert.deepEqual(Object.keys((await readHeldOutFile(file, {}, { by: [] })).groups), [])
  })

  it('without its columns is refused, naming what was found and what was looked for', async () => {
    const noTruth = await refusal('a,answer\n1,1\n', { target: 'churned' })
    assert.deepEqual([noTruth.code, noTruth.exit], ['HELD_OUT_COLUMNS', 'usage'])
    assert.match(noTruth.message, /^No column of .* says what came true; there are "a", "answer"\.$/)
    assert.equal(noTruth.hint, 'Call that column truth, y_true, label or churned')
    const noAnswer = await refusal('truth,region\n1,x\n')
    assert.match(noAnswer.message, / says what the model answered; there are "truth", "region"\.$/)
  })

  it('with holes, words among scores, scores without a class or no rows is refused', async () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ['truth,answer\n1,1\n,0\n0,\n', 'HELD_OUT_MISSING', /"truth" is missing in 1 of 3 rows/],
      ['truth,answer\n1,1\n0,\n', 'HELD_OUT_MISSING', /"answer" is missing in 1 of 2 rows/],
      [
        'truth,score\n1,3.2\n0,-1\n',
        'HELD_OUT_ANSWERS',
        /"score" is not between 0 and 1 in 2 of 2 rows; the first is row 1, "3\.2"\.$/,
      ],
      [
        'truth,score\n1,high\n0,0.1\n',
        'HELD_OUT_ANSWERS',
        /"score" is no finite number in 1 of 2 rows; the first is row 1, "high"\.$/,
      ],
      ['truth,score\na,0.1\nb,0.2\nc,0.3\n', 'HELD_OUT_ANSWERS', /cannot be the answer: truth has 3 classes/],
      ['truth,answer\n', 'HELD_OUT_EMPTY', /has no rows/],
    ]
    for (const [content, code, message] of cases) {
      const error = await refusal(content)
      assert.deepEqual([error.code, error.exit], [code, 'usage'], content)
      assert.match(error.message, message)
    }
    const many = Array.from({ length: 1_100 }, (_, row) => `w${row},w${row}`).join('\n')
    assert.equal((await refusal(`truth,answer\n${many}\n`)).code, 'HELD_OUT_CLASSES')
  })

  it('says when a score or an id cannot be used', async () => {
    const partial = await read('id,truth,answer,score\n1,1,1,0.9\n2,0,0,0.2\n,1,0,0.3\n')
    assert.deepEqual([partial.id, partial.notes], [null, ['id is not used: it is missing in 1 row']])
    const three = await read('truth,answer,score\na,a,0.1\nb,b,0.2\nc,a,0.3\n')
    assert.deepEqual([three.score, three.notes], [null, ['score is not used: there are more than two classes']])
  })
})

describe('Two held-out files', () => {
  const pair = async (one: string, other: string) =>
    pairRows(await read(one, {}, 'one.csv'), await read(other, {}, 'other.csv'))
  const reason = async (one: string, other: string): Promise<string> => {
    const pairing = await pair(one, other)
    assert.ok(pairing.kind === 'unpaired')
    return pairing.reason
  }

  it('are brought together by id, whatever their order and spelling', async () => {
    const pairing = await pair(
      'id,truth,answer\n1,yes,yes\n2,no,no\n3,no,yes\n',
      'truth,answer,id\nNO,no,3.0\nYES,no,1.0\nno,yes,2\n',
    )
    assert.ok(pairing.kind === 'paired')
    assert.equal(pairing.by, 'id')
    assert.deepEqual([...pairing.challenger.truth], [...pairing.champion.truth])
    const right = ({ truth, answer }: HeldOut) => truth.filter((label, row) => label === answer[row]).length
    assert.deepEqual([right(pairing.challenger), right(pairing.champion)], [2, 1])
  })

  it('are brought together by place where there are no ids, and everything known agrees', async () => {
    const pairing = await pair('truth,answer,region\n1,1,a\n0,0,b\n', 'truth,answer,region\n1.0,0,a\n0.0,0,b\n')
    assert.ok(pairing.kind === 'paired')
    assert.equal(pairing.by, 'place')
    const half = await pair('id,truth,answer\n5,1,1\n,0,0\n', 'id,truth,answer\n5,1,1\n6,0,0\n')
    assert.equal(half.kind === 'paired' && half.by, 'place')
  })

  it('have all classes that either says', async () => {
    const pairing = await pair('truth,answer\na,a\nb,b\n', 'truth,answer\na,c\nb,b\n')
    assert.ok(pairing.kind === 'paired')
    assert.deepEqual([pairing.challenger.classes, pairing.champion.task], [['a', 'b', 'c'], 'multiclass'])
    assert.deepEqual([...pairing.champion.answer], [2, 1])
  })

  it('are not compared when the rows are not the same, and the reason says what differs', async () => {
    assert.match(
      await reason('id,truth,answer\n1,1,1\n2,0,0\n', 'id,truth,answer\n1,1,1\n3,0,0\n4,1,1\n'),
      /^not the same rows: 1 of the challenger's 2 ids are not among the champion's, 2 of the champion's 3 not among the challenger's$/,
    )
    assert.match(
      await reason('truth,answer\n1,1\n0,0\n', 'truth,answer\n1,1\n'),
      /^2 rows of the challenger against 1 of the champion, and there is no id column/,
    )
    assert.match(
      await reason('id,truth,answer\n1,1,1\n2,0,0\n', 'id,truth,answer\n1,1,1\n2,1,0\n'),
      /^the truth differs in 1 of 2 rows: labels were corrected/,
    )
    assert.match(
      await reason('truth,answer\n1,1\n0,0\n', 'truth,answer\n0,1\n1,0\n'),
      /^the truth differs in 2 of 2 rows, and there is no id/,
    )
    assert.match(
      await reason('truth,answer,region\n1,1,a\n1,0,b\n', 'truth,answer,region\n1,1,b\n1,0,a\n'),
      /^the rows are in another order: region differs/,
    )
    assert.match(
      await reason('truth,answer\n1.5,1\n0.2,0\n', 'truth,answer\nyes,no\nno,no\n'),
      /^the challenger answers with numbers, the champion with classes$/,
    )
  })
})
