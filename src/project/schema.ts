/**
 * The few building blocks of a configuration schema. A shape reads a YAML node, reports every problem with its line,
 * and describes itself as JSON Schema, from which the committed schema and `docs/configuration.md` are made.
 *
 * Why not valibot: it costs 11 ms on the start-up path of every command, knows nothing of lines, and a
 * "did you mean" for unknown keys would have to be built around it. What we need of it is this file.
 */
import type { Json } from '../core/canonical-json.ts'
import { nearest } from '../core/nearest.ts'
import type { YamlNode } from './yaml.ts'

export type JsonSchema = { readonly [key: string]: Json }

/** Where a node stands, and where its problems go. */
export interface Place {
  readonly path: string
  readonly report: (line: number, path: string, message: string) => void
}

export interface Shape<T> {
  /** For messages and docs: `a number`, `a duration such as 7d`. */
  readonly label: string
  readonly json: JsonSchema
  /** undefined when something was reported. */
  readonly read: (node: YamlNode, at: Place) => T | undefined
  /** What the docs descend into: the known keys of a record, the shape of each value of a map. */
  readonly fields?: Fields
  readonly pattern?: Pattern<unknown> | undefined
  readonly each?: Shape<unknown>
  /** Of a list, for the docs too: what each of its items is. */
  readonly item?: Shape<unknown>
}

export interface Field<T> {
  readonly shape: Shape<NonNullable<T>>
  /** One or two sentences for the docs. */
  readonly description: string
  /** In YAML, for the docs. */
  readonly example?: string
  readonly fallback: T | undefined
  readonly required: boolean
}
export type Fields = Readonly<Record<string, Field<unknown>>>
export type RecordOf<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never }

export const optional = <T>(shape: Shape<T>, description: string, example?: string): Field<T | undefined> =>
  ({
    shape,
    description,
    fallback: undefined,
    required: false,
    ...(example === undefined ? {} : { example }),
  }) as Field<T | undefined>
export const required = <T>(shape: Shape<T>, description: string, example?: string): Field<T> =>
  ({
    shape,
    description,
    fallback: undefined,
    required: true,
    ...(example === undefined ? {} : { example }),
  }) as Field<T>
export const withDefault = <T>(shape: Shape<T>, fallback: T, description: string, example?: string): Field<T> =>
  ({ shape, description, fallback, required: false, ...(example === undefined ? {} : { example }) }) as Field<T>

const found = (node: YamlNode): string =>
  node.kind === 'scalar' ? (node.value === null ? 'nothing' : JSON.stringify(node.text)) : `a ${node.kind}`

function wrong(node: YamlNode, at: Place, label: string): undefined {
  at.report(node.line, at.path, `expected ${label}, found ${found(node)}`)
  return undefined
}

/** Any word or sentence; numbers and booleans are taken as they are written. `problem` refuses with its reason. */
export function text(
  options: { label?: string; pattern?: RegExp; problem?: (value: string) => string | undefined } = {},
): Shape<string> {
  const { label = 'a text', pattern, problem } = options
  return {
    label,
    json:
      pattern === undefined ? { type: ['string', 'number', 'boolean'] } : { type: 'string', pattern: pattern.source },
    read: (node, at) => {
      if (node.kind !== 'scalar' || node.value === null || node.text.trim() === '') return wrong(node, at, label)
      if (pattern !== undefined && !pattern.test(node.text)) return wrong(node, at, label)
      const reason = problem?.(node.text)
      if (reason === undefined) return node.text
      at.report(node.line, at.path, reason)
      return undefined
    },
  }
}

/** A finite number; `above` and `atLeast` bound it from below, `atMost` from above. */
export function number(
  options: { label?: string; above?: number; atLeast?: number; atMost?: number; whole?: boolean } = {},
): Shape<number> {
  const { above, atLeast, atMost, whole = false } = options
  const bounds = [
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(atLeast === undefined ? [] : [`of at least ${atLeast}`]),
    ...(atMost === undefined ? [] : [`of at most ${atMost}`]),
  ]
  const label = options.label ?? [whole ? 'a whole number' : 'a number', bounds.join(' and ')].join(' ').trim()
  return {
    label,
    json: {
      type: whole ? 'integer' : 'number',
      ...(above === undefined ? {} : { exclusiveMinimum: above }),
      ...(atLeast === undefined ? {} : { minimum: atLeast }),
      ...(atMost === undefined ? {} : { maximum: atMost }),
    },
    read: (node, at) => {
      const value = node.kind === 'scalar' ? node.value : undefined
      if (typeof value !== 'number' || !Number.isFinite(value)) return wrong(node, at, label)
      const low = (above !== undefined && value <= above) || (atLeast !== undefined && value < atLeast)
      const high = atMost !== undefined && value > atMost
      if (low || high || (whole && !Number.isSafeInteger(value))) return wrong(node, at, label)
      return value
    },
  }
}

export const yesOrNo: Shape<boolean> = {
  label: 'true or false',
  json: { type: 'boolean' },
  read: (node, at) => {
    const value = node.kind === 'scalar' ? node.value : undefined
    return typeof value === 'boolean' ? value : wrong(node, at, 'true or false')
  },
}

export function oneOf<const T extends string>(words: readonly T[]): Shape<T> {
  const label = words.length === 1 ? `${words[0]}` : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
  return {
    label,
    json: { enum: words },
    read: (node, at) => {
      const word = node.kind === 'scalar' ? words.find((candidate) => candidate === node.text) : undefined
      if (word !== undefined) return word
      const close = node.kind === 'scalar' ? nearest(node.text, words) : undefined
      at.report(
        node.line,
        at.path,
        `expected ${label}, found ${found(node)}${close === undefined ? '' : `; did you mean ${close}?`}`,
      )
      return undefined
    },
  }
}

export function listOf<T>(item: Shape<T>): Shape<readonly T[]> {
  return {
    label: `a list, each ${item.label}`,
    item,
    json: { type: 'array', items: item.json },
    read: (node, at) => {
      if (node.kind !== 'list') return wrong(node, at, 'a list')
      return node.items.flatMap((child, index) => {
        const value = item.read(child, { ...at, path: `${at.path}[${index}]` })
        return value === undefined ? [] : [value]
      })
    },
  }
}

/** A map whose keys the user chooses. `keyProblem` refuses a key with its reason. */
export function mapOf<T>(
  value: Shape<T>,
  keyProblem: (key: string) => string | undefined = () => undefined,
): Shape<Readonly<Record<string, T>>> {
  return {
    label: 'a map',
    each: value,
    json: { type: 'object', additionalProperties: value.json },
    read: (node, at) => {
      const result = emptyMap<T>()
      if (isEmpty(node)) return result
      if (node.kind !== 'map') return wrong(node, at, 'a map')
      for (const entry of node.entries) {
        const path = join(at.path, entry.key)
        const reason = keyProblem(entry.key)
        if (reason !== undefined) at.report(entry.line, path, reason)
        const read = value.read(entry.value, { ...at, path })
        if (read !== undefined) result[entry.key] = read
      }
      return result
    },
  }
}

/** Keys that share a beginning, such as `min_…`; collected under `rest`. */
export interface Pattern<T> {
  readonly keys: RegExp
  readonly shape: Shape<T>
  readonly description: string
  /** How it is named in the docs: `min_<metric>`. */
  readonly name: string
}

/** A map with known keys. An unknown one is a problem, with the nearest known one. */
export function record<F extends Fields, T = never>(
  fields: F,
  pattern?: Pattern<T>,
): Shape<RecordOf<F> & { readonly rest: Readonly<Record<string, T>> }> & { readonly fields: F } {
  const known = Object.keys(fields)
  return {
    label: 'a map',
    fields,
    pattern,
    json: recordJson(fields, pattern),
    read: (node, at) => {
      const result = emptyMap<unknown>()
      const rest = emptyMap<T>()
      if (node.kind !== 'map' && !isEmpty(node)) return wrong(node, at, `a map with ${known.join(', ')}`)
      const entries = node.kind === 'map' ? node.entries : []
      for (const entry of entries) {
        const path = join(at.path, entry.key)
        const field = Object.hasOwn(fields, entry.key) ? fields[entry.key] : undefined
        if (field !== undefined) {
          // `drift:` with nothing after it is a key not given: everything below is commented out.
          if (!isEmpty(entry.value)) result[entry.key] = field.shape.read(entry.value, { ...at, path })
        } else if (pattern?.keys.test(entry.key)) {
          const value = pattern.shape.read(entry.value, { ...at, path })
          if (value !== undefined) rest[entry.key] = value
        } else {
          at.report(entry.line, path, unknownKey(entry.key, known))
        }
      }
      for (const [key, field] of Object.entries(fields)) {
        const given = entries.some((entry) => entry.key === key && !isEmpty(entry.value))
        if (!given && field.required) at.report(node.line, join(at.path, key), `missing; expected ${field.shape.label}`)
        if (!given || result[key] === undefined) result[key] = field.fallback
      }
      // Where something was reported the object has holes, and whoever asked throws before looking at it.
      return { ...result, rest } as unknown as RecordOf<F> & { readonly rest: Readonly<Record<string, T>> }
    },
  }
}

function recordJson(fields: Fields, pattern: Pattern<unknown> | undefined): JsonSchema {
  const properties = Object.entries(fields).map(([key, { shape, description, fallback, example }]) => [
    key,
    {
      ...shape.json,
      description,
      ...(fallback === undefined ? {} : { default: fallback as Json }),
      ...(example === undefined ? {} : { examples: [example] }),
    },
  ])
  const needed = Object.keys(fields).filter((key) => fields[key]?.required)
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(pattern === undefined
      ? {}
      : { patternProperties: { [pattern.keys.source]: { ...pattern.shape.json, description: pattern.description } } }),
    ...(needed.length === 0 ? {} : { required: needed }),
    additionalProperties: false,
  }
}

const unknownKey = (key: string, known: readonly string[]): string => {
  const close = nearest(key, known)
  return close === undefined ? `unknown key; known are ${known.join(', ')}` : `unknown key; did you mean ${close}?`
}

const isEmpty = (node: YamlNode): boolean => node.kind === 'scalar' && node.value === null
const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)
/** No prototype: a column called `constructor` must not be found where nobody configured one. */
export const emptyMap = <T>(): Record<string, T> => Object.create(null) as Record<string, T>
