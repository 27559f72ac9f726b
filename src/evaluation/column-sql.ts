/** Columns of a held-out file as SQL: text, number, name of a row; NULL where a value is missing. */
import { sqlText } from '../data/duck.ts'
import type { SourceColumn } from '../data/source.ts'

/** As it is spelled; a number that is whole without a fraction, so that 1 and 1.0 of two files are one value. */
export function textOf(column: SourceColumn | undefined): string {
  if (column === undefined) return 'NULL::VARCHAR'
  const { sql, physical } = column
  if (physical === 'text') return `nullif(trim(${sql}), '')`
  if (physical !== 'number') return `CAST(${sql} AS VARCHAR)`
  const number = `CAST(${sql} AS DOUBLE)`
  const isWhole = `${number} = floor(${number}) AND abs(${number}) < 1e15`
  const text = `CASE WHEN ${isWhole} THEN CAST(CAST(${number} AS BIGINT) AS VARCHAR) ELSE CAST(${sql} AS VARCHAR) END`
  return `CASE WHEN isnan(${number}) THEN NULL ELSE ${text} END`
}

/** NULL where it is no number. */
export function numberOf(column: SourceColumn | undefined): string {
  if (column === undefined) return 'NULL::DOUBLE'
  const { sql, physical } = column
  if (physical === 'number' || physical === 'int64') {
    return `CASE WHEN isnan(CAST(${sql} AS DOUBLE)) THEN NULL ELSE CAST(${sql} AS DOUBLE) END`
  }
  if (physical !== 'text') return 'NULL::DOUBLE'
  const number = `TRY_CAST(trim(${sql}) AS DOUBLE)`
  return `CASE WHEN isnan(${number}) THEN NULL ELSE ${number} END`
}

/** `nan`, `inf`, `-Infinity` as text: a number to a cast, and none to anybody. */
export const isOdd = (text: string): string => `NOT isfinite(TRY_CAST(${text} AS DOUBLE))`

/** An id as text: `1` and `1.0` of two files are one id. */
export function idTextOf(column: SourceColumn | undefined): string {
  const text = textOf(column)
  return `CASE WHEN regexp_full_match(${text}, '-?[0-9]+\\.0+') THEN split_part(${text}, '.', 1) ELSE ${text} END`
}

/** 53 bits of the MD5 of the id, which a double holds exactly: two of a million ids are the same once in 18,000 files. */
export const keyOf = (column: SourceColumn | undefined): string =>
  `CAST(md5_number_lower(${idTextOf(column)}) >> 11 AS DOUBLE)`

/** Which of the words a text is: its place among them, as a number from 0. */
export const placeAmong = (sql: string, words: readonly string[]): string =>
  words.length === 0 ? 'NULL' : `enum_code(CAST(${sql} AS ENUM(${words.map(sqlText).join(', ')})))`
