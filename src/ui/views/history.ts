/** `mlops model history` as text: newest first, each event with who, why and the evidence. */
import type { HistoryEntry } from '../../lifecycle/versions/history.ts'
import type { GateCheck } from '../../store/events.ts'
import { day } from '../time.ts'
import type { Ui } from '../ui.ts'
import { renderApprover } from './approvals.ts'
import { effectLine } from './retraining-effect.ts'
import { formatRows, formatValue, shortDigest } from './values.ts'

export function renderHistory(ui: Ui, model: string, entries: readonly HistoryEntry[]): string {
  if (entries.length === 0) return `Nothing of the kind happened to ${ui.style.name(model)}.`
  return entries.map((entry) => renderEntry(ui, model, entry)).join('\n')
}

function renderEntry(ui: Ui, model: string, entry: HistoryEntry): string {
  const { style } = ui
  const by = style.dim(`by ${ui.text(entry.by.name)}${entry.by.origin === 'ci' ? ' (ci)' : ''}`)
  const head = `${style.dim(`${String(entry.seq).padStart(3)}  ${day(entry.time)}`)}  ${what(ui, model, entry)}  ${by}`
  const compared = entry.rollout?.comparison ?? entry.comparison
  const details = [
    entry.by.url === undefined ? '' : style.dim(ui.text(entry.by.url)),
    entry.reason === null ? '' : `"${ui.text(entry.reason)}"`,
    ...words(ui, entry),
    ...evidence(ui, entry),
    compared === undefined || entry.reason?.includes(compared.summary)
      ? ''
      : style.dim(`compared: ${compared.verdict}; ${ui.text(compared.summary)}`),
    entry.retraining === null ? '' : effectLine(ui, entry.retraining),
  ].filter((part) => part !== '')
  return [ui.wrap(head, 5), ...details.map((detail) => ui.wrap(`     ${detail}`, 7))].join('\n')
}

/** Whose word it was. A reason that is also that of the event is not said twice. */
function words(ui: Ui, { type, approvals, reason }: HistoryEntry): string[] {
  return approvals.map((approval) => {
    const why = approval.reason === undefined || approval.reason === reason ? '' : `: "${ui.text(approval.reason)}"`
    return `${type === 'approve' ? '' : 'approved '}by ${renderApprover(ui, approval)}${why}`
  })
}

function what(ui: Ui, model: string, entry: HistoryEntry): string {
  const { style } = ui
  const name = style.name(`${model}@${entry.version ?? '?'}`)
  const stage = style.bold(entry.stage ?? '')
  const from = entry.from === null ? '' : ` (was @${entry.from})`
  switch (entry.type) {
    case 'register':
      return `${entry.imported === null ? 'register' : 'import  '} ${name}`
    case 'promote':
      return `promote  ${name} ${style.symbols.arrow} ${stage}${from}${entry.completes === null ? '' : `, the end of its rollout (event ${entry.completes})`}`
    case 'rollback':
      return `${style.warn('rollback')} ${name} ${style.symbols.arrow} ${stage}${from}`
    case 'rollout':
      return rolloutLine(ui, name, stage, entry)
    case 'approve':
      return `approve  ${name} for ${stage}`
    case 'tag':
      return `tag      ${name}${(entry.tags?.add ?? []).map((tag) => ` +${ui.text(tag)}`).join('')}${(entry.tags?.remove ?? []).map((tag) => ` -${ui.text(tag)}`).join('')}`
    default:
      return `${entry.type} of ${style.name(model)}`
  }
}

function rolloutLine(ui: Ui, name: string, stage: string, { rollout, from }: HistoryEntry): string {
  const beside = from === null ? '' : ` beside @${from}`
  if (rollout === null) return `rollout  ${name}`
  if (rollout.action === 'abort')
    return `${ui.style.warn('rollout')}  of ${name} in ${stage} aborted; @${from} keeps all traffic`
  const steps = rollout.action === 'start' ? ` (steps ${rollout.steps.join(', ')})` : ''
  return `rollout  ${name} gets ${rollout.weight} % of ${stage}${beside}${steps}`
}

function evidence(ui: Ui, { gate, fit, evaluation, run, type, tags, imported }: HistoryEntry): string[] {
  const { style } = ui
  if (gate?.checks.some(({ name }) => name !== 'approval')) {
    // Who approved has lines of its own.
    const listed = gate.checks.filter(({ name }) => name !== 'approval')
    return [style.dim(`gate: ${counts(listed)}: ${listed.map((check) => oneCheck(ui, check)).join(', ')}`)]
  }
  if (fit !== null) {
    return [
      style.dim(`fit to the data of the day: ${fit}`),
      evaluation === null ? '' : style.dim(measured(ui, evaluation)),
    ]
  }
  if (type !== 'register') return []
  const there =
    imported === null
      ? []
      : [
          `was ${ui.text(imported.model)}@${imported.version} of store ${shortDigest(imported.store)}, registered there ${day(imported.registered.time)} by ${ui.text(imported.registered.by.name)}`,
        ]
  const parts = [
    ...there,
    run === null ? 'from files' : `run ${run}`,
    ...(tags?.add ?? []).map((tag) => `#${ui.text(tag)}`),
  ]
  return [style.dim(parts.join('  '))]
}

const COUNTED = { pass: 'passed', waived: 'waived', fail: 'failed', inconclusive: 'inconclusive' } as const

/** `5 passed, 1 waived`: of the checks that are listed behind it. */
function counts(checks: readonly GateCheck[]): string {
  const said = Object.entries(COUNTED).flatMap(([verdict, word]) => {
    const count = checks.filter((check) => check.verdict === verdict).length
    return count === 0 ? [] : [`${count} ${word}`]
  })
  return said.join(', ')
}

function oneCheck(ui: Ui, { name, metric, actual, required, verdict, waiver }: GateCheck): string {
  // `mae <= 47.677 of bike@1` is the requirement: the name alone would not say which metric was compared.
  const compared = name === 'compare_to' ? /^(.+) ([<>]=) (.+)$/.exec(required) : null
  const label = name === 'compare_to' && metric !== undefined ? `${name} ${metric}` : name
  const said =
    compared === null ? `${label} ${actual}` : `${name} ${compared[1]} ${actual} ${compared[2]} ${compared[3]}`
  if (verdict === 'pass') return ui.text(said)
  if (waiver !== undefined)
    return ui.text(`${said} (waived by ${waiver.owner} until ${waiver.expires}: ${waiver.reason})`)
  return ui.text(compared === null ? `${said} (${verdict}, required ${required})` : `${said} (${verdict})`)
}

/** `evaluated again on 812 rows: auc 0.84 (0.86 when it was registered)` */
function measured(ui: Ui, { rows, now, then }: NonNullable<HistoryEntry['evaluation']>): string {
  const metrics = Object.entries(now).map(([name, value]) => {
    const before = Object.hasOwn(then, name) ? ` (${formatValue(then[name])} when it was registered)` : ''
    return `${ui.text(name)} ${formatValue(value)}${before}`
  })
  return `evaluated again on ${formatRows(rows)}: ${metrics.join('; ')}`
}
