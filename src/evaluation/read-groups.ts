/** The group columns of a held-out file: which have few enough values to cut the rows by, and the value of each row. */
import { type Chunk, isPresent } from '../data/duck.ts'
import type { Source } from '../data/source.ts'
import { placeAmong, textOf } from './column-sql.ts'
import type { GroupColumn } from './types.ts'

/** A column of more different values is no partition that anybody reads: an id, a time, a quantity. */
export const MOST_GROUPS = 200
/** Places in memory for all columns together, 2 bytes each. */
const MOST_PLACES = 200_000_000

export interface GroupReader {
  /** SQL of the places, one per column that is read. */
  readonly list: readonly string[]
  /** Takes a chunk whose columns from `first` on are those of `list`. */
  readonly take: (chunk: Chunk, first: number, rowAt: (row: number) => number) => void
  readonly columns: Readonly<Record<string, GroupColumn>>
}

export async function groupReader(source: Source, names: readonly string[], rows: number): Promise<GroupReader> {
  const columns: Record<string, GroupColumn> = Object.create(null)
  const read: { readonly sql: string; readonly codes: Int16Array }[] = []
  const found = await valuesOf(source, names)
  for (const [name, { sql, values }] of found) {
    const fits = values !== null && (read.length + 1) * rows <= MOST_PLACES
    const codes = fits ? new Int16Array(rows).fill(-1) : null
    columns[name] = { values: values ?? [], codes }
    if (codes !== null && values !== null && values.length > 0) read.push({ sql: placeAmong(sql, values), codes })
  }
  return {
    list: read.map(({ sql }) => sql),
    columns,
    take(chunk, first, rowAt) {
      read.forEach(({ codes }, index) => {
        const { items, mask } = chunk.vector(first + index)
        for (let row = 0; row < chunk.rows; row++) {
          if (isPresent(mask, row)) codes[rowAt(row)] = items[row] as number
        }
      })
    },
  }
}

type Values = Map<string, { readonly sql: string; readonly values: readonly string[] | null }>

/** Two passes for all columns: an estimate, then the values of those that can be meant. */
async function valuesOf(source: Source, names: readonly string[]): Promise<Values> {
  const columns = source.columns.filter(
    ({ name, physical }) => names.includes(name) && physical !== 'nested' && physical !== 'binary',
  )
  const all = columns.map((column) => ({ name: column.name, sql: textOf(column) }))
  if (all.length === 0) return new Map()
  const ask = async (list: readonly string[]): Promise<unknown[]> => {
    const [row] = await source.duck.rows(`SELECT ${list.join(', ')} FROM ${source.relation}`)
    return row ?? []
  }
  const estimates = (await ask(all.map(({ sql }) => `approx_count_distinct(${sql})`))).map(Number)
  const few = all.filter((_, index) => (estimates[index] ?? 0) <= 2 * MOST_GROUPS)
  // One text for all values of a column: a list of DuckDB is dearer to read than JSON.
  const lists = few.length === 0 ? [] : await ask(few.map(({ sql }) => `to_json(list(DISTINCT ${sql}))::VARCHAR`))
  const values = new Map(few.map(({ name }, index) => [name, textsOf(lists[index])]))
  return new Map(all.map(({ name, sql }) => [name, { sql, values: values.get(name) ?? null }]))
}

function textsOf(json: unknown): readonly string[] | null {
  const list: unknown = json === null || json === undefined ? [] : JSON.parse(String(json))
  const texts = Array.isArray(list) ? list.filter((value): value is string => typeof value === 'string') : []
  return texts.length > MOST_GROUPS ? null : texts.sort()
}
