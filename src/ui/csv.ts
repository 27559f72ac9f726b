/** Tables for other programs. Which columns there are is decided by the views. */

export type CsvCell = string | number | boolean | null

export interface CsvOptions {
  /** Text that a spreadsheet would run as a formula gets an apostrophe before it. */
  readonly noFormulas?: boolean
}

/**
 * Several texts in one cell: a line of CSV itself, `a, "b, c"`. What holds a comma, a quote or a line end stands in quotes,
 * so that they can be told apart again.
 */
export const joined = (texts: readonly string[]): string =>
  texts.map((text) => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(', ')

/** RFC 4180 but for its line ends, which are those of every other output; null is an empty field. No newline at the end. */
export function toCsv(rows: readonly (readonly CsvCell[])[], { noFormulas = false }: CsvOptions = {}): string {
  const field = (value: CsvCell): string => {
    const text = value === null ? '' : noFormulas && typeof value === 'string' ? harmless(value) : String(value)
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return rows.map((row) => row.map(field).join(',')).join('\n')
}

/** What scripts log comes from anywhere; a number, also an infinite one, is a number. */
const harmless = (text: string): string =>
  /^[=+\-@\t\r]/.test(text) && !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) && !/^[+-]?Infinity$/.test(text)
    ? `'${text}`
    : text
