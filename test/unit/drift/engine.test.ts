/** How DuckDB hands rows over - on how many threads, in which chunks, in which order - must not be seen in a profile. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type Chunk, type Duck, type DuckOptions, openDuck } from '../../../src/data/duck.ts'
import { type DataInput, namedData } from '../../../src/data/input.ts'
import { profileBaseline, profileBatch } from '../../../src/drift/baseline.ts'
import { profileBytes } from '../../../src/drift/profile.ts'
import { type Folder, folder } from './support.ts'

const ROWS = 120_000

let work: Folder
before(async function () {
  this.timeout(120_000)
  work = folder()
  // Written by DuckDB: row groups small enough to be read on several threads; everything that is counted occurs.
  const plain = await instanceWithFiles()
  for (const [name, seed] of [
    ['before', 1],
    ['after', 2],
  ] as const) {
    const draw = (k: number) => `(hash(i * 8 + ${k} + ${seed} * 100000007) % 1000003) / 1000003.0`
    const select = `SELECT CASE WHEN ${draw(0)} < 0.1 THEN NULL WHEN ${draw(0)} < 0.101 THEN 'nan'::DOUBLE
        WHEN ${draw(0)} < 0.102 THEN 'inf'::DOUBLE WHEN ${draw(0)} < 0.103 THEN '-inf'::DOUBLE
        ELSE ln(${draw(1)} + 1e-9) * 7 END AS x,
      CASE WHEN ${draw(2)} < 0.6 THEN 0 ELSE round(${draw(3)} * ${seed * 400}) END AS ties,
      9007199254740993 + CAST(${draw(4)} * 1e15 AS BIGINT) AS big,
      CASE WHEN ${draw(5)} < 0.03 THEN NULL ELSE 'c' || CAST(floor(${draw(6)} * ${draw(6)} * ${seed * 3000}) AS INTEGER) END AS plan,
      CASE WHEN ${draw(7)} < 0.02 THEN 'n/a' ELSE CAST(round(${draw(1)}, 3) AS VARCHAR) END AS text,
      i % ${seed + 1} = 0 AS flag FROM range(${ROWS}) t(i)`
    await plain.run(`COPY (${select}) TO '${join(work.path, name)}.parquet' (FORMAT parquet, ROW_GROUP_SIZE 4096)`)
    await plain.run(`COPY (${select}) TO '${join(work.path, name)}.csv' (FORMAT csv, HEADER)`)
  }
  plain.closeSync()
})
after(() => work.remove())

async function instanceWithFiles() {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  return (await DuckDBInstance.create(':memory:')).connect()
}

/** The file, read by another DuckDB than the usual one. */
function readBy(file: string, settings: DuckOptions, change: (duck: Duck) => Duck = (duck) => duck): DataInput {
  const usual = namedData(file)
  return {
    name: file,
    open: (options, use) =>
      usual.open(options, async (source) => {
        const duck = await openDuck([join(work.path, file)], options.signal, settings)
        try {
          return await use({ ...source, duck: change(duck) })
        } finally {
          duck.close()
        }
      }),
  }
}

/** Hands every chunk over in pieces of `size` rows, the last piece first; a multiple of 8, as masks are bytes. */
function inPieces(size: number): (duck: Duck) => Duck {
  const pieces = ({ rows, vector }: Chunk): Chunk[] =>
    Array.from({ length: Math.ceil(rows / size) }, (_, i) => ({
      rows: Math.min(size, rows - i * size),
      vector: (column: number) => {
        const { items, longs, mask, text } = vector(column)
        const slice = <T>(values: ArrayLike<T>) =>
          (values as Float64Array & ArrayLike<T>).slice?.(i * size, (i + 1) * size)
        return {
          items: slice(items) as ArrayLike<number>,
          longs: slice(longs) as unknown as ArrayLike<bigint>,
          mask: mask?.subarray((i * size) / 8),
          text: (row: number) => text(row + i * size),
        }
      },
    })).reverse()
  return (duck) => ({
    ...duck,
    stream: (sql, onChunk) =>
      duck.stream(sql, (chunk) => {
        for (const piece of pieces(chunk)) onChunk(piece)
      }),
  })
}

const SETTINGS: readonly (readonly [string, DuckOptions, ((duck: Duck) => Duck)?])[] = [
  ['one thread', { threads: 1, order: 'free' }],
  ['four threads, rows as they come', { threads: 4, order: 'free' }],
  ['four threads, rows in order', { threads: 4, order: 'kept' }],
  ['pieces of 8 rows, backwards', { threads: 2, order: 'free' }, inPieces(8)],
  ['pieces of 1,000 rows, backwards', { threads: 3, order: 'free' }, inPieces(1000)],
]

for (const ending of ['parquet', 'csv']) {
  describe(`A profile of a ${ending} file of ${ROWS.toLocaleString('en-US')} rows`, function () {
    this.timeout(300_000)
    it('is the same to the byte however the rows are handed over', async () => {
      const counted = async ([, settings, change]: (typeof SETTINGS)[number]) => {
        const cwd = work.path
        const before = await profileBaseline(readBy(`before.${ending}`, settings, change), {
          cwd,
          schema: { columns: {} },
        })
        const after = await profileBatch(before.profile, readBy(`after.${ending}`, settings, change), { cwd })
        return {
          baseline: before.bytes,
          notes: before.notes,
          batch: profileBytes(after.profile),
          profile: after.profile,
        }
      }
      const [first, ...others] = SETTINGS
      assert.ok(first)
      const expected = await counted(first)
      const [x, plan] = ['x', 'plan'].map((name) => expected.profile.columns.find((each) => each.name === name))
      assert.ok(x?.type === 'numeric' && x.nan > 0 && x.positiveInfinity > 0 && x.missing > 0, 'the data hold it all')
      assert.ok(plan?.type === 'categorical' && plan.new > 0 && plan.newValues !== null, 'new categories are named')
      for (const settings of others) {
        const found = await counted(settings)
        assert.ok(found.baseline.equals(expected.baseline), `baseline: ${settings[0]}`)
        assert.ok(found.batch.equals(expected.batch), `batch: ${settings[0]}`)
        assert.deepEqual(found.notes, expected.notes, settings[0])
      }
    })
  })
}
