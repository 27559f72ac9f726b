/** One request that works, for documentation and the first answer: a recorded example, else typical values. Pure. */

import { type RecordedExample, requestValue } from '../../drift/examples.ts'
import type { ColumnProfile, NumericColumn, Profile } from '../../drift/profile.ts'
import { toNumber } from '../../drift/profile.ts'
import type { Example, Feature, Output, Plain, Signature } from './facts.ts'

/** The recorded example with the fewest missing values; typical values of the profile without one. */
export function exampleOf(
  { features, output }: Signature,
  examples: readonly RecordedExample[],
  profile: Profile | undefined,
  drop: readonly string[],
): Example | null {
  const whole = examples.filter((example) =>
    features.every((feature) => feature.nullable || hasValue(example, feature)),
  )
  const best = whole.toSorted((a, b) => missingIn(a, features) - missingIn(b, features))[0]
  if (best !== undefined) {
    const values = features.map(({ name }) => [name, requestValue(best.features.get(name))] as const)
    return { features: Object.fromEntries(values), output: answerOf(best.output, output) }
  }
  if (profile === undefined) return null
  const columns = new Map(profile.columns.map((column) => [column.name, column]))
  const values = features.map((feature) => {
    // A value of a column that is never logged is nobody's business in a committed file either.
    const column = drop.includes(feature.name) ? undefined : columns.get(feature.name)
    return [feature.name, typical(feature, column)] as const
  })
  return { features: Object.fromEntries(values), output: null }
}

const hasValue = (example: RecordedExample, { name }: Feature): boolean =>
  requestValue(example.features.get(name)) !== null
const missingIn = (example: RecordedExample, features: readonly Feature[]): number =>
  features.filter((feature) => !hasValue(example, feature)).length

/** `predict_proba` is recorded as `output_0`, `output_1` …; a service gives the chance of the positive class, or of each. */
function answerOf(recorded: unknown, { kind, classes }: Output): unknown {
  if (typeof recorded !== 'object' || recorded === null || Array.isArray(recorded)) return recorded ?? null
  const values: unknown[] = Object.values(recorded)
  if (kind !== 'probability') return recorded
  // Their order is that of the sorted classes.
  if (values.length === 2) return values[classes !== null && String(classes[0]) > String(classes[1]) ? 0 : 1]
  if (classes?.length !== values.length) return recorded
  return Object.fromEntries(classes.map((name, index) => [String(name), values[index]]))
}

function typical({ type, categories }: Feature, column: ColumnProfile | undefined): Plain {
  if (type === 'datetime') return '2025-01-31T12:00:00Z'
  if (column?.type === 'categorical') {
    const most = column.categories[0] ?? ''
    if (type === 'boolean') return most === 'true'
    if (type === 'string') return most
    const number = Number(most)
    return Number.isFinite(number) ? number : (categories?.[0] ?? null)
  }
  if (column?.type === 'numeric') return middle(column, type === 'integer')
  if (type === 'boolean') return true
  return type === 'string' ? 'text' : 1
}

/** The value in whose bin the median lies, as far as the bins tell, and inside the range. */
function middle(column: NumericColumn, isWhole: boolean): number {
  const total = column.counts.reduce((sum, count) => sum + count, 0)
  let below = 0
  const bin = column.counts.findIndex((count) => {
    below += count
    return count > 0 && below >= total / 2
  })
  const single = column.singles.find(([at]) => at === bin)
  if (single !== undefined) return toNumber(single[1])
  const [low, high] = (column.range ?? [0, 1]).map(toNumber)
  const inside = (value: number): number => Math.min(Math.max(value, Number(low)), Number(high))
  const edge = (at: number, otherwise: number | undefined): number => toNumber(column.edges[at] ?? otherwise ?? 0)
  const value = inside((edge(bin - 1, low) + edge(bin, high)) / 2)
  return inside(isWhole ? Math.round(value) : Number(value.toPrecision(4)))
}
