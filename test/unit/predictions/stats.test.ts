/** Figures of a window. */
import assert from 'node:assert/strict'
import { newestLocal } from '../../../src/predictions/newest.ts'
import { at, MODEL, many, record, type TestLog, testLog, WEEK } from './support.ts'

let test: TestLog
beforeEach(() => {
  test = testLog()
})
afterEach(() => test.remove())

const DAY15 = { since: at('2026-11-15T00:00:00Z'), until: at('2026-11-16T00:00:00Z') }

describe('Figures of the prediction log', () => {
  it('count requests, errors by category and latencies, by version', async () => {
    test.write(
      many('2026-11-15', 100, (i) => ({
        version: i < 60 ? 1 : 2,
        latency_ms: i + 1,
        ...(i % 10 === 0 ? { status: 'error', error: i < 50 ? 'timeout' : 'ValueError', output: undefined } : {}),
      })),
    )
    const stats = await test.log.stats({ ...WEEK, slowerThan: 90 })
    assert.equal(stats.requests, 100)
    assert.equal(stats.errors, 10)
    assert.deepEqual(stats.errorsByCategory, { ValueError: 5, timeout: 5 })
    // As numpy.percentile([n for n in range(1, 101) if n % 10 != 1], [50, 95, 99]): of those that were answered.
    const { p50, p95, p99, count, slower } = stats.latency ?? assert.fail('no latency')
    assert.deepEqual(
      [p50, p95, p99].map((value) => Number(value.toFixed(9))),
      [51, 95.55, 99.11],
    )
    assert.deepEqual([count, slower], [90, 9])
    assert.deepEqual(
      stats.versions.map(({ version, requests, errors, latency }) => [
        version,
        requests,
        errors,
        latency?.p50,
        latency?.slower,
      ]),
      [
        [1, 60, 6, 31, 0],
        [2, 40, 4, 81, 9],
      ],
    )
    assert.deepEqual([stats.first, stats.last], ['2026-11-15T00:00:00.000Z', '2026-11-15T01:39:00.000Z'])
  })

  it('tell calls from rows: those of a batch share time, latency and status', async () => {
    const batch = (minute: number, size: number, more = {}) =>
      Array.from({ length: size }, (_, i) =>
        record(`${minute}-${i}`, `2026-11-15T12:${minute}:00Z`, { latency_ms: 5, ...more }),
      )
    test.write([...batch(10, 30), ...batch(11, 30), ...batch(12, 30, { version: 2, status: 'error' })])
    const { calls, evenCalls, versions } = await test.log.stats(WEEK)
    assert.deepEqual([calls, evenCalls, versions.map((each) => each.calls)], [3, 3, [2, 1]])
    test.write(batch(13, 900))
    const uneven = await test.log.stats(WEEK)
    assert.equal(uneven.calls, 4)
    // (3 * 30 + 900)^2 / (3 * 30^2 + 900^2): one call that is nearly everything
    assert.equal(Number(uneven.evenCalls.toFixed(4)), 1.206)
    test.write(many('2026-11-16', 50, () => ({ sample_rate: 0.1 })))
    assert.equal((await test.log.stats({ ...WEEK, since: at('2026-11-16T00:00:00Z') })).evenCalls, 50)
  })

  it('have the quantiles that are asked for, of one variant alone', async () => {
    const half = (i: number) => (i < 60 ? { version: 1, variant: 'stable' } : { version: 2, variant: 'rollout' })
    test.write(many('2026-11-15', 100, (i) => ({ ...half(i), latency_ms: i + 1 })))
    const { requests, latency } = await test.log.stats({ ...WEEK, variant: 'stable', quantiles: [0, 0.905, 1] })
    // numpy.percentile(range(1, 61), [0, 90.5, 100])
    assert.deepEqual([requests, latency?.quantiles?.map((value) => Number(value.toFixed(6)))], [60, [1, 54.395, 60]])
    assert.equal((await test.log.stats(WEEK)).latency?.quantiles, undefined)
  })

  it('are those of one version when one is asked', async () => {
    test.write(many('2026-11-15', 10, (i) => ({ version: i < 3 ? 7 : 8 })))
    const stats = await test.log.stats({ ...WEEK, version: 7 })
    assert.deepEqual([stats.requests, stats.versions.length], [3, 1])
  })

  it('show days without requests, and hours for a window of up to two days', async () => {
    test.write([...many('2026-11-15', 3), ...many('2026-11-17', 2)])
    const days = (await test.log.stats(WEEK)).volume
    assert.deepEqual(
      days.map(({ requests }) => requests),
      [0, 3, 0, 2, 0, 0, 0],
    )
    assert.equal(days[0]?.from, '2026-11-14T00:00:00.000Z')
    const hours = (await test.log.stats(DAY15)).volume
    assert.deepEqual([hours.length, hours[0]?.requests, hours[1]?.requests], [24, 3, 0])
  })

  it('estimate requests and errors where only a part is logged', async () => {
    test.write([
      ...many('2026-11-15', 50, () => ({ sample_rate: 0.1 })),
      record('failed', '2026-11-15T12:00:00Z', { status: 'error' }),
      record('odd rate', '2026-11-15T12:00:00Z', { sample_rate: 7 }),
    ])
    const stats = await test.log.stats(WEEK)
    assert.deepEqual([stats.records, stats.requests, stats.errors], [52, 502, 1])
    assert.deepEqual(stats.errorsByCategory, { error: 1 })
  })

  it('are empty for an empty window, a model without a log, and a log of torn lines', async () => {
    const nothing = {
      requests: 0,
      records: 0,
      calls: 0,
      evenCalls: 0,
      errors: 0,
      errorsByCategory: {},
      latency: null,
      first: null,
      last: null,
    }
    assert.deepEqual(await test.log.stats(WEEK), { ...nothing, versions: [], volume: [], torn: 0 })
    test.raw('2026-11-15', 'a.jsonl', '{"v":1,"id":"torn')
    assert.deepEqual(await test.log.stats(WEEK), { ...nothing, versions: [], volume: [], torn: 1 })
  })

  it('name twenty categories of errors and add up the rest', async () => {
    test.write(many('2026-11-15', 100, (i) => ({ status: 'error', error: `e${i < 50 ? 0 : i}` })))
    const { errorsByCategory } = await test.log.stats(WEEK)
    assert.equal(Object.keys(errorsByCategory).length, 21)
    assert.deepEqual([errorsByCategory.e0, errorsByCategory['(others)']], [50, 31])
  })
})

describe('The newest and the oldest prediction', () => {
  it('are found in the ends of the files', async () => {
    assert.deepEqual(
      [await test.log.newest(), await test.log.oldest(), newestLocal(test.home, MODEL)],
      [null, null, null],
    )
    test.write([...many('2026-11-15', 500), ...many('2026-11-18', 500)])
    test.raw('2026-11-18', 'torn.jsonl', '{"v":1,"id":"torn')
    test.raw('2026-11-19', 'nothing.jsonl', 'not json\n')
    assert.equal(await test.log.newest(), '2026-11-18T08:19:00.000Z')
    assert.equal(newestLocal(test.home, MODEL), '2026-11-18T08:19:00.000Z')
    assert.equal(await test.log.oldest(), '2026-11-15T00:00:00.000Z')
  })
})
