/** `mlops approve` as text: the word that was given, who else has approved, and what comes next. */
import type { ApproveResult } from '../../lifecycle/promote/approve.ts'
import type { Ui } from '../ui.ts'
import { missingPeople, renderApprovals, renderApprover } from './approvals.ts'
import { renderGate, renderHealth, renderShortDiff } from './promote.ts'

/** @param withPlan false for a person who was shown the plan before they answered */
export function renderApproval(ui: Ui, result: ApproveResult, withPlan: boolean): string {
  const { style } = ui
  const { model, version, stage, outcome, approval } = result
  const name = style.name(`${model}@${version}`)
  switch (outcome) {
    case 'already there':
      return `${name} is in ${style.bold(stage)} already; there is nothing to approve.`
    case 'planned': {
      const verdict = result.passes
        ? `${style.symbols.unknown} All other checks pass; it could be approved.`
        : style.bad(`${style.symbols.bad} The gate refuses it; there is nothing to approve.`)
      const head = `Plan: approve ${name} for ${style.bold(stage)} (${inPlace(result)})`
      return joined([head, ...plan(ui, result), ui.wrap(`${verdict} ${style.dim('Dry run: nothing was changed.')}`)])
    }
    case 'already approved': {
      const who = approval === null ? '' : ` by ${renderApprover(ui, approval)}`
      const head = `${name} is approved for ${style.bold(stage)} already${who}. Nothing was changed.`
      return joined([ui.wrap(head), next(ui, result)])
    }
    case 'approved': {
      const again = result.repeated ? ` ${style.dim('(done before, with the same idempotency key)')}` : ''
      const head = `${style.good(style.symbols.ok)} ${name} is approved for ${style.bold(stage)} by ${ui.text(approval?.name)}${again}. Nothing was moved.`
      // What is missing stands in the last line, with what to type.
      const words = { ...result, approvalsMissing: 0 }
      return joined([
        ui.wrap(head, 2),
        ...(withPlan ? plan(ui, words) : [renderApprovals(ui, words)]),
        next(ui, result),
      ])
    }
  }
}

function plan(ui: Ui, result: ApproveResult): string[] {
  const { gate, health, changes } = result
  return [
    gate === null ? '' : renderGate(ui, gate),
    health === null ? '' : renderHealth(ui, result.stage, health),
    changes === null ? '' : renderShortDiff(ui, changes),
    renderApprovals(ui, result),
  ]
}

const inPlace = ({ model, from }: ApproveResult): string =>
  from === null ? 'nothing is there now' : `now ${model}@${from}`

/** Commands to copy are not wrapped. */
function next(ui: Ui, { model, version, stage, approvals, approvalsMissing }: ApproveResult): string {
  const { style } = ui
  const name = `${model}@${version}`
  if (approvalsMissing > 0) {
    return `${missingPeople(approvals.length, approvalsMissing)}: ${style.command(`mlops approve ${name} --to ${stage}`)}`
  }
  return `Next: ${style.command(`mlops promote ${name} --to ${stage}`)}`
}

const joined = (parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n\n')
