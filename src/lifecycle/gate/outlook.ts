/**
 * Would a gate let a version in? As far as records alone can say: nothing is scored, read row by row, or run. `status`
 * must be quick and must not send anybody into a refusal that was certain. Which step follows is in `../status/next-step.ts`.
 */
import type { Context } from '../../core/context.ts'
import { MlopsError } from '../../core/errors.ts'
import type { Project } from '../../project/config.ts'
import { modelConfig } from '../../project/load.ts'
import type { GateCheck } from '../../store/events.ts'
import type { ModelState, VersionState } from '../../store/fold.ts'
import type { Store } from '../../store/store.ts'
import { recordedFacts } from './collect.ts'
import type { GateFacts } from './facts.ts'
import { failingChecks, judgeGate } from './gate.ts'
import { needsRescore } from './rescore.ts'
import { comparedMetrics, type GateRules, gateRules } from './rules.ts'

export interface Outlook {
  readonly stage: string
  /** `unknown`: a check has to be made first: the champion scored, predictions read, a command run. */
  readonly verdict: 'passes' | 'refuses' | 'unknown'
  /** The checks that certainly refuse, in words. */
  readonly refusal: string | null
  /** How many people must approve. */
  readonly approvals: number
}

export async function gateOutlook(
  ctx: Context,
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
    const facts = await recordedFacts(ctx, project, store, state, rules, version)
    const isOpen = openChecks(rules, facts, config.evaluate)
    const failing = failingChecks(judgeGate(rules, { ...facts, approvals: [] })).filter(
      ({ name }) => name !== 'approval',
    )
    const certain = failing.filter((check) => !isOpen(check))
    if (certain.length > 0) return { ...outlook, verdict: 'refuses', refusal: certain.map(inWords).join('; ') }
    return { ...outlook, verdict: hasOpen(rules, facts, isOpen) ? 'unknown' : 'passes' }
  } catch (error) {
    // Damage is for `verify` and for the promotion itself to name.
    if (error instanceof MlopsError) return { ...outlook, verdict: 'unknown' }
    throw error
  }
}

/** Which checks records alone cannot decide. */
function openChecks(
  rules: GateRules,
  { challenger, champions }: Omit<GateFacts, 'approvals'>,
  evaluate: string | undefined,
): (check: Pick<GateCheck, 'name'>) => boolean {
  const metrics = comparedMetrics(rules).map(({ name }) => name)
  const hasRows = challenger.manifest.testPredictions !== undefined
  const comparison = Object.entries(champions).some(([stage, champion]) => {
    if (champion === null) return false
    const scored = needsRescore(champion, challenger, metrics)
    if (scored) return (challenger.manifest.evaluate ?? champion.manifest.evaluate ?? evaluate) !== undefined
    // Row by row a margin is judged by the interval; without one the recorded numbers decide.
    const margin = (rules.margins[stage] ?? []).every((each) => Object.keys(each).length > 0)
    return margin && hasRows && champion.manifest.testPredictions !== undefined
  })
  return ({ name }) => {
    if (name === 'compare_to') return comparison
    if (name.startsWith('external ')) return true
    return hasRows && (name.startsWith('slice ') || name.startsWith('fairness '))
  }
}

/** Also where no check fails by the records: what has not been looked at has not passed. */
function hasOpen(
  rules: GateRules,
  { challenger, champions }: Omit<GateFacts, 'approvals'>,
  isOpen: (check: Pick<GateCheck, 'name'>) => boolean,
): boolean {
  if (rules.external.length > 0) return true
  if (Object.values(champions).some((champion) => champion !== null) && isOpen({ name: 'compare_to' })) return true
  return challenger.manifest.testPredictions !== undefined && rules.slices.length + rules.fairness.length > 0
}

const inWords = ({ name, required, actual, verdict }: GateCheck): string =>
  `${name} ${verdict === 'fail' ? 'fails' : 'is inconclusive'}: required ${required}, actual ${actual}`
