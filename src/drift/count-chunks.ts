/**
 * Counting many chunks of one source into fixed definitions: as few passes as fit into flat memory, each chunk counted by
 * the counters of a real check. Which chunks there are is decided by a `ChunkPlan`; what they mean, by the caller.
 */
import { type Chunk, isPresent, type Vector } from '../data/duck.ts'
import type { Source } from '../data/source.ts'
import { counterFor, takeMask } from './count.ts'
import { type Counter, MOST_FOUND } from './counter.ts'
import { type ColumnProfile, NEW_ROWS, type Profile } from './profile.ts'
import { shuffler } from './shuffle.ts'

export interface ChunkPlan {
  /** Rows of the source. */
  readonly total: number
  /** Chunks, and rows of each. */
  readonly chunks: number
  readonly rows: number
  /** Undefined: contiguous rows, spread evenly over the source; else rows drawn without replacement. */
  readonly seed?: number
}

/** Counters that are open at once, each of some 32 KiB. */
const MOST_COUNTERS = 1500

/** Zero-based row of the source -> chunk, or -1. */
export function chunkOfRow({ total, chunks, rows, seed }: ChunkPlan): (row: number) => number {
  if (seed !== undefined) {
    const place = shuffler(total, seed)
    return (row) => {
      const chunk = Math.floor(place(row) / rows)
      return chunk < chunks ? chunk : -1
    }
  }
  const stride = Math.floor(total / chunks)
  return (row) => {
    const chunk = Math.floor(row / stride)
    return chunk < chunks && row - chunk * stride < rows ? chunk : -1
  }
}

/** The first row of a contiguous chunk. */
export const firstRowOf = ({ total, chunks }: ChunkPlan, chunk: number): number => chunk * Math.floor(total / chunks)

export const countRows = async (source: Source): Promise<number> =>
  Number((await source.duck.rows(`SELECT count(*) FROM ${source.relation}`))[0]?.[0] ?? 0)

/**
 * @param onProfile gets each chunk once, as soon as it is counted
 * @throws RangeError when the source has fewer rows than the plan says: the caller has counted them
 */
export async function countChunks(
  baseline: Profile,
  source: Source,
  plan: ChunkPlan,
  onProfile: (chunk: number, profile: Profile) => void,
  progress?: (fraction: number) => void,
): Promise<void> {
  const chunkOf = chunkOfRow(plan)
  const found = new Map(source.columns.map((column) => [column.name, column]))
  const present = baseline.columns.filter(({ name }) => found.has(name))
  const names = await newValues(present, source, plan)
  // Contiguous chunks are finished one after the other; shuffled ones are open all at once.
  const atOnce =
    plan.seed === undefined ? plan.chunks : Math.max(1, Math.floor(MOST_COUNTERS / Math.max(1, present.length)))
  const passes = Math.ceil(plan.chunks / atOnce)
  for (let pass = 0; pass < passes; pass++) {
    const [from, to] = [pass * atOnce, Math.min(plan.chunks, (pass + 1) * atOnce)]
    await countPass({
      present,
      source,
      chunkOf: (row) => {
        const chunk = chunkOf(row)
        return chunk >= from && chunk < to ? chunk : -1
      },
      plan,
      onCounted: (chunk, counters) => onProfile(chunk, profileOf(baseline, source, chunk, counters, names, plan.rows)),
      progress: (rows) => progress?.((pass + rows / plan.total) / passes),
    })
  }
}

interface Pass {
  readonly present: readonly ColumnProfile[]
  readonly source: Source
  readonly chunkOf: (row: number) => number
  readonly plan: ChunkPlan
  readonly onCounted: (chunk: number, counters: readonly Counter[]) => void
  readonly progress: (rows: number) => void
}

async function countPass({ present, source, chunkOf, plan, onCounted, progress }: Pass): Promise<void> {
  const found = new Map(source.columns.map((column) => [column.name, column]))
  const countersOf = (): Counter[] =>
    present.flatMap((definition) => {
      const column = found.get(definition.name)
      return column === undefined ? [] : [counterFor(definition, column.sql, column.physical)]
    })
  const model = countersOf()
  const masked = model.flatMap(({ mask }, index) => (mask === undefined ? [] : [{ mask, index }]))
  const groups = Array.from({ length: Math.ceil(masked.length / 31) }, (_, i) => masked.slice(31 * i, 31 * (i + 1)))
  const maskSql = groups.map((group) =>
    group.map(({ mask }, bit) => `CASE WHEN ${mask} THEN ${2 ** bit} ELSE 0 END`).join(' + '),
  )
  const select = [...model.map((each) => each.select), ...maskSql.map((sql) => `CAST(${sql} AS INTEGER)`), ROW]
  const open = new Map<number, { readonly counters: Counter[]; seen: number }>()
  let seen = 0
  const take = (chunkIndex: number, chunk: Chunk, picked: readonly number[]) => {
    const state = open.get(chunkIndex) ?? { counters: countersOf(), seen: 0 }
    open.set(chunkIndex, state)
    state.counters.forEach((counter, i) => {
      counter.take(pick(chunk.vector(i), picked), picked.length)
    })
    groups.forEach((group, i) => {
      const counters = group.flatMap(({ index }) => state.counters[index] ?? [])
      takeMask(counters, pick(chunk.vector(model.length + i), picked), picked.length)
    })
    state.seen += picked.length
    if (state.seen < plan.rows) return
    open.delete(chunkIndex)
    onCounted(chunkIndex, state.counters)
  }
  await source.duck.stream(`SELECT ${select.join(', ')} FROM ${numbered(source, plan)}`, (chunk) => {
    const { items } = chunk.vector(model.length + groups.length)
    const byChunk = new Map<number, number[]>()
    for (let row = 0; row < chunk.rows; row++) {
      const at = chunkOf((items[row] as number) - 1)
      if (at < 0) continue
      const list = byChunk.get(at)
      if (list === undefined) byChunk.set(at, [row])
      else list.push(row)
    }
    for (const [at, picked] of byChunk) take(at, chunk, picked)
    seen = Math.max(seen, items[chunk.rows - 1] as number)
    progress(seen)
  })
  if (open.size > 0) throw new RangeError('the source has fewer rows than were counted')
}

const ROW = 'mlops_row'
/** The rows of the chunks, each with its number, from 1 on. Which shuffled rows those are, only we can compute. */
const numbered = ({ relation }: Source, { total, chunks, rows, seed }: ChunkPlan): string => {
  const all = `SELECT *, row_number() OVER () AS row_number_ FROM ${relation}`
  const taken = seed === undefined ? `(row_number_ - 1) % ${Math.floor(total / chunks)} < ${rows}` : 'true'
  return `(SELECT *, CAST(row_number_ AS DOUBLE) AS ${ROW} FROM (${all}) WHERE ${taken})`
}

/** Some rows of a vector, as a vector of their own. */
function pick(vector: Vector, rows: readonly number[]): Vector {
  const { items, mask } = vector
  const first = rows[0] ?? 0
  const isAll = rows.length > 0 && first === 0 && rows.at(-1) === rows.length - 1
  if (isAll) return vector
  const picked = pickItems(items, rows)
  return {
    items: picked as ArrayLike<number>,
    longs: picked as unknown as ArrayLike<bigint>,
    mask: mask === undefined ? undefined : pickBits(mask, rows),
    text: (row) => vector.text(rows[row] ?? 0),
  }
}

type Items = ArrayLike<number> & { readonly constructor: unknown }

function pickItems(items: Items, rows: readonly number[]): ArrayLike<number> {
  if (!ArrayBuffer.isView(items)) return rows.map((row) => items[row] as number)
  // Of the same kind: counters read 64-bit integers as such.
  const Kind = items.constructor as new (length: number) => number[]
  const picked = new Kind(rows.length)
  rows.forEach((row, i) => {
    picked[i] = items[row] as number
  })
  return picked
}

function pickBits(mask: Uint8Array, rows: readonly number[]): Uint8Array {
  const bits = new Uint8Array((rows.length >> 3) + 1)
  rows.forEach((row, i) => {
    if (isPresent(mask, row)) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7))
  })
  return bits
}

type NewValues = ReadonlyMap<string, ReadonlyMap<string, number>> | null

const keyOf = (chunk: number, column: string): string => `${chunk}\0${column}`

/** What the definitions have no code for, by chunk and column; null when there is too much of it to be named. */
async function newValues(present: readonly ColumnProfile[], source: Source, plan: ChunkPlan): Promise<NewValues> {
  const chunkOf = chunkOfRow(plan)
  const found = new Map(source.columns.map((column) => [column.name, column]))
  const named = present.flatMap((definition) => {
    const column = found.get(definition.name)
    const isNamed = definition.type === 'categorical' && definition.complete && column !== undefined
    if (!isNamed) return []
    const { mask } = counterFor(definition, column.sql, column.physical)
    return mask === undefined ? [] : [{ name: definition.name, mask, text: `CAST(${column.sql} AS VARCHAR)` }]
  })
  const byKey = new Map<string, Map<string, number>>()
  if (named.length === 0) return byKey
  const values = named.map(({ mask, text }) => `CASE WHEN ${mask} THEN ${text} END`)
  let rows = 0
  await source.duck.stream(
    `SELECT ${ROW}, position, value FROM
       (SELECT ${ROW}, unnest([${values.join(', ')}]) AS value, unnest(range(${named.length}))::DOUBLE AS position
        FROM ${numbered(source, plan)} WHERE ${named.map(({ mask }) => mask).join(' OR ')})
     WHERE value IS NOT NULL LIMIT ${NEW_ROWS + 1}`,
    (chunk) => {
      const [at, position, value] = [chunk.vector(0), chunk.vector(1), chunk.vector(2)]
      for (let row = 0; row < chunk.rows; row++) {
        rows++
        const chunkIndex = chunkOf((at.items[row] as number) - 1)
        if (chunkIndex < 0) continue
        const key = keyOf(chunkIndex, named[position.items[row] as number]?.name ?? '')
        const counts = byKey.get(key) ?? new Map<string, number>()
        const text = value.text(row) ?? ''
        counts.set(text, (counts.get(text) ?? 0) + 1)
        byKey.set(key, counts)
      }
    },
  )
  return rows > NEW_ROWS ? null : byKey
}

function profileOf(
  baseline: Profile,
  source: Source,
  chunk: number,
  counters: readonly Counter[],
  names: NewValues,
  rows: number,
): Profile {
  for (const counter of counters) {
    if (counter.unnamed === undefined) continue
    const found = names?.get(keyOf(chunk, counter.name))
    counter.nameValues?.(names === null ? TOO_MANY : [...(found ?? [])])
  }
  const counted = new Map(counters.map((counter) => [counter.name, counter]))
  const absent = baseline.columns.flatMap(({ name }) => (isAbsent(counted.get(name), name, source) ? [name] : []))
  const known = new Set(baseline.columns.map(({ name }) => name))
  return {
    format: 1,
    kind: 'profile',
    definition: baseline.definition,
    rows,
    columns: baseline.columns.map((column) => counted.get(column.name)?.finish() ?? column),
    absent,
    extra: source.columns.flatMap(({ name }) => (known.has(name) ? [] : [name])).sort(),
  }
}

/** As `Counter.nameValues` is told that there were more. */
const TOO_MANY = Array.from({ length: MOST_FOUND }, (_, i) => [String(i), 1] as const)

/** JSON has no schema: a key that no row of the source has is an absent column. */
const isAbsent = (counter: Counter | undefined, name: string, source: Source): boolean =>
  counter === undefined || (source.format === 'jsonl' && counter.seen === 0 && !source.keys?.has(name))
