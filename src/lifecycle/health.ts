/** How a version in production fares, as far as a stored check says so. Never better than the evidence. */
import { versionName } from '../core/names.ts'
import type { CheckRecord } from '../store/store.ts'

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
 * @param checks newest first
 * @param maxAge milliseconds after which a check is stale
 */
export function healthOf(
  checks: readonly CheckRecord[],
  { model, version }: { readonly model: string; readonly version: number },
  now: Date,
  maxAge: number,
): Health {
  const references = [`baseline of ${versionName(model, version)}`, `baseline of ${model}`]
  for (const { record } of checks) {
    const check = record as Partial<Record<'version' | 'verdict' | 'time' | 'summary', unknown>> & Nested
    if (check === null || typeof check !== 'object' || check.version !== version) continue
    const { verdict, time } = check
    if (verdict !== 'drift' && verdict !== 'inconclusive' && verdict !== 'stable') continue
    if (typeof time !== 'string' || !references.includes(String(check.reference?.name))) continue
    const source = check.current?.source
    return {
      verdict,
      checked: time,
      stale: now.getTime() - Date.parse(time) > maxAge,
      summary: typeof check.summary === 'string' ? check.summary : null,
      data: typeof source === 'string' ? source : null,
    }
  }
  return UNKNOWN
}
