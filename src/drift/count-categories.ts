/** Counting one categorical column, and columns of which only the presence of a value is counted. */

import { type Duck, isPresent, sqlText, type Vector } from '../data/duck.ts'
import { canonicalCounts, spellings } from './categories.ts'
import { type Counter, oddCondition, sumOf } from './counter.ts'
import { CATEGORY_CAP, type CategoricalColumn, NEW_ROWS, type PresenceColumn } from './profile.ts'

export class CategoryCounter implements Counter {
  readonly name: string
  readonly select: string
  readonly mask: string
  odd = 0
  readonly #definition: CategoricalColumn
  readonly #text: string
  readonly #counts: number[]
  /** Index of the category by code of the enumeration that DuckDB looks values up in. */
  readonly #index: number[] = []
  readonly #codes: Float64Array
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
    this.#codes = new Float64Array(this.#index.length)
  }

  get seen(): number {
    return this.odd + sumOf(this.#codes) + sumOf(this.#counts)
  }

  take({ items, mask }: Vector, rows: number): void {
    const codes = this.#codes
    if (mask === undefined) {
      for (let row = 0; row < rows; row++) {
        const code = items[row] as number
        codes[code] = (codes[code] as number) + 1
      }
      return
    }
    for (let row = 0; row < rows; row++) {
      if (!isPresent(mask, row)) {
        this.#nulls++
        continue
      }
      const code = items[row] as number
      codes[code] = (codes[code] as number) + 1
    }
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
    this.#codes.forEach((count, code) => {
      const index = this.#index[code]
      if (index !== undefined) this.#counts[index] = (this.#counts[index] ?? 0) + count
    })
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

export class PresenceCounter implements Counter {
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
