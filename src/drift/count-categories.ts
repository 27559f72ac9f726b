/** Counting one categorical column, and columns of which only the presence of a value is counted. */

import { isPresent, sqlText, type Vector } from '../data/duck.ts'
import { canonicalCounts, spellings } from './categories.ts'
import { type Counter, MOST_FOUND, oddCondition, sumOf } from './counter.ts'
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
    // The code, not the value: for a vector of an enumeration all of its values would be looked up, for every chunk again.
    this.select =
      known.length === 0 ? 'NULL::UTINYINT' : `enum_code(TRY_CAST(${this.#text} AS ENUM(${known.join(', ')})))`
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

  /** The text of the values that had no code; undefined when they need no names. */
  get unnamed(): string | undefined {
    if (this.odd === 0) return undefined
    if (this.#definition.complete && this.odd <= NEW_ROWS) return this.#text
    this.#newValues = null
    return undefined
  }

  nameValues(found: readonly (readonly [string, number])[]): void {
    // A part of them would be an accident of the order in which they were found.
    if (found.length >= MOST_FOUND) {
      this.#newValues = null
      return
    }
    const counts = canonicalCounts(found)
    const known = new Map(this.#definition.categories.map((category, index) => [category, index]))
    for (const [category, count] of counts) {
      const index = known.get(category)
      if (index === undefined) continue
      this.#counts[index] = (this.#counts[index] ?? 0) + count
      this.odd -= count
      this.#nulls -= count
      counts.delete(category)
    }
    this.#newValues = counts.size > CATEGORY_CAP ? null : counts
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
