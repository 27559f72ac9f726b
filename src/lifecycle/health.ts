/** How a version in production fares, as far as a stored check says so. Never better than the evidence. */
import { versionName } from '../core/names.ts'
import type { CheckRecord, Store } from '../store/store.ts'

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
}

const UNKNOWN: Health = {
  verdict: 'never checked',
  checked: null,
  stale: false,
  summary: null,
  data: null,
  rows: null,
  small: false,
  before: null,
}

/**
 * Only comparisons with the version's own baseline count: against another reference it is another question.
 *
 * @param maxAge milliseconds after which a check is stale
 */
export async function newestHealth(
  store: Store,
  { model, version }: { readonly model: string; readonly version: number },
  now: Date,
  maxAge: number,
): Promise<Health> {
  const references = [`baseline of ${versionName(model, version)}`, `baseline of ${model}`]
  const told = (check: CheckRecord): Health | undefined => healthIn(check, version, references, now, maxAge)
  const newest = await store.checks.newest(model, (check) => told(check) !== undefined)
  const last = newest && told(newest)
  if (last === undefined) return UNKNOWN
  return last.small ? { ...last, before: await checkBefore(store, model, told) } : last
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
  now: Date,
  maxAge: number,
): Health | undefined {
  if (record === null || typeof record !== 'object') return undefined
  const check = record as Partial<Record<'version' | 'verdict' | 'summary', unknown>> & Nested
  const { verdict } = check
  if (check.version !== version) return undefined
  if (verdict !== 'drift' && verdict !== 'inconclusive' && verdict !== 'stable') return undefined
  if (!references.includes(String(check.reference?.name))) return undefined
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
    small: rows !== null && isSmallCheck(rows, reference),
    before: null,
  }
}
