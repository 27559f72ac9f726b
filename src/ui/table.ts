/** Tables of text in aligned columns that fit the terminal. What the cells say is decided by the views. */
import { cleanText, displayWidth, truncate } from './clean.ts'

export interface Column<Row> {
  readonly title: string
  /** Plain text of the cell; control characters are made visible here. */
  readonly value: (row: Row) => string
  readonly align?: 'left' | 'right'
  /** Colours the padded cell; gets clean text. */
  readonly paint?: (text: string, row: Row) => string
  /** Gives way first when the table is too wide. Without any such column nothing is cut. */
  readonly shrink?: boolean
}

export interface TableOptions {
  /** Columns of the terminal; Infinity cuts nothing. */
  readonly width: number
  readonly ellipsis: string
  readonly head: (text: string) => string
}

const GAP = '  '
const LEAST = 8

/** @returns lines joined by newlines, no trailing newline and no trailing blanks; '' for no rows. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], options: TableOptions): string {
  if (rows.length === 0) return ''
  const cells = rows.map((row) => columns.map((column) => cleanText(column.value(row))))
  const natural = columns.map((column, at) =>
    Math.max(displayWidth(column.title), ...cells.map((line) => displayWidth(line[at] ?? ''))),
  )
  const widths = shrinkToFit(columns, natural, options.width)
  const line = (texts: readonly string[], paint: (text: string, at: number) => string): string =>
    texts
      .map((text, at) =>
        paint(pad(truncate(text, widths[at] ?? 0, options.ellipsis), widths[at] ?? 0, columns[at]), at),
      )
      .join(GAP)
      .trimEnd()
  const titles = line(
    columns.map((column) => column.title),
    (text) => options.head(text),
  )
  const body = cells.map((texts, index) =>
    line(texts, (text, at) => {
      const row = rows[index]
      const paint = columns[at]?.paint
      return paint === undefined || row === undefined ? text : paint(text, row)
    }),
  )
  return [titles, ...body].join('\n')
}

/** Takes what is too much from the shrinking columns, the widest first. */
function shrinkToFit<Row>(columns: readonly Column<Row>[], natural: readonly number[], width: number): number[] {
  const widths = [...natural]
  let excess = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1) - width
  while (excess > 0) {
    const candidates = widths.map((each, at) => (columns[at]?.shrink === true ? each : 0))
    const widest = Math.max(...candidates)
    if (widest <= LEAST) break
    const at = candidates.indexOf(widest)
    const second = Math.max(LEAST, ...candidates.filter((each) => each < widest))
    const cut = Math.min(excess, Math.max(1, widest - second))
    widths[at] = widest - cut
    excess -= cut
  }
  return widths
}

function pad<Row>(text: string, width: number, column: Column<Row> | undefined): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)))
  return column?.align === 'right' ? blanks + text : text + blanks
}
