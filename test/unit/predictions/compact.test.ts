/** Compaction changes no answer and, struck at any of its steps, loses and doubles nothing. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CompactRequest, compactLog } from '../../../src/predictions/compact.ts'
import { readerOf } from '../../../src/predictions/log.ts'
import { queryRecords } from '../../../src/predictions/query.ts'
import { MODEL, many, NOW, record, type TestLog, testLog, WEEK } from './support.ts'

let test: TestLog
beforeEach(() => {
  test = testLog()
})
afterEach(() => test.remove())

const compact = (more: Partial<CompactRequest> = {}) =>
  compactLog(test.home, {
    ...{ model: MODEL, grace: 72e5, dryRun: false, tool: 'mlops 0.1.0', now: NOW.getTime() },
    ...more,
  })

/** Everything that can be asked. */
async function answers() {
  const ask = (sql: string) =>
    readerOf(test.ctx, test.home, MODEL)(WEEK, (reading) => queryRecords(reading, WEEK, sql, 10_000))
  const rows = await test.log
    .rows(WEEK, { prediction: 'p' })
    .open({ cwd: '/' }, async (source) => [
      await source.sha256,
      await source.duck.rows(
        `SELECT ${source.columns.map(({ sql }) => sql).join(', ')} FROM ${source.relation} ORDER BY ALL`,
      ),
    ])
  const { rows: records } = await ask('SELECT * FROM predictions ORDER BY ALL')
  return {
    rows,
    records,
    stats: await test.log.stats(WEEK),
    newest: await test.log.newest(),
    oldest: await test.log.oldest(),
  }
}

function writeWeek(): void {
  const more = (i: number) => ({
    ...{
      latency_ms: i * 1.5,
      user: `u${i % 7}`,
      tags: { region: 'eu' },
      tokens: i,
      features: { a: i, s: `x"y\\${i}`, n: null },
    },
    ...(i % 9 === 0 ? { status: 'error', error: 'timeout', output: undefined } : {}),
    ...(i % 11 === 0 ? { extra: { kept: i } } : {}),
    ...(i % 13 === 0 ? { latency_ms: 'fast' } : {}),
  })
  test.write(many('2026-11-15', 90, more), 'a.jsonl')
  test.write(
    many('2026-11-15', 40, (i) => ({ id: `b${i}`, output: { p: i / 3, c: 'A' } })),
    'b.jsonl',
  )
  test.write(
    many('2026-11-16', 20, () => ({ version: 2, sample_rate: 0.5 })),
    'a.jsonl',
  )
  test.raw('2026-11-15', 'c.jsonl', `broken\n${JSON.stringify(record('x', '2026-11-16T00:00:00Z'))}\n{"torn`)
}

describe('Compaction', () => {
  it('changes no answer, and keeps what no record is byte for byte', async () => {
    writeWeek()
    const before = await answers()
    const result = await compact()
    assert.deepEqual(
      result.days.map(({ date, files, records, torn }) => [date, files, records, torn]),
      [
        ['2026-11-15', 3, 130, 3],
        ['2026-11-16', 1, 20, 0],
      ],
    )
    const folder = join(test.home.folder, 'date=2026-11-15')
    assert.deepEqual(readdirSync(folder), ['compacted-0001'])
    assert.deepEqual(readdirSync(join(folder, 'compacted-0001')).sort(), [
      'manifest.json',
      'records.parquet',
      'rejected.txt',
    ])
    const rejected = readFileSync(join(folder, 'compacted-0001/rejected.txt'), 'utf8')
    assert.equal(rejected, `broken\n${JSON.stringify(record('x', '2026-11-16T00:00:00Z'))}\n{"torn\n`)
    assert.deepEqual(await answers(), before)
    assert.deepEqual((await compact()).days, [])
    assert.deepEqual(readdirSync(test.home.folder).sort(), ['date=2026-11-15', 'date=2026-11-16'])
  })

  it('keeps the whole line of a record that has more than the columns say', async () => {
    writeWeek()
    const lines = readFileSync(join(test.home.folder, 'date=2026-11-15/a.jsonl'), 'utf8').trim().split('\n')
    await compact()
    const { openDuck } = await import('../../../src/data/duck.ts')
    const path = join(test.home.folder, 'date=2026-11-15/compacted-0001/records.parquet')
    const duck = await openDuck([path])
    const raw = await duck.rows(`SELECT raw FROM read_parquet('${path}') WHERE raw IS NOT NULL`)
    duck.close()
    const odd = lines.filter((line) => line.includes('"extra"') || line.includes('"fast"'))
    assert.ok(odd.length > 10)
    assert.deepEqual(raw.map(([line]) => line).sort(), odd.sort())
  })

  it('leaves today, and days or files somebody may still write to, alone', async () => {
    test.write(many('2026-11-21', 5))
    test.write(many('2026-11-18', 5))
    test.raw('2026-11-18', 'backfill.jsonl', '', new Date(NOW.getTime() - 36e5))
    const { days } = await compact()
    assert.deepEqual(
      days.map(({ date, files }) => [date, files]),
      [['2026-11-18', 1]],
    )
    assert.ok(existsSync(join(test.home.folder, 'date=2026-11-18/backfill.jsonl')))
  })

  it('adds a second part for lines that came later', async () => {
    test.write(many('2026-11-15', 10), 'a.jsonl')
    await compact()
    test.write(
      many('2026-11-15', 5, (i) => ({ id: `late${i}` })),
      'b.jsonl',
    )
    assert.equal((await test.log.stats(WEEK)).requests, 15)
    await compact()
    assert.deepEqual(readdirSync(join(test.home.folder, 'date=2026-11-15')), ['compacted-0001', 'compacted-0002'])
    assert.equal((await test.log.stats(WEEK)).requests, 15)
  })

  it('struck at any of its steps loses and doubles nothing, and is finished by the next one', async () => {
    writeWeek()
    const before = await answers()
    const steps: string[] = []
    for (let n = 1; ; n++) {
      let count = 0
      const strike = (name: string) => {
        count++
        if (count === n) {
          steps.push(name)
          throw new Error(`struck at ${name}`)
        }
      }
      const struck = await compact({ step: strike }).then(
        () => false,
        (error: Error) => /^struck/.test(error.message),
      )
      assert.deepEqual(await answers(), before, `after step ${n} (${steps.at(-1)})`)
      if (!struck) break
    }
    assert.ok(steps.length >= 6, steps.join(', '))
    assert.deepEqual(await answers(), before)
    assert.equal(readdirSync(join(test.home.folder, 'date=2026-11-15')).includes('a.jsonl'), false)
  })

  it('killed at any of its steps loses and doubles nothing', async function () {
    this.timeout(0)
    writeWeek()
    const before = await answers()
    const kill = join(dirname(fileURLToPath(import.meta.url)), 'kill.ts')
    for (let n = 1; n < 50; n++) {
      const { signal, status, stderr } = spawnSync(
        process.execPath,
        ['--import', 'tsx/esm', kill, test.path, String(n)],
        {
          encoding: 'utf8',
        },
      )
      assert.deepEqual(await answers(), before, `after step ${n}`)
      if (signal === 'SIGKILL') continue
      assert.equal(status, 0, stderr)
      assert.ok(n > 6, `only ${n} steps`)
      break
    }
    await compact({ now: NOW.getTime() + 3 * 864e5 })
    assert.deepEqual(await answers(), before)
    assert.deepEqual(readdirSync(test.home.folder).sort(), ['date=2026-11-15', 'date=2026-11-16'])
  })

  it('keeps a file that grew after it was compacted, and says so', async () => {
    test.write(many('2026-11-15', 10), 'a.jsonl')
    await assert.rejects(
      compact({
        step: (name) => {
          if (name.startsWith('remove')) throw new Error('struck')
        },
      }),
    )
    test.write(
      many('2026-11-15', 1, () => ({ id: 'too late' })),
      'a.jsonl',
    )
    const { grown } = await compact()
    assert.deepEqual(grown, [join(test.home.folder, 'date=2026-11-15/a.jsonl')])
    assert.ok(existsSync(grown[0] ?? ''))
    assert.equal((await test.log.stats(WEEK)).requests, 10)
  })

  it('never deletes lines whose Parquet file is damaged', async () => {
    test.write(many('2026-11-15', 10), 'a.jsonl')
    await assert.rejects(
      compact({
        step: (name) => {
          if (name.startsWith('remove')) throw new Error('struck')
        },
      }),
    )
    const parquet = join(test.home.folder, 'date=2026-11-15/compacted-0001/records.parquet')
    const bytes = readFileSync(parquet)
    bytes[100] = (bytes[100] ?? 0) ^ 1
    writeFileSync(parquet, bytes)
    await assert.rejects(compact(), { code: 'PREDICTIONS_DAMAGED' })
    assert.ok(existsSync(join(test.home.folder, 'date=2026-11-15/a.jsonl')))
    truncateSync(parquet, 100)
    await assert.rejects(test.log.stats(WEEK), { code: 'PREDICTIONS_DAMAGED' })
  })

  it('of two at once one wins and nothing is doubled', async () => {
    writeWeek()
    const before = await answers()
    const results = await Promise.all([compact(), compact()])
    assert.equal(results.flatMap(({ days }) => days).length, 2)
    assert.deepEqual(await answers(), before)
    assert.deepEqual(readdirSync(test.home.folder).sort(), ['date=2026-11-15', 'date=2026-11-16'])
  })

  it('goes on while others read', async () => {
    writeWeek()
    const before = await test.log.stats(WEEK)
    let done = false
    const compacting = compact().finally(() => {
      done = true
    })
    do assert.deepEqual(await test.log.stats(WEEK), before)
    while (!done)
    await compacting
  })

  it('shows with --dry-run what it would do', async () => {
    test.write(many('2026-11-15', 10), 'a.jsonl')
    const { size } = statSync(join(test.home.folder, 'date=2026-11-15/a.jsonl'))
    const { days } = await compact({ dryRun: true })
    assert.deepEqual(days, [{ date: '2026-11-15', files: 1, bytes: size, parquet: null, records: null, torn: null }])
    assert.deepEqual(readdirSync(join(test.home.folder, 'date=2026-11-15')), ['a.jsonl'])
  })
})
