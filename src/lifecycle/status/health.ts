/**
 * How a version in production fares, as far as stored checks say so. Never better than the evidence: a check that was
 * not made, or stopped being made, is worse than most answers.
 */
import type { Context } from '../../core/context.ts'
import { versionName } from '../../core/names.ts'
import type { Project } from '../../project/config.ts'
import { DAY, parseDuration } from '../../project/duration.ts'
import { modelConfig } from '../../project/load.ts'
import type { CheckRecord, Store } from '../../store/store.ts'

export interface Health {
  /** Of the newest check of the version; `never checked` without one. */
  readonly verdict: Verdict | 'never checked'
  readonly checked: string | null
  /** The check is older than the window it should cover: it says nothing about today. */
  readonly stale: boolean
  readonly summary: string | null
  /** What was looked at. */
  readonly data: string | null
  readonly rows: number | null
  /** On a handful of rows: it hardly speaks for what production sees. */
  readonly small: boolean
  /** What the last check of the prediction log found wrong with the service or the quality; empty when nothing. */
  readonly breaches: readonly string[]
  /** The window of the prediction log that it looked at; null for data that a person named. */
  readonly window: { readonly since: string; readonly until: string } | null
  /** How often it is meant to be checked (`drift.every`); null when nobody said. */
  readonly every: string | null
  /** It is meant to be checked regularly, and was not for longer than that. */
  readonly overdue: boolean
  /** Newest prediction of a version that was never checked; null when there is none, or when a check was made. */
  readonly logged: string | null
  /** Columns that the check found to be no longer what the model was trained on. */
  readonly broken: readonly string[]
  /** The newest check on enough rows, where the last one was small. */
  readonly before: { readonly verdict: Verdict; readonly checked: string; readonly rows: number | null } | null
}

type Verdict = 'drift' | 'inconclusive' | 'stable'

/** Less than this many rows, or this share of the reference, is a small check. */
const FEW_ROWS = 100
const FEW_OF_REFERENCE = 0.01

/** The members of a check that are read here; a record of another shape has none of them. */
interface Nested {
  readonly reference?: { readonly name?: unknown; readonly rows?: unknown } | null
  readonly current?: { readonly source?: unknown; readonly rows?: unknown } | null
  readonly window?: unknown
  readonly purpose?: unknown
  readonly columns?: unknown
  readonly health?: { readonly findings?: unknown } | null
  readonly quality?: { readonly verdict?: unknown; readonly summary?: unknown } | null
}

const UNKNOWN: Health = {
  verdict: 'never checked',
  checked: null,
  stale: false,
  summary: null,
  data: null,
  rows: null,
  small: false,
  breaches: [],
  window: null,
  every: null,
  overdue: false,
  logged: null,
  broken: [],
  before: null,
}

/** A check a little late is no news: what runs daily may be a few hours off. */
const GRACE = 1.5

/** A check that covers no window of its own is too old after a week. */
const MAX_AGE = '7d'

/**
 * Only comparisons with the version's own baseline count: against another reference it is another question.
 * A check of a window that was long over when it was made looked into the past, and says nothing of today.
 */
export async function newestHealth(
  ctx: Pick<Context, 'now'>,
  project: Project,
  store: Store,
  model: string,
  version: number,
): Promise<Health> {
  const { window = MAX_AGE, every = null } = modelConfig(project, model).drift
  const now = ctx.now()
  const age = { now, maxAge: parseDuration(window) ?? 0 }
  const references = [`baseline of ${versionName(model, version)}`, `baseline of ${model}`]
  const told = (check: CheckRecord): Health | undefined => healthIn(check, version, references, age)
  const newest = await store.checks.newest(model, (check) => told(check) !== undefined)
  const looked = newest && told(newest)
  if (looked === undefined) return { ...UNKNOWN, every }
  const last = await notHidden(store, model, looked, told)
  const length = every === null ? undefined : parseDuration(every)
  const silent = now.getTime() - Date.parse(last.checked ?? '')
  const found = { ...last, every, overdue: length !== undefined && silent > GRACE * length }
  return last.small ? { ...found, before: await checkBefore(store, model, told) } : found
}

/** Drift of what production was asked is not undone by a batch that somebody picked afterwards: both are said. */
async function notHidden(
  store: Store,
  model: string,
  last: Health,
  told: (check: CheckRecord) => Health | undefined,
): Promise<Health> {
  if (last.window !== null || last.verdict === 'drift') return last
  // Only as far back as a check speaks for today: there may be thousands of them.
  const newest = await store.checks.newest(model, (check) => {
    const health = told(check)
    return health !== undefined && (health.window !== null || health.stale)
  })
  const log = newest && told(newest)
  if (log === undefined || log.window === null || log.verdict !== 'drift' || log.stale) return last
  const batch = `${last.data ?? 'A batch'} (${last.checked?.slice(0, 10)}) said ${last.verdict}, but what production was asked drifts`
  return { ...log, summary: `${log.summary ?? ''} ${batch}.`.trim() }
}

/** A slice of 19 rows must not hide what 20,000 rows said. */
async function checkBefore(
  store: Store,
  model: string,
  told: (check: CheckRecord) => Health | undefined,
): Promise<Health['before']> {
  const large = await store.checks.newest(model, (check) => told(check)?.small === false)
  const health = large && told(large)
  if (health === undefined || health.checked === null || health.verdict === 'never checked') return null
  return { verdict: health.verdict, checked: health.checked, rows: health.rows }
}

/** Too little to speak for what production sees. @param reference rows of what it was compared with */
export const isSmallCheck = (rows: number, reference: number): boolean =>
  rows < Math.max(FEW_ROWS, FEW_OF_REFERENCE * reference)

function healthIn(
  { record, time }: CheckRecord,
  version: number,
  references: readonly string[],
  { now, maxAge }: { readonly now: Date; readonly maxAge: number },
): Health | undefined {
  if (record === null || typeof record !== 'object') return undefined
  const check = record as Partial<Record<'version' | 'verdict' | 'summary', unknown>> & Nested
  const { verdict } = check
  if (check.version !== version || check.purpose === 'rollback') return undefined
  if (verdict !== 'drift' && verdict !== 'inconclusive' && verdict !== 'stable') return undefined
  if (!references.includes(String(check.reference?.name))) return undefined
  const window = windowIn(check.window)
  if (window !== null && isHistoric(window, time)) return undefined
  const source = check.current?.source
  const rows = typeof check.current?.rows === 'number' ? check.current.rows : null
  const reference = typeof check.reference?.rows === 'number' ? check.reference.rows : 0
  return {
    verdict,
    checked: time,
    stale: now.getTime() - Date.parse(time) > maxAge,
    summary: typeof check.summary === 'string' ? check.summary : null,
    data: typeof source === 'string' ? source : null,
    rows,
    // A window holds what there was; nobody chose a slice of it.
    small: window === null && rows !== null && isSmallCheck(rows, reference),
    breaches: breachesIn(check),
    window,
    every: null,
    overdue: false,
    logged: null,
    broken: brokenIn(check.columns),
    before: null,
  }
}

/** A window that ended twice its length ago, and two days, was looked at to understand the past. */
export function isHistoric(
  { since, until }: { readonly since: string; readonly until: string },
  made: string,
): boolean {
  const [from, to] = [Date.parse(since), Date.parse(until)]
  return Date.parse(made) - to > 2 * Math.max(DAY, to - from)
}

function windowIn(window: unknown): Health['window'] {
  const { since, until } = (window ?? {}) as { since?: unknown; until?: unknown }
  return typeof since === 'string' && typeof until === 'string' ? { since, until } : null
}

function brokenIn(columns: unknown): string[] {
  const each = Array.isArray(columns) ? (columns as readonly { column?: unknown; verdict?: unknown }[]) : []
  return each.flatMap(({ column, verdict }) => (verdict === 'broken' ? [String(column)] : []))
}

/** In the words of the check. */
function breachesIn({ health, quality }: Nested): string[] {
  const findings = Array.isArray(health?.findings) ? (health.findings as readonly Nested['quality'][]) : []
  return [...findings, quality].flatMap((found) =>
    found?.verdict === 'breach' && typeof found.summary === 'string' ? [found.summary] : [],
  )
}
