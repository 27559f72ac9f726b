/**
 * Comparing two profiles of one definition: every column measured, corrected for being many, and judged. Pure.
 * Reading data and storing checks is in `check.ts`.
 */
import { nearest } from '../core/nearest.ts'
import type { MetricName } from '../project/config.ts'
import { brokenReason, findCauses } from './causes.ts'
import { benjaminiHochberg } from './evidence.ts'
import { type Group, totalRows } from './groups.ts'
import { type Importances, orderColumns } from './importances.ts'
import { DEFAULT_THRESHOLD, type Measured, measureColumn } from './measure-column.ts'
import type { ColumnProfile, Profile } from './profile.ts'
import { describeCheck, describeColumn } from './summary.ts'
import type { CheckResult, ColumnResult } from './types.ts'
import { COLUMN_ALPHA, judgeCheck, judgeColumn } from './verdict.ts'

export interface CompareOptions {
  readonly metric: MetricName
  /** Undefined: the metric's own default. */
  readonly threshold?: number
  readonly columns?: Readonly<Record<string, { readonly threshold?: number }>>
  /** Columns that mlops.yaml declares `ignore` or `id` by now, whatever the baseline took them for. */
  readonly ignored?: readonly string[]
  /** Columns of the baseline that the prediction log cannot have, and why: not missed in a batch without them. */
  readonly unlogged?: Readonly<Record<string, Unlogged>>
  /** The order of the columns, never their verdicts. */
  readonly importances?: Importances
}

export type Unlogged = 'not asked for' | 'dropped'

export type Comparison = Pick<CheckResult, 'verdict' | 'columns' | 'unresolved' | 'summary' | 'notes'>

/** @throws RangeError when `batch` was not counted into the definitions of `baseline`: a mistake of the caller */
export function compareProfiles(baseline: Profile, batch: Profile, options: CompareOptions): Comparison {
  const measured = measureProfiles(baseline, batch, options)
  const adjusted = benjaminiHochberg(pValues(measured))
  const columns = orderColumns(judgeMeasured(measured, adjusted, COLUMN_ALPHA, options), options.importances)
  const verdict = judgeCheck(columns, batch.rows)
  return {
    verdict,
    columns,
    unresolved: columns.filter((column) => column.verdict === 'inconclusive').map(({ column }) => column),
    summary: describeCheck(verdict, columns, batch.rows),
    notes: batch.extra.length === 0 ? [] : [extraNote(batch.extra)],
  }
}

/** One column before it is judged: either its verdict needs no measure, or here are the measures. */
export type MeasuredColumn =
  | { readonly before: ColumnProfile; readonly after: ColumnProfile; readonly fixed: ColumnResult }
  | { readonly before: ColumnProfile; readonly after: ColumnProfile; readonly measured: Measured }

/**
 * @param family how many columns, in how many segments, are looked at together: chance gets that many tries
 * @throws RangeError as `compareProfiles`
 */
export function measureProfiles(
  baseline: Profile,
  batch: Profile,
  options: CompareOptions,
  family = baseline.columns.length,
): MeasuredColumn[] {
  if (baseline.definition !== batch.definition) throw new RangeError('the batch was counted into other definitions')
  return baseline.columns.map((before, index) => {
    const after = batch.columns[index] ?? before
    const isAbsent = batch.absent.includes(before.name)
    const fixed = fixedResult(before, after, { isAbsent, batch, family }, options)
    return fixed === undefined
      ? { before, after, measured: measureColumn(before, after, options.metric) }
      : { before, after, fixed }
  })
}

/** The p-values of the columns that were measured, in their order: what is corrected for being many. */
export const pValues = (columns: readonly MeasuredColumn[]): number[] =>
  columns.flatMap((column) => ('measured' in column ? [column.measured.evidence.p] : []))

/**
 * @param adjusted one value for each of `pValues(columns)`
 * @param alpha adjusted values up to this are evidence
 */
export function judgeMeasured(
  columns: readonly MeasuredColumn[],
  adjusted: readonly number[],
  alpha: number,
  options: CompareOptions,
): ColumnResult[] {
  let next = 0
  return columns.map((column) => {
    if ('fixed' in column) return column.fixed
    const { before, after, measured } = column
    return judgedResult(before, after, measured, adjusted[next++] ?? 1, { alpha, tests: adjusted.length }, options)
  })
}

interface Surroundings {
  readonly isAbsent: boolean
  readonly batch: Pick<Profile, 'rows' | 'extra'>
  readonly family: number
}

/** A column whose verdict needs no measure; undefined for all others. */
function fixedResult(
  before: ColumnProfile,
  after: ColumnProfile,
  { isAbsent, batch: { rows, extra }, family }: Surroundings,
  options: CompareOptions,
): ColumnResult | undefined {
  const blank = blankResult(before, options)
  const because = (verdict: ColumnResult['verdict'], reason: string, causes: readonly string[] = []): ColumnResult => ({
    ...blank,
    verdict,
    reason,
    causes,
    summary: `${before.name}: ${reason}`,
  })
  if (options.ignored?.includes(before.name)) return because('skipped', 'not compared (mlops.yaml)')
  if (before.type === 'id' || before.type === 'ignore') return because('skipped', `not compared (${before.type})`)
  if (isAbsent && before.role === 'target') return because('skipped', 'the batch has no labels')
  if (rows === 0) return because('inconclusive', 'the batch has no rows')
  if (isAbsent && before.role === 'prediction') return because('inconclusive', 'the batch has no such column')
  const unlogged = own(options.unlogged ?? {}, before.name)
  if (isAbsent && unlogged !== undefined) return because('skipped', `not compared: ${UNLOGGED[unlogged]}`)
  if (isAbsent) {
    const close = nearest(before.name, extra)
    const guess = close === undefined ? '' : `; did you mean ${close}?`
    return because('broken', `missing from the batch${guess}`, ['column missing'])
  }
  const broken = brokenReason(before, after, family)
  // Labels are written by people and other systems: what is spelled in another way says nothing about the model.
  if (before.role === 'target' && broken?.startsWith('type changed') === true) {
    return because('skipped', `its labels are not those of the baseline: ${broken}`)
  }
  return broken === undefined ? undefined : because('broken', broken, [broken])
}

const UNLOGGED: Readonly<Record<Unlogged, string>> = {
  'not asked for': 'no recorded example has it, so the service does not ask for it',
  dropped: 'it is never logged (predictions.drop of mlops.yaml)',
}

/** Names of columns are anybody's: `constructor` is one. */
const own = <T>(values: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(values, name) ? values[name] : undefined

function blankResult(before: ColumnProfile, options: CompareOptions): ColumnResult {
  return {
    column: before.name,
    type: before.type,
    role: before.role,
    verdict: 'skipped',
    metric: options.metric,
    effect: null,
    threshold: thresholdFor(before.name, options.metric, options),
    noise: null,
    pAdjusted: null,
    measures: {},
    summary: '',
    causes: [],
    informs: [],
    groups: [],
  }
}

/** A configured threshold is in the unit of the configured metric: where PSI stands in, PSI's default does too. */
function thresholdFor(column: string, metric: MetricName, options: CompareOptions): number {
  if (metric !== options.metric) return DEFAULT_THRESHOLD[metric]
  return own(options.columns ?? {}, column)?.threshold ?? options.threshold ?? DEFAULT_THRESHOLD[metric]
}

function judgedResult(
  before: ColumnProfile,
  after: ColumnProfile,
  measured: Measured,
  pAdjusted: number,
  tested: { readonly alpha: number; readonly tests: number },
  options: CompareOptions,
): ColumnResult {
  const { metric, effect, noise, noisePower, evidence, groups, spans, measures } = measured
  const threshold = thresholdFor(before.name, metric, options)
  const [n, m] = [totalRows(before), totalRows(after)]
  const facts = { effect, threshold, noise, noisePower, pAdjusted, n, m, df: evidence.df, ...tested }
  const standIn = metric === options.metric ? {} : { reason: `${options.metric} is not defined here: PSI decides` }
  return {
    ...blankResult(before, options),
    metric,
    effect,
    threshold,
    noise,
    pAdjusted,
    measures,
    summary: describeColumn(after, groups, spans),
    ...findCauses(before, after),
    groups: displayGroups(groups, n, m),
    ...standIn,
    ...judgeColumn(facts),
  }
}

const DISPLAYED = 12

/** Both shares of each group; many groups are folded into the largest ones and the rest. */
function displayGroups(groups: readonly Group[], n: number, m: number): ColumnResult['groups'] {
  const shares = groups.map(({ label, kind, before, after }) => ({ label, kind, before: before / n, after: after / m }))
  if (shares.length <= DISPLAYED) return shares
  const size = (share: { before: number; after: number }) => Math.max(share.before, share.after)
  const largest = new Set(shares.toSorted((a, b) => size(b) - size(a)).slice(0, DISPLAYED - 1))
  const rest = shares.filter((share) => !largest.has(share))
  const sum = (side: 'before' | 'after') => rest.reduce((total, share) => total + share[side], 0)
  const folded = { label: `${rest.length} more`, kind: 'rest' as const, before: sum('before'), after: sum('after') }
  return [...shares.filter((share) => largest.has(share)), folded]
}

/** What a bare answer of the prediction log is called where the baseline has no prediction column. */
const ANSWER = 'prediction'

function extraNote(extra: readonly string[]): string {
  const shown = extra
    .slice(0, 5)
    .map((name) => JSON.stringify(name))
    .join(', ')
  const more = extra.length > 5 ? ` and ${extra.length - 5} more` : ''
  const what = extra.length === 1 ? 'A column is' : `${extra.length} columns are`
  const cure = extra.includes(ANSWER)
    ? `. To compare the answers, register a version with a baseline that holds them: --baseline SCORED.csv --prediction COLUMN`
    : ''
  return `${what} not in the baseline and not compared: ${shown}${more}${cure}`
}
