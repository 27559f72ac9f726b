/**
 * Compaction: the lines of sealed days become Parquet (docs/prediction-log.md, section 5). One rename decides; killed at
 * any instant it loses and doubles nothing, and the next compaction finishes what is left to do.
 */
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sha256File } from '../core/digest.ts'
import { failed, usage } from '../core/errors.ts'
import { openDuck, sqlPath } from '../data/duck.ts'
import { makeSpool } from '../data/spool.ts'
import { type CompactedPart, type LogDay, type LogFile, listDays } from './days.ts'
import {
  hiddenName,
  makeFolder,
  onDisk,
  removeFile,
  removeFolder,
  removeLeftovers,
  renameFolder,
  syncFile,
  syncFolder,
  writeNew,
} from './disk.ts'
import type { LogHome } from './home.ts'
import { identityOf } from './identity.ts'
import { compactedName, type Manifest } from './manifest.ts'
import { isBadLine, readableFiles } from './readable.ts'
import { OPTIONAL_COLUMNS, RECORD_COLUMNS, wholeLinesSql } from './records.ts'
import { rejectedLines } from './rejected.ts'

export interface CompactRequest {
  readonly model: string
  /** Milliseconds that a day must have ended ago, and that its files must not have been written to. */
  readonly grace: number
  readonly dryRun: boolean
  readonly tool: string
  readonly now: number
  readonly signal?: AbortSignal
  readonly progress?: (step: string, fraction?: number) => void
  /** Called before each step, with its name: where tests pull the plug. */
  readonly step?: (name: string) => void
}

export interface CompactedDay {
  readonly date: string
  readonly files: number
  /** Bytes of the lines, and of the Parquet file that took their place (null in a dry run). */
  readonly bytes: number
  readonly parquet: number | null
  readonly records: number | null
  readonly torn: number | null
}

export interface CompactResult {
  readonly model: string
  readonly home: string
  readonly dryRun: boolean
  readonly days: readonly CompactedDay[]
  /** Files that grew after they had been compacted: kept; their new lines are not counted. */
  readonly grown: readonly string[]
}

/** @throws usage `PREDICTIONS_NOT_FILES`; failed `COMPACTION_FAILED`, `PREDICTIONS_FULL`, … : then nothing was changed */
export async function compactLog(home: LogHome, request: CompactRequest): Promise<CompactResult> {
  if (home.kind !== 'files') {
    throw usage({
      code: 'PREDICTIONS_NOT_FILES',
      message: `The predictions of ${request.model} are in PostgreSQL, and compaction is for files.`,
      hint: 'PostgreSQL keeps its own house: VACUUM',
    })
  }
  return onDisk(home.folder, 'compact the prediction log', async () => {
    const days: CompactedDay[] = []
    const grown: string[] = []
    const found = listDays(home.folder)
    for (const [index, day] of found.entries()) {
      request.progress?.(`Compacting ${day.date}`, index / found.length)
      // What a killed compaction left: its part is published, the files are still there.
      if (!request.dryRun) grown.push(...(await removeReplaced(day, request)))
      const files = sealedFiles(day, request)
      if (files.length === 0) continue
      if (request.signal?.aborted) break
      const done = request.dryRun ? planned(day, files) : await compactDay(home.folder, day, files, request)
      if (done !== undefined) days.push(done)
    }
    if (!request.dryRun) removeLeftovers(home.folder, request.now)
    return { model: request.model, home: home.name, dryRun: request.dryRun, days, grown }
  })
}

/** Files nobody may append to any more. */
const sealedFiles = (day: LogDay, { now, grace }: CompactRequest): LogFile[] =>
  day.window.until + grace > now ? [] : day.lines.filter(({ modified }) => now - modified >= grace)

const bytesOf = (files: readonly LogFile[]): number => files.reduce((sum, { size }) => sum + size, 0)
const planned = (day: LogDay, files: readonly LogFile[]): CompactedDay => ({
  ...{ date: day.date, files: files.length, bytes: bytesOf(files), parquet: null, records: null, torn: null },
})

async function compactDay(
  modelFolder: string,
  day: LogDay,
  files: readonly LogFile[],
  request: CompactRequest,
): Promise<CompactedDay | undefined> {
  const part = await publishPart(modelFolder, day, files, request)
  if (part === undefined) return undefined
  await removeReplaced({ ...day, compacted: [part], replaced: files }, request)
  const { records, torn, parquet } = part.manifest
  return { date: day.date, files: files.length, bytes: bytesOf(files), parquet: parquet.size, records, torn }
}

/** @returns undefined when somebody else took care of the day: nothing has happened then */
async function publishPart(
  modelFolder: string,
  day: LogDay,
  files: readonly LogFile[],
  request: CompactRequest,
): Promise<CompactedPart | undefined> {
  const { step } = request
  const work = join(modelFolder, hiddenName('compacting'))
  const parquet = join(work, 'records.parquet')
  makeFolder(work)
  try {
    step?.('write')
    const paths = files.map(({ path }) => path)
    const facts = await writeParquet(paths, parquet, request).catch((error: unknown) => {
      if (!isBadLine(error)) throw error
      return writeCarefully(paths, parquet, request)
    })
    step?.('reject')
    if (facts.torn > 0) writeNew(join(work, 'rejected.txt'), rejectedLines(files, request.model, day))
    step?.('manifest')
    const manifest = await manifestOf(files, parquet, facts, request)
    writeNew(join(work, 'manifest.json'), [`${JSON.stringify(manifest)}\n`])
    syncFile(parquet)
    syncFolder(work)
    if (files.some((file) => statSync(file.path).size !== file.size)) throw notSealed(day)
    step?.('publish')
    const number = (day.compacted.at(-1)?.number ?? 0) + 1
    const folder = join(day.folder, compactedName(number))
    // Somebody else compacts too and was first: theirs counts, ours never happened.
    if (!renameFolder(work, folder)) return undefined
    syncFolder(day.folder)
    return { folder, number, manifest, parquet: join(folder, 'records.parquet') }
  } catch (error) {
    // Somebody else compacted or pruned the day meanwhile: theirs counts, ours never happened.
    if (files.some(({ path }) => !existsSync(path))) return undefined
    throw error
  } finally {
    if (existsSync(work)) removeFolder(work)
  }
}

interface Facts {
  readonly records: number
  readonly torn: number
  readonly first: string | null
  readonly last: string | null
  readonly identity: string
}

/** As `writeParquet`, without the lines at which DuckDB gives up a file: they are kept with what is no record. */
async function writeCarefully(paths: readonly string[], parquet: string, request: CompactRequest): Promise<Facts> {
  const spool = await makeSpool('the predictions of a day')
  try {
    if (existsSync(parquet)) removeFile(parquet)
    return await writeParquet(readableFiles(paths, dirname(spool.path)), parquet, request)
  } finally {
    spool.remove()
  }
}

/** Writes it, reads it back, and compares. @throws failed `COMPACTION_FAILED` */
async function writeParquet(paths: readonly string[], parquet: string, request: CompactRequest): Promise<Facts> {
  const duck = await openDuck([...paths, parquet], request.signal)
  try {
    const lines = wholeLinesSql(paths, request.model)
    const columns = [
      'id',
      'ts AS time',
      'CAST(version AS INTEGER) AS version',
      ...OPTIONAL_COLUMNS.map((name) => `"${name}"`),
      'raw',
    ]
    const list = columns.join(', ').replace(/"(features|output|tags)"/g, 'CAST("$1" AS VARCHAR) AS "$1"')
    await duck.rows(
      `COPY (SELECT ${list} FROM (${lines}) WHERE is_record) TO ${sqlPath(parquet)} (FORMAT parquet, COMPRESSION zstd)`,
    )
    const compared = [...RECORD_COLUMNS, 'raw']
    const before = await identityOf(duck, `SELECT * FROM (${lines}) WHERE is_record`, compared)
    const after = await identityOf(duck, `SELECT *, time AS ts FROM read_parquet(${sqlPath(parquet)})`, compared)
    if (before.sha256 !== after.sha256) {
      throw failed({
        code: 'COMPACTION_FAILED',
        message: `The Parquet file of ${before.rows} predictions does not say what their lines say. The lines were kept.`,
        hint: 'Run it again; if it fails again, please report it',
      })
    }
    const [row] = await duck.rows(`SELECT count(*) FILTER (NOT is_record) FROM (${lines})`)
    const { rows: records, first, last, sha256: identity } = before
    return { records, torn: Number(row?.[0] ?? 0), first, last, identity }
  } finally {
    duck.close()
  }
}

async function manifestOf(
  files: readonly LogFile[],
  parquet: string,
  facts: Facts,
  request: CompactRequest,
): Promise<Manifest> {
  return {
    v: 1,
    files: files.map(({ name, size }) => ({ name, size })),
    ...facts,
    parquet: await sha256File(parquet),
    tool: request.tool,
    time: new Date(request.now).toISOString(),
  }
}

const notSealed = (day: LogDay) =>
  failed({
    code: 'COMPACTION_NOT_SEALED',
    message: `A file of ${day.date} was written to while it was compacted. Nothing was changed.`,
    hint: 'A writer must not append to a day that is over: see docs/prediction-log.md, section 3',
  })

/**
 * Deletes files whose records a published part holds, after its bytes were hashed again.
 * @returns those that have grown since and are kept
 */
async function removeReplaced(day: LogDay, request: CompactRequest): Promise<string[]> {
  const grown: string[] = []
  for (const part of day.compacted) {
    const sizes = new Map(part.manifest.files.map(({ name, size }) => [name, size]))
    const files = day.replaced.filter(({ name }) => sizes.has(name))
    if (files.length === 0) continue
    if ((await sha256File(part.parquet)).sha256 !== part.manifest.parquet.sha256) {
      throw failed({
        code: 'PREDICTIONS_DAMAGED',
        message: `${part.parquet} is damaged: its bytes are not those that were written. The lines it was made of were kept.`,
        hint: `Move ${part.folder} away: then the lines beside it count again`,
        details: { file: part.parquet },
      })
    }
    for (const file of files) {
      request.step?.(`remove ${file.name}`)
      if (statSync(file.path, { throwIfNoEntry: false })?.size === sizes.get(file.name)) removeFile(file.path)
      else if (existsSync(file.path)) grown.push(file.path)
    }
    syncFolder(day.folder)
  }
  return grown
}
