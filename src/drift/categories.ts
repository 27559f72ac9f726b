/**
 * One spelling per category: `1` and `1.0`, `True` and `true` are the same value written by different programs.
 * Which categories a baseline keeps is decided here, too; counting them is in `count.ts`.
 */
import { CATEGORY_CAP, TOP_CATEGORIES } from './profile.ts'

const WHOLE = /^-?(?:0|[1-9]\d*)$/
const WHOLE_WITH_ZEROS = /^(-?(?:0|[1-9]\d*))\.0+$/
const BOOLEAN = /^(?:True|TRUE|False|FALSE)$/

/** The spelling under which a category is counted. */
function canonicalCategory(text: string): string {
  if (BOOLEAN.test(text)) return text.toLowerCase()
  return WHOLE_WITH_ZEROS.exec(text)?.[1] ?? text
}

/** The usual spellings of a canonical category, itself first. */
export function spellings(category: string): string[] {
  if (category === 'true') return ['true', 'True', 'TRUE']
  if (category === 'false') return ['false', 'False', 'FALSE']
  return WHOLE.test(category) ? [category, `${category}.0`] : [category]
}

/** Adds up the counts of all spellings of each category. */
export function canonicalCounts(counts: Iterable<readonly [string, number]>): Map<string, number> {
  const sums = new Map<string, number>()
  for (const [text, count] of counts) {
    const category = canonicalCategory(text)
    sums.set(category, (sums.get(category) ?? 0) + count)
  }
  return sums
}

/** Most frequent first; ties by code units, so that the order is the same in every run and every language. */
function byCount(counts: ReadonlyMap<string, number>): (readonly [string, number])[] {
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : a > b ? 1 : 0))
}

/** The categories of a baseline: all of them up to the cap, else the most frequent ones. */
export function keptCategories(
  counts: ReadonlyMap<string, number>,
  isWhole: boolean,
): { readonly categories: readonly string[]; readonly complete: boolean } {
  const complete = isWhole && counts.size <= CATEGORY_CAP
  const sorted = byCount(counts).map(([category]) => category)
  return { categories: complete ? sorted : sorted.slice(0, TOP_CATEGORIES), complete }
}
