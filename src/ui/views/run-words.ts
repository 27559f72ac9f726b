/** User data in a view of a run: cut where the terminal ends. */
import { truncate } from '../clean.ts'
import type { Ui } from '../ui.ts'

/** A pipe gets all of it. @param used columns that stand before and after it */
export function fitted(ui: Ui, text: string, used: number): string {
  if (!Number.isFinite(ui.width)) return ui.text(text)
  // What is long beyond use must not be measured for seconds.
  const clean = ui.text(text.slice(0, ui.width * 4))
  return truncate(clean, Math.max(20, ui.width - used), ui.style.symbols.ellipsis)
}
