/**
 * Lines at which DuckDB gives up a whole file, whatever it is told to ignore: one of more than 16 MiB, and an object that
 * is spread over several lines. They are no records; in a copy of the file each is one unreadable line, and all others
 * count. Which files are read is decided in `reading.ts`.
 */
import { closeSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'

/** Bytes: what DuckDB takes for one object, and what no record may come near (docs/prediction-log.md, section 2). */
export const LONGEST_LINE = 16_777_216
const PIECE = 1 << 20
const [LINE_END, OPEN, CLOSE] = [0x0a, 0x7b, 0x7d]
const NO_RECORD = Buffer.from('!\n')

/** Whether DuckDB gave up a file because of its lines. */
export const isBadLine = (error: unknown): boolean =>
  error instanceof Error && /maximum_object_size|Malformed JSON in file/.test(error.message)

/**
 * The files themselves, or copies of those that hold such lines.
 * @param folder for the copies; each under the last folders of the file's own path, which say its day
 */
export function readableFiles(paths: readonly string[], folder: string): string[] {
  return paths.map((path) => {
    if (!hasBadLines(path)) return path
    const copy = join(folder, ...path.split(sep).slice(-3))
    mkdirSync(dirname(copy), { recursive: true, mode: 0o700 })
    const fd = openSync(copy, 'wx', 0o600)
    try {
      for (const line of readableLines(path)) writeSync(fd, line ?? NO_RECORD)
    } finally {
      closeSync(fd)
    }
    return copy
  })
}

function hasBadLines(path: string): boolean {
  for (const line of readableLines(path)) if (line === undefined) return true
  return false
}

/** Each line with its end; undefined for one that begins or ends like no object, or is too long. */
function* readableLines(path: string): Generator<Buffer | undefined> {
  const fd = openSync(path, 'r')
  try {
    const piece = Buffer.alloc(PIECE)
    let held: Buffer[] = []
    let length = 0
    for (;;) {
      const count = readSync(fd, piece, 0, PIECE, null)
      if (count === 0) break
      for (let from = 0; from < count; ) {
        const at = piece.subarray(from, count).indexOf(LINE_END)
        const to = at < 0 ? count : from + at + 1
        length += to - from
        // Of a line that is too long nothing is kept: it may be longer than the memory.
        if (length <= LONGEST_LINE) held.push(Buffer.from(piece.subarray(from, to)))
        else held = []
        from = to
        if (at < 0) continue
        yield readable(held, length)
        held = []
        length = 0
      }
    }
    if (length > 0) yield readable(held, length)
  } finally {
    closeSync(fd)
  }
}

/** An object that goes on in the next line is not continued by one that begins with a brace: DuckDB passes over it. */
function readable(held: readonly Buffer[], length: number): Buffer | undefined {
  if (length > LONGEST_LINE) return undefined
  const line = held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held)
  let [start, end] = [0, line.length]
  while (start < end && isBlank(line[start])) start++
  while (end > start && isBlank(line[end - 1])) end--
  return start === end || (line[start] === OPEN && line[end - 1] === CLOSE) ? line : undefined
}

const isBlank = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === LINE_END
