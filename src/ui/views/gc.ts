/** What `mlops store gc` found or did, as a person reads it: what goes, then why the rest stays. */
import type { Amount, GcReport } from '../../store/gc.ts'
import { bytes, day, duration } from '../time.ts'
import type { Ui } from '../ui.ts'

export function renderGc(ui: Ui, report: GcReport): string {
  const { style } = ui
  const { removed, aside, expired, back, kept, leftovers, trash, grace } = report
  const isNothing = aside.objects + expired.objects + back.objects + leftovers.files === 0
  const days = grace % 86_400 === 0 ? `${grace / 86_400} day${grace === 86_400 ? '' : 's'}` : duration(grace)
  const does = (doing: string, would: string): string => (removed ? doing : would)
  const lines: string[] = []
  if (isNothing)
    lines.push(`${style.good(style.symbols.ok)} There is nothing to remove${kept.young.objects > 0 ? ' yet' : ''}.`)
  else {
    lines.push(
      removed
        ? `${style.good(style.symbols.ok)} ${bytes(report.freed)} freed${aside.objects > 0 ? `, ${bytes(aside.bytes)} more by a gc in ${days}` : ''}.`
        : `${bytes(report.freed)} would be freed now, and ${bytes(aside.bytes)} after another ${days}:`,
    )
    const rows: [Amount | undefined, string][] = [
      [
        aside,
        `${does('put', 'would be put')} into the trash: nothing refers to them, and nobody needed them for ${days}`,
      ],
      [expired, `${does('removed', 'would be removed')} for good: in the trash for ${days}`],
      [back, `${does('taken', 'would be taken')} out of the trash: something refers to them`],
    ]
    for (const [amount, what] of rows) if (amount !== undefined && amount.objects > 0) lines.push(row(ui, amount, what))
    if (leftovers.files > 0)
      lines.push(
        ui.wrap(
          `  ${count(leftovers.files, 'file')}, ${bytes(leftovers.bytes)}, ${does('removed', 'would be removed')}: left behind by commands that were killed`,
          4,
        ),
      )
  }
  lines.push('', `${style.dim('What stays')}`)
  lines.push(row(ui, kept.referenced, 'referred to by versions, runs, checks and other records'))
  if (kept.young.objects > 0)
    lines.push(
      row(
        ui,
        kept.young,
        `can go from ${day(kept.young.until ?? '')} on: needed within the last ${days}, and by nothing now`,
      ),
    )
  if (kept.running.objects > 0) lines.push(row(ui, kept.running, 'not older than a run that still goes on'))
  if (trash.objects > 0)
    lines.push(
      row(
        ui,
        trash,
        `in the trash${removed || isNothing ? '' : ' then'}, still taking up room; removed for good ${days} after they came there, by a gc then`,
      ),
    )
  if (!removed && !isNothing) lines.push('', `Nothing was changed. Do it: ${style.command('mlops store gc --delete')}`)
  return lines.join('\n')
}

const row = (ui: Ui, { objects, bytes: size }: Amount, what: string): string =>
  ui.wrap(`  ${count(objects, 'object')}, ${bytes(size)}, ${what}`, 4)

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`
