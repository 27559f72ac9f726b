/**
 * A profile without a part of its rows: what a chunk of the baseline's own data is compared with. Against the whole, of
 * which it is a part, it would look better than any other batch.
 */
import type { ColumnProfile, Profile } from './profile.ts'

/**
 * Counts of `whole` less those of `part`; range, least and greatest stay those of the whole.
 * @returns undefined when `part` is no part of `whole`, or is all of it
 */
export function restOf(whole: Profile, part: Profile): Profile | undefined {
  if (whole.definition !== part.definition || part.rows >= whole.rows) return undefined
  const columns = whole.columns.map((column, i) => restOfColumn(column, part.columns[i]))
  if (columns.some((column) => column === undefined)) return undefined
  return { ...whole, rows: whole.rows - part.rows, columns: columns as ColumnProfile[] }
}

function restOfColumn(a: ColumnProfile, b: ColumnProfile | undefined): ColumnProfile | undefined {
  if (b === undefined || a.type !== b.type) return undefined
  const missing = a.missing - b.missing
  const isPart = (...counts: readonly number[]) => missing >= 0 && counts.every((count) => count >= 0)
  if (a.type === 'numeric' && b.type === 'numeric') {
    const counts = less(a.counts, b.counts)
    const odd = {
      nan: a.nan - b.nan,
      positiveInfinity: a.positiveInfinity - b.positiveInfinity,
      negativeInfinity: a.negativeInfinity - b.negativeInfinity,
      unparsed: a.unparsed - b.unparsed,
    }
    return isPart(...counts, ...Object.values(odd)) ? { ...a, ...odd, missing, counts } : undefined
  }
  if (a.type === 'categorical' && b.type === 'categorical') {
    const counts = less(a.counts, b.counts)
    const other = a.other - b.other
    return isPart(...counts, other) && b.new === 0 ? { ...a, missing, counts, other } : undefined
  }
  if (!('present' in a) || !('present' in b)) return undefined
  const present = a.present - b.present
  return isPart(present) ? { ...a, missing, present } : undefined
}

const less = (a: readonly number[], b: readonly number[]): number[] => a.map((count, i) => count - (b[i] ?? 0))
