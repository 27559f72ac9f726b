/**
 * The history of a model's checks: which there are, each in a line, and each column's effect over time. Reads stored
 * checks only; making one is `check.ts`, showing a trend `src/ui/reports/trend/` and `src/ui/views/trend.ts`.
 */
import type { Digest } from '../core/digest.ts'
import { notFound, usage } from '../core/errors.ts'
import type { MetricName } from '../project/config.ts'
import type { CheckRecord, Store } from '../store/store.ts'
import {
  chooseSeries,
  countOthers,
  isRunning,
  kindOfReference,
  otherness,
  type Series,
  type SeriesOthers,
  type Stored,
  storedCheck,
} from './series.ts'
import type { CheckResult, CheckVerdict, ColumnResult, ColumnVerdict, HealthVerdict } from './types.ts'

/** One check in a line. */
export interface TrendCheck {
  /** Its name in the store: what `--check` takes. */
  readonly key: Digest
  /** When it was made last. */
  readonly time: string
  readonly version: number
  readonly verdict: CheckVerdict
  readonly metric: MetricName
  readonly rows: number
  /** As the user wrote it. */
  readonly source: string
  readonly window: { readonly since: string; readonly until: string } | null
  /** What it was compared with; times of a moving window left out. */
  readonly reference: string
  /** It was made before its window ended. */
  readonly running: boolean
  /** Columns in drift, and columns that were compared. */
  readonly drifted: number
  readonly compared: number
  /** The column whose effect is largest against its limit; null when nothing was measured. */
  readonly worst: TrendValue | null
  readonly health: HealthVerdict | null
  readonly quality: HealthVerdict | null
  readonly summary: string
}

export interface TrendValue {
  readonly column: string
  readonly verdict: ColumnVerdict
  readonly effect: number | null
  readonly threshold: number
  /** What chance alone may show; null when not measured. */
  readonly noise: number | null
}

/** One column over all checks of the trend. */
export interface TrendColumn {
  readonly column: string
  readonly role: ColumnResult['role']
  /** The measure of the newest check that has the column; effects in another one are left out of the line. */
  readonly metric: MetricName
  /** Checks in which it drifted or was broken. */
  readonly drifted: number
  /** One per check, oldest first; null where the column was not compared in this measure. */
  readonly points: readonly (Omit<TrendValue, 'column'> | null)[]
}

export interface Trend {
  readonly model: string
  /** Only checks of this version; null for those of all. */
  readonly version: number | null
  /** Oldest first: by the end of the window, else by when the check was made. */
  readonly checks: readonly TrendCheck[]
  /** Prediction first, then the largest effect of the newest check against its limit. */
  readonly columns: readonly TrendColumn[]
  /** There are older checks, which the limit left out. */
  readonly more: boolean
  /** What the checks have in common; null for all checks, and without any. */
  readonly series: Series | null
  /** Checks that were made meanwhile and are not of the series. */
  readonly others: readonly SeriesOthers[]
}

export interface TrendRequest {
  readonly model: string
  readonly version?: number
  /** The version whose checks are shown, if it has any; of no meaning with `version` or `all`. */
  readonly prefer?: number | undefined
  /** All checks, not those of one series alone. */
  readonly all?: boolean
  /** The newest so many checks. */
  readonly limit: number
  /** Only checks of rows, or made, after this time; milliseconds since 1970. */
  readonly since?: number
}

/** @throws failed `RECORD_DAMAGED` */
export async function checkTrend(store: Store, request: TrendRequest): Promise<Trend> {
  const { model, version, limit, since } = request
  const read = await newestChecks(store, request)
  const found = read.filter(({ check }) => since === undefined || timeOfRows(check) >= since)
  const series = request.all === true ? undefined : chooseSeries(found, version ?? request.prefer)
  const wanted = series === undefined ? found : found.filter((each) => otherness(series, each) === undefined)
  const shown = wanted.slice(0, limit).sort((a, b) => timeOfRows(a.check) - timeOfRows(b.check))
  return {
    model,
    version: version ?? null,
    checks: shown.map(lineOf),
    columns: columnsOf(shown.map(({ check }) => check)),
    more: wanted.length > limit,
    series: series ?? null,
    others: series === undefined ? [] : countOthers(series, found),
  }
}

/** Up to here checks are read one by one from the newest; more are read all at once, which is cheaper for each. */
const ONE_BY_ONE = 100
/** So far back a check of the log is looked for before files are taken for all there is. */
const LOOKED_BACK = 100

/** Newest first, with one more of the series than the limit; with a small limit old checks cost nothing. */
async function newestChecks(store: Store, request: TrendRequest): Promise<Stored[]> {
  const { model, version, limit, since, all } = request
  const found = new Map<Digest, Stored>()
  const isEnough = (record: CheckRecord): boolean => {
    const stored = storedCheck(record)
    // What was made before this time cannot be about rows after it.
    if (since !== undefined && Date.parse(record.time) < since) return true
    if (version === undefined || stored.check.version === version) found.set(stored.key, stored)
    if (found.size <= limit || all === true) return found.size > limit
    const list = [...found.values()]
    const series = chooseSeries(list, version ?? request.prefer)
    if (series === undefined || (series.window === null && list.length < LOOKED_BACK)) return false
    return list.filter((each) => otherness(series, each) === undefined).length > limit
  }
  if (limit > ONE_BY_ONE) (await store.checks.list(model)).some(isEnough)
  else await store.checks.newest(model, isEnough)
  return [...found.values()]
}

/**
 * One stored check.
 * @param text its key, the beginning of its key (at least 4 characters), or `@last`
 * @throws notFound `CHECK_NOT_FOUND`; usage `CHECK_INVALID`, `CHECK_AMBIGUOUS`
 */
export async function findCheck(store: Store, model: string, text: string): Promise<CheckResult> {
  const prefix = text.toLowerCase().replace(/^sha256:/, '')
  if (text !== '@last' && !/^[0-9a-f]{4,64}$/.test(prefix)) {
    throw usage({
      code: 'CHECK_INVALID',
      message: `${JSON.stringify(text)} is no key of a check: that is at least 4 of the digits 0-9 and a-f, or @last.`,
      hint: `See them: mlops drift report ${model}`,
    })
  }
  if (text === '@last') {
    const last =
      (await store.checks.newest(model, (record) => !isRunning(storedCheck(record)))) ??
      (await store.checks.newest(model, () => true))
    if (last !== undefined) return storedCheck(last).check
  }
  const matches = text === '@last' ? [] : (await store.checks.list(model)).filter(({ key }) => key.startsWith(prefix))
  const [only] = matches
  if (only === undefined) {
    throw notFound({
      code: 'CHECK_NOT_FOUND',
      message: text === '@last' ? `${model} was never checked.` : `${model} has no check ${prefix}.`,
      hint: text === '@last' ? `mlops drift ${model} --current FILE` : `See them: mlops drift report ${model}`,
    })
  }
  if (matches.length > 1) {
    throw usage({
      code: 'CHECK_AMBIGUOUS',
      message: `${prefix} begins the keys of ${matches.length} checks of ${model}.`,
      hint: 'Write more of it',
      details: { problems: matches.slice(0, 10).map(({ key, time }) => `${key.slice(0, 16)}  ${time}`) },
    })
  }
  return storedCheck(only).check
}

const timeOfRows = ({ window, time }: CheckResult): number => Date.parse(window?.until ?? time)

const isDrifted = ({ verdict }: { readonly verdict: ColumnVerdict }): boolean =>
  verdict === 'drift' || verdict === 'broken'

function lineOf(stored: Stored): TrendCheck {
  const { check, key, time } = stored
  const compared = check.columns.filter(({ verdict }) => verdict !== 'skipped')
  const [worst] = compared.map(measuredOf).sort((a, b) => weight(b) - weight(a))
  return {
    key,
    time,
    version: check.version,
    verdict: check.verdict,
    metric: check.metric,
    rows: check.current.rows,
    source: check.current.source,
    window: check.window ?? null,
    reference: kindOfReference(check),
    running: isRunning(stored),
    drifted: compared.filter(isDrifted).length,
    compared: compared.length,
    worst: worst ?? null,
    health: check.health?.verdict ?? null,
    quality: check.quality?.verdict ?? null,
    summary: check.summary,
  }
}

const measuredOf = ({ column, verdict, effect, threshold, noise }: ColumnResult): TrendValue => ({
  column,
  verdict,
  effect: finite(effect),
  threshold,
  noise: finite(noise),
})

/** The store writes what JSON cannot hold as text; such a value draws no line. */
const finite = (value: number | null): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null

/** Effects of different measures are comparable against their limits; what is broken needs no measure. */
function weight({ verdict, effect, threshold }: Omit<TrendValue, 'column'>): number {
  if (verdict === 'broken') return Number.POSITIVE_INFINITY
  const ratio = (effect ?? 0) / threshold
  return verdict === 'drift' ? 1e6 + ratio : ratio
}

const UNKNOWN = { verdict: 'skipped', effect: 0, threshold: 1, noise: null } as const

/** @param checks oldest first */
function columnsOf(checks: readonly CheckResult[]): TrendColumn[] {
  const byName = checks.map(({ columns }) => new Map(columns.map((column) => [column.column, column])))
  const names = new Set(checks.toReversed().flatMap(({ columns }) => columns.map(({ column }) => column)))
  const columns = [...names].flatMap((name): TrendColumn[] => {
    const results = byName.map((columns) => columns.get(name))
    const newest = results.findLast((result) => result !== undefined && result.verdict !== 'skipped')
    if (newest === undefined) return []
    const points = results.map((result) => {
      if (result === undefined || result.verdict === 'skipped' || result.metric !== newest.metric) return null
      const { column: _, ...point } = measuredOf(result)
      return point
    })
    const drifted = results.filter((result) => result !== undefined && isDrifted(result)).length
    return [{ column: name, role: newest.role, metric: newest.metric, drifted, points }]
  })
  const last = ({ points }: TrendColumn): number => weight(points.at(-1) ?? UNKNOWN)
  const first = ({ role }: TrendColumn): number => (role === 'prediction' ? 1 : 0)
  return columns.sort((a, b) => first(b) - first(a) || last(b) - last(a) || b.drifted - a.drifted)
}
