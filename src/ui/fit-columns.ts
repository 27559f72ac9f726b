/** Which columns of a table stay where there is no room for all. How a table is drawn is in `table.ts`. */
import { cleanText, displayWidth } from './clean.ts'
import type { Column } from './table.ts'

export type Leaving<Row> = Column<Row> & {
  /** When there is no room, the highest first; 0 never. */
  readonly leaves: number
  /** Columns of the terminal below which it says too little to stay. */
  readonly least?: number
}

/** Of a column that may shrink: less says too little to stay. */
const LEAST = 8
const GAP = 2

/** Is there room for all, uncut? */
export const fits = <Row>(columns: readonly Leaving<Row>[], rows: readonly Row[], width: number): boolean =>
  leastWidth(columns, rows, (_column, natural) => natural) <= width

/** @returns those that stay */
export function fitting<Row>(
  columns: readonly Leaving<Row>[],
  rows: readonly Row[],
  width: number,
): readonly Leaving<Row>[] {
  let left = columns
  while (leastWidth(left, rows, atLeast) > width) {
    const next = Math.max(...left.map(({ leaves }) => leaves))
    if (next === 0) break
    left = left.filter(({ leaves }) => leaves !== next)
  }
  return left
}

const atLeast = <Row>(column: Leaving<Row>, natural: number): number =>
  column.shrink === true ? Math.min(natural, column.least ?? LEAST) : natural

function leastWidth<Row>(
  columns: readonly Leaving<Row>[],
  rows: readonly Row[],
  widthOf: (column: Leaving<Row>, natural: number) => number,
): number {
  const widths = columns.map((column) =>
    widthOf(
      column,
      Math.max(displayWidth(column.title), ...rows.map((row) => displayWidth(cleanText(column.value(row))))),
    ),
  )
  return widths.reduce((sum, each) => sum + each, 0) + GAP * (columns.length - 1)
}
