/** A rollout as text: what the two versions do side by side, and what a step or its end did. */
import { given } from '../../core/given.ts'
import type { AbortResult } from '../../rollout/abort.ts'
import type { AdvanceResult } from '../../rollout/advance.ts'
import type { Comparison } from '../../rollout/compare.ts'
import type { RolloutReport, RolloutStatus } from '../../rollout/status.ts'
import type { Finding, VariantFigures } from '../../rollout/types.ts'
import { day, span } from '../time.ts'
import type { Ui } from '../ui.ts'
import { renderApprover } from './approvals.ts'
import { renderPromotion } from './promote.ts'
import { doneMark, notFollowed, renderServices } from './services.ts'

export function renderRollouts(ui: Ui, { rollouts }: RolloutReport, model: string | undefined): string {
  if (rollouts.length > 0) return rollouts.map((each) => renderStatus(ui, each)).join('\n\n')
  return `No rollout${model === undefined ? '' : ` of ${ui.style.name(model)}`} is going on.`
}

function renderStatus(ui: Ui, status: RolloutStatus): string {
  const { style } = ui
  const { model, stage, version, stable, weight, steps, since, by, started, comparison } = status
  const at = steps.map((step) => (step === weight ? style.bold(`${step}`) : `${step}`)).join(` ${style.symbols.arrow} `)
  const words = status.approvals.map((each) => renderApprover(ui, each)).join(', ')
  const why = status.reason === null ? '' : `: "${ui.text(status.reason)}"`
  return joined([
    [
      ui.wrap(
        `${style.name(`${model}@${version}`)} gets ${weight} % of ${style.bold(stage)}, beside ${style.name(`@${stable}`)}, since ${ui.ago(since)} (steps ${at})`,
        2,
      ),
      ui.wrap(
        `  ${style.dim(`begun ${day(started)} by ${ui.text(by)}${words === '' ? '' : `, approved by ${words}`}${why}`)}`,
        4,
      ),
    ].join('\n'),
    renderComparison(ui, comparison),
    renderServices(ui, model, status.services),
    status.awaits === null ? '' : ui.wrap(`Awaited: ${ui.text(status.awaits)}.`, 2),
    status.command === null ? '' : `Next: ${style.command(status.command)}`,
  ])
}

interface Row {
  readonly name: string
  readonly of: (figures: VariantFigures) => string
}

const ROWS: readonly Row[] = [
  { name: 'requests', of: ({ requests }) => count(requests) },
  { name: 'failed', of: ({ requests, errors }) => (requests === 0 ? '-' : percent(errors / requests)) },
  { name: 'latency p50', of: ({ latency }) => ms(latency?.p50) },
  { name: 'latency p95', of: ({ latency }) => ms(latency?.p95) },
  { name: 'latency p99', of: ({ latency }) => ms(latency?.p99) },
  { name: 'labels', of: ({ quality }) => count(quality?.labelled ?? 0) },
]

/** The table of both, then a sentence for each finding. */
function renderComparison(ui: Ui, comparison: Comparison): string {
  const { style } = ui
  const { since, until, stable, rollout, findings, notes } = comparison
  const column = (figures: VariantFigures) => ({
    title: `@${figures.version}`,
    align: 'right' as const,
    value: (row: Row) => row.of(figures),
  })
  const table = ui.table([{ title: '', value: (row: Row) => row.name }, column(stable), column(rollout)], ROWS)
  const lines = findings.map((finding) => ui.wrap(`${mark(ui, finding)} ${ui.text(finding.summary)}`, 2))
  return joined([
    `${verdict(ui, comparison)} ${style.dim(`requests from ${span(since, until)}`)}`,
    ui.wrap(style.dim('Only requests that a service divided between the two, since this step began, are counted.')),
    table,
    [...lines, ...notes.map((note) => ui.wrap(`${style.warn(style.symbols.warn)} ${ui.text(note)}`, 2))].join('\n'),
  ])
}

function verdict(ui: Ui, { verdict: found, findings }: Comparison): string {
  const { style } = ui
  const { ok, bad, unknown } = style.symbols
  const breaches = findings.filter((each) => each.verdict === 'breach')
  switch (found) {
    case 'breach':
      return style.bad(
        breaches.every(({ what }) => what === 'predictions')
          ? `${bad} Breach: it answers differently.`
          : `${bad} Breach: it is worse.`,
      )
    case 'hold':
      return style.warn(`${unknown} Hold: too little is known to go on.`)
    case 'better':
      return style.good(`${ok} Better.`)
    default:
      return style.good(`${ok} Holds: it is no worse.`)
  }
}

function mark(ui: Ui, { verdict: found }: Finding): string {
  const { style } = ui
  const { ok, bad, unknown, bullet } = style.symbols
  if (found === 'breach') return style.bad(bad)
  if (found === 'hold') return style.warn(unknown)
  return found === 'not judged' ? style.dim(bullet) : style.good(ok)
}

/** @param wasShown the person at the terminal has seen the plan of the last step */
export function renderAdvance(ui: Ui, result: AdvanceResult, wasShown: boolean): string {
  const { style } = ui
  const { outcome, model, stage, version, stable, from, to, repeated, comparison, promotion, services } = result
  if (outcome === 'nothing' || stage === null) return `No rollout of ${style.name(model)} is going on: nothing to do.`
  const name = style.name(`${model}@${version}`)
  const again = repeated ? style.dim(' (done before, with the same idempotency key)') : ''
  const compared = comparison === null ? '' : renderComparison(ui, comparison)
  if (promotion !== null)
    return joined([
      unseen(ui, result),
      compared,
      renderPromotion(ui, { ...promotion, ...given({ services }) }, wasShown),
    ])
  const said = {
    advanced: `${doneMark(ui, services)} ${name} gets ${to} % of ${style.bold(stage)} now, after ${from} %; @${stable} keeps the rest${again}${notFollowed(ui, services)}`,
    promoted: '',
    aborted: `${style.bad(style.symbols.bad)} The rollout of ${name} in ${style.bold(stage)} was aborted at ${from} %: all traffic goes to ${style.name(`${model}@${stable}`)}, which holds the stage${again}${notFollowed(ui, services)}`,
    held: `${style.warn(style.symbols.unknown)} ${name} stays at ${from} % of ${style.bold(stage)}. Nothing was changed.`,
  }
  return joined([compared, ui.wrap(said[outcome], 2), renderServices(ui, model, services)])
}

/** A stage that was given to a version which nobody was seen to ask: the first thing to be read. */
function unseen(ui: Ui, { model, version, comparison }: AdvanceResult): string {
  const { style } = ui
  if (comparison === null || comparison.rollout.requests > 0) return ''
  return ui.wrap(
    style.warn(
      `${style.symbols.warn} Forced: the log has no request that ${model}@${version} answered, so nothing shows that a service serves it.`,
    ),
    2,
  )
}

export function renderAbort(ui: Ui, { model, stage, version, stable, from, repeated, services }: AbortResult): string {
  const { style } = ui
  const again = repeated ? style.dim(' (done before, with the same idempotency key)') : ''
  const head = `${doneMark(ui, services)} The rollout of ${style.name(`${model}@${version}`)} in ${style.bold(stage)} is aborted at ${from} %: all traffic goes to ${style.name(`${model}@${stable}`)}, which holds the stage${again}${notFollowed(ui, services)}`
  return joined([ui.wrap(head, 2), renderServices(ui, model, services)])
}

const count = (n: number): string => n.toLocaleString('en-US')
const percent = (value: number): string => `${Number((100 * value).toPrecision(3))} %`
const ms = (value: number | undefined): string => (value === undefined ? '-' : `${Number(value.toPrecision(3))} ms`)
const joined = (parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n\n')
