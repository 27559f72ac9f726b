/** `mlops status` as text: worst first, one line of verdict per model, then what waits, then the next step. */
import type { ModelStatus } from '../../lifecycle/status/model-status.ts'
import type { RolloutOfStage, ServedStage } from '../../lifecycle/status/served.ts'
import type { StatusReport } from '../../lifecycle/status/status.ts'
import type { Pending, PendingApproval } from '../../lifecycle/status/waiting.ts'
import { day } from '../time.ts'
import type { Ui } from '../ui.ts'
import { missingPeople, renderApprover } from './approvals.ts'
import { effectLine } from './retraining-effect.ts'
import { serviceLine } from './services.ts'
import { formatRows, shortDigest } from './values.ts'

export function renderStatus(ui: Ui, report: StatusReport): string {
  const { style } = ui
  const models =
    report.models.length === 0 ? ['No models yet.'] : report.models.map((status) => renderModel(ui, status))
  const rest = [
    ...report.intents.map(
      ({ kind, model, run }) =>
        `${style.warn(style.symbols.warn)} run ${run} asked to ${kind === 'register' ? 'register' : 'set the baseline of'} ${style.name(model)}; not done yet`,
    ),
    ...report.interrupted.map(
      ({ run, model, started }) =>
        `${style.warn(style.symbols.warn)} run ${run}${model === null ? '' : ` of ${ui.text(model)}`}, started ${ui.ago(started)}, ended without a record: it was killed`,
    ),
    ...report.strays.map(({ name, meant }) => {
      const guess =
        meant === null
          ? `register it: ${style.command(`mlops register ${ui.text(name)} --artifact FILE`)}`
          : `did you mean ${style.name(meant)}?`
      return `${style.warn(style.symbols.warn)} predictions are logged as ${style.name(name)}, which is no model: ${guess}`
    }),
  ]
  const next =
    report.next === null
      ? style.good('Nothing to do.')
      : `Next: ${style.command(report.next.command)}\n${ui.wrap(`      ${style.dim(ui.text(report.next.why))}`, 6)}`
  return [...models, rest.map((line) => ui.wrap(line, 2)).join('\n'), next].filter((part) => part !== '').join('\n\n')
}

function renderModel(ui: Ui, status: ModelStatus): string {
  const { style } = ui
  const { production } = status
  const lines: string[] = []
  if (status.problem !== null) lines.push(style.bad(ui.text(status.problem)))
  else if (production === null) {
    lines.push(`nothing in production; ${status.versions} version${status.versions === 1 ? '' : 's'} registered`)
  } else lines.push(...productionLines(ui, status))
  lines.push(...status.rollouts.map((each) => rolloutLine(ui, each)))
  lines.push(...status.served.flatMap((each) => servedLines(ui, status, each)))
  lines.push(...status.pending.map((each) => pendingLine(ui, each)))
  lines.push(...retrainingLines(ui, status))
  const version = production === null ? '' : `@${production.version}`
  return [
    ui.wrap(`${badge(ui, status)} ${style.name(`${status.model}${version}`)}  ${verdict(ui, status)}`, 2),
    ...lines.map((line) => ui.wrap(`  ${line}`, 4)),
  ].join('\n')
}

const BAD: readonly ModelStatus['rank'][] = [
  'served by nobody',
  'serves another version',
  'damaged',
  'logged, never checked',
  'drift',
  'unhealthy',
]

function badge(ui: Ui, { rank }: ModelStatus): string {
  const { style } = ui
  if (BAD.includes(rank)) return style.bad(style.symbols.bad)
  return rank === 'stable'
    ? style.good(style.symbols.ok)
    : style.warn(rank === 'not in production' ? style.symbols.bullet : style.symbols.unknown)
}

/** Never more than the last check said: without one there is no word for fine. */
function verdict(ui: Ui, { rank, health }: ModelStatus): string {
  const { style } = ui
  if (rank === 'damaged') return style.bad('its log is damaged')
  if (rank === 'served by nobody') return style.bad('nobody serves it: production gives no answers')
  if (rank === 'serves another version') return style.bad('a service serves another version than production')
  if (health === null) return style.warn('not in production')
  if (health.logged !== null) {
    return `${style.bad('never checked')} ${style.dim(`though predictions are logged, the last ${ui.ago(health.logged)}`)}`
  }
  if (health.checked === null) return style.warn('never checked for drift')
  const rows = health.rows === null ? '' : ` (${formatRows(health.rows)})`
  const when = `checked ${ui.ago(health.checked)}${health.data === null ? '' : ` on ${ui.text(health.data)}`}${rows}`
  const size = health.small ? style.warn(', a small check') : ''
  const stopped = health.overdue
    ? style.warn(`, but a check is due every ${ui.text(health.every)}: the checks have stopped`)
    : ''
  const age = health.stale && !health.overdue ? style.warn(', too long ago to speak for today') : ''
  const words = {
    drift: style.bad('drift'),
    inconclusive: style.warn('inconclusive'),
    stable: style.good('stable'),
    'never checked': '',
  }
  return `${words[health.verdict]} ${style.dim(when)}${size}${stopped}${age}`
}

function productionLines(ui: Ui, status: ModelStatus): string[] {
  const { style } = ui
  const { production, health } = status
  if (production === null) return []
  const approved =
    production.approvals.length === 0
      ? ''
      : `, approved by ${production.approvals.map(({ name }) => ui.text(name)).join(', ')}`
  const moved =
    production.move === 'rollback' ? `${style.warn('rolled back')} to it from @${production.from}` : 'promoted it'
  const why = production.reason === null ? '' : `: "${ui.text(production.reason)}"`
  const { data, code, run } = production
  const trained = [
    run === null ? 'no run recorded' : `run ${run}`,
    data === null
      ? 'no data recorded'
      : `data ${shortDigest(data.sha256)}${data.rows === null ? '' : ` (${formatRows(data.rows)})`}`,
    code?.commit == null
      ? 'no commit recorded'
      : `code ${shortDigest(code.commit)}${code.branch === null ? '' : ` on ${ui.text(code.branch)}`}${code.dirty ? ' with uncommitted changes' : ''}`,
  ]
  const lines = [
    `in production since ${day(production.since)} (${ui.ago(production.since)}); ${ui.text(production.by)} ${moved}${approved}${why}`,
    style.dim(trained.join(', ')),
  ]
  lines.push(...status.lacks.map((lack) => `${style.warn(style.symbols.warn)} ${ui.text(lack)}`))
  if (health?.summary != null && health.verdict !== 'stable') lines.push(ui.text(health.summary))
  lines.push(...(health?.breaches ?? []).map((breach) => `${style.bad(style.symbols.bad)} ${ui.text(breach)}`))
  if (health?.before != null) {
    const { verdict, checked, rows } = health.before
    lines.push(`before that: ${verdict}, ${ui.ago(checked)}${rows === null ? '' : ` on ${formatRows(rows)}`}`)
  }
  return lines
}

function rolloutLine(ui: Ui, { stage, version, stable, weight, steps, since }: RolloutOfStage): string {
  return `${ui.style.symbols.bullet} rollout: ${ui.style.name(`@${version}`)} gets ${weight} % of ${ui.text(stage)} beside @${stable}, since ${ui.ago(since)} (steps ${steps.join(', ')})`
}

/** What running services say: in a line where all follow, else one for each that does not. */
function servedLines(ui: Ui, { model }: ModelStatus, { stage, version, services }: ServedStage): string[] {
  const { style } = ui
  const others = services.filter(({ verdict }) => verdict !== 'follows')
  const following = services.length - others.length
  const running = services.filter(({ verdict }) => verdict !== 'silent').length
  const where = `${ui.text(stage)} (@${version})`
  if (others.length === 0)
    return [style.dim(`${where} is served by ${following === 1 ? '1 service' : `${following} services`}`)]
  const head = `${where}: ${following} of ${running} running service${running === 1 ? '' : 's'} serve${running === 1 ? 's' : ''} it`
  return [style.warn(head), ...others.map((service) => serviceLine(ui, model, service).trimStart())]
}

function pendingLine(ui: Ui, { kind, version, stage, since, outlook, approval }: Pending): string {
  const { style } = ui
  const words = approval === null ? '' : approvalWords(ui, approval)
  const waits =
    kind === 'awaiting approval'
      ? `@${version} waits in ${ui.text(stage)}${words === '' ? ' for approval' : ''}, since ${ui.ago(since)}${words}`
      : `@${version} was registered ${ui.ago(since)} and is in no stage${words}`
  const refusal =
    outlook.refusal === null
      ? ''
      : `; ${style.bad(`the gate of ${ui.text(outlook.stage)} refuses it`)}: ${ui.text(outlook.refusal)}`
  return `${style.symbols.bullet} ${waits}${refusal}`
}

/** Who has approved, how many are missing, and whose word has lapsed; '' where one yes is all that is missing. */
function approvalWords(ui: Ui, { stage, approved, missing, uncounted }: PendingApproval): string {
  if (approved.length === 0 && uncounted.length === 0 && missing <= 1) return ''
  const by =
    approved.length === 0
      ? ''
      : `approved for ${ui.text(stage)} by ${approved.map((each) => renderApprover(ui, each)).join(', ')}`
  const open = missing === 0 ? 'ready to be promoted' : ui.style.warn(missingPeople(approved.length, missing))
  const lapsed = uncounted.map(({ name, why }) => `the approval of ${ui.text(name)} does not count: ${ui.text(why)}`)
  return `; ${[by, open, ...lapsed].filter((part) => part !== '').join('; ')}`
}

function retrainingLines(ui: Ui, { retraining, effect }: ModelStatus): string[] {
  const before = effect === null ? [] : [effectLine(ui, effect)]
  return retraining === null ? before : [...before, ...lastLines(ui, retraining)]
}

function lastLines(ui: Ui, retraining: NonNullable<ModelStatus['retraining']>): string[] {
  const { outcome, time, run, message } = retraining
  const by = run === null ? '' : ` (run ${ui.text(run)})`
  const on = retraining.workflow === null ? '' : `, on ${ui.text(retraining.workflow)}`
  if (outcome === 'running') return [`${ui.style.symbols.bullet} it is being retrained, since ${ui.ago(time)}${on}`]
  if (outcome === 'stopped') {
    const where = /^(?:before|while|after) /.test(message) ? ` ${ui.text(message)}` : `: ${ui.text(message)}`
    return [`${ui.style.warn(ui.style.symbols.warn)} its retraining of ${ui.ago(time)} stopped${where}${by}${on}`]
  }
  if (outcome !== 'failed') return []
  return [`${ui.style.bad(ui.style.symbols.bad)} the last retraining failed ${ui.ago(time)}: ${ui.text(message)}${by}`]
}
