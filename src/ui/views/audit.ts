/** `mlops audit export` as text: what is in the file, and what to do with it. */
import type { AuditSummary } from '../../store/audit.ts'
import type { Ui } from '../ui.ts'

export function renderExported(ui: Ui, file: string, { header, counts, sha256 }: AuditSummary): string {
  const { style } = ui
  const parts = [
    count(header.models.length, 'model'),
    count(counts.event, 'event'),
    count(counts.object, 'record'),
    count(counts.check, 'check'),
    count(counts.claim, 'alert or job', 'alerts and jobs'),
  ]
  return [
    ui.wrap(`${style.good(style.symbols.ok)} ${style.name(ui.text(file))}: ${parts.join(', ')}.`, 2),
    style.dim(`sha256 of its lines: ${sha256}`),
    ui.wrap('Keep it where whoever can write into the store cannot. Whether the store still has this history:', 0),
    `  ${style.command(`mlops store verify --against ${ui.text(file)}`)}`,
  ].join('\n')
}

const count = (n: number, noun: string, nouns = `${noun}s`): string =>
  `${n.toLocaleString('en-US')} ${n === 1 ? noun : nouns}`
