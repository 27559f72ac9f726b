/**
 * Rows and columns of delimited text and JSON lines, counted while the bytes pass by on their way to the hash.
 * Counting is by bytes, not by parsing values: profiles are made by `src/drift/`.
 */

export interface RowCounter {
  feed(chunk: Uint8Array): void
  /** Rows without the header; `columns` is that of the header. Undefined for what is no such text. */
  end(): { readonly rows: number; readonly columns?: number } | undefined
}

const LF = 10
const CR = 13
const QUOTE = 34
const MAX_HEADER = 1 << 20

/** RFC 4180: a line break inside quotes belongs to the value; empty lines are no rows; a byte-order mark is skipped. */
export function createCsvCounter(delimiter: ',' | '\t'): RowCounter {
  let inQuotes = false
  let lineHasContent = false
  let records = 0
  const header: Buffer[] = []
  let headerBytes = 0

  const scanQuoted = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]
      if (byte === QUOTE) {
        inQuotes = !inQuotes
        lineHasContent = true
      } else if (byte === LF && !inQuotes) {
        if (lineHasContent) records++
        lineHasContent = false
      } else if (byte !== CR && byte !== LF) lineHasContent = true
    }
  }
  const scanPlain = (bytes: Buffer): void => {
    let start = 0
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
      const length = end - start
      if (lineHasContent || length > 1 || (length === 1 && bytes[start] !== CR)) records++
      lineHasContent = false
      start = end + 1
    }
    if (start < bytes.length) lineHasContent = true
  }

  return {
    feed(chunk) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      if (records === 0 && headerBytes <= MAX_HEADER) {
        header.push(Buffer.from(bytes.subarray(0, MAX_HEADER)))
        headerBytes += bytes.length
      }
      // Searching for line ends is far faster than looking at each byte, and most files have few quotes.
      if (inQuotes || bytes.includes(QUOTE)) scanQuoted(bytes)
      else scanPlain(bytes)
    },
    end() {
      if (lineHasContent) records++
      if (records === 0) return { rows: 0, columns: 0 }
      return { rows: records - 1, columns: headerColumns(Buffer.concat(header), delimiter) }
    },
  }
}

/** Non-empty lines; columns are the members of the first object. */
export function createJsonLinesCounter(): RowCounter {
  let lineHasContent = false
  let rows = 0
  let first: Buffer | undefined
  let head: Buffer = Buffer.alloc(0)
  return {
    feed(chunk) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      if (first === undefined && head.length <= MAX_HEADER) {
        head = Buffer.concat([head, bytes.subarray(0, MAX_HEADER)])
        const end = head.indexOf(LF)
        if (end >= 0) first = head.subarray(0, end)
      }
      let start = 0
      for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
        if (lineHasContent || bytes.subarray(start, end).some((byte) => byte > 32)) rows++
        lineHasContent = false
        start = end + 1
      }
      if (bytes.subarray(start).some((byte) => byte > 32)) lineHasContent = true
    },
    end() {
      if (lineHasContent) rows++
      const columns = memberCount(first ?? head)
      return { rows, ...(columns === undefined ? {} : { columns }) }
    },
  }
}

function headerColumns(bytes: Buffer, delimiter: string): number {
  const wanted = delimiter.charCodeAt(0)
  let inQuotes = false
  let columns = 1
  let content = false
  for (const byte of bytes) {
    if (byte === QUOTE) inQuotes = !inQuotes
    else if (!inQuotes && byte === LF) {
      if (content) break
      continue
    } else if (!inQuotes && byte === wanted) columns++
    if (byte !== CR) content = true
  }
  return columns
}

function memberCount(line: Buffer): number | undefined {
  try {
    const parsed: unknown = JSON.parse(line.toString('utf8').replace(/^\uFEFF/, ''))
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? Object.keys(parsed).length
      : undefined
  } catch {
    return undefined
  }
}
