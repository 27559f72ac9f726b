/**
 * Whether retraining helped: what made it start, against what the checks say since its version entered production.
 * From stored records alone; reads only. A record of another shape is passed over.
 *
 * For drift it helped when none of the columns that made it start is in drift in the newest check that can say so, and
 * that check finds no breach of the realised quality. The version has a baseline of its own, so this says that the world
 * is again what the model was trained on; only labels say that it answers better, and then they stand beside it. For a
 * metric it helped when the newest check with enough labels keeps the threshold.
 */
import { isMlopsError } from '../../core/errors.ts'
import { betterOf } from '../../core/metric-names.ts'
import { versionName } from '../../core/names.ts'
import type { CheckResult, ColumnResult } from '../../drift/types.ts'
import { isMove } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import type { CheckRecord, Store } from '../../store/store.ts'
import { eventAt, standing } from '../operation.ts'

export interface RetrainingEffect {
  readonly version: number
  /** What it was retrained for: `drift of tenure (psi 0.31)`. */
  readonly cause: string
  /** When it entered production. */
  readonly since: string
  /** `too early`: no check since then can say so. */
  readonly verdict: 'helped' | 'did not help' | 'too early'
  /** Checks since then that can say so. */
  readonly checks: number
  /** Of the columns that made it start, in the newest of these checks. */
  readonly columns: readonly {
    readonly column: string
    readonly metric: string
    readonly before: number | null
    readonly after: number | null
  }[]
  /** Realised: in the newest check of the version before it with labels, and of this one. Null without both. */
  readonly quality: {
    readonly metric: string
    readonly before: number
    readonly after: number
    readonly labelled: number
  } | null
  /** One sentence. */
  readonly summary: string
}

/** The members of a finding that are read here. */
interface Trigger {
  readonly type: 'drift' | 'metric'
  readonly columns: readonly {
    readonly column: string
    readonly metric?: string
    readonly effect: number | null
    readonly threshold: number
  }[]
  readonly metric?: { readonly name: string; readonly value: number; readonly threshold: number } | null
}

/** Beyond noise up to this adjusted p-value, as in the check itself. */
const ALPHA = 0.05
/** Fewer labels say nothing, as in `src/monitor/quality.ts`. */
const FEWEST_LABELS = 50
const MOST_COLUMNS = 5

/** @returns null where no version in production comes from a retraining for drift or a metric */
export async function retrainingEffect(store: Store, state: ModelState): Promise<RetrainingEffect | null> {
  const entry = standing(state, 'production')
  if (entry === null) return null
  const trigger = await triggerOf(store, state.model, entry.version)
  if (trigger === null) return null
  const before = formerVersion(state, entry.seq)
  const all = (await store.checks.list(state.model)).filter(isCheck)
  const since = all
    .filter((check) => isOwn(check, state.model, entry.version) && check.time >= entry.since)
    .map(resultOf)
  const former = all.filter((check) => before !== null && isOwn(check, state.model, before) && check.time < entry.since)
  return effectOf(trigger, { version: entry.version, since: entry.since, checks: since, former: former.map(resultOf) })
}

/** Beside a check: of the version that was checked, if that is the one in production. Never in the way of the check. */
export async function effectOfRetraining(
  store: Store,
  { model, version }: Pick<CheckResult, 'model' | 'version'>,
): Promise<RetrainingEffect | null> {
  try {
    const effect = await retrainingEffect(store, await store.models.stateOrEmpty(model))
    return effect?.version === version ? effect : null
  } catch (error) {
    if (isMlopsError(error)) return null
    throw error
  }
}

/** Why the retraining that made a version had begun. */
async function triggerOf(store: Store, model: string, version: number): Promise<Trigger | null> {
  const records = (await store.claims.list(model, 'jobs/retrain')).map(
    ({ record }) => record as Readonly<Record<string, unknown>>,
  )
  const end = records.findLast((record) => record.kind === 'end' && record.version === version)
  const begin = records.find((record) => record.kind === 'begin' && record.attempt === end?.attempt)
  const trigger = begin?.trigger as Trigger | undefined
  const isKnown = trigger?.type === 'drift' || trigger?.type === 'metric'
  return end === undefined || !isKnown || !Array.isArray(trigger.columns) ? null : trigger
}

function formerVersion(state: ModelState, seq: number): number | null {
  const event = eventAt(state, seq)
  return event !== undefined && isMove(event) ? event.body.from : null
}

const isCheck = ({ record }: CheckRecord): boolean => {
  const check = record as Partial<CheckResult> | null
  // A rollback's own check is of a batch that somebody picked: no look at how production fares.
  if (typeof check !== 'object' || check?.purpose === 'rollback') return false
  return Array.isArray(check?.columns) && typeof check?.reference?.name === 'string'
}

/** Against another reference it is another question. */
function isOwn({ record }: CheckRecord, model: string, version: number): boolean {
  const check = record as unknown as CheckResult
  const references = [`baseline of ${versionName(model, version)}`, `baseline of ${model}`]
  return check.version === version && references.includes(check.reference.name)
}

const resultOf = ({ record }: CheckRecord): CheckResult => record as unknown as CheckResult

interface Facts {
  readonly version: number
  readonly since: string
  /** Of the version since it entered production, newest first. */
  readonly checks: readonly CheckResult[]
  /** Of the one before it, newest first. */
  readonly former: readonly CheckResult[]
}

/** Pure. */
export function effectOf(trigger: Trigger, facts: Facts): RetrainingEffect {
  return trigger.type === 'drift' ? effectOnDrift(trigger, facts) : effectOnMetric(trigger, facts)
}

type Answer = 'drift' | 'fine' | 'unknown'

function effectOnDrift(trigger: Trigger, { version, since, checks, former }: Facts): RetrainingEffect {
  const judged = checks.filter((check) => answerOf(trigger, check) !== 'unknown')
  const [newest] = judged
  const columns = trigger.columns.slice(0, MOST_COLUMNS).map(({ column, metric = 'psi', effect }) => {
    const after = newest?.columns.find((each) => each.column === column)
    return { column, metric, before: effect, after: after === undefined ? null : effectIn(after, metric) }
  })
  const quality = qualityOf(former, checks)
  const isBreach = newest?.quality?.verdict === 'breach'
  const isGone = newest !== undefined && answerOf(trigger, newest) === 'fine'
  const verdict = newest === undefined ? 'too early' : isGone && !isBreach ? 'helped' : 'did not help'
  const cause = `drift of ${columns.map((each) => `${each.column}${figure(each.metric, each.before)}`).join(', ')}`
  const now = columns
    .filter(({ after }) => after !== null)
    .map(({ column, metric, after }) => {
      return columns.length === 1 ? `${metric} ${rounded(after)}` : `${column} ${metric} ${rounded(after)}`
    })
  const said = [
    ...(now.length === 0 ? [isGone ? 'no drift' : 'drift'] : [now.join(', ')]),
    ...(isBreach ? [`realised quality fell: ${newest?.quality?.summary}`] : []),
    ...(quality === null || isBreach ? [] : [qualityWords(quality)]),
  ]
  const base = { version, cause, since, verdict, checks: judged.length, columns, quality } as const
  return { ...base, summary: sentence(base, said) }
}

/** What a check says of the columns that made the retraining start. */
function answerOf({ columns }: Trigger, check: CheckResult): Answer {
  const answers = columns.map(({ column, metric = 'psi', threshold }): Answer => {
    const found = check.columns.find((each) => each.column === column)
    if (found === undefined || found.verdict === 'skipped') return 'unknown'
    if (found.verdict === 'broken') return 'drift'
    const effect = effectIn(found, metric)
    if (effect === null)
      return found.verdict === 'drift' ? 'drift' : found.verdict === 'inconclusive' ? 'unknown' : 'fine'
    if (effect < threshold) return found.verdict === 'inconclusive' ? 'unknown' : 'fine'
    const isReal = found.verdict === 'drift' || (found.pAdjusted !== null && found.pAdjusted <= ALPHA)
    return isReal ? 'drift' : 'unknown'
  })
  if (answers.includes('drift')) return 'drift'
  return answers.includes('unknown') ? 'unknown' : 'fine'
}

function effectIn({ metric: own, effect, measures }: ColumnResult, metric: string): number | null {
  return own === metric ? effect : (measures[metric === 'ks' ? 'ks_lower' : metric] ?? null)
}

function effectOnMetric(trigger: Trigger, { version, since, checks }: Facts): RetrainingEffect {
  const { name, value, threshold } = trigger.metric ?? { name: 'metric', value: Number.NaN, threshold: Number.NaN }
  const judged = checks.flatMap((check) => {
    const found = check.quality?.metrics.find(({ metric }) => metric === name)
    const labelled = check.quality?.labelled ?? 0
    return found === undefined || labelled < FEWEST_LABELS ? [] : [{ value: found.value, labelled }]
  })
  const [newest] = judged
  const keeps =
    newest !== undefined && (betterOf(name) === 'higher' ? newest.value >= threshold : newest.value <= threshold)
  const verdict = newest === undefined ? 'too early' : keeps ? 'helped' : 'did not help'
  const quality =
    newest === undefined ? null : { metric: name, before: value, after: newest.value, labelled: newest.labelled }
  const cause = `realised ${name} ${rounded(value)}, worse than ${threshold}`
  const said =
    newest === undefined
      ? []
      : [`${name} ${rounded(newest.value)} on ${newest.labelled.toLocaleString('en-US')} labels`]
  const base = { version, cause, since, verdict, checks: judged.length, columns: [], quality } as const
  return { ...base, summary: sentence(base, said) }
}

/** The first metric that both sides have on enough labels. */
function qualityOf(former: readonly CheckResult[], checks: readonly CheckResult[]): RetrainingEffect['quality'] {
  const measured = (list: readonly CheckResult[]) =>
    list.find(({ quality }) => (quality?.labelled ?? 0) >= FEWEST_LABELS)?.quality
  const [before, after] = [measured(former), measured(checks)]
  if (before === undefined || after === undefined) return null
  for (const { metric, value } of after.metrics) {
    const then = before.metrics.find((each) => each.metric === metric)
    if (then !== undefined) return { metric, before: then.value, after: value, labelled: after.labelled }
  }
  return null
}

function sentence(
  { version, cause, verdict, checks }: Pick<RetrainingEffect, 'version' | 'cause' | 'verdict' | 'checks'>,
  said: readonly string[],
): string {
  const head = `@${version} was retrained for ${cause}`
  if (verdict === 'too early') return `${head}: no check since then can say whether it helped`
  const on = `on ${checks} check${checks === 1 ? '' : 's'}`
  return `${head}: since then ${said.join(', ')} ${on}: it ${verdict}`
}

const qualityWords = ({ metric, before, after }: NonNullable<RetrainingEffect['quality']>): string =>
  `realised ${metric} ${rounded(before)} -> ${rounded(after)}`

const figure = (metric: string, value: number | null): string =>
  value === null ? '' : ` (${metric} ${rounded(value)})`
const rounded = (value: number | null): string => (value === null ? '?' : String(Number(value.toPrecision(2))))
