/** What a counter of one column is, and what the counters share. The counters are in `count-*.ts`. */
import type { Vector } from '../data/duck.ts'
import { CATEGORY_CAP, type ColumnProfile } from './profile.ts'

/** Spellings of new categories that are looked at for one column: more than the cap, since several may mean one. */
export const MOST_FOUND = 2 * CATEGORY_CAP

export interface Counter {
  readonly name: string
  readonly select: string
  /** SQL condition: there is a value, but `select` is NULL. Undefined when that cannot be. */
  readonly mask: string | undefined
  readonly seen: number
  odd: number
  take(vector: Vector, rows: number): void
  /** SQL text of what the first pass counted as odd and could not name; undefined when nothing is to be named. */
  readonly unnamed?: string | undefined
  /** Takes what `unnamed` stood for: values with their counts, or `MOST_FOUND` of them when there are more. */
  nameValues?(found: readonly (readonly [string, number])[]): void
  finish(): ColumnProfile
}

/** There is a value, but `select` made nothing of it. */
export const oddCondition = (sql: string, select: string): string => `(${sql} IS NOT NULL AND ${select} IS NULL)`

export const sumOf = (counts: Iterable<number>): number => {
  let sum = 0
  for (const count of counts) sum += count
  return sum
}
