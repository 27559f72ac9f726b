/** What a rollback did or would do. */
import { promotionCommand } from '../../core/next-command.ts'
import type { Fit } from '../../lifecycle/rollback/fit.ts'
import type { RollbackPlan } from '../../lifecycle/rollback/plan.ts'
import type { RollbackResult } from '../../lifecycle/rollback/rollback.ts'
import { displayWidth } from '../clean.ts'
import { day } from '../time.ts'
import type { Ui } from '../ui.ts'
import { renderGitTags } from './git-tags.ts'
import { doneMark, notFollowed, renderServices } from './services.ts'

export function renderRollback(ui: Ui, result: RollbackResult): string {
  const { style } = ui
  const { model, version, from, stage, held, fit } = result
  const name = style.name(`${model}@${version}`)
  if (result.outcome === 'already there') {
    return `${name} is in ${style.bold(stage)} already, since ${day(held)}. Nothing was changed.`
  }
  if (endsRollout(result)) return renderEnd(ui, result)
  const said =
    result.outcome === 'planned'
      ? `Plan: ${style.bold(stage)} goes back from ${model}@${from} to ${name}, which held it from ${day(held)}. ${style.dim('Dry run: nothing was changed.')}`
      : `${doneMark(ui, result.services)} ${style.bold(stage)} is back from ${model}@${from} to ${name}, which held it from ${day(held)}${result.repeated ? style.dim(' (done before, with the same idempotency key)') : ''}${notFollowed(ui, result.services)}`
  const ended =
    result.rollout === null
      ? ''
      : ` The rollout of ${model}@${result.rollout.version} (${result.rollout.weight} % of the traffic) ${result.outcome === 'planned' ? 'would end' : 'has ended'} with it.`
  const head = ui.wrap(`${said}${ended}`, 2)
  const paint = {
    fits: style.good,
    drifted: style.bad,
    worse: style.bad,
    inconclusive: style.warn,
    'not determined': style.warn,
    skipped: style.dim,
  }
  const lines = [head, ui.wrap(`Bytes verified. ${paint[fit.verdict](`${capital(ui.text(fit.summary))}.`)}`, 2)]
  const [next] = result.before
  const forward = promotionCommand(`${model}@${from}`, stage, result.approvals)
  const further = next === undefined ? 'Nothing is further back' : `A further rollback goes to ${model}@${next}`
  lines.push(style.dim(proseThenCommand(ui, `${further}; forward again:`, forward)))
  const tags = renderGitTags(ui, result.gitTags)
  if (tags !== '') lines.push(tags)
  const services = renderServices(ui, model, result.services)
  if (services !== '') lines.push(services)
  return lines.join('\n')
}

/** The stage did not move: the rollout in it ended. */
const endsRollout = ({ rollout, from, version }: RollbackResult): boolean =>
  rollout !== null && rollout.version === from && rollout.version !== version

function renderEnd(ui: Ui, result: RollbackResult): string {
  const { style } = ui
  const { model, version, from, stage, rollout, before, outcome, repeated } = result
  const holder = `${style.name(`${model}@${version}`)}, which holds the stage`
  const share = rollout === null || rollout.weight === 0 ? '' : ` (it had ${rollout.weight} % of the traffic)`
  const head =
    outcome === 'planned'
      ? `Plan: the rollout of ${model}@${from} in ${style.bold(stage)} ends${share}; all traffic goes to ${holder}. ${style.dim('Dry run: nothing was changed.')}`
      : `${doneMark(ui, result.services)} The rollout of ${model}@${from} in ${style.bold(stage)} is ended${share}; all traffic goes to ${holder}${repeated ? style.dim(' (done before, with the same idempotency key)') : ''}${notFollowed(ui, result.services)}`
  const [next] = before
  const further = next === undefined ? 'Nothing is further back.' : `Another rollback goes back to ${model}@${next}.`
  const services = renderServices(ui, model, result.services)
  const said = style.dim(`The stage itself did not move. ${further}`)
  return [ui.wrap(head, 2), ui.wrap(said, 2), ...(services === '' ? [] : [services])].join('\n')
}

/** On one line where it fits; else the command stands on a line of its own, whole, so that it can be pasted. */
function proseThenCommand(ui: Ui, prose: string, command: string): string {
  const line = `${prose} ${command}`
  return displayWidth(line) <= ui.width ? line : `${ui.wrap(prose)}\n  ${command}`
}

/** What a person is told before the question. */
export function renderUnfit(
  ui: Ui,
  { model, version, stage, from }: RollbackPlan,
  { drifted = [], summary }: Fit,
): string {
  const { style } = ui
  const head = `${style.bad(style.symbols.bad)} ${style.name(model)}: ${style.bold(stage)} would go from @${from.version} to @${version}. ${capital(ui.text(summary))}.`
  const lines = drifted.map((each) => `  ${style.symbols.bullet} ${ui.text(each.summary)}`)
  return [ui.wrap(head, 2), ...lines].join('\n')
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
