/** What `mlops retrain` says: each step as it begins, and how it ended. The plan is in `retrain-plan.ts`. */

import type { Step } from '../../retrain/job.ts'
import type { RetrainPlan } from '../../retrain/plan.ts'
import type { RetrainResult } from '../../retrain/result.ts'
import { cleanText } from '../clean.ts'
import type { Style } from '../style.ts'
import type { Ui } from '../ui.ts'
import { renderPrinted } from './notify.ts'
import { renderGate, renderShortDiff } from './promote.ts'
import { renderRetrainPlan } from './retrain-plan.ts'
import { formatValue } from './values.ts'

export const renderStep = (style: Style, { number, of, what }: Step): string =>
  `${style.dim(`${number}/${of}`)} ${style.bold(cleanText(what))}`

export function renderRetrain(ui: Ui, result: RetrainResult): string {
  const { style } = ui
  const next = `Next: ${style.command(ui.text(result.next))}`
  const name = style.name(ui.text(result.model))
  const told = result.notifications.map((each) => renderTold(ui, each)).join('\n')
  switch (result.outcome) {
    case 'planned':
      return joined([renderRetrainPlan(ui, result.plan), style.dim('Plan only: nothing was done.'), next])
    case 'nothing to do': {
      const head = `${style.good(style.symbols.dash)} Nothing to do for ${name}: ${ui.text(result.plan.why)}.`
      const force = result.plan.blocked?.force ?? `mlops retrain ${result.model} --force`
      const again = ui.wrap(`To retrain all the same: ${style.command(ui.text(force))}`, 2)
      return joined([ui.wrap(head, 2), renderUnfinished(ui, result.plan), told, `${next}\n${again}`])
    }
    case 'blocked': {
      const head = `${style.bad(style.symbols.bad)} ${name} needs retraining, and was not retrained: ${ui.text(result.plan.why)}.`
      return joined([ui.wrap(head, 2), ...renderBlocked(ui, result.plan), next])
    }
    case 'due': {
      const head = `${style.bad(style.symbols.bad)} Retraining of ${name} is due: ${ui.text(result.plan.why)}.`
      const leaves = `Nothing was trained: autonomy level 1 of ${ui.text(result.plan.policy)} leaves that to a person.`
      return joined([ui.wrap(head, 2), ui.wrap(leaves), told, next])
    }
    case 'dispatched': {
      const head = `${style.good(style.symbols.arrow)} ${name} is being retrained on GitHub Actions: ${ui.text(result.message)}`
      const page = result.workflow?.runUrl == null ? '' : `${style.dim('run')} ${ui.text(result.workflow.runUrl)}`
      const then = 'When it has ended, the next command finds its version, judges it and promotes it.'
      return joined([ui.wrap(head, 2), page, `${ui.wrap(then)}\n${next}`])
    }
    default:
      return joined([...renderEnd(ui, result), told, next])
  }
}

function renderEnd(ui: Ui, result: RetrainResult): string[] {
  const { style } = ui
  const again = result.repeated ? style.dim(' (done before, with the same idempotency key)') : ''
  const isWell = result.outcome === 'promoted' && result.production?.outcome !== 'refused'
  const mark = isWell ? style.good(style.symbols.ok) : style.bad(style.symbols.bad)
  const { trigger, resume } = result.plan
  const why = resume === null ? result.plan.why : `${trigger.summary}; ${result.plan.why}`
  return [
    ui.wrap(`${mark} ${ui.text(result.message)}${again}`, 2),
    [ui.wrap(`${style.dim('why')} ${ui.text(why)}`, 4), ...renderRun(ui, result)].join('\n'),
    result.gate === null ? '' : renderGate(ui, result.gate),
    result.changes === null ? '' : renderShortDiff(ui, result.changes),
    renderProduction(ui, result.production),
  ]
}

/** At autonomy level 3: why a person has to do it after all. */
function renderProduction(ui: Ui, production: RetrainResult['production']): string {
  if (production === null) return ''
  const { style } = ui
  const missing = production.missing.map((each) => ui.wrap(`  ${style.symbols.bullet} ${ui.text(each)}`, 4))
  const gate = production.gate === null || production.outcome === 'not earned' ? [] : [renderGate(ui, production.gate)]
  const head = {
    promoted: '',
    refused: `${style.bad(style.symbols.bad)} The gate of production:`,
    'not earned': `${style.warn(style.symbols.warn)} Missing for autonomy:`,
  }[production.outcome]
  return production.outcome === 'promoted' ? '' : [head, ...gate, ...missing].join('\n')
}

function renderTold(ui: Ui, { channel, sent, why, print }: RetrainResult['notifications'][number]): string {
  if (print !== undefined) return `\n${renderPrinted(ui, print)}\n`
  return sent ? `${ui.text(channel)} was told.` : `${ui.text(channel)} was NOT told: ${ui.text(why ?? 'unknown')}.`
}

function renderUnfinished(ui: Ui, { unfinished }: RetrainPlan): string {
  if (unfinished === null) return ''
  const { stopped, since, run } = unfinished
  const of = run === null ? '' : ` (run ${run})`
  return ui.wrap(
    `${ui.style.warn(ui.style.symbols.warn)} A retraining of ${ui.ago(since)} stopped ${ui.text(stopped)}${of}.`,
    2,
  )
}

/** What the last time said, and what to do about it. */
function renderBlocked(ui: Ui, { trigger, blocked }: RetrainPlan): string[] {
  const { style } = ui
  if (blocked === null) return []
  const { failure, advice, force, hint } = blocked
  const exit = failure?.exitCode == null ? '' : `exit code ${failure.exitCode}: `
  const run = failure?.run == null ? '' : ` (run ${failure.run})`
  return [
    [
      ui.wrap(`${style.dim('trigger')} ${ui.text(trigger.summary)}`, 8),
      ...(failure === null
        ? []
        : [
            ui.wrap(
              `${style.dim('failed')}  ${ui.text(`${exit}${failure.lastLine ?? 'it printed nothing'}${run}`)}`,
              8,
            ),
          ]),
    ].join('\n'),
    [
      ...(advice === null ? [] : [ui.wrap(ui.text(advice), 2)]),
      ...(force === hint ? [] : [ui.wrap(`To retrain all the same: ${style.command(ui.text(force))}`, 2)]),
    ].join('\n'),
  ]
}

function renderRun(ui: Ui, { run, workflow }: RetrainResult): string[] {
  const metrics = Object.entries(run?.metrics ?? {}).map(([name, value]) => `${name} ${formatValue(value)}`)
  return [
    ...(run === null ? [] : [`${ui.style.dim('run')} ${ui.text([run.id, ...metrics].join('  '))}`]),
    ...(workflow?.runUrl == null ? [] : [`${ui.style.dim('on')}  ${ui.text(workflow.runUrl)}`]),
  ]
}

const joined = (parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n\n')
