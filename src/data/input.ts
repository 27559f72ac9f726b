/**
 * What rows can be read from: a word the user typed (a file, a folder, standard input, a database) or a part of the
 * prediction log, all behind one shape. How each kind is opened is in the files beside this one; what the columns mean
 * is decided in `src/drift/`.
 */
import { type OpenOptions, type Source, withSource } from './source.ts'

export interface DataInput {
  /** For people and for records, credentials removed. */
  readonly name: string
  /** Opens it, hands it over, and closes it, whatever `use` does. @throws as `withSource` */
  open<T>(options: OpenOptions, use: (source: Source) => Promise<T>): Promise<T>
}

/** The data a user named with one word. Nothing is looked at before `open`. */
export const namedData = (word: string): DataInput => ({
  name: word,
  open: (options, use) => withSource(word, options, use),
})

/** Either form, where a caller may hand over both. */
export const asInput = (data: string | DataInput): DataInput => (typeof data === 'string' ? namedData(data) : data)
