/**
 * The groups that PSI, Jensen-Shannon, L-infinity and the evidence are computed on: bins of a profile gathered by the
 * *baseline's* counts alone, so that the same batch has the same effect whatever its size. Formulas are in
 * `measures.ts`; the rules are stated in docs/profile-format.md (Groups).
 */
import { type CategoricalColumn, type ColumnProfile, type NumericColumn, toNumber } from './profile.ts'

export interface Group {
  readonly label: string
  readonly kind: 'range' | 'value' | 'category' | 'rest' | 'missing' | 'new' | 'special'
  readonly before: number
  readonly after: number
}

/** Groups aimed at, each of 1/10 of the baseline's rows. */
const PARTS = 10
/** A heavy value is a group of its own from this share of the baseline's rows on. */
const OWN_VALUE = 0.05
/** A category is; rarer ones are gathered, by baseline rank, until they reach it. */
const OWN_CATEGORY = 0.01

/** Groups that are empty in both are left out. */
export function groupColumn(before: ColumnProfile, after: ColumnProfile): Group[] {
  const groups: Group[] = []
  if (before.type === 'numeric' && after.type === 'numeric') {
    groups.push(...numericGroups(before, after))
    groups.push(special('NaN', before.nan, after.nan))
    groups.push(special('+inf', before.positiveInfinity, after.positiveInfinity))
    groups.push(special('-inf', before.negativeInfinity, after.negativeInfinity))
    groups.push(special('not a number', before.unparsed, after.unparsed))
  } else if (before.type === 'categorical' && after.type === 'categorical') {
    groups.push(...categoryGroups(before, after))
  } else if ('present' in before && 'present' in after) {
    groups.push({ label: 'present', kind: 'rest', before: before.present, after: after.present })
  }
  groups.push({ label: 'missing', kind: 'missing', before: before.missing, after: after.missing })
  return groups.filter((group) => group.before + group.after > 0)
}

const special = (label: string, before: number, after: number): Group => ({ label, kind: 'special', before, after })

interface Bin {
  readonly index: number
  readonly count: number
}

function numericGroups(before: NumericColumn, after: NumericColumn): Group[] {
  const total = totalRows(before)
  const heavyValue = new Map(before.singles)
  const groups: Group[] = []
  const scattered: Bin[] = []
  let segment: Bin[] = []
  const closeSegment = () => {
    const mass = segment.reduce((sum, bin) => sum + bin.count, 0)
    // Slivers between heavy values are one group: each alone would make noise out of a handful of rows.
    if (mass < OWN_VALUE * total) scattered.push(...segment)
    else groups.push(...splitSegment(segment, mass, total, before, after))
    segment = []
  }
  before.counts.forEach((count, index) => {
    const value = heavyValue.get(index)
    if (value !== undefined && count >= OWN_VALUE * total) {
      closeSegment()
      groups.push({
        label: formatNumber(toNumber(value)),
        kind: 'value',
        before: count,
        after: after.counts[index] ?? 0,
      })
    } else segment.push({ index, count })
  })
  closeSegment()
  if (scattered.length > 0) {
    groups.push({ ...sumBins(scattered, after), label: groups.length === 0 ? 'any' : 'other values', kind: 'rest' })
  }
  return groups
}

/** Neighbouring bins, cut where the running count passes equal parts of the segment. */
function splitSegment(
  bins: readonly Bin[],
  mass: number,
  total: number,
  before: NumericColumn,
  after: NumericColumn,
): Group[] {
  const parts = Math.max(1, Math.round((PARTS * mass) / total))
  const gathered: Bin[][] = Array.from({ length: parts }, () => [])
  let seen = 0
  for (const bin of bins) {
    const part = Math.min(parts - 1, Math.floor(((seen + bin.count / 2) * parts) / mass))
    gathered[part]?.push(bin)
    seen += bin.count
  }
  return gathered
    .filter((part) => part.length > 0)
    .map((part) => ({ ...sumBins(part, after), label: rangeLabel(part, before), kind: 'range' as const }))
}

const sumBins = (bins: readonly Bin[], after: NumericColumn): { before: number; after: number } => ({
  before: bins.reduce((sum, bin) => sum + bin.count, 0),
  after: bins.reduce((sum, bin) => sum + (after.counts[bin.index] ?? 0), 0),
})

function rangeLabel(bins: readonly Bin[], { edges }: NumericColumn): string {
  const low = edges[(bins[0]?.index ?? 0) - 1]
  const high = edges[bins.at(-1)?.index ?? 0]
  if (low === undefined && high === undefined) return 'any'
  if (low === undefined) return `up to ${formatNumber(toNumber(high ?? 0))}`
  if (high === undefined) return `over ${formatNumber(toNumber(low))}`
  return `${formatNumber(toNumber(low))} to ${formatNumber(toNumber(high))}`
}

function categoryGroups(before: CategoricalColumn, after: CategoricalColumn): Group[] {
  const total = totalRows(before)
  const groups: Group[] = []
  let rare = { before: 0, after: 0, names: [] as string[] }
  const closeRare = () => {
    const [only] = rare.names
    const label = rare.names.length === 1 && only !== undefined ? only : `${rare.names.length} rare categories`
    if (rare.names.length > 0) {
      groups.push({
        label,
        kind: rare.names.length === 1 ? 'category' : 'rest',
        before: rare.before,
        after: rare.after,
      })
    }
    rare = { before: 0, after: 0, names: [] }
  }
  before.categories.forEach((category, index) => {
    const count = before.counts[index] ?? 0
    const counted = { before: count, after: after.counts[index] ?? 0 }
    if (count >= OWN_CATEGORY * total) groups.push({ ...counted, label: category, kind: 'category' })
    else {
      rare = { before: rare.before + count, after: rare.after + counted.after, names: [...rare.names, category] }
      if (rare.before >= OWN_CATEGORY * total) closeRare()
    }
  })
  closeRare()
  groups.push({ label: 'other', kind: 'rest', before: before.other, after: after.other })
  groups.push({ label: 'new categories', kind: 'new', before: before.new, after: after.new })
  return groups
}

/** Rows that were counted into a column. */
export function totalRows(column: ColumnProfile): number {
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)
  if (column.type === 'numeric') {
    const { nan, positiveInfinity, negativeInfinity, unparsed } = column
    return sum(column.counts) + column.missing + nan + positiveInfinity + negativeInfinity + unparsed
  }
  if (column.type === 'categorical') return sum(column.counts) + column.other + column.new + column.missing
  return column.present + column.missing
}

/** Three significant digits, without an exponent where people would not write one. */
export function formatNumber(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 1e7 || size < 1e-4) return value.toExponential(2).replace('e+', 'e')
  if (Number.isInteger(value) || size >= 1_000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}
