/** Classes by name: which spellings mean the same class, how they are sorted, which of two is positive. */
import { classKey, positiveClass } from '../core/classes.ts'

export interface Naming {
  /** As the truth spells them, sorted by their lower case. */
  readonly classes: readonly string[]
  /** Of at most two; null of more. */
  readonly positive: string | null
  /** Index into `classes` of every spelling. */
  readonly indexOf: (text: string) => number
}

/** Upper and lower case, 1 and 1.0, 1 and true are one class, as for realised quality. */
export function meaningOf(text: string): string {
  const key = classKey(text)
  return key === 'true' ? '1' : key === 'false' ? '0' : key
}

const lower = (text: string): string => text.trim().toLowerCase()
const byText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

/** @param labels spellings of the truth. @param answers spellings of the answers */
export function namingOf(labels: readonly string[], answers: readonly string[]): Naming {
  const spelled = new Map<string, string>()
  for (const text of [...labels.toSorted(byText), ...answers.toSorted(byText)]) {
    if (!spelled.has(meaningOf(text))) spelled.set(meaningOf(text), text)
  }
  const classes = [...spelled.values()].sort((one, other) => byText(lower(one), lower(other)) || byText(one, other))
  if (classes.length > 2) return named(classes, null)
  const word = positiveClass(classes.map(lower))
  const positive = classes.find((name) => lower(name) === word) ?? word
  // A test set may hold a single class: the other one has a place all the same, scores may speak of it.
  const other = classes.includes(positive) ? `not ${positive}` : positive
  return named(classes.length === 1 ? [...classes, other] : classes, positive)
}

function named(classes: readonly string[], positive: string | null): Naming {
  const places = new Map(classes.map((name, place) => [meaningOf(name), place]))
  return { classes, positive, indexOf: (text) => places.get(meaningOf(text)) ?? -1 }
}
