/** A rule over several keys of one record: what a `Shape` alone, which looks at one value, cannot say. */
import type { Fields, Place, Shape } from './schema.ts'
import { lineAt } from './yaml.ts'

/** @param path of a key below the record */
export type Say = (path: readonly string[], message: string) => void

/** The keys of the record whose values could not be read: what depends on them is not judged. */
export type Wrong = ReadonlySet<string>

/** A record with a rule over several of its keys. Values that were reported are missing from what it is given. */
export function checked<T, F extends Fields>(
  shape: Shape<T> & { readonly fields: F },
  judge: (value: T, say: Say, wrong: Wrong) => void,
): Shape<T> & { readonly fields: F } {
  return {
    ...shape,
    read: (node, at) => {
      const wrong = new Set<string>()
      const report: Place['report'] = (line, path, message) => {
        wrong.add(path.slice(at.path.length).match(/^\.?([^.[]+)/)?.[1] ?? '')
        at.report(line, path, message)
      }
      const value = shape.read(node, { ...at, report })
      if (value === undefined) return value
      const say: Say = (path, message) => at.report(lineAt(node, path), [at.path, ...path].join('.'), message)
      judge(value, say, wrong)
      return value
    },
  }
}
