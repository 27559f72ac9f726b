/**
 * A policy's word in place of a person's, for production alone: level 3, earned by the track record, behind a margin and
 * a test. The only place where an approval of origin `policy` is made. Pure.
 */
import type { Approval } from '../../store/events.ts'
import type { ModelState } from '../../store/fold.ts'
import { type GateRules, PRODUCTION } from '../gate/rules.ts'
import type { PromotePlan } from './plan.ts'
import type { RetrainedVersions } from './retrained-versions.ts'
import { describeRecord, missingForAutonomy, trackRecord } from './track-record.ts'
import type { AutonomyRequest } from './types.ts'

export type PolicyWord =
  | { readonly kind: 'given'; readonly approval: Approval }
  /** What is missing, a sentence each. */
  | { readonly kind: 'withheld'; readonly missing: readonly string[] }

/**
 * @param rules the gate of the stage together with the policy's own
 * @param jobs what ended retrainings have let in
 */
export function policyWord(
  state: ModelState,
  plan: PromotePlan,
  request: AutonomyRequest,
  rules: GateRules,
  now: Date,
  jobs: RetrainedVersions,
): PolicyWord {
  const name = request.policy
  if (plan.stage !== PRODUCTION) {
    return {
      kind: 'withheld',
      missing: [`${name} may stand in for a person in ${PRODUCTION} alone, not in ${plan.stage}.`],
    }
  }
  if (request.level !== 3) {
    const missing = [
      `autonomy.level of ${name} is ${request.level}: a person promotes. Only level 3 promotes by itself.`,
    ]
    return { kind: 'withheld', missing }
  }
  const record = trackRecord(state.events, now, jobs)
  const missing = [...missingForAutonomy(record, request), ...missingGate(plan, rules)]
  if (missing.length > 0) return { kind: 'withheld', missing }
  return { kind: 'given', approval: { name, origin: 'policy', reason: describeRecord(state.model, record) } }
}

/** Nobody looks, so the gate must: against the champion, with a margin, and by a test of the team's own. */
function missingGate({ gate, from, approvalsMissing }: PromotePlan, rules: GateRules): string[] {
  const missing: string[] = []
  const compared = gate.checks.some(({ name, verdict }) => name.startsWith('compare_to') && verdict === 'pass')
  if (from === null) {
    missing.push(`Nothing is in ${PRODUCTION} to compare with: a person lets the first version in.`)
  } else if (!compared || !rules.compareTo.includes(PRODUCTION)) {
    missing.push(`The gate has no comparison with ${PRODUCTION} that passes: compare_to: ${PRODUCTION}`)
  }
  if (!(rules.margins[PRODUCTION] ?? []).some((margin) => Object.keys(margin).length > 0)) {
    missing.push(`The comparison with ${PRODUCTION} has no margin: margin: {auc: 0.005}`)
  }
  if (rules.external.length === 0) {
    missing.push("The gate has no test of the team's own: external: [{name: tests, command: pytest tests/model}]")
  }
  const waived = gate.checks.filter(({ verdict }) => verdict === 'waived').map(({ name }) => name)
  if (waived.length > 0) missing.push(`What is waived needs a person's eye: ${waived.join(', ')}.`)
  if (approvalsMissing > 1) {
    missing.push(`The gate asks for ${approvalsMissing} more people; a policy counts as one.`)
  }
  return missing
}
