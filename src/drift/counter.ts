/** What a counter of one column is, and what the counters share. The counters are in `count-*.ts`. */
import type { Duck, Vector } from '../data/duck.ts'
import type { ColumnProfile } from './profile.ts'

export interface Counter {
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

/** There is a value, but `select` made nothing of it. */
export const oddCondition = (sql: string, select: string): string => `(${sql} IS NOT NULL AND ${select} IS NULL)`

export const sumOf = (counts: Iterable<number>): number => {
  let sum = 0
  for (const count of counts) sum += count
  return sum
}
