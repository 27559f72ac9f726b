/**
 * Drift within segments (`--by region`): the rows of each value of one column, counted into the edges of the baseline
 * and compared with the rows *of the same value* in the reference - never with all rows, from which a segment has always
 * differed. Reading and counting are in `count-segments.ts`; which reference is taken is decided by the caller.
 */

import { type CompareOptions, judgeMeasured, type MeasuredColumn, measureProfiles, pValues } from './compare.ts'
import { benjaminiHochberg } from './evidence.ts'
import { orderColumns } from './importances.ts'
import type { Profile } from './profile.ts'
import type { CheckVerdict, ColumnResult, SegmentResult } from './types.ts'
import { judgeCheck, SEGMENT_ALPHA } from './verdict.ts'

/** The rows of one value. */
export interface Segment {
  /** In the one spelling of a category (`1.0` is `1`); null for the rows without a value. */
  readonly value: string | null
  readonly profile: Profile
}

/** The rows of one data set by the values of one column, all counted into the definitions of one baseline. */
export interface SegmentCounts {
  readonly format: 1
  readonly kind: 'segments'
  /** The column. */
  readonly by: string
  readonly rows: number
  /** Most rows first, ties by value; at most `MAX_SEGMENTS`. */
  readonly segments: readonly Segment[]
  /** The rows of all values that are not listed, and how many values those are; null when all are listed. */
  readonly others: { readonly values: number; readonly profile: Profile } | null
}

/** Values with most rows that are looked at one by one; the others are one segment together. */
export const MAX_SEGMENTS = 20
/** A segment with fewer rows, on either side, is `small`: marked, never judged, never alarmed. */
const SMALL_ROWS = 100

/**
 * Judges every segment against the same segment of the reference. The p-values of all columns of all segments are
 * corrected together (Benjamini and Hochberg), at a level of their own (`SEGMENT_ALPHA`), so that a check with segments
 * alarms no oftener than one without. Pure.
 * @param reference as `countSegments` counted it; roles and ignored columns are taken from it and from `options`
 * @param batch counted with `values: segmentValues(reference)`
 * @returns worst first; small ones last
 * @throws RangeError when the two are not by the same column and definition: a mistake of the caller
 */
export function judgeSegments(
  reference: SegmentCounts,
  batch: SegmentCounts,
  options: CompareOptions,
): SegmentResult[] {
  if (reference.by !== batch.by) throw new RangeError('the segments are not by the same column')
  const pairs = pairSegments(reference, batch)
  const isSmall = ({ before, after }: Pair) => before.rows < SMALL_ROWS || after.rows < SMALL_ROWS
  const large = pairs.filter((pair) => !isSmall(pair))
  const family = large.length * (reference.segments[0]?.profile.columns.length ?? 1)
  const measured = large.map(({ before, after }) =>
    comparable(measureProfiles(before, after, options, family), batch.by),
  )
  const adjusted = benjaminiHochberg(measured.flatMap(pValues))
  let from = 0
  const judged = large.map((pair, i) => {
    const columns = measured[i] ?? []
    const own = adjusted.slice(from, from + pValues(columns).length)
    from += own.length
    const results = judgeMeasured(columns, own, SEGMENT_ALPHA, options)
    return segmentResult(pair, orderColumns(results, options.importances))
  })
  return [...judged, ...pairs.filter(isSmall).map(smallResult)].sort(worstSegmentFirst)
}

/** The values to count a batch by, so that both sides have the same segments. */
export const segmentValues = (reference: SegmentCounts): (string | null)[] =>
  reference.segments.map(({ value }) => value)

/** The verdict of a check that looked at segments too: drift in one of them is drift. */
export const verdictWithSegments = (verdict: CheckVerdict, segments: readonly SegmentResult[]): CheckVerdict =>
  segments.some((segment) => segment.verdict === 'drift') ? 'drift' : verdict

/** `region = north: Contract: month 55 % -> 100 %`; the first `most` segments in drift, or undefined without any. */
export function describeSegments(by: string, segments: readonly SegmentResult[], most = 3): string | undefined {
  const drifted = segments.filter(({ verdict }) => verdict === 'drift')
  if (drifted.length === 0) return undefined
  const shown = drifted.slice(0, most).map(({ value, summary }) => `${by} = ${value}: ${summary}`)
  const more = drifted.length > most ? ` and ${drifted.length - most} more segments` : ''
  return `${shown.join('; ')}${more}`
}

interface Pair {
  readonly value: string
  readonly kind: SegmentResult['kind']
  readonly before: Profile
  readonly after: Profile
}

function pairSegments(reference: SegmentCounts, batch: SegmentCounts): Pair[] {
  const found = new Map(batch.segments.map((segment) => [segment.value, segment.profile]))
  const pairs: Pair[] = reference.segments.map(({ value, profile }) => ({
    value: value ?? '(missing)',
    kind: value === null ? 'missing' : 'value',
    before: profile,
    after: found.get(value) ?? emptyLike(profile),
  }))
  if (batch.others !== null || reference.others !== null) {
    const [before, after] = [reference.others?.profile, batch.others?.profile]
    const some = before ?? after
    if (some !== undefined) {
      pairs.push({
        value: '(other values)',
        kind: 'others',
        before: before ?? emptyLike(some),
        after: after ?? emptyLike(some),
      })
    }
  }
  return pairs
}

/** Too few rows to be judged are zero rows too: nothing else of it is looked at. */
const emptyLike = (profile: Profile): Profile => ({ ...profile, rows: 0 })

/** Without the column itself, and without what is missing from the whole batch, which the check itself says. */
const comparable = (columns: readonly MeasuredColumn[], by: string): MeasuredColumn[] =>
  columns.filter(
    (column) => column.before.name !== by && !('fixed' in column && column.fixed.causes.includes('column missing')),
  )

function segmentResult({ value, kind, before, after }: Pair, columns: readonly ColumnResult[]): SegmentResult {
  const verdict = judgeCheck(columns, after.rows)
  const drifted = columns.filter((column) => column.verdict === 'drift' || column.verdict === 'broken')
  const [first] = drifted
  const more = drifted.length > 1 ? ` and ${drifted.length - 1} more` : ''
  const compared = columns.filter((column) => column.verdict !== 'skipped')
  const open = compared.filter((column) => column.verdict === 'inconclusive')
  const summary =
    first !== undefined
      ? `${first.summary}${more}`
      : verdict === 'inconclusive'
        ? `${open.length} of ${compared.length} columns cannot be judged on so few rows`
        : 'no drift'
  return {
    value,
    kind,
    rows: after.rows,
    reference: before.rows,
    verdict,
    drifted: drifted.map(({ column }) => column),
    summary,
  }
}

function smallResult({ value, kind, before, after }: Pair): SegmentResult {
  const few = after.rows < SMALL_ROWS ? after.rows : before.rows
  const where = after.rows < SMALL_ROWS ? 'has' : 'had'
  const summary =
    few === 0 && after.rows === 0 && before.rows > 0
      ? `no rows; it had ${before.rows.toLocaleString('en-US')}`
      : few === 0
        ? 'new: there is nothing to compare it with'
        : `it ${where} ${few} rows; at least ${SMALL_ROWS} on either side are needed`
  return { value, kind, rows: after.rows, reference: before.rows, verdict: 'small', drifted: [], summary }
}

const SEVERITY: readonly SegmentResult['verdict'][] = ['drift', 'inconclusive', 'stable', 'small']

const worstSegmentFirst = (a: SegmentResult, b: SegmentResult): number =>
  SEVERITY.indexOf(a.verdict) - SEVERITY.indexOf(b.verdict) ||
  b.drifted.length - a.drifted.length ||
  b.rows - a.rows ||
  (a.value < b.value ? -1 : 1)
