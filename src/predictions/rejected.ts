/** The lines of sealed files that are no records, byte for byte: compaction keeps them beside the Parquet file. */
import { closeSync, openSync, readSync } from 'node:fs'
import type { LogDay, LogFile } from './days.ts'
import { LONGEST_LINE } from './readable.ts'

/** @yields each with its line end; a torn last line gets one */
export function* rejectedLines(files: readonly LogFile[], model: string, day: LogDay): Generator<Buffer> {
  for (const file of files) {
    for (const line of linesOf(file.path)) {
      const isBlank = line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09)
      if (!isBlank && !isRecord(line, model, day)) yield Buffer.concat([line, Buffer.from('\n')])
    }
  }
}

/** Strict: what DuckDB forgave and this does not is kept twice, which harms nobody. */
function isRecord(line: Buffer, model: string, day: LogDay): boolean {
  if (line.length > LONGEST_LINE) return false
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(line)
    const record = JSON.parse(text) as Record<string, unknown> | null
    if (record === null || typeof record.id !== 'string' || record.id === '' || record.model !== model) return false
    const time = typeof record.time === 'string' ? Date.parse(record.time) : Number.NaN
    const version = Number(record.version)
    const isWhole = Number.isInteger(record.version) && version >= 0 && version <= 2_147_483_647
    const hasContent = (record.features ?? record.output ?? null) !== null || (record.status ?? 'ok') !== 'ok'
    return isWhole && hasContent && time >= day.window.since && time < day.window.until
  } catch {
    return false
  }
}

function* linesOf(path: string): Generator<Buffer> {
  const fd = openSync(path, 'r')
  try {
    const piece = Buffer.alloc(1 << 20)
    let rest: Buffer[] = []
    for (;;) {
      const count = readSync(fd, piece, 0, piece.length, null)
      if (count === 0) break
      let from = 0
      for (let at = piece.indexOf(0x0a); at >= 0 && at < count; at = piece.indexOf(0x0a, from)) {
        yield Buffer.concat([...rest, piece.subarray(from, at)])
        rest = []
        from = at + 1
      }
      if (from < count) rest.push(Buffer.from(piece.subarray(from, count)))
    }
    if (rest.length > 0) yield Buffer.concat(rest)
  } finally {
    closeSync(fd)
  }
}
