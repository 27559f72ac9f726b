/** Windows of the log as data: the same rows as from a file, only those asked for, whatever the files look like. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { profileBaseline, profileBatch } from '../../../src/drift/baseline.ts'
import { countSegments } from '../../../src/drift/count-segments.ts'
import type { RowShape, WindowQuery } from '../../../src/predictions/types.ts'
import { at, type Line, many, record, type TestLog, testLog, WEEK } from './support.ts'

let test: TestLog
beforeEach(() => {
  test = testLog()
})
afterEach(() => test.remove())

async function read(query: WindowQuery = WEEK, shape: RowShape = {}) {
  return test.log.rows(query, shape).open({ cwd: '/' }, async (source) => {
    const rows = await source.duck.rows(
      `SELECT ${source.columns.map(({ sql }) => sql).join(', ')} FROM ${source.relation} ORDER BY ALL`,
    )
    const names = source.columns.map(({ name }) => name)
    return {
      rows: rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]]))),
      sha256: await source.sha256,
    }
  })
}

describe('Rows of the prediction log', () => {
  it('give the profile that the same rows give as a JSONL file', async () => {
    const values: Line[] = [
      {
        n: 1.5,
        i: 3,
        big: 12345678901234567890n,
        s: 'a',
        b: true,
        z: null,
        l: [1, 2],
        o: { x: 1 },
        tiny: 1e-7,
        d: '2026-01-02',
      },
      { n: 'NaN', i: -0, big: '9007199254740993', s: '', b: false, l: [], o: {}, tiny: 1, d: null },
      { n: 'Infinity', i: 4.0, s: 'ü"\\\n', b: null, z: null, huge: '1e400' },
      {},
    ]
    const data = Array.from({ length: 400 }, (_, i) => values[i % values.length] as Line)
    const json = (value: unknown) =>
      JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `big:${each}` : each)).replace(
        /"big:(\d+)"/g,
        '$1',
      )
    const lines = data.map((features, i) =>
      json({ ...record(`${i}`, '2026-11-15T10:00:00Z'), features, output: i / 7 }),
    )
    test.raw('2026-11-15', 'a.jsonl', `${lines.join('\n')}\n`)
    writeFileSync(
      join(test.path, 'rows.jsonl'),
      `${data.map((features, i) => json({ ...features, score: i / 7 })).join('\n')}\n`,
    )
    const options = { cwd: test.path, schema: { columns: {}, prediction: 'score' } }
    const file = await profileBaseline('rows.jsonl', options)
    const log = await profileBaseline(test.log.rows(WEEK, { prediction: 'score' }), options)
    const columns = (profile: typeof file.profile) => [...profile.columns].sort((a, b) => (a.name < b.name ? -1 : 1))
    assert.deepEqual(columns(log.profile), columns(file.profile))
    assert.equal(log.profile.rows, 400)
  })

  it('are those with since <= time < until, of the version asked, that were answered', async () => {
    test.write(
      [
        record('before', '2026-11-15T09:59:59.999Z'),
        record('first', '2026-11-15T10:00:00.000Z'),
        record('last', '2026-11-16T09:59:59.999999Z'),
        record('after', '2026-11-16T10:00:00.000Z'),
        record('other version', '2026-11-15T12:00:00Z', { version: 2 }),
        record('failed', '2026-11-15T12:00:00Z', { status: 'error', error: 'timeout', output: undefined }),
        record('no answer yet', '2026-11-15T12:00:00Z', { output: undefined }),
      ].map((line) => ({ ...line, features: { name: line.id } })),
    )
    const window = { since: at('2026-11-15T10:00:00Z'), until: at('2026-11-16T10:00:00Z'), version: 1 }
    assert.deepEqual(
      (await read(window)).rows.map(({ name }) => name),
      ['first', 'last', 'no answer yet'],
    )
  })

  it('take a bare answer as the prediction column, and an object apart', async () => {
    test.write([
      record('1', '2026-11-15T10:00:00Z', { features: { a: 1 }, output: 0.5 }),
      record('2', '2026-11-15T10:00:01Z', { features: { a: 2 }, output: { label: 'yes', p: 0.75 } }),
    ])
    assert.deepEqual(
      (await read(WEEK, { prediction: 'score' })).rows,
      [
        { a: '1', score: '0.5', label: null, p: null },
        { a: '2', score: null, label: 'yes', p: '0.75' },
      ].map((row) => ({ a: row.a, label: row.label, p: row.p, score: row.score })),
    )
  })

  it('are the same rows with the same identity in one file, in several, and compacted', async () => {
    const lines = many('2026-11-15', 300)
    test.write(lines)
    const one = await read()
    const other = testLog()
    try {
      other.write(lines.slice(200).reverse(), 'b.jsonl')
      other.write(lines.slice(0, 200), 'a.jsonl')
      const two = await other.log.rows(WEEK, {}).open({ cwd: '/' }, async ({ sha256 }) => sha256)
      assert.equal(two, one.sha256)
      other.write([{ ...lines[0], id: 'one more' }], 'c.jsonl')
      assert.notEqual(await other.log.rows(WEEK, {}).open({ cwd: '/' }, async ({ sha256 }) => sha256), one.sha256)
    } finally {
      other.remove()
    }
  })

  it('are counted as a batch, and by segment, as those of a file are, in whatever files and order they lie', async () => {
    const plans = ['basic', 'plus', 'pro']
    const rows = Array.from({ length: 60_000 }, (_, i) => ({ tenure: (i * 7_919) % 61, plan: plans[(i * 31) % 3] }))
    writeFileSync(join(test.path, 'rows.jsonl'), `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`)
    const days = [14, 15, 16, 17, 18, 19].map((day) => `2026-11-${day}`)
    const lines = rows.map((features, i) => {
      const { output: _, ...line } = record(`${i}`, `${days[i % 6]}T10:00:00Z`, { features })
      return line
    })
    test.write(lines.slice(25_000).reverse(), 'b.jsonl')
    test.write(lines.slice(0, 25_000), 'a.jsonl')
    const { profile } = await profileBaseline('rows.jsonl', { cwd: test.path, schema: { columns: {} } })
    const options = { cwd: test.path }
    const log = test.log.rows(WEEK, {})
    assert.deepEqual(
      (await profileBatch(profile, log, options)).profile,
      (await profileBatch(profile, 'rows.jsonl', options)).profile,
    )
    assert.deepEqual(
      await countSegments(log, 'plan', profile, options),
      await countSegments('rows.jsonl', 'plan', profile, options),
    )
  })

  it('leave out and count lines that are torn, foreign, of another day or no records', async () => {
    const good = record('good', '2026-11-15T10:00:00Z')
    const bad = [
      'not json',
      '[1,2]',
      '5',
      '{"v":1}',
      '',
      ...[
        { ...good, id: '' },
        { ...good, model: 'other' },
        { ...good, time: '2026-11-16T10:00:00Z' },
        { ...good, time: 'noon' },
        { ...good, version: -1 },
        { ...good, version: 1.5 },
        { ...good, features: undefined, output: undefined },
      ].map((line) => JSON.stringify(line)),
    ]
    test.raw('2026-11-15', 'a.jsonl', `${JSON.stringify(good)}\n${bad.join('\n')}\n`)
    test.raw('2026-11-15', 'b.jsonl', Buffer.from([0x7b, 0x22, 0xff, 0x0a]))
    test.raw(
      '2026-11-15',
      'c.jsonl',
      `${JSON.stringify({ ...good, id: 'second' })}\n${JSON.stringify(good).slice(0, 40)}`,
    )
    test.raw(
      '2026-11-15',
      'd.jsonl',
      Buffer.concat([Buffer.from(`${JSON.stringify({ ...good, id: 'third' })}\n`), Buffer.alloc(512)]),
    )
    test.raw('2026-11-15', '.hidden.jsonl', 'hidden\n')
    test.raw('2026-11-15', 'notes.txt', 'not a log\n')
    const stats = await test.log.stats(WEEK)
    assert.equal(stats.requests, 3)
    // Eleven bad lines in a (a blank one is none), one in b, two torn ones.
    assert.equal(stats.torn, 11 + 1 + 2)
    assert.equal((await read()).rows.length, 3)
  })

  it('read a file that is being written to as it is now, without its unfinished line', async () => {
    const line = JSON.stringify(record('1', '2026-11-20T10:00:00Z'))
    test.raw('2026-11-20', 'live.jsonl', `${line}\n${line.slice(0, 30)}`, new Date(test.ctx.now().getTime() - 1_000))
    const query = test.log.rows(WEEK, {}).open({ cwd: '/' }, async (source) => {
      test.raw('2026-11-20', 'live.jsonl', `${line.slice(30)}\n${line}\n`, test.ctx.now())
      await source.assertUnchanged()
      return source.duck.rows(`SELECT count(*) FROM ${source.relation}`)
    })
    assert.deepEqual(await query, [[1n]])
    assert.equal((await test.log.stats(WEEK)).torn, 0)
  })

  it('refuse keys that differ in upper and lower case only', async () => {
    test.write([record('1', '2026-11-15T10:00:00Z', { features: { Plan: 1, plan: 2 } })])
    await assert.rejects(read(), { code: 'DATA_DUPLICATE_COLUMN' })
  })

  it('find the rare key of a baseline among more rows than are looked at for a batch', async () => {
    const rare = (i: number) => (i === 14_324 ? { features: { tenure: 1, rare: 2 } } : {})
    for (let day = 0; day < 15; day++) {
      const date = `2026-11-${14 + (day % 7)}`
      test.write(
        many(date, 1_000, (i) => ({ id: `${day}-${i}`, ...rare(1_000 * day + i) })),
        `${day}.jsonl`,
      )
    }
    const names = async (shape: RowShape) =>
      test.log.rows(WEEK, shape).open({ cwd: '/' }, async ({ columns }) => columns.map(({ name }) => name))
    assert.deepEqual(await names({}), ['plan', 'prediction', 'rare', 'tenure'])
    assert.deepEqual(await names({ columns: ['tenure', 'gone'] }), ['gone', 'plan', 'prediction', 'tenure'])
  })

  it('are none in an empty window, with the columns that were asked for', async () => {
    test.write([record('1', '2026-11-10T10:00:00Z')])
    const { rows } = await read(WEEK, { columns: ['tenure'] })
    assert.deepEqual(rows, [])
  })

  it('open only the files of the days that can hold the window', async () => {
    test.write(many('2026-11-10', 5))
    test.raw('2026-11-12', 'damaged.jsonl', Buffer.alloc(100, 0xff))
    test.raw('2026-11-13', 'compacted-0001/manifest.json', 'broken')
    test.write(many('2026-11-15', 5))
    assert.equal((await read()).rows.length, 5)
    const stats = await test.log.stats({ since: at('2026-11-10T00:00:00Z'), until: at('2026-11-11T00:00:00Z') })
    assert.deepEqual([stats.requests, stats.torn], [5, 0])
    await assert.rejects(test.log.stats({ since: at('2026-11-13T00:00:00Z'), until: at('2026-11-14T00:00:00Z') }), {
      code: 'PREDICTIONS_DAMAGED',
    })
  })
})
