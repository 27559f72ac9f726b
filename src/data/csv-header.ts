/**
 * The first record of a CSV file, parsed by ourselves: separator and column names must not be guessed differently from
 * file to file, and a hostile header must be refused before an engine allocates for it.
 */
import { failed } from '../core/errors.ts'

export interface CsvHeader {
  readonly separator: string
  readonly names: readonly string[]
  /**
   * How lines end, where the header has a line break within quotes: DuckDB takes that for the end of a line, finds that
   * the others end otherwise, and reads no row without a word.
   */
  readonly lineEnd?: '\n' | '\r\n'
}

/** When two fit equally well, the earlier one: commas stand in numbers and in text, the others hardly ever do. */
const SEPARATORS = ['\t', ';', '|', ',']
/** For a file of one column: something no field holds. */
const UNUSED = [',', '\t', ';', '|', '\u001f', '\u001e']

/** More columns than this are refused, in any format. */
export const MAX_COLUMNS = 4_096
/** Characters of a header line. */
const MAX_HEADER = 1 << 20
/** Records after the header that are asked which separator they fit. */
const LOOKED_AT = 50

/**
 * The header, and the separator with which the first records have as many fields as the header.
 * @param head the beginning of the text, without byte-order mark
 * @param isWhole whether `head` is the whole file
 * @throws failed `DATA_TOO_WIDE`, `DATA_UNREADABLE`
 */
export function parseCsvHeader(head: string, isWhole: boolean, name: string): CsvHeader {
  const { records: lines, ends } = firstRecords(head, isWhole, name)
  const [line = ''] = lines
  const lineEnd = /[\n\r]/.test(line) ? { lineEnd: lineEndOf(ends, name) } : {}
  const fits = SEPARATORS.map((separator) => fitOf(separator, lines)).filter((fit) => fit.fields > 1)
  const best = fits.reduce<Fit | undefined>((a, b) => (a === undefined || isBetter(b, a) ? b : a), undefined)
  if ((best?.fields ?? 1) > MAX_COLUMNS) throw tooWide(name, String(best?.fields))
  if (best !== undefined) return { separator: best.separator, names: splitRecord(line, best.separator), ...lineEnd }
  const separator = UNUSED.find((each) => !lines.some((record) => outsideQuotes(record).includes(each))) ?? ','
  return { separator, names: splitRecord(line, separator), ...lineEnd }
}

interface Fit {
  readonly separator: string
  /** Of the header. */
  readonly fields: number
  /** Share of the records with as many fields. */
  readonly share: number
}

function fitOf(separator: string, [header = '', ...records]: readonly string[]): Fit {
  const fields = countFields(header, separator)
  const same = fields === 1 ? 0 : records.filter((record) => countFields(record, separator) === fields).length
  return { separator, fields, share: records.length === 0 ? 1 : same / records.length }
}

/** One that nearly every record agrees with beats one with more fields. */
function isBetter(a: Fit, b: Fit): boolean {
  const [sureA, sureB] = [a.share >= 0.9, b.share >= 0.9]
  if (sureA !== sureB) return sureA
  if (!sureA && a.share !== b.share) return a.share > b.share
  return a.fields > b.fields
}

/** The header and some records after it, blank lines left out; a last one that `head` cuts off does not count. */
function firstRecords(head: string, isWhole: boolean, name: string): { records: string[]; ends: Set<string> } {
  const records: string[] = []
  const ends = new Set<string>()
  let quoted = false
  let from = 0
  for (let i = 0; i <= head.length && records.length <= LOOKED_AT; i++) {
    const char = head.charAt(i)
    if (char === '"') quoted = !quoted
    if (i === head.length ? !isWhole : quoted || (char !== '\n' && char !== '\r')) continue
    if (i > from) {
      records.push(head.slice(from, i))
      if (i + 1 < head.length) ends.add(char === '\r' && head.charAt(i + 1) === '\n' ? '\r\n' : char)
    }
    from = i + 1
  }
  if (records.length <= 1 && quoted && isWhole && !/[\n\r]/.test(outsideQuotes(head))) throw unclosed(name)
  if (records.length > 0) return { records, ends }
  const separators = Math.max(...SEPARATORS.map((separator) => countFields(head, separator)))
  if (separators > MAX_COLUMNS) throw tooWide(name, `more than ${separators}`)
  throw failed({
    code: 'DATA_TOO_WIDE',
    message: `The header line of ${name} is longer than ${MAX_HEADER / 1024 / 1024} MiB.`,
    hint: 'Check that the file has line breaks',
  })
}

function lineEndOf(ends: ReadonlySet<string>, name: string): '\n' | '\r\n' {
  const [end = '\n'] = ends
  if (ends.size <= 1 && (end === '\n' || end === '\r\n')) return end
  throw failed({
    code: 'DATA_UNREADABLE',
    message: `The header of ${name} has a line break within quotes, and the lines of the file end in different ways.`,
    hint: 'Write all lines with the same line end',
  })
}

const outsideQuotes = (record: string): string => record.replaceAll(/"(?:[^"]|"")*(?:"|$)/g, '')

const countFields = (record: string, separator: string): number => outsideQuotes(record).split(separator).length

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
