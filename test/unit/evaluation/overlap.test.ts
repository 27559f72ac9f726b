/** Rows of a test set that stand in the training data, whatever either was written as: against pandas. */
import assert from 'node:assert/strict'
import { namedData } from '../../../src/data/input.ts'
import { DigestSet } from '../../../src/evaluation/digest-set.ts'
import { type OverlapOptions, overlapOf } from '../../../src/evaluation/overlap.ts'
import { askPython, type Folder, folder, randomOf } from './support.ts'

let work: Folder
before(() => {
  work = folder()
})
after(() => work.remove())

const overlap = (test: string, train: string, schema: OverlapOptions['schema'] = {}) =>
  overlapOf(namedData(test), namedData(train), { cwd: work.path, schema })
const of = async (test: string, train: string, schema: OverlapOptions['schema'] = {}) => {
  work.write('a.csv', test)
  work.write('b.csv', train)
  return overlap('a.csv', 'b.csv', schema)
}

describe('The overlap of test set and training data', () => {
  it('is counted as pandas counts it, between CSV, Parquet, JSONL, float32 and float64', async function () {
    this.timeout(180_000)
    const [shared] = askPython(this, { do: 'overlap', rows: 4_000, shared: 137, dir: work.path })
    assert.equal(shared, 137)
    const forms = ['.csv', '.parquet', '-float32.parquet', '.jsonl']
    const pairs = forms.flatMap((form) => [
      [form, '.parquet'],
      ['.csv', form],
    ])
    for (const [test, train] of pairs) {
      const found = await overlap(`test${test}`, `train${train}`)
      const { rows, trainRows, distinct } = found
      assert.deepEqual([found.shared, rows, trainRows, distinct], [137, 2_137, 2_000, 2_137], `${test} in ${train}`)
      assert.deepEqual(found.notes, ['not compared: customer_id (names rows)'])
      assert.equal(found.expected, 0)
    }
  })

  it('leaves out ids, ignored columns, the prediction, and what only one of them has', async () => {
    const test = 'key,note,churn,age,plan,seen\n1,x,0.9,41,a,1\n2,y,0.1,42,b,1\n'
    const train = 'key,note,churn,age,plan,sold\n8,z,0.3,41,a,1\n9,z,0.4,50,b,1\n'
    const schema = { columns: { key: 'id', note: 'ignore' }, prediction: 'churn' } as const
    const { shared, columns, notes } = await of(test, train, schema)
    assert.deepEqual([shared, columns], [1, ['age', 'plan']])
    assert.deepEqual(notes, [
      'not compared: key (id by mlops.yaml)',
      'not compared: note (ignore by mlops.yaml)',
      'not compared: churn (the prediction)',
      'not compared: seen (not in the training data)',
    ])
    await assert.rejects(of('a\n1\n', 'b\n1\n'), { code: 'OVERLAP_COLUMNS', exit: 'usage' })
  })

  it('counts every row of the test set, and says how much of it can be chance', async () => {
    const random = randomOf(4)
    // Two dice: everything has been seen, and that is no leak.
    const dice = (rows: number) =>
      `a,b\n${Array.from({ length: rows }, () => `${1 + Math.floor(6 * random())},${1 + Math.floor(6 * random())}`).join('\n')}\n`
    const chance = await of(dice(500), dice(2_000))
    assert.deepEqual([chance.rows, chance.shared, chance.distinct, chance.expected], [500, 500, 36, 500])
    const twice = await of('a,b\n1,x\n1,x\n1,x\n2,y\n', 'a,b\n1,x\n3,z\n')
    assert.deepEqual([twice.shared, twice.distinct, twice.expected], [3, 2, 0])
    const quarter = await of('a\n1\n2\n3\n4\n', 'a\n7\n8\n8\n9\n5\n6\n6\n10\n')
    assert.deepEqual([quarter.shared, quarter.expected], [0, 2])
  })

  it('takes missing values for equal, and a code with zeros at its beginning for a code', async () => {
    assert.equal((await of('a,b\n,1\nNaN,2\n', 'a,b\n"",1\n,2\n')).shared, 2)
    assert.equal((await of('a,b\n007,1\n', 'a,b\n7,1\n')).shared, 0)
    assert.equal((await of('a,b\n1e3,true\n', 'a,b\n1000.0,TRUE\n')).shared, 1)
    assert.equal((await of('a\n9007199254740993\n', 'a\n9007199254740992\n')).shared, 0)
    assert.equal((await of('a,b\n-0.0,1\n', 'a,b\n0,1\n')).shared, 1)
    // The values of a row do not run into each other.
    assert.equal((await of('a,b\n1,\n', 'a,b\n,1\n')).shared, 0)
    assert.equal((await of('a,b\nx,y\n', 'a,b\ny,x\n')).shared, 0)
  })

  it('keeps a set of digests that grows', () => {
    const set = new DigestSet()
    const words = new Uint32Array(4 * 30_000)
    const random = randomOf(8)
    // First words alike, second words few: places collide.
    for (let i = 0; i < words.length; i++)
      words[i] = i % 4 === 0 ? 5 : Math.floor(random() * (i % 4 === 1 ? 60_000 : 2 ** 32))
    for (let i = 0; i < 20_000; i++) set.add(words, 4 * i)
    for (let i = 0; i < 10_000; i++) set.add(words, 4 * i)
    assert.equal(set.size, 20_000)
    const counts = [0, 10_000, 20_000].map((row) => set.take(words, 4 * row))
    assert.deepEqual([counts, set.take(words, 0)], [[2, 1, 0], 0])
    set.keep((kept, at) => (kept[at + 2] as number) % 2 === 0)
    assert.ok(set.size > 9_500 && set.size < 10_500)
  })
})
