/** The table of exit codes. */
import type { Ui } from '../ui.ts'

interface Row {
  readonly code: number | string
  readonly meaning: string
}

export function renderExitCodes(ui: Ui, rows: readonly Row[], ofTrack: readonly Row[]): string {
  return [tableOf(ui, rows), '', `Of ${ui.style.command('mlops track')}:`, tableOf(ui, ofTrack)].join('\n')
}

const tableOf = (ui: Ui, rows: readonly Row[]): string =>
  ui.table(
    [
      { title: 'code', value: (row) => String(row.code), align: 'right', paint: (text) => ui.style.bold(text) },
      { title: 'meaning', value: (row) => row.meaning },
    ],
    rows,
  )
