/** What a column means: types by mlops.yaml, types that are recognised, and a word on what is left out. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { profileBatch } from '../../../src/drift/baseline.ts'
import { inferType, retypedNotes } from '../../../src/drift/infer.ts'
import type { ColumnProfile } from '../../../src/drift/profile.ts'
import type { ColumnType } from '../../../src/project/config.ts'
import { csv, type Folder, folder } from './support.ts'

let work: Folder
beforeEach(() => {
  work = folder()
})
afterEach(() => work.remove())

const rows = (count: number, row: (i: number) => string) => Array.from({ length: count }, (_, i) => row(i))
const typesOf = (columns: readonly ColumnProfile[]) => Object.fromEntries(columns.map(({ name, type }) => [name, type]))

/** Writes Parquet with DuckDB's own types. */
async function parquet(name: string, select: string): Promise<string> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run(`COPY (${select}) TO '${join(work.path, name)}' (FORMAT parquet)`)
  connection.closeSync()
  return name
}

describe('The type of a column', () => {
  describe('in mlops.yaml is obeyed', () => {
    const counted: Readonly<Record<ColumnType, (column: ColumnProfile) => boolean>> = {
      numeric: (column) => column.type === 'numeric' && column.singles.length === 4,
      categorical: (column) => column.type === 'categorical' && column.categories.toSorted().join() === '0,1,2,3',
      text: (column) => column.type === 'text' && column.present === 999 && column.missing === 1,
      timestamp: (column) => column.type === 'timestamp' && column.present === 999,
      id: (column) => column.type === 'id' && column.present === 999,
      ignore: (column) => column.type === 'ignore',
    }
    for (const [type, isRight] of Object.entries(counted)) {
      it(`${type}: a column of 0, 1, 2, 3 and one null is counted as ${type}`, async () => {
        work.write(
          'a.csv',
          csv(
            'code,other',
            rows(1_000, (i) => `${i === 7 ? '' : i % 4},${i % 3}`),
          ),
        )
        const schema = { columns: { code: type as ColumnType } }
        const { profile } = await work.baseline('a.csv', schema)
        const column = profile.columns[0]
        assert.ok(column !== undefined && isRight(column), JSON.stringify(column))
        const { columns } = await work.compare('a.csv', 'a.csv', {}, schema)
        const found = columns.find((each) => each.column === 'code')
        assert.equal(found?.verdict, type === 'id' || type === 'ignore' ? 'skipped' : 'stable')
      })
    }

    it('and said to be odd when most values of a numeric column are no numbers', async () => {
      work.write(
        'a.csv',
        csv(
          'x,y',
          rows(100, (i) => `word${i % 3},${i}`),
        ),
      )
      const { notes } = await work.baseline('a.csv', { columns: { x: 'numeric' } })
      assert.match(notes.join('\n'), /x is numeric by mlops.yaml though 100 % of its values are no numbers/)
    })

    it('and said to wait for a new baseline when it was changed after registering', () => {
      const columns = [
        { name: 'plan', type: 'numeric' },
        { name: 'customer', type: 'numeric' },
      ] as const
      const notes = retypedNotes(columns, { columns: { plan: 'categorical', customer: 'id' } })
      assert.equal(notes.length, 1)
      assert.match(notes[0] ?? '', /plan is categorical in mlops.yaml but numeric in the baseline/)
    })
  })

  it('is its own, whatever objects have by themselves that is called alike', async () => {
    const names = ['constructor', '__proto__', 'toString']
    work.write(
      'a.csv',
      csv(
        names.join(','),
        rows(200, (i) => `${i / 7},${i % 4},w${i % 3}`),
      ),
    )
    const { profile, notes } = await work.baseline('a.csv', { columns: {} })
    assert.deepEqual(
      profile.columns.map(({ name, type }) => [name, type]),
      [
        ['__proto__', 'numeric'],
        ['constructor', 'numeric'],
        ['toString', 'categorical'],
      ],
    )
    assert.deepEqual(notes, [])
    assert.deepEqual(retypedNotes(profile.columns, { columns: {} }), [])
  })

  it('is recognised as an id, free text or a time, and these are left out with a word', async () => {
    const text = 'a sentence that a person wrote, never twice the same'
    work.write(
      'a.csv',
      csv(
        'customer_id,comment,signed_up,spent',
        rows(200, (i) => `C-${i},"${text} ${i}",2024-01-${String(1 + (i % 28)).padStart(2, '0')},${(i * 37) % 101}`),
      ),
    )
    const { profile, notes } = await work.baseline('a.csv')
    assert.deepEqual(typesOf(profile.columns), {
      comment: 'text',
      customer_id: 'id',
      signed_up: 'timestamp',
      spent: 'numeric',
    })
    const said = notes.join('\n')
    assert.match(said, /customer_id looks like an id and is not compared/)
    assert.match(said, /comment is free text: only whether there is a value is compared/)
    assert.match(said, /signed_up holds times: only whether there is a value is compared/)
  })

  it('has no word on it when mlops.yaml said so itself', async () => {
    work.write(
      'a.csv',
      csv(
        'customer_id,x',
        rows(200, (i) => `C-${i},${i % 7}`),
      ),
    )
    const { notes } = await work.baseline('a.csv', { columns: { customer_id: 'id' } })
    assert.deepEqual(notes, [])
  })

  it('is sensible for every type that Parquet has, and what cannot be compared is said', async () => {
    const name = await parquet(
      'a.parquet',
      `SELECT i % 2 = 0 AS flag, DATE '2024-01-01' + CAST(i % 30 AS INTEGER) AS day, TIMESTAMP '2024-01-01' + INTERVAL (i) HOUR AS at,
        CAST(i % 50 AS DECIMAL(10, 2)) / 4 AS price, CAST(9007199254740993 + i % 3 AS BIGINT) AS big, CAST(i % 5 AS TINYINT) AS tiny,
        CAST(i % 9 AS FLOAT) / 7 AS single, [i, i + 1] AS list, {'a': i} AS object, uuid() AS token,
        CASE WHEN i % 3 = 0 THEN 'red' ELSE 'blue' END AS colour, 'x'::BLOB AS bytes, TIME '12:00' AS noon
        FROM range(400) t(i)`,
    )
    const { profile, notes } = await work.baseline(name)
    assert.deepEqual(typesOf(profile.columns), {
      at: 'timestamp',
      big: 'numeric',
      bytes: 'ignore',
      colour: 'categorical',
      day: 'timestamp',
      flag: 'categorical',
      list: 'ignore',
      noon: 'categorical',
      object: 'ignore',
      price: 'numeric',
      single: 'numeric',
      tiny: 'numeric',
      token: 'id',
    })
    const said = notes.join('\n')
    assert.match(said, /bytes holds binary data and is ignored/)
    assert.match(said, /list holds lists or objects and is ignored: write its parts as columns/)
    assert.match(said, /object holds lists or objects/)
    assert.match(said, /token looks like an id/)
    assert.match(said, /day, at|at, day/)
    const batch = await profileBatch(profile, name, { cwd: work.path })
    assert.deepEqual(batch.profile.columns, profile.columns)
    const big = profile.columns.find((column) => column.name === 'big')
    assert.ok(big?.type === 'numeric')
    assert.deepEqual([big.resolution, big.singles.length, big.min], ['bigint', 3, '9007199254740993'])
    const flag = profile.columns.find((column) => column.name === 'flag')
    assert.ok(flag?.type === 'categorical')
    assert.deepEqual(flag.categories, ['false', 'true'])
  })

  it('is the same for lists and objects written as JSON', async () => {
    const line = (i: number) => JSON.stringify({ tags: [`t${i % 3}`, 'x'], place: { city: `c${i % 4}` }, x: i % 10 })
    work.write('a.jsonl', `${rows(100, line).join('\n')}\n`)
    const { profile, notes } = await work.baseline('a.jsonl')
    assert.deepEqual(typesOf(profile.columns), { place: 'ignore', tags: 'ignore', x: 'numeric' })
    assert.equal(notes.filter((note) => note.includes('lists or objects')).length, 2)
  })

  it('does not take short codes in brackets for lists when most values are something else', () => {
    const words = new Map([
      ['[low]', 3],
      ['high', 97],
    ])
    const column = { name: 'band', sql: 'band', physical: 'text' } as const
    const empty = { missing: 0, numbers: new Float64Array(), nonFinite: 0, bigs: undefined, numberTexts: new Map() }
    assert.equal(inferType({ ...empty, column, words }, undefined).type, 'categorical')
  })
})
