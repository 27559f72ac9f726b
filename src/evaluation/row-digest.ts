/**
 * Rows as digests of 128 bits, so that the same row of two files has the same one whatever it was written as: CSV, JSON
 * or Parquet, `1` or `1.0`, float32 or float64. What is done with them is in `overlap.ts`.
 */
import { ID_NAME } from '../core/columns.ts'
import { usage } from '../core/errors.ts'
import type { Source, SourceColumn } from '../data/source.ts'
import type { SchemaConfig } from '../project/config.ts'
import type { Words } from './digest-set.ts'

/** What is known of one file before its rows are read. */
export interface FileColumns {
  readonly columns: readonly Pick<SourceColumn, 'name' | 'physical'>[]
  /** Columns that look like the name of a row: by their own name, and with hardly a value twice. */
  readonly ids: readonly string[]
}

/** So many rows are asked whether a column repeats itself, exactly: an estimate over all rows may be a tenth off. */
const ASKED = 100_000
/** An id that stands twice now and then is still one. */
const NEARLY_ALL = 0.99
/** What pandas calls an index that was written along with the rows. */
const WRITTEN_INDEX = /^(?:Unnamed: \d+)?$/

export async function fileColumns(source: Source): Promise<FileColumns> {
  const columns = source.columns.map(({ name, physical }) => ({ name, physical }))
  const suspects = source.columns.filter(({ name }) => ID_NAME.test(name) || WRITTEN_INDEX.test(name))
  const list = suspects.map(({ sql }) => `count(DISTINCT ${sql}) >= ${NEARLY_ALL} * count(*)`)
  const some = `(SELECT * FROM ${source.relation} LIMIT ${ASKED})`
  const [row = []] = list.length === 0 ? [] : await source.duck.rows(`SELECT ${list.join(', ')} FROM ${some}`)
  return { columns, ids: suspects.flatMap(({ name }, index) => (row[index] === true ? [name] : [])) }
}

export type OverlapSchema = Partial<Pick<SchemaConfig, 'columns' | 'prediction'>>

/** Which columns make a row, with what was left out and why. @throws usage `OVERLAP_COLUMNS` */
export function comparedColumns(
  test: FileColumns,
  train: FileColumns,
  schema: OverlapSchema,
): { readonly columns: readonly string[]; readonly notes: readonly string[] } {
  const left = new Map<string, string[]>()
  const leave = (why: string, name: string): void => void left.set(why, [...(left.get(why) ?? []), name])
  const types = schema.columns ?? {}
  const columns = test.columns.flatMap(({ name, physical }): string[] => {
    const other = train.columns.find((column) => column.name === name)
    const type = Object.hasOwn(types, name) ? types[name] : undefined
    const kinds = [physical, other?.physical ?? physical]
    if (other === undefined) leave('not in the training data', name)
    else if (type === 'id' || type === 'ignore') leave(`${type} by mlops.yaml`, name)
    else if (type === undefined && test.ids.includes(name)) leave('names rows', name)
    else if (name === schema.prediction) leave('the prediction', name)
    else if (kinds.some((kind) => kind === 'nested' || kind === 'binary')) leave('no plain values', name)
    else return [name]
    return []
  })
  const notes = [...left].map(([why, names]) => `not compared: ${listed(names)} (${why})`)
  if (columns.length > 0) return { columns, notes }
  throw usage({
    code: 'OVERLAP_COLUMNS',
    message: `The test set and the training data have no column that can be compared${notes.length === 0 ? '' : `: ${notes.join('; ')}`}.`,
    hint: 'Both need the same columns under the same names',
  })
}

const listed = (names: readonly string[]): string =>
  names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`

/** Hands over the digests of all rows, in any order, a chunk at a time: four words each. */
export async function streamDigests(
  source: Source,
  columns: readonly string[],
  use: (words: Words, rows: number) => void,
): Promise<void> {
  const found = columns.flatMap((name) => source.columns.find((each) => each.name === name) ?? [])
  const layer = (list: (column: SourceColumn, index: number) => string, from: string) =>
    `(SELECT ${found.map(list).join(', ')} FROM ${from})`
  // One layer after the other, so that the value of a text is tried once and not in every branch.
  const plain = layer((column, i) => `${plainOf(column)} AS v${i}`, source.relation)
  const tried = layer((column, i) => `v${i}, ${numberIn(column, `v${i}`)} AS n${i}`, plain)
  const hashed = layer((column, i) => `${digestOf(column, `v${i}`, `n${i}`)} AS h${i}`, tried)
  const names = found.map((_, i) => `h${i}`)
  // Two combinations in different orders, 64 bits each.
  const digests = `hash(${names.join(', ')}) AS first, hash(${[...names.toReversed(), '1'].join(', ')}) AS second`
  let words = new Uint32Array(4 * 2048)
  await source.duck.stream(`SELECT ${digests} FROM ${hashed}`, (chunk) => {
    if (words.length < 4 * chunk.rows) words = new Uint32Array(4 * chunk.rows)
    for (const half of [0, 1]) {
      const longs = chunk.vector(half).longs as BigUint64Array
      const pairs = new Uint32Array(longs.buffer, longs.byteOffset, 2 * chunk.rows)
      for (let row = 0; row < chunk.rows; row++) {
        words[4 * row + 2 * half] = pairs[2 * row] as number
        words[4 * row + 2 * half + 1] = pairs[2 * row + 1] as number
      }
    }
    use(words, chunk.rows)
  })
}

/** Whole numbers up to it are exact as doubles. */
const EXACT = 2 ** 53

/** The value as it is; of a time, its microseconds. */
const plainOf = ({ sql, physical }: SourceColumn): string =>
  physical === 'time' ? `epoch_us(CAST(${sql} AS TIMESTAMP))` : sql

/** The number that a value is, if it is one. */
function numberIn({ physical }: SourceColumn, value: string): string {
  if (physical === 'text') return `TRY_CAST(${value} AS DOUBLE)`
  return physical === 'number' || physical === 'int64' ? `CAST(${value} AS DOUBLE)` : 'NULL::DOUBLE'
}

/** The 64-bit hash of one value in its normal form; 0 where it is missing. */
function digestOf({ physical }: SourceColumn, value: string, number: string): string {
  const known = (digest: string) => `CASE WHEN ${value} IS NULL THEN 0::UBIGINT ELSE ${digest} END`
  if (physical === 'boolean') return known(`hash(CAST(${value} AS VARCHAR))`)
  if (physical === 'time') return known(`hash(${value})`)
  if (physical === 'number') return numberDigest(number)
  if (physical === 'text') return textDigest(value, number)
  const isExact = `${value} BETWEEN -${EXACT} AND ${EXACT}`
  return known(`CASE WHEN ${isExact} THEN hash(${number}) ELSE hash(CAST(${value} AS VARCHAR)) END`)
}

/** Whole numbers exactly, fractions to the precision of a float32: a file may have been written in either. */
const numberDigest = (number: string): string =>
  `CASE WHEN ${number} IS NULL OR isnan(${number}) THEN 0::UBIGINT
     WHEN ${number} = floor(${number}) OR isinf(${number}) THEN hash(${number} + 0.0)
     ELSE hash(CAST(CAST(${number} AS FLOAT) AS DOUBLE) + 0.0) END`

/**
 * Text may hold a number, a time or a truth value: then it is that. A zero at the beginning makes it a code. Spaces around
 * it are nothing, and cut off only where it is no number: that takes as long as all the rest.
 */
const textDigest = (text: string, number: string): string =>
  `CASE WHEN ${text} IS NULL THEN 0::UBIGINT
     WHEN ${number} IS NOT NULL AND NOT regexp_matches(${text}, '^ *-?0[0-9]')
       THEN CASE WHEN abs(${number}) >= ${EXACT} AND regexp_full_match(trim(${text}), '-?[0-9]+') THEN hash(trim(${text}))
         ELSE ${numberDigest(number)} END
     WHEN trim(${text}) = '' THEN 0::UBIGINT
     WHEN substr(${text}, 5, 1) = '-' AND TRY_CAST(${text} AS TIMESTAMP) IS NOT NULL
       THEN hash(epoch_us(CAST(${text} AS TIMESTAMP)))
     WHEN lower(trim(${text})) IN ('true', 'false') THEN hash(lower(trim(${text})))
     ELSE hash(trim(${text})) END`
