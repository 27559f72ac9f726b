/**
 * Named data-quality causes of a column: nulls, values that are no numbers, new categories, out of range, constant,
 * re-typed. A cause needs evidence of its own; without it, what was seen only informs: a batch of m rows
 * exceeds the maximum of n reference rows with probability m/(n+m) where nothing drifts at all.
 */
import { homogeneity } from './evidence.ts'
import { formatNumber, totalRows } from './groups.ts'
import { type CategoricalColumn, type ColumnProfile, type NumericColumn, toNumber } from './profile.ts'

export interface Causes {
  readonly causes: readonly string[]
  readonly informs: readonly string[]
}

/** A cause is believed when chance alone would show it in less than one of a hundred batches. */
const RARE = 0.01
/** A check calls columns broken when chance would show that in less than one of a thousand checks. */
const VERY_RARE = 0.001

interface Finding {
  readonly text: string
  /** How often chance alone would show as much. */
  readonly p: number
}

export function findCauses(before: ColumnProfile, after: ColumnProfile): Causes {
  const findings = [...shareFindings(before, after)]
  if (before.type === 'numeric' && after.type === 'numeric') findings.push(...rangeFindings(before, after))
  if (before.type === 'categorical' && after.type === 'categorical') findings.push(...newFindings(before, after))
  const constant = constantValue(after)
  if (constant !== undefined && constantValue(before) === undefined) {
    findings.push({ text: `constant: always ${constant}`, p: constantChance(before, after) })
  }
  return {
    causes: findings.filter(({ p }) => p < RARE).map(({ text }) => text),
    informs: findings.filter(({ p }) => p >= RARE).map(({ text }) => text),
  }
}

/**
 * Why a column that is there cannot be what the model was trained on; undefined when it can.
 * @param family how many columns are looked at together: chance gets that many tries
 */
export function brokenReason(before: ColumnProfile, after: ColumnProfile, family = 1): string | undefined {
  const [n, m] = [totalRows(before), totalRows(after)]
  if (m === 0) return undefined
  /** Whether `times` rows are hardly all of a kind that `count` of the baseline's `rows` are of. */
  const isBeyondChance = (count: number, rows: number, times: number) => {
    const p = chanceOfAll(count, rows, times)
    return p < VERY_RARE / family || (count === 0 && p < RARE)
  }
  const empty = (column: ColumnProfile) => column.missing + (column.type === 'numeric' ? column.nan : 0)
  if (empty(after) === m && empty(before) < n && isBeyondChance(empty(before), n, m)) {
    return `newly empty: nulls ${percent(empty(before), n)} -> 100 %`
  }
  if (before.type === 'numeric' && after.type === 'numeric') {
    const [values, later] = [n - empty(before), m - empty(after)]
    const isText = after.unparsed > later / 2 && before.unparsed < values / 2
    if (isText && isBeyondChance(before.unparsed, values, after.unparsed)) return 'type changed: numeric -> text'
  }
  if (before.type === 'categorical' && after.type === 'categorical' && after.newValues !== null) {
    const names = Object.keys(after.newValues)
    const isNumber = (text: string) => text.trim() !== '' && Number.isFinite(Number(text))
    const isRetyped = after.new > 0 && after.new === m - after.missing && names.every(isNumber)
    const isNovel = isBeyondChance(0, n - before.missing, after.new)
    if (isRetyped && isNovel && !before.categories.some(isNumber)) return 'type changed: categorical -> numeric'
  }
  return undefined
}

/**
 * How likely `times` later rows are all of a kind, given that `count` of `rows` earlier ones and these were dealt out at
 * random: hypergeometric, the product of (count + j) / (rows + j). Taking the earlier share for the truth instead made
 * columns that are nearly always null newly empty by chance.
 */
function chanceOfAll(count: number, rows: number, times: number): number {
  let chance = 1
  for (let j = 1; j <= times && chance > 1e-30; j++) chance *= (count + j) / (rows + j)
  return chance
}

function shareFindings(before: ColumnProfile, after: ColumnProfile): Finding[] {
  const findings = [shareFinding('nulls', before, after, (column) => column.missing)]
  if (before.type === 'numeric' && after.type === 'numeric') {
    findings.push(
      shareFinding('NaN', before, after, (column) => (column as NumericColumn).nan),
      shareFinding('not a number', before, after, (column) => (column as NumericColumn).unparsed),
      shareFinding('infinite', before, after, (column) => {
        const { positiveInfinity, negativeInfinity } = column as NumericColumn
        return positiveInfinity + negativeInfinity
      }),
    )
  }
  return findings.flat()
}

function shareFinding(
  label: string,
  before: ColumnProfile,
  after: ColumnProfile,
  count: (column: ColumnProfile) => number,
): Finding[] {
  const [a, b] = [count(before), count(after)]
  const [n, m] = [totalRows(before), totalRows(after)]
  if (a * m === b * n) return []
  const { p } = homogeneity([a, n - a], [b, m - b])
  // With none at all before, chance alone shows b in the batch with about (m/(n+m))^b, also below the test's reach.
  const chance = a === 0 ? Math.min(p, (m / (n + m)) ** b) : p
  const [shareBefore, shareAfter] = [percent(a, n), percent(b, m)]
  return shareBefore === shareAfter && chance >= RARE
    ? []
    : [{ text: `${label} ${shareBefore} -> ${shareAfter}`, p: chance }]
}

function rangeFindings(before: NumericColumn, after: NumericColumn): Finding[] {
  if (before.range === null) return []
  const [n, m] = [totalRows(before), totalRows(after)]
  const [low, high] = before.range.map(toNumber)
  const finding = (count: number, text: string): Finding[] =>
    count === 0 ? [] : [{ text: `out of range: ${percent(count, m)} ${text}`, p: (m / (n + m)) ** count }]
  return [
    ...finding(after.below, `below ${formatNumber(low ?? 0)}`),
    ...finding(after.above, `above ${formatNumber(high ?? 0)}`),
  ]
}

function newFindings(before: CategoricalColumn, after: CategoricalColumn): Finding[] {
  if (after.new === 0) return []
  const [n, m] = [totalRows(before), totalRows(after)]
  const share = percent(after.new, m)
  const p = (m / (n + m)) ** after.new
  if (after.newValues === null) return [{ text: `many new categories in ${share} of the rows`, p }]
  const names = Object.entries(after.newValues).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  const shown = names.slice(0, 3).map(([name]) => JSON.stringify(shorten(name)))
  const more = names.length > 3 ? ' …' : ''
  const what = names.length === 1 ? 'a new category' : `${names.length} new categories`
  return [{ text: `${what}: ${shown.join(', ')}${more} in ${share} of the rows`, p }]
}

/** The only value of a column, as text. */
function constantValue(column: ColumnProfile): string | undefined {
  if (column.type === 'numeric') {
    return column.min !== null && column.min === column.max ? formatNumber(toNumber(column.min)) : undefined
  }
  if (column.type !== 'categorical') return undefined
  const used = column.counts.flatMap((count, i) => (count > 0 ? [column.categories[i] ?? ''] : []))
  const fresh = column.newValues === null ? ['', ''] : Object.keys(column.newValues)
  const values = [...used, ...fresh]
  return values.length === 1 && column.other === 0 ? JSON.stringify(shorten(values[0] ?? '')) : undefined
}

/** How likely m rows of the baseline would all have held the one value they hold now. */
function constantChance(before: ColumnProfile, after: ColumnProfile): number {
  if (!('counts' in before) || !('counts' in after)) return 1
  const n = before.counts.reduce((sum, count) => sum + count, 0)
  const m = after.counts.reduce((sum, count) => sum + count, 0)
  const bin = after.counts.findIndex((count) => count > 0)
  if (m === 0) return n === 0 ? 1 : 0
  return (((before.counts[bin] ?? 0) + 0.5) / (n + 1)) ** m
}

/** Never in the middle of a character: half of one can be stored nowhere. */
export const shorten = (text: string): string => {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > 40 ? `${line.slice(0, 39).replace(/[\ud800-\udbff]$/, '')}…` : line
}

/** A share for people: never 0 % or 100 % when it is not. */
export function percent(count: number, total: number): string {
  if (total === 0) return '0 %'
  const value = (100 * count) / total
  if (value === 0 || value === 100) return `${value} %`
  if (value < 0.1) return '<0.1 %'
  if (value > 99.9) return '>99.9 %'
  return value < 10 || value > 99 ? `${Number(value.toFixed(1))} %` : `${Math.round(value)} %`
}
