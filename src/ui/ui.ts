/** What a view gets to turn a result into text for stdout: colours, tables, the width, the present. No I/O here. */
import { cleanText } from './clean.ts'
import { sparkline } from './sparkline.ts'
import type { Style } from './style.ts'
import { type Column, renderTable } from './table.ts'
import { ago } from './time.ts'
import { wrap } from './wrap.ts'

export interface Ui {
  readonly style: Style
  /** Columns of the terminal; Infinity when stdout is none, so that nothing is cut in a pipe. */
  readonly width: number
  readonly now: Date
  readonly quiet: boolean
  /** Aligned columns with a heading line; '' for no rows. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string
  sparkline(values: readonly number[]): string
  /** `3 days ago` */
  ago(time: string | Date): string
  /**
   * Prose broken between words at the terminal's width; `indent` blanks before each line that this adds. Not for
   * commands to copy. Colour what it returns, or what it gets: colours have no width.
   */
  wrap(text: string, indent?: number): string
  /** User data made safe for a terminal; every view passes names, messages and values through it. */
  text(value: unknown): string
}

export function createUi(options: {
  readonly style: Style
  readonly width: number
  readonly now: Date
  readonly quiet: boolean
}): Ui {
  const { style, width, now } = options
  return {
    ...options,
    table: (columns, rows) =>
      renderTable(columns, rows, { width, ellipsis: style.symbols.ellipsis, head: (text) => style.dim(text) }),
    sparkline: (values) => sparkline(values, style.unicode),
    ago: (time) => ago(time, now),
    wrap: (text, indent = 0) => wrap(text, width, indent),
    text: (value) => cleanText(String(value)),
  }
}
