/** The question that stands before a promotion: the plan first, then a person's yes. */
import type { PromotePlan } from '../../lifecycle/promote/plan.ts'
import type { Consent } from '../../lifecycle/promote/types.ts'
import { askConsent } from '../consent.ts'
import type { Session } from '../session.ts'
import { renderPromotePlan } from './promote.ts'

export interface ApprovalQuestion {
  /** For the request of a promotion; nothing where nobody is there to be asked. */
  readonly asking: { readonly askApproval?: (plan: PromotePlan) => Promise<Consent | null> }
  /** True once a person was shown the plan. */
  readonly wasShown: () => boolean
}

/** @param hasReason a reason was given already */
export function approvalQuestion(session: Session, hasReason: boolean): ApprovalQuestion {
  let shown = false
  const askApproval = (plan: PromotePlan): Promise<Consent | null> => {
    shown = true
    const steps = plan.rollout === null ? '' : `, by steps of ${plan.rollout.join(', ')} % of its traffic,`
    return askConsent(session, {
      shown: (ui) => renderPromotePlan(ui, plan),
      question: `Approve ${plan.model}@${plan.version} for ${plan.stage}${steps} as ${session.ctx.actor.name}?`,
      flag: '--approve NAME',
      hasReason,
    })
  }
  return { asking: session.interactive ? { askApproval } : {}, wasShown: () => shown }
}
