/** The git tags that a move of a stage left, as text. */
import type { Ui } from '../ui.ts'

/** '' when there are none. Pushing them is the user's own step. */
export function renderGitTags(ui: Ui, tags: readonly string[] | undefined): string {
  if (tags === undefined || tags.length === 0) return ''
  const words = tags.map((tag) => (tag.includes('#') ? `'${tag}'` : tag)).join(' ')
  return ui.wrap(`Git tags made, to share them: ${ui.style.command(`git push origin ${words}`)}`, 2)
}
