/** Declared data: digest, rows and columns, from CSV, JSONL and Parquet, real and broken. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkDataSources, hashDeclaredData, parseDataFlag } from '../../../src/tracking/capture/declared-data.ts'
import { createCsvCounter, createJsonLinesCounter } from '../../../src/tracking/capture/row-counter.ts'
import { skipBecause } from '../../support/skip.ts'

const SHARED = join(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))), '../shared/data')

describe('Declared data', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mlops-data-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const declare = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content)
    return hashDeclaredData({ name: 'train', path: name }, folder)
  }

  it('has the sha256 of the file, and its rows and columns without the header', async () => {
    const text = 'a,b,c\n1,2,3\n4,5,6\n'
    assert.deepEqual(await declare('train.csv', text), {
      name: 'train',
      path: 'train.csv',
      kind: 'file',
      sha256: createHash('sha256').update(text).digest('hex'),
      size: text.length,
      rows: 2,
      columns: 3,
    })
  })

  it('counts rows as a CSV reader does, not lines', async () => {
    const shapes: [string, number, number][] = [
      ['a,b\n"one\ntwo",1\n"x,y",2\n', 2, 2],
      ['a,b\r\n1,2\r\n\r\n3,4', 2, 2],
      ['\ufeffa,b\n1,2\n', 1, 2],
      ['"a,1",b\n1,2\n', 1, 2],
      ['a\n', 0, 1],
      ['', 0, 0],
      ['a,b\n"say ""hi""\n",2\n', 1, 2],
    ]
    for (const [text, rows, columns] of shapes) {
      const { rows: found, columns: width } = await declare('x.csv', text)
      assert.deepEqual([found, width], [rows, columns], JSON.stringify(text))
    }
  })

  it('counts the same however the bytes are cut', () => {
    const text = Buffer.from('a,"b\nc"\r\n"1\n\n",2\n\n3,4\r\n5,"6"')
    for (const cut of Array.from(text.keys())) {
      const counter = createCsvCounter(',')
      counter.feed(text.subarray(0, cut))
      counter.feed(text.subarray(cut))
      assert.deepEqual(counter.end(), { rows: 3, columns: 2 }, `cut at ${cut}`)
    }
    const lines = Buffer.from('{"a":1,"b":2}\n\n{"a":2}\n  \n{"a":3}')
    for (const cut of Array.from(lines.keys())) {
      const counter = createJsonLinesCounter()
      counter.feed(lines.subarray(0, cut))
      counter.feed(lines.subarray(cut))
      assert.deepEqual(counter.end(), { rows: 3, columns: 2 }, `cut at ${cut}`)
    }
  })

  it('reads rows and columns of Parquet off its footer', async function () {
    const file = existsSync(SHARED) ? readdirSync(SHARED).find((name) => name.endsWith('.parquet')) : undefined
    if (file === undefined) skipBecause(this, 'no Parquet file in ../shared/data')
    const { rows, columns } = await hashDeclaredData({ name: 'train', path: join(SHARED, file) }, folder)
    const { DuckDBInstance } = await import('@duckdb/node-api')
    const connection = await (await DuckDBInstance.create()).connect()
    const reader = await connection.runAndReadAll(`SELECT * FROM read_parquet('${join(SHARED, file)}')`)
    assert.deepEqual([rows, columns], [reader.currentRowCount, reader.columnCount])
    const whole = readFileSync(join(SHARED, file))
    for (const damaged of [whole.subarray(0, whole.length - 9), whole.subarray(0, 7), Buffer.alloc(0)]) {
      const facts = await declare('cut.parquet', damaged)
      assert.equal(facts.rows, undefined)
    }
    // Bytes of the footer changed: no answer or some answer, but no crash and no endless loop.
    const footer = whole.readUInt32LE(whole.length - 8)
    for (let at = 0; at < Math.min(footer, 300); at++) {
      const bent = Buffer.from(whole)
      bent[whole.length - 9 - at] = 0xff
      await declare('bent.parquet', bent)
    }
  })

  it('of a folder is the digest of the sorted names and digests of its files', async () => {
    mkdirSync(join(folder, 'd/sub'), { recursive: true })
    writeFileSync(join(folder, 'd/b.csv'), 'b')
    writeFileSync(join(folder, 'd/sub/a.csv'), 'a')
    const hex = (text: string): string => createHash('sha256').update(text).digest('hex')
    const expected = hex(`b.csv\0${hex('b')}\nsub/a.csv\0${hex('a')}\n`)
    const facts = await hashDeclaredData({ name: 'all', path: 'd' }, folder)
    assert.deepEqual([facts.kind, facts.sha256, facts.size], ['directory', expected, 2])
  })

  it('must be there, be a file or folder, and have its own name', async () => {
    writeFileSync(join(folder, 'a.csv'), 'a\n')
    const a = { name: 'a', path: 'a.csv' }
    await checkDataSources([a], folder)
    await assert.rejects(checkDataSources([{ name: 'b', path: 'nope.csv' }], folder), { code: 'DATA_NOT_FOUND' })
    await assert.rejects(checkDataSources([a, a], folder), { code: 'DATA_INVALID' })
    await assert.rejects(checkDataSources([{ name: 'null', path: '/dev/null' }], folder), { code: 'DATA_INVALID' })
    assert.deepEqual(parseDataFlag('train=x=y.csv'), { name: 'train', path: 'x=y.csv' })
    for (const wrong of ['train.csv', '=x', 'train=', 'a/b=x', '']) {
      assert.throws(() => parseDataFlag(wrong), { code: 'DATA_INVALID' }, wrong)
    }
  })
})
