/**
 * The groups that PSI, Jensen-Shannon, L-infinity and the evidence are computed on: bins of a profile gathered by the
 * *baseline's* counts alone, so that the same batch has the same effect whatever its size. Formulas are in
 * `measures.ts`; the rules are stated in docs/profile-format.md (Groups).
 */
import { type CategoricalColumn, type ColumnProfile, type NumericColumn, toNumber } from './profile.ts'
import type { GroupKind } from './types.ts'

export interface Group {
  readonly label: string
  readonly kind: GroupKind
  readonly before: number
  readonly after: number
}

/** Groups aimed at, each of 1/10 of the baseline's rows. */
const PARTS = 10
/**
 * A heavy value is a group of its own from the share of one group on: with less, the values that the baseline's sample
 * happened to show more often would be singled out, and no other sample would show them as often.
 */
const OWN_VALUE = 1 / PARTS
/** Stretches between heavy values with less than this are gathered. */
const SLIVER = 0.05
/** A category is; rarer ones are gathered in the order of their names until they reach it. */
const OWN_CATEGORY = 0.01
/** … and from so many rows on. */
const OWN_ROWS = 20
/** Categories with fewer rows are one group with the new ones: which of them a sample shows is chance. */
const FEW = 5

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

/** Bins that form one group: a heavy value, a range, or what is left between heavy values. */
interface Part {
  readonly kind: 'value' | 'range' | 'rest'
  readonly bins: readonly number[]
}

/**
 * Which bins of a numeric column belong together, by these counts.
 * @param total all rows of the column, those without a finite value too
 */
function partBins(counts: readonly number[], singles: NumericColumn['singles'], total: number): Part[] {
  const isSingle = new Set(singles.map(([bin]) => bin))
  const parts: Part[] = []
  const scattered: number[] = []
  let segment: number[] = []
  const closeSegment = () => {
    const mass = segment.reduce((sum, bin) => sum + (counts[bin] ?? 0), 0)
    // Slivers between heavy values are one group: each alone would make noise out of a handful of rows.
    if (mass < SLIVER * total) scattered.push(...segment)
    else parts.push(...splitSegment(segment, counts, mass, total))
    segment = []
  }
  counts.forEach((count, bin) => {
    if (isSingle.has(bin) && count >= OWN_VALUE * total) {
      closeSegment()
      parts.push({ kind: 'value', bins: [bin] })
    } else segment.push(bin)
  })
  closeSegment()
  return scattered.length === 0 ? parts : [...parts, { kind: 'rest', bins: scattered }]
}

/** Neighbouring bins, cut where the running count passes equal parts of the segment. */
function splitSegment(bins: readonly number[], counts: readonly number[], mass: number, total: number): Part[] {
  const parts = Math.max(1, Math.round((PARTS * mass) / total))
  const gathered: number[][] = Array.from({ length: parts }, () => [])
  let seen = 0
  for (const bin of bins) {
    const count = counts[bin] ?? 0
    gathered[Math.min(parts - 1, Math.floor(((seen + count / 2) * parts) / mass))]?.push(bin)
    seen += count
  }
  return gathered.filter((part) => part.length > 0).map((part) => ({ kind: 'range', bins: part }))
}

function numericGroups(before: NumericColumn, after: NumericColumn): Group[] {
  const parts = partBins(before.counts, before.singles, totalRows(before))
  const values = new Map(before.singles)
  return parts.map(({ kind, bins }) => ({ ...sumBins(bins, before, after), kind, label: labelOf(kind, bins) }))

  function labelOf(kind: Part['kind'], bins: readonly number[]): string {
    if (kind === 'value') return formatNumber(toNumber(values.get(bins[0] ?? 0) ?? 0))
    if (kind === 'range') return rangeLabel(bins, before)
    return parts.length === 1 ? 'any' : 'other values'
  }
}

const sumBins = (bins: readonly number[], before: NumericColumn, after: NumericColumn) => ({
  before: bins.reduce((sum, bin) => sum + (before.counts[bin] ?? 0), 0),
  after: bins.reduce((sum, bin) => sum + (after.counts[bin] ?? 0), 0),
})

function rangeLabel(bins: readonly number[], { edges }: NumericColumn): string {
  const low = edges[(bins[0] ?? 0) - 1]
  const high = edges[bins.at(-1) ?? 0]
  if (low === undefined && high === undefined) return 'any'
  if (low === undefined) return `up to ${formatNumber(toNumber(high ?? 0))}`
  if (high === undefined) return `over ${formatNumber(toNumber(low))}`
  return `${formatNumber(toNumber(low))} to ${formatNumber(toNumber(high))}`
}

/**
 * Rare categories are gathered by name, never by baseline rank: neighbours in rank share the luck of the baseline's
 * sample, and their groups would differ from every other sample. New categories are no group of their own for the same
 * reason: where many are rare, every sample has some that no other has.
 */
function categoryGroups(before: CategoricalColumn, after: CategoricalColumn): Group[] {
  const total = totalRows(before)
  const counted = before.categories.map((label, i) => ({
    label,
    before: before.counts[i] ?? 0,
    after: after.counts[i] ?? 0,
  }))
  const enough = Math.max(OWN_ROWS, OWN_CATEGORY * total)
  const isOwn = (category: { before: number }) => category.before >= enough
  const few = counted.filter((category) => category.before < FEW)
  const rare = counted.filter((category) => category.before >= FEW && !isOwn(category))
  return [
    ...counted.filter(isOwn).map((category) => ({ ...category, kind: 'category' as const })),
    ...gatherRare(rare, enough),
    { label: 'other', kind: 'rest', before: before.other, after: after.other },
    {
      label: few.length === 0 ? 'new categories' : 'very rare and new categories',
      kind: 'new',
      before: few.reduce((sum, category) => sum + category.before, 0),
      after: few.reduce((sum, category) => sum + category.after, after.new),
    },
  ]
}

type Counted = Pick<Group, 'label' | 'before' | 'after'>

function gatherRare(rare: readonly Counted[], enough: number): Group[] {
  const groups: Group[] = []
  let members: Counted[] = []
  const close = () => {
    const before = members.reduce((sum, member) => sum + member.before, 0)
    const after = members.reduce((sum, member) => sum + member.after, 0)
    const [only] = members
    const single = members.length === 1 && only !== undefined
    groups.push({
      label: single ? only.label : `${members.length} rare categories`,
      kind: single ? 'category' : 'rest',
      before,
      after,
    })
    members = []
  }
  for (const category of rare.toSorted((a, b) => (a.label < b.label ? -1 : 1))) {
    members.push(category)
    if (members.reduce((sum, member) => sum + member.before, 0) >= enough) close()
  }
  if (members.length > 0) close()
  return groups
}

/**
 * What the test of evidence looks at: cells chosen without regard to which sample a row is from, because only these keep
 * its error rate. Of a numeric column, groups made as above but by the *pooled* counts (by the baseline's, 10 equally
 * frequent whole numbers had p < 0.05 in 9 % of equal samples); of a categorical one, the single categories, the new
 * ones among them by name.
 */
export function evidenceCells(
  before: ColumnProfile,
  after: ColumnProfile,
  groups: readonly Group[],
): { readonly before: number[]; readonly after: number[]; readonly order: 'pooled' | 'given' } {
  if (before.type === 'numeric' && after.type === 'numeric') {
    const pooled = before.counts.map((count, bin) => count + (after.counts[bin] ?? 0))
    const parts = partBins(pooled, before.singles, totalRows(before) + totalRows(after))
    const cells = [
      ...parts.map(({ bins }) => sumBins(bins, before, after)),
      ...groups.filter(({ kind }) => kind === 'special' || kind === 'missing'),
    ]
    return { before: cells.map((cell) => cell.before), after: cells.map((cell) => cell.after), order: 'given' }
  }
  if (before.type !== 'categorical' || after.type !== 'categorical') {
    return { before: groups.map((group) => group.before), after: groups.map((group) => group.after), order: 'given' }
  }
  const fresh = Object.entries(after.newValues ?? { '': after.new })
  const cells = [
    ...before.categories.map((name, i) => ({ name, before: before.counts[i] ?? 0, after: after.counts[i] ?? 0 })),
    ...fresh.map(([name, count]) => ({ name, before: 0, after: count })),
  ]
  // By name: were the new ones last, cells merged from equally rare categories would hold one sample's only.
  cells.sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    before: [...cells.map((cell) => cell.before), before.other, before.missing],
    after: [...cells.map((cell) => cell.after), after.other, after.missing],
    order: 'pooled',
  }
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
