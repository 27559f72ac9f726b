/** What DuckDB says about a file it cannot read, in our words and with the file's own name. */
import { failed, type MlopsError } from '../core/errors.ts'

/**
 * @param name the source as the user wrote it
 * @param parts its files: an error that names one of them is about that one
 */
export function readError(
  error: unknown,
  name: string,
  parts: readonly { readonly path: string; readonly label: string }[] = [],
): MlopsError {
  const raw = error instanceof Error ? error.message : String(error)
  const part = parts.find(({ path }) => raw.includes(path))
  const what = parts.length > 1 && part !== undefined ? `${part.label} of ${name}` : name
  // A temporary copy's path means nothing to anybody.
  const text = part === undefined ? raw : raw.replaceAll(part.path, part.label)
  return inOurWords(text, what, part?.label ?? name, error)
}

function inOurWords(text: string, name: string, file: string, cause: unknown): MlopsError {
  const unreadable = (message: string, hint: string) =>
    failed({ code: 'DATA_UNREADABLE', message, hint, details: { source: name }, cause })
  const line = /CSV Error on Line: (\d+)/.exec(text)?.[1]
  const isFile = /\.[a-z]+$/i.test(file) && !/\.(?:gz|zst)$/i.test(file)
  const look = isFile ? `Look at it: sed -n ${line}p ${file}` : `Look at line ${line}`
  const counts = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(text)
  if (counts !== null) {
    return unreadable(
      // DuckDB stops counting at the first field too many.
      Number(counts[2]) > Number(counts[1])
        ? `Line ${line} of ${name} has more than the ${fields(counts[1])} of the header.`
        : `Line ${line} of ${name} has ${counts[2]} of the ${fields(counts[1])} of the header.`,
      `${look}; a field that contains the separator must stand in double quotes`,
    )
  }
  if (line !== undefined && /unterminated quote/i.test(text)) {
    return unreadable(`Line ${line} of ${name} opens a double quote that is never closed.`, 'Close or double the quote')
  }
  if (/maximum line size|line size of|max_line_size/i.test(text)) {
    const where = line === undefined ? 'A line' : `Line ${line}`
    return unreadable(`${where} of ${name} is longer than 2 MB.`, 'Check that the file has line breaks')
  }
  if (/out of memory|could not allocate|failed to allocate/i.test(text)) {
    return unreadable(`${name} does not fit into the memory limit of 768 MB while it is read.`, 'Split the file')
  }
  if (line !== undefined) return unreadable(`Line ${line} of ${name} is not valid CSV.`, look)
  if (/CSV Parser state machine/.test(text)) {
    return unreadable(
      `${name} is not valid CSV: it mixes Windows and Unix line ends, or has text after a closing quote.`,
      'Write all lines with the same line end, and quotes within quotes twice',
    )
  }
  const jsonLine = /in line (\d+)/.exec(text)?.[1]
  if (/JSON/.test(text)) {
    const where = jsonLine === undefined ? name : `Line ${jsonLine} of ${name}`
    const twice = /duplicate key "(.*)"/.exec(text)?.[1]
    return unreadable(
      twice === undefined ? `${where} is not a JSON object.` : `${where} has the key "${twice}" twice.`,
      'Every line must be one complete JSON object',
    )
  }
  if (/magic bytes|parquet|thrift|snappy|zstd|Invalid Error|TProtocol/i.test(text)) {
    return unreadable(`${name} is cut short or damaged: it cannot be read as Parquet.`, 'Copy or write the file again')
  }
  return unreadable(`${name} cannot be read: ${text.split('\n')[0]}`, 'Check the file')
}

const fields = (count: string | undefined): string => (count === '1' ? 'one field' : `${count} fields`)
