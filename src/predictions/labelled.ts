/**
 * The labelled rows of a window as a file that an evaluation command can read: features and truth under the names of
 * the training data, in the order in which the service gives them to its model. Which rows and which command is decided in `src/lifecycle/`; how records become
 * columns is in `rows.ts`.
 */
import { open, rename } from 'node:fs/promises'
import { type Duck, openDuck, sqlPath } from '../data/duck.ts'
import type { Source } from '../data/source.ts'
import type { Reading } from './reading.ts'
import { labelledSql, OK } from './records.ts'
import { withRows } from './rows.ts'
import type { LabelledFile, LabelledRequest, WindowQuery } from './types.ts'

/** Different labels that are counted one by one: more are numbers. */
const MOST_CLASSES = 50

/** @param name of the log, for people */
export async function writeLabelled(
  reading: Reading,
  name: string,
  query: WindowQuery,
  request: LabelledRequest,
): Promise<LabelledFile> {
  const { duck, files, model } = reading
  const answered = `SELECT * FROM (${labelledSql(files, model, query)}) WHERE ${OK} AND features IS NOT NULL AND label IS NOT NULL`
  const [counted] = await duck.rows(`SELECT count(*) FROM (${answered})`)
  const labelled = Number(counted?.[0] ?? 0)
  const nothing = { labelled, rows: 0, missing: [], classes: {}, notes: [] }
  if (labelled < Math.max(1, request.fewest)) return nothing
  // Chosen by their ids: the same ones whenever they are asked for.
  const sampled = labelled > request.most ? ` ORDER BY md5_number_lower(id), id LIMIT ${request.most}` : ''
  const rows = `SELECT *, true AS is_record FROM (SELECT * EXCLUDE (is_record) FROM (${answered})${sampled})`
  const chosen: Reading = { ...reading, files: { lines: [], parquet: [], labels: [], rows } }
  const logged = await loggedFeatures(duck, rows)
  // Models may insist on the order of their columns. A profile does not keep it; the service that asks them does.
  const known = logged.filter((name) => request.columns?.includes(name) !== false)
  const columns = [...known, ...(request.columns ?? []).filter((name) => !known.includes(name))]
  const { target, targetClasses } = request
  const shape = {
    columns,
    target,
    ...(targetClasses === undefined ? {} : { targetClasses }),
    ...(request.prediction === undefined ? {} : { prediction: request.prediction }),
  }
  const window = { since: query.since, until: query.until }
  return withRows(chosen, name, window, shape, { cwd: '/', expected: [...columns, target] }, async (source) => {
    const missing = columns.filter((column) => !source.keys?.has(column) && !request.optional.includes(column))
    const hasTarget = source.columns.some((column) => column.name === target)
    if (missing.length > 0 || !hasTarget) return { ...nothing, missing, notes: source.notes }
    const wanted = [...columns, target].flatMap((column) => source.columns.find((each) => each.name === column) ?? [])
    const classes = await writeCsv(source, wanted, target, request.path)
    if (request.format === 'parquet') await toParquet(request.path)
    return { labelled, rows: Math.min(labelled, request.most), missing, classes, notes: source.notes }
  })
}

/** In the order of the record that has the most. */
async function loggedFeatures(duck: Duck, rows: string): Promise<string[]> {
  const [most] = await duck.rows(
    `SELECT json_keys(features) FROM (${rows}) ORDER BY len(json_keys(features)) DESC, id LIMIT 1`,
  )
  const listed = (most?.[0] as { readonly items?: readonly unknown[] } | undefined)?.items ?? []
  return listed.map(String)
}

/** @returns how many rows have each label; empty for more than `MOST_CLASSES` different ones */
async function writeCsv(
  source: Source,
  columns: Source['columns'],
  target: string,
  path: string,
): Promise<Record<string, number>> {
  const file = await open(path, 'wx', 0o600)
  const counts = new Map<string, number>()
  const place = columns.findIndex(({ name }) => name === target)
  try {
    await file.writeFile(`${columns.map(({ name }) => quoted(name)).join(',')}\n`)
    const pieces: string[] = []
    const select = columns.map(({ sql }) => sql).join(', ')
    await source.duck.stream(`SELECT ${select} FROM ${source.relation}`, (chunk) => {
      const vectors = columns.map((_, index) => chunk.vector(index))
      for (let row = 0; row < chunk.rows; row++) {
        const values = vectors.map(({ text }) => text(row))
        const label = values[place] ?? ''
        if (counts.size <= MOST_CLASSES) counts.set(label, (counts.get(label) ?? 0) + 1)
        pieces.push(`${values.map((value) => (value === null ? '' : quoted(value))).join(',')}\n`)
      }
    })
    await file.writeFile(pieces.join(''))
  } finally {
    await file.close()
  }
  return counts.size > MOST_CLASSES ? {} : Object.fromEntries(counts)
}

/** Where it must be: `"1"` is text to some readers, `1` is not. */
const quoted = (value: string): string => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)

/** With the types that a reader of the CSV would find: those of the training data are not recorded. */
async function toParquet(path: string): Promise<void> {
  const text = `${path}.csv`
  await rename(path, text)
  const duck = await openDuck([text, path])
  try {
    await duck.rows(
      `COPY (SELECT * FROM read_csv(${sqlPath(text)}, header=true, sample_size=-1, nullstr='')) TO ${sqlPath(path)} (FORMAT parquet)`,
    )
  } finally {
    duck.close()
  }
}
