/** Intervals of differences and of quantiles, against published figures and scipy. */
import assert from 'node:assert/strict'
import { meanDifference, newcombe, quantilePlaces } from '../../../src/evaluation/difference.ts'

const rounded = ({ low, high }: { low: number; high: number }, digits = 4) =>
  [low, high].map((value) => Number(value.toFixed(digits)))

describe('the difference of two shares', () => {
  it('has the intervals of Newcombe (1998), table II, method 10', () => {
    const published = [
      [56, 70, 48, 80, 0.0524, 0.3339],
      [9, 10, 3, 10, 0.1705, 0.809],
      [6, 7, 2, 7, 0.0582, 0.8062],
      [5, 56, 0, 29, -0.0381, 0.1926],
      [0, 10, 0, 20, -0.1611, 0.2775],
      [10, 10, 0, 20, 0.6791, 1],
    ] as const
    for (const [a, n, b, m, low, high] of published) {
      assert.deepEqual(rounded(newcombe({ hits: a, of: n }, { hits: b, of: m })), [low, high], `${a}/${n} - ${b}/${m}`)
    }
  })
})

describe('the difference of two means', () => {
  it('has the interval of the normal law', () => {
    // scipy.stats.norm.interval(0.95, 5 - 1.1 * 4, sqrt(4 / 100 + 1.21 * 9 / 400))
    const found = meanDifference({ mean: 5, variance: 4, of: 100 }, { mean: 4, variance: 9, of: 400 }, 1.1)
    assert.deepEqual(rounded(found, 6), [0.091825, 1.108175])
  })
})

describe('the places between which a quantile lies', () => {
  it('are those of the binomial law, as scipy has it', () => {
    // binom.ppf((1 - c) / 2, n, 0.95), binom.ppf(1 - (1 - c) / 2, n, 0.95) + 1; a place beyond n is none.
    assert.deepEqual(quantilePlaces(20, 0.95), { low: 17, high: null })
    assert.deepEqual(quantilePlaces(100, 0.95), { low: 90, high: 100 })
    assert.deepEqual(quantilePlaces(149, 0.95, 0.999), { low: 132, high: 149 })
    assert.deepEqual(quantilePlaces(1000, 0.95, 0.999), { low: 926, high: 972 })
    assert.deepEqual(quantilePlaces(54_321, 0.95, 0.9), { low: 51_521, high: 51_689 })
  })

  it('are none where there are too few values for either end', () => {
    assert.deepEqual(quantilePlaces(2, 0.5, 0.999), { low: null, high: null })
    assert.deepEqual(quantilePlaces(0, 0.95), { low: null, high: null })
  })
})
