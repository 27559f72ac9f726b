/**
 * Opening the records of a window: the files of its days, a DuckDB that can read these and nothing else, and what must
 * hold still meanwhile held still. What is asked of the records is in `rows.ts`, `stats.ts`, `quality.ts`, `query.ts`.
 */
import { closeSync, copyFileSync, ftruncateSync, mkdirSync, openSync, readSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { failed, isMlopsError } from '../core/errors.ts'
import { type Duck, type DuckOptions, openDuck } from '../data/duck.ts'
import { makeSpool, type Spool } from '../data/spool.ts'
import { dayFolder, type LogDay, type LogFile, listDays, unmatchedLabels } from './days.ts'
import { isBadLine, readableFiles } from './readable.ts'
import type { RecordFiles } from './records.ts'
import type { TimeWindow } from './types.ts'

/** The records of a window, opened. */
export interface Reading {
  readonly duck: Duck
  readonly model: string
  readonly files: RecordFiles
  /** Lines of compacted files that were no records. */
  readonly torn: number
  /** At most so many records are in the files. */
  readonly most: number
  /** @throws failed `DATA_CHANGED` when a file that was to hold still has not */
  readonly assertUnchanged: () => Promise<void>
}

export interface ReadOptions {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly signal?: AbortSignal
  /** More files that the DuckDB may open. */
  readonly more?: readonly string[]
  /** Neither features nor output nor labels are asked for: PostgreSQL does not send them then. */
  readonly figuresOnly?: boolean
  /** `free`, where rows are only counted: a fifth less work on a million records. Default: `kept`. */
  readonly order?: DuckOptions['order']
}

export type Use<T> = (reading: Reading) => Promise<T>

/** A file written to within this time may grow while it is read: then several passes would count different rows. */
const LIVE = 600_000
/** A compaction or pruning that goes on meanwhile moves files: what was begun is begun again this often. */
const ATTEMPTS = 4

/** @param folder that of the model */
export async function readFolder<T>(
  folder: string,
  model: string,
  window: TimeWindow,
  options: ReadOptions,
  use: Use<T>,
): Promise<T> {
  let hasBadLines = false
  for (let attempt = 1; ; attempt++) {
    const days = listDays(folder, window)
    const moved = () => fingerprint(listDays(folder, window)) !== fingerprint(days)
    const wasCareful = hasBadLines
    const lines = {
      careful: wasCareful,
      onBad: () => {
        hasBadLines = true
      },
    }
    try {
      return await readDays(folder, model, days, options, lines, use)
    } catch (error) {
      // Looking at every line is slow, and almost no log needs it.
      if (hasBadLines && !wasCareful) continue
      if (isMlopsError(error) || options.signal?.aborted || !moved()) throw error
      if (attempt === ATTEMPTS) throw changed(folder, error)
    }
  }
}

/** Which parts of the log are where; files may grow. */
const fingerprint = (days: readonly LogDay[]): string =>
  days.map((day) => [day.date, ...day.lines.map(({ name }) => name), day.compacted.length].join('/')).join('\n')

const changed = (folder: string, cause?: unknown) =>
  failed({
    code: 'DATA_CHANGED',
    message: `The prediction log in ${folder} changed while it was being read.`,
    hint: 'A compaction or pruning may be at work: run the command again when it is done',
    ...(cause === undefined ? {} : { cause }),
  })

async function readDays<T>(
  folder: string,
  model: string,
  days: readonly LogDay[],
  options: ReadOptions,
  { careful, onBad }: { readonly careful: boolean; readonly onBad: () => void },
  use: Use<T>,
): Promise<T> {
  const lines = days.flatMap((day) => day.lines.map((file) => ({ day, file })))
  const isLive = ({ file }: (typeof lines)[number]) => options.now - file.modified < LIVE
  const still = lines.filter((line) => !isLive(line))
  const live = lines.filter(isLive)
  const spool = live.length === 0 && !careful ? undefined : await makeSpool('the predictions of the last minutes')
  try {
    const copies = live.map(({ day, file }) => snapshot(file, day, spool as Spool)).filter((path) => path !== undefined)
    const paths = [...still.map(({ file }) => file.path), ...copies]
    const readable = (list: readonly string[]) =>
      careful ? readableFiles(list, join(dirname((spool as Spool).path), 'readable')) : list
    const files: RecordFiles = {
      lines: readable(paths),
      parquet: days.flatMap((day) => day.compacted.map((part) => part.parquet)),
      labels: readable([...days.flatMap((day) => day.labels), ...unmatchedLabels(folder)].map(({ path }) => path)),
    }
    const all = [...files.lines, ...files.parquet, ...files.labels, ...(options.more ?? [])]
    const opened = await openDuck(all, options.signal, { order: options.order ?? 'kept' })
    const noticed = async <R>(work: Promise<R>): Promise<R> => {
      try {
        return await work
      } catch (error) {
        if (isBadLine(error)) onBad()
        throw deniedFile(error) ?? error
      }
    }
    const duck: Duck = {
      ...opened,
      rows: (sql) => noticed(opened.rows(sql)),
      stream: (sql, onChunk) => noticed(opened.stream(sql, onChunk)),
    }
    try {
      const torn = days.reduce(
        (sum, day) => sum + day.compacted.reduce((part, { manifest }) => part + manifest.torn, 0),
        0,
      )
      const assertUnchanged = async () => {
        const grown = still.some(({ file }) => statSync(file.path, { throwIfNoEntry: false })?.size !== file.size)
        if (grown) throw changed(folder)
      }
      return await use({ duck, model, files, torn, most: mostRecords(days), assertUnchanged })
    } finally {
      duck.close()
    }
  } finally {
    spool?.remove()
  }
}

function deniedFile(error: unknown) {
  const file = /Cannot open file "(.+)": Permission denied/.exec(error instanceof Error ? error.message : '')?.[1]
  if (file === undefined) return undefined
  return failed({
    code: 'PREDICTIONS_UNREADABLE',
    message: `${file} cannot be read (EACCES).`,
    hint: `Let the group of the service's user read its log, or run this as that user: ls -l ${dirname(file)}`,
    cause: error,
  })
}

/** No record is shorter: its required members alone take more. */
const SHORTEST = 90

const mostRecords = (days: readonly LogDay[]): number =>
  days.reduce((sum, day) => {
    const lines = day.lines.reduce((bytes, { size }) => bytes + size, 0) / SHORTEST
    return sum + Math.ceil(lines) + day.compacted.reduce((records, { manifest }) => records + manifest.records, 0)
  }, 0)

/**
 * A private copy of the whole lines that a growing file has now. A last line without its end is left out and is not
 * torn: it may be on its way.
 * @returns undefined when the file has gone meanwhile
 */
function snapshot(file: LogFile, day: LogDay, spool: Spool): string | undefined {
  const folder = join(dirname(spool.path), dayFolder(day.date))
  const path = join(folder, file.name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  try {
    copyFileSync(file.path, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Error('moved')
    throw failed({
      code: 'PREDICTIONS_UNREADABLE',
      message: `${file.path} cannot be copied to ${dirname(spool.path)} (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}): a file that is being written to is read from a copy.`,
      hint: 'Check its permissions and the free space there, or name another folder in TMPDIR',
      cause: error,
    })
  }
  cutAfterLastLine(path)
  return path
}

function cutAfterLastLine(path: string): void {
  const fd = openSync(path, 'r+')
  try {
    const piece = Buffer.alloc(65_536)
    let end = statSync(path).size
    while (end > 0) {
      const from = Math.max(0, end - piece.length)
      const count = readSync(fd, piece, 0, end - from, from)
      const at = piece.subarray(0, count).lastIndexOf(0x0a)
      if (at >= 0) {
        ftruncateSync(fd, from + at + 1)
        return
      }
      end = from
    }
    ftruncateSync(fd, 0)
  } finally {
    closeSync(fd)
  }
}
