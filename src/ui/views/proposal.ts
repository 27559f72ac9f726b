/** A proposed promotion as text: what was written, and whether it still holds. */
import type { Confirmation, Proposal } from '../../lifecycle/gate/proposal.ts'
import type { Ui } from '../ui.ts'
import { renderGate } from './gate.ts'

export function renderProposed(ui: Ui, { model, version, stage, gate }: Proposal, file: string): string {
  const { style } = ui
  return [
    `${style.good(style.symbols.ok)} ${style.name(`${model}@${version}`)} proposed for ${style.bold(stage)} in ${ui.text(file)}`,
    style.dim(`  gate ${gate.slice(0, 12)}…; nothing was moved`),
    `  Commit it on a branch and open a pull request; whoever merges it approves: ${style.command(`mlops gate confirm ${ui.text(file)}`)}`,
  ].join('\n')
}

export function renderConfirmation(ui: Ui, { proposal, holds, problems, report }: Confirmation): string {
  const { style } = ui
  const name = `${style.name(`${proposal.model}@${proposal.version}`)} for ${style.bold(proposal.stage)}`
  const head = holds
    ? `${style.good(style.symbols.ok)} The proposal of ${name} holds${report.alreadyThere ? '; it is there already' : ''}.`
    : `${style.bad(style.symbols.bad)} The proposal of ${name} does not hold.`
  return [head, ...problems.map((text) => ui.wrap(`  ${style.symbols.bullet} ${text}`, 4)), renderGate(ui, report.gate)]
    .filter((part) => part !== '')
    .join('\n')
}
