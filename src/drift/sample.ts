/**
 * A deterministic sample of a source: what `infer.ts` and `edges.ts` look at. The same rows, in any format, give the
 * same sample, because a row is taken for its position alone.
 */

import { isPresent, sqlName, type Vector } from '../data/duck.ts'
import type { Source, SourceColumn } from '../data/source.ts'
import { COLUMNS_AT_ONCE } from './count.ts'

const SAMPLE_ROWS = 50_000
/** Values held at once: wide data get fewer rows. */
const SAMPLE_CELLS = 4_000_000
/** Texts that are numbers are remembered up to here, in case their column turns out to be categorical. */
const NUMBER_TEXTS = 20_000

export interface SampleColumn {
  readonly column: SourceColumn
  readonly missing: number
  /** Finite numbers, ascending. */
  readonly numbers: Float64Array
  readonly nonFinite: number
  /** Whole numbers beyond 2^53, exact and ascending with all others; only when every number is whole and some is. */
  readonly bigs: BigInt64Array | undefined
  /** Every text that is not a number, with its count. */
  readonly words: ReadonlyMap<string, number>
  /** Every text that is a number, with its count; undefined when there are too many, or for numeric columns. */
  readonly numberTexts: ReadonlyMap<string, number> | undefined
}

export interface Sample {
  /** Of the whole source. */
  readonly rows: number
  readonly columns: readonly SampleColumn[]
}

export async function takeSample(source: Source): Promise<Sample> {
  const [count] = await source.duck.rows(`SELECT count(*) FROM ${source.relation}`)
  const rows = Number(count?.[0] ?? 0)
  const wanted = Math.max(1_000, Math.min(SAMPLE_ROWS, Math.floor(SAMPLE_CELLS / source.columns.length)))
  const columns: SampleColumn[] = []
  for (let from = 0; from < source.columns.length; from += COLUMNS_AT_ONCE) {
    const some = source.columns.slice(from, from + COLUMNS_AT_ONCE).map((column) => new Collector(column))
    if (rows > 0) await collect(some, source, rows, wanted)
    columns.push(...some.map((collector) => collector.finish()))
  }
  return { rows, columns }
}

async function collect(collectors: readonly Collector[], source: Source, rows: number, wanted: number): Promise<void> {
  const select = collectors.flatMap((collector) => collector.select).join(', ')
  const from = sampledRelation(source, collectors, rows, wanted)
  await source.duck.stream(`SELECT ${select} FROM ${from}`, (chunk) => {
    let vector = 0
    for (const collector of collectors) {
      collector.take(chunk.rows, chunk.vector(vector), collector.hasExact ? chunk.vector(vector + 1) : undefined)
      vector += collector.select.length
    }
  })
}

/**
 * Rows whose position, multiplied by a large odd number modulo 2^32, is small: scattered, and always the same. Few rows
 * are all taken, but numbered as well: that alone makes DuckDB hand them over in the order of the file.
 */
function sampledRelation(source: Source, collectors: readonly Collector[], rows: number, wanted: number): string {
  const columns = collectors.map(({ column }) => column.sql).join(', ')
  const limit = rows <= wanted ? 2 ** 32 : Math.floor((2 ** 32 * wanted) / rows)
  const position = sqlName('row position')
  return `(SELECT ${columns}, row_number() OVER () AS ${position} FROM ${source.relation})
    WHERE (${position} * 2654435761) % 4294967296 < ${limit}`
}

/** A whole number with so many digits may lie beyond 2^53. */
const LONG_INTEGER = /^\s*[+-]?\d{16,19}\s*$/

class Collector {
  readonly column: SourceColumn
  readonly select: readonly string[]
  /** Whether a second vector holds the exact value: the text, or the 64-bit integer. */
  readonly hasExact: boolean
  #missing = 0
  #nonFinite = 0
  #numbers: number[] = []
  #longs: bigint[] = []
  #words = new Map<string, number>()
  #numberTexts: Map<string, number> | undefined

  constructor(column: SourceColumn) {
    this.column = column
    const { sql, physical } = column
    const isText = physical === 'text' || physical === 'boolean' || physical === 'time' || physical === 'nested'
    this.hasExact = isText || physical === 'int64'
    this.#numberTexts = isText ? new Map() : undefined
    if (physical === 'binary') this.select = [`CASE WHEN ${sql} IS NULL THEN NULL ELSE 'NaN'::DOUBLE END`]
    else if (isText) {
      const text = `CAST(${sql} AS VARCHAR)`
      this.select = [physical === 'text' ? `TRY_CAST(${text} AS DOUBLE)` : 'NULL::DOUBLE', text]
    } else if (physical === 'int64') this.select = [`CAST(${sql} AS DOUBLE)`, `TRY_CAST(${sql} AS BIGINT)`]
    else this.select = [`CAST(${sql} AS DOUBLE)`]
  }

  take(rows: number, numbers: Vector, exact: Vector | undefined): void {
    const isText = this.hasExact && this.column.physical !== 'int64'
    for (let row = 0; row < rows; row++) {
      if (!isPresent(numbers.mask, row)) {
        const text = isText ? (exact?.text(row) ?? null) : null
        if (text === null) this.#missing++
        else this.#words.set(text, (this.#words.get(text) ?? 0) + 1)
        continue
      }
      const value = numbers.items[row] as number
      if (!Number.isFinite(value)) this.#nonFinite++
      else this.#number(value, row, exact, isText)
    }
  }

  #number(value: number, row: number, exact: Vector | undefined, isText: boolean): void {
    // Adding 0 turns -0, which formats write differently, into 0: it must not become part of a definition.
    this.#numbers.push(value + 0)
    if (exact === undefined) return
    if (!isText) {
      if (Math.abs(value) >= 2 ** 53 && isPresent(exact.mask, row)) this.#longs.push(exact.longs[row] as bigint)
      return
    }
    const text = exact.text(row) ?? ''
    if (text.length >= 16 && LONG_INTEGER.test(text) && Math.abs(value) >= 2 ** 53) {
      const long = BigInt(text.trim().replace(/^\+/, ''))
      if (BigInt.asIntN(64, long) === long) this.#longs.push(long)
    }
    if (this.#numberTexts === undefined) return
    this.#numberTexts.set(text, (this.#numberTexts.get(text) ?? 0) + 1)
    if (this.#numberTexts.size > NUMBER_TEXTS) this.#numberTexts = undefined
  }

  finish(): SampleColumn {
    const numbers = Float64Array.from(this.#numbers).sort()
    return {
      column: this.column,
      missing: this.#missing,
      nonFinite: this.#nonFinite,
      numbers,
      bigs: this.#bigs(numbers),
      words: this.#words,
      numberTexts: this.#numberTexts,
    }
  }

  #bigs(numbers: Float64Array): BigInt64Array | undefined {
    if (this.#longs.length === 0) return undefined
    const short = numbers.filter((value) => Math.abs(value) < 2 ** 53)
    if (short.length + this.#longs.length !== numbers.length || !short.every(Number.isInteger)) return undefined
    return BigInt64Array.from([...Array.from(short, BigInt), ...this.#longs]).sort()
  }
}
