/**
 * Does the policy's trigger fire? Pure: what is looked at (the last check, hashes, times) is collected in `facts.ts`.
 */
import { versionName } from '../core/names.ts'
import { DEFAULT_THRESHOLD } from '../drift/measure-column.ts'
import type { CheckResult, ColumnResult } from '../drift/types.ts'
import type { Better } from '../evaluation/types.ts'
import type { MetricName } from '../project/config.ts'
import { describeDuration } from '../project/duration.ts'
import type { Trigger } from '../project/policy.ts'

/** The version in production, as far as triggers look at it. */
export interface Champion {
  readonly version: number
  readonly manifest: string
  /** When it was registered. RFC 3339. */
  readonly registered: string
  /** Hashes of what it was trained on. */
  readonly dataHashes: readonly string[]
  /** Profiles that a check of it may have been made against: its own baseline, or the model's. */
  readonly baselines: readonly string[]
}

/** A column that makes a drift trigger fire. */
export interface FiredColumn {
  readonly column: string
  /** What `effect` is measured in; the policy's. */
  readonly metric?: MetricName
  /** Null where the policy's measure cannot be computed: a broken column, a type it is not defined for. */
  readonly effect: number | null
  readonly threshold: number
  readonly summary: string
}

export interface Finding {
  readonly type: Trigger['type']
  readonly fires: boolean
  /** False where it could not be looked at; `summary` says why. */
  readonly judged?: boolean
  /** Two retrainings with the same cause are for the same reason; null for a human's. */
  readonly cause: string | null
  /** One sentence for a person: why it fires, or why not. */
  readonly summary: string
  readonly columns: readonly FiredColumn[]
  readonly check: {
    readonly time: string
    readonly data: string
    readonly verdict: CheckResult['verdict']
    readonly rows?: number
    /** Rows with `since <= time < until`; null for data that a person named. */
    readonly window?: { readonly since: string; readonly until: string } | null
  } | null
  /** What the labels that have arrived say; null of any other trigger. */
  readonly metric?: MetricEvidence | null
}

export interface MetricEvidence {
  readonly name: string
  readonly value: number
  readonly threshold: number
  readonly better: Better
  /** Answers of the window, how many of them have a label, and their share. */
  readonly rows: number
  readonly labelled: number
  readonly coverage: number
  readonly window: { readonly since: string; readonly until: string }
}

/** Evidence of a check is beyond noise up to this adjusted p-value, as in the check itself. */
const ALPHA = 0.05

/** A finding of something that cannot be looked at. */
export const notJudged = (type: Trigger['type'], summary: string): Finding => ({
  type,
  fires: false,
  judged: false,
  cause: null,
  summary,
  columns: [],
  check: null,
  metric: null,
})

type DriftTrigger = Extract<Trigger, { type: 'drift' }>

export function judgeDrift(trigger: DriftTrigger, check: CheckResult): Finding {
  const considered =
    trigger.column === undefined ? check.columns : check.columns.filter(({ column }) => column === trigger.column)
  const columns = considered.flatMap((column) => fired(trigger, column))
  const version = versionName(check.model, check.version)
  const { source: data, rows } = check.current
  const about = { time: check.time, data, verdict: check.verdict, rows, window: check.window ?? null }
  const base = { type: 'drift', cause: 'drift', columns, check: about, metric: null } as const
  const bound = trigger.threshold === undefined ? 'its threshold' : `${trigger.threshold}`
  if (columns.length > 0) {
    const named = columns.slice(0, 3).map(({ column, effect, summary }) => {
      return effect === null ? `${column} (${summary})` : `${column} (${trigger.metric} ${effect.toPrecision(2)})`
    })
    const more = columns.length > 3 ? ` and ${columns.length - 3} more` : ''
    const names = columns.map(({ column }) => column)
    const areInputs = considered.every(({ column, role }) => role === 'feature' || !names.includes(column))
    const what = areInputs ? 'inputs' : 'data'
    return { ...base, fires: true, summary: `${what} of ${version} drifted at ${bound}: ${named.join(', ')}${more}` }
  }
  if (trigger.column !== undefined && considered.length === 0) {
    return { ...base, fires: false, summary: `the last check of ${version} has no column ${trigger.column}` }
  }
  const open = considered.some(({ verdict }) => verdict === 'inconclusive')
  const what = trigger.column ?? 'no column'
  const said = trigger.column === undefined ? `${what} of ${version} is` : `${what} of ${version} is not`
  const doubt = open ? '; some could not be judged, there are too few rows' : ''
  return { ...base, fires: false, summary: `${said} in drift at ${bound} (${trigger.metric})${doubt}` }
}

/**
 * In drift at the policy's threshold: broken, or an effect that reaches it and is beyond sampling noise. Where the
 * policy's measure is not defined for the type of the column, the check's own verdict counts.
 */
function fired(trigger: DriftTrigger, result: ColumnResult): FiredColumn[] {
  const { column, verdict, summary, metric } = result
  const same = trigger.metric === metric
  const threshold = trigger.threshold ?? (same ? result.threshold : DEFAULT_THRESHOLD[trigger.metric])
  const named = { column, metric: trigger.metric, threshold }
  if (verdict === 'broken') return [{ ...named, effect: null, summary: result.causes[0] ?? summary }]
  const effect = same ? result.effect : (result.measures[measureOf(trigger.metric)] ?? null)
  if (effect === null && verdict === 'drift') return [{ ...named, effect: null, threshold: result.threshold, summary }]
  const real = verdict === 'drift' || (result.pAdjusted !== null && result.pAdjusted <= ALPHA)
  if (verdict === 'skipped' || effect === null || effect < threshold || !real) return []
  return [{ ...named, effect, summary }]
}

/** KS counts by its lower bound: more than that the counts do not prove. */
const measureOf = (metric: MetricName): string => (metric === 'ks' ? 'ks_lower' : metric)

export function judgeSchedule(every: number, champion: Champion, model: string, now: Date): Finding {
  const age = now.getTime() - new Date(champion.registered).getTime()
  const name = versionName(model, champion.version)
  return {
    type: 'schedule',
    fires: age >= every,
    cause: 'schedule',
    summary: `${name} is ${describeDuration(age)} old; the policy retrains after ${describeDuration(every)}`,
    columns: [],
    check: null,
    metric: null,
  }
}

/** @param identities digests of the data as it is now: it is known when the version knows one of them */
export function judgeNewData(path: string, identities: readonly string[], champion: Champion, model: string): Finding {
  const known = identities.some((digest) => champion.dataHashes.includes(digest))
  const name = versionName(model, champion.version)
  return {
    type: 'new_data',
    fires: !known,
    cause: `new_data:${identities[0]}`,
    summary: known ? `${name} was trained on ${path} as it is now` : `${path} is not what ${name} was trained on`,
    columns: [],
    check: null,
    metric: null,
  }
}

export const manualFinding = (reason: string | undefined): Finding => ({
  type: 'manual',
  fires: reason !== undefined,
  cause: null,
  summary: reason === undefined ? 'no reason was given' : `a person asks for it: ${reason}`,
  columns: [],
  check: null,
  metric: null,
})
