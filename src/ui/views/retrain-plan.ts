/** What `mlops retrain --plan` says: the decision, what it rests on, what is missing, and the steps. */

import type { RetrainPlan } from '../../retrain/plan.ts'
import type { Ui } from '../ui.ts'

type Row = readonly [name: string, value: string]

export function renderRetrainPlan(ui: Ui, plan: RetrainPlan): string {
  return [
    `${ui.wrap(`${verdict(ui, plan)}: ${ui.text(plan.why)}`, 2)}\n${aligned(ui, factRows(ui, plan))}`,
    renderPreflight(ui, plan),
    renderSteps(ui, plan),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function verdict({ style }: Ui, { decision, resume, running, preflight }: RetrainPlan): string {
  if (decision === 'retrain' && running !== null) return style.bad(`${style.symbols.bad} It would not retrain now`)
  switch (decision) {
    case 'retrain':
      return style.warn(`${style.symbols.bullet} It would ${resume === null ? 'retrain' : 'go on'}`)
    case 'blocked':
      return style.bad(`${style.symbols.bad} It would not retrain`)
    case 'not ready':
      return style.bad(
        preflight.some(({ what, ok }) => what === 'data to train on' && !ok)
          ? `${style.symbols.bad} Not ready`
          : `${style.symbols.bad} Not ready to go without a person`,
      )
    case 'not judged':
      return style.warn(`${style.symbols.unknown} It cannot be said`)
    case 'due':
      return style.warn(`${style.symbols.bullet} It would tell that retraining is due`)
    default:
      return style.good(`${style.symbols.dash} Nothing to do`)
  }
}

function factRows(ui: Ui, plan: RetrainPlan): Row[] {
  const { champion, trigger, running, resume, unfinished } = plan
  const open = running ?? resume ?? unfinished
  const { check, metric } = trigger
  const rows = check?.rows === undefined ? '' : `, ${check.rows.toLocaleString('en-US')} rows`
  return [
    ['policy', plan.policy ?? 'none: a human decides'],
    ['autonomy', AUTONOMY[plan.autonomy.level]],
    ['production', champion === null ? 'no version' : `${plan.model}@${champion.version}`],
    ['trigger', `${trigger.type}: ${triggerWord(trigger)}; ${trigger.summary}`],
    ...(check === null ? [] : [['check', `${check.data}${rows}, ${ui.ago(check.time)}`] as const]),
    ...(metric == null ? [] : [['labels', labelsOf(metric)] as const]),
    ...(open === null ? [] : [[running === null ? 'stopped' : 'at work', openOf(ui, open, running !== null)] as const]),
  ]
}

const triggerWord = ({ fires, judged }: RetrainPlan['trigger']): string =>
  judged === false ? 'not judged' : fires ? 'fires' : 'does not fire'

const AUTONOMY = {
  1: 'level 1: it reports, a person retrains',
  2: 'level 2: it trains and stages, a person promotes',
  3: 'level 3: it promotes to production, once that was earned',
} as const

const labelsOf = ({ labelled, rows, coverage, window }: NonNullable<RetrainPlan['trigger']['metric']>): string =>
  `${labelled.toLocaleString('en-US')} of ${rows.toLocaleString('en-US')} answers (${(100 * coverage).toFixed(0)} %), ${window.since.slice(0, 16)} to ${window.until.slice(0, 16)}`

function openOf(ui: Ui, open: NonNullable<RetrainPlan['unfinished']>, isRunning: boolean): string {
  const { by, host, since, stopped, run, workflow } = open
  const what = workflow ?? (run === null ? '' : `run ${run}`)
  const who = `${by} on ${host}, since ${ui.ago(since)}`
  return [isRunning ? who : stopped, ...(isRunning ? [] : [who]), ...(what === '' ? [] : [what])].join('; ')
}

function renderPreflight(ui: Ui, { preflight, trigger }: RetrainPlan): string {
  const { style } = ui
  if (trigger.type === 'manual' && preflight.every(({ ok }) => ok)) return ''
  const width = Math.max(...preflight.map(({ what }) => what.length))
  const lines = preflight.flatMap(({ what, ok, found, mend }) => {
    const mark = ok ? style.good(style.symbols.ok) : style.bad(style.symbols.bad)
    const line = ui.wrap(`${mark} ${what.padEnd(width)}  ${ui.text(found)}`, width + 4)
    return mend === null ? [line] : [line, `${' '.repeat(width + 4)}${style.command(ui.text(mend))}`]
  })
  return [style.bold('Preflight'), ...lines].join('\n')
}

function renderSteps(ui: Ui, { steps, decision }: RetrainPlan): string {
  const { style } = ui
  const next = steps.findIndex(({ done }) => !done)
  const isGoing = decision === 'retrain'
  const width = Math.max(...steps.map(({ name }) => name.length))
  const lines = steps.map(({ name, what, done }, at) => {
    const mark = done ? style.good(style.symbols.ok) : at === next && isGoing ? style.symbols.arrow : ' '
    const text = ui.wrap(`${String(at + 1)} ${name.padEnd(width)}  ${ui.text(what)}`, width + 6)
    return `${mark.padEnd(1)} ${done ? style.dim(text) : text}`
  })
  return [style.bold('Steps'), ...lines].join('\n')
}

function aligned(ui: Ui, rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows
    .map(([name, value]) => ui.wrap(`${ui.style.dim(name.padEnd(width))}  ${ui.text(value)}`, width + 2))
    .join('\n')
}
