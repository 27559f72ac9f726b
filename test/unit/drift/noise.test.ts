/** How often a check cries wolf and how often it is blind: a small part of `npm run simulate:drift`, without files. */
import assert from 'node:assert/strict'
import { compareProfiles } from '../../../src/drift/compare.ts'
import { judgeSegments, verdictWithSegments } from '../../../src/drift/segments.ts'
import { type Cell, runChecks } from '../../simulate/checks.ts'
import { drawCounts, drawRows, type Side } from '../../simulate/draws.ts'
import { multinomial } from '../../simulate/multinomial.ts'
import { drawSegments } from '../../simulate/segments.ts'
import { normal, SHAPES, stream } from '../../simulate/shapes.ts'

const cell = (over: Partial<Cell>): Cell => ({
  ...{ kind: 'none', n: 1_000, m: 1_000, columns: 10, shift: 0, checks: 100, evidently: 0 },
  ...over,
})
/** So many alarms in `checks` are beyond what 5 % explain: 1 in 1,000 by the normal approximation. */
const tooMany = (checks: number) => 0.05 * checks + 3.1 * Math.sqrt(0.05 * 0.95 * checks)
/** Ten of the mixed columns, the first of which is normal and moves. */
const tenColumns = (shift: number): Side[] =>
  SHAPES.slice(0, 10).map((shape, i) => (i === 0 ? { shape: normal(), later: normal(shift) } : { shape }))

describe('The verdict without drift and with it', function () {
  this.timeout(120_000)

  for (const [n, m, columns, checks] of [
    [50, 50, 5, 300],
    [1_000, 50, 10, 150],
    [50, 1_000, 10, 150],
    [200, 200, 20, 120],
    [1_000, 100, 1, 400],
    [4_000, 4_000, 10, 30],
  ] as const) {
    it(`cries wolf in at most 5 % of the checks of ${m} rows against ${n} without drift, ${columns} columns`, async () => {
      const { ours } = await runChecks(cell({ n, m, columns }), 1, 0, checks, undefined)
      assert.ok(ours <= tooMany(checks), `${ours} false alarms in ${checks} checks`)
    })
  }

  it('cries wolf no oftener when it looks at ten segments too, each with a distribution of its own', () => {
    const one = cell({ kind: 'segments', n: 3_000, m: 1_500, columns: 4, segments: 10 })
    const rounds = 40
    let alarms = 0
    for (let round = 0; round < rounds; round++) {
      const { baseline, batch, reference, segments } = drawSegments(one, stream(3, round))
      const results = judgeSegments(reference, segments, { metric: 'psi' })
      const { verdict } = compareProfiles(baseline, batch, { metric: 'psi' })
      if (verdictWithSegments(verdict, results) === 'drift') alarms++
    }
    assert.ok(alarms <= tooMany(rounds), `${alarms} false alarms in ${rounds} checks`)
  })

  it('finds a shift of half a standard deviation in one of ten columns, and names it first', () => {
    let found = 0
    const rounds = 30
    for (let round = 0; round < rounds; round++) {
      const { baseline, batch } = drawRows(tenColumns(0.5), 2_000, 1_000, stream(11, round))
      const result = compareProfiles(baseline, batch, { metric: 'psi' })
      if (result.verdict === 'drift' && result.columns[0]?.column === 'c0') found++
    }
    assert.ok(found >= 0.95 * rounds, `found in ${found} of ${rounds} checks`)
  })

  it('does not alarm at a shift that is real but too small to matter, in a million rows', () => {
    const { baseline, batch } = drawCounts(tenColumns(0.1), 1_000_000, 1_000_000, stream(21))
    const result = compareProfiles(baseline, batch, { metric: 'psi' })
    assert.equal(result.verdict, 'stable')
    assert.equal(result.columns.find(({ column }) => column === 'c0')?.verdict, 'negligible')
  })

  it('calls a handful of rows inconclusive and says how many are needed, and that many are enough', () => {
    const judge = (rows: number) => {
      const { baseline, batch } = drawRows(tenColumns(0), 5_000, rows, stream(31))
      return compareProfiles(baseline, batch, { metric: 'psi' })
    }
    const few = judge(20)
    assert.equal(few.verdict, 'inconclusive')
    const needed = Number(/about ([\d,]+) are needed/.exec(few.summary)?.[1]?.replaceAll(',', ''))
    assert.ok(needed > 20 && needed < 1_000, few.summary)
    const enough = judge(needed)
    assert.notEqual(enough.verdict, 'inconclusive', enough.summary)
  })
})

describe('The simulation itself', () => {
  it('draws the same check from the same seed', async () => {
    const one = cell({ n: 100, m: 100 })
    assert.deepEqual(await runChecks(one, 7, 0, 10, undefined), await runChecks(one, 7, 0, 10, undefined))
  })

  it('draws multinomial counts with the mean and the spread they must have', () => {
    const uniform = stream(5)
    const shares = [0.5, 0.3, 0.15, 0.0499, 0.0001]
    const [rows, draws] = [20_000, 2_000]
    const sums = shares.map(() => ({ sum: 0, squares: 0 }))
    for (let i = 0; i < draws; i++) {
      const counts = multinomial(rows, shares, uniform)
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        rows,
      )
      counts.forEach((count, j) => {
        const sum = sums[j] as { sum: number; squares: number }
        sum.sum += count
        sum.squares += count * count
      })
    }
    sums.forEach(({ sum, squares }, j) => {
      const p = shares[j] ?? 0
      const mean = sum / draws
      const [expected, variance] = [rows * p, rows * p * (1 - p)]
      assert.ok(Math.abs(mean - expected) < 4.5 * Math.sqrt(variance / draws), `mean of ${p}: ${mean}`)
      const ratio = (squares / draws - mean * mean) / variance
      assert.ok(Math.abs(ratio - 1) < 4.5 * Math.sqrt(2.2 / draws), `variance of ${p}: ${ratio}`)
    })
  })

  it('draws counts at once with the same mean measures as row by row', () => {
    const mean = (draw: typeof drawRows, seed: number) => {
      const psi = SHAPES.map(() => 0)
      for (let round = 0; round < 30; round++) {
        const { baseline, batch } = draw(
          SHAPES.map((shape) => ({ shape })),
          2_000,
          1_000,
          stream(seed, round),
        )
        for (const { column, measures } of compareProfiles(baseline, batch, { metric: 'psi' }).columns) {
          const i = Number(column.slice(1))
          psi[i] = (psi[i] ?? 0) + (measures.psi ?? 0) / 30
        }
      }
      return psi
    }
    const [rows, counts] = [mean(drawRows, 1), mean(drawCounts, 2)]
    // The mean of 30 values that scatter like a chi-square: within half of each other unless something is wrong.
    SHAPES.forEach(({ name }, i) => {
      const [a = 0, b = 0] = [rows[i], counts[i]]
      assert.ok(Math.abs(a - b) <= 0.5 * Math.max(a, b) + 1e-3, `${name}: PSI ${a} by rows, ${b} by counts`)
    })
  })
})
