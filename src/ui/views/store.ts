/** What `mlops store verify` found, as a person reads it: the verdict first, then each damaged file and whom it hurts. */
import type { Damage, VerifyReport } from '../../store/verify.ts'
import { bytes } from '../time.ts'
import type { Ui } from '../ui.ts'

export function renderVerify(ui: Ui, report: VerifyReport): string {
  const { style } = ui
  const parts = [
    count(report.files, 'file'),
    bytes(report.bytes),
    count(report.objects, 'object'),
    count(report.models, 'model'),
    count(report.events, 'event'),
    count(report.runs, 'run'),
  ]
  const read = style.dim(`Read ${parts.join(', ')} of ${ui.text(report.root)}.`)
  const lines = report.ok
    ? [`${style.good(style.symbols.ok)} The store is whole.`, read]
    : [
        `${style.bad(style.symbols.bad)} ${count(report.damages.length, 'file')} damaged.`,
        read,
        '',
        damages(ui, report),
      ]
  if (report.warnings.length > 0) lines.push('', warnings(ui, report))
  if (!report.ok) lines.push('', `Restore these files from a copy of the store. Nothing was changed by looking.`)
  return lines.join('\n')
}

function damages(ui: Ui, report: VerifyReport): string {
  const { style } = ui
  return ui.table<Damage>(
    [
      { title: 'FILE', value: ({ file }) => file, paint: style.name },
      { title: 'PROBLEM', value: ({ problem }) => problem, paint: style.bad },
      { title: 'WHY', value: ({ why }) => why, shrink: true },
      {
        title: 'AFFECTS',
        value: ({ affects }) => (affects.length === 0 ? 'nothing known' : affects.join('; ')),
        shrink: true,
      },
    ],
    report.damages,
  )
}

function warnings(ui: Ui, { warnings }: VerifyReport): string {
  const { style } = ui
  return warnings
    .map(({ file, why }) => `${style.warn(style.symbols.warn)} ${ui.text(file)}: ${ui.text(why)}`)
    .join('\n')
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`
