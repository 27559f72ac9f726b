/** Chunks of one source: counted as a file of the same rows is counted, and together they are the whole. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { namedData } from '../../../src/data/input.ts'
import { profileBatch } from '../../../src/drift/baseline.ts'
import { type ChunkPlan, chunkOfRow, countChunks, countRows } from '../../../src/drift/count-chunks.ts'
import { smallestShifts } from '../../../src/drift/detectable.ts'
import { mergeProfiles, type Profile, profileBytes } from '../../../src/drift/profile.ts'
import { restOf } from '../../../src/drift/rest.ts'
import { shuffler } from '../../../src/drift/shuffle.ts'
import { skipBecause } from '../../support/skip.ts'
import { DATA, type Folder, folder } from './support.ts'

describe('Chunks of a source', function () {
  this.timeout(60_000)
  let here: Folder
  beforeEach(() => {
    here = folder()
  })
  afterEach(() => here.remove())

  it('are counted as files of the same rows are, odd values and new categories too', async () => {
    const row = (i: number) => {
      const number = i % 11 === 0 ? '' : i % 17 === 0 ? 'n/a' : i % 23 === 0 ? 'inf' : String((i * 37) % 101)
      const word = i > 2500 && i % 5 === 0 ? `new-${i % 3}` : i % 13 === 0 ? '' : (['a', 'b', '1.0'][i % 3] ?? '')
      return `${number},${word},${9_007_199_254_740_993n + BigInt(i % 40)},text number ${i}`
    }
    const header = 'number,word,big,text\n'
    const rows = Array.from({ length: 5003 }, (_, i) => row(i))
    here.write('before.csv', `${header}${rows.slice(0, 2400).join('\n')}\n`)
    const later = rows.map((line, i) => (i === 4000 ? line.replace(/^[^,]*/, '-5') : line))
    here.write('all.csv', `${header}${later.join('\n')}\n`)
    const { profile } = await here.baseline('before.csv')
    const plan = { total: 5003, chunks: 7, rows: 700 }
    const chunks = await chunksOf(here, profile, 'all.csv', plan)
    const stride = Math.floor(5003 / 7)
    for (const [i, chunk] of chunks.entries()) {
      here.write('part.csv', `${header}${later.slice(i * stride, i * stride + 700).join('\n')}\n`)
      const alone = await profileBatch(profile, 'part.csv', { cwd: here.path })
      assert.deepEqual(chunk, alone.profile, `chunk ${i}`)
    }
  })

  for (const name of ['telco-churn.csv', 'adult.parquet']) {
    for (const seed of [undefined, 7]) {
      it(`of ${name} ${seed === undefined ? 'as they come' : 'shuffled'} add up to the whole`, async function () {
        if (!existsSync(join(DATA, name))) skipBecause(this, 'the real data sets are not here')
        here.write(name, readFileSync(join(DATA, name)))
        const { profile } = await here.baseline(name)
        const rows = 1 + Math.floor(Math.sqrt(profile.rows))
        const chunks = Math.floor(profile.rows / rows)
        const total = chunks * rows
        // The last rows are left over when contiguous chunks do not fit exactly: here they must.
        const plan = { total: profile.rows, chunks, rows, ...(seed === undefined ? {} : { seed }) }
        const parts = await chunksOf(here, profile, name, plan)
        assert.ok(parts.every((part) => part.rows === rows && part.definition === profile.definition))
        const sum = parts.reduce(mergeProfiles)
        assert.equal(sum.rows, total)
        const rest = restOf(profile, sum)
        assert.ok(total === profile.rows || rest?.rows === profile.rows - total, 'a part of the whole')
        for (const part of parts.slice(0, 3)) {
          const others = restOf(profile, part)
          assert.ok(others)
          const whole = { ...mergeProfiles(others, part), extra: [] }
          assert.deepEqual(profileBytes(whole), profileBytes(profile))
        }
      })
    }
  }

  it('are drawn without replacement, the same ones for the same seed', () => {
    for (const size of [1, 2, 17, 1000, 4097]) {
      const [a, b, other] = [shuffler(size, 3), shuffler(size, 3), shuffler(size, 4)]
      const places = Array.from({ length: size }, (_, row) => a(row))
      assert.deepEqual(
        [...places].sort((x, y) => x - y),
        Array.from({ length: size }, (_, row) => row),
      )
      assert.deepEqual(
        places,
        Array.from({ length: size }, (_, row) => b(row)),
      )
      if (size > 100)
        assert.notDeepEqual(
          places,
          Array.from({ length: size }, (_, row) => other(row)),
        )
    }
    // Rows of every stretch of the file end up in every chunk.
    const chunk = chunkOfRow({ total: 10_000, chunks: 10, rows: 1000, seed: 1 })
    for (let from = 0; from < 10_000; from += 1000) {
      const seen = new Array<number>(10).fill(0)
      for (let row = from; row < from + 1000; row++) seen[chunk(row)] = (seen[chunk(row)] ?? 0) + 1
      assert.ok(
        seen.every((rows) => rows > 60 && rows < 150),
        String(seen),
      )
    }
  })

  it('are spread evenly over more rows than they take', () => {
    const chunk = chunkOfRow({ total: 1000, chunks: 4, rows: 10 })
    const taken = Array.from({ length: 1000 }, (_, row) => row).filter((row) => chunk(row) >= 0)
    assert.equal(taken.length, 40)
    assert.deepEqual([taken[0], taken[10], taken[20], taken[30]], [0, 250, 500, 750])
  })
})

describe('The smallest shift that a threshold detects', () => {
  it('is about the root of PSI in sigma, and a share of the rows for categories', async () => {
    const here = folder()
    try {
      const lines = Array.from({ length: 4000 }, (_, i) => {
        const z = probit((i + 0.5) / 4000)
        return `${(5 + 2 * z).toFixed(6)},${i % 10 < 7 ? 'a' : 'b'},${Math.round(z)},same`
      })
      here.write('normal.csv', `x,word,whole,constant\n${lines.join('\n')}\n`)
      const { profile } = await here.baseline('normal.csv')
      const column = (name: string) => profile.columns.find((each) => each.name === name) as Profile['columns'][number]
      const [small, large, none] = smallestShifts(column('x'), 'psi', [0.1, 0.4, 50]) ?? []
      // PSI of a shift by d sigma is d² for a normal column; ten groups see a little less.
      assert.ok(small?.value && small.value > 0.31 && small.value < 0.34, String(small?.value))
      assert.ok(large?.value && large.value > 0.62 && large.value < 0.68, String(large?.value))
      assert.deepEqual(none, { unit: 'sigma', value: null })
      const [ks] = smallestShifts(column('x'), 'ks', [0.1]) ?? []
      // KS of a shift by d: 2 Φ(d/2) - 1, so d = 0.2513 for 0.1.
      assert.ok(ks?.value && Math.abs(ks.value - 0.2513) < 0.005, String(ks?.value))
      // Whole numbers have gaps that a shift of each value would fall into; its ranks have none.
      const [whole] = smallestShifts(column('whole'), 'psi', [0.1]) ?? []
      assert.ok(whole?.value && whole.value > 0.25 && whole.value < 0.45, String(whole?.value))
      const [word] = smallestShifts(column('word'), 'linf', [0.1]) ?? []
      assert.ok(word?.unit === 'share' && Math.abs((word.value ?? 0) - 0.1) < 0.001, String(word?.value))
      assert.equal(smallestShifts(column('constant'), 'psi', [0.1]), undefined)
    } finally {
      here.remove()
    }
  })
})

async function chunksOf(here: Folder, profile: Profile, name: string, plan: ChunkPlan): Promise<Profile[]> {
  const chunks: Profile[] = []
  const expected = profile.columns.map((column) => column.name)
  await namedData(name).open({ cwd: here.path, expected }, async (source) => {
    assert.equal(await countRows(source), plan.total)
    await countChunks(profile, source, plan, (chunk, counted) => {
      assert.equal(chunks[chunk], undefined, 'each chunk once')
      chunks[chunk] = counted
    })
  })
  assert.equal(chunks.length, plan.chunks)
  return chunks
}

/** By bisection over a series of the error function: slow and plain. */
function probit(p: number): number {
  let [low, high] = [-8, 8]
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (cumulative(middle) < p) low = middle
    else high = middle
  }
  return low
}

function cumulative(z: number): number {
  let [sum, term] = [z, z]
  for (let i = 1; i < 200; i++) {
    term *= (-z * z) / (2 * i)
    sum += term / (2 * i + 1)
  }
  return 0.5 + sum / Math.sqrt(2 * Math.PI)
}
