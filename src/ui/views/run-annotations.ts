/** `mlops run tag` and `mlops run note` as text. */
import type { RunNotes, RunTags } from '../../tracking/records/annotate.ts'
import { day } from '../time.ts'
import type { Ui } from '../ui.ts'

/** @param asked was something to be changed? */
export function renderRunTags(ui: Ui, { run, tags, added, removed }: RunTags, asked: boolean): string {
  const { style } = ui
  if (asked && ui.quiet) return ''
  const name = `run ${style.name(run)}`
  const now = tags.length === 0 ? `${name} has no tags` : `${name}: ${tags.map((tag) => ui.text(tag)).join(', ')}`
  if (added.length + removed.length === 0) {
    return ui.wrap(asked ? `${style.good(style.symbols.ok)} nothing to change; ${now}` : now, 2)
  }
  const changed = [...added.map((tag) => `+${ui.text(tag)}`), ...removed.map((tag) => `-${ui.text(tag)}`)].join(' ')
  return ui.wrap(`${style.good(style.symbols.ok)} ${changed}; ${now}`, 2)
}

export function renderRunNotes(ui: Ui, { run, added, notes }: RunNotes): string {
  const { style } = ui
  const name = `run ${style.name(run)}`
  if (added !== null) {
    if (ui.quiet) return ''
    const more = notes.length === 1 ? 'its first note' : `its ${notes.length} notes: mlops run note ${run}`
    return `${style.good(style.symbols.ok)} noted on ${name}; ${more}`
  }
  if (notes.length === 0) return `${name} has no notes`
  return notes
    .map(({ text, by, time }) => [style.dim(`${day(time)}, ${ui.text(by)}`), ...linesOf(ui, text)].join('\n'))
    .join('\n\n')
}

const linesOf = (ui: Ui, text: string): string[] => text.split('\n').map((line) => ui.wrap(`  ${ui.text(line)}`, 2))
