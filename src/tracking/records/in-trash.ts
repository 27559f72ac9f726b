/** A run that a person names and that is in the trash: said, instead of that there is none. */
import { isMlopsError, notFound } from '../../core/errors.ts'
import type { Store } from '../../store/store.ts'

/** @param error what finding `reference` among the runs threw. @returns the error to throw */
export async function orInTrash(store: Store, reference: string, error: unknown): Promise<unknown> {
  if (!isMlopsError(error) || error.code !== 'RUN_NOT_FOUND') return error
  const ids = await store.trash.ids().catch(() => [])
  const matches = ids.filter((id) => reference !== '' && id.startsWith(reference.toUpperCase()))
  const [run, second] = matches
  if (run === undefined || second !== undefined) return error
  return notFound({
    code: 'RUN_NOT_FOUND',
    message: `Run ${run} was deleted; it is in the trash.`,
    hint: `Take it back: mlops run restore ${run}`,
  })
}
