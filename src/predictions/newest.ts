/**
 * The first and last event time of a log kept in files, from the ends of its files: what `mlops status` shows, so that
 * it needs no DuckDB and reads a few kilobytes. Exact figures of a window are in `stats.ts`.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { type LogDay, type LogFile, listDates, readDay } from './days.ts'
import type { LogHome } from './home.ts'

/** Read from an end of a file; a line longer than that is passed over. */
const PIECE = 65_536
/** Files of a day whose ends are looked at: those written last hold the newest records. */
const FILES = 32

/** Event time of the newest record of a model's folder, RFC 3339; null for an empty log. */
export function newestIn(folder: string, model: string): string | null {
  for (const date of listDates(folder).reverse()) {
    const day = readDay(folder, date)
    const recent = [...day.lines].sort((a, b) => b.modified - a.modified).slice(0, FILES)
    const times = recent.flatMap((file) => timesIn(file, 'end', day, model))
    const found = latest([...times, ...day.compacted.flatMap(({ manifest }) => manifest.last ?? [])], 1)
    if (found !== null) return found
  }
  return null
}

/**
 * The same without asking anybody over a network: what `status` calls, and a room of its own so that it loads no query.
 * @returns undefined where that cannot be known (PostgreSQL); null for an empty log
 */
export const newestLocal = (home: LogHome, model: string): string | null | undefined =>
  home.kind === 'files' ? newestIn(home.folder, model) : undefined

/** Event time of the oldest record. */
export function oldestIn(folder: string, model: string): string | null {
  for (const date of listDates(folder)) {
    const day = readDay(folder, date)
    const times = day.lines.flatMap((file) => timesIn(file, 'start', day, model))
    const found = latest([...times, ...day.compacted.flatMap(({ manifest }) => manifest.first ?? [])], -1)
    if (found !== null) return found
  }
  return null
}

function latest(times: readonly string[], sign: 1 | -1): string | null {
  let best: string | null = null
  for (const time of times) if (best === null || sign * (Date.parse(time) - Date.parse(best)) > 0) best = time
  return best === null ? null : new Date(best).toISOString()
}

/** Event times of the whole lines at one end of a file. */
function timesIn(file: LogFile, end: 'start' | 'end', day: LogDay, model: string): string[] {
  const from = end === 'start' ? 0 : Math.max(0, file.size - PIECE)
  const lines = piece(file.path, from).split('\n')
  // What was cut by reading a piece, and the torn last line.
  if (from > 0) lines.shift()
  lines.pop()
  return lines.flatMap((line) => {
    const time = timeOf(line, model)
    const at = time === undefined ? Number.NaN : Date.parse(time)
    return time !== undefined && at >= day.window.since && at < day.window.until ? [time] : []
  })
}

function timeOf(line: string, model: string): string | undefined {
  try {
    const record = JSON.parse(line) as { time?: unknown; model?: unknown; id?: unknown } | null
    const isRecord = typeof record?.id === 'string' && record.model === model
    return isRecord && typeof record.time === 'string' ? record.time : undefined
  } catch {
    return undefined
  }
}

function piece(path: string, from: number): string {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch {
    // Compacted or pruned a moment ago, or not ours to read: the other files say enough.
    return ''
  }
  try {
    const buffer = Buffer.alloc(PIECE)
    return buffer.subarray(0, readSync(fd, buffer, 0, PIECE, from)).toString('utf8')
  } finally {
    closeSync(fd)
  }
}
