/**
 * Which versions a retraining brought about: those that an ended job of `jobs/retrain` names. What a register event is
 * tagged with proves nothing, as anybody may write a tag. What they earn a policy is in `track-record.ts`.
 */
import { RETRAINING } from '../../store/claims.ts'
import type { Store } from '../../store/store.ts'

type Loose = Readonly<Record<string, unknown>>

/** When the job ended that let a version into its first stage, by version. RFC 3339. */
export type RetrainedVersions = ReadonlyMap<number, string>

/** Records of another shape are passed over. @throws failed for a damaged record */
export async function retrainedVersions(store: Pick<Store, 'claims'>, model: string): Promise<RetrainedVersions> {
  const found = new Map<number, string>()
  const begun = new Set<unknown>()
  for (const { record } of await store.claims.list(model, RETRAINING)) {
    const { kind, attempt, outcome, version, time } = record as Loose
    if (kind === 'begin') begun.add(attempt)
    if (kind !== 'end' || outcome !== 'promoted' || !begun.has(attempt)) continue
    if (typeof version !== 'number' || typeof time !== 'string' || found.has(version)) continue
    found.set(version, time)
  }
  return found
}
