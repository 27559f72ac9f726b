/**
 * The recorded examples of a version: what the model was given, as the script gave it. They say what a profile cannot: in
 * which order the columns were, and whether `34` was a whole number or `34.0`.
 */
import { readNumber } from '../core/canonical-json.ts'
import { failed } from '../core/errors.ts'
import type { Manifest } from '../store/manifest.ts'
import type { Store } from '../store/store.ts'
import type { Plain } from './columns.ts'

/** A number that was written with a point or an exponent, which JavaScript would forget. */
export class Float {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

export interface RecordedExample {
  /** In the order of the columns. */
  readonly features: ReadonlyMap<string, unknown>
  readonly output: unknown
}

/**
 * @param bytes JSON lines of `{"features", "output"}`, compressed or not. Lines of another form are left out.
 * @throws failed `EXAMPLES_UNREADABLE`
 */
export async function readExamples(bytes: Buffer): Promise<RecordedExample[]> {
  const { gunzipSync } = await import('node:zlib')
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b
  const text = (isPacked ? unpacked(() => gunzipSync(bytes, { maxOutputLength: LARGEST })) : bytes).toString('utf8')
  return text.split('\n').flatMap((line) => {
    const found = line.trim() === '' ? undefined : parsed(line)
    if (found === undefined || !isRecord(found.features)) return []
    return [{ features: new Map(Object.entries(found.features)), output: plainOf(found.output) }]
  })
}

/** Those of a version. Tables are no golden predictions: a service does not read them. @throws as `readExamples`, and reading */
export async function recordedExamples(
  store: Pick<Store, 'objects'>,
  { examples }: Pick<Manifest, 'examples'>,
): Promise<readonly RecordedExample[]> {
  if (examples === undefined || (examples.format ?? 'jsonl') !== 'jsonl') return []
  return readExamples(await store.objects.read(examples.sha256))
}

const LARGEST = 64 * 1024 * 1024

function unpacked(unpack: () => Buffer): Buffer {
  try {
    return unpack()
  } catch (error) {
    throw failed({
      code: 'EXAMPLES_UNREADABLE',
      message: `The recorded examples are compressed and cannot be unpacked: ${(error as Error).message}.`,
      hint: 'Record them in the script: run.log_examples(X, y_pred)',
    })
  }
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(keepFloats(line), (_, each: unknown) =>
      isRecord(each) && typeof each[MARK] === 'number' && Object.keys(each).length === 1 ? new Float(each[MARK]) : each,
    )
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const MARK = '\u0000float'
/** Strings are matched first, so that numbers inside of them are passed over. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

const keepFloats = (line: string): string =>
  line.replace(TOKENS, (token) => (!token.startsWith('"') && /[.eE]/.test(token) ? `{"\\u0000float":${token}}` : token))

/** Without the distinction. Numbers that JSON cannot hold are no values here. */
export function plainOf(value: unknown): unknown {
  if (value instanceof Float) return value.value
  if (Array.isArray(value)) return value.map(plainOf)
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plainOf(each)]))
  return value
}

/** Which kinds of values a column has in the examples. */
export interface Seen {
  readonly text: boolean
  readonly whole: boolean
  readonly float: boolean
  readonly truth: boolean
  readonly missing: boolean
  /** Lists and objects: nothing that a request is typed with. */
  readonly other: boolean
}

export function seenIn(examples: readonly RecordedExample[], name: string): Seen {
  const values = examples.map(({ features }) => features.get(name))
  const has = (test: (value: unknown) => boolean): boolean => values.some(test)
  return {
    text: has((value) => typeof value === 'string' && !isOddNumber(value)),
    whole: has((value) => typeof value === 'number'),
    float: has((value) => value instanceof Float || isOddNumber(value)),
    truth: has((value) => typeof value === 'boolean'),
    missing: has((value) => value === null || value === undefined || value === 'NaN'),
    other: has((value) => typeof value === 'object' && value !== null && !(value instanceof Float)),
  }
}

/** `"NaN"`, `"Infinity"`: how a float is written that JSON cannot hold. */
const isOddNumber = (value: unknown): boolean =>
  typeof value === 'string' && readNumber(value) !== undefined && !/^-?\d+$/.test(value)

/** As a request holds it; what JSON cannot hold is missing. */
export const requestValue = (value: unknown): Plain => {
  if (value instanceof Float) return value.value
  if (value === undefined || value === null || isOddNumber(value)) return null
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}
