/** Drift within segments: each against itself, small ones marked, the family corrected, counts stored and read again. */
import assert from 'node:assert/strict'
import { MlopsError } from '../../../src/core/errors.ts'
import { profileBatch } from '../../../src/drift/baseline.ts'
import { countSegments, parseSegments, segmentsBytes } from '../../../src/drift/count-segments.ts'
import { mergeProfiles, type Profile, profileBytes } from '../../../src/drift/profile.ts'
import { describeSegments, judgeSegments, segmentValues, verdictWithSegments } from '../../../src/drift/segments.ts'
import { normalOf, stream } from '../../simulate/shapes.ts'
import { csv, type Folder, folder } from './support.ts'

let work: Folder
before(() => {
  work = folder()
})
after(() => work.remove())

/** Rows of regions that have always differed; `moved` is added to x in the north. */
function regions(name: string, seed: number, sizes: Readonly<Record<string, number>>, moved = 0): string {
  const uniform = stream(seed)
  const level: Record<string, number> = { north: 0, south: 5, '': -3, tiny: 2 }
  const lines = Object.entries(sizes).flatMap(([region, rows]) =>
    Array.from({ length: rows }, (_, i) => {
      const x = (level[region] ?? 9) + normalOf(uniform) + (region === 'north' ? moved : 0)
      return { key: uniform(), line: `${region},${x.toFixed(4)},${i % 3 === 0 ? 'a' : 'b'}` }
    }),
  )
  return work.write(
    name,
    csv(
      'region,x,plan',
      lines.sort((a, b) => a.key - b.key).map(({ line }) => line),
    ),
  )
}

const SIZES = { north: 2_000, south: 1_500, '': 600, tiny: 60 }
const judge = async (batch: string, sizes: { before?: string } = {}) => {
  const baseline = await work.baseline(sizes.before ?? 'before.csv')
  const reference = await countSegments(sizes.before ?? 'before.csv', 'region', baseline.profile, { cwd: work.path })
  const values = segmentValues(reference)
  const counts = await countSegments(batch, 'region', baseline.profile, { cwd: work.path, values })
  return { baseline, reference, counts, results: judgeSegments(reference, counts, { metric: 'psi' }) }
}

describe('Segments', () => {
  before(() => {
    regions('before.csv', 1, SIZES)
    regions('same.csv', 2, SIZES)
    regions('moved.csv', 3, SIZES, 1)
  })

  it('are compared each with itself: what has always been different is no drift', async () => {
    const { results } = await judge('same.csv')
    assert.deepEqual(
      results.map(({ value, kind, verdict }) => [value, kind, verdict]),
      [
        ['north', 'value', 'stable'],
        ['south', 'value', 'stable'],
        ['(missing)', 'missing', 'stable'],
        ['tiny', 'value', 'small'],
      ],
    )
    assert.equal(verdictWithSegments('stable', results), 'stable')
  })

  it('in drift are named first, with the columns that drifted', async () => {
    const { results } = await judge('moved.csv')
    assert.deepEqual([results[0]?.value, results[0]?.verdict, results[0]?.drifted], ['north', 'drift', ['x']])
    assert.deepEqual(
      results.slice(1).map(({ verdict }) => verdict),
      ['stable', 'stable', 'small'],
    )
    assert.equal(verdictWithSegments('stable', results), 'drift')
    assert.match(describeSegments('region', results) ?? '', /^region = north: x: median /)
  })

  it('that are small are marked and never alarmed, however different they are', async () => {
    regions('few.csv', 4, { north: 40, south: 1_500, '': 600, tiny: 60 }, 50)
    const { results } = await judge('few.csv')
    const north = results.find(({ value }) => value === 'north')
    assert.deepEqual([north?.verdict, north?.rows, north?.reference, north?.drifted], ['small', 40, 2_000, []])
    assert.match(north?.summary ?? '', /has 40 rows; at least 100 on either side are needed/)
    assert.notEqual(verdictWithSegments('stable', results), 'drift')
  })

  it('that vanish are said to have no rows, and new ones are other values', async () => {
    regions('other.csv', 5, { north: 2_000, '': 600, east: 300, west: 20 })
    const { results, counts } = await judge('other.csv')
    const south = results.find(({ value }) => value === 'south')
    assert.deepEqual([south?.verdict, south?.summary], ['small', 'no rows; it had 1,500'])
    const others = results.find(({ kind }) => kind === 'others')
    assert.deepEqual([others?.value, others?.rows, others?.verdict], ['(other values)', 320, 'small'])
    assert.match(others?.summary ?? '', /nothing to compare it with/)
    assert.equal(counts.others?.values, 2)
  })

  it('add up to the whole, to the byte, and are the twenty largest and the rest', async () => {
    const sizes = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`r${i}`, 10 + i]))
    regions('thirty.csv', 6, sizes)
    const baseline = await work.baseline('thirty.csv')
    const counts = await countSegments('thirty.csv', 'region', baseline.profile, { cwd: work.path })
    assert.equal(counts.segments.length, 20)
    assert.deepEqual([counts.segments[0]?.value, counts.others?.values], ['r29', 10])
    const parts = [...counts.segments.map(({ profile }) => profile), counts.others?.profile as Profile]
    assert.deepEqual(profileBytes(parts.reduce(mergeProfiles)), baseline.bytes)
    assert.equal(counts.rows, baseline.profile.rows)
  })

  it('are the same in either spelling of a value', async () => {
    const line = (suffix: string) => (_: unknown, i: number) => `${i % 2}${suffix},${i % 7}`
    work.write('int.csv', csv('region,x', Array.from({ length: 400 }, line(''))))
    work.write('float.csv', csv('region,x', Array.from({ length: 400 }, line('.0'))))
    const { results } = await judge('float.csv', { before: 'int.csv' })
    assert.deepEqual(
      results.map(({ value, rows }) => [value, rows]),
      [
        ['0', 200],
        ['1', 200],
      ],
    )
  })

  it('are stored as counts alone and read again as they were', async () => {
    const { baseline, reference } = await judge('same.csv')
    const bytes = segmentsBytes(reference)
    assert.deepEqual(parseSegments(bytes, baseline.profile, 'm@1'), reference)
    assert.ok(!bytes.toString().includes('"edges"'))
    const other = await work.baseline('int.csv')
    assert.throws(() => parseSegments(bytes, other.profile, 'm@1'), { code: 'PROFILE_UNREADABLE' })
    assert.throws(() => parseSegments(Buffer.from('{}'), baseline.profile, 'm@1'), { code: 'PROFILE_UNREADABLE' })
  })

  it('of a column that the data do not have, or that has a value per row, are refused', async () => {
    const baseline = await work.baseline('before.csv')
    const refusal = async (file: string, by: string) => {
      try {
        await countSegments(file, by, baseline.profile, { cwd: work.path })
      } catch (error) {
        assert.ok(error instanceof MlopsError)
        return [error.code, error.exit, error.hint] as const
      }
      return undefined
    }
    assert.deepEqual(await refusal('before.csv', 'regoin'), [
      'SEGMENT_COLUMN_MISSING',
      'notFound',
      'Did you mean --by region?',
    ])
    work.write(
      'ids.csv',
      csv(
        'region,x,plan',
        Array.from({ length: 10_001 }, (_, i) => `id${i},1,a`),
      ),
    )
    assert.equal((await refusal('ids.csv', 'region'))?.[0], 'SEGMENTS_TOO_MANY')
  })

  it('say nothing of the column itself and of one that the whole batch lacks', async () => {
    const uniform = stream(9)
    const lines = ['north', 'south'].flatMap((region) =>
      Array.from({ length: 1_500 }, () => `${region},${((region === 'north' ? 0 : 5) + normalOf(uniform)).toFixed(4)}`),
    )
    work.write('lacks.csv', csv('region,x', lines))
    const { results, baseline } = await judge('lacks.csv')
    assert.deepEqual(
      results.filter(({ verdict }) => verdict === 'drift'),
      [],
    )
    const batch = await profileBatch(baseline.profile, 'lacks.csv', { cwd: work.path })
    assert.deepEqual(batch.profile.absent, ['plan'])
  })
})
