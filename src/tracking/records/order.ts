/** The order of a list of runs: by one or several names, what is best or newest first, what is missing last. Pure. */
import { type MlopsError, usage } from '../../core/errors.ts'
import { directionOf } from '../../core/metric-names.ts'
import type { Field, Value } from './where/fields.ts'
import type { Columns, Values } from './where/filter.ts'
import { readNumber, readRelease } from './where/literals.ts'
import { type Bare, type KnownNames, nameOf, settleBare, unknownName } from './where/names.ts'

export interface SortedBy {
  /** `metrics.auc`, `started` */
  readonly field: string
  readonly direction: 'asc' | 'desc'
  /** Said in words where nobody chose: `best first`, `newest first`. */
  readonly means: string
}

export interface Order {
  readonly compare: (a: Values, b: Values) => number
  readonly by: readonly SortedBy[]
  readonly fields: readonly Field[]
  readonly warnings: readonly string[]
}

const SAID = /^(.+):(asc|desc)(?:ending)?$/i

/**
 * @param keys as typed: `auc`, `params.depth:desc`; the first counts most
 * @returns what to call when all runs have been read. @throws usage `SORT_INVALID`, also from what is returned
 */
export function prepareOrder(keys: readonly string[], columns: Columns): (known: KnownNames, runs: number) => Order {
  const prepared = keys.map((key) => {
    refuseOtherWays(key)
    const [, name = key, said] = SAID.exec(key) ?? []
    return { field: fieldLater(name, columns, 'SORT_INVALID'), said: said?.toLowerCase() as 'asc' | 'desc' | undefined }
  })
  return (known, runs) => {
    const fields = prepared.map(({ field }) => field(known, runs))
    const by = fields.map((field, at) => sortedBy(field, prepared[at]?.said))
    const keysOf = fields.map((field, at) => ({ at: columns.add(field), field, isDown: by[at]?.direction === 'desc' }))
    return {
      by,
      fields,
      warnings: runs === 0 ? [] : fields.flatMap((field) => unknownName(field, known) ?? []),
      compare(a, b) {
        for (const { at, field, isDown } of keysOf) {
          const order = compareValues(field, a[at] ?? null, b[at] ?? null, isDown)
          if (order !== 0) return order
        }
        return 0
      },
    }
  }
}

/** Names as people list them: `auc,params.depth`; a comma in quotes belongs to a name. */
export const listedNames = (text: string): string[] =>
  (text.match(/(?:"[^"]*"|'[^']*'|[^,])+/g) ?? []).map((each) => each.trim()).filter((each) => each !== '')

/** The ways of Django and of SQL. */
function refuseOtherWays(key: string): void {
  const [, sign, signed] = /^([-+])(?=[\p{L}_"'])(.+)$/u.exec(key) ?? []
  const [, named, way] = /^([^"']+?)\s+(asc|desc)(?:ending)?$/i.exec(key) ?? []
  const name = signed ?? named
  if (name === undefined) return
  const direction = sign === undefined ? way?.toLowerCase() : sign === '-' ? 'desc' : 'asc'
  throw nameProblem('SORT_INVALID', {
    message: `${JSON.stringify(key)} is not NAME, NAME:asc or NAME:desc.`,
    hint: `Write --sort ${name}:${direction}`,
  })
}

/** A name outside of a filter, looked up when the runs have been read. @throws usage, also from what is returned */
export function fieldLater(
  name: string,
  columns: Columns,
  code: 'SORT_INVALID' | 'COLUMN_INVALID',
): (known: KnownNames, runs: number) => Field {
  const named = nameOf(unquoted(name))
  if ('problem' in named) throw nameProblem(code, named.problem)
  if ('field' in named) {
    columns.add(named.field)
    return () => named.field
  }
  const { bare } = named
  columns.add(bare.metric)
  columns.add(bare.param)
  return (known, runs) => settledOr(bare, known, runs, code)
}

function settledOr(bare: Bare, known: KnownNames, runs: number, code: 'SORT_INVALID' | 'COLUMN_INVALID'): Field {
  const found = runs === 0 ? bare.metric : settleBare(bare, known)
  if ('problem' in found) throw nameProblem(code, found.problem)
  return found
}

const nameProblem = (
  code: 'SORT_INVALID' | 'COLUMN_INVALID',
  { message, hint }: { readonly message: string; readonly hint?: string | undefined },
): MlopsError => usage({ code, message, ...(hint === undefined ? {} : { hint }) })

/** As in a filter: `metrics."val auc"`. */
const unquoted = (name: string): string => name.replace(/^([^"']*)(["'])(.*)\2$/, '$1$3')

function sortedBy(field: Field, said: 'asc' | 'desc' | undefined): SortedBy {
  if (said !== undefined)
    return { field: field.name, direction: said, means: said === 'asc' ? 'ascending' : 'descending' }
  if (field.name.startsWith('metrics.')) {
    const better = directionOf(field.name.slice('metrics.'.length))
    if (better !== undefined)
      return { field: field.name, direction: better === 'lower' ? 'asc' : 'desc', means: 'best first' }
  }
  if (field.kind === 'time') return { field: field.name, direction: 'desc', means: 'newest first' }
  return { field: field.name, direction: 'asc', means: 'ascending' }
}

/** Numbers before text; what has no order (missing, not finite, nothing in a list) last, whichever the direction. */
function compareValues(field: Field, a: Value, b: Value, isDown: boolean): number {
  const [left, right] = [keyOf(field, a), keyOf(field, b)]
  if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? 1 : -1
  const order = compareKeys(left, right)
  return isDown ? -order : order
}

type Key = number | string | readonly number[]

function keyOf({ kind }: Field, value: Value): Key | undefined {
  if (value === null) return undefined
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string') return value.length === 0 ? undefined : value.join(', ')
  if (kind === 'time') return Number.isNaN(Date.parse(value)) ? undefined : Date.parse(value)
  if (kind === 'release') return readRelease(value)
  const number = kind === 'value' ? readNumber(value.trim()) : undefined
  return number === undefined ? value : Number.isFinite(number) ? number : undefined
}

function compareKeys(a: Key, b: Key): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b || 0
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  if (typeof a === 'object' && typeof b === 'object') {
    for (let at = 0; at < Math.max(a.length, b.length); at++) {
      const order = (a[at] ?? 0) - (b[at] ?? 0)
      if (order !== 0) return order
    }
    return 0
  }
  return typeof a === 'number' ? -1 : typeof b === 'number' ? 1 : 0
}
