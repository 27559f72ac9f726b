/** The history of checks, on checks that a real store holds. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Json } from '../../../src/core/canonical-json.ts'
import { type Digest, sha256 } from '../../../src/core/digest.ts'
import { checkTrend, findCheck } from '../../../src/drift/trend.ts'
import type { CheckResult } from '../../../src/drift/types.ts'
import { createStore } from '../../../src/store/create.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Store } from '../../../src/store/store.ts'
import { renderHtmlTrend } from '../../../src/ui/reports/trend/html.ts'
import { renderMarkdownTrend } from '../../../src/ui/reports/trend/markdown.ts'
import { broken, check, column, stable } from '../ui/reports/fixture.ts'

const MODEL = 'churn-model'
const DAY = 864e5
const START = Date.UTC(2026, 9, 1)

let folder: string
let store: Store

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mlops-trend-'))
  await createStore(join(folder, '.mlops'), {})
  store = await openStore(join(folder, '.mlops'), { write: true })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Stores the check of a day; made on the day after, unless `made` says another. @returns its key */
async function put(day: number, changes: Partial<CheckResult> = {}, made = day + 1): Promise<Digest> {
  const [since, until] = [START + day * DAY, START + (day + 1) * DAY].map((time) => new Date(time).toISOString())
  const { next: _, ...plain } = check({
    window: { since: since ?? '', until: until ?? '' },
    time: new Date(START + made * DAY + 36e5).toISOString(),
    ...changes,
  })
  const key = sha256(`check ${day} ${made}`)
  await store.checks.put(MODEL, key, JSON.parse(JSON.stringify(plain)) as Json)
  return key
}

const days = (trend: { checks: readonly { window: { since: string } | null }[] }): string[] =>
  trend.checks.map(({ window }) => window?.since.slice(5, 10) ?? '')

describe('The history of checks', function () {
  this.timeout(20_000)

  it('is in the order of the rows, not in that of the checking', async () => {
    await put(2)
    await put(0, {}, 9)
    await put(1, {}, 10)
    assert.deepEqual(days(await checkTrend(store, { model: MODEL, limit: 30 })), ['10-01', '10-02', '10-03'])
  })

  it('shows the newest of many, says that there are more, and goes back to a time', async () => {
    for (let day = 0; day < 6; day++) await put(day)
    const newest = await checkTrend(store, { model: MODEL, limit: 2 })
    assert.deepEqual(days(newest), ['10-05', '10-06'])
    assert.equal(newest.more, true)
    const since = await checkTrend(store, { model: MODEL, limit: 30, since: START + 3.5 * DAY })
    assert.deepEqual(days(since), ['10-04', '10-05', '10-06'])
    assert.equal(since.more, false)
  })

  it('is of one version where one is named', async () => {
    await put(0, { version: 1 })
    await put(1, { version: 2 })
    const trend = await checkTrend(store, { model: MODEL, version: 1, limit: 30 })
    assert.deepEqual(
      trend.checks.map(({ version }) => version),
      [1],
    )
  })

  it('follows each column: worst first, the prediction before all, gaps where it was not compared', async () => {
    await put(0, { columns: [stable('a'), stable('b'), { ...stable('p'), role: 'prediction' }], verdict: 'stable' })
    await put(1, { columns: [stable('a'), { ...stable('p'), role: 'prediction' }] })
    await put(2, { columns: [column('a'), broken('b'), { ...stable('p'), role: 'prediction' }] })
    const { columns, checks } = await checkTrend(store, { model: MODEL, limit: 30 })
    assert.deepEqual(
      columns.map(({ column, drifted, points }) => [column, drifted, points.map((point) => point?.effect ?? null)]),
      [
        ['p', 0, [0.004, 0.004, 0.004]],
        ['b', 1, [0.004, null, null]],
        ['a', 1, [0.004, 0.004, 1.169]],
      ],
    )
    assert.equal(checks[2]?.worst?.column, 'b')
    assert.equal(checks[2]?.drifted, 2)
  })

  it('compares no effect with one of another measure', async () => {
    await put(0, { metric: 'psi', columns: [column('a')] })
    await put(1, { metric: 'js', columns: [column('a', { metric: 'js', effect: 0.2, threshold: 0.15 })] })
    const { columns } = await checkTrend(store, { model: MODEL, limit: 30 })
    assert.deepEqual(
      columns[0]?.points.map((point) => point?.effect ?? null),
      [null, 0.2],
    )
  })

  it('is one curve: other versions, windows, references, files and periods not over are counted apart', async () => {
    const at = (time: number) => new Date(time).toISOString()
    const { window: _, ...file } = check({ version: 3 })
    for (let day = 0; day < 4; day++) await put(day, { version: 3 })
    await put(4, { version: 2 })
    await put(5, { version: 3, window: { since: at(START), until: at(START + 7 * DAY) } }, 8)
    await put(6, { version: 3, reference: { ...file.reference, name: 'baseline of churn@1' } }, 8)
    await put(7, { version: 3 }, 7)
    await put(8, { version: 3 }, 9)
    const key = sha256('a file')
    await store.checks.put(MODEL, key, JSON.parse(JSON.stringify({ ...file, time: at(START + 8 * DAY) })) as Json)
    const trend = await checkTrend(store, { model: MODEL, limit: 30, prefer: 3 })
    assert.deepEqual(days(trend), ['10-01', '10-02', '10-03', '10-04', '10-09'])
    assert.deepEqual(Object.fromEntries(trend.others.map(({ why, checks }) => [why, checks])), {
      version: 1,
      window: 1,
      reference: 1,
      'not over': 1,
      data: 1,
    })
    assert.deepEqual([trend.series?.version, trend.series?.window], [3, DAY])
    const all = await checkTrend(store, { model: MODEL, limit: 30, all: true })
    assert.deepEqual([all.checks.length, all.others, all.series], [10, [], null])
    assert.equal(all.checks.filter(({ running }) => running).length, 1)
    assert.match(renderMarkdownTrend(all), /Reference/)
    assert.match(renderMarkdownTrend(trend), /Others: .*--all-checks/)
    assert.equal((await checkTrend(store, { model: MODEL, limit: 30, prefer: 2 })).checks.length, 1)
  })

  it('never headlines a period that is not over', async () => {
    await put(0, { version: 1, verdict: 'stable' })
    await put(1, { version: 2, verdict: 'drift' }, 1)
    assert.equal((await findCheck(store, MODEL, '@last')).version, 1)
    const all = await checkTrend(store, { model: MODEL, limit: 30, all: true })
    assert.match(renderHtmlTrend(all), /<h1 class="verdict good">/)
    assert.match(renderMarkdownTrend(all), /the newest is stable/)
  })

  it('finds one check by the beginning of its key', async () => {
    const key = await put(0)
    await put(1, { version: 2 })
    assert.equal((await findCheck(store, MODEL, key.slice(0, 8))).version, 3)
    assert.equal((await findCheck(store, MODEL, key)).version, 3)
    assert.equal((await findCheck(store, MODEL, '@last')).version, 2)
    await assert.rejects(findCheck(store, MODEL, 'abc'), /at least 4/)
    await assert.rejects(findCheck(store, MODEL, '00000000'), /has no check 00000000/)
  })

  it('says when there is none', async () => {
    const trend = await checkTrend(store, { model: MODEL, limit: 30 })
    assert.deepEqual(trend.checks, [])
    assert.match(renderHtmlTrend(trend), /There is none/)
    assert.match(renderMarkdownTrend(trend), /There is none/)
    await assert.rejects(findCheck(store, MODEL, '@last'), /was never checked/)
  })

  it('is a page with a line per column and stays small with 1,000 checks of 200 columns', async () => {
    const columns = Array.from({ length: 200 }, (_, at) => ({
      column: `feature_${at}`,
      role: 'feature' as const,
      metric: 'psi' as const,
      drifted: 3,
      points: Array.from({ length: 1000 }, (_, day) => ({
        verdict: 'stable' as const,
        effect: (at + day) / 9999,
        threshold: 0.1,
        noise: 0.02,
      })),
    }))
    const key = await put(0)
    const [only] = (await checkTrend(store, { model: MODEL, limit: 1 })).checks
    assert.ok(only !== undefined && only.key === key)
    const checks = Array.from({ length: 1000 }, (_, day) => ({
      ...only,
      window: {
        since: new Date(START + day * DAY).toISOString(),
        until: new Date(START + (day + 1) * DAY).toISOString(),
      },
    }))
    const trend = { model: MODEL, version: null, checks, columns, more: false, series: null, others: [] }
    const page = renderHtmlTrend(trend)
    assert.ok(Buffer.byteLength(page) < 500_000, `${Buffer.byteLength(page)} bytes`)
    assert.match(page, /role="img" aria-label="feature_0: effect/)
    assert.ok(Buffer.byteLength(renderMarkdownTrend(trend, 20_000)) <= 20_000)
  })
})
