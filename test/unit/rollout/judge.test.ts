/** Two versions on the same traffic: what is a breach, what holds, and what cannot be said yet. */
import assert from 'node:assert/strict'
import { psiInterval } from '../../../src/drift/evidence.ts'
import { psi, uniformStream } from '../../../src/drift/measures.ts'
import { newcombe } from '../../../src/evaluation/difference.ts'
import type { RolloutConfig } from '../../../src/project/config.ts'
import { defaultModel } from '../../../src/project/config-read.ts'
import { judgeRollout } from '../../../src/rollout/judge.ts'
import type { Finding, RolloutFigures, VariantFigures } from '../../../src/rollout/types.ts'
import { SURELY } from '../../../src/rollout/words.ts'

const DEFAULTS = defaultModel().rollout

const variant = (version: number, more: Partial<VariantFigures> = {}): VariantFigures => ({
  version,
  requests: 10_000,
  errors: 40,
  errorsByCategory: { timeout: 40 },
  part: 1,
  latency: {
    count: 9960,
    p50: 20,
    p95: 60,
    p99: 90,
    surely: { low: 56, high: 64 },
    likely: { low: 58, high: 62 },
  },
  quality: null,
  ...more,
})
const same = [1000, 2000, 4000, 2000, 1000]

const figures = (rollout: Partial<VariantFigures>, more: Partial<RolloutFigures> = {}): RolloutFigures => ({
  stable: variant(1),
  rollout: variant(2, rollout),
  answers: { column: 'prediction', stable: same, rollout: same },
  lasted: 3_600_000,
  ...more,
})

function judged(
  rollout: Partial<VariantFigures>,
  more: Partial<RolloutFigures> = {},
  config: Partial<RolloutConfig> = {},
) {
  const { verdict, summary, findings } = judgeRollout(figures(rollout, more), { ...DEFAULTS, ...config })
  const of = (what: Finding['what']): Finding => {
    const found = findings.find((finding) => finding.what === what)
    assert.ok(found)
    return found
  }
  return { verdict, summary, of }
}

describe('the two versions of a rollout', () => {
  it('hold where nothing is worse, by figures that are enough', () => {
    const { verdict, summary } = judged({ requests: 2000, errors: 8 })
    assert.equal(verdict, 'holds')
    assert.equal(summary, 'no worse in errors, latency, predictions')
  })

  it('say nothing without requests, and with too few', () => {
    const none = judged({ requests: 0, errors: 0, latency: null })
    assert.equal(none.verdict, 'hold')
    assert.match(none.summary, /@2 has no request in the log yet; 100 are needed/)
    assert.match(judged({ requests: 99, errors: 0 }).summary, /@2 has 99 requests; 100 are needed/)
    const stable = variant(1, { requests: 20, errors: 0 })
    assert.match(judged({}, { stable }).summary, /@1 has 20 requests/)
  })

  it('say nothing before a step has lasted as long as it should', () => {
    const { verdict, summary } = judged({}, { lasted: 60_000 }, { minTime: 3_600_000 })
    assert.deepEqual([verdict, summary], ['hold', 'the step has lasted 1 minute of 1 hour'])
  })

  it('hold on while a rise of failures that matters can still hide', () => {
    // No failure of 150: up to 1.8 % by Wilson at 90 %.
    const { verdict, of } = judged({ requests: 150, errors: 0 })
    assert.equal(verdict, 'hold')
    assert.match(of('errors').summary, /it can still be 1\.4 points more, of 1 point allowed/)
  })

  it('are a breach from failures that chance does not make, also of the first few requests', () => {
    const many = judged({ requests: 2000, errors: 60, errorsByCategory: { timeout: 50, ValueError: 10 } })
    assert.equal(many.verdict, 'breach')
    const expected = newcombe({ hits: 60, of: 2000 }, { hits: 40, of: 10_000 }, SURELY)
    assert.deepEqual(many.of('errors').interval, [expected.low, expected.high])
    assert.match(
      many.summary,
      /^failed requests: 3\.0 %, beside 0\.4 % of @1: more by at least 1\.\d points, of 1 point allowed \(mostly timeout\)$/,
    )
    assert.equal(judged({ requests: 12, errors: 12 }).verdict, 'breach')
    assert.equal(judged({ requests: 12, errors: 1 }).verdict, 'hold')
  })

  it('take the rows of one call for less than as many requests', () => {
    assert.equal(judged({ requests: 2000, errors: 60 }).verdict, 'breach')
    assert.equal(judged({ requests: 2000, errors: 60, part: 0.05 }).verdict, 'hold')
  })

  it('are better where fewer requests fail beyond chance', () => {
    const stable = variant(1, { errors: 500 })
    const { verdict, of } = judged({ requests: 5000, errors: 20 }, { stable })
    assert.deepEqual([verdict, of('errors').verdict], ['better', 'better'])
  })

  it('are a breach when the p95 latency is beyond its margin whatever chance does', () => {
    const slow = {
      count: 1900,
      p50: 50,
      p95: 140,
      p99: 200,
      surely: { low: 120, high: 160 },
      likely: { low: 130, high: 150 },
    }
    const { verdict, of } = judged({ latency: slow })
    assert.equal(verdict, 'breach')
    assert.match(of('latency').summary, /140 ms, beside 60 ms of @1: at least 1\.88 times as long, of 1\.5 allowed/)
    const unclear = { ...slow, surely: { low: 70, high: 210 }, likely: { low: 80, high: 180 } }
    assert.equal(judged({ latency: unclear }).verdict, 'hold')
    const few = { ...slow, surely: { low: 60, high: null }, likely: { low: 60, high: null } }
    assert.equal(judged({ latency: few }).of('latency').verdict, 'hold')
  })

  it('do not mind a few milliseconds of very fast answers', () => {
    const fast = (p95: number) => ({
      count: 5000,
      p50: p95 / 2,
      p95,
      p99: p95 * 2,
      surely: { low: p95 - 0.1, high: p95 + 0.1 },
      likely: { low: p95 - 0.05, high: p95 + 0.05 },
    })
    const { verdict } = judged({ latency: fast(4) }, { stable: variant(1, { latency: fast(1) }) })
    assert.equal(verdict, 'holds')
  })

  it('are a breach when their answers are far apart on the same traffic', () => {
    const rollout = [100, 100, 200, 600, 1000]
    const { verdict, of } = judged({}, { answers: { column: 'p', stable: same, rollout } })
    assert.equal(verdict, 'breach')
    const finding = of('predictions')
    assert.equal(finding.effect, psi(same, rollout))
    assert.equal(
      judged({}, { answers: { column: 'p', stable: same, rollout } }, { maxPredictionPsi: 3 }).verdict,
      'holds',
    )
    assert.equal(judged({}, { answers: { reason: 'none' } }).of('predictions').verdict, 'not judged')
  })

  it('are compared by labels where enough have come, and wait for them only where that is asked', () => {
    const labels = (accuracy: number, labelled: number) => ({
      quality: { task: 'classification' as const, labelled, metrics: { accuracy } },
    })
    const stable = variant(1, labels(0.9, 4000))
    assert.equal(judged(labels(0.78, 1500), { stable }).verdict, 'breach')
    assert.equal(judged(labels(0.91, 1500), { stable }).verdict, 'holds')
    assert.equal(judged(labels(0.5, 20), { stable }).of('quality').verdict, 'not judged')
    assert.equal(judged(labels(0.5, 20), { stable }, { labels: 'required' }).verdict, 'hold')
    assert.equal(judged({}, {}, { labels: 'required' }).verdict, 'hold')
    // 60 labels say nothing of five points: that keeps nobody from going on.
    assert.equal(judged(labels(0.9, 60), { stable }).of('quality').verdict, 'not judged')
  })

  it('are compared by the mean absolute error where the answer is a quantity', () => {
    const labels = (mae: number, rmse: number, labelled: number) => ({
      quality: { task: 'regression' as const, labelled, metrics: { mae, rmse } },
    })
    const stable = variant(1, labels(10, 13, 4000))
    assert.equal(judged(labels(12, 15, 2000), { stable }).verdict, 'breach')
    assert.equal(judged(labels(9.9, 13, 4000), { stable }).verdict, 'holds')
    assert.equal(judged(labels(8, 10, 4000), { stable }).verdict, 'better')
  })

  it('are seldom taken for a breach by whoever looks every hour', () => {
    // As bad as is allowed, two days, a look an hour at all requests so far: the worst case of peeking.
    const next = uniformStream(20_261)
    const [runs, looks, perHour] = [400, 48, 100]
    let aborted = 0
    for (let run = 0; run < runs; run++) {
      let [stable, rollout] = [0, 0]
      for (let look = 1; look <= looks; look++) {
        for (let i = 0; i < perHour; i++) {
          if (next() < 0.01) stable++
          if (next() < 0.02) rollout++
        }
        const of = look * perHour
        if (newcombe({ hits: rollout, of }, { hits: stable, of }, SURELY).low > 0.01) {
          aborted++
          break
        }
      }
    }
    assert.ok(aborted / runs < 0.02, `${aborted} of ${runs}`)
  })
})

describe('the interval of PSI', () => {
  it('holds the true value as often as it says, with drift and without', () => {
    const next = uniformStream(7)
    const draw = (shares: readonly number[], n: number): number[] => {
      const counts = shares.map(() => 0)
      for (let i = 0; i < n; i++) {
        const place = next()
        const ends = shares.map((_, index) => shares.slice(0, index + 1).reduce((sum, share) => sum + share, 0))
        const group = ends.findIndex((end) => place < end)
        const at = group < 0 ? shares.length - 1 : group
        counts[at] = (counts[at] ?? 0) + 1
      }
      return counts
    }
    const p = Array.from({ length: 10 }, () => 0.1)
    const cases = [
      p,
      [0.06, 0.07, 0.08, 0.09, 0.1, 0.1, 0.11, 0.12, 0.13, 0.14],
      [0.02, 0.03, 0.05, 0.08, 0.1, 0.1, 0.12, 0.15, 0.17, 0.18],
    ]
    for (const q of cases) {
      const truth = q.reduce((sum, share, i) => sum + (share - (p[i] ?? 0)) * Math.log(share / (p[i] ?? 1)), 0)
      let held = 0
      const runs = 400
      for (let run = 0; run < runs; run++) {
        const [low, high] = psiInterval(draw(p, 4000), draw(q, 600), 1.96)
        if (low <= truth && truth <= high) held++
      }
      assert.ok(held / runs > 0.93, `${held} of ${runs} at PSI ${truth.toFixed(3)}`)
    }
  })
})
