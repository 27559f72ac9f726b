/**
 * What a column means - numeric, categorical, text, timestamp, id - decided once per baseline, from the sample and
 * the configured overrides, and said aloud where a person might have expected something else.
 */
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
const ID_NAME = /(?:^|[_\s.-])(?:id|uuid|guid|key|index)$|[a-z](?:ID|Id)$/i
/** Below this many values nothing can be said about uniqueness. */
const FEW = 50

export function inferType(sample: SampleColumn, configured: ColumnType | undefined): Inferred {
  const { name, physical } = sample.column
  if (configured !== undefined) return { type: configured }
  if (physical === 'binary') return { type: 'ignore', note: `${name} holds binary data and is ignored` }
  if (physical === 'time') return { type: 'timestamp' }
  if (physical === 'nested') {
    return {
      type: 'ignore',
      note: `${name} holds lists or objects and is ignored: write its parts as columns to check them`,
    }
  }
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

function inferText(sample: SampleColumn, parsed: number, words: number): Inferred {
  const { name } = sample.column
  const values = parsed + words
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
