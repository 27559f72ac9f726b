/** How a promotion is refused: in words, with every check and its values in the details, and the next thing to type. */
import { type MlopsError, refused } from '../../core/errors.ts'
import { versionName } from '../../core/names.ts'
import { approvalCommand, promotionCommand } from '../../core/next-command.ts'
import type { GateCheck } from '../../store/events.ts'
import { failingChecks, onlyApprovalMissing } from '../gate/gate.ts'
import type { PromotePlan } from './plan.ts'
import type { UncountedApproval } from './standing-approvals.ts'

/**
 * @param withheld why a policy may not stand in for a person, where one asked to
 * @throws refused `GATE_REFUSED`, `APPROVAL_MISSING`, `SELF_APPROVAL`
 */
export function assertPasses(plan: PromotePlan, withheld: readonly string[] = []): void {
  const { gate } = plan
  if (gate.verdict === 'pass') return
  if (!onlyApprovalMissing(gate)) throw gateRefused(plan)
  const own = plan.uncounted.find(({ kind, time }) => kind === 'author' && time === null)
  throw own === undefined ? approvalMissing(plan, withheld) : selfApproval(plan, own)
}

/** @param what is then not done: `nothing was moved` */
export function gateRefused(plan: PromotePlan, consequence = 'nothing was moved'): MlopsError {
  const { gate, model, version, stage } = plan
  const name = versionName(model, version)
  return refused({
    code: 'GATE_REFUSED',
    message: `The gate of ${stage} refuses ${name}; ${consequence}.`,
    hint: `The gate stands in mlops.yaml under models.${model}.gates.${stage}. See the version: mlops model show ${name}`,
    details: { ...gateDetails(plan), problems: failingChecks(gate).map(sentence) },
  })
}

function approvalMissing(plan: PromotePlan, withheld: readonly string[]): MlopsError {
  const { model, version, stage, approvals, approvalsNeeded } = plan
  const name = versionName(model, version)
  const many = approvalsNeeded > 1 ? ` by ${approvalsNeeded} people` : ''
  const had = approvals.length === 0 ? '' : ` (so far: ${approvals.map((each) => each.name).join(', ')})`
  const alone = withheld.length === 0 ? '' : ', and the policy may not promote it by itself'
  const problems = [...withheld, ...uncountedSentences(plan)]
  // A word ahead of the move has a time; the others came with it, and are gone unless they are given again.
  const given = approvals.filter(({ time }) => time === undefined).map((each) => each.name)
  const command = promotionCommand(name, stage, approvalsNeeded, approvals.length - given.length, given)
  return refused({
    code: 'APPROVAL_MISSING',
    message: `${name} passes the other checks of ${stage} but is not approved${many}${had}${alone}; nothing was moved.`,
    hint: `${approvals.length === 0 ? 'A person' : 'Another person'} approves it by name: ${command}`,
    details: {
      ...gateDetails(plan),
      ...(withheld.length === 0 ? {} : { autonomy: { missing: withheld } }),
      ...(problems.length === 0 ? {} : { problems }),
    },
  })
}

/** Whoever made it may not approve it, and is told so plainly. */
export function selfApproval(plan: PromotePlan, { name, why }: UncountedApproval): MlopsError {
  const version = versionName(plan.model, plan.version)
  const many = plan.approvalsMissing > 1 ? `${plan.approvalsMissing} other people approve` : 'Somebody else approves'
  return refused({
    code: 'SELF_APPROVAL',
    message: `${name} cannot approve ${version} for ${plan.stage}: ${why}. Nothing was changed.`,
    hint: `${many} it: ${approvalCommand(version, plan.stage)}`,
    details: gateDetails(plan),
  })
}

/** Every word that does not count, in a sentence. */
export const uncountedSentences = ({ uncounted }: Pick<PromotePlan, 'uncounted'>): string[] =>
  uncounted.map(({ name, time, why }) => {
    const when = time === null ? '' : `, given at ${time},`
    return `The approval of ${name}${when} does not count: ${why}.`
  })

function sentence({ name, required, actual, verdict, note }: GateCheck): string {
  const why = note === undefined ? '' : `; ${note}`
  const said = name === 'approval' ? 'waits' : verdict === 'fail' ? 'fails' : 'is inconclusive'
  return `${name} ${said}: required ${required}, actual ${actual}${why}`
}

const gateDetails = (plan: PromotePlan) => ({
  model: plan.model,
  version: plan.version,
  stage: plan.stage,
  checks: plan.gate.checks,
  failed: failingChecks(plan.gate),
  bound: plan.gate.bound,
  approvals: plan.approvals,
  approvalsMissing: plan.approvalsMissing,
  uncounted: plan.uncounted,
})

/** The person at the terminal said no. */
export const declined = (plan: PromotePlan): MlopsError =>
  refused({
    code: 'APPROVAL_DECLINED',
    message: `Not approved: ${plan.stage} of ${plan.model} stays as it is.`,
    details: gateDetails(plan),
  })
