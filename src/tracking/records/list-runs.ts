/**
 * Lists of runs: which match, in which order, what is shown of each. How one run stands is in `run-row.ts`, the language
 * of filters in `where/`. Reads only.
 */
import type { Context } from '../../core/context.ts'
import { interrupted } from '../../core/errors.ts'
import { nearest } from '../../core/nearest.ts'
import type { RunFolder, Store } from '../../store/store.ts'
import { notesOf, tagsWith } from './annotations.ts'
import { fewWarnings } from './few-warnings.ts'
import { fieldLater, prepareOrder, type SortedBy } from './order.ts'
import { type RunRow, rowOf } from './run-row.ts'
import type { Field, RunFacts, Value } from './where/fields.ts'
import { Columns, type Filter, prepareFilter, type Values } from './where/filter.ts'
import { type KnownNames, noNames, noteLogged, noteNames } from './where/names.ts'
import { whyEmpty } from './where/why-empty.ts'

export interface ListRequest {
  /** At most so many; 0 for all. */
  readonly limit: number
  readonly model?: string | undefined
  /** As typed (docs/runs.md); of several all must hold. */
  readonly where?: string | readonly string[] | undefined
  /** As typed: `auc`, `params.depth:desc`. None: newest first. */
  readonly sort?: readonly string[] | undefined
  /** Names whose values are wanted; those of the filter and the order where none are named. */
  readonly columns?: readonly string[] | undefined
}

export interface ListedRun extends RunRow {
  readonly host: string
  /** The run that this one repeats. */
  readonly reproduces: string | null
  /** Null outside of git. */
  readonly commit: string | null
  /** Were there changes that are in no commit? */
  readonly dirty: boolean | null
  readonly seed: number | null
  /** Declared data. */
  readonly data: readonly { readonly name: string; readonly sha256: string; readonly rows: number | null }[]
  /** What people said of it, oldest first. */
  readonly notes: readonly string[]
  /** By the names in `columns`. */
  readonly values: Readonly<Record<string, Value>>
}

export interface RunList {
  readonly runs: readonly ListedRun[]
  /** Runs in the store, shown or not. */
  readonly total: number
  /** How many match, shown or not. */
  readonly matched: number
  /** Several filters as one. */
  readonly where: string | null
  /** Empty: newest first. */
  readonly sort: readonly SortedBy[]
  readonly columns: readonly string[]
  /** What may have been meant, where nothing matches. */
  readonly hints: readonly string[]
  /** Characters that tell the id of every run in the store from those of all others. */
  readonly unique: number
}

interface Found {
  readonly id: string
  readonly values: Values
}

/** What was read of all runs. */
interface Scan {
  /** Those of the model, where one was asked for. */
  readonly found: readonly Found[]
  readonly known: KnownNames
  /** That any run names. */
  readonly models: ReadonlySet<string>
}

/** @throws usage `FILTER_INVALID`, `SORT_INVALID`, `COLUMN_INVALID` */
export async function listRuns(ctx: Context, store: Store, request: ListRequest): Promise<RunList> {
  const { sort = [], model, limit } = request
  const texts = [request.where ?? []].flat()
  const where = texts.length > 1 ? texts.map((text) => `(${text})`).join(' and ') : texts[0]
  const now = ctx.now().getTime()
  const columns = new Columns()
  // What is typed wrongly is said before anything is read.
  const filter = all(texts.map((text) => prepareFilter(text, columns, now)))
  const order = prepareOrder(sort, columns)
  const chosen = request.columns?.map((name) => fieldLater(name, columns, 'COLUMN_INVALID'))
  const ids = await store.runs.list()
  const isPlain = filter === undefined && sort.length === 0 && model === undefined
  // Whether any run has a metric of this name is not said by those that are shown.
  const isNamed = columns.fields.some(({ name }) => /^(?:metrics|params|data)\./.test(name))
  const looked = isPlain && limit > 0 && !isNamed ? ids.slice(0, limit) : ids
  const reading = fewWarnings(ctx)
  const scan = isPlain && chosen === undefined ? undefined : await readAll(reading.ctx, store, looked, columns, model)
  const known = scan?.known ?? noNames()
  const runs = scan?.found.length ?? 0
  const settled = filter?.settle(known, runs)
  const ordered = order(known, runs)
  for (const warning of new Set([...(settled?.warnings ?? []), ...ordered.warnings])) ctx.warn(warning)
  const shown = chosen?.map((field) => field(known, runs)) ?? [...ordered.fields, ...(settled?.fields ?? [])]
  const fields = [...new Map(shown.map((field) => [field.name, field])).values()]
  const matching = isPlain ? ids : inOrder(scan?.found ?? [], settled?.test, ordered.compare)
  const picked = limit > 0 ? matching.slice(0, limit) : matching
  const rows = await rowsOf(reading.ctx, store, picked, fields)
  reading.tell()
  return {
    runs: rows,
    total: ids.length,
    matched: isPlain ? ids.length : matching.length,
    where: where ?? null,
    sort: ordered.by,
    columns: fields.map(({ name }) => name),
    hints: matching.length > 0 ? [] : hintsFor(columns, scan, texts, model),
    unique: uniqueLength(ids),
  }
}

/** All of them hold. */
function all(filters: readonly Filter[]): Filter | undefined {
  const [only] = filters
  if (filters.length < 2) return only
  return {
    settle(known, runs) {
      const settled = filters.map((filter) => filter.settle(known, runs))
      return {
        test: (values) => settled.every(({ test }) => test(values)),
        fields: settled.flatMap(({ fields }) => fields),
        warnings: settled.flatMap(({ warnings }) => warnings),
      }
    },
  }
}

function hintsFor(
  columns: Columns,
  scan: Scan | undefined,
  where: readonly string[],
  model: string | undefined,
): string[] {
  const { found, models } = scan ?? { found: [], models: new Set<string>() }
  if (found.length > 0) {
    const isMissing = (name: string): boolean => {
      const at = columns.placesOf(name)
      return at.length > 0 && found.some(({ values }) => at.every((each) => (values[each] ?? null) === null))
    }
    return where.flatMap((text) => whyEmpty(text, isMissing))
  }
  if (model === undefined) return []
  const meant = nearest(model, [...models])
  if (meant !== undefined) return [`Did you mean ${meant}?`]
  return models.size === 0 ? [] : [`There are runs of ${[...models].sort().slice(0, 8).join(', ')}.`]
}

/** Newest first where nothing else decides: a sort is stable, and so they came. */
function inOrder(
  found: readonly Found[],
  test: ((values: Values) => boolean) | undefined,
  compare: (a: Values, b: Values) => number,
): string[] {
  const matching = test === undefined ? [...found] : found.filter(({ values }) => test(values))
  return matching.sort((a, b) => compare(a.values, b.values)).map(({ id }) => id)
}

/** Reading is synchronous: without a pause after so many Ctrl-C would not be heard. */
const BATCH = 500

/** Only the values that are asked for are kept: 100,000 whole records would not be small. */
async function readAll(
  ctx: Context,
  store: Store,
  ids: readonly string[],
  columns: Columns,
  model: string | undefined,
): Promise<Scan> {
  const known = noNames()
  const models = new Set<string>()
  const found: Found[] = []
  const now = ctx.now().getTime()
  const isSaid = columns.fields.some(({ said }) => said === true)
  const valuesOfEnd = model === undefined ? columns.readEnd() : undefined
  for (let from = 0; from < ids.length; from += BATCH) {
    const batch = ids.slice(from, from + BATCH)
    const said = isSaid ? await store.runs.annotationsOf(batch) : []
    const ends = valuesOfEnd === undefined ? [] : await store.runs.ends(batch)
    const folders = valuesOfEnd === undefined ? await store.runs.readEnded(batch) : []
    for (const [at, id] of batch.entries()) {
      const end = ends[at]
      if (end !== undefined && valuesOfEnd !== undefined) {
        noteLogged(known, end)
        found.push({ id, values: valuesOfEnd(end, said[at] ?? []) })
        continue
      }
      const folder = folders[at] ?? (await readable(ctx, store, id))
      if (folder === undefined) continue
      if (folder.start.model !== undefined) models.add(folder.start.model)
      if (model !== undefined && folder.start.model !== model) continue
      const row = await rowOf(ctx, store, folder)
      const facts = { row, start: folder.start, end: folder.end, said: said[at] ?? [], now }
      noteNames(known, facts)
      found.push({ id, values: columns.read(facts) })
    }
    await pause(ctx)
  }
  return { found, known, models }
}

async function rowsOf(
  ctx: Context,
  store: Store,
  ids: readonly string[],
  fields: readonly Field[],
): Promise<ListedRun[]> {
  const rows: ListedRun[] = []
  const now = ctx.now().getTime()
  for (let from = 0; from < ids.length; from += BATCH) {
    const batch = ids.slice(from, from + BATCH)
    const [folders, allSaid] = [await store.runs.readEnded(batch), await store.runs.annotationsOf(batch)]
    for (const [at, id] of batch.entries()) {
      const folder = folders[at] ?? (await readable(ctx, store, id))
      if (folder === undefined) continue
      const { start, end } = folder
      const said = allSaid[at] ?? []
      rows.push(listed({ row: await rowOf(ctx, store, folder), start, end, said, now }, fields))
    }
    await pause(ctx)
  }
  return rows
}

function listed(facts: RunFacts, fields: readonly Field[]): ListedRun {
  const { row, start, said } = facts
  return {
    ...row,
    tags: tagsWith(row.tags, said),
    host: start.host.name,
    reproduces: start.reproduces ?? null,
    commit: start.git?.commit ?? null,
    dirty: start.git?.dirty ?? null,
    seed: start.seed ?? null,
    data: start.data.map(({ name, sha256, rows }) => ({ name, sha256, rows: rows ?? null })),
    notes: notesOf(said).map(({ text }) => text),
    values: Object.fromEntries(fields.map((field) => [field.name, field.read(facts)])),
  }
}

async function pause(ctx: Context): Promise<void> {
  await new Promise(setImmediate)
  if (ctx.signal?.aborted === true) {
    throw interrupted({ code: 'INTERRUPTED', message: 'Stopped while the runs were read.' })
  }
}

/** A damaged run is warned of and passed over. */
async function readable(ctx: Context, store: Store, id: string): Promise<RunFolder | undefined> {
  return store.runs.read(id).catch((error: unknown) => {
    ctx.warn(error instanceof Error ? error.message : String(error))
    return undefined
  })
}

/** @param ids in order, or in reverse */
function uniqueLength(ids: readonly string[]): number {
  let longest = 0
  for (let at = 1; at < ids.length; at++) {
    const [a = '', b = ''] = [ids[at - 1], ids[at]]
    let common = 0
    while (common < a.length && a[common] === b[common]) common += 1
    longest = Math.max(longest, common)
  }
  return longest + 1
}
