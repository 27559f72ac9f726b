/** `mlops model tag` as text. */
import type { TagResult } from '../../lifecycle/versions/tag.ts'
import type { Ui } from '../ui.ts'

/** @param asked was something to be changed? */
export function renderTags(ui: Ui, { model, version, tags, added, removed, event }: TagResult, asked: boolean): string {
  const { style } = ui
  const name = style.name(`${model}@${version}`)
  const now = tags.length === 0 ? `${name} has no tags` : `${name}: ${tags.map((tag) => ui.text(tag)).join(', ')}`
  if (event === null) return ui.wrap(asked ? `${style.good(style.symbols.ok)} nothing to change; ${now}` : now, 2)
  const changed = [...added.map((tag) => `+${ui.text(tag)}`), ...removed.map((tag) => `-${ui.text(tag)}`)].join(' ')
  return ui.wrap(`${style.good(style.symbols.ok)} ${changed} (event ${event.seq}); ${now}`, 2)
}
