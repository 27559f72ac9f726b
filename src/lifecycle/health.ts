/** How a version in production fares, as far as a stored check says so. Never better than the evidence. */
import { versionName } from '../core/names.ts'
import type { Store } from '../store/store.ts'

export interface Health {
  /** Of the newest check of the version; `never checked` without one. */
  readonly verdict: 'drift' | 'inconclusive' | 'stable' | 'never checked'
  readonly checked: string | null
  /** The check is older than the window it should cover: it says nothing about today. */
  readonly stale: boolean
  readonly summary: string | null
  /** What was looked at. */
  readonly data: string | null
}

/** The members of a check that are read here; a record of another shape has none of them. */
interface Nested {
  readonly reference?: { readonly name?: unknown } | null
  readonly current?: { readonly source?: unknown } | null
}

const UNKNOWN: Health = { verdict: 'never checked', checked: null, stale: false, summary: null, data: null }

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
  const told = (record: unknown): Health | undefined => healthIn(record, version, references, now, maxAge)
  const newest = await store.checks.newest(model, ({ record }) => told(record) !== undefined)
  return told(newest?.record) ?? UNKNOWN
}

function healthIn(
  record: unknown,
  version: number,
  references: readonly string[],
  now: Date,
  maxAge: number,
): Health | undefined {
  if (record === null || typeof record !== 'object') return undefined
  const check = record as Partial<Record<'version' | 'verdict' | 'time' | 'summary', unknown>> & Nested
  const { verdict, time } = check
  if (check.version !== version) return undefined
  if (verdict !== 'drift' && verdict !== 'inconclusive' && verdict !== 'stable') return undefined
  if (typeof time !== 'string' || !references.includes(String(check.reference?.name))) return undefined
  const source = check.current?.source
  return {
    verdict,
    checked: time,
    stale: now.getTime() - Date.parse(time) > maxAge,
    summary: typeof check.summary === 'string' ? check.summary : null,
    data: typeof source === 'string' ? source : null,
  }
}
