/** Who made a version: registered it, or ran the training behind it. What follows from that is for gates to say. */
import type { ModelEvent } from '../store/events.ts'
import type { VersionState } from '../store/fold.ts'
import type { RunStart } from '../store/run-records.ts'
import type { Store } from '../store/store.ts'
import { personOf } from './approval.ts'
import type { Author } from './standing-approvals.ts'

/**
 * @throws failed `OBJECT_DAMAGED`, notFound `OBJECT_MISSING` when the record of the run cannot be read: without it nobody
 *   knows who must not approve
 */
export async function authorsOf(store: Store, version: VersionState): Promise<readonly Author[]> {
  const registrar: Author = { name: nameOf(version.registered), did: 'registered it' }
  if (version.run === undefined) return [registrar]
  const { actor } = await store.objects.readJson<RunStart>(version.run.run.sha256)
  // A record that another writer made may have none.
  const trainer = actor?.name
  if (trainer === undefined || personOf(trainer) === personOf(registrar.name)) return [registrar]
  return [registrar, { name: trainer, did: 'ran its training' }]
}

const nameOf = ({ actor }: ModelEvent): string => actor.name
