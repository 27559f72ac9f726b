/**
 * Counting a source into fixed definitions: one pass, flat memory, integers only. A baseline is counted by the same
 * code as every later batch. Which edges and categories there are was decided before.
 */
import { Binner, bigBin } from './binning.ts'
import { canonicalCounts, spellings } from './categories.ts'
import { type Chunk, type Duck, sqlText, type Vector } from './duck.ts'
import {
  CATEGORY_CAP,
  type CategoricalColumn,
  type ColumnProfile,
  type NumericColumn,
  type PresenceColumn,
  toNumber,
  type Wide,
} from './profile.ts'
import type { Physical, Source } from './source.ts'

export interface Counted {
  readonly rows: number
  readonly columns: readonly ColumnProfile[]
  readonly absent: readonly string[]
  readonly extra: readonly string[]
}

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
    progress?.(rows)
  }
  await source.duck.stream(`SELECT ${select.join(', ') || '1'} FROM ${source.relation}`, onChunk)
  for (const counter of counters) await counter.settle?.(source.duck, source.relation)
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

/** JSON has no schema: a key that no row has is an absent column. */
const isAbsent = (name: string, counted: ReadonlyMap<string, Counter>, source: Source): boolean => {
  const counter = counted.get(name)
  return counter === undefined || (source.format === 'jsonl' && counter.seen === 0 && !source.keys?.has(name))
}

interface Counter {
  readonly name: string
  readonly select: string
  /** SQL condition: there is a value, but `select` is NULL. Undefined when that cannot be. */
  readonly mask: string | undefined
  readonly seen: number
  odd: number
  take(vector: Vector, rows: number): void
  /** Looks again at what the first pass could not name. */
  settle?(duck: Duck, relation: string): Promise<void>
  finish(): ColumnProfile
}

function counterFor(definition: ColumnProfile, sql: string, physical: Physical): Counter {
  if (definition.type === 'numeric') {
    return definition.resolution === 'bigint'
      ? new BigCounter(definition, sql, physical)
      : new NumericCounter(definition, sql, physical)
  }
  if (definition.type === 'categorical') return new CategoryCounter(definition, sql)
  return new PresenceCounter(definition, sql)
}

function takeMask(group: readonly Counter[], vector: Vector, rows: number): void {
  for (let row = 0; row < rows; row++) {
    let mask = vector.items[row] as number
    while (mask !== 0) {
      const counter = group[31 - Math.clz32(mask & -mask)]
      if (counter !== undefined) counter.odd++
      mask &= mask - 1
    }
  }
}

class NumericCounter implements Counter {
  readonly name: string
  readonly select: string
  readonly mask: string | undefined
  odd = 0
  readonly #definition: NumericColumn
  readonly #binner: Binner
  readonly #counts: Float64Array
  #nulls = 0
  #nan = 0
  #positiveInfinity = 0
  #negativeInfinity = 0
  #below = 0
  #above = 0
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY

  constructor(definition: NumericColumn, sql: string, physical: Physical) {
    this.name = definition.name
    this.#definition = definition
    this.select = asNumber(sql, physical, 'DOUBLE')
    this.mask = physical === 'number' || physical === 'int64' ? undefined : oddCondition(sql, this.select)
    this.#binner = new Binner(Float64Array.from(definition.edges, toNumber))
    this.#counts = new Float64Array(definition.edges.length + 1)
  }

  get seen(): number {
    return this.odd + this.#nan + this.#positiveInfinity + this.#negativeInfinity + sumOf(this.#counts)
  }

  take(vector: Vector, rows: number): void {
    const { items, valid } = vector
    const counts = this.#counts
    const binner = this.#binner
    const [from, to] = this.#definition.range?.map(toNumber) ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
    for (let row = 0; row < rows; row++) {
      if (valid !== undefined && !valid(row)) {
        this.#nulls++
        continue
      }
      const value = items[row] as number
      if (value - value !== 0) {
        this.#special(value)
        continue
      }
      const bin = binner.of(value)
      counts[bin] = (counts[bin] as number) + 1
      if (value < this.#min) this.#min = value
      if (value > this.#max) this.#max = value
      if (value < (from as number)) this.#below++
      else if (value > (to as number)) this.#above++
    }
  }

  #special(value: number): void {
    if (Number.isNaN(value)) this.#nan++
    else if (value > 0) this.#positiveInfinity++
    else this.#negativeInfinity++
  }

  finish(): NumericColumn {
    const isEmpty = this.#min > this.#max
    return {
      ...this.#definition,
      counts: Array.from(this.#counts),
      missing: this.#nulls - this.odd,
      unparsed: this.odd,
      nan: this.#nan,
      positiveInfinity: this.#positiveInfinity,
      negativeInfinity: this.#negativeInfinity,
      below: this.#below,
      above: this.#above,
      // Adding 0 turns -0, which DuckDB and CSV write differently, into 0.
      min: isEmpty ? null : this.#min + 0,
      max: isEmpty ? null : this.#max + 0,
    }
  }
}

/** Whole numbers beyond 2^53: the same, in 64-bit integers. */
class BigCounter implements Counter {
  readonly name: string
  readonly select: string
  readonly mask: string
  odd = 0
  readonly #definition: NumericColumn
  readonly #edges: BigInt64Array
  readonly #counts: Float64Array
  #nulls = 0
  #below = 0
  #above = 0
  #min: bigint | undefined
  #max: bigint | undefined

  constructor(definition: NumericColumn, sql: string, physical: Physical) {
    this.name = definition.name
    this.#definition = definition
    this.select = asNumber(sql, physical, 'BIGINT')
    this.mask = oddCondition(sql, this.select)
    this.#edges = BigInt64Array.from(definition.edges, BigInt)
    this.#counts = new Float64Array(definition.edges.length + 1)
  }

  get seen(): number {
    return this.odd + sumOf(this.#counts)
  }

  take(vector: Vector, rows: number): void {
    const range = this.#definition.range?.map(BigInt)
    for (let row = 0; row < rows; row++) {
      if (vector.valid !== undefined && !vector.valid(row)) {
        this.#nulls++
        continue
      }
      const value = vector.longs[row] as bigint
      const bin = bigBin(this.#edges, value)
      this.#counts[bin] = (this.#counts[bin] as number) + 1
      if (this.#min === undefined || value < this.#min) this.#min = value
      if (this.#max === undefined || value > this.#max) this.#max = value
      if (range === undefined) continue
      if (value < (range[0] as bigint)) this.#below++
      else if (value > (range[1] as bigint)) this.#above++
    }
  }

  finish(): NumericColumn {
    return {
      ...this.#definition,
      counts: Array.from(this.#counts),
      missing: this.#nulls - this.odd,
      unparsed: this.odd,
      nan: 0,
      positiveInfinity: 0,
      negativeInfinity: 0,
      below: this.#below,
      above: this.#above,
      min: wide(this.#min),
      max: wide(this.#max),
    }
  }
}

const wide = (value: bigint | undefined): Wide | null =>
  value === undefined ? null : Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()

/** Rows with new categories that are looked at again to name them. */
const NEW_ROWS = 1_000_000

class CategoryCounter implements Counter {
  readonly name: string
  readonly select: string
  readonly mask: string
  odd = 0
  readonly #definition: CategoricalColumn
  readonly #text: string
  readonly #counts: number[]
  /** Index of the category by code of the enumeration that DuckDB looks values up in. */
  readonly #index: number[] = []
  #nulls = 0
  #newValues: Map<string, number> | null = new Map()

  constructor(definition: CategoricalColumn, sql: string) {
    this.name = definition.name
    this.#definition = definition
    this.#text = `CAST(${sql} AS VARCHAR)`
    this.#counts = definition.categories.map(() => 0)
    const known: string[] = []
    definition.categories.forEach((category, index) => {
      if (category.includes('\0')) return
      for (const spelling of spellings(category)) {
        known.push(sqlText(spelling))
        this.#index.push(index)
      }
    })
    this.select = known.length === 0 ? 'NULL::UTINYINT' : `TRY_CAST(${this.#text} AS ENUM(${known.join(', ')}))`
    this.mask = oddCondition(sql, this.select)
  }

  get seen(): number {
    return this.odd + sumOf(this.#counts)
  }

  take(vector: Vector, rows: number): void {
    const codes = new Float64Array(this.#index.length)
    for (let row = 0; row < rows; row++) {
      if (vector.valid !== undefined && !vector.valid(row)) this.#nulls++
      else codes[vector.items[row] as number] = (codes[vector.items[row] as number] as number) + 1
    }
    codes.forEach((count, code) => {
      const index = this.#index[code]
      if (index !== undefined) this.#counts[index] = (this.#counts[index] ?? 0) + count
    })
  }

  async settle(duck: Duck, relation: string): Promise<void> {
    if (this.odd === 0) return
    if (!this.#definition.complete || this.odd > NEW_ROWS) {
      this.#newValues = null
      return
    }
    const found = await duck.rows(
      `SELECT ${this.#text} AS value, count(*) FROM ${relation} WHERE ${this.mask} GROUP BY value LIMIT ${2 * CATEGORY_CAP}`,
    )
    const counts = canonicalCounts(found.map(([value, count]) => [String(value), Number(count)] as const))
    const known = new Map(this.#definition.categories.map((category, index) => [category, index]))
    for (const [category, count] of counts) {
      const index = known.get(category)
      if (index === undefined) continue
      this.#counts[index] = (this.#counts[index] ?? 0) + count
      this.odd -= count
      this.#nulls -= count
      counts.delete(category)
    }
    this.#newValues = found.length >= 2 * CATEGORY_CAP || counts.size > CATEGORY_CAP ? null : counts
  }

  finish(): CategoricalColumn {
    const { complete } = this.#definition
    return {
      ...this.#definition,
      counts: this.#counts,
      missing: this.#nulls - this.odd,
      other: complete ? 0 : this.odd,
      new: complete ? this.odd : 0,
      newValues: this.#newValues === null ? null : Object.fromEntries(this.#newValues),
    }
  }
}

class PresenceCounter implements Counter {
  readonly name: string
  readonly select: string
  readonly mask = undefined
  odd = 0
  readonly #definition: PresenceColumn
  #present = 0
  #rows = 0

  constructor(definition: PresenceColumn, sql: string) {
    this.name = definition.name
    this.#definition = definition
    this.select = `CAST(${sql} IS NOT NULL AS UTINYINT)`
  }

  get seen(): number {
    return this.#present
  }

  take(vector: Vector, rows: number): void {
    this.#rows += rows
    for (let row = 0; row < rows; row++) this.#present += vector.items[row] as number
  }

  finish(): PresenceColumn {
    return { ...this.#definition, missing: this.#rows - this.#present, present: this.#present }
  }
}

function asNumber(sql: string, physical: Physical, type: 'DOUBLE' | 'BIGINT'): string {
  if (physical === 'number' || physical === 'int64' || physical === 'text' || physical === 'boolean') {
    return `TRY_CAST(${sql} AS ${type})`
  }
  return physical === 'binary' ? `NULL::${type}` : `TRY_CAST(CAST(${sql} AS VARCHAR) AS ${type})`
}

const oddCondition = (sql: string, select: string): string => `(${sql} IS NOT NULL AND ${select} IS NULL)`

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

const sumOf = (counts: Iterable<number>): number => {
  let sum = 0
  for (const count of counts) sum += count
  return sum
}

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size))
}
