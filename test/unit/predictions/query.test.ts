/** SQL over the log. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readerOf } from '../../../src/predictions/log.ts'
import { queryRecords } from '../../../src/predictions/query.ts'
import type { TimeWindow } from '../../../src/predictions/types.ts'
import { at, MODEL, many, type TestLog, testLog, WEEK } from './support.ts'

let test: TestLog
beforeEach(() => {
  test = testLog()
})
afterEach(() => test.remove())

const ask = (sql: string, limit = 100, window: TimeWindow = WEEK) =>
  readerOf(test.ctx, test.home, MODEL)(window, (reading) => queryRecords(reading, window, sql, limit))

describe('SQL over the prediction log', () => {
  beforeEach(() => {
    test.write(
      many('2026-11-15', 20, (i) => ({
        version: 1 + (i % 2),
        features: { plan: i < 15 ? 'basic' : 'pro', n: i },
        tags: { a: 'b' },
      })),
    )
    test.write(many('2026-11-16', 5, () => ({ status: 'error', error: 'timeout' })))
  })

  it('sees typed columns', async () => {
    const { columns, rows } = await ask('SELECT * FROM predictions ORDER BY time LIMIT 1')
    assert.deepEqual(
      columns.map(({ name, type }) => `${name} ${type}`),
      [
        ...[
          'id VARCHAR',
          'time TIMESTAMP',
          'model VARCHAR',
          'version BIGINT',
          'variant VARCHAR',
          'features JSON',
          'output JSON',
        ],
        ...['latency_ms DOUBLE', 'status VARCHAR', 'error VARCHAR', 'user VARCHAR', 'segment VARCHAR', 'tokens DOUBLE'],
        ...['cost DOUBLE', 'tags JSON', 'sample_rate DOUBLE', 'label JSON'],
      ],
    )
    assert.deepEqual(rows[0]?.slice(0, 9), [
      '2026-11-15-0',
      '2026-11-15T00:00:00.000Z',
      MODEL,
      1,
      null,
      '{"plan":"basic","n":0}',
      '0.25',
      null,
      'ok',
    ])
  })

  it('groups, orders and computes', async () => {
    const { columns, rows } = await ask(
      `SELECT features->>'plan' AS plan, count(*), avg(CAST(output AS DOUBLE)), list(version) FROM predictions WHERE status = 'ok' GROUP BY plan ORDER BY plan -- a comment`,
    )
    assert.equal(columns[0]?.name, 'plan')
    assert.deepEqual(
      rows.map((row) => row.slice(0, 3)),
      [
        ['basic', 15, 0.25],
        ['pro', 5, 0.25],
      ],
    )
    assert.match(String(rows[1]?.[3]), /^\[[12],/)
    const two = await ask('SELECT count(*), count(*), 9007199254740993, 1.5, true, NULL FROM predictions;')
    assert.deepEqual(two.rows, [[25, 25, '9007199254740993', 1.5, true, null]])
  })

  it('reads only the window asked', async () => {
    const day = { since: at('2026-11-16T00:00:00Z'), until: at('2026-11-17T00:00:00Z') }
    assert.deepEqual((await ask('SELECT count(*) FROM predictions', 1, day)).rows, [[5]])
  })

  it('says when rows were cut', async () => {
    const cut = await ask('SELECT id FROM predictions ORDER BY id', 3)
    assert.deepEqual([cut.rows.length, cut.isCut], [3, true])
    assert.equal((await ask('SELECT id FROM predictions ORDER BY id', 25)).isCut, false)
  })

  const refused: readonly (readonly [sql: string, message: RegExp])[] = [
    ['SELEC 1', /syntax error/],
    ['SELECT nothing FROM predictions', /column "nothing" not found|Referenced column/],
    ['SELECT * FROM prediction', /Table with name prediction does not exist/],
    ['SELECT CAST(id AS INTEGER) FROM predictions', /Could not convert/],
    ['SELECT 1; SELECT 2', /one SELECT/],
    ["COPY (SELECT 1) TO '/tmp/mlops-query-was-here'", /one SELECT/],
    ['DROP VIEW predictions', /one SELECT/],
    ["SET memory_limit = '1TB'", /one SELECT/],
    ["SELECT 1) TO '/tmp/x' --", /syntax error/],
    ['', /one SELECT/],
  ]
  for (const [sql, message] of refused) {
    it(`refuses with one sentence: ${sql || '(nothing)'}`, async () => {
      await assert.rejects(ask(sql), (error: Error & { code?: string; exit?: string }) => {
        assert.deepEqual([error.code, error.exit], ['SQL_INVALID', 'usage'])
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /\n/)
        return true
      })
    })
  }

  it('reads no other file and changes none of the log', async () => {
    const secret = join(test.path, 'secret.csv')
    writeFileSync(secret, 'a,b\n1,2\n')
    const log = join(test.home.folder, 'date=2026-11-15/py-0123456789abcdef-0001.jsonl')
    const before = readFileSync(log, 'utf8')
    for (const sql of [
      `SELECT * FROM read_csv('${secret}')`,
      `SELECT * FROM '${secret}'`,
      `SELECT * FROM read_text('/etc/passwd')`,
      `SELECT * FROM glob('/etc/*')`,
    ]) {
      await assert.rejects(ask(sql), { code: 'SQL_INVALID' }, sql)
    }
    await assert.rejects(ask(`COPY (SELECT 1) TO '${log}'`), { code: 'SQL_INVALID' })
    assert.equal(readFileSync(log, 'utf8'), before)
  })
})
