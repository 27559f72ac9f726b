/** Approvals as a person reads them: who, how far the name can be believed, when, why; and which do not count. */
import type { PromotePlan } from '../../lifecycle/promote/plan.ts'
import type { Approval } from '../../store/events.ts'
import type { Ui } from '../ui.ts'

const ORIGINS: Readonly<Record<Approval['origin'], string>> = {
  claimed: 'claimed',
  prompt: 'at a terminal',
  ci: 'ci',
  policy: 'a policy, no person',
}

/** `ada (at a terminal, 2 days ago)`; without the reason. */
export function renderApprover(ui: Ui, { name, origin, url, time }: Approval): string {
  const details = [ORIGINS[origin], url === undefined ? '' : ui.text(url), time === undefined ? '' : ui.ago(time)]
  return `${ui.text(name)} (${details.filter((part) => part !== '').join(', ')})`
}

type Words = Pick<PromotePlan, 'approvals' | 'approvalsMissing' | 'uncounted'>

/** A line for every word that counts, for every one that does not, and for what is missing; '' when there is none. */
export function renderApprovals(ui: Ui, { approvals, approvalsMissing, uncounted }: Words): string {
  const { style } = ui
  const lines = [
    ...approvals.map((approval) => {
      const why = approval.reason === undefined ? '' : `: "${ui.text(approval.reason)}"`
      return `${style.good(style.symbols.ok)} approved by ${renderApprover(ui, approval)}${why}`
    }),
    ...uncounted.map(({ name, time, why }) => {
      const when = time === null ? '' : `, given ${ui.ago(time)},`
      return `${style.warn(style.symbols.warn)} the approval of ${ui.text(name)}${when} does not count: ${ui.text(why)}`
    }),
    ...(approvalsMissing === 0
      ? []
      : [`${style.warn(style.symbols.unknown)} ${missingPeople(approvals.length, approvalsMissing)}`]),
  ]
  return lines.map((line) => ui.wrap(line, 2)).join('\n')
}

/** `1 more person must approve` */
export const missingPeople = (had: number, missing: number): string =>
  `${missing}${had > 0 ? ' more' : ''} ${missing === 1 ? 'person' : 'people'} must approve`
