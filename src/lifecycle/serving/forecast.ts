/**
 * Before a move: which running services will most likely keep what they serve, as the contract of the version that is to
 * come breaks that of theirs. A guess from hints and from what the store records of both versions, told and never decided
 * by: what a service takes, it alone knows.
 */
import type { Context } from '../../core/context.ts'
import { MlopsError, systemCode } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import type { Project } from '../../project/config.ts'
import type { ModelState } from '../../store/fold.ts'
import type { ServingHint, Store } from '../../store/store.ts'
import { type ContractChange, contractSettings, diffContracts, readContract } from '../versions/contract.ts'

/** Warns of each; never throws, for a move does not depend on it. @param version that the stage is to get */
export async function warnOfKeepers(
  ctx: Context,
  project: Project,
  store: Store,
  state: ModelState,
  stage: string,
  version: number,
): Promise<void> {
  try {
    const hints = await store.serving.list(state.model)
    for (const each of await keepers(project, store, state, hints, { stage, version })) ctx.warn(each)
  } catch (error) {
    // Hints and profiles that cannot be read are no reason to keep anybody from a rollback at night.
    if (!(error instanceof MlopsError) && systemCode(error) === undefined) throw error
  }
}

/** One sentence for each version that running services would keep. */
async function keepers(
  project: Project,
  store: Store,
  state: ModelState,
  hints: readonly ServingHint[],
  { stage, version }: { readonly stage: string; readonly version: number },
): Promise<readonly string[]> {
  const { model, versions } = state
  const settings = contractSettings(project, model)
  const contractOf = async (number: number) => {
    const found = versions[number - 1]
    if (found === undefined) return null
    return readContract(store, await store.models.manifest(found.manifest), state.baseline, settings)
  }
  const said: string[] = []
  for (const [served, services] of byVersion(hints, stage)) {
    if (served === version) continue
    const refused = diffContracts(await contractOf(served), await contractOf(version)).changes.filter(isRefused)
    if (refused.length === 0) continue
    const who = services.map(({ instance, host }) => `${instance} on ${host}`).join(', ')
    const wanted = versionName(model, version)
    said.push(
      `${who} will most likely go on serving ${versionName(model, served)} after this: ${wanted} is of another contract (${summaries(refused)}). Deploy the service's code for ${wanted} with it: mlops scaffold fastapi ${wanted}`,
    )
  }
  return said
}

/**
 * What a service refuses, whichever of the versions that it can serve its code was made for: it takes a version with the
 * very columns of its own code, and whole numbers where that has numbers. Callers may see more of a difference.
 */
const isRefused = ({ what, breaking }: ContractChange): boolean =>
  what === 'added' || what === 'removed' || (breaking && (what === 'output' || what === 'classes'))

const MOST = 5
const summaries = (changes: readonly ContractChange[]): string =>
  changes
    .slice(0, MOST)
    .map(({ summary }) => summary)
    .join('; ') + (changes.length > MOST ? `; ${changes.length - MOST} more` : '')

function byVersion(hints: readonly ServingHint[], stage: string): Map<number, ServingHint[]> {
  const found = new Map<number, ServingHint[]>()
  for (const hint of hints) {
    if (hint.stage !== stage || hint.state === 'draining' || hint.silent === true || hint.serving === null) continue
    const { version } = hint.serving
    found.set(version, [...(found.get(version) ?? []), hint])
  }
  return found
}
