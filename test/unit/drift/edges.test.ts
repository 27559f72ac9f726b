/** Edges and bins: the properties on which everything else is built. */
import assert from 'node:assert/strict'
import { Binner, bigBin } from '../../../src/drift/binning.ts'
import { chooseBigEdges, chooseEdges, MAX_CUTS } from '../../../src/drift/edges.ts'
import { normalStream, uniformStream } from '../../../src/drift/measures.ts'
import { toNumber } from '../../../src/drift/profile.ts'

const uniform = uniformStream(5)
const normal = normalStream(6)
const sample = (size: number, draw: () => number) => Float64Array.from({ length: size }, draw).sort()

const SHAPES: Readonly<Record<string, Float64Array>> = {
  normal: sample(20_000, normal),
  'log-normal': sample(20_000, () => Math.exp(4 * normal())),
  'one value': sample(500, () => 0.1),
  'two values': sample(500, () => (uniform() < 0.5 ? -1 : 1e-3)),
  'mostly zero': sample(5_000, () => (uniform() < 0.7 ? 0 : normal())),
  cents: sample(5_000, () => Math.round(100 * uniform()) / 100),
  'neighbouring float32': sample(2_000, () => 1 + Math.floor(6 * uniform()) * 2 ** -23),
  'an outlier': sample(5_000, () => (uniform() < 0.001 ? 1e6 : normal())),
  huge: sample(2_000, () => 1e300 * uniform()),
  tiny: sample(2_000, () => 1e-300 * uniform()),
  'seconds since 1970': sample(5_000, () => 1_700_000_000 + uniform() * 1e5),
  'whole numbers over 2^24': sample(5_000, () => 2 ** 30 + Math.floor(uniform() * 300)),
  none: new Float64Array(0),
}

describe('Edges', () => {
  for (const [name, values] of Object.entries(SHAPES)) {
    it(`of ${name} ascend, are few, and keep each heavy value alone in its bin`, () => {
      const { edges, singles, resolution } = chooseEdges(values)
      const numbers = edges.map(toNumber)
      numbers.forEach((edge, i) => {
        assert.ok(Number.isFinite(edge) && (i === 0 || edge > (numbers[i - 1] ?? 0)), `edge ${i} of ${name}: ${edge}`)
      })
      assert.ok(edges.length <= 3 * MAX_CUTS, `${edges.length} edges`)
      const binner = new Binner(Float64Array.from(numbers))
      const heavy = new Map(singles.map(([bin, value]) => [bin, toNumber(value)]))
      const limit = Math.max(2, values.length / MAX_CUTS)
      const counts = new Map<number, number>()
      for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
      for (const [value, count] of counts) {
        const bin = binner.of(value)
        const alone = heavy.get(bin)
        if (count >= limit) assert.notEqual(alone, undefined, `${value} is heavy`)
        // What shares a heavy value's bin is that value but for rounding.
        if (alone !== undefined)
          assert.ok(Math.abs(value - alone) <= Math.abs(alone) * 2e-7 + 1e-44, `${value}, ${alone}`)
      }
      assert.ok(name !== 'whole numbers over 2^24' || resolution === 'integer')
    })

    it(`puts float32 copies of ${name} into the same bins, when float32 can tell them apart`, () => {
      const { edges, resolution } = chooseEdges(values.filter((_, i) => i % 2 === 0))
      if (resolution !== 'float32') return
      const binner = new Binner(Float64Array.from(edges, toNumber))
      for (const value of values) assert.equal(binner.of(Math.fround(value)), binner.of(value), String(value))
    })
  }

  it('tell neighbouring float32 values apart when both are heavy', () => {
    const values = SHAPES['neighbouring float32'] ?? new Float64Array()
    const { edges, singles } = chooseEdges(values)
    const binner = new Binner(Float64Array.from(edges, toNumber))
    assert.equal(singles.length, 6)
    assert.equal(new Set([...values].map((value) => binner.of(value))).size, 6)
  })

  it('keep whole numbers beyond 2^53 apart, at the ends of 64 bits too', () => {
    const values = [-(2n ** 63n), 2n ** 53n, 2n ** 53n + 1n, 2n ** 53n + 2n, 2n ** 63n - 1n]
    const { edges, singles } = chooseBigEdges(BigInt64Array.from(values.flatMap((value) => [value, value, value])))
    const binsOf = values.map((value) => bigBin(BigInt64Array.from(edges, BigInt), value))
    assert.equal(new Set(binsOf).size, values.length)
    assert.deepEqual(
      singles.map(([, value]) => BigInt(value)),
      values,
    )
  })

  it('are found by the grid exactly as by comparing one after the other', () => {
    for (const values of Object.values(SHAPES)) {
      const edges = Float64Array.from(chooseEdges(values).edges, toNumber)
      const binner = new Binner(edges)
      const probes = [...edges, ...values.filter((_, i) => i % 37 === 0), 0, -1e308, 1e308, Number.MIN_VALUE]
      for (const probe of probes) {
        let expected = 0
        while (expected < edges.length && (edges[expected] as number) < probe) expected++
        assert.equal(binner.of(probe), expected, String(probe))
      }
    }
  })
})
