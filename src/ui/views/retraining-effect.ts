/** Whether the retraining behind the version in production helped, in one line: of `status` and of `drift`. */
import type { RetrainingEffect } from '../../lifecycle/status/retraining-effect.ts'
import type { Ui } from '../ui.ts'

export function effectLine(ui: Ui, { verdict, summary }: RetrainingEffect): string {
  const { style } = ui
  if (verdict === 'too early') return `${style.symbols.bullet} ${ui.text(summary)}`
  const mark = verdict === 'helped' ? style.good(style.symbols.ok) : style.bad(style.symbols.bad)
  return `${mark} ${ui.text(summary)}`
}
