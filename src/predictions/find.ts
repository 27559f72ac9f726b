/**
 * One prediction in the logs of several models: where its id says a time that day first, then newest first, and no
 * further than needed. One day of one log is in `find-day.ts`, a database in `find-postgres.ts`.
 */
import type { Context } from '../core/context.ts'
import { interrupted, isMlopsError, systemCode } from '../core/errors.ts'
import { DAY } from '../project/duration.ts'
import { dateOf, listDates } from './days.ts'
import { ALIKE, FolderSearch, type FoundInDay, type FoundLabel, type RejectedLine } from './find-day.ts'
import type { FoundRecord } from './find-record.ts'
import type { LogHome } from './home.ts'
import { idTime } from './id-time.ts'

export interface LogOf {
  readonly model: string
  readonly home: LogHome
}

/** What was looked at of one log. */
export interface LookedAt {
  readonly model: string
  /** Without credentials. */
  readonly home: string
  /** The first day that it holds; null for an empty log, and where days are no folders. */
  readonly since: string | null
  /** Days looked at, and how many there are; null where days are no folders. */
  readonly days: { readonly looked: number; readonly all: number } | null
  /** What could not be read, in words. */
  readonly unread: readonly string[]
}

export interface FoundPrediction {
  /** Oldest first; more than one where it was logged twice. Of all models. */
  readonly records: readonly FoundRecord[]
  readonly rejected: readonly (RejectedLine & { readonly model: string })[]
  /** Ids that begin with the text, where nothing has it whole. */
  readonly alike: readonly string[]
  readonly looked: readonly LookedAt[]
}

type SearchContext = Pick<Context, 'cwd' | 'env' | 'now' | 'signal' | 'stdin' | 'progress'>

/**
 * Files: after the day in which the id is found only the days beside it are looked at, for a request that was sent twice
 * around midnight.
 * @throws what a database answers, where it is the only log; what else cannot be read is said in `looked`
 */
export async function findPrediction(ctx: SearchContext, logs: readonly LogOf[], id: string): Promise<FoundPrediction> {
  const records: FoundRecord[] = []
  const looked: LookedAt[] = []
  const alike = new Set<string>()
  const tables = logs.flatMap(({ model, home }) => (home.kind === 'postgres' ? [{ model, home }] : []))
  const unread = new Map<string, string[]>()
  for (const { model, home } of tables) {
    const { recordsInTable } = await import('./find-postgres.ts')
    try {
      records.push(...(await recordsInTable(ctx, home, model, id)))
    } catch (error) {
      // A database that is down must not hide what another log says.
      if (logs.length === 1 || !isMlopsError(error) || error.code === 'INTERRUPTED') throw error
      unread.set(model, [error.message])
    }
    looked.push({ model, home: home.name, since: null, days: null, unread: unread.get(model) ?? [] })
  }
  const inFiles = records.length > 0 ? undefined : await findInFiles(ctx, logs, id)
  const answered = tables.filter(({ model }) => !unread.has(model))
  for (const { model, home } of inFiles?.records.length === 0 ? answered : []) {
    const { alikeInTable } = await import('./find-postgres.ts')
    for (const each of await alikeInTable(ctx, home, model, id)) alike.add(each)
  }
  for (const each of inFiles?.alike ?? []) alike.add(each)
  const all = [...records, ...(inFiles?.records ?? [])]
  return {
    records: all.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)),
    rejected: inFiles?.rejected ?? [],
    alike: all.length > 0 ? [] : [...alike].sort().slice(0, ALIKE),
    looked: [...looked, ...(inFiles?.looked ?? [])],
  }
}

interface FolderLog {
  readonly model: string
  readonly name: string
  readonly dates: readonly string[]
  readonly search: FolderSearch
  readonly unread: string[]
  looked: number
}

async function findInFiles(ctx: SearchContext, logs: readonly LogOf[], id: string): Promise<FoundPrediction> {
  const options = { cwd: ctx.cwd, ...(ctx.signal === undefined ? {} : { signal: ctx.signal }) }
  const folders = logs.flatMap(({ model, home }): FolderLog[] =>
    home.kind === 'files'
      ? [
          {
            model,
            name: home.name,
            dates: listDates(home.folder),
            search: new FolderSearch(home.folder, model, id, options),
            unread: [],
            looked: 0,
          },
        ]
      : [],
  )
  const records: FoundRecord[] = []
  const rejected: (RejectedLine & { model: string })[] = []
  const alike = new Set<string>()
  try {
    let rest = inOrder([...new Set(folders.flatMap(({ dates }) => dates))], idTime(id, ctx.now()))
    for (let date = rest.shift(); date !== undefined; date = rest.shift()) {
      if (ctx.signal?.aborted) throw interrupted({ code: 'INTERRUPTED', message: 'Interrupted while reading data.' })
      ctx.progress?.(`looking at the predictions of ${date}`)
      const before = records.length
      for (const log of folders.filter(({ dates }) => dates.includes(date))) {
        const found = await dayOf(log, date)
        records.push(...found.records)
        rejected.push(...found.rejected.map((line) => ({ ...line, model: log.model })))
        for (const each of found.alike) if (alike.size < ALIKE) alike.add(each)
      }
      if (before === 0 && records.length > 0) rest = rest.filter((other) => isBeside(other, date))
    }
  } finally {
    for (const { search } of folders) search.close()
  }
  const looked = folders.map(({ model, name, dates, looked: count, unread }) => ({
    model,
    home: name,
    since: dates[0] ?? null,
    days: { looked: count, all: dates.length },
    unread,
  }))
  return { records, rejected, alike: [...alike], looked }
}

/** A damaged day elsewhere must not hide what another day says. */
async function dayOf(log: FolderLog, date: string): Promise<FoundInDay> {
  log.looked++
  try {
    return await log.search.day(date)
  } catch (error) {
    const isOurs = isMlopsError(error) && error.code !== 'INTERRUPTED'
    if (!isOurs && systemCode(error) === undefined) throw error
    log.unread.push(isOurs ? error.message : `The predictions of ${date} cannot be read (${systemCode(error)}).`)
    return { records: [], rejected: [], alike: [] }
  }
}

/** The day that the id says and those around it, then newest first. */
function inOrder(dates: readonly string[], time: number | undefined): string[] {
  const newest = [...dates].sort().reverse()
  if (time === undefined) return newest
  const first = [0, DAY, -DAY].map((by) => dateOf(time + by)).filter((date) => newest.includes(date))
  return [...first, ...newest.filter((date) => !first.includes(date))]
}

const isBeside = (a: string, b: string): boolean => Math.abs(Date.parse(a) - Date.parse(b)) <= DAY

/** The label that counts for a prediction that was found; undefined while none has come. */
export async function labelOf(ctx: SearchContext, log: LogOf, record: FoundRecord): Promise<FoundLabel | undefined> {
  const { model, home } = log
  if (home.kind === 'postgres') return (await import('./find-postgres.ts')).labelInTable(ctx, home, model, record.id)
  const search = new FolderSearch(home.folder, model, record.id, { cwd: ctx.cwd })
  return search.label(dateOf(Date.parse(record.time)))
}
