/**
 * What rows can be read from: a word the user typed (a file, a folder, standard input, a database) or a part of the
 * prediction log, all behind one shape. How each kind is opened is in the files beside this one; what the columns mean
 * is decided in `src/drift/`.
 */

import { usage } from '../core/errors.ts'
import { databaseData, isDatabaseUrl } from './postgres.ts'
import { type OpenOptions, type Source, withSource } from './source.ts'
import { STANDARD_INPUT, withStandardInput } from './standard-input.ts'

export interface DataInput {
  /** For people and for records, credentials removed. */
  readonly name: string
  /** Opens it, hands it over, and closes it, whatever `use` does. @throws as `withSource` */
  open<T>(options: OpenOptions, use: (source: Source) => Promise<T>): Promise<T>
}

/**
 * The data a user named with one word: a file, a folder, a pattern, `-`, `postgres://…`. Nothing is looked at before
 * `open`.
 * @param query for a database: the SELECT whose rows are meant (`--query`)
 * @throws usage `DATA_QUERY_WITHOUT_DATABASE`, `DATABASE_URL`
 */
export function namedData(word: string, { query }: { readonly query?: string } = {}): DataInput {
  if (isDatabaseUrl(word)) return databaseData({ url: word, ...(query === undefined ? {} : { query }) })
  if (query !== undefined) {
    throw usage({
      code: 'DATA_QUERY_WITHOUT_DATABASE',
      message: `A query needs a database to run in, and ${word} is none.`,
      hint: "Name one: postgres://user@host/database --query 'SELECT …'",
    })
  }
  if (word === '-') return { name: STANDARD_INPUT, open: withStandardInput }
  return { name: word, open: (options, use) => withSource(word, options, use) }
}

/** Either form, where a caller may hand over both. */
export const asInput = (data: string | DataInput): DataInput => (typeof data === 'string' ? namedData(data) : data)
