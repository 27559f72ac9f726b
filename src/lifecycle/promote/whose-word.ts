/** Reads what it takes to say whose word counts for a move; deciding it is in `standing-approvals.ts`. */
import type { ModelConfig } from '../../project/config.ts'
import type { Approval } from '../../store/events.ts'
import type { ModelState, VersionState } from '../../store/fold.ts'
import type { RunStart } from '../../store/run-records.ts'
import type { Store } from '../../store/store.ts'
import { type GateRules, gateRules } from '../gate/rules.ts'
import { type Author, type CountedApprovals, countApprovals } from './standing-approvals.ts'

/**
 * @param rules those of the move; a retraining's may ask for more than the stage does
 * @param given words that come with the move
 * @throws as `authorsOf`, where the rules refuse an author's own approval
 */
export async function whoseWordCounts(
  store: Store,
  config: Pick<ModelConfig, 'risk' | 'gates' | 'evaluate'>,
  state: ModelState,
  version: VersionState,
  rules: GateRules,
  given: readonly Approval[],
): Promise<CountedApprovals> {
  const { stage } = rules
  return countApprovals(state, {
    stage,
    version: version.version,
    // A person gave their word for the gate of the stage; what a retraining asks for besides is no change of it.
    bound: { manifest: version.manifest, policy: gateRules(config, stage).digest },
    authors: rules.selfApproval === 'refused' ? await authorsOf(store, version) : [],
    given,
  })
}

/**
 * Who made a version: registered it, here or in the store that it was imported from, or ran the training behind it.
 * @throws failed `OBJECT_DAMAGED`, notFound `OBJECT_MISSING` when the record of the run cannot be read: without it nobody
 *   knows who must not approve
 */
export async function authorsOf(store: Store, { registered, run }: VersionState): Promise<readonly Author[]> {
  const authors: Author[] = [{ name: registered.actor.name, did: 'registered it' }]
  const origin = registered.type === 'register' ? registered.body.imported?.registered.by : undefined
  // A record that another writer made may have no actor.
  const trainer = run && (await store.objects.readJson<Partial<RunStart>>(run.run.sha256)).actor
  if (origin !== undefined) authors.push({ name: origin.name, did: 'registered it' })
  if (trainer !== undefined) authors.push({ name: trainer.name, did: 'ran its training' })
  return authors
}
