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
import { FEWEST_LABELS } from '../../monitor/quality.ts'
import { RETRAINING } from '../../store/claims.ts'
import { isMove } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import type { CheckRecord, Store } from '../../store/store.ts'
import { standing } from '../operation.ts'

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
const MOST_COLUMNS = 5

/** @returns null where no version in production comes from a retraining for drift or a metric */
export async function retrainingEffect(store: Store, state: ModelState): Promise<RetrainingEffect | null> {
  const entry = standing(state, PRODUCTION)
  if (entry === null) return null
  return (await retrainingEffects(store, state, entry.seq)).get(entry.seq) ?? null
}

/**
 * Of every version from a retraining, for as long as it was in production: by the event that put it there.
 * @param only the one event that is asked about
 */
export async function retrainingEffects(
  store: Store,
  state: ModelState,
  only?: number,
): Promise<ReadonlyMap<number, RetrainingEffect>> {
  const stays = staysOf(state).filter(({ seq }) => only === undefined || seq === only)
  const triggers = stays.length === 0 ? new Map<number, Trigger>() : await triggersOf(store, state.model)
  const asked = stays.flatMap((stay) => {
    const trigger = triggers.get(stay.version)
    return trigger === undefined ? [] : [{ ...stay, trigger }]
  })
  if (asked.length === 0) return new Map()
  const all = (await store.checks.list(state.model)).filter(isCheck)
  const checksOf = (version: number, from: string, until: string | null): CheckResult[] =>
    all
      .filter((check) => isOwn(check, state.model, version) && check.time >= from && isBefore(check.time, until))
      .map(resultOf)
  return new Map(
    asked.map(({ seq, version, since, until, before, trigger }) => {
      const checks = checksOf(version, since, until)
      const former = before === null ? [] : checksOf(before, '', since)
      return [seq, effectOf(trigger, { version, since, isOver: until !== null, checks, former })]
    }),
  )
}

const PRODUCTION = 'production'

/** A version in production, from the event that put it there to the one that put another there. */
interface Stay {
  readonly seq: number
  readonly version: number
  readonly since: string
  /** Null: it is there. */
  readonly until: string | null
  /** The version that it took the place of. */
  readonly before: number | null
}

function staysOf({ events }: ModelState): Stay[] {
  const moves = events.flatMap((event) => (isMove(event) && event.body.stage === PRODUCTION ? [event] : []))
  return moves.map(({ seq, time, body }, at) => ({
    seq,
    version: body.version,
    since: time,
    until: moves[at + 1]?.time ?? null,
    before: body.from,
  }))
}

const isBefore = (time: string, until: string | null): boolean => until === null || time < until

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

/** Why the retraining that made a version had begun, by version. */
async function triggersOf(store: Store, model: string): Promise<ReadonlyMap<number, Trigger>> {
  const records = (await store.claims.list(model, RETRAINING)).map(
    ({ record }) => record as Readonly<Record<string, unknown>>,
  )
  const found = new Map<number, Trigger>()
  for (const { kind, version, attempt } of records) {
    if (kind !== 'end' || typeof version !== 'number') continue
    const begin = records.find((record) => record.kind === 'begin' && record.attempt === attempt)
    const trigger = begin?.trigger as Trigger | undefined
    const isKnown = trigger?.type === 'drift' || trigger?.type === 'metric'
    // Of two that gave the same version the later one says.
    if (isKnown && Array.isArray(trigger.columns)) found.set(version, trigger)
    else found.delete(version)
  }
  return found
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
  /** Another version has taken its place. */
  readonly isOver?: boolean
  /** Of the version while it was in production, newest first. */
  readonly checks: readonly CheckResult[]
  /** Of the one before it, newest first. */
  readonly former: readonly CheckResult[]
}

/** Pure. */
export function effectOf(trigger: Trigger, facts: Facts): RetrainingEffect {
  return trigger.type === 'drift' ? effectOnDrift(trigger, facts) : effectOnMetric(trigger, facts)
}

type Answer = 'drift' | 'fine' | 'unknown'

function effectOnDrift(trigger: Trigger, { version, since, isOver, checks, former }: Facts): RetrainingEffect {
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
  return { ...base, summary: sentence({ ...base, isOver }, said) }
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

function effectOnMetric(trigger: Trigger, { version, since, isOver, checks }: Facts): RetrainingEffect {
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
  return { ...base, summary: sentence({ ...base, isOver }, said) }
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
  {
    version,
    cause,
    verdict,
    checks,
    isOver,
  }: Pick<RetrainingEffect, 'version' | 'cause' | 'verdict' | 'checks'> & { readonly isOver: boolean | undefined },
  said: readonly string[],
): string {
  const head = `@${version} was retrained for ${cause}`
  if (verdict === 'too early') {
    return `${head}: no check ${isOver === true ? 'while it was in production' : 'since then'} can say whether it helped`
  }
  const on = `on ${checks} check${checks === 1 ? '' : 's'}`
  return `${head}: ${isOver === true ? 'in production' : 'since then'} ${said.join(', ')} ${on}: it ${verdict}`
}

const qualityWords = ({ metric, before, after }: NonNullable<RetrainingEffect['quality']>): string =>
  `realised ${metric} ${rounded(before)} -> ${rounded(after)}`

const figure = (metric: string, value: number | null): string =>
  value === null ? '' : ` (${metric} ${rounded(value)})`
const rounded = (value: number | null): string => (value === null ? '?' : String(Number(value.toPrecision(2))))
