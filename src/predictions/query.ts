/**
 * SQL over the log: a view `predictions` over the records of a window, asked by one SELECT that can read nothing else
 * and change nothing.
 */
import { type MlopsError, usage } from '../core/errors.ts'
import { type Duck, sqlText } from '../data/duck.ts'
import type { Reading } from './reading.ts'
import { labelledSql } from './records.ts'
import type { WindowQuery } from './types.ts'

export type Cell = string | number | boolean | null

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** Whole numbers beyond 2^53, times and nested values are texts (the latter JSON). */
  readonly rows: readonly (readonly Cell[])[]
  /** True when there were more rows than the limit. */
  readonly isCut: boolean
  readonly limit: number
}

/** The columns of `predictions`, for help and for errors. */
export const VIEW_COLUMNS =
  'id, time, model, version, variant, features, output, latency_ms, status, error, "user", segment, tokens, cost, tags, sample_rate, label'

/** @throws usage `SQL_INVALID` with what DuckDB says of it */
export async function queryRecords(
  reading: Reading,
  query: WindowQuery,
  sql: string,
  limit: number,
): Promise<QueryResult> {
  const { duck } = reading
  const select = sql.trim().replace(/;\s*$/, '')
  await duck.rows(
    `CREATE TEMP VIEW predictions AS SELECT id, ts AS time, ${sqlText(reading.model)} AS model, version, variant, features,
       output, latency_ms, coalesce(status, 'ok') AS status, error, "user", segment, tokens, cost, tags, sample_rate, label
     FROM (${labelledSql(reading.files, reading.model, query)})`,
  )
  await assertOneSelect(duck, select)
  try {
    // The line break ends a comment at the end of what the user wrote.
    const described = await duck.rows(`DESCRIBE SELECT * FROM (${select}\n)`)
    const columns = described.map(([name, type]) => ({ name: String(name), type: String(type) }))
    const names = columns.map((_, index) => `c${index}`)
    const cells = columns.map(({ type }, index) => cellSql(type, `c${index}`))
    const rows = await duck.rows(
      `SELECT ${cells.join(', ')} FROM (${select}\n) AS q(${names.join(', ')}) LIMIT ${limit + 1}`,
    )
    return {
      columns,
      rows: rows.slice(0, limit).map((row) => row.map((value, index) => cell(value, columns[index]?.type ?? ''))),
      isCut: rows.length > limit,
      limit,
    }
  } catch (error) {
    throw sqlError(error)
  }
}

/** DuckDB's own parser says whether it is one SELECT: nothing else can be serialised. */
async function assertOneSelect(duck: Duck, sql: string): Promise<void> {
  const [row] = await duck.rows(`SELECT CAST(json_serialize_sql(${sqlText(sql)}) AS VARCHAR)`)
  const parsed = JSON.parse(String(row?.[0] ?? '{}')) as {
    error?: boolean
    error_type?: string
    error_message?: string
    statements?: unknown[]
  }
  if (parsed.error === true && parsed.error_type === 'parser') throw sqlProblem(String(parsed.error_message))
  if (parsed.error === true || parsed.statements?.length !== 1) {
    throw sqlProblem('it must be one SELECT: the log is only read here')
  }
}

const NUMBER = /^(?:TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT|UINTEGER|FLOAT|DOUBLE|DECIMAL.*)$/
const WHOLE = /^(?:BIGINT|UBIGINT|HUGEINT|UHUGEINT)$/
const NESTED = /[[\]]$|^(?:STRUCT|MAP|UNION|LIST)/

function cellSql(type: string, column: string): string {
  if (/^(?:FLOAT|DOUBLE|DECIMAL)/.test(type)) return `CAST(${column} AS DOUBLE)`
  if (NUMBER.test(type) || type === 'BOOLEAN') return column
  if (type === 'TIMESTAMP') return `strftime(${column}, '%Y-%m-%dT%H:%M:%S.%gZ')`
  if (NESTED.test(type)) return `CAST(to_json(${column}) AS VARCHAR)`
  return `CAST(${column} AS VARCHAR)`
}

function cell(value: unknown, type: string): Cell {
  if (value === null || value === undefined) return null
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'boolean') return value
  const text = String(value)
  return WHOLE.test(type) && Number.isSafeInteger(Number(text)) ? Number(text) : text
}

function sqlError(error: unknown): MlopsError | unknown {
  const text = error instanceof Error ? error.message : String(error)
  if (/^Out of Memory Error/.test(text)) return sqlProblem('its result does not fit into the memory limit of 768 MB')
  const kind =
    /^(?:Binder|Catalog|Parser|Conversion|Invalid Input|Out of Range|Permission|Not implemented) Error: (.*)/s.exec(
      text,
    )
  if (kind === null) return error
  const [first = '', ...more] = (kind[1] ?? '').split('\n').filter((line) => line.trim() !== '')
  const candidates = more.find((line) => /^(?:Candidate|Did you mean)/.test(line.trim()))
  return sqlProblem([first, candidates?.trim()].filter((line) => line !== undefined).join(' '))
}

const sqlProblem = (what: string): MlopsError =>
  usage({
    code: 'SQL_INVALID',
    message: `The SQL cannot be run: ${what.replace(/[.!\s]+$/, '')}.`,
    hint: `The one table is predictions with ${VIEW_COLUMNS}; a feature is features->>'name'`,
  })
