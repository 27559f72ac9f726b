/**
 * Checks of a value that was read, before any of it is used: is it what a type says? Which members a record has is said
 * where the record belongs: `transfer/records.ts`, `store/run-shapes.ts`. Pure.
 */
import { readNumber } from './canonical-json.ts'
import { isDigest } from './digest.ts'

/** @returns what is wrong with `value`, beginning with where, or undefined */
export type Check = (value: unknown, at: string) => string | undefined

export interface Member {
  readonly check: Check
  readonly optional: boolean
}

export const optional = (check: Check): Member => ({ check, optional: true })

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const is =
  (what: string, holds: (value: unknown) => boolean): Check =>
  (value, at) =>
    holds(value) ? undefined : `${at} is not ${what}`

export const digest = is('a sha256', isDigest)
export const size = is('a size in bytes', (value) => Number.isSafeInteger(value) && Number(value) >= 0)
export const count = is('a count', (value) => Number.isSafeInteger(value) && Number(value) >= 0)
export const positive = is('a whole number above 0', (value) => Number.isSafeInteger(value) && Number(value) >= 1)
export const flag = is('true or false', (value) => typeof value === 'boolean')
export const metric = is('a number', (value) => readNumber(value) !== undefined)
export const scalar = is(
  'a text, a number, true, false or null',
  (value) => value === null || ['string', 'number', 'boolean'].includes(typeof value),
)
export const one = (...values: readonly unknown[]): Check =>
  is(`one of ${values.map((value) => JSON.stringify(value)).join(', ')}`, (value) => values.includes(value))

/** @param most characters */
export const text = (most = 10_000): Check =>
  is(`a text of at most ${most} characters`, (value) => typeof value === 'string' && value.length <= most)

/** However long. */
export const words = is('a text', (value) => typeof value === 'string')

export const orNull =
  (check: Check): Check =>
  (value, at) =>
    value === null ? undefined : check(value, at)

export const list =
  (item: Check, most = 100_000): Check =>
  (value, at) => {
    if (!Array.isArray(value)) return `${at} is not a list`
    if (value.length > most) return `${at} has ${value.length} items; at most ${most} are read`
    for (let index = 0; index < value.length; index++) {
      const problem = item(value[index], `${at}[${index}]`)
      if (problem !== undefined) return problem
    }
    return undefined
  }

export const map =
  (item: Check, most = 100_000, longest = 1024): Check =>
  (value, at) => {
    if (!isMap(value)) return `${at} is not an object`
    const keys = Object.keys(value)
    if (keys.length > most) return `${at} has ${keys.length} members; at most ${most} are read`
    if (keys.some((key) => key === '__proto__' || key.length > longest)) return `${at} has a member of a forbidden name`
    for (const key of keys) {
      const problem = item(value[key], `${at}.${key}`)
      if (problem !== undefined) return problem
    }
    return undefined
  }

/** Every member of `T`, so that a new one cannot be forgotten here. */
type Members<T> = { readonly [K in keyof T]-?: Check | Member }

/** An object of these members and no others: an unknown one could mean what this program does not understand. */
export const exactly = <T extends object>(members: Members<T>): Check => {
  const known = atLeast(members)
  return (value, at) => {
    const unknown = isMap(value) ? Object.keys(value).find((key) => !Object.hasOwn(members, key)) : undefined
    if (unknown !== undefined) {
      return `${at} has a member ${JSON.stringify(unknown.slice(0, 80))} that this mlops does not know; a newer one may`
    }
    return known(value, at)
  }
}

/** As `exactly`, but other members are let through: records of other writers, which are only shown. */
export const atLeast = <T extends object>(members: Members<T>): Check => {
  // A list of 10,000 runs is checked while somebody waits: nothing is made anew for each.
  const wanted = Object.entries<Check | Member>(members).map(([key, member]) =>
    typeof member === 'function' ? { key, check: member, optional: false } : { key, ...member },
  )
  return (value, at) => {
    if (!isMap(value)) return `${at} is not an object`
    for (const { key, check, optional: absent } of wanted) {
      const problem = Object.hasOwn(value, key)
        ? check(value[key], at === '' ? key : `${at}.${key}`)
        : absent
          ? undefined
          : `${at === '' ? 'it' : at} has no ${key}`
      if (problem !== undefined) return problem
    }
    return undefined
  }
}
