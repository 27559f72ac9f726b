/** Thresholds that keep a promised rate of false alarms on chunks nobody has seen, and what is said about it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { binomialAtLeast, clopperPearson, rateWith } from '../../../src/core/binomial.ts'
import {
  type ColumnEffects,
  chunksNeeded,
  countAlarms,
  type Proposal,
  proposeThresholds,
  roundedUp,
} from '../../../src/drift/calibrate.ts'
import { needsPython, PYTHON } from '../../support/python.ts'

describe('Proposed thresholds', function () {
  this.timeout(60_000)

  /** Draws the effects of one chunk, one per column. */
  type World = (next: () => number) => number[]
  const normal = (next: () => number) => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  const logNormal = (next: () => number, median: number, spread: number) => median * Math.exp(spread * normal(next))
  const WORLDS: Readonly<Record<string, World>> = {
    'one noisy column among calm ones': (next) => [logNormal(next, 0.3, 0.5), 0.02, 0.01],
    'twenty independent columns around the threshold': (next) =>
      Array.from({ length: 20 }, () => logNormal(next, 0.05, 0.5)),
    'columns that move together with the season': (next) => {
      const season = normal(next)
      return Array.from({ length: 8 }, (_, i) => 0.2 * (i + 1) * Math.exp(0.6 * season + 0.1 * normal(next)))
    },
    'forty columns each of which fires rarely': (next) =>
      Array.from({ length: 40 }, () => (next() < 0.005 ? logNormal(next, 0.3, 0.4) : 0)),
    'heavy tails': (next) => Array.from({ length: 5 }, () => 0.05 / (1 - next())),
    'a quiet world': (next) => [logNormal(next, 0.01, 0.2), logNormal(next, 0.02, 0.2)],
  }

  for (const [name, world] of Object.entries(WORLDS)) {
    it(`keep 5 % on new chunks: ${name}`, () => {
      for (const chunks of [19, 40, 150]) {
        const next = draws(chunks * 7919 + name.length)
        const repeats = 250
        const fresh = 120
        let alarms = 0
        let beyondUpper = 0
        for (let r = 0; r < repeats; r++) {
          const proposal = propose(columnsOf(Array.from({ length: chunks }, () => world(next))))
          const seen = countAlarms(columnsOf(Array.from({ length: fresh }, () => world(next))), (column) =>
            limit(proposal, column),
          )
          alarms += seen
          // Beyond what a true rate at the bound would show in so many chunks once in a hundred times.
          if (proposal.isChanged && binomialAtLeast(seen, fresh, proposal.sure.upper) < 0.01) beyondUpper++
        }
        const rate = alarms / (repeats * fresh)
        // 5 % and what so many draws leave to chance; the larger simulation is in docs/drift-calibrate.md.
        const bound = 0.06
        assert.ok(rate <= bound, `${chunks} chunks: ${(100 * rate).toFixed(1)} %`)
        assert.ok(beyondUpper / repeats <= 0.08, `${chunks} chunks: ${beyondUpper} of ${repeats} beyond the bound`)
      }
    })
  }

  it('stay as they are when they already keep the promise', () => {
    const proposal = propose(columnsOf(Array.from({ length: 40 }, (_, k) => [k === 3 ? 0.4 : 0.05, 0.01])))
    assert.deepEqual([proposal.isChanged, proposal.threshold, proposal.columns, proposal.alarms], [false, 0.1, {}, 1])
    assert.equal(proposal.sure.mean, 1 / 40)
    assert.ok(Math.abs(proposal.sure.upper - 0.1316) < 1e-4)
  })

  it('are changed for the columns alone that need it, and are the same when asked for again', () => {
    const chunks = Array.from({ length: 60 }, (_, k) => [0.3 + 0.01 * (k % 7), 0.02, 0.03])
    const proposal = propose(columnsOf(chunks))
    assert.deepEqual([proposal.threshold, Object.keys(proposal.columns), proposal.alarms], [0.1, ['c0'], 0])
    const again = columnsOf(chunks).map((column) => ({ ...column, threshold: limit(proposal, column) }))
    const second = propose(again, { configured: new Set(['c0']) })
    assert.equal(second.isChanged, false)
  })

  it('are never below the noise, and fall below today only when that is asked for', () => {
    const chunks = Array.from({ length: 60 }, (_, k) => [0.02 + 0.0001 * k, 0.12 + 0.0001 * k])
    const columns = columnsOf(chunks).map((column) => ({ ...column, noise: 0.15 }))
    assert.equal(propose(columns).columns.c1, 0.16)
    const calm = columnsOf(chunks.map(([effect = 0]) => [effect])).map((column) => ({ ...column, noise: 0.03 }))
    assert.equal(propose(calm).threshold, 0.1)
    assert.equal(propose(calm, { tighten: true }).threshold, 0.031)
    assert.equal(
      propose(
        calm.map((column) => ({ ...column, noise: 0.3 })),
        { tighten: true },
      ).threshold,
      0.1,
    )
  })

  it('are none at all with too few chunks, and say which columns no threshold helps', () => {
    assert.equal(chunksNeeded(0.05), 19)
    assert.equal(chunksNeeded(0.01), 99)
    const few = columnsOf(Array.from({ length: 18 }, () => [1]))
    assert.equal(
      proposeThresholds(few, { falseAlarms: 0.05, threshold: 0.1, configured: new Set(), tighten: false }),
      undefined,
    )
    const broken = columnsOf(Array.from({ length: 40 }, () => [0, 0.01])).map((column, c) => ({
      ...column,
      fixed: column.fixed.map(() => c === 0),
    }))
    const { beyondHelp, isPossible, isChanged } = propose(broken)
    assert.deepEqual([beyondHelp, isPossible, isChanged], [['c0'], false, false])
  })

  it('have two digits and lie strictly above', () => {
    for (const [value, expected] of [
      [0.104, 0.11],
      [0.11, 0.12],
      [0.5, 0.51],
      [9.97, 10],
      [1.23, 1.3],
      [0.02, 0.1],
    ] as const) {
      assert.equal(roundedUp(value, 0.1), expected)
    }
  })

  it('rest on exact intervals, as scipy has them', function () {
    needsPython(this)
    const of50 = [0, 1, 3, 20, 49, 50].map((events) => [events, 50] as const)
    const cases = [...of50, [3, 2000], [1999, 2000]] as const
    const script = `
import json, sys
from scipy.stats import binomtest, beta
print(json.dumps([[*binomtest(k, n).proportion_ci(0.95, "exact"), beta.ppf(0.95, max(k, 1), n + 1 - max(k, 1))] for k, n in json.load(sys.stdin)]))`
    const { stdout, stderr, status } = spawnSync(PYTHON, ['-c', script], {
      input: JSON.stringify(cases),
      encoding: 'utf8',
    })
    assert.equal(status, 0, stderr)
    for (const [i, [low, high, upper]] of (JSON.parse(stdout) as [number, number, number][]).entries()) {
      const [events, tries] = cases[i] ?? [0, 1]
      const ours = clopperPearson(events, tries)
      const bound = rateWith(tries, Math.max(events, 1), 0.95)
      for (const [a, b] of [
        [ours.low, low],
        [ours.high, high],
        [bound, upper],
      ] as const) {
        assert.ok(Math.abs(a - b) < 1e-9, `${events} of ${tries}: ${a}, scipy ${b}`)
      }
    }
  })
})

const columnsOf = (chunks: readonly (readonly number[])[]): ColumnEffects[] =>
  (chunks[0] ?? []).map((_, c) => ({
    column: `c${c}`,
    threshold: 0.1,
    effects: chunks.map((chunk) => chunk[c] ?? 0),
    fixed: chunks.map(() => false),
    noise: 0.01,
    isSettable: true,
  }))

function propose(
  columns: readonly ColumnEffects[],
  more: { readonly configured?: ReadonlySet<string>; readonly tighten?: boolean } = {},
): Proposal {
  const options = { falseAlarms: 0.05, threshold: 0.1, configured: new Set<string>(), tighten: false, ...more }
  const proposal = proposeThresholds(columns, options)
  assert.ok(proposal)
  return proposal
}

const limit = (proposal: Proposal, { column }: ColumnEffects): number => proposal.columns[column] ?? proposal.threshold

/** Mulberry32: 32 bits of state are plenty here, and pairs of draws show no pattern. */
function draws(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
