/** Tables and queries of a real PostgreSQL server. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import pg from 'pg'
import { namedData } from '../../../src/data/input.ts'
import { databaseData } from '../../../src/data/postgres.ts'
import { profileBaseline } from '../../../src/drift/baseline.ts'
import { type PostgresServer, startPostgres } from '../../support/postgres.ts'
import { type Bench, bench } from './support.ts'

describe('Reading PostgreSQL', () => {
  let server: PostgresServer
  let work: Bench
  before(async function () {
    server = await startPostgres(this)
    await run(
      `CREATE TABLE churn (id bigint, plan text, amount numeric, ok boolean);
       INSERT INTO churn SELECT i, 'p' || i % 3, i / 4.0, i % 2 = 0 FROM generate_series(1, 25000) AS i;
       CREATE TYPE pair AS (a int, b text); CREATE SCHEMA "Odd Names"; CREATE TABLE "Odd Names"."It's" ("a ""b""" int, "x,y" text);
       INSERT INTO "Odd Names"."It's" VALUES (1, E'two\\nlines, "quoted"'), (NULL, NULL), (3, '');
       CREATE TABLE types AS SELECT 9007199254740993::int8 AS long, 1.10::numeric AS exact, 'NaN'::float8 AS nan,
         '-Infinity'::float8 AS infinite, 0.1::float4 AS single, true AS flag, DATE '2024-02-03' AS day,
         TIMESTAMPTZ '2024-02-03 04:05:06+07' AS moment, '{"a": [1]}'::jsonb AS doc, ARRAY[1, 2] AS list,
         '\\xdead'::bytea AS bytes, INTERVAL '1 day 2 hours' AS took, 'a'::"char" AS letter, 5::oid AS number,
         ROW(1, 'x')::pair AS pair, '{1}'::int[] AS more, gen_random_uuid() IS NOT NULL AS has;
       CREATE ROLE guest LOGIN PASSWORD 'gu@st:secret'`,
    )
  })
  after(() => server?.stop())
  beforeEach(() => {
    work = bench()
  })
  afterEach(() => work.remove())

  async function run(sql: string): Promise<pg.QueryResult> {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    try {
      return await client.query(sql)
    } finally {
      await client.end()
    }
  }

  const table = (name: string): string => `${server.url}?table=${encodeURIComponent(name)}`
  const select = (query: string) => databaseData({ url: server.url, query })

  it('reads a table and a query, names them without the password, and knows the same rows again', async () => {
    const whole = await work.read(table('churn'))
    assert.deepEqual(
      [whole.columns, whole.rows.length, whole.format],
      [['id', 'plan', 'amount', 'ok'], 25_000, 'postgres'],
    )
    assert.deepEqual(whole.rows[1], ['2', 'p2', '0.5', 'true'])
    assert.equal(whole.name, `postgres://127.0.0.1:${server.port}/postgres churn`)
    assert.equal((await work.read(table('public.churn'))).sha256, whole.sha256)
    const query = 'SELECT * FROM churn -- all of them'
    const all = await work.read(namedData(server.url, { query }))
    assert.equal(all.sha256, whole.sha256)
    assert.equal(all.name, `postgres://127.0.0.1:${server.port}/postgres ${query}`)
    assert.notEqual((await work.read(select('SELECT * FROM churn WHERE id > 1;'))).sha256, whole.sha256)
    assert.deepEqual((await work.read(select('SELECT id FROM churn WHERE false'))).rows, [])
    const again = databaseData({ url: server.url, table: 'churn' })
    assert.equal((await work.read(again)).sha256, (await work.read(again)).sha256)
  })

  it('keeps names, quotes, line breaks, and NULL apart from an empty text', async () => {
    const read = await work.read(table(`Odd Names.It's`))
    assert.deepEqual(read.columns, ['a "b"', 'x,y'])
    assert.deepEqual(read.rows, [
      ['1', 'two\nlines, "quoted"'],
      [null, null],
      ['3', ''],
    ])
  })

  it('keeps types sensible: exact whole numbers, NaN, infinities, times with their zone', async () => {
    const data = databaseData({ url: server.url, table: 'types' })
    const [row = []] = (await work.read(data)).rows
    const physical = await data.open({ cwd: work.path }, async ({ columns }) =>
      columns.map(({ name, physical: how }, i) => [name, how, row[i]].join(' ')),
    )
    assert.deepEqual(physical, [
      'long int64 9007199254740993',
      'exact number 1.1',
      'nan number nan',
      'infinite number -inf',
      'single number 0.10000000149011612',
      'flag boolean true',
      'day time 2024-02-03',
      'moment time 2024-02-02 21:05:06+00',
      'doc nested {"a": [1]}',
      'list nested {1,2}',
      'bytes binary \\xdead',
      'took text P1DT2H',
      'letter text a',
      'number number 5',
      'pair nested (1,x)',
      'more nested {1}',
      'has boolean true',
    ])
  })

  it('can only read: everything else is refused and nothing is changed', async () => {
    const refused = [
      'DELETE FROM churn',
      'SELECT 1; DROP TABLE churn',
      'SELECT 1; COMMIT; DROP TABLE churn',
      'WITH gone AS (DELETE FROM churn RETURNING *) SELECT * FROM gone',
      "SELECT nextval('numbers')",
      'SELECT * INTO copy FROM churn',
    ]
    await run('CREATE SEQUENCE numbers')
    for (const query of refused) {
      const error = await work.refusal(
        (() => {
          try {
            return select(query)
          } catch (thrown) {
            return { name: query, open: () => Promise.reject(thrown) }
          }
        })(),
      )
      assert.equal(error.code, 'QUERY_INVALID', query)
      assert.match(error.message, /Only one SELECT can be run, in a read-only transaction/, query)
    }
    assert.equal((await run('SELECT count(*) FROM churn')).rows[0].count, '25000')
  })

  it('says in one line what is wrong, and never the password', async () => {
    const taken = createServer()
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port))
    })
    await new Promise((resolve) => taken.close(resolve))
    const wrong = server.url.replace(encodeURIComponent(server.password), 'wr%40ng-secret')
    const guest = `postgres://guest:gu%40st%3Asecret@127.0.0.1:${server.port}/postgres`
    const cases: readonly (readonly [string, string, string, RegExp])[] = [
      [wrong, 'SELECT 1', 'DATABASE_REFUSED', /refuses the login: password authentication failed for user "mlops"/],
      [server.url.replace(/:[^:@]*@/, '@'), 'SELECT 1', 'DATABASE_REFUSED', /asks for a password and none is set/],
      [`postgres://a:se%40cret@127.0.0.1:${port}/db`, 'SELECT 1', 'DATABASE_UNREACHABLE', /ECONNREFUSED/],
      ['postgres://a:s3cretpw@nowhere.invalid/db', 'SELECT 1', 'DATABASE_UNREACHABLE', /nowhere.invalid/],
      [`${server.url}x`, 'SELECT 1', 'DATABASE_NOT_FOUND', /database "postgresx" does not exist/],
      [server.url, 'SELECT * FROM nothing', 'TABLE_NOT_FOUND', /relation "nothing" does not exist/],
      [server.url, 'SELECT nothing FROM churn', 'QUERY_INVALID', /column "nothing" does not exist/],
      [server.url, 'SELECT FROM WHERE', 'QUERY_INVALID', /syntax error/],
      [server.url, "SELECT ('x' || id)::int FROM churn", 'QUERY_INVALID', /invalid input syntax for type integer/],
      [guest, 'SELECT * FROM churn', 'DATABASE_FORBIDDEN', /permission denied for table churn/],
      [`${server.url}?sslmode=require`, 'SELECT 1', 'DATABASE_UNREACHABLE', /does not support SSL/],
      [`${server.url}?statement_timeout=50`, 'SELECT pg_sleep(5)', 'DATABASE_TIMEOUT', /statement timeout/],
    ]
    for (const [url, query, code, message] of cases) {
      const error = await work.refusal(databaseData({ url, query }))
      assert.deepEqual([error.code, message.test(error.message)], [code, true], error.message)
      const everything = JSON.stringify([error.message, error.hint, error.details])
      assert.ok(!/secret|s3cretpw|se%40cret|wr@ng/.test(everything), everything)
      assert.ok(!everything.includes(server.password) && !everything.includes(encodeURIComponent(server.password)))
    }
    const invalid = () => namedData('postgres://a:pass%word@host/db?table=x')
    assert.throws(
      invalid,
      (error: Error) => /is not a URL/.test(error.message) && !/pass%word/.test(JSON.stringify(error)),
    )
    assert.throws(() => namedData(server.url), /Neither a table nor a query is named/)
    assert.throws(() => namedData(table('churn'), { query: 'SELECT 1' }), /Both a table \(churn\) and a query/)
    assert.throws(() => namedData('a.csv', { query: 'SELECT 1' }), /A query needs a database/)
  })

  it('takes the password from PGPASSWORD', async () => {
    process.env.PGPASSWORD = server.password
    try {
      const url = server.url.replace(/:[^:@]*@/, '@')
      assert.equal((await work.read(databaseData({ url, query: 'SELECT 1 AS x' }))).rows.length, 1)
    } finally {
      process.env.PGPASSWORD = undefined
      delete process.env.PGPASSWORD
    }
  })

  it('stops at once when the user interrupts, and the server stops, too', async () => {
    const controller = new AbortController()
    const query = 'SELECT pg_sleep(600)'
    const reading = work.refusal(select(query), { signal: controller.signal })
    const isRunning =
      "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'FETCH%' AND application_name = 'mlops'"
    while ((await run(isRunning)).rowCount === 0) await new Promise((next) => setTimeout(next, 20))
    controller.abort()
    assert.equal((await reading).exit, 'interrupted')
    while ((await run(isRunning)).rowCount !== 0) await new Promise((next) => setTimeout(next, 100))
    assert.deepEqual(work.copies(), [])
  })

  it('profiles a table as a baseline', async () => {
    const { profile, data } = await profileBaseline(table('churn'), { cwd: work.path, schema: { columns: {} } })
    assert.deepEqual(
      profile.columns.map(({ name, type }) => `${name} ${type}`),
      ['amount numeric', 'id id', 'ok categorical', 'plan categorical'],
    )
    assert.deepEqual([data.rows, data.columns], [25_000, 4])
    assert.ok(!data.source.includes(server.password))
  })
})
