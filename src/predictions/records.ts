/**
 * The records of a log as a DuckDB relation: lines and Parquet parts brought to the same columns, what is no record
 * marked as such, labels joined. Which files are read is decided in `reading.ts`, what is asked of them elsewhere.
 */
import { sqlPath, sqlText } from '../data/duck.ts'
import type { WindowQuery } from './types.ts'

/** Absolute paths. Their folder is named after the day: `date=…/name`. */
export interface RecordFiles {
  readonly lines: readonly string[]
  readonly parquet: readonly string[]
  readonly labels: readonly string[]
  /** A SELECT of the columns of a record, `is_record` and `label`, instead of files. */
  readonly rows?: string
}

/** Columns of a record besides `id`, `ts` and `version`, with the type they are read as. */
const OPTIONAL = {
  variant: 'VARCHAR',
  features: 'JSON',
  output: 'JSON',
  latency_ms: 'DOUBLE',
  status: 'VARCHAR',
  error: 'VARCHAR',
  user: 'VARCHAR',
  segment: 'VARCHAR',
  tokens: 'DOUBLE',
  cost: 'DOUBLE',
  tags: 'JSON',
  sample_rate: 'DOUBLE',
} as const
export const OPTIONAL_COLUMNS = Object.keys(OPTIONAL) as readonly (keyof typeof OPTIONAL)[]
export const RECORD_COLUMNS = ['id', 'ts', 'version', ...OPTIONAL_COLUMNS] as const
const LIST = OPTIONAL_COLUMNS.map((name) => `"${name}"`).join(', ')
/** The JSON type that an optional member must have; another one is taken as absent. */
const JSON_TYPES = {
  VARCHAR: ['VARCHAR'],
  DOUBLE: ['DOUBLE', 'BIGINT', 'UBIGINT'],
  JSON: undefined,
} as const

const READ = "format='newline_delimited', ignore_errors=true, hive_partitioning=false"
const pathList = (paths: readonly string[]): string => `[${paths.map(sqlPath).join(', ')}]`

const FAILED = "coalesce(status, 'ok') <> 'ok'"
const ANSWERED = `(${FAILED} OR features IS NOT NULL OR output IS NOT NULL)`

/** What makes a line a record of this model and day (docs/prediction-log.md, section 2). */
function isRecord(model: string): string {
  const day = `TRY_CAST(regexp_extract(filename, 'date=(\\d{4}-\\d{2}-\\d{2})[/\\\\][^/\\\\]+$', 1) AS DATE)`
  return [
    "id IS NOT NULL AND id <> ''",
    `ts IS NOT NULL AND CAST(ts AS DATE) = ${day}`,
    'number >= 0 AND number <= 2147483647 AND number = floor(number)',
    `model = ${sqlText(model)}`,
    ANSWERED,
  ].join(' AND ')
}

/** Every line of the files: the columns of a record and `is_record`. Numbers and texts are read as `read_json` reads. */
export function linesSql(lines: readonly string[], model: string): string {
  const types = Object.entries({ id: 'VARCHAR', time: 'VARCHAR', model: 'VARCHAR', version: 'DOUBLE', ...OPTIONAL })
  const columns = types.map(([name, type]) => `"${name}": '${type}'`).join(', ')
  const rate = 'CASE WHEN sample_rate >= 1e-9 AND sample_rate <= 1 THEN sample_rate END AS sample_rate'
  return `SELECT id, ts, TRY_CAST(number AS BIGINT) AS version, ${LIST.replace('"sample_rate"', rate)},
      coalesce(${isRecord(model)}, false) AS is_record
    FROM (SELECT *, TRY_CAST(time AS TIMESTAMP) AS ts, version AS number
      FROM read_json(${pathList(lines)}, ${READ}, records=true, filename=true, columns={${columns}}))`
}

/**
 * The same with `raw`: the whole line where the columns do not say all of it (members we do not know, or of another
 * type, or a time finer than microseconds). Twice as slow; for compaction, which must lose nothing.
 */
export function wholeLinesSql(lines: readonly string[], model: string): string {
  const known = ['v', 'id', 'time', 'model', 'version', ...OPTIONAL_COLUMNS]
  const odd = Object.entries(OPTIONAL).flatMap(([name, type]) => {
    const types = JSON_TYPES[type]
    if (types === undefined) return []
    const list = types.map(sqlText).join(', ')
    return [`coalesce(json_type(json, '$."${name}"') NOT IN (${list}), false)`]
  })
  const structure = Object.entries({ id: 'VARCHAR', time: 'VARCHAR', model: 'VARCHAR', version: 'DOUBLE', ...OPTIONAL })
  const shape = JSON.stringify(Object.fromEntries(structure))
  const whole = [
    `list_has_all([${known.map(sqlText).join(', ')}], json_keys(json))`,
    'len(json_keys(json)) = len(list_distinct(json_keys(json)))',
    ...odd.map((condition) => `NOT ${condition}`),
    // Anything but `…:00.123456Z` is kept as it was written.
    "regexp_full_match(time, '\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,6})?Z')",
  ]
  const rate = 'CASE WHEN sample_rate >= 1e-9 AND sample_rate <= 1 THEN sample_rate END AS sample_rate'
  return `SELECT id, ts, TRY_CAST(number AS BIGINT) AS version, ${LIST.replace('"sample_rate"', rate)},
      CASE WHEN ${whole.join(' AND ')} THEN NULL ELSE CAST(json AS VARCHAR) END AS raw,
      coalesce(${isRecord(model)}, false) AS is_record
    FROM (SELECT record.*, TRY_CAST(record.time AS TIMESTAMP) AS ts, record.version AS number, json, filename
      FROM (SELECT json, filename, json_transform(json, ${sqlText(shape)}) AS record
        FROM read_json_objects(${pathList(lines)}, ${READ}, filename=true)))`
}

/** Records of Parquet parts. */
export function parquetSql(parquet: readonly string[]): string {
  const list = LIST.replace(/"(features|output|tags)"/g, 'CAST("$1" AS JSON) AS "$1"')
  return `SELECT id, time AS ts, CAST(version AS BIGINT) AS version, ${list}, true AS is_record
    FROM read_parquet(${pathList(parquet)}, hive_partitioning=false)`
}

/** All lines and records; without any file an empty relation. */
export function allSql(files: RecordFiles, model: string): string {
  if (files.rows !== undefined) return files.rows
  const parts = [
    ...(files.lines.length === 0 ? [] : [linesSql(files.lines, model)]),
    ...(files.parquet.length === 0 ? [] : [parquetSql(files.parquet)]),
  ]
  if (parts.length > 0) return parts.join('\nUNION ALL ')
  const none = Object.entries(OPTIONAL).map(([name, type]) => `NULL::${type} AS "${name}"`)
  return `SELECT ''::VARCHAR AS id, NULL::TIMESTAMP AS ts, 0::BIGINT AS version, ${none.join(', ')}, false AS is_record WHERE false`
}

/** The condition of a window, on `ts`, `version`, `variant` and `is_record`. */
export function windowSql(query: WindowQuery): string {
  const conditions = ['is_record']
  if (Number.isFinite(query.since)) conditions.push(`ts >= ${timestamp(query.since)}`)
  if (Number.isFinite(query.until)) conditions.push(`ts < ${timestamp(query.until)}`)
  if (query.version !== undefined) conditions.push(`version = ${query.version}`)
  if (query.variant !== undefined) conditions.push(`variant = ${sqlText(query.variant)}`)
  return conditions.join(' AND ')
}

const timestamp = (time: number): string => `make_timestamp(${Math.ceil(time) * 1000})`

/** Records of a window. */
export const recordsSql = (files: RecordFiles, model: string, query: WindowQuery): string =>
  `SELECT * FROM (${allSql(files, model)}) WHERE ${windowSql(query)}`

/** A record that was answered: the others have nothing to be judged by. */
export const OK = `NOT (${FAILED})`
export { FAILED }

/** `id` and `label` (JSON) of the label that counts for each id; undefined without label files. */
export function labelsSql(labels: readonly string[]): string | undefined {
  if (labels.length === 0) return undefined
  return `SELECT id, arg_max(label, place) AS label FROM (
      SELECT id, label, row(TRY_CAST(time AS TIMESTAMP), regexp_extract(filename, '[^/\\\\]+$'), row_number() OVER ()) AS place
      FROM read_json(${pathList(labels)}, ${READ}, records=true, filename=true,
        columns={id: 'VARCHAR', time: 'VARCHAR', label: 'JSON'}))
    WHERE id IS NOT NULL AND label IS NOT NULL GROUP BY id`
}

/** Records of a window with the column `label` (JSON text or null). */
export function labelledSql(files: RecordFiles, model: string, query: WindowQuery): string {
  const labels = labelsSql(files.labels)
  const records = recordsSql(files, model, query)
  if (files.rows !== undefined) return records
  if (labels === undefined) return `SELECT *, NULL::JSON AS label FROM (${records})`
  return `SELECT r.*, l.label FROM (${records}) r LEFT JOIN (${labels}) l ON l.id = r.id`
}
