/** What `mlops retrain` says: the plan, each step as it begins, and how it ended. */

import type { Step } from '../../retrain/job.ts'
import type { RetrainPlan } from '../../retrain/plan.ts'
import type { RetrainResult } from '../../retrain/result.ts'
import { cleanText } from '../clean.ts'
import type { Style } from '../style.ts'
import type { Ui } from '../ui.ts'
import { renderPrinted } from './notify.ts'
import { renderGate, renderShortDiff } from './promote.ts'
import { formatValue } from './values.ts'

export const renderStep = (style: Style, { number, of, what }: Step): string =>
  `${style.dim(`${number}/${of}`)} ${style.bold(cleanText(what))}`

export function renderRetrain(ui: Ui, result: RetrainResult): string {
  const { style } = ui
  const next = `Next: ${style.command(ui.text(result.next))}`
  const again = result.repeated ? style.dim(' (done before, with the same idempotency key)') : ''
  switch (result.outcome) {
    case 'planned':
      return joined([renderPlan(ui, result.plan), style.dim('Plan only: nothing was done.'), next])
    case 'nothing to do': {
      const head = `${style.good(style.symbols.dash)} Nothing to do for ${style.name(ui.text(result.model))}: ${ui.text(result.plan.why)}.`
      const force = result.plan.blocked?.force ?? `mlops retrain ${result.model} --force`
      return joined([head, `${next}\nTo retrain all the same: ${style.command(ui.text(force))}`])
    }
    case 'blocked': {
      const name = style.name(ui.text(result.model))
      const head = `${style.bad(style.symbols.bad)} ${name} needs retraining, and was not retrained: ${ui.text(result.plan.why)}.`
      return joined([head, ...renderBlocked(ui, result.plan), next])
    }
    default: {
      const mark = result.outcome === 'promoted' ? style.good(style.symbols.ok) : style.bad(style.symbols.bad)
      return joined([
        `${mark} ${ui.text(result.message)}${again}`,
        `${style.dim('why')} ${ui.text(result.plan.why)}`,
        renderRun(ui, result),
        result.gate === null ? '' : renderGate(ui, result.gate),
        result.changes === null ? '' : renderShortDiff(ui, result.changes),
        result.notifications.map((each) => renderTold(ui, each)).join('\n'),
        next,
      ])
    }
  }
}

function renderTold(ui: Ui, { channel, sent, why, print }: RetrainResult['notifications'][number]): string {
  if (print !== undefined) return `\n${renderPrinted(ui, print)}\n`
  return sent ? `${ui.text(channel)} was told.` : `${ui.text(channel)} was NOT told: ${ui.text(why ?? 'unknown')}.`
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
      `${style.dim('trigger')} ${ui.text(trigger.summary)}`,
      ...(failure === null
        ? []
        : [`${style.dim('failed')}  ${ui.text(`${exit}${failure.lastLine ?? 'it printed nothing'}${run}`)}`]),
    ].join('\n'),
    [
      ...(advice === null ? [] : [ui.text(advice)]),
      ...(force === hint ? [] : [`To retrain all the same: ${style.command(ui.text(force))}`]),
    ].join('\n'),
  ]
}

function renderPlan(ui: Ui, plan: RetrainPlan): string {
  const { style } = ui
  const verdict =
    plan.decision === 'retrain'
      ? style.warn(`${style.symbols.bullet} It would retrain`)
      : plan.decision === 'blocked'
        ? style.bad(`${style.symbols.bad} It would not retrain`)
        : style.good(`${style.symbols.dash} Nothing to do`)
  const champion = plan.champion === null ? 'no version' : `${plan.model}@${plan.champion.version}`
  const { min, max, compareTo, approval } = plan.validation
  const validation = [
    ...Object.entries(min).map(([name, bound]) => `${name} >= ${bound}`),
    ...Object.entries(max).map(([name, bound]) => `${name} <= ${bound}`),
    ...(compareTo === undefined ? [] : [`not worse than ${compareTo}`]),
    ...(approval === 0 ? [] : [`${approval} to approve`]),
  ]
  const rows: [string, string][] = [
    ['policy', plan.policy ?? 'none: a human decides'],
    ['production', champion],
    ['trigger', `${plan.trigger.type}: ${plan.trigger.fires ? 'fires' : 'does not fire'}; ${plan.trigger.summary}`],
    ...(plan.trigger.check === null
      ? []
      : [['check', `${plan.trigger.check.data}, ${ui.ago(plan.trigger.check.time)}`] as [string, string]]),
    ['job', describeJob(plan)],
    ['validate', [...validation, `the gate of ${plan.stage}`].join(', ')],
    ['promote to', plan.stage],
    ...(plan.notifyOnFail.length === 0 ? [] : [['tell on failure', plan.notifyOnFail.join(', ')] as [string, string]]),
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const lines = rows.map(([name, value]) => `${style.dim(name.padEnd(width))}  ${ui.text(value)}`)
  return [`${verdict}: ${ui.text(plan.why)}`, ...lines].join('\n')
}

function describeJob({ job }: RetrainPlan): string {
  if (job.type === 'github_actions') return `GitHub Actions, ${job.workflow} (not built yet: it would be refused)`
  const data = job.data.map(({ name, path }) => `${name}=${path}`)
  return data.length === 0 ? job.command : `${job.command}  (data ${data.join(', ')})`
}

function renderRun(ui: Ui, { run }: RetrainResult): string {
  if (run === null) return ''
  const metrics = Object.entries(run.metrics).map(([name, value]) => `${name} ${formatValue(value)}`)
  return `${ui.style.dim('run')} ${ui.text([run.id, ...metrics].join('  '))}`
}

const joined = (parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n\n')
