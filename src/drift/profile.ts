/**
 * A profile: per-column counts over edges that were fixed once. Shapes, identity, addition and the on-disk form
 * (docs/profile-format.md). Choosing edges is in `edges.ts`, counting in `count.ts`, judging in `compare.ts`.
 */
import { canonicalBytes, canonicalJson } from '../core/canonical-json.ts'
import { type Digest, sha256 } from '../core/digest.ts'
import { failed } from '../core/errors.ts'

export type Role = 'prediction' | 'target' | 'feature'

/**
 * What the edges of a numeric column can tell apart (docs/profile-format.md, Edges): `float32` edges lie where float32
 * rounds, so a float32 copy falls into the same bins; `integer` edges lie between whole numbers; `bigint` edges are
 * whole numbers beyond 2^53, written as strings.
 */
export type Resolution = 'float32' | 'float64' | 'integer' | 'bigint'

/** A number that JSON may have to hold as a string of digits. */
export type Wide = number | string

interface ColumnBase {
  readonly name: string
  readonly role: Role
  /** Rows in which the value is absent: SQL NULL, an empty CSV field, a JSON member that is null or not there. */
  readonly missing: number
}

export interface NumericColumn extends ColumnBase {
  readonly type: 'numeric'
  readonly resolution: Resolution
  /** Ascending; bin k holds edges[k-1] < x <= edges[k], so there is one more bin than edges. */
  readonly edges: readonly Wide[]
  /** Bins that hold one heavy value only: [bin, value], ascending. */
  readonly singles: readonly (readonly [number, Wide])[]
  /** Smallest and largest finite value of the baseline; null when it had none. Part of the definition. */
  readonly range: readonly [Wide, Wide] | null
  readonly counts: readonly number[]
  readonly nan: number
  readonly positiveInfinity: number
  readonly negativeInfinity: number
  /** There was something, but it is no number: `" "`, `"n/a"`. */
  readonly unparsed: number
  /** Finite values outside `range`; both 0 in the baseline itself. */
  readonly below: number
  readonly above: number
  /** Of these rows; null without finite values. */
  readonly min: Wide | null
  readonly max: Wide | null
}

export interface CategoricalColumn extends ColumnBase {
  readonly type: 'categorical'
  /** Sorted by baseline count, then by code point. */
  readonly categories: readonly string[]
  /** False: the baseline had more categories than the cap, and `other` holds everything not listed. */
  readonly complete: boolean
  readonly counts: readonly number[]
  readonly other: number
  /** Rows with a category the baseline did not have; always 0 when not `complete`. */
  readonly new: number
  /** The new categories with their counts; null when there are more than the cap. */
  readonly newValues: Readonly<Record<string, number>> | null
}

/** Free text, ids, times and ignored columns: only whether there is a value. */
export interface PresenceColumn extends ColumnBase {
  readonly type: 'text' | 'timestamp' | 'id' | 'ignore'
  readonly present: number
}

export type ColumnProfile = NumericColumn | CategoricalColumn | PresenceColumn

export interface Profile {
  readonly format: 1
  readonly kind: 'profile'
  /** Digest of everything but the counts. Profiles of one definition can be added. */
  readonly definition: Digest
  readonly rows: number
  readonly columns: readonly ColumnProfile[]
  /** Columns of the definition that these rows did not have; always empty in a baseline. */
  readonly absent: readonly string[]
  /** Columns these rows had beyond the definition, sorted; always empty in a baseline. */
  readonly extra: readonly string[]
}

/** New categories are listed up to this many; a baseline keeps every category up to it. */
export const CATEGORY_CAP = 10_000
/** … and while there are no more rows than this that have one. */
export const NEW_ROWS = 1_000_000
/** Categories kept of a column that has more than `CATEGORY_CAP`. */
export const TOP_CATEGORIES = 1_000

export const toNumber = (wide: Wide): number => (typeof wide === 'number' ? wide : Number(wide))

/** The part of a column that says how to count, without any count. */
function definitionOf(column: ColumnProfile): unknown {
  const { name, role, type } = column
  if (column.type === 'numeric') {
    const { resolution, edges, singles, range } = column
    return { name, role, type, resolution, edges, singles, range }
  }
  if (column.type === 'categorical') {
    return { name, role, type, categories: column.categories, complete: column.complete }
  }
  return { name, role, type }
}

export function definitionDigest(columns: readonly ColumnProfile[]): Digest {
  return sha256(canonicalJson({ format: 1, columns: columns.map(definitionOf) }))
}

/** The bytes that go into the store: equal profiles have equal bytes. */
export const profileBytes = (profile: Profile): Buffer => canonicalBytes(profile)

/** @throws failed `PROFILE_UNREADABLE` */
export function parseProfile(bytes: Uint8Array, name: string): Profile {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    value = undefined
  }
  const profile = value as Profile | undefined
  if (profile?.kind !== 'profile' || profile.format !== 1 || !Array.isArray(profile.columns)) {
    const newer = profile?.kind === 'profile'
    throw failed({
      code: 'PROFILE_UNREADABLE',
      message: newer
        ? `The profile of ${name} has format ${String(profile.format)}; this program reads format 1.`
        : `The profile of ${name} is not a profile.`,
      hint: newer ? 'Install a newer mlops' : 'Check the store: mlops store verify',
    })
  }
  return profile
}

/**
 * Adds two profiles of one definition. Commutative and associative to the byte, so batches may be counted in any
 * order, on any number of machines.
 * @throws RangeError when the definitions differ: a mistake of the caller
 */
export function mergeProfiles(a: Profile, b: Profile): Profile {
  if (a.definition !== b.definition) throw new RangeError('profiles of different definitions cannot be added')
  return {
    ...a,
    rows: a.rows + b.rows,
    columns: a.columns.map((column, index) => addColumns(column, b.columns[index])),
    absent: a.absent.filter((name) => b.absent.includes(name)),
    extra: [...new Set([...a.extra, ...b.extra])].sort(),
  }
}

function addColumns(a: ColumnProfile, b: ColumnProfile | undefined): ColumnProfile {
  const missing = a.missing + (b?.missing ?? 0)
  if (a.type === 'numeric' && b?.type === 'numeric') {
    return {
      ...a,
      missing,
      counts: addCounts(a.counts, b.counts),
      nan: a.nan + b.nan,
      positiveInfinity: a.positiveInfinity + b.positiveInfinity,
      negativeInfinity: a.negativeInfinity + b.negativeInfinity,
      unparsed: a.unparsed + b.unparsed,
      below: a.below + b.below,
      above: a.above + b.above,
      min: extreme(a.min, b.min, -1),
      max: extreme(a.max, b.max, 1),
    }
  }
  if (a.type === 'categorical' && b?.type === 'categorical') {
    return {
      ...a,
      missing,
      counts: addCounts(a.counts, b.counts),
      other: a.other + b.other,
      new: a.new + b.new,
      newValues: a.new + b.new > NEW_ROWS ? null : addNewValues(a.newValues, b.newValues),
    }
  }
  if ('present' in a && b !== undefined && 'present' in b) return { ...a, missing, present: a.present + b.present }
  throw new RangeError('columns of different types cannot be added')
}

const addCounts = (a: readonly number[], b: readonly number[]): number[] => a.map((n, index) => n + (b[index] ?? 0))

/** The smaller (sign -1) or the larger (sign 1), exact beyond 2^53. */
function extreme(a: Wide | null, b: Wide | null, sign: 1 | -1): Wide | null {
  if (a === null || b === null) return a ?? b
  const isBig = typeof a === 'string' || typeof b === 'string'
  const order = isBig ? compareBig(a, b) : Number(a) - Number(b)
  return order * sign >= 0 ? a : b
}

function compareBig(a: Wide, b: Wide): number {
  const [x, y] = [toNumber(a), toNumber(b)]
  if (x !== y || !Number.isInteger(x)) return x - y
  const difference = BigInt(a) - BigInt(b)
  return difference === 0n ? 0 : difference > 0n ? 1 : -1
}

/** Null beyond the caps, as in the count of the whole: both caps only ever grow, so the order of adding does not matter. */
function addNewValues(
  a: Readonly<Record<string, number>> | null,
  b: Readonly<Record<string, number>> | null,
): Readonly<Record<string, number>> | null {
  if (a === null || b === null) return null
  const sum = new Map(Object.entries(a))
  for (const [value, count] of Object.entries(b)) sum.set(value, (sum.get(value) ?? 0) + count)
  return sum.size > CATEGORY_CAP ? null : Object.fromEntries(sum)
}
