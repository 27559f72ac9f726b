/** What the newest runs call their metrics, parameters and tags: for completion in a shell. Reads only. */
import type { Store } from '../../store/store.ts'
import { tagsWith } from './annotations.ts'
import { FIELD_NAMES } from './where/fields.ts'

export interface RunNames {
  /** What a list can be filtered and sorted by: `started`, `metrics.auc`. */
  readonly fields: readonly string[]
  readonly metrics: readonly string[]
  readonly tags: readonly string[]
}

/** @param count how many of the newest are looked at; those that have not ended, or cannot be read, say nothing */
export async function namesOfRuns(store: Store, count: number): Promise<RunNames> {
  const [metrics, params, tags] = [new Set<string>(), new Set<string>(), new Set<string>()]
  for (const id of (await store.runs.list()).slice(0, count)) {
    const { end } = await store.runs.read(id).catch(() => ({ end: undefined }))
    if (end === undefined) continue
    for (const key of Object.keys(end.metrics)) metrics.add(key)
    for (const key of Object.keys(end.params)) params.add(key)
    for (const tag of tagsWith(end.tags, await store.runs.annotations(id))) tags.add(tag)
  }
  const fields = [
    ...FIELD_NAMES,
    ...[...metrics].map((key) => `metrics.${key}`),
    ...[...params].map((key) => `params.${key}`),
  ]
  return { fields, metrics: [...metrics].sort(), tags: [...tags].sort() }
}
