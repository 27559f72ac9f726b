/** Lines that no writer of ours makes: one of them must not keep the others from being read. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compactLog } from '../../../src/predictions/compact.ts'
import { readerOf } from '../../../src/predictions/log.ts'
import { queryRecords } from '../../../src/predictions/query.ts'
import { MODEL, many, NOW, record, type TestLog, testLog, WEEK } from './support.ts'

let test: TestLog
beforeEach(() => {
  test = testLog()
  test.write(many('2026-11-15', 50))
})
afterEach(() => test.remove())

const NOON = '2026-11-15T12:00:00Z'
const columnsOf = (expected?: readonly string[]) =>
  test.log
    .rows(WEEK, {})
    .open({ cwd: '/', ...(expected === undefined ? {} : { expected }) }, async ({ columns, relation, duck, keys }) => {
      const list = columns.flatMap(({ name, sql }) => (expected?.includes(name) === false ? [] : [`count(${sql})`]))
      const [counts] = await duck.rows(`SELECT ${['count(*)', ...list].join(', ')} FROM ${relation}`)
      return { names: columns.map(({ name }) => name), counts: counts?.map(Number), keys, columns }
    })

describe('A hostile prediction log', () => {
  for (const [what, bytes] of [
    [
      'a line of 40 MB in a file',
      `${JSON.stringify(record('big', NOON, { features: { x: 'x'.repeat(40_000_000) } }))}\n`,
    ],
    ['a record on several lines', `${JSON.stringify(record('pretty', NOON), null, 1)}\n`],
    ['a list over several lines', `[${JSON.stringify(record('list', NOON))}\n]\n`],
  ] as const) {
    it(`is read and compacted around ${what}`, async () => {
      test.raw('2026-11-15', 'py-00000000000000ff-0001.jsonl', bytes)
      test.write([record('after', NOON)], 'py-00000000000000ff-0001.jsonl')
      const before = await test.log.stats(WEEK)
      assert.equal(before.records, 51)
      assert.ok(before.torn >= 1)
      const { counts } = await columnsOf(['tenure'])
      assert.deepEqual(counts, [51, 51])
      const request = { model: MODEL, grace: 72e5, dryRun: false, tool: 'test', now: NOW.getTime() }
      const { days } = await compactLog(test.home, request)
      assert.deepEqual(
        days.map(({ records, torn }) => [records, torn]),
        [[51, before.torn]],
      )
      const folder = join(test.home.folder, 'date=2026-11-15')
      assert.deepEqual(readdirSync(folder), ['compacted-0001'])
      assert.equal(readFileSync(join(folder, 'compacted-0001', 'rejected.txt'), 'utf8'), bytes)
      assert.deepEqual(await test.log.stats(WEEK), before)
    })
  }

  it('may nest values deeper than anybody can descend', async () => {
    const deep = '['.repeat(150_000) + ']'.repeat(150_000)
    const line = JSON.stringify(record('deep', NOON, { features: { tenure: 1, a: 'DEEP' } })).replace('"DEEP"', deep)
    test.raw('2026-11-15', 'py-00000000000000ff-0001.jsonl', `${line}\n`)
    const { names, columns } = await columnsOf()
    assert.deepEqual(names, ['a', 'plan', 'prediction', 'tenure'])
    assert.deepEqual(
      columns.map(({ physical }) => physical),
      ['nested', 'text', 'text', 'text'],
    )
  })

  it('may have thousands of new keys in a record', async () => {
    const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, i]))
    test.write([record('wide', NOON, { features: { tenure: 1, ...wide } })])
    const { names, counts, keys } = await columnsOf(['tenure', 'plan'])
    assert.equal(names.length, 5_003)
    assert.ok(keys?.has('k4999'))
    assert.deepEqual(counts, [51, 50, 51])
  })

  it('may have keys that are no names of columns', async () => {
    const odd = { 'a\0b': 1, '': 2, 'x"; DROP VIEW predictions; --': 3, "'": 4, __proto__x: 5, 'a.b': 6, '$.tenure': 7 }
    test.write([record('odd', NOON, { features: { tenure: 1, ...odd } })])
    const { names, counts } = await columnsOf()
    assert.deepEqual(names, [
      '$.tenure',
      "'",
      '__proto__x',
      'a.b',
      'plan',
      'prediction',
      'tenure',
      'x"; DROP VIEW predictions; --',
    ])
    assert.deepEqual(counts, [51, 1, 1, 1, 1, 50, 51, 51, 1])
  })

  it('may spell a column of the baseline otherwise in one record', async () => {
    test.write([record('upper', NOON, { features: { TENURE: 1, plan: 'basic' } })])
    const { names, counts } = await columnsOf(['tenure', 'plan'])
    assert.deepEqual(names, ['plan', 'prediction', 'tenure'])
    assert.deepEqual(counts, [51, 51, 50])
  })

  it('may claim versions and shares that nothing has', async () => {
    test.write([
      record('v', NOON, { version: 1e300 }),
      record('w', NOON, { version: 2 ** 31 }),
      record('s', NOON, { sample_rate: 5e-324 }),
    ])
    const { records, requests, torn, versions } = await test.log.stats(WEEK)
    assert.deepEqual([records, requests, torn, versions.length], [51, 51, 2, 1])
  })

  it('may hold what are no files: links out of the log, pipes', async () => {
    const secret = join(test.path, 'secret')
    writeFileSync(secret, 'password\n')
    const folder = join(test.home.folder, 'date=2026-11-15')
    symlinkSync(secret, join(folder, 'link.jsonl'))
    execFileSync('mkfifo', [join(folder, 'pipe.jsonl')])
    const { records, torn } = await test.log.stats(WEEK)
    assert.deepEqual([records, torn], [50, 0])
  })

  it('is asked no more than fits into memory', async () => {
    const sql = 'SELECT list(range) FROM range(80000000)'
    await assert.rejects(
      readerOf(test.ctx, test.home, MODEL)(WEEK, (reading) => queryRecords(reading, WEEK, sql, 10)),
      (error: Error & { code?: string }) => error.code === 'SQL_INVALID' && error.message.includes('memory limit'),
    )
  })
})
