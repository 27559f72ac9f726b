/**
 * Which columns a version takes, and of which type: the one definition that the service which is generated, the running
 * service (templates/fastapi/app/loading.py), `model diff`, the plan of a promotion and `contract: compatible` share. Of the
 * recorded examples where there are any, else of the baseline. Pure; reading is in `examples.ts`.
 */

import { type RecordedExample, seenIn } from './examples.ts'
import type { CategoricalColumn, ColumnProfile, NumericColumn, Profile } from './profile.ts'
import { toNumber } from './profile.ts'

export type FeatureType = 'integer' | 'number' | 'boolean' | 'string' | 'datetime'
export type Plain = string | number | boolean | null

/** What was recorded of a version, and what is known of its columns besides. */
export interface Recorded {
  readonly profile: Profile | undefined
  readonly examples: readonly RecordedExample[]
  /** Target and prediction columns, under every name they may have; undefined ones count for nothing. */
  readonly answers: readonly (string | undefined)[]
  /** Columns that are never logged, so that examples lack them. */
  readonly drop: readonly string[]
}

export interface TakenColumns {
  /** In the order of the model where `from` is `examples`. */
  readonly names: readonly string[]
  readonly from: 'examples' | 'baseline' | 'nothing'
  /** Features of the baseline that no example has: the model is not asked with them. */
  readonly unasked: readonly string[]
  /** Features of a baseline that were taken for ids, and left out. */
  readonly ids: readonly string[]
}

export function takenColumns({ profile, examples, answers, drop }: Recorded): TakenColumns {
  const known = new Set(answers)
  const features = profile?.columns.filter(({ name, role }) => role === 'feature' && !known.has(name)) ?? []
  const isId = ({ type }: ColumnProfile): boolean => type === 'id' || type === 'ignore'
  const shown = [...new Set(examples.flatMap((example) => [...example.features.keys()]))]
  if (shown.length > 0) {
    // Personal columns are left out of examples, and are columns of the model all the same.
    const hidden = features.map(({ name }) => name).filter((name) => drop.includes(name) && !shown.includes(name))
    const names = [...shown, ...hidden]
    const unasked = features.filter((column) => !isId(column) && !names.includes(column.name)).map(({ name }) => name)
    return { names, from: 'examples', unasked, ids: [] }
  }
  return {
    names: features.filter((column) => !isId(column)).map(({ name }) => name),
    from: profile === undefined ? 'nothing' : 'baseline',
    unasked: [],
    ids: features.filter(isId).map(({ name }) => name),
  }
}

/** @returns undefined for lists and objects, which no request is typed with */
export function columnType(
  name: string,
  column: ColumnProfile | undefined,
  examples: readonly RecordedExample[],
): FeatureType | undefined {
  const seen = seenIn(examples, name)
  if (seen.other) return undefined
  if (seen.text) return column?.type === 'timestamp' ? 'datetime' : 'string'
  if (seen.float) return 'number'
  if (seen.whole) return column?.type === 'numeric' && !isWhole(column) ? 'number' : 'integer'
  if (seen.truth) return 'boolean'
  if (column === undefined) return 'string'
  if (column.type === 'numeric') return isWhole(column) ? 'integer' : 'number'
  if (column.type === 'timestamp') return 'datetime'
  return column.type === 'categorical' ? categoryType(column) : 'string'
}

/** Values alone: `0` and `1` of a Parquet text column are text, which only examples can tell. */
export function categoryType({ categories }: CategoricalColumn): FeatureType {
  const all = (pattern: RegExp): boolean => categories.length > 0 && categories.every((each) => pattern.test(each))
  if (all(/^(?:true|false)$/)) return 'boolean'
  if (all(/^-?(?:0|[1-9]\d{0,14})$/)) return 'integer'
  return all(/^-?(?:0|[1-9]\d{0,14})(?:\.\d+)?$/) ? 'number' : 'string'
}

/** Every value that was counted is a whole number: said only where the bins prove it. */
export function isWhole(column: NumericColumn): boolean {
  if (column.resolution === 'integer' || column.resolution === 'bigint') return true
  const singles = new Map(column.singles)
  return column.counts.every((count, bin) => {
    const value = singles.get(bin)
    return count === 0 || (value !== undefined && Number.isInteger(toNumber(value)))
  })
}

/** A value was missing in the training data, or in an example. */
export const isNullable = (
  name: string,
  column: ColumnProfile | undefined,
  examples: readonly RecordedExample[],
): boolean =>
  (column !== undefined && (column.missing > 0 || (column.type === 'numeric' && column.nan > 0))) ||
  seenIn(examples, name).missing
