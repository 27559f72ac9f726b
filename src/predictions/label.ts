/**
 * Ground truth that arrives later, joined to the log by prediction id (docs/prediction-log.md, section 4). Appends what
 * is new or different, so that the same file given twice changes nothing.
 */
import { appendFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { usage } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import { sqlPath } from '../data/duck.ts'
import type { DataInput } from '../data/input.ts'
import type { Source } from '../data/source.ts'
import { makeSpool } from '../data/spool.ts'
import { dayFolder } from './days.ts'
import { makeFolder, onDisk, syncFolder, writeNew, writerName } from './disk.ts'
import type { LogContext, LogHome } from './home.ts'
import { classReader } from './label-classes.ts'
import { readerOf } from './log.ts'
import type { Reading } from './reading.ts'
import { recordsSql } from './records.ts'
import type { RowShape, TimeWindow } from './types.ts'

export interface LabelRequest {
  readonly model: string
  readonly input: DataInput
  /** Columns of the file; found by themselves when undefined. */
  readonly idColumn?: string
  readonly labelColumn?: string
  /** `schema.target` of mlops.yaml: what the label column may be called. */
  readonly target?: string
  /** How the training data spell the target, where that is known. */
  readonly targetClasses?: RowShape['targetClasses']
  /** Where the predictions are looked for. */
  readonly window: TimeWindow
}

export interface LabelResult {
  readonly model: string
  readonly home: string
  readonly source: string
  readonly idColumn: string
  readonly labelColumn: string
  /** Rows of the file. */
  readonly rows: number
  /** Different ids that were labelled for the first time, anew, or as they were already. */
  readonly labelled: number
  readonly changed: number
  readonly unchanged: number
  /** Different ids that are not in the log (yet): kept, and joined when they come. */
  readonly unknown: number
  /** Some of them. */
  readonly unknownIds: readonly string[]
  /** Rows without id or label: passed over. */
  readonly blank: number
  /** Labels that are no class of the training data, or no number where it has numbers; some of them. Joined all the same. */
  readonly odd: readonly string[]
}

/** What the join says, however it was made. */
export interface Joined {
  readonly labelled: number
  readonly changed: number
  readonly unchanged: number
  readonly unknown: number
  readonly unknownIds: readonly string[]
}

const ID_NAMES = ['id', 'prediction_id', 'predictionid', 'prediction id']
const LABEL_NAMES = ['label', 'actual', 'truth', 'y_true', 'target', 'outcome']
const SHOWN = 5

/** @throws usage `LABEL_COLUMN_UNKNOWN`; what opening the data throws; failed `PREDICTIONS_FULL`, … */
export async function labelPredictions(ctx: LogContext, home: LogHome, request: LabelRequest): Promise<LabelResult> {
  const spool = await makeSpool('the labels')
  try {
    const options = {
      cwd: ctx.cwd,
      ...(ctx.signal === undefined ? {} : { signal: ctx.signal }),
      ...(ctx.stdin === undefined ? {} : { stdin: ctx.stdin }),
    }
    const read = await request.input.open(options, (source) => spoolLabels(source, request, spool.path))
    const joined =
      home.kind === 'files'
        ? await readerOf(ctx, home, request.model)(
            request.window,
            (reading) =>
              onDisk(home.folder, 'label the predictions', () =>
                joinLabels(reading, home.folder, spool.path, ctx.now()),
              ),
            { more: [spool.path] },
          )
        : await (await import('./postgres-write.ts')).labelRows(ctx, home, request.model, spool.path)
    return { model: request.model, home: home.name, source: request.input.name, ...read, ...joined }
  } finally {
    spool.remove()
  }
}

type ReadLabels = Pick<LabelResult, 'idColumn' | 'labelColumn' | 'rows' | 'blank' | 'odd'>

/** The file's rows as lines `{n, id, label}`, so that files of every kind are joined alike. */
async function spoolLabels(source: Source, request: LabelRequest, path: string): Promise<ReadLabels> {
  const names = source.columns.map(({ name }) => name)
  const idColumn = columnFor('--id', request.idColumn, ID_NAMES, names, source.name)
  const rest = names.filter((name) => name !== idColumn)
  const likely = [...(request.target === undefined ? [] : [request.target]), ...LABEL_NAMES]
  const guess = rest.length === 1 ? rest : likely
  const labelColumn = columnFor('--label', request.labelColumn, guess, names, source.name)
  const sql = (column: string) => `CAST(${source.columns.find(({ name }) => name === column)?.sql} AS VARCHAR)`
  let [rows, blank] = [0, 0]
  const odd = new Set<string>()
  const isOdd = oddLabels(request.targetClasses)
  writeFileSync(path, '', { mode: 0o600 })
  await source.duck.stream(`SELECT ${sql(idColumn)}, ${sql(labelColumn)} FROM ${source.relation}`, (chunk) => {
    const [ids, labels] = [chunk.vector(0), chunk.vector(1)]
    const lines: string[] = []
    for (let row = 0; row < chunk.rows; row++) {
      rows++
      const [id, label] = [ids.text(row), labelOf(labels.text(row))]
      if (id === null || id === '' || label === null) blank++
      else lines.push(`${JSON.stringify({ n: rows, id, label })}\n`)
      if (label !== null && odd.size < SHOWN && isOdd(String(label))) odd.add(String(label))
    }
    appendFileSync(path, lines.join(''))
  })
  await source.assertUnchanged()
  return { idColumn, labelColumn, rows, blank, odd: [...odd] }
}

/** Each spelling is looked at once. */
function oddLabels(classes: LabelRequest['targetClasses']): (label: string) => boolean {
  if (classes === undefined) return () => false
  if (classes === 'numbers') return (label) => Number.isNaN(Number(label)) && label.toLowerCase() !== 'nan'
  const classOf = classReader(classes)
  return (label) => classOf(label) === undefined
}

function columnFor(
  flag: string,
  given: string | undefined,
  likely: readonly string[],
  names: readonly string[],
  source: string,
): string {
  const found =
    given === undefined ? names.find((name) => likely.includes(name.toLowerCase()) || likely.includes(name)) : given
  if (found !== undefined && names.includes(found)) return found
  const close = given === undefined ? undefined : nearest(given, names)
  throw usage({
    code: 'LABEL_COLUMN_UNKNOWN',
    message:
      given === undefined
        ? `It is not clear which column of ${source} is meant by ${flag}; it has ${names.slice(0, 20).join(', ')}.`
        : `${source} has no column ${JSON.stringify(given)}${close === undefined ? '' : `; did you mean ${JSON.stringify(close)}?`}`,
    hint: `Name it: ${flag} COLUMN`,
  })
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** A text of a file as a JSON value: numbers and booleans are told from words; what is blank is no label. */
export function labelOf(text: string | null): string | number | boolean | null {
  const trimmed = text?.trim() ?? ''
  if (trimmed === '') return null
  if (/^(?:true|false)$/i.test(trimmed)) return trimmed.toLowerCase() === 'true'
  if (!JSON_NUMBER.test(trimmed)) return trimmed
  const number = Number(trimmed)
  // What a double cannot hold stays as it is written.
  return Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number)) ? number : trimmed
}

const PLACE =
  "coalesce(nullif(regexp_extract(filename, 'date=(\\d{4}-\\d{2}-\\d{2})[/\\\\]labels[/\\\\][^/\\\\]+$', 1), ''), '')"

/** Compares with what is known and appends the rest to the labels of each day. */
async function joinLabels(reading: Reading, folder: string, path: string, now: Date): Promise<Joined> {
  const { duck, files, model } = reading
  const everything = { since: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY }
  const options = "format='newline_delimited', records=true, hive_partitioning=false"
  await duck.rows(
    `CREATE TEMP TABLE fresh AS SELECT id, arg_max(label, n) AS label FROM
       read_json(${sqlPath(path)}, ${options}, columns={n: 'BIGINT', id: 'VARCHAR', label: 'JSON'}) GROUP BY id`,
  )
  const known =
    files.labels.length === 0
      ? "SELECT '' AS id, '' AS place, '{}'::JSON AS label, 0 AS placed WHERE false"
      : `SELECT id, ${PLACE} AS place, label, {'moment': TRY_CAST(time AS TIMESTAMP), 'file': regexp_extract(filename, '[^/\\\\]+$'), 'line': row_number() OVER ()} AS placed
         FROM read_json([${files.labels.map(sqlPath).join(', ')}], ${options}, ignore_errors=true, filename=true,
           columns={id: 'VARCHAR', time: 'VARCHAR', label: 'JSON'}) WHERE id IN (SELECT id FROM fresh)`
  await duck.rows(`CREATE TEMP TABLE known AS ${known}`)
  // Of a prediction: the labels of its day and those that came before it; of an unknown id: the latter.
  await duck.rows(
    `CREATE TEMP TABLE joined AS
     WITH found AS (SELECT DISTINCT id, strftime(ts, '%Y-%m-%d') AS day FROM (${recordsSql(files, model, everything)}) WHERE id IN (SELECT id FROM fresh)),
       places AS (SELECT fresh.id, label, coalesce(day, '') AS day FROM fresh LEFT JOIN found USING (id))
     SELECT p.id, p.day, any_value(p.label) AS label, arg_max(k.label, k.placed) AS was
     FROM places p LEFT JOIN known k ON k.id = p.id AND (k.place = p.day OR k.place = '') GROUP BY p.id, p.day`,
  )
  await appendNew(reading, folder, await timeOfLabels(reading, now))
  return countJoined(reading)
}

/** Now; after every label that is known, so that a clock that went wrong once does not decide for ever. */
async function timeOfLabels({ duck, files }: Reading, now: Date): Promise<string> {
  if (files.labels.length === 0) return now.toISOString()
  const [row] = await duck.rows('SELECT CAST(max(epoch_ms(placed.moment)) AS DOUBLE) FROM known')
  const last = Number(row?.[0] ?? 0)
  return new Date(Math.max(now.getTime(), last + 1)).toISOString()
}

async function appendNew({ duck }: Reading, folder: string, time: string): Promise<void> {
  const writer = writerName()
  const days = await duck.rows('SELECT DISTINCT day FROM joined WHERE was IS NULL OR was <> label ORDER BY day')
  for (const [day] of days) {
    const place = day === '' ? join(folder, 'unmatched') : join(folder, dayFolder(String(day)), 'labels')
    makeFolder(place)
    const path = join(place, `${writer}-0001.jsonl`)
    const lines: string[] = []
    await duck.stream(
      `SELECT id, CAST(label AS VARCHAR) FROM joined WHERE day = '${String(day)}' AND (was IS NULL OR was <> label) ORDER BY id`,
      (chunk) => {
        const [ids, labels] = [chunk.vector(0), chunk.vector(1)]
        for (let row = 0; row < chunk.rows; row++) {
          lines.push(`{"v":1,"id":${JSON.stringify(ids.text(row))},"time":"${time}","label":${labels.text(row)}}\n`)
        }
      },
    )
    writeNew(path, lines)
    syncFolder(place)
    syncFolder(dirname(place))
  }
}

async function countJoined({ duck }: Reading): Promise<Joined> {
  const [row] = await duck.rows(
    `SELECT count(*) FILTER (day <> '' AND fresh), count(*) FILTER (day <> '' AND changed AND NOT fresh),
       count(*) FILTER (day <> '' AND NOT changed AND NOT fresh), count(*) FILTER (day = '')
     FROM (SELECT id, max(day) AS day, bool_or(was IS NULL) AS fresh, bool_or(was <> label) AS changed FROM joined GROUP BY id)`,
  )
  const unknown = await duck.rows(`SELECT id FROM joined WHERE day = '' ORDER BY id LIMIT ${SHOWN}`)
  const [labelled = 0, changed = 0, unchanged = 0, missing = 0] = (row ?? []).map(Number)
  return { labelled, changed, unchanged, unknown: missing, unknownIds: unknown.map(([id]) => String(id)) }
}
