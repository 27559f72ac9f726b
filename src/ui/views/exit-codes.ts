/** The table of exit codes. */
import type { Ui } from '../ui.ts'

interface Row {
  readonly code: number
  readonly name: string
  readonly meaning: string
}

export function renderExitCodes(ui: Ui, rows: readonly Row[]): string {
  return ui.table(
    [
      { title: 'code', value: (row) => String(row.code), align: 'right', paint: (text) => ui.style.bold(text) },
      { title: 'meaning', value: (row) => row.meaning },
    ],
    rows,
  )
}
