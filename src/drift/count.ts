/**
 * Counting a source into fixed definitions: one pass, flat memory, integers only. A baseline is counted by the same
 * code as every later batch. Which edges and categories there are was decided before; how one column is counted is in
 * `count-numbers.ts` and `count-categories.ts`.
 */

import type { Chunk, Vector } from '../data/duck.ts'
import type { Physical, Source } from '../data/source.ts'
import { CategoryCounter, PresenceCounter } from './count-categories.ts'
import { BigCounter, NumericCounter } from './count-numbers.ts'
import { type Counter, MOST_FOUND } from './counter.ts'
import { type ColumnProfile, NEW_ROWS } from './profile.ts'

export interface Counted {
  readonly rows: number
  readonly columns: readonly ColumnProfile[]
  readonly absent: readonly string[]
  readonly extra: readonly string[]
}

/** Wide data are read in several passes: the memory of one is proportional to its columns. */
export const COLUMNS_AT_ONCE = 250

/** @param definitions columns whose counts are ignored: only how to count is taken from them */
export async function countInto(
  definitions: readonly ColumnProfile[],
  source: Source,
  progress?: (rows: number) => void,
): Promise<Counted> {
  const found = new Map(source.columns.map((column) => [column.name, column]))
  const counters = definitions.flatMap((definition) => {
    const column = found.get(definition.name)
    return column === undefined ? [] : [counterFor(definition, column.sql, column.physical)]
  })
  let rows = 0
  const passes = chunksOf(counters, COLUMNS_AT_ONCE)
  for (const [pass, group] of passes.entries()) {
    rows = await countPass(group, source, (done) => progress?.((pass * rows + done) / passes.length))
  }
  if (passes.length === 0) rows = await countPass([], source, () => {})
  await nameNewValues(counters, source)
  const counted = new Map(counters.map((counter) => [counter.name, counter]))
  const names = new Set(definitions.map((definition) => definition.name))
  return {
    rows,
    columns: definitions.map((definition) => counted.get(definition.name)?.finish() ?? withoutCounts(definition)),
    absent: definitions.map(({ name }) => name).filter((name) => isAbsent(name, counted, source)),
    extra: source.columns
      .map(({ name }) => name)
      .filter((name) => !names.has(name))
      .sort(),
  }
}

/** Counts some columns in one pass over the source. @returns the rows of the source */
async function countPass(
  counters: readonly Counter[],
  source: Source,
  progress: (rows: number) => void,
): Promise<number> {
  const masks = chunksOf(
    counters.filter((counter) => counter.mask !== undefined),
    31,
  )
  // A bit per column and row: there was a text, but it is not one of the values the column counts.
  const maskSql = masks.map((group) =>
    group.map((counter, bit) => `CASE WHEN ${counter.mask} THEN ${2 ** bit} ELSE 0 END`).join(' + '),
  )
  const select = [...counters.map((counter) => counter.select), ...maskSql.map((sql) => `CAST(${sql} AS INTEGER)`)]
  let rows = 0
  const onChunk = (chunk: Chunk) => {
    rows += chunk.rows
    counters.forEach((counter, index) => {
      counter.take(chunk.vector(index), chunk.rows)
    })
    masks.forEach((group, index) => {
      takeMask(group, chunk.vector(counters.length + index), chunk.rows)
    })
    progress(rows)
  }
  await source.duck.stream(`SELECT ${select.join(', ') || '1'} FROM ${source.relation}`, onChunk)
  return rows
}

/** Looks again at the rows with values that have no code, to name these: all columns in one pass. */
async function nameNewValues(counters: readonly Counter[], source: Source): Promise<void> {
  for (const group of groupsToName(counters.filter(({ unnamed }) => unnamed !== undefined))) {
    const values = group.map((counter) => `CASE WHEN ${counter.mask} THEN ${counter.unnamed} END`)
    const found = await source.duck.rows(
      `SELECT position, value, count(*) FROM
         (SELECT unnest([${values.join(', ')}]) AS value, unnest(range(${group.length})) AS position
          FROM ${source.relation} WHERE ${group.map(({ mask }) => mask).join(' OR ')})
       WHERE value IS NOT NULL GROUP BY position, value
       QUALIFY row_number() OVER (PARTITION BY position) <= ${MOST_FOUND}`,
    )
    const byPosition: (readonly [string, number])[][] = group.map(() => [])
    for (const [position, value, count] of found) byPosition[Number(position)]?.push([String(value), Number(count)])
    group.forEach((counter, position) => {
      counter.nameValues?.(byPosition[position] ?? [])
    })
  }
}

/** So that the values of one pass fit into memory, even when no two of them are equal. */
function groupsToName(counters: readonly Counter[]): Counter[][] {
  const groups: Counter[][] = []
  let rows = Number.POSITIVE_INFINITY
  for (const counter of counters) {
    rows += counter.odd
    if (rows <= NEW_ROWS) groups.at(-1)?.push(counter)
    else {
      groups.push([counter])
      rows = counter.odd
    }
  }
  return groups
}

/** JSON has no schema: a key that no row has is an absent column. */
const isAbsent = (name: string, counted: ReadonlyMap<string, Counter>, source: Source): boolean => {
  const counter = counted.get(name)
  return counter === undefined || (source.format === 'jsonl' && counter.seen === 0 && !source.keys?.has(name))
}

export function counterFor(definition: ColumnProfile, sql: string, physical: Physical): Counter {
  if (definition.type === 'numeric') {
    return definition.resolution === 'bigint'
      ? new BigCounter(definition, sql, physical)
      : new NumericCounter(definition, sql, physical)
  }
  if (definition.type === 'categorical') return new CategoryCounter(definition, sql)
  return new PresenceCounter(definition, sql)
}

export function takeMask(group: readonly Counter[], vector: Vector, rows: number): void {
  for (let row = 0; row < rows; row++) {
    let mask = vector.items[row] as number
    while (mask !== 0) {
      const counter = group[31 - Math.clz32(mask & -mask)]
      if (counter !== undefined) counter.odd++
      mask &= mask - 1
    }
  }
}

/** A column of a definition that the source does not have: nothing was counted. */
function withoutCounts(definition: ColumnProfile): ColumnProfile {
  if (definition.type === 'numeric') {
    const counts = definition.counts.map(() => 0)
    const none = { nan: 0, positiveInfinity: 0, negativeInfinity: 0, unparsed: 0, below: 0, above: 0 }
    return { ...definition, ...none, counts, missing: 0, min: null, max: null }
  }
  if (definition.type === 'categorical') {
    const counts = definition.counts.map(() => 0)
    return { ...definition, counts, missing: 0, other: 0, new: 0, newValues: {} }
  }
  return { ...definition, missing: 0, present: 0 }
}

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}
