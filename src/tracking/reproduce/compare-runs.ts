/**
 * The table of a reproduction: one row for how the command ended, each metric, history, artifact and logged parameter. What single
 * rows of predictions say is `compare-answers.ts`, and comes in as an argument. Pure.
 */
import { extname } from 'node:path'
import type { RunFacts } from '../compare/facts.ts'
import type { SeriesVerdict } from './compare-series.ts'
import { compareNumbers, isIgnored, measuresWork, type RowVerdict, toleranceOf } from './compare-values.ts'
import type { Tolerances } from './types.ts'

export interface ResultRow {
  readonly kind: 'exit' | 'metric' | 'series' | 'artifact' | 'predictions' | 'param'
  readonly name: string
  readonly verdict: RowVerdict
  /** As recorded: a value, a digest; null where it is missing. */
  readonly original: number | string | null
  readonly reproduced: number | string | null
  /** One phrase. */
  readonly note: string | null
}

export interface Answers {
  readonly name: string
  readonly verdict: RowVerdict
  readonly rows: number
  readonly note: string | null
}

export interface Results {
  readonly series: readonly SeriesVerdict[]
  readonly answers: readonly Answers[]
  /** Artifacts that are models: files of the version, or the model's pattern. */
  readonly models: readonly string[]
}

export interface CompareOptions {
  readonly tolerances: Tolerances
  readonly ignore: readonly string[]
}

export function compareRuns(a: RunFacts, b: RunFacts, results: Results, options: CompareOptions): ResultRow[] {
  const rows = [
    ...exitRow(a, b),
    ...metricRows(a, b, options.tolerances),
    ...seriesRows(results.series),
    ...results.answers.map(
      ({ name, verdict, note }): ResultRow => ({
        ...{ kind: 'predictions', name, verdict, original: null, reproduced: null, note },
      }),
    ),
    ...artifactRows(a, b, results),
    ...paramRows(a, b),
  ]
  const told = a.status === 'interrupted' ? rows.map(ofStopped) : rows
  return told.map((row) => (isIgnored(row.name, options.ignore) ? { ...row, verdict: 'ignored' } : row))
}

export const STOPPED = 'the original was stopped before its end'

/** What a run had recorded when it was stopped differs from what it comes to in the end, and nothing follows from it. */
const ofStopped = (row: ResultRow): ResultRow =>
  row.verdict === 'different' || row.verdict === 'missing' ? { ...row, verdict: 'not compared', note: STOPPED } : row

/** A run that ended well both times needs no row for it. */
function exitRow(a: RunFacts, b: RunFacts): ResultRow[] {
  const how = ({ exit, signal }: RunFacts): number | string | null => exit ?? signal
  if (a.status === 'finished' && b.status === 'finished') return []
  const isSame = how(a) === how(b) && a.status === b.status
  const row = { kind: 'exit', name: 'exit', original: how(a), reproduced: how(b), note: null } as const
  if (a.status === 'interrupted') return [{ ...row, verdict: 'not compared', note: STOPPED }]
  return [{ ...row, verdict: isSame ? 'equal' : 'different' }]
}

function metricRows(a: RunFacts, b: RunFacts, tolerances: Tolerances): ResultRow[] {
  return names(a.metrics, b.metrics).map((name): ResultRow => {
    const [original, reproduced] = [valueIn(a.metrics, name), valueIn(b.metrics, name)]
    const row = { kind: 'metric', name, original, reproduced } as const
    if (original === null || reproduced === null) {
      return {
        ...row,
        verdict: 'missing',
        note: original === null ? 'only in the reproduction' : 'only in the original',
      }
    }
    const verdict = compareNumbers(original, reproduced, toleranceOf(name, tolerances))
    if (verdict === 'equal') return { ...row, verdict, note: null }
    if (measuresWork(name)) return { ...row, verdict: 'not compared', note: 'measures the work, not the result' }
    return { ...row, verdict, note: null }
  })
}

/** A history that is equal says no more than its last value does. */
const seriesRows = (series: readonly SeriesVerdict[]): ResultRow[] =>
  series
    .filter(({ verdict }) => verdict !== 'equal')
    .map(({ key, verdict, note }) => ({
      ...{ kind: 'series', name: key, original: null, reproduced: null, note },
      verdict: measuresWork(key) ? 'not compared' : verdict,
    }))

const MODELS = new Set(
  '.joblib .pkl .pickle .skops .onnx .pt .pth .safetensors .ubj .xgb .lgb .cbm .h5 .keras .bst .model .rds .pmml'.split(
    ' ',
  ),
)

function artifactRows(a: RunFacts, b: RunFacts, { answers, models }: Results): ResultRow[] {
  const digests = ({ artifacts }: RunFacts): Record<string, string> =>
    Object.fromEntries(artifacts.map(({ path, sha256 }) => [path, sha256]))
  const [before, after] = [digests(a), digests(b)]
  const proof = answers.filter(({ verdict }) => verdict !== 'not compared')
  const agrees = proof.length > 0 && proof.every(({ verdict }) => verdict === 'equal' || verdict === 'within tolerance')
  return names(before, after).map((name): ResultRow => {
    const [original, reproduced] = [valueIn(before, name), valueIn(after, name)]
    const row = { kind: 'artifact', name, original, reproduced } as const
    if (original === null || reproduced === null) {
      return {
        ...row,
        verdict: 'missing',
        note: original === null ? 'only in the reproduction' : 'only in the original',
      }
    }
    if (original === reproduced) return { ...row, verdict: 'equal', note: 'bytes' }
    const isModel = models.includes(name) || MODELS.has(extname(name).toLowerCase())
    if (!isModel || !agrees) return { ...row, verdict: 'different', note: 'other bytes' }
    const same = proof.every(({ verdict }) => verdict === 'equal') ? 'equal answers' : 'answers within tolerance'
    const count = Math.max(...proof.map(({ rows }) => rows))
    return { ...row, verdict: 'within tolerance', note: `other bytes, ${same} on ${count} recorded rows` }
  })
}

/**
 * What the script said that it used and found: `rows`, `best_depth`. Those of the command line are handed over, so they
 * are equal; paths of the worktree come as those of the checkout.
 */
const paramRows = (a: RunFacts, b: RunFacts): ResultRow[] =>
  names(a.params, b.params).map((name): ResultRow => {
    const [original, reproduced] = [valueIn(a.params, name), valueIn(b.params, name)].map(told) as [Told, Told]
    const row = { kind: 'param', name, original, reproduced, note: null } as const
    if (original === null || reproduced === null) {
      const note = original === null ? 'only in the reproduction' : 'only in the original'
      return { ...row, verdict: 'missing', note }
    }
    return { ...row, verdict: original === reproduced ? 'equal' : 'different' }
  })

type Told = ResultRow['original']
const told = (value: RunFacts['params'][string] | null): Told => (typeof value === 'boolean' ? String(value) : value)

const names = (a: object, b: object): string[] => [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()
const valueIn = <V>(values: Readonly<Record<string, V>>, name: string): V | null =>
  (Object.hasOwn(values, name) ? values[name] : undefined) ?? null

export type Overall = 'equal' | 'within tolerance' | 'different' | 'nothing to compare'

/**
 * The word of the worst row; rows that are ignored or not compared say nothing.
 * @param status of the original: of one that was stopped, what happens to be equal proves nothing where other things are not
 */
export function overallVerdict(rows: readonly ResultRow[], status?: RunFacts['status']): Overall {
  const isStopped = ({ kind, verdict, note }: ResultRow): boolean =>
    kind !== 'exit' && verdict === 'not compared' && note === STOPPED
  if (status === 'interrupted' && rows.some(isStopped)) return 'nothing to compare'
  // That parameters are the same again is no result.
  const counted = rows.filter(
    ({ kind, verdict }) =>
      verdict !== 'ignored' && verdict !== 'not compared' && !(kind === 'param' && verdict === 'equal'),
  )
  if (counted.length === 0) return 'nothing to compare'
  if (counted.some(({ verdict }) => verdict === 'different' || verdict === 'missing')) return 'different'
  return counted.some(({ verdict }) => verdict === 'within tolerance') ? 'within tolerance' : 'equal'
}
