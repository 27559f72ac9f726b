/** How a promotion is refused: in words, with every check and its values in the details, and the next thing to type. */
import { type MlopsError, refused } from '../core/errors.ts'
import { versionName } from '../core/names.ts'
import { promotionCommand } from '../core/next-command.ts'
import type { GateCheck } from '../store/events.ts'
import { failingChecks, onlyApprovalMissing } from './gate.ts'
import type { PromotePlan } from './promote-plan.ts'

/** @throws refused `GATE_REFUSED`, `APPROVAL_MISSING` */
export function assertPasses(plan: PromotePlan): void {
  const { gate, model, version, stage } = plan
  if (gate.verdict === 'pass') return
  const name = versionName(model, version)
  if (onlyApprovalMissing(gate)) {
    const many = plan.approvalsNeeded > 1 ? ` by ${plan.approvalsNeeded} people` : ''
    throw refused({
      code: 'APPROVAL_MISSING',
      message: `${name} passes the other checks of ${stage} but is not approved${many}; nothing was moved.`,
      hint: `A person approves it by name: ${promotionCommand(name, stage, plan.approvalsNeeded)}`,
      details: gateDetails(plan),
    })
  }
  throw refused({
    code: 'GATE_REFUSED',
    message: `The gate of ${stage} refuses ${name}; nothing was moved.`,
    hint: `The gate stands in mlops.yaml under models.${model}.gates.${stage}. See the version: mlops model show ${name}`,
    details: { ...gateDetails(plan), problems: failingChecks(gate).map(sentence) },
  })
}

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
})

/** The person at the terminal said no. */
export const declined = (plan: PromotePlan): MlopsError =>
  refused({
    code: 'APPROVAL_DECLINED',
    message: `Not approved: ${plan.stage} of ${plan.model} stays as it is.`,
    details: gateDetails(plan),
  })
