/** Held-out files with cells that are not what their column is, and with rows that count twice: refused, naming the row. */
import assert from 'node:assert/strict'
import { MlopsError } from '../../../src/core/errors.ts'
import { readHeldOutFile } from '../../../src/evaluation/held-out.ts'
import { metricsOf, whyNotMeasured } from '../../../src/evaluation/metrics.ts'
import type { HeldOut } from '../../../src/evaluation/types.ts'
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
    ({ task, notes }) => assert.fail(`read as ${task}, ${notes.join('; ')}: ${content.slice(0, 200)}`),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof MlopsError, String(error))
  return error
}

/** Forty rows of two classes with a score, in which some rows are replaced. */
const table = (header: string, row: (at: number) => string, damaged: Readonly<Record<number, string>> = {}): string =>
  `${header}\n${Array.from({ length: 40 }, (_, at) => damaged[at + 1] ?? row(at)).join('\n')}\n`
const score = (at: number): string => ((at + 0.5) / 40).toFixed(4)

describe('A damaged score', () => {
  const spellings = ['nan', 'NaN', 'inf', '-Infinity', 'oops', '#N/A']

  it('beside the class that was said refuses the file, with the count and the first row', async () => {
    for (const cell of [...spellings, '']) {
      const damaged = { 17: `1,1,${cell}`, 30: `0,0,${cell}` }
      const error = await refusal(table('truth,answer,score', (at) => `${at % 2},${at % 2},${score(at)}`, damaged))
      assert.deepEqual([error.code, error.exit], ['HELD_OUT_ANSWERS', 'usage'], cell)
      assert.match(error.message, /"score" is no finite number in 2 of 40 rows; the first is row 17, /, cell)
      assert.ok(error.message.includes(cell === '' ? 'where it is empty' : JSON.stringify(cell)), error.message)
    }
  })

  it('in the place of the answer does not make classes or quantities of it, whatever the truth is called', async () => {
    for (const [no, yes] of [
      ['0', '1'],
      ['no', 'yes'],
      ['False', 'True'],
    ] as const) {
      for (const column of ['answer', 'y_pred', 'churn']) {
        // Every spelling once: each file is read by an engine of its own.
        for (const cell of no === '0' && column === 'answer' ? spellings : ['nan']) {
          const rows = table(`truth,${column}`, (at) => `${at % 2 ? yes : no},${score(at)}`, { 5: `${yes},${cell}` })
          const error = await refusal(rows, { prediction: 'churn' })
          assert.equal(error.code, 'HELD_OUT_ANSWERS')
          const said = new RegExp(`"${column}" is no finite number in 1 of 40 rows; the first is row 5, `)
          assert.match(error.message, said, `${yes} ${cell}`)
        }
        const far = table(`truth,${column}`, (at) => `${at % 2 ? yes : no},${score(at)}`, { 5: `${yes},17.5` })
        const error = await refusal(far, { prediction: 'churn' })
        assert.match(error.message, /is not between 0 and 1 in 1 of 40 rows; the first is row 5, "17\.5"\.$/)
      }
    }
  })

  it('under the name that the manifest gives to the prediction, beside an answer, refuses it too', async () => {
    const hints = { prediction: 'churn' }
    const rows = (cell: string) =>
      table('truth,answer,churn', (at) => `${at % 2},${at % 2},${score(at)}`, { 9: `1,1,${cell}` })
    assert.match((await refusal(rows('oops'), hints)).message, /"churn" is no finite number in 1 of 40 rows/)
    assert.match((await refusal(rows('1.2'), hints)).message, /"churn" is not between 0 and 1 in 1 of 40 rows/)
    assert.equal((await read(rows('0.2'), hints)).score?.length, 40)
  })

  it('refuses JSON lines and a column that holds no number at all', async () => {
    const lines = Array.from({ length: 20 }, (_, at) => `{"truth":${at % 2},"answer":${at % 2},"score":${score(at)}}`)
    lines[3] = '{"truth":1,"answer":1,"score":"NaN"}'
    assert.match((await refusal(lines.join('\n'), {}, 'held.jsonl')).message, /in 1 of 20 rows; the first is row 4/)
    lines[3] = '{"truth":1,"answer":1,"score":null}'
    assert.match((await refusal(lines.join('\n'), {}, 'held.jsonl')).message, /row 4, where it is empty/)
    const none = table('truth,answer,score', (at) => `${at % 2},${at % 2},nan`)
    assert.match((await refusal(none)).message, /"score" is no finite number in 40 of 40 rows; the first is row 1/)
  })

  it('is none where no score is looked at: of three classes, and of quantities', async () => {
    const three = await read('truth,answer,score\na,a,0.1\nb,b,\nc,a,oops\n')
    assert.deepEqual([three.task, three.score], ['multiclass', null])
    assert.equal((await read('truth,answer,score\n1.5,1.4,\n2.5,2.2,0.1\n3.5,2,\n')).task, 'regression')
  })
})

describe('A damaged truth or number', () => {
  it('refuses the file: nan is no third class, and a word no quantity', async () => {
    const nan = table('truth,answer,score', (at) => `${at % 2},${at % 2},${score(at)}`, { 8: 'nan,1,0.5' })
    assert.match(
      (await refusal(nan)).message,
      /"truth" is nan or infinite in 1 of 40 rows; the first is row 8, "nan"\.$/,
    )
    const words = table('truth,answer', (at) => (at % 2 ? 'yes,yes' : 'no,no'), { 8: 'NaN,yes' })
    assert.match((await refusal(words)).message, /"truth" is nan or infinite in 1 of 40 rows/)
    const quantity = table('truth,answer', (at) => `${at}.5,${at}`, { 8: '7.5,oops' })
    assert.match((await refusal(quantity)).message, /"answer" is no finite number in 1 of 40 rows; the first is row 8/)
    const said = table('truth,answer', (at) => `${at % 2},${at % 2}`, { 8: '1,nan' })
    assert.match((await refusal(said)).message, /"answer" is no finite number in 1 of 40 rows/)
  })

  it('leaves alone what is a class: words, numbers among words, and what both columns say', async () => {
    assert.equal((await read('truth,answer\ncat,dog\nnan,nan\ndog,cat\n')).task, 'multiclass')
    assert.equal((await read('truth,answer\n1.6,1.6\n2.0,1.6\nother,other\n')).task, 'multiclass')
    assert.equal((await read('truth,answer\n0,unknown\n1,1\n0,0\n')).task, 'multiclass')
  })
})

describe('What a file says nothing about', () => {
  const why = async (content: string, metric: string): Promise<string | undefined> => {
    const rows = await read(content)
    assert.equal(metric in metricsOf(rows), false)
    return whyNotMeasured(rows, metric)
  }

  it('is told where its truth is of two classes and the metric should follow from it', async () => {
    assert.match((await why('truth,answer\n0,unknown\n1,1\n0,0\n', 'f1')) ?? '', /two classes.*3.*unknown/)
    assert.match((await why('truth,answer\n0,2.5\n1,-3.5\n0,4.5\n', 'roc_auc')) ?? '', /numbers to be hit/)
    assert.match((await why('truth,answer,score\n0,0,-1\n1,1,3\n', 'log_loss')) ?? '', /between 0 and 1/)
    assert.match((await why('truth,score\n1,0.4\n1,0.7\n', 'auc')) ?? '', /one class/)
  })

  it('is nothing to say of metrics that no such file gives', async () => {
    assert.equal(await why('truth,answer\n0,1\n1,1\n', 'auc'), undefined, 'answers alone are no damage')
    assert.equal(await why('truth,answer\na,a\nb,b\nc,a\n', 'auc'), undefined)
    assert.equal(await why('truth,answer\n0,1\n1,1\n', 'revenue'), undefined)
  })
})

describe('Repeated ids', () => {
  it('refuse the file, however they are spelled, naming the first and how many rows are too many', async () => {
    const error = await refusal('id,truth,answer\n7,1,1\n8,0,0\n7.0,1,1\n9,0,0\n9,0,0\n9,0,0\n')
    assert.deepEqual([error.code, error.exit], ['HELD_OUT_IDS', 'usage'])
    assert.match(
      error.message,
      /: 2 ids stand in more than one row of "id", 3 of 6 rows too many; the first is "7", in rows 1 and 3\.$/,
    )
  })

  it('refuse it too when another id is missing', async () => {
    assert.equal((await refusal('id,truth,answer\n7,1,1\n,0,0\n7,1,1\n')).code, 'HELD_OUT_IDS')
    assert.equal((await read('id,truth,answer\n7,1,1\n,0,0\n,1,1\n')).id, null)
  })
})
