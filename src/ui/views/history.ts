/** `mlops model history` as text: newest first, each event with who, why and the evidence. */
import type { HistoryEntry } from '../../lifecycle/history.ts'
import { day } from '../time.ts'
import type { Ui } from '../ui.ts'

export function renderHistory(ui: Ui, model: string, entries: readonly HistoryEntry[]): string {
  if (entries.length === 0) return `Nothing of the kind happened to ${ui.style.name(model)}.`
  return entries.map((entry) => renderEntry(ui, model, entry)).join('\n')
}

function renderEntry(ui: Ui, model: string, entry: HistoryEntry): string {
  const { style } = ui
  const head = `${style.dim(`${String(entry.seq).padStart(3)}  ${day(entry.time)}`)}  ${what(ui, model, entry)}  ${style.dim(`by ${ui.text(entry.by.name)}${entry.by.origin === 'ci' ? ' (ci)' : ''}`)}`
  const details = [
    entry.reason === null ? '' : `"${ui.text(entry.reason)}"`,
    entry.approvals.length === 0
      ? ''
      : `approved by ${entry.approvals.map(({ name, origin, url }) => `${ui.text(name)} (${url === undefined ? origin : `${origin}, ${ui.text(url)}`})`).join(', ')}`,
    evidence(ui, entry),
  ].filter((part) => part !== '')
  return [head, ...details.map((detail) => ui.wrap(`     ${detail}`, 7))].join('\n')
}

function what(ui: Ui, model: string, entry: HistoryEntry): string {
  const { style } = ui
  const name = style.name(`${model}@${entry.version ?? '?'}`)
  const stage = style.bold(entry.stage ?? '')
  const from = entry.from === null ? '' : ` (was @${entry.from})`
  switch (entry.type) {
    case 'register':
      return `register ${name}`
    case 'promote':
      return `promote  ${name} ${style.symbols.arrow} ${stage}${from}`
    case 'rollback':
      return `${style.warn('rollback')} ${name} ${style.symbols.arrow} ${stage}${from}`
    case 'tag':
      return `tag      ${name}${(entry.tags?.add ?? []).map((tag) => ` +${ui.text(tag)}`).join('')}${(entry.tags?.remove ?? []).map((tag) => ` -${ui.text(tag)}`).join('')}`
    default:
      return `${entry.type} of ${style.name(model)}`
  }
}

function evidence(ui: Ui, { gate, fit, run, type, tags }: HistoryEntry): string {
  const { style } = ui
  if (gate !== null && gate.checks.length > 0) {
    const checks = gate.checks.map(({ name, actual, required, verdict }) => {
      // `mae <= 47.677 of bike@1` is the requirement: the name alone would not say which metric was compared.
      const compared = name === 'compare_to' ? /^(.+) ([<>]=) (.+)$/.exec(required) : null
      if (compared !== null) {
        const said = `${name} ${compared[1]} ${actual} ${compared[2]} ${compared[3]}`
        return ui.text(verdict === 'pass' ? said : `${said} (${verdict})`)
      }
      return ui.text(verdict === 'pass' ? `${name} ${actual}` : `${name} ${actual} (${verdict}, required ${required})`)
    })
    return style.dim(`gate: ${checks.join(`, `)}`)
  }
  if (fit !== null) return style.dim(`fit to the data of the day: ${fit}`)
  if (type !== 'register') return ''
  const parts = [run === null ? 'from files' : `run ${run}`, ...(tags?.add ?? []).map((tag) => `#${ui.text(tag)}`)]
  return style.dim(parts.join('  '))
}
