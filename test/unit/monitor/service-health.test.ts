/** Service health: exact tails against scipy, verdicts a person would give, and the false-alarm rate by simulation. */
import assert from 'node:assert/strict'
import { binomialAtLeast, binomialAtMost, fisherAtLeast } from '../../../src/core/binomial.ts'
import {
  dispersionOf,
  type HealthQuestion,
  judgeErrors,
  judgeLatency,
  judgeService,
  judgeVolume,
  type WindowFigures,
} from '../../../src/monitor/service-health.ts'
import { askScipy } from './support.ts'

const figures = (part: Partial<WindowFigures> = {}): WindowFigures => ({
  volume: part.requests ?? 1_000,
  dispersion: 1,
  requests: 1_000,
  errors: 0,
  latency: null,
  ...part,
})
const question = (part: Partial<HealthQuestion> = {}): HealthQuestion => ({
  window: figures(),
  reference: figures(),
  volumeBefore: 1_000,
  bounds: {},
  over: 1,
  ...part,
})

describe('Evidence of shares', () => {
  it('has the tails of scipy', function () {
    const cases: number[][] = []
    for (const n of [1, 20, 333, 10_000, 2_000_000]) {
      for (const p of [0.0005, 0.01, 0.05, 0.5]) {
        const spread = Math.ceil(Math.sqrt(n * p * (1 - p)))
        for (const z of [-3, 0, 1, 4]) cases.push([Math.min(n, Math.max(0, Math.round(n * p) + z * spread)), n, p])
      }
    }
    const tables = [
      [10, 200, 2, 200],
      [3, 50, 0, 1_000],
      [900, 10_000, 4_000, 50_000],
      [5, 5, 0, 5],
      [60_000, 1_000_000, 58_000, 1_000_000],
    ]
    const { binomial, fisher } = askScipy(
      this,
      `
import json, sys
from scipy import stats
q = json.load(sys.stdin)
print(json.dumps({
  "binomial": [[stats.binom.sf(k - 1, n, p), stats.binom.cdf(k, n, p)] for k, n, p in q["cases"]],
  "fisher": [stats.hypergeom.sf(a - 1, n + m, a + b, n) for a, n, b, m in q["tables"]],
}))`,
      { cases, tables },
    ) as { binomial: [number, number][]; fisher: number[] }
    for (const [i, [k = 0, n = 0, p = 0]] of cases.entries()) {
      const [least = 0, most = 0] = binomial[i] ?? []
      assert.ok(Math.abs(binomialAtLeast(k, n, p) - least) < 1e-7, `P(X >= ${k} | ${n}, ${p})`)
      assert.ok(Math.abs(binomialAtMost(k, n, p) - most) < 1e-7, `P(X <= ${k} | ${n}, ${p})`)
    }
    for (const [i, [a = 0, n = 0, b = 0, m = 0]] of tables.entries()) {
      const expected = fisher[i] ?? 0
      assert.ok(Math.abs(fisherAtLeast(a, n, b, m) - expected) <= 1e-6 * expected, `table ${i}`)
    }
  })
})

describe('Failed requests', () => {
  it('alarm when they are many more than before, and when they break a bound', () => {
    const { verdict, summary } = judgeErrors(
      question({ window: figures({ errors: 60 }), reference: figures({ errors: 10 }) }),
    )
    assert.equal(verdict, 'breach')
    assert.equal(summary, 'failed requests: 6.0 % of 1,000 (1.0 % before)')
    const bound = question({ window: figures({ errors: 30 }), reference: null, bounds: { maxErrorRate: 0.01 } })
    assert.equal(judgeErrors(bound).verdict, 'breach')
  })

  it('do not alarm on a handful of requests, nor on a rise nobody would feel', () => {
    const few = figures({ requests: 6, errors: 1 })
    assert.equal(judgeErrors(question({ window: few })).verdict, 'inconclusive')
    const many = { requests: 1_000_000 }
    const slight = question({
      window: figures({ ...many, errors: 3_000 }),
      reference: figures({ ...many, errors: 2_000 }),
    })
    assert.equal(judgeErrors(slight).verdict, 'ok')
  })

  it('say which window it is that has too little in it, and when its rows are few calls', () => {
    const small = question({ window: figures({ requests: 4_405, errors: 132 }), reference: figures({ requests: 40 }) })
    assert.equal(
      judgeErrors(small).summary,
      'failed requests: 3.0 % of 4,405 (0 % of 40 before); that can be chance on so few requests before',
    )
    const batches = question({ window: figures({ errors: 50, calls: 20 }), reference: figures({ calls: 1_000 }) })
    assert.equal(
      judgeErrors(batches).summary,
      'failed requests: 5.0 % of 1,000 (0 % before); that can be chance on rows of about 20 calls',
    )
  })

  it('say nothing where nothing was asked or nothing is known before', () => {
    assert.equal(judgeErrors(question({ window: figures({ requests: 0 }) })).verdict, 'inconclusive')
    assert.equal(judgeErrors(question({ reference: null })).verdict, 'inconclusive')
  })
})

describe('Latency', () => {
  const latency = (p95: number, slower: number | null, count = 1_000) => figures({ latency: { count, p95, slower } })

  it('alarms when the slow ones are slower by half and more than one in twenty', () => {
    const slow = question({ window: latency(90, 200), reference: latency(40, null) })
    assert.deepEqual(
      [judgeLatency(slow).verdict, judgeLatency(slow).summary],
      ['breach', 'p95 latency: 90 ms (40 ms before)'],
    )
    const bound = question({ window: latency(90, 200), reference: null, bounds: { maxP95Ms: 50 } })
    assert.equal(judgeLatency(bound).verdict, 'breach')
  })

  it('does not alarm on twenty requests, on milliseconds, or without latencies', () => {
    const few = question({ window: latency(90, 2, 20), reference: latency(40, null) })
    assert.equal(judgeLatency(few).verdict, 'inconclusive')
    assert.equal(judgeLatency(question({ window: latency(4, 400), reference: latency(2, null) })).verdict, 'ok')
    assert.equal(judgeLatency(question()).verdict, 'inconclusive')
  })
})

describe('Volume', () => {
  const volume = (now: number, before: number | null, more: Partial<HealthQuestion> = {}) =>
    judgeVolume(question({ window: figures({ volume: now }), volumeBefore: before, ...more }))

  it('alarms when there is no traffic where there was some, also where it came in bursts', () => {
    assert.equal(volume(0, 500).verdict, 'breach')
    assert.equal(volume(0, 500).summary, 'no traffic (500 before)')
    const bursts = figures({ volume: 0, dispersion: 400 })
    assert.equal(judgeVolume(question({ window: bursts, volumeBefore: 500 })).verdict, 'breach')
  })

  it('does not alarm on three requests fewer, on none before, or on more', () => {
    assert.equal(volume(0, 3).verdict, 'inconclusive')
    assert.equal(volume(0, 0).verdict, 'ok')
    assert.equal(volume(5_000, 1_000).verdict, 'ok')
    assert.equal(volume(600, 1_000).verdict, 'ok')
    assert.equal(volume(100, null).verdict, 'inconclusive')
  })

  it('keeps a bound, and does not count on a window that is not over', () => {
    assert.equal(volume(90, null, { bounds: { minRequests: 100 } }).verdict, 'breach')
    assert.equal(volume(90, null, { bounds: { minRequests: 100 }, over: 0.8 }).verdict, 'ok')
    assert.equal(volume(10, null, { bounds: { minRequests: 100 }, over: 0.8 }).verdict, 'inconclusive')
  })

  it('knows bursts from independent requests', () => {
    assert.equal(dispersionOf([10, 10, 10]), 1)
    assert.ok(dispersionOf([0, 0, 700, 0, 0, 0, 0]) > 600)
  })
})

/** Deterministic: the same draws in every run (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

describe('With nothing wrong', function () {
  this.timeout(60_000)

  /** One window of a service whose days have a rhythm, with exponential latencies. */
  function draw(uniform: () => number, size: number, errorRate: number) {
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
    const shape = [1.2, 1.3, 1.2, 1.1, 1, 0.5, 0.3]
    // Each day is a little busier or quieter than its kind, as days are.
    const days = shape.map((weight) => {
      const mean = (size / 7) * weight * Math.exp(0.15 * normal())
      return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()))
    })
    const requests = days.reduce((sum, n) => sum + n, 0)
    let errors = 0
    const latencies: number[] = []
    for (let i = 0; i < requests; i++) {
      if (uniform() < errorRate) errors += 1
      latencies.push(-20 * Math.log(1 - uniform()))
    }
    latencies.sort((a, b) => a - b)
    return { days, requests, errors, latencies }
  }

  for (const size of [10, 50, 200, 1_000, 5_000]) {
    it(`alarms in less than 2 % of windows of about ${size} requests`, () => {
      const uniform = random(size)
      const rounds = size > 1_000 ? 300 : 1_000
      let alarms = 0
      let bounded = 0
      for (let i = 0; i < rounds; i++) {
        const errorRate = [0, 0.001, 0.01, 0.1][i % 4] ?? 0
        const [before, now] = [draw(uniform, size, errorRate), draw(uniform, size, errorRate)]
        if (before.requests === 0 || now.requests === 0) continue
        const p95 = (values: readonly number[]) => values[Math.ceil(0.95 * values.length) - 1] ?? 0
        const figuresOf = (drawn: typeof now, limit: number): WindowFigures => ({
          volume: drawn.requests,
          dispersion: dispersionOf(drawn.days),
          requests: drawn.requests,
          errors: drawn.errors,
          latency: {
            count: drawn.requests,
            p95: p95(drawn.latencies),
            slower: drawn.latencies.filter((value) => value > limit).length,
          },
        })
        const reference = figuresOf(before, 0)
        const asked = {
          window: figuresOf(now, p95(before.latencies)),
          reference,
          volumeBefore: before.requests,
          bounds: {},
          over: 1,
        }
        if (judgeService(asked).verdict === 'breach') alarms += 1
        // Bounds that the service just keeps: the true error rate, the true 95th percentile.
        const exact = { maxErrorRate: errorRate || 1e-9, maxP95Ms: -20 * Math.log(0.05) }
        const window = figuresOf(now, exact.maxP95Ms)
        if (judgeService({ ...asked, window, bounds: exact }).verdict === 'breach') bounded += 1
      }
      assert.ok(alarms < 0.02 * rounds, `${alarms} of ${rounds} without bounds`)
      assert.ok(bounded < 0.02 * rounds, `${bounded} of ${rounds} with bounds`)
    })
  }

  for (const [calls, least] of [
    [8, 25],
    [40, 25],
    [400, 25],
    [40, 50],
  ] as const) {
    it(`alarms in less than 2 % of windows of about ${calls} calls of ${least} and more rows each`, () => {
      const uniform = random(calls + least)
      const rounds = 1_000
      let alarms = 0
      let naive = 0
      for (let i = 0; i < rounds; i++) {
        const errorRate = [0, 0.01, 0.05, 0.1][i % 4] ?? 0
        const [before, now] = [draw(uniform, calls, errorRate), draw(uniform, calls, errorRate)]
        if (before.requests === 0) continue
        // Rows of a call: one time, one latency, one status.
        const sized = (drawn: typeof now) => {
          const sizes = drawn.latencies.map(() => least + Math.floor(26 * uniform()))
          const rows = sizes.reduce((sum, n) => sum + n, 0)
          const squares = sizes.reduce((sum, n) => sum + n * n, 0)
          const failed = sizes.slice(0, drawn.errors).reduce((sum, n) => sum + n, 0)
          const latencies = drawn.latencies.flatMap((ms, call) => Array.from({ length: sizes[call] ?? 0 }, () => ms))
          const mean = rows / Math.max(1, sizes.length)
          return {
            rows,
            failed,
            latencies,
            calls: rows === 0 ? 0 : rows ** 2 / squares,
            days: drawn.days.map((n) => n * mean),
          }
        }
        const [a, b] = [sized(before), sized(now)]
        const p95 = a.latencies[Math.ceil(0.95 * a.rows) - 1] ?? 0
        const figuresOf = (each: typeof a): WindowFigures => ({
          volume: each.rows,
          dispersion: Math.max(dispersionOf(each.days), each.rows / Math.max(1, each.calls)),
          requests: each.rows,
          errors: each.failed,
          calls: each.calls,
          latency:
            each.rows === 0
              ? null
              : {
                  count: each.rows,
                  p95: each.latencies[Math.ceil(0.95 * each.rows) - 1] ?? 0,
                  slower: each.latencies.filter((value) => value > p95).length,
                },
        })
        const compared = { volumeBefore: a.rows, bounds: {}, over: 1 }
        const asked = { ...compared, window: figuresOf(b), reference: figuresOf(a), callsBefore: a.calls }
        if (judgeService(asked).verdict === 'breach') alarms += 1
        const asRows = (figures: WindowFigures) => ({ ...figures, calls: figures.requests })
        const rowwise = { ...compared, window: asRows(asked.window), reference: asRows(asked.reference) }
        if (judgeService(rowwise).verdict === 'breach') naive += 1
      }
      assert.ok(alarms < 0.02 * rounds, `${alarms} of ${rounds}`)
      if (calls < 100) assert.ok(naive > 0.05 * rounds, `rows would be taken for evidence: ${naive} of ${rounds}`)
    })
  }

  it('but sees failures of whole batches when there are enough of them', () => {
    const rows = { requests: 4_000, calls: 100 }
    const asked = question({ window: figures({ ...rows, errors: 1_200 }), reference: figures({ ...rows, errors: 40 }) })
    assert.equal(judgeErrors(asked).verdict, 'breach')
  })

  it('but sees failures that rise from 1 % to 5 %, and a latency that doubles, in nearly every window of 1,000', () => {
    const uniform = random(7)
    let seen = 0
    for (let i = 0; i < 200; i++) {
      const [before, now] = [draw(uniform, 1_000, 0.01), draw(uniform, 1_000, 0.05)]
      const asked = question({
        window: figures({ requests: now.requests, errors: now.errors }),
        reference: figures({ requests: before.requests, errors: before.errors }),
      })
      if (judgeErrors(asked).verdict === 'breach') seen += 1
    }
    assert.ok(seen > 180, `${seen} of 200`)
  })
})
