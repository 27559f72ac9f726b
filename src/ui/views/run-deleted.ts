/** The runs in the trash as a table that fits its terminal. */
import type { DeletedRow } from '../../tracking/trash/deleted-runs.ts'
import { fits, fitting, type Leaving } from '../fit-columns.ts'
import { bytes } from '../time.ts'
import type { Ui } from '../ui.ts'

/** Of an id: the time. */
const SHORTEST_ID = 10

export function renderDeleted(ui: Ui, deleted: readonly DeletedRow[]): string {
  if (deleted.length === 0) return 'There is no run in the trash.'
  const ids = deleted.map(({ run }) => run)
  const long = columnsOf(ui, (id) => id)
  const length = shortest(ids)
  const columns = fits(long, deleted, ui.width)
    ? long
    : fitting(
        columnsOf(ui, (id) => id.slice(0, length)),
        deleted,
        ui.width,
      )
  const next = ['Take one back: mlops run restore RUN.', 'For good: mlops run purge RUN']
  const isOneLine = next.join(' ').length <= ui.width
  return [ui.table<DeletedRow>(columns, deleted), '', ui.style.dim(next.join(isOneLine ? ' ' : '\n'))].join('\n')
}

function columnsOf({ style, ago }: Ui, id: (whole: string) => string): Leaving<DeletedRow>[] {
  return [
    { title: 'RUN', value: ({ run }) => id(run), paint: (text) => style.name(text), leaves: 0 },
    { title: 'MODEL', value: ({ model }) => model ?? '', shrink: true, leaves: 3 },
    { title: 'DELETED', value: (row) => (row.deleted === null ? '' : ago(row.deleted.time)), leaves: 0 },
    { title: 'BY', value: (row) => row.deleted?.by.name ?? '', shrink: true, leaves: 5 },
    { title: 'REASON', value: (row) => row.deleted?.reason ?? '', shrink: true, leaves: 2 },
    { title: 'SIZE', value: (row) => bytes(row.bytes), align: 'right', leaves: 6 },
    { title: 'COMMAND', value: ({ command }) => command.join(' '), shrink: true, leaves: 4, least: 14 },
  ]
}

/** Characters that tell each of them from the others. */
export function shortest(ids: readonly string[]): number {
  let length = SHORTEST_ID
  while (new Set(ids.map((id) => id.slice(0, length))).size < ids.length && length < 26) length += 1
  return length
}
