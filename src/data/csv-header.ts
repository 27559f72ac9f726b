/**
 * The first record of a CSV file, parsed by ourselves: separator and column names must not be guessed differently from
 * file to file, and a hostile header must be refused before an engine allocates for it.
 */
import { failed } from '../core/errors.ts'

export interface CsvHeader {
  readonly separator: string
  readonly names: readonly string[]
}

const SEPARATORS = [',', ';', '\t', '|']

/** More columns than this are refused, in any format. */
export const MAX_COLUMNS = 4_096
/** Characters of a header line. */
const MAX_HEADER = 1 << 20

/**
 * @param head the beginning of the text, without byte-order mark
 * @param isWhole whether `head` is the whole file
 * @throws failed `DATA_TOO_WIDE`, `DATA_UNREADABLE`
 */
export function parseCsvHeader(head: string, isWhole: boolean, name: string): CsvHeader {
  const counts = new Map<string, number>()
  let quoted = false
  let end = -1
  for (let i = 0; i < head.length; i++) {
    const char = head.charAt(i)
    if (char === '"') quoted = !quoted
    else if (quoted) continue
    else if (char === '\n' || char === '\r') {
      end = i
      break
    } else if (SEPARATORS.includes(char)) counts.set(char, (counts.get(char) ?? 0) + 1)
  }
  if (end < 0 && quoted && isWhole) throw unclosed(name)
  const separator = SEPARATORS.reduce((best, s) => ((counts.get(s) ?? 0) > (counts.get(best) ?? 0) ? s : best), ',')
  const columns = (counts.get(separator) ?? 0) + 1
  if (columns > MAX_COLUMNS) throw tooWide(name, end < 0 && !isWhole ? `more than ${columns}` : String(columns))
  if (end < 0 && !isWhole) {
    throw failed({
      code: 'DATA_TOO_WIDE',
      message: `The header line of ${name} is longer than ${MAX_HEADER / 1024 / 1024} MiB.`,
      hint: 'Check that the file has line breaks',
    })
  }
  const line = end < 0 ? head : head.slice(0, end)
  return { separator, names: splitRecord(line, separator) }
}

export const HEADER_BYTES = MAX_HEADER

export const tooWide = (name: string, columns: string) =>
  failed({
    code: 'DATA_TOO_WIDE',
    message: `${name} has ${columns} columns; at most ${MAX_COLUMNS} can be profiled.`,
    hint: 'Keep the columns the model uses',
  })

const unclosed = (name: string) =>
  failed({
    code: 'DATA_UNREADABLE',
    message: `The header of ${name} opens a double quote that is never closed.`,
    hint: 'Close or double the quote',
  })

function splitRecord(line: string, separator: string): string[] {
  const fields: string[] = []
  let field = ''
  let quoted = false
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i)
    if (quoted && char === '"' && line.charAt(i + 1) === '"') {
      field += '"'
      i++
    } else if (char === '"') quoted = !quoted
    else if (char === separator && !quoted) {
      fields.push(field)
      field = ''
    } else field += char
  }
  return [...fields, field]
}
