/** Counting one numeric column: 64-bit floats, or 64-bit integers where floats are too coarse. */

import { isPresent, type Vector } from '../data/duck.ts'
import type { Physical } from '../data/source.ts'
import { Binner, bigBin } from './binning.ts'
import { type Counter, oddCondition, sumOf } from './counter.ts'
import { type NumericColumn, toNumber, type Wide } from './profile.ts'

export class NumericCounter implements Counter {
  readonly name: string
  readonly select: string
  readonly mask: string | undefined
  odd = 0
  readonly #definition: NumericColumn
  readonly #binner: Binner
  readonly #range: readonly [number, number]
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
    const [from, to] = definition.range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
    this.#range = [toNumber(from), toNumber(to)]
    this.#binner = new Binner(Float64Array.from(definition.edges, toNumber))
    this.#counts = new Float64Array(definition.edges.length + 1)
  }

  get seen(): number {
    return this.odd + this.#nan + this.#positiveInfinity + this.#negativeInfinity + sumOf(this.#counts)
  }

  take({ items, mask }: Vector, rows: number): void {
    const values = items as Float64Array
    const found = this.#binner.tally(values, rows, mask, this.#counts)
    this.#nulls += rows - found.present
    this.#nan += found.nan
    this.#positiveInfinity += found.positiveInfinity
    this.#negativeInfinity += found.negativeInfinity
    if (found.min < this.#min) this.#min = found.min
    if (found.max > this.#max) this.#max = found.max
    const [from, to] = this.#range
    // Single values are looked at only in a chunk that leaves the baseline's range.
    if (found.min < from || found.max > to) this.#outside(values, rows, mask)
  }

  #outside(values: Float64Array, rows: number, mask: Uint8Array | undefined): void {
    const [from, to] = this.#range
    for (let row = 0; row < rows; row++) {
      const value = values[row] as number
      if ((value >= from && value <= to) || !Number.isFinite(value) || !isPresent(mask, row)) continue
      if (value < from) this.#below++
      else this.#above++
    }
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
export class BigCounter implements Counter {
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
      if (!isPresent(vector.mask, row)) {
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

function asNumber(sql: string, physical: Physical, type: 'DOUBLE' | 'BIGINT'): string {
  if (physical === 'number' || physical === 'int64' || physical === 'text' || physical === 'boolean') {
    return `TRY_CAST(${sql} AS ${type})`
  }
  return physical === 'binary' ? `NULL::${type}` : `TRY_CAST(CAST(${sql} AS VARCHAR) AS ${type})`
}
