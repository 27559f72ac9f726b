/** A gate's table, the plan of a promotion as a person reads it before saying yes, and what a promotion did. */

import type { PlanHealth, PromotePlan, VersionHealth } from '../../lifecycle/promote/plan.ts'
import type { PromoteResult } from '../../lifecycle/promote/promote.ts'
import type { VersionDiff } from '../../lifecycle/versions/diff.ts'
import { day } from '../time.ts'
import type { Ui } from '../ui.ts'
import { renderApprovals } from './approvals.ts'
import { renderGate } from './gate.ts'
import { renderGitTags } from './git-tags.ts'
import { doneMark, notFollowed, renderServices } from './services.ts'
import { formatRows, formatValue, metricChange } from './values.ts'

export { renderGate } from './gate.ts'

/** What a person is asked to approve. */
export function renderPromotePlan(ui: Ui, plan: PromotePlan): string {
  const { style } = ui
  const from =
    plan.from === null
      ? `${style.symbols.arrow} nothing is there now`
      : `(now ${style.name(`${plan.model}@${plan.from.version}`)}, since ${day(plan.from.since)})`
  return joined([
    ui.wrap(
      `${style.name(`${plan.model}@${plan.version}`)} ${style.symbols.arrow} ${style.bold(plan.stage)} ${from}`,
      2,
    ),
    plan.rollout === null ? '' : renderSteps(ui, plan.rollout, plan.from?.version),
    renderGate(ui, plan.gate),
    renderHealth(ui, plan.stage, plan.health),
    plan.changes === null ? '' : renderShortDiff(ui, plan.changes),
    renderApprovals(ui, plan),
  ])
}

/** @param wasShown true for a person who was shown the plan before they answered: they are not told all of it twice */
export function renderPromotion(ui: Ui, result: PromoteResult, wasShown = false): string {
  const { style } = ui
  const { model, version, stage, from, gate } = result
  const name = style.name(`${model}@${version}`)
  const gone = from === null ? 'nothing was there' : `was ${model}@${from}`
  if (result.outcome === 'already there') {
    const who =
      result.since === null ? '' : ` since ${day(result.since.time)}, put there by ${ui.text(result.since.by)}`
    return ui.wrap(`${name} is in ${style.bold(stage)} already${who}. Nothing was changed.`)
  }
  const planned = result.outcome === 'planned'
  const plan = [
    gate === null ? '' : renderGate(ui, gate),
    result.health === null
      ? ''
      : renderHealth(ui, stage, result.health, planned || result.outcome === 'rollout started' ? 'now' : 'until now'),
    result.changes === null ? '' : renderShortDiff(ui, result.changes),
  ]
  const parts = [...(wasShown ? [] : plan), renderApprovals(ui, result)]
  const steps = result.rollout == null ? '' : renderSteps(ui, result.rollout.steps, from ?? undefined)
  if (planned) {
    const verdict = plannedVerdict(ui, result)
    const move = `Plan: ${name} ${style.symbols.arrow} ${style.bold(stage)} (${from === null ? 'nothing is there now' : `now ${model}@${from}`})`
    return joined([
      ui.wrap(move, 2),
      steps,
      ...parts,
      ui.wrap(`${verdict} ${style.dim('Dry run: nothing was changed.')}`),
    ])
  }
  if (result.outcome === 'rollout started') return renderStart(ui, result, steps, parts)
  const done = result.repeated
    ? `was put into ${style.bold(stage)} at ${day(result.event?.time ?? '')} (${gone}) ${style.dim('(done before, with the same idempotency key)')}`
    : `is in ${style.bold(stage)} now (${gone}${result.completes === undefined ? '' : '; its rollout is complete'})`
  return joined([
    ui.wrap(`${doneMark(ui, result.services)} ${name} ${done}${notFollowed(ui, result.services)}`, 2),
    ...parts,
    renderGitTags(ui, result.gitTags),
    renderServices(ui, model, result.services),
  ])
}

/** A part of the traffic is the version's; what to type next. */
function renderStart(ui: Ui, result: PromoteResult, steps: string, parts: readonly string[]): string {
  const { style } = ui
  const { model, version, stage, from, rollout, repeated, services } = result
  const again = repeated ? style.dim(' (done before, with the same idempotency key)') : ''
  const where = `${model}${stage === 'production' ? '' : ` --stage ${stage}`}`
  return joined([
    ui.wrap(
      `${doneMark(ui, services)} ${style.name(`${model}@${version}`)} gets ${rollout?.weight ?? 0} % of the traffic of ${style.bold(stage)} now; ${model}@${from} keeps the stage and the rest${again}${notFollowed(ui, services)}`,
      2,
    ),
    steps,
    ...parts,
    renderServices(ui, model, services),
    `Compare them: ${style.command(`mlops rollout status ${where}`)}\nThe next step: ${style.command(`mlops rollout advance ${where}`)}`,
  ])
}

/** `5 % → 25 % → 100 %, where the stage moves` */
function renderSteps(ui: Ui, steps: readonly number[], from: number | undefined): string {
  const { style } = ui
  const listed = steps.map((step) => `${step} %`).join(` ${style.symbols.arrow} `)
  return ui.wrap(
    `By steps: ${listed}. The stage moves with the last one; until then ${from === undefined ? 'it' : `@${from}`} keeps the rest of the traffic.`,
    2,
  )
}

function plannedVerdict(ui: Ui, { passes, awaitsApproval, rollout }: PromoteResult): string {
  const { style } = ui
  if (passes)
    return style.good(`${style.symbols.ok} ${rollout == null ? 'It would be moved.' : 'Its rollout would begin.'}`)
  return awaitsApproval
    ? style.warn(
        `${style.symbols.unknown} All checks pass; it waits for a person: --approve NAME. Exit code 3, because without one nothing would move.`,
      )
    : style.bad(`${style.symbols.bad} It would be refused.`)
}

/**
 * What stored checks say of both versions: information for whoever decides.
 * @param until how long the first has been there: `now`, or `until now` once it was moved
 */
export function renderHealth(ui: Ui, stage: string, { current, challenger }: PlanHealth, until = 'now'): string {
  const lines = [
    ...(current === null ? [] : [`  @${current.version}, in ${ui.text(stage)} ${until}: ${healthOf(ui, current)}`]),
    `  @${challenger.version}: ${healthOf(ui, challenger)}`,
  ]
  return ['Drift, as last checked', ...lines.map((line) => ui.wrap(line, 4))].join('\n')
}

function healthOf(ui: Ui, { verdict, checked, stale, summary, data, rows, small, breaches }: VersionHealth): string {
  const { style } = ui
  if (verdict === 'unreadable') return style.bad(`the check cannot be read: ${ui.text(summary)}`)
  if (checked === null) return style.warn('never checked')
  const words = { drift: style.bad, inconclusive: style.warn, stable: style.good, 'never checked': style.warn }
  const on = data === null ? '' : ` on ${ui.text(data)}`
  const size = rows === null ? '' : ` (${formatRows(rows)}${small ? ', a small check' : ''})`
  const age = stale ? style.warn(', too long ago to speak for today') : ''
  const said = verdict === 'stable' || summary === null ? '' : `; ${ui.text(summary)}`
  const wrong = breaches.map((breach) => `; ${style.bad(ui.text(breach))}`).join('')
  return `${words[verdict](verdict)}, ${ui.ago(checked)}${on}${size}${age}${said}${wrong}`
}

/** The words of the command are the same; what it ran in (a seed, a folder) is not. */
const sameWords = ({ command }: VersionDiff): boolean => command.from?.join('\0') === command.to?.join('\0')

/** The metrics and the counts of everything else that differs, in a few lines. */
export function renderShortDiff(ui: Ui, diff: VersionDiff): string {
  const { style } = ui
  const lines = diff.metrics.map((change) => {
    const { name, kind, from, to } = change
    if (kind === 'added') return `  ${ui.text(name)} ${formatValue(to)} ${style.dim('new')}`
    if (kind === 'removed') return `  ${ui.text(name)} ${formatValue(from)} ${style.dim('not measured any more')}`
    return `  ${ui.text(name)} ${metricChange(ui, change, diff.testSets)}`
  })
  const rest = [
    count(diff.params.length, 'parameter'),
    diff.command.verdict === 'changed' ? (sameWords(diff) ? 'environment' : 'command') : '',
    diff.data.length === 0 ? '' : `data (${diff.data.map(({ name }) => ui.text(name)).join(', ')})`,
    diff.code.verdict === 'changed' ? 'code' : '',
    count(diff.packages.changes.length, 'package'),
    count(diff.files.length, 'file'),
  ].filter((part) => part !== '')
  const against = `${diff.from.model}@${diff.from.version}`
  const head = `Against ${style.name(against)}: ${rest.length === 0 ? 'nothing else' : rest.join(', ')} changed`
  const broken = diff.contract.changes.filter(({ breaking }) => breaking)
  const warnings =
    broken.length === 0
      ? []
      : [
          style.warn(
            `${style.symbols.warn} Breaking for whoever asks ${against}: ${broken.map(({ summary }) => ui.text(summary)).join('; ')}`,
          ),
        ]
  if (lines.length + rest.length + warnings.length === 0)
    return ui.wrap(`Against ${style.name(against)}: nothing recorded changed`, 2)
  return [ui.wrap(head, 2), ...lines.map((line) => ui.wrap(line, 4)), ...warnings.map((line) => ui.wrap(line, 2))].join(
    '\n',
  )
}

const count = (number: number, noun: string): string =>
  number === 0 ? '' : `${number} ${noun}${number === 1 ? '' : 's'}`

const joined = (parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n\n')
