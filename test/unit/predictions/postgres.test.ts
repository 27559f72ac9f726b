/** A log that lives in PostgreSQL gives the answers that files give; against a real server. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { namedData } from '../../../src/data/input.ts'
import { type LogHome, withoutCredentials } from '../../../src/predictions/home.ts'
import { labelPredictions } from '../../../src/predictions/label.ts'
import { logAt, readerOf } from '../../../src/predictions/log.ts'
import { newestLocal } from '../../../src/predictions/newest.ts'
import { createTables } from '../../../src/predictions/postgres-write.ts'
import { applyPrune, planPrune } from '../../../src/predictions/prune.ts'
import { queryRecords } from '../../../src/predictions/query.ts'
import { type PostgresServer, startPostgres } from '../../support/postgres.ts'
import { type Line, MODEL, many, type TestLog, testLog, WEEK } from './support.ts'

describe('A prediction log in PostgreSQL', () => {
  let server: PostgresServer
  let client: pg.Client
  let test: TestLog
  let home: Extract<LogHome, { kind: 'postgres' }>

  before(async function () {
    server = await startPostgres(this)
    client = new pg.Client(server.url)
    await client.connect()
  })
  after(async () => {
    await client?.end()
    await server?.stop()
  })
  beforeEach(async () => {
    test = testLog()
    home = { kind: 'postgres', url: server.url, name: withoutCredentials(server.url) }
    await client.query('DROP TABLE IF EXISTS mlops_predictions, mlops_labels')
    await Promise.all([createTables(test.ctx, home), createTables(test.ctx, home)])
  })
  afterEach(() => test.remove())

  async function insert(lines: readonly Line[]): Promise<void> {
    const columns =
      'id, time, model, version, variant, features, output, latency_ms, status, error, "user", segment, tokens, cost, tags, sample_rate'
    await client.query(
      `INSERT INTO mlops_predictions (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(NULL::mlops_predictions, $1::jsonb)`,
      [JSON.stringify(lines)],
    )
  }

  const lines = (): Line[] => [
    ...many('2026-11-15', 60, (i) => ({
      ...{ version: 1 + (i % 2), latency_ms: i + 0.5, user: `u${i % 3}`, tags: { a: 'b' } },
      features: { n: i / 8, s: `x"y${i % 5}`, nothing: null, l: [1, 2] },
      ...(i % 10 === 0 ? { status: 'error', error: 'timeout', output: undefined } : { output: { p: i / 60 } }),
    })),
    ...many('2026-11-16', 10, () => ({ output: 0.5, sample_rate: 0.5 })),
    ...many('2026-11-25', 3),
    ...many('2026-11-15', 5, () => ({ model: 'other' })),
  ]

  it('gives the figures, rows and answers that files give', async () => {
    const all = lines()
    await insert(all)
    test.write(all.filter(({ model }) => model === MODEL))
    const log = logAt(test.ctx, home, MODEL)
    const { torn: _, ...files } = await test.log.stats({ ...WEEK, slowerThan: 30 })
    const { torn, ...table } = await log.stats({ ...WEEK, slowerThan: 30 })
    assert.deepEqual(table, files)
    assert.equal(torn, 0)
    const rowsOf = (of: typeof log) =>
      of
        .rows({ ...WEEK, version: 1 }, { prediction: 'score' })
        .open({ cwd: '/' }, async (source) => [
          source.columns.map(({ name, physical }) => [name, physical]),
          await source.duck.rows(
            `SELECT ${source.columns.map(({ sql }) => sql).join(', ')} FROM ${source.relation} ORDER BY ALL`,
          ),
        ])
    assert.deepEqual(await rowsOf(log), await rowsOf(test.log))
    assert.deepEqual([await log.newest(), await log.oldest()], ['2026-11-25T00:02:00.000Z', '2026-11-15T00:00:00.000Z'])
    assert.equal(newestLocal(home, MODEL), undefined)
    const sql = 'SELECT id, time, version, latency_ms, status, "user" FROM predictions ORDER BY id'
    const ask = (of: LogHome) =>
      readerOf(test.ctx, of, MODEL)(WEEK, (reading) => queryRecords(reading, WEEK, sql, 1_000))
    assert.deepEqual((await ask(home)).rows, (await ask(test.home)).rows)
  })

  it('takes labels as files do', async () => {
    await insert(many('2026-11-15', 20, (i) => ({ output: i / 20 })))
    const log = logAt(test.ctx, home, MODEL)
    const label = async (content: string) => {
      writeFileSync(join(test.path, 'labels.csv'), content)
      const result = await labelPredictions(test.ctx, home, {
        model: MODEL,
        input: namedData('labels.csv'),
        window: WEEK,
      })
      return [result.labelled, result.changed, result.unchanged, result.unknown]
    }
    const file = `id,label\n${Array.from({ length: 20 }, (_, i) => `2026-11-15-${i},${i >= 10}`).join('\n')}\nlate,true\n`
    assert.deepEqual(await label(file), [20, 0, 0, 1])
    assert.deepEqual(await label(file), [0, 0, 20, 1])
    assert.deepEqual(await label('id,label\n2026-11-15-0,true\n2026-11-15-0,true\n'), [0, 1, 0, 0])
    const { labelled, versions } = await log.quality(WEEK, {})
    assert.equal(labelled, 20)
    assert.ok(Math.abs((versions[0]?.metrics.auc ?? 0) - 100 / 110) < 0.1)
    await insert(many('2026-11-16', 1, () => ({ id: 'late' })))
    assert.equal((await log.quality(WEEK, {})).labelled, 21)
    const { rows } = await client.query('SELECT count(*)::int AS n FROM mlops_labels')
    assert.equal(rows[0].n, 22)
  })

  it('is pruned with its labels', async () => {
    await insert([
      ...many('2026-08-01', 4),
      ...many('2026-11-15', 2),
      ...many('2026-08-01', 2, () => ({ model: 'other' })),
    ])
    await client.query(`INSERT INTO mlops_labels (model, id, time, label) VALUES
      ('${MODEL}', '2026-08-01-0', now(), '1'), ('${MODEL}', '2026-11-15-0', now(), '1'), ('${MODEL}', 'never', '2026-08-01Z', '1')`)
    const plan = await planPrune(test.ctx, home, MODEL, { text: '90d', milliseconds: 90 * 864e5 })
    assert.deepEqual([plan.days, plan.unmatched], [[{ date: '2026-08-01', bytes: null, records: 4 }], 1])
    await applyPrune(test.ctx, home, plan)
    const count = async (table: string) => (await client.query(`SELECT count(*)::int AS n FROM ${table}`)).rows[0].n
    assert.deepEqual([await count('mlops_predictions'), await count('mlops_labels')], [4, 1])
  })

  it('says how to make missing tables, and never shows a password', async () => {
    await client.query('DROP TABLE mlops_predictions, mlops_labels')
    await assert.rejects(logAt(test.ctx, home, MODEL).stats(WEEK), {
      code: 'PREDICTIONS_NO_TABLE',
      hint: /--create-tables/,
    })
    writeFileSync(join(test.path, 'l.csv'), 'id,label\n1,1\n')
    const label = labelPredictions(test.ctx, home, { model: MODEL, input: namedData('l.csv'), window: WEEK })
    await assert.rejects(label, { code: 'PREDICTIONS_NO_TABLE' })
    const wrong = { ...home, url: server.url.replace(/:[^:@]*@/, ':wr0ng-secret@') }
    for (const attempt of [logAt(test.ctx, wrong, MODEL).newest(), createTables(test.ctx, wrong)]) {
      await assert.rejects(attempt, (error: Error) => {
        assert.doesNotMatch(JSON.stringify([error.message, error]), /wr0ng-secret/)
        return (error as Error & { code?: string }).code === 'DATABASE_REFUSED'
      })
    }
  })
})
