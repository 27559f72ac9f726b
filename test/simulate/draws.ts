/**
 * Drawing one check of the simulation: two profiles as `profileBaseline` and `profileBatch` would make them of files
 * with such rows, and the rows themselves where somebody else wants to look at them.
 */
import { type Digest, sha256 } from '../../src/core/digest.ts'
import { Binner } from '../../src/drift/binning.ts'
import { chooseEdges } from '../../src/drift/edges.ts'
import {
  type CategoricalColumn,
  type ColumnProfile,
  type NumericColumn,
  type Profile,
  toNumber,
} from '../../src/drift/profile.ts'
import { multinomial } from './multinomial.ts'
import type { CategoryShape, NumericShape, Shape, Uniform } from './shapes.ts'

/** As `sample.ts`: edges come from so many rows. */
const SAMPLE_ROWS = 50_000

export interface Side {
  readonly shape: Shape
  /** What the batch follows when it is not what the baseline follows. */
  readonly later?: Shape
}

/** The rows of one column, before and after: numbers or indices of categories, NaN and -1 for nulls. */
export interface Rows {
  readonly kind: Shape['kind']
  readonly before: Float64Array
  readonly after: Float64Array
}

export interface Drawn {
  readonly baseline: Profile
  readonly batch: Profile
  /** Undefined where counts were drawn at once. */
  readonly rows?: readonly Rows[]
}

/** One check of n rows against m, row by row. */
export function drawRows(sides: readonly Side[], n: number, m: number, uniform: Uniform): Drawn {
  const rows = sides.map(({ shape, later = shape }): Rows => {
    const before = sample(shape, n, uniform)
    return { kind: shape.kind, before, after: sample(later, m, uniform) }
  })
  const pairs = rows.map(({ kind, before, after }, i) =>
    kind === 'numeric' ? numericPair(`c${i}`, before, after) : categoryPair(`c${i}`, tally(before), tally(after)),
  )
  return { ...profiles(pairs, n, m), rows }
}

/**
 * The same in distribution, without the rows: the edges come from a sample that is drawn row by row, as the program's do,
 * and what is left of the rows falls into the bins with the probabilities of the distribution function. Everything that
 * decides about PSI and its evidence follows the same law as with `drawRows`; smallest and largest values do not.
 */
export function drawCounts(sides: readonly Side[], n: number, m: number, uniform: Uniform): Drawn {
  const pairs = sides.map(({ shape, later = shape }, i) => {
    const name = `c${i}`
    if (shape.kind === 'categorical') {
      if (later.kind !== 'categorical') throw new RangeError('both sides must be of one kind')
      return categoryPair(name, drawCategories(shape, n, uniform), drawCategories(later, m, uniform))
    }
    if (later.kind !== 'numeric') throw new RangeError('both sides must be of one kind')
    const rows = sample(shape, Math.min(n, SAMPLE_ROWS), uniform)
    const [before] = numericPair(name, rows, rows)
    const more = drawBins(before, shape, n - rows.length, uniform)
    const after = drawBins(before, later, m, uniform)
    return [add(before, more), { ...before, below: 0, above: 0, ...after }] as const
  })
  return profiles(pairs, n, m)
}

/** A plain loop: `Float64Array.from` with a function takes ten times as long. */
function sample({ draw }: Shape, rows: number, uniform: Uniform): Float64Array {
  const values = new Float64Array(rows)
  for (let row = 0; row < rows; row++) values[row] = draw(uniform)
  return values
}

type Counts = Pick<NumericColumn, 'counts' | 'missing'>

const add = (column: NumericColumn, more: Counts): NumericColumn => ({
  ...column,
  missing: column.missing + more.missing,
  counts: column.counts.map((count, i) => count + (more.counts[i] ?? 0)),
})

function drawBins(column: NumericColumn, shape: NumericShape, rows: number, uniform: Uniform): Counts {
  const levels = [...column.edges.map((edge) => shape.cdf(toNumber(edge))), 1]
  const shares = levels.map((level, i) => (1 - shape.nulls) * Math.max(0, level - (levels[i - 1] ?? 0)))
  const [missing = 0, ...counts] = multinomial(rows, [shape.nulls, ...shares], uniform)
  return { missing, counts }
}

function drawCategories(shape: CategoryShape, rows: number, uniform: Uniform): Map<number, number> {
  const nulls = Math.max(0, 1 - shape.shares.reduce((sum, share) => sum + share, 0))
  const [missing = 0, ...counts] = multinomial(rows, [nulls < 1e-9 ? 0 : nulls, ...shape.shares], uniform)
  return new Map([[-1, missing] as const, ...counts.map((count, i) => [i, count] as const)].filter(([, n]) => n > 0))
}

function profiles(pairs: readonly (readonly [ColumnProfile, ColumnProfile])[], n: number, m: number): Drawn {
  const [before, after] = [pairs.map(([column]) => column), pairs.map(([, column]) => column)]
  return { baseline: profilesOf(before, before, n), batch: profilesOf(before, after, m) }
}

/** Both sides of a check have the same definitions by construction: their digest need not be computed of the edges. */
const nameOf = (definitions: readonly ColumnProfile[]): Digest => sha256(definitions.map(({ name }) => name).join())

/** A profile of these counts under the definitions of the baseline's columns. */
export const profilesOf = (
  definitions: readonly ColumnProfile[],
  columns: readonly ColumnProfile[],
  rows: number,
): Profile => ({
  ...{ format: 1, kind: 'profile', absent: [], extra: [] },
  definition: nameOf(definitions),
  rows,
  columns,
})

/** Profiles of two samples of a numeric column. */
export function numericPair(name: string, before: Float64Array, after: Float64Array): [NumericColumn, NumericColumn] {
  const values = before.filter((value) => !Number.isNaN(value))
  const { resolution, edges, singles } = chooseEdges(values.slice(0, SAMPLE_ROWS).sort())
  const binner = new Binner(Float64Array.from(edges, toNumber))
  const { min, max } = binner.tally(values, values.length, undefined, new Float64Array(edges.length + 1))
  const range = values.length === 0 ? null : ([min, max] as const)
  const counted = (rows: Float64Array): NumericColumn => {
    const counts = new Float64Array(edges.length + 1)
    const found = binner.tally(rows, rows.length, undefined, counts)
    const [low, high] = range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
    return {
      ...{ name, role: 'feature', type: 'numeric', resolution, edges, singles, range, counts: [...counts] },
      ...{ missing: found.nan, nan: 0, positiveInfinity: 0, negativeInfinity: 0, unparsed: 0 },
      below: found.min < low ? rows.filter((value) => value < low).length : 0,
      above: found.max > high ? rows.filter((value) => value > high).length : 0,
      min: found.min > found.max ? null : found.min,
      max: found.min > found.max ? null : found.max,
    }
  }
  return [counted(before), counted(after)]
}

function tally(rows: Float64Array): Map<number, number> {
  const counts = new Map<number, number>()
  for (const value of rows) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

/** Profiles of a categorical column from the counts of category indices, -1 for nulls. */
function categoryPair(
  name: string,
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
): [CategoricalColumn, CategoricalColumn] {
  const word = (index: number) => `c${index}`
  const known = [...before]
    .filter(([index]) => index >= 0)
    .sort(([x, a], [y, b]) => b - a || (word(x) < word(y) ? -1 : 1))
  const fresh = [...after].filter(([index]) => index >= 0 && !before.has(index))
  const base = {
    ...({ name, role: 'feature', type: 'categorical', complete: true, other: 0 } as const),
    categories: known.map(([index]) => word(index)),
  } as const
  return [
    { ...base, missing: before.get(-1) ?? 0, counts: known.map(([, n]) => n), new: 0, newValues: {} },
    {
      ...base,
      missing: after.get(-1) ?? 0,
      counts: known.map(([index]) => after.get(index) ?? 0),
      new: fresh.reduce((sum, [, n]) => sum + n, 0),
      newValues: Object.fromEntries(fresh.map(([index, n]) => [word(index), n])),
    },
  ]
}
