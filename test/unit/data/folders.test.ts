/** Folders and patterns: many files as one table. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withSource } from '../../../src/data/source.ts'
import { profileBaseline, profileBatch } from '../../../src/drift/baseline.ts'
import { type Bench, bench } from './support.ts'

describe('Reading many files', () => {
  let work: Bench
  beforeEach(() => {
    work = bench()
  })
  afterEach(() => work.remove())

  const sorted = (rows: readonly (readonly (string | null)[])[]) => rows.map((row) => row.join()).sort()

  describe('A folder', () => {
    it('is every data file below it, without hidden files and markers', async () => {
      work.write('data/2.csv', 'x,y\n3,c\n')
      work.write('data/sub/1.csv', 'x,y\n1,a\n2,b\n')
      for (const name of ['_SUCCESS', '.hidden.csv', '_tmp/a.csv', 'README.md', '.git/x.csv'])
        work.write(`data/${name}`, 'no')
      const read = await work.read('data')
      assert.deepEqual(
        [read.columns, sorted(read.rows)],
        [
          ['x', 'y'],
          ['1,a', '2,b', '3,c'],
        ],
      )
      assert.deepEqual(read.notes, [])
    })

    it('is identified by the names and bytes of its files, wherever it lies', async () => {
      const files = { 'b.csv': 'x\n1\n', 'a/z.csv': 'x\n2\n' }
      for (const folder of ['one', 'two/deep']) {
        for (const [name, text] of Object.entries(files)) work.write(`${folder}/${name}`, text)
      }
      const digest = (text: string) => createHash('sha256').update(text).digest('hex')
      const expected = digest(`a/z.csv\0${digest('x\n2\n')}\nb.csv\0${digest('x\n1\n')}\n`)
      for (const name of ['one', 'two/deep', 'one/', 'one/**/*.csv', './one/**']) {
        assert.equal((await work.read(name)).sha256, expected, name)
      }
      work.write('one/b.csv', 'x\n3\n')
      assert.notEqual((await work.read('one')).sha256, expected)
    })

    it('of parts with other columns, orders and separators is put together by name, and says who lacks what', async () => {
      work.write('data/a.csv', 'x,plan\n1,p\n2,q\n')
      work.write('data/b.csv', 'plan;x\nr;3\n')
      work.write('data/c.csv', 'x,extra\n4,e\n')
      const read = await work.read('data')
      assert.deepEqual(read.columns, ['x', 'plan', 'extra'])
      assert.deepEqual(sorted(read.rows), ['1,p,', '2,q,', '3,r,', '4,,e'])
      assert.match(read.notes.join('\n'), /plan is missing in c.csv of data/)
      assert.match(read.notes.join('\n'), /extra is missing in a.csv, b.csv of data/)
      work.write('json/a.jsonl', '{"x": 1, "plan": "p"}\n{"x": 2}\n')
      work.write('json/b.json', '[{"plan": "q"}, {"plan": "r"}]')
      const json = await work.read('json')
      assert.deepEqual(sorted(json.rows), [',q', ',r', '1,p', '2,'])
      assert.match(json.notes.join('\n'), /^x is missing in b.json of json/)
    })

    it('of several formats is refused, naming one file of each', async () => {
      work.write('data/a.csv', 'x\n1\n')
      work.write('data/b.jsonl', '{"x": 1}\n')
      const error = await work.refusal('data')
      assert.match(error.message, /data holds files of several formats: CSV \(a.csv\) and JSON \(b.jsonl\)/)
      assert.equal(error.exit, 'usage')
      assert.equal((await work.read('data/*.csv')).rows.length, 1)
    })

    it('may hold parts without any byte, which are left out with a word', async () => {
      work.write('data/a.csv', 'x\n1\n')
      work.write('data/b.csv', '')
      const read = await work.read('data')
      assert.equal(read.rows.length, 1)
      assert.match(read.notes.join(), /b.csv of data is empty and left out/)
      work.write('none/b.csv', '')
      assert.match((await work.refusal('none')).message, /none is empty/)
    })

    it('makes no column of the names of its folders', async () => {
      work.write('data/date=2026-01-01/a.csv', 'x\n1\n')
      work.write('data/date=2026-01-02/a.csv', 'x\n2\n')
      const read = await work.read('data')
      assert.deepEqual([read.columns, sorted(read.rows)], [['x'], ['1', '2']])
      assert.match(read.notes.join(), /KEY=VALUE make no column/)
    })

    it('follows links once, also when they go round in circles', async () => {
      work.write('elsewhere/a.csv', 'x\n1\n')
      mkdirSync(join(work.path, 'data/sub'), { recursive: true })
      symlinkSync(join(work.path, 'elsewhere/a.csv'), join(work.path, 'data/link.csv'))
      symlinkSync(join(work.path, 'data'), join(work.path, 'data/sub/round'))
      assert.equal((await work.read('data')).rows.length, 1)
    })

    it('names the part that is broken', async () => {
      work.write('data/a.csv', 'x,y\n1,2\n')
      work.write('data/b.csv', 'x,y\n1,2\n3\n')
      assert.match((await work.refusal('data')).message, /Line 3 of b.csv of data has 1 of the 2 fields/)
    })

    it('that changes while it is read is refused', async () => {
      work.write('data/a.csv', 'x\n1\n')
      const reading = withSource('data', { cwd: work.path }, async (source) => {
        writeFileSync(join(work.path, 'data/a.csv'), 'x\n1\n2\n')
        await source.assertUnchanged()
      })
      await assert.rejects(reading, /a.csv changed while it was being read/)
    })
  })

  describe('A pattern', () => {
    it('matches within one folder with * ? [a-z], and across folders with **', async () => {
      for (const name of [
        'd/2026-01.csv',
        'd/2026-02.csv',
        'd/2025-12.csv',
        'd/e/2026-03.csv',
        'd/.2026-9.csv',
        'd/x.txt',
      ]) {
        work.write(name, `x\n${name}\n`)
      }
      const match = async (pattern: string) => sorted((await work.read(pattern)).rows)
      assert.deepEqual(await match('d/2026-*.csv'), ['d/2026-01.csv', 'd/2026-02.csv'])
      assert.deepEqual(await match('d/202?-[01]2.csv'), ['d/2025-12.csv', 'd/2026-02.csv'])
      assert.deepEqual(await match('d/202[!5]-*.csv'), ['d/2026-01.csv', 'd/2026-02.csv'])
      assert.deepEqual(await match('d/**/2026-0[13].csv'), ['d/2026-01.csv', 'd/e/2026-03.csv'])
      assert.deepEqual(await match(join(work.path, '?/**/*-03*')), ['d/e/2026-03.csv'])
      const error = await work.refusal('d/2027-*.csv')
      assert.match(error.message, /No file matches d\/2027-\*.csv/)
      assert.equal(error.exit, 'notFound')
    })

    it('counts a batch in parts like the whole file, thousand parts and all', async () => {
      const lines = Array.from({ length: 3_000 }, (_, i) => `${Math.sin(i)},${'abc'[i % 3]}`)
      work.write('all.csv', `x,plan\n${lines.join('\n')}\n`)
      for (let i = 0; i < 1_000; i++)
        work.write(`parts/${i}.csv`, `x,plan\n${lines.slice(3 * i, 3 * i + 3).join('\n')}\n`)
      const { profile } = await profileBaseline('all.csv', { cwd: work.path, schema: { columns: {} } })
      const batch = await profileBatch(profile, 'parts/*.csv', { cwd: work.path })
      assert.deepEqual(batch.profile.columns, profile.columns)
    })
  })
})
