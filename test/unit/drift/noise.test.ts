/** How often a check cries wolf and how often it is blind: many seeded simulations, no files. */
import assert from 'node:assert/strict'
import { Binner } from '../../../src/drift/binning.ts'
import { compareProfiles } from '../../../src/drift/compare.ts'
import { chooseEdges } from '../../../src/drift/edges.ts'
import { normalStream, uniformStream } from '../../../src/drift/measures.ts'
import { type ColumnProfile, definitionDigest, type Profile, toNumber } from '../../../src/drift/profile.ts'

type Draw = () => number

/** Profiles of two samples of numeric columns, as `profileBaseline` and `profileBatch` make them of files. */
function numericPair(name: string, before: Float64Array, after: Float64Array): [ColumnProfile, ColumnProfile] {
  const { resolution, edges, singles } = chooseEdges(before.slice().sort())
  const binner = new Binner(Float64Array.from(edges, toNumber))
  const range = [Math.min(...before), Math.max(...before)] as const
  const counted = (values: Float64Array): ColumnProfile => {
    const counts = new Float64Array(edges.length + 1)
    binner.tally(values, values.length, undefined, counts)
    const none = { missing: 0, nan: 0, positiveInfinity: 0, negativeInfinity: 0, unparsed: 0 }
    return {
      ...none,
      ...{ name, role: 'feature', type: 'numeric', resolution, edges, singles, range, counts: [...counts] },
      below: values.filter((value) => value < range[0]).length,
      above: values.filter((value) => value > range[1]).length,
      min: Math.min(...values),
      max: Math.max(...values),
    }
  }
  return [counted(before), counted(after)]
}

function categoryPair(
  name: string,
  before: readonly string[],
  after: readonly string[],
): [ColumnProfile, ColumnProfile] {
  const count = (values: readonly string[]) => {
    const counts = new Map<string, number>()
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
    return counts
  }
  const [a, b] = [count(before), count(after)]
  const categories = [...a].sort(([x, n], [y, m]) => m - n || (x < y ? -1 : 1)).map(([category]) => category)
  const fresh = [...b].filter(([category]) => !a.has(category))
  const base = { name, role: 'feature', type: 'categorical', missing: 0, categories, complete: true, other: 0 } as const
  return [
    { ...base, counts: categories.map((category) => a.get(category) ?? 0), new: 0, newValues: {} },
    {
      ...base,
      counts: categories.map((category) => b.get(category) ?? 0),
      new: fresh.reduce((sum, [, n]) => sum + n, 0),
      newValues: Object.fromEntries(fresh),
    },
  ]
}

function compare(pairs: readonly [ColumnProfile, ColumnProfile][], n: number, m: number) {
  const profile = (side: 0 | 1, rows: number): Profile => {
    const columns = pairs.map((pair) => pair[side])
    const definition = definitionDigest(pairs.map(([before]) => before))
    return { format: 1, kind: 'profile', definition, rows, columns, absent: [], extra: [] }
  }
  return compareProfiles(profile(0, n), profile(1, m), { metric: 'psi' })
}

/** Ten columns of the shapes that make drift detectors cry wolf. */
function tenColumns(n: number, m: number, normal: Draw, uniform: Draw, shift = 0): [ColumnProfile, ColumnProfile][] {
  const sample = (size: number, draw: Draw) => Float64Array.from({ length: size }, draw)
  const numeric = (name: string, draw: Draw) => numericPair(name, sample(n, draw), sample(m, draw))
  const words = (size: number, draw: () => string) => Array.from({ length: size }, draw)
  const category = (name: string, draw: () => string) => categoryPair(name, words(n, draw), words(m, draw))
  const zipf = () => `z${Math.floor(Math.exp(uniform() * Math.log(5_000)))}`
  return [
    numericPair(
      'shifted',
      sample(n, normal),
      sample(m, () => normal() + shift),
    ),
    numeric('normal', normal),
    numeric('ties', () => (uniform() < 0.7 ? 0 : normal())),
    numeric('lognormal', () => Math.exp(2 * normal())),
    numeric('integers', () => Math.floor(6 * uniform())),
    numeric('rounded', () => Math.round(10 * normal())),
    category('two', () => (uniform() < 0.3 ? 'yes' : 'no')),
    category('forty', () => `c${Math.floor(40 * uniform() ** 2)}`),
    category('zipf', zipf),
    category('uniform thousand', () => `u${Math.floor(1_000 * uniform())}`),
  ]
}

describe('The verdict without drift and with it', function () {
  this.timeout(120_000)

  for (const [n, m, rounds] of [
    [1_000, 100, 120],
    [1_000, 1_000, 80],
    [5_000, 1_000, 60],
    [4_000, 4_000, 40],
  ] as const) {
    it(`cries wolf in at most 5 % of the checks of ${m} rows against ${n} without drift`, () => {
      const [normal, uniform] = [normalStream(n + m), uniformStream(n * 7 + m)]
      let alarms = 0
      for (let round = 0; round < rounds; round++) {
        if (compare(tenColumns(n, m, normal, uniform), n, m).verdict === 'drift') alarms++
      }
      assert.ok(alarms <= 0.05 * rounds, `${alarms} false alarms in ${rounds} checks`)
    })
  }

  it('finds a shift of half a standard deviation in one of ten columns, and names it first', () => {
    const [normal, uniform] = [normalStream(11), uniformStream(12)]
    let found = 0
    const rounds = 30
    for (let round = 0; round < rounds; round++) {
      const result = compare(tenColumns(2_000, 1_000, normal, uniform, 0.5), 2_000, 1_000)
      if (result.verdict === 'drift' && result.columns[0]?.column === 'shifted') found++
    }
    assert.ok(found >= 0.95 * rounds, `found in ${found} of ${rounds} checks`)
  })

  it('does not alarm at a shift that is real but too small to matter', () => {
    const [normal, uniform] = [normalStream(21), uniformStream(22)]
    const result = compare(tenColumns(40_000, 40_000, normal, uniform, 0.1), 40_000, 40_000)
    assert.equal(result.verdict, 'stable')
    assert.equal(result.columns.find(({ column }) => column === 'shifted')?.verdict, 'negligible')
  })

  it('calls a handful of rows inconclusive and says how many are needed, and that many are enough', () => {
    const [normal, uniform] = [normalStream(31), uniformStream(32)]
    const few = compare(tenColumns(5_000, 20, normal, uniform), 5_000, 20)
    assert.equal(few.verdict, 'inconclusive')
    const needed = Number(/about ([\d,]+) are needed/.exec(few.summary)?.[1]?.replaceAll(',', ''))
    assert.ok(needed > 20 && needed < 1_000, few.summary)
    const enough = compare(tenColumns(5_000, needed, normal, uniform), 5_000, needed)
    assert.notEqual(enough.verdict, 'inconclusive', enough.summary)
  })
})
