/** The stored checks of a version whose window a moment lies in. */
import type { CheckRecord, Store } from '../../store/store.ts'
import type { TracedCheck } from './types.ts'

/** @param time RFC 3339. Newest first; a record of another shape is passed over */
export async function checksAround(store: Store, model: string, version: number, time: string): Promise<TracedCheck[]> {
  const checks = await store.checks.list(model)
  return checks.flatMap((check) => {
    const traced = tracedCheck(check, version)
    return traced !== undefined && traced.since <= time && time < traced.until ? [traced] : []
  })
}

interface Stored {
  readonly version?: unknown
  readonly verdict?: unknown
  readonly summary?: unknown
  readonly window?: { readonly since?: unknown; readonly until?: unknown } | null
  readonly reference?: { readonly name?: unknown } | null
  readonly current?: { readonly rows?: unknown } | null
  readonly health?: { readonly verdict?: unknown } | null
  readonly quality?: { readonly verdict?: unknown } | null
}

function tracedCheck({ key, record, time }: CheckRecord, version: number): TracedCheck | undefined {
  if (record === null || typeof record !== 'object') return undefined
  const check = record as Stored
  const { since, until } = check.window ?? {}
  const isOurs = check.version === version && typeof check.verdict === 'string'
  if (!isOurs || typeof since !== 'string' || typeof until !== 'string') return undefined
  return {
    key,
    time,
    since,
    until,
    rows: typeof check.current?.rows === 'number' ? check.current.rows : null,
    verdict: String(check.verdict),
    reference: text(check.reference?.name),
    summary: text(check.summary) ?? '',
    health: text(check.health?.verdict),
    quality: text(check.quality?.verdict),
  }
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
