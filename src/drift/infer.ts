/**
 * What a column means - numeric, categorical, text, timestamp, id - decided once per baseline, from the sample and
 * the configured overrides, and said aloud where a person might have expected something else.
 */
import { ID_NAME } from '../core/columns.ts'
import { nearest } from '../core/nearest.ts'
import type { ColumnType, SchemaConfig } from '../project/config.ts'
import type { Role } from './profile.ts'
import type { SampleColumn } from './sample.ts'

export interface Inferred {
  readonly type: ColumnType
  readonly note?: string
}

/** A text column is numeric when so many of its values, leaving out blanks and words for "missing", are numbers. */
const NUMERIC_SHARE = 0.95
const WORDS_FOR_MISSING = /^\s*(?:n\/?a|#n\/a|null|none|nil|missing|unknown|-+|\?|\.)?\s*$/i
const LEADING_ZERO = /^-?0\d/
const TIME =
  /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?(?:Z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2}))?)?$/
/** Below this many values nothing can be said about uniqueness. */
const FEW = 50

/** A column may be called `constructor`: what every object has by itself is no configuration. */
export const configuredType = ({ columns }: SchemaConfig, name: string): ColumnType | undefined =>
  Object.hasOwn(columns, name) ? columns[name] : undefined

export function inferType(sample: SampleColumn, configured: ColumnType | undefined): Inferred {
  const { name, physical } = sample.column
  if (configured !== undefined) return { type: configured, ...configuredNote(sample, configured) }
  if (physical === 'binary') return { type: 'ignore', note: `${name} holds binary data and is ignored` }
  if (physical === 'time') return { type: 'timestamp' }
  if (physical === 'nested') return nestedColumn(name)
  const parsed = sample.numbers.length + sample.nonFinite
  const words = sum(sample.words.values())
  if (parsed + words === 0) return { type: 'numeric', note: `${name} has no values at all in the baseline` }
  if (physical === 'number' || physical === 'int64') return isNumericId(sample) ? { type: 'id' } : { type: 'numeric' }
  const meaningful = sumWhere(sample.words, (text) => !WORDS_FOR_MISSING.test(text))
  if (parsed > 0 && parsed / (parsed + meaningful) >= NUMERIC_SHARE) {
    if (!hasLeadingZeros(sample)) {
      return isNumericId(sample) ? { type: 'id' } : { type: 'numeric', ...numericNote(sample, parsed, words) }
    }
  }
  return inferText(sample, parsed, words)
}

const nestedColumn = (name: string): Inferred => ({
  type: 'ignore',
  note: `${name} holds lists or objects and is ignored: write its parts as columns to check them`,
})

/** A declared type is obeyed, and what that means for most of the values is said. */
function configuredNote(
  { column, numbers, nonFinite, words }: SampleColumn,
  configured: ColumnType,
): { note?: string } {
  const parsed = numbers.length + nonFinite
  const others = sum(words.values())
  if (configured !== 'numeric' || others <= parsed) return {}
  const share = Math.round((100 * others) / (parsed + others))
  return { note: `${column.name} is numeric by mlops.yaml though ${share} % of its values are no numbers` }
}

/** Lists and objects as text, the way JSON and CSV hold them. */
const NESTED = /^\s*(?:\[.*\]|\{.*\})\s*$/s

function inferText(sample: SampleColumn, parsed: number, words: number): Inferred {
  const { name } = sample.column
  const values = parsed + words
  if (sumWhere(sample.words, (text) => NESTED.test(text)) >= NUMERIC_SHARE * values) return nestedColumn(name)
  const isTime = sumWhere(sample.words, (text) => TIME.test(text.trim())) >= NUMERIC_SHARE * values
  if (isTime) return { type: 'timestamp' }
  const distinct = sample.words.size + (sample.numberTexts?.size ?? parsed)
  const length = sumWhere(sample.words, (text) => text.length) / Math.max(1, words)
  const hasSpaces = sumWhere(sample.words, (text) => /\s/.test(text.trim())) > 0.05 * words
  if (distinct === values && values >= FEW) return { type: length <= 64 && !hasSpaces ? 'id' : 'text' }
  if ((distinct > 0.5 * values && values >= 2 * FEW) || length > 100 || sample.numberTexts === undefined) {
    return { type: 'text' }
  }
  if (parsed < 0.5 * values) return { type: 'categorical' }
  const share = Math.round((100 * parsed) / values)
  const why = hasLeadingZeros(sample) ? 'its numbers have leading zeros' : `only ${share} % of its values are numbers`
  return { type: 'categorical', note: `${name} is counted as categorical: ${why}` }
}

/** `TotalCharges: 11 of 7,043 sampled values are no numbers (blank), counted apart`. */
function numericNote(sample: SampleColumn, parsed: number, words: number): { note?: string } {
  if (words === 0) return {}
  const seen = [...sample.words.keys()].slice(0, 3).map((text) => (text.trim() === '' ? 'blank' : JSON.stringify(text)))
  const what = [...new Set(seen)].join(', ')
  const total = (parsed + words + sample.missing).toLocaleString('en-US')
  return {
    note: `${sample.column.name} is numeric though ${words.toLocaleString('en-US')} of ${total} values are no numbers (${what}): these are counted as unparsed`,
  }
}

function hasLeadingZeros({ numberTexts, numbers }: SampleColumn): boolean {
  if (numberTexts === undefined) return false
  return sumWhere(numberTexts, (text) => LEADING_ZERO.test(text) && !text.includes('.')) > 0.05 * numbers.length
}

/**
 * Whole numbers, never twice the same, and named like an id or lying so close that chance is out of the question: n
 * values drawn from 3n places are all different with a probability of about exp(-n/6), 2 in 10,000 for the 50 we ask
 * for. A row counter stays one when a random part of the rows was kept for testing.
 */
function isNumericId({ numbers, nonFinite, bigs, column }: SampleColumn): boolean {
  const count = numbers.length
  if (count < FEW || nonFinite > 0) return false
  if (bigs !== undefined) return ID_NAME.test(column.name) && bigs.every((value, i) => value !== bigs[i - 1])
  for (let i = 0; i < count; i++) {
    if (!Number.isInteger(numbers[i]) || numbers[i] === numbers[i - 1]) return false
  }
  const span = (numbers[count - 1] as number) - (numbers[0] as number) + 1
  return ID_NAME.test(column.name) || span <= 3 * count
}

/** What is left out, and what of it is looked at all the same. */
const LEFT_OUT: readonly (readonly [ColumnType, string, string])[] = [
  ['id', 'looks like an id and is not compared', 'look like ids and are not compared'],
  [
    'text',
    'is free text: only whether there is a value is compared',
    'are free text: only whether there is a value is compared',
  ],
  [
    'timestamp',
    'holds times: only whether there is a value is compared',
    'hold times: only whether there is a value is compared',
  ],
]

/**
 * A word on the columns that were recognised as something that is not compared by value: one sentence for each kind.
 * @param columns with the types that were inferred, not configured
 */
export function leftOutNotes(columns: readonly { readonly name: string; readonly type: ColumnType }[]): string[] {
  return LEFT_OUT.flatMap(([type, one, many]) => {
    const names = columns.filter((column) => column.type === type).map(({ name }) => name)
    if (names.length === 0) return []
    const shown = names.slice(0, 5).join(', ')
    const more = names.length > 5 ? ` and ${names.length - 5} more` : ''
    return [`${shown}${more} ${names.length === 1 ? one : many}`]
  })
}

/**
 * Types that mlops.yaml has changed since the baseline was made: a baseline cannot be counted anew without its rows.
 * `id` and `ignore` take effect at once and need no word.
 */
export function retypedNotes(
  columns: readonly { readonly name: string; readonly type: ColumnType }[],
  schema: SchemaConfig,
): string[] {
  return columns.flatMap(({ name, type }) => {
    const wanted = configuredType(schema, name)
    if (wanted === undefined || wanted === type || wanted === 'id' || wanted === 'ignore') return []
    return [
      `${name} is ${wanted} in mlops.yaml but ${type} in the baseline, which decides until a version is registered anew`,
    ]
  })
}

export const roleOf = (name: string, schema: SchemaConfig): Role =>
  name === schema.prediction ? 'prediction' : name === schema.target ? 'target' : 'feature'

/** What the schema names but the data do not have. */
export function schemaNotes(schema: SchemaConfig, names: readonly string[], source: string): string[] {
  const wanted = [
    ...Object.keys(schema.columns).map((name) => ['column', name] as const),
    ...(schema.target === undefined ? [] : [['target', schema.target] as const]),
    ...(schema.prediction === undefined ? [] : [['prediction', schema.prediction] as const]),
  ]
  return wanted
    .filter(([, name]) => !names.includes(name))
    .map(([what, name]) => {
      const close = nearest(name, names)
      const hint = close === undefined ? '' : `; did you mean ${JSON.stringify(close)}?`
      return `The ${what} ${JSON.stringify(name)} of the schema is not in ${source}${hint}`
    })
}

const sum = (counts: Iterable<number>): number => {
  let total = 0
  for (const count of counts) total += count
  return total
}

/** The counts of the texts, each weighted by what `weigh` says of it. */
function sumWhere(counts: ReadonlyMap<string, number>, weigh: (text: string) => boolean | number): number {
  let total = 0
  for (const [text, count] of counts) total += count * Number(weigh(text))
  return total
}
