/** The same rows are counted alike from every format, whole or in parts, in any order: for many random tables. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import pg from 'pg'
import type { DataInput } from '../../../src/data/input.ts'
import { databaseData } from '../../../src/data/postgres.ts'
import { profileBaseline, profileBatch } from '../../../src/drift/baseline.ts'
import { mergeProfiles, type Profile, profileBytes } from '../../../src/drift/profile.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../../support/postgres.ts'
import { type Bench, bench, python } from './support.ts'

interface Row {
  readonly amount: string | null
  readonly count: string | null
  readonly big: string
  readonly plan: string | null
  readonly flag: string | null
}

const NAMES = ['amount', 'count', 'big', 'plan', 'flag'] as const
const PLANS = ['basic', 'plus', 'pro, yearly', 'the "best"', 'Łódź', 'two\nlines', 'semi;colon', "it's", ' padded ']

/** Mulberry32: the same numbers for the same seed everywhere. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function randomRows(random: () => number, count: number): Row[] {
  const maybe = (value: string, share = 0.1): string | null => (random() < share ? null : value)
  const amounts = [
    () => String((random() - 0.5) * 10 ** Math.floor(random() * 20 - 8)),
    () => String(Math.round(random() * 20) / 4),
    () => '0',
    () => ['NaN', 'Infinity', '-Infinity', '-0', '1e30', '2e-30'][Math.floor(random() * 6)] ?? '',
  ]
  return Array.from({ length: count }, () => ({
    amount: maybe(amounts[Math.floor(random() ** 3 * 4)]?.() ?? '1'),
    count: maybe(String(Math.floor(random() * 40) - 5)),
    big: String(9007199254740990n + BigInt(Math.floor(random() * 12))),
    plan: maybe(PLANS[Math.floor(random() ** 2 * PLANS.length)] ?? ''),
    flag: maybe(random() < 0.3 ? 'true' : 'false', 0.02),
  }))
}

const csvField = (value: string | null): string =>
  value === null ? '' : /[",;\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value

function asCsv(rows: readonly Row[], names: readonly (keyof Row)[] = NAMES, separator = ','): string {
  const line = (row: Row) => names.map((name) => csvField(row[name])).join(separator)
  return `${names.join(separator)}\n${rows.map(line).join('\n')}\n`
}

function asJsonLines(rows: readonly Row[]): string {
  const value = (name: keyof Row, text: string | null) => {
    if (text === null) return 'null'
    return name === 'plan' || !/^(?:true|false|-?[\d.]+(?:e[+-]?\d+)?)$/.test(text) ? JSON.stringify(text) : text
  }
  return rows.map((row) => `{${NAMES.map((name) => `"${name}": ${value(name, row[name])}`).join(', ')}}`).join('\n')
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const [a, b] = [result[i] as T, result[j] as T]
    result[i] = b
    result[j] = a
  }
  return result
}

/** Equal to the byte; where not, the assertion shows the columns that differ. */
function same(actual: Profile | Uint8Array, expected: Buffer, name: string): void {
  const bytes = actual instanceof Uint8Array ? Buffer.from(actual) : profileBytes(actual)
  if (bytes.equals(expected)) return
  const [a, b] = [JSON.parse(String(bytes)) as Profile, JSON.parse(String(expected)) as Profile]
  a.columns.forEach((column, i) => {
    assert.deepEqual(column, b.columns[i], name)
  })
  assert.deepEqual(a, b, name)
  assert.fail(`${name}: the bytes differ`)
}

describe('The same rows', () => {
  let work: Bench
  let server: PostgresServer | undefined
  // Before there is a private folder for temporary files: the server runs as another user.
  before(async function () {
    if (findPostgres() !== undefined) server = await startPostgres(this)
  })
  after(() => server?.stop())
  beforeEach(() => {
    work = bench()
  })
  afterEach(() => work.remove())

  const schema = { columns: {} }
  const count = async (profile: Profile, data: string | DataInput, stdin?: Readable) =>
    (await profileBatch(profile, data, { cwd: work.path, ...(stdin === undefined ? {} : { stdin }) })).profile

  for (const seed of [1, 2, 3]) {
    it(`are counted alike from CSV, gzip, JSON, Parquet, parts and standard input (seed ${seed})`, async function () {
      const random = generator(seed)
      const rows = randomRows(random, 1_500)
      work.write('base.csv', asCsv(randomRows(random, 2_000)))
      work.write('rows.csv', asCsv(rows))
      work.write('rows.tsv', asCsv(rows, NAMES, '\t'))
      work.write('packed.csv.gz', gzipSync(asCsv(rows)))
      work.write('rows.jsonl', asJsonLines(rows))
      work.write('rows.json', `[${asJsonLines(rows).replaceAll('}\n{', '},\n{')}]`)
      const mixed = shuffled(rows, random)
      for (let at = 0, part = 0; at < mixed.length; part++) {
        const size = 1 + Math.floor(random() * 400)
        const names = shuffled(NAMES, random)
        work.write(`csv/${part}.csv`, asCsv(mixed.slice(at, at + size), names, random() < 0.5 ? ';' : ','))
        work.write(`json/${part}.jsonl`, asJsonLines(mixed.slice(at, at + size)))
        at += size
      }
      python(this, 'copies', work.path)
      const { profile } = await profileBaseline('base.csv', { cwd: work.path, schema })
      const whole = profileBytes(await count(profile, 'rows.csv'))
      for (const name of [
        'rows.tsv',
        'packed.csv.gz',
        'rows.jsonl',
        'rows.json',
        'rows.parquet',
        'parts',
        'csv',
        'json',
      ]) {
        same(await count(profile, name), whole, name)
      }
      const stdin = Readable.from([readFileSync(join(work.path, 'rows.csv'))])
      same(await count(profile, '-', stdin), whole, 'standard input')
      const counts = ({ columns }: Profile) =>
        columns.map((column) => ({ ...column, min: 0, max: 0, below: 0, above: 0 }))
      const small = await count(profile, 'rows32.parquet')
      assert.deepEqual(counts(small), counts(await count(profile, 'rows.csv')))
    })
  }

  it('make the same baseline, to the byte, from every format', async function () {
    const rows = randomRows(generator(11), 2_000)
    work.write('rows.csv', asCsv(rows))
    work.write('rows.jsonl', asJsonLines(rows))
    work.write('rows.json.gz', gzipSync(`[${asJsonLines(rows).replaceAll('}\n{', '},\n{')}]`))
    for (let i = 0; i < 4; i++) work.write(`csv/${i}.csv`, asCsv(rows.slice(500 * i, 500 * i + 500)))
    python(this, 'copies', work.path)
    const expected = (await profileBaseline('rows.csv', { cwd: work.path, schema })).bytes
    for (const name of ['rows.jsonl', 'rows.json.gz', 'rows.parquet', 'csv', 'csv/*.csv']) {
      const { bytes } = await profileBaseline(name, { cwd: work.path, schema })
      same(bytes, expected, name)
    }
  })

  it('add up from parts in any order to the whole, to the byte', async () => {
    const random = generator(21)
    const rows = randomRows(random, 1_200)
    work.write('base.csv', asCsv(randomRows(random, 1_000)))
    work.write('rows.csv', asCsv(rows))
    const { profile } = await profileBaseline('base.csv', { cwd: work.path, schema })
    const whole = profileBytes(await count(profile, 'rows.csv'))
    for (let round = 0; round < 4; round++) {
      const mixed = shuffled(rows, random)
      const parts: Profile[] = []
      while (mixed.length > 0) {
        const some = mixed.splice(0, Math.floor(random() * 500))
        const isJson = random() < 0.5 && some.length > 0
        parts.push(
          await count(profile, work.write(isJson ? 'p.jsonl' : 'p.csv', isJson ? asJsonLines(some) : asCsv(some))),
        )
      }
      // Two by two, in a random tree.
      while (parts.length > 1) {
        const [a, b] = shuffled(parts, random).slice(0, 2) as [Profile, Profile]
        parts.splice(parts.indexOf(a), 1)
        parts.splice(parts.indexOf(b), 1, mergeProfiles(b, a))
      }
      same(parts[0] as Profile, whole, `round ${round}`)
    }
  })

  it('are counted alike from a table of PostgreSQL', async function () {
    server ??= await startPostgres(this)
    const random = generator(31)
    const rows = randomRows(random, 2_000)
    work.write('rows.csv', asCsv(rows))
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    await client.query('CREATE TABLE rows (amount float8, count int, big int8, plan text, flag boolean)')
    const columns = NAMES.map((name) => rows.map((row) => row[name]))
    await client.query(
      'INSERT INTO rows SELECT * FROM unnest($1::float8[], $2::int[], $3::int8[], $4::text[], $5::boolean[])',
      columns,
    )
    await client.end()
    const table = databaseData({ url: server.url, table: 'rows' })
    const fromCsv = await profileBaseline('rows.csv', { cwd: work.path, schema })
    const fromTable = await profileBaseline(table, { cwd: work.path, schema })
    same(fromTable.bytes, fromCsv.bytes, 'the baseline')
    const query = databaseData({
      url: server.url,
      query: 'SELECT flag, plan, big, count, amount FROM rows ORDER BY random()',
    })
    const counted = await count(fromCsv.profile, query)
    assert.ok(profileBytes(counted).equals(profileBytes(await count(fromCsv.profile, 'rows.csv'))), 'the counts differ')
  })
})
