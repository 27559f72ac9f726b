/**
 * The folders of a log kept in files: which days there are, and which files of a day are to be read
 * (docs/prediction-log.md, sections 1 and 5). Reads names, sizes and manifests, never records.
 */
import { type Dirent, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { failed, systemCode } from '../core/errors.ts'
import { DAY } from '../project/duration.ts'
import { COMPACTED, type Manifest, readManifest } from './manifest.ts'
import type { TimeWindow } from './types.ts'
import { EVERYTHING } from './window.ts'

export interface LogFile {
  readonly path: string
  readonly name: string
  readonly size: number
  /** Milliseconds since 1970. */
  readonly modified: number
}

export interface CompactedPart {
  readonly folder: string
  readonly number: number
  readonly manifest: Manifest
  /** Absolute path of `records.parquet`. */
  readonly parquet: string
}

export interface LogDay {
  /** `2026-11-21` */
  readonly date: string
  readonly folder: string
  readonly window: TimeWindow
  /** Files of lines to be read: those that no compacted part names. */
  readonly lines: readonly LogFile[]
  readonly compacted: readonly CompactedPart[]
  /** Files that a compacted part names and that are still there: not to be read. */
  readonly replaced: readonly LogFile[]
  readonly labels: readonly LogFile[]
}

const LINES = /^[A-Za-z0-9][A-Za-z0-9._-]*\.jsonl$/
const DATE = /^date=(\d{4}-\d{2}-\d{2})$/

export const dayFolder = (date: string): string => `date=${date}`
export const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10)

/** Dates that have a folder, oldest first; without looking into the folders. */
export function listDates(folder: string, window: TimeWindow = EVERYTHING): string[] {
  return entries(folder)
    .flatMap((entry) => {
      const date = DATE.exec(entry.name)?.[1]
      const from = Date.parse(`${date}T00:00:00Z`)
      const isInside = from < window.until && from + DAY > window.since
      return date !== undefined && entry.isDirectory() && isInside ? [date] : []
    })
    .sort()
}

/** The days that can hold records of the window, oldest first. @param folder that of the model */
export function listDays(folder: string, window: TimeWindow = EVERYTHING): LogDay[] {
  return listDates(folder, window).map((date) => readDay(folder, date))
}

export function readDay(modelFolder: string, date: string): LogDay {
  const folder = join(modelFolder, dayFolder(date))
  const found = entries(folder)
  const compacted = found.flatMap((entry) => {
    const number = COMPACTED.exec(entry.name)?.[1]
    if (number === undefined || !entry.isDirectory()) return []
    const part = join(folder, entry.name)
    const manifest = readManifest(join(part, 'manifest.json'))
    return [{ folder: part, number: Number(number), manifest, parquet: wholeParquet(part, manifest) }]
  })
  const named = new Set(compacted.flatMap(({ manifest }) => manifest.files.map(({ name }) => name)))
  const files = linesIn(folder, found)
  const since = Date.parse(`${date}T00:00:00Z`)
  return {
    date,
    folder,
    window: { since, until: since + DAY },
    lines: files.filter(({ name }) => !named.has(name)),
    compacted: compacted.sort((a, b) => a.number - b.number),
    replaced: files.filter(({ name }) => named.has(name)),
    labels: linesIn(join(folder, 'labels')),
  }
}

/** Labels whose prediction was not in the log when they came. */
export const unmatchedLabels = (modelFolder: string): LogFile[] => linesIn(join(modelFolder, 'unmatched'))

function linesIn(folder: string, found: readonly Dirent[] = entries(folder)): LogFile[] {
  return (
    found
      // A link may lead out of the log, to what only the one who compacts it may read.
      .filter((entry) => LINES.test(entry.name) && entry.isFile())
      .flatMap(({ name }) => {
        const path = join(folder, name)
        const info = statSync(path, { throwIfNoEntry: false })
        return info?.isFile() ? [{ path, name, size: info.size, modified: info.mtimeMs }] : []
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  )
}

/** A part whose Parquet file is gone or short must not read as a quiet day. */
function wholeParquet(part: string, manifest: Manifest): string {
  const path = join(part, 'records.parquet')
  const size = statSync(path, { throwIfNoEntry: false })?.size
  if (size === manifest.parquet.size) return path
  throw failed({
    code: 'PREDICTIONS_DAMAGED',
    message: `${path} ${size === undefined ? 'is missing' : `has ${size} bytes`}, and its manifest says ${manifest.parquet.size} bytes with ${manifest.records} predictions.`,
    hint: 'Restore it from a backup',
    details: { file: path },
  })
}

/** [] for a folder that is not there. @throws failed `PREDICTIONS_UNREADABLE` */
function entries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return []
    throw failed({
      code: 'PREDICTIONS_UNREADABLE',
      message: `The prediction log in ${folder} cannot be read (${systemCode(error) ?? 'unknown reason'}).`,
      hint: `Check its permissions: ls -ld ${folder}`,
      cause: error,
    })
  }
}
