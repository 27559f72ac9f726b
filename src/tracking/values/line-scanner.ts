/**
 * Finds lines in a stream of bytes and hands those that might hold a value to a reader, in flat memory and without
 * looking at what cannot: a gigabyte of output costs a search for `:`, `=` and `{`, not a gigabyte of strings.
 */

/** Longer lines are no `key: value` and no report; JSON lines beyond this are not read. Bytes. */
export const MAX_LINE = 64 * 1024
const NEWLINE = 10
const RETURN = 13

export interface LineScanner {
  feed(chunk: Uint8Array): void
  /** The last line may have no line end. */
  end(): void
}

/** @param take gets each candidate line, decoded as UTF-8, without its line end; a progress bar's `\r` ends a line */
export function createLineScanner(take: (line: string) => void): LineScanner {
  let rest: Buffer = Buffer.alloc(0)
  /** Inside a line that is already too long: skip to its end. */
  let skipping = false

  const emit = (line: Buffer): void => {
    if (line.length > 0 && line.length <= MAX_LINE && mayHoldValue(line)) take(line.toString('utf8'))
  }

  return {
    feed(chunk) {
      let bytes: Buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      if (skipping) {
        const end = nextEnd(bytes, 0)
        if (end < 0) return
        skipping = false
        bytes = bytes.subarray(end + 1)
      }
      const last = Math.max(bytes.lastIndexOf(NEWLINE), bytes.lastIndexOf(RETURN))
      if (last >= 0) {
        const whole = rest.length === 0 ? bytes.subarray(0, last) : Buffer.concat([rest, bytes.subarray(0, last)])
        if (mayHoldValue(whole)) splitLines(whole, emit)
        rest = Buffer.from(bytes.subarray(last + 1))
      } else {
        rest = rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([rest, bytes])
      }
      if (rest.length > MAX_LINE) {
        rest = Buffer.alloc(0)
        skipping = true
      }
    },
    end() {
      if (!skipping) emit(rest)
      rest = Buffer.alloc(0)
    },
  }
}

const mayHoldValue = (bytes: Buffer): boolean => bytes.includes(58) || bytes.includes(61) || bytes.includes(123)

function splitLines(bytes: Buffer, emit: (line: Buffer) => void): void {
  let start = 0
  for (let end = nextEnd(bytes, 0); end >= 0; end = nextEnd(bytes, start)) {
    emit(bytes.subarray(start, end))
    start = end + 1
  }
  emit(bytes.subarray(start))
}

function nextEnd(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === NEWLINE || byte === RETURN) return at
  }
  return -1
}
