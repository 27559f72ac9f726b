/**
 * Would a gate let a version in? As far as records alone can say, without scoring anything: `status` must be quick and
 * must not send anybody into a refusal that was certain. Which step follows is in `next-step.ts`.
 */
import { MlopsError } from '../core/errors.ts'
import type { Project } from '../project/config.ts'
import { modelConfig } from '../project/load.ts'
import type { GateCheck } from '../store/events.ts'
import type { ModelState, VersionState } from '../store/fold.ts'
import type { Store } from '../store/store.ts'
import { recordedFacts } from './facts.ts'
import { failingChecks, judgeGate } from './gate.ts'
import { comparedMetrics, gateRules } from './gate-rules.ts'
import { needsRescore } from './rescore.ts'

export interface Outlook {
  readonly stage: string
  /** `unknown`: the champion has to be scored on the test set of this version first. */
  readonly verdict: 'passes' | 'refuses' | 'unknown'
  /** The checks that certainly refuse, in words. */
  readonly refusal: string | null
  /** How many people must approve. */
  readonly approvals: number
}

export async function gateOutlook(
  project: Project,
  store: Store,
  state: ModelState,
  version: VersionState,
  stage: string,
): Promise<Outlook> {
  const config = modelConfig(project, state.model)
  const rules = gateRules(config, stage)
  const outlook = { stage, refusal: null, approvals: rules.approval }
  try {
    const facts = await recordedFacts(store, state, rules, version)
    const { challenger, champions } = facts
    const metrics = comparedMetrics(rules).map(({ name }) => name)
    const isOpen = Object.values(champions).some((champion) => {
      if (champion === null || !needsRescore(champion, challenger, metrics)) return false
      return (challenger.manifest.evaluate ?? champion.manifest.evaluate ?? config.evaluate) !== undefined
    })
    const certain = failingChecks(judgeGate(rules, { ...facts, approvals: [] })).filter(
      ({ name }) => name !== 'approval' && !(isOpen && name === 'compare_to'),
    )
    if (certain.length > 0) return { ...outlook, verdict: 'refuses', refusal: certain.map(inWords).join('; ') }
    return { ...outlook, verdict: isOpen ? 'unknown' : 'passes' }
  } catch (error) {
    // Damage is for `verify` and for the promotion itself to name.
    if (error instanceof MlopsError) return { ...outlook, verdict: 'unknown' }
    throw error
  }
}

const inWords = ({ name, required, actual, verdict }: GateCheck): string =>
  `${name} ${verdict === 'fail' ? 'fails' : 'is inconclusive'}: required ${required}, actual ${actual}`
