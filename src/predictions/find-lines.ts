/**
 * The lines of a file that hold a text, found by their bytes: an id is looked for in a gigabyte of lines without parsing
 * any but those. What such a line says is in `find-record.ts`.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { LONGEST_LINE } from './readable.ts'

const PIECE = 4 << 20
const LINE_END = 0x0a

export interface FoundLine {
  readonly text: string
  /** Bytes before it in the file. */
  readonly offset: number
}

/** The ways in which JSON writes a text inside its quotes. */
export function writtenAs(text: string): Buffer[] {
  const plain = JSON.stringify(text).slice(1, -1)
  const escaped = (upper: boolean) =>
    plain.replace(/[\u007f-\uffff]/g, (char) => {
      const digits = char.charCodeAt(0).toString(16).padStart(4, '0')
      return `\\u${upper ? digits.toUpperCase() : digits}`
    })
  const forms = [plain, escaped(false), escaped(true)]
  return [...new Set([...forms, ...forms.map((form) => form.replaceAll('/', '\\/'))])].map((form) => Buffer.from(form))
}

/**
 * A last line without its end counts as one. Of a line that is too long to be a record nothing is yielded.
 * @throws the system's error when the file cannot be opened
 */
export function* linesWith(path: string, needles: readonly Buffer[]): Generator<FoundLine> {
  const fd = openSync(path, 'r')
  try {
    const piece = Buffer.alloc(PIECE)
    let held = Buffer.alloc(0)
    let start = 0
    let isTooLong = false
    for (;;) {
      const count = readSync(fd, piece, 0, PIECE, null)
      const read = piece.subarray(0, count)
      const end = count === 0 ? 0 : read.lastIndexOf(LINE_END) + 1
      if (count > 0 && end === 0) {
        isTooLong ||= held.length + count > LONGEST_LINE
        // Nothing of it is kept: it may be longer than the memory.
        start += isTooLong ? held.length + count : 0
        held = isTooLong ? Buffer.alloc(0) : Buffer.concat([held, read])
        continue
      }
      const whole = Buffer.concat([held, read.subarray(0, end)])
      const skipped = isTooLong ? whole.indexOf(LINE_END) + 1 : 0
      yield* inLines(whole, needles, start, skipped)
      if (count === 0) return
      start += whole.length
      held = Buffer.from(read.subarray(end))
      isTooLong = false
    }
  } finally {
    closeSync(fd)
  }
}

function* inLines(bytes: Buffer, needles: readonly Buffer[], offset: number, from: number): Generator<FoundLine> {
  for (let at = first(bytes, needles, from); at >= 0; ) {
    const start = at === 0 ? 0 : bytes.lastIndexOf(LINE_END, at - 1) + 1
    const next = bytes.indexOf(LINE_END, at)
    const end = next < 0 ? bytes.length : next
    if (end - start <= LONGEST_LINE) yield { text: bytes.subarray(start, end).toString('utf8'), offset: offset + start }
    if (next < 0) return
    at = first(bytes, needles, next + 1)
  }
}

function first(bytes: Buffer, needles: readonly Buffer[], from: number): number {
  let best = -1
  for (const needle of needles) {
    const at = bytes.indexOf(needle, from)
    if (at >= 0 && (best < 0 || at < best)) best = at
  }
  return best
}

/** The number, from 1, of the line that begins at an offset. */
export function lineNumber(path: string, offset: number): number {
  const fd = openSync(path, 'r')
  try {
    const piece = Buffer.alloc(PIECE)
    let number = 1
    for (let at = 0; at < offset; ) {
      const count = readSync(fd, piece, 0, Math.min(PIECE, offset - at), at)
      if (count === 0) break
      const read = piece.subarray(0, count)
      for (let end = read.indexOf(LINE_END); end >= 0; end = read.indexOf(LINE_END, end + 1)) number++
      at += count
    }
    return number
  } finally {
    closeSync(fd)
  }
}
