/**
 * Canonical JSON (RFC 8785) with the store's rule for numbers that JSON cannot hold.
 *
 * Two programs that write the same record must produce the same bytes, because digests and the event chain are over
 * bytes. RFC 8785 sorts keys by UTF-16 code units and prints numbers as ECMAScript does; both are what
 * `JSON.stringify` and the default sort already do. Numbers outside JSON's safe range are written as strings:
 * `"NaN"`, `"Infinity"`, `"-Infinity"`, `"-0"`, and integers beyond 2^53 as their decimal digits.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Anything `canonicalJson` accepts: also bigint, and undefined members, which are left out. */
export type JsonInput =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | readonly JsonInput[]
  | { readonly [key: string]: JsonInput }

/**
 * @returns the canonical text, without a newline.
 * @throws TypeError for functions, symbols and lone surrogates, which have no JSON form.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'number':
      return canonicalNumber(value)
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? value.toString() : quote(value.toString())
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object': {
      if (value === null) return 'null'
      if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
      const record = value as Record<string, unknown>
      const members = Object.keys(record)
        .filter((key) => record[key] !== undefined)
        .sort()
        .map((key) => `${quote(key)}:${canonicalJson(record[key])}`)
      return `{${members.join(',')}}`
    }
    default:
      throw new TypeError(`a ${typeof value} has no JSON form`)
  }
}

/** Canonical text plus newline, as bytes: the form in which every JSON file of the store is written. */
export function canonicalBytes(value: unknown): Buffer {
  return Buffer.from(`${canonicalJson(value)}\n`, 'utf8')
}

/** Reads a number that `canonicalJson` may have written as a string. Returns undefined for any other string. */
export function readNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return undefined
  if (value === 'NaN') return Number.NaN
  if (value === 'Infinity') return Number.POSITIVE_INFINITY
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY
  if (value === '-0') return -0
  return /^-?\d{16,}$/.test(value) ? Number(value) : undefined
}

function canonicalNumber(value: number): string {
  if (!Number.isFinite(value)) return quote(String(value))
  if (Object.is(value, -0)) return '"-0"'
  // An integer that a double cannot hold exactly would be read differently by languages with big integers.
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21) return quote(String(value))
  return String(value)
}

function quote(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('a string with a lone surrogate has no canonical JSON form')
  return JSON.stringify(text)
}
