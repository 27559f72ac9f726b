/**
 * A table or a query of a PostgreSQL database as data: its rows are fetched once, through a cursor in a read-only
 * transaction, into a private temporary file that DuckDB counts. Talking to the server is in `postgres-fetch.ts`, its
 * errors in `postgres-error.ts`.
 */
import { usage } from '../core/errors.ts'
import { redactText } from '../core/redact.ts'
import { openDuck, sqlPath } from './duck.ts'
import type { DataInput } from './input.ts'
import { type Database, databaseError } from './postgres-error.ts'
import { type Fetched, type FetchedColumn, fetchRows } from './postgres-fetch.ts'
import { readError } from './read-error.ts'
import { assertColumns, type SourceColumn } from './source.ts'

export interface DatabaseRequest {
  /** `postgres://user@host:port/database?table=NAME&sslmode=…`; without a password, PGPASSWORD or ~/.pgpass has it. */
  readonly url: string
  /** One SELECT. */
  readonly query?: string
  /** `churn` or `schema.churn`, instead of `?table=` in the URL. */
  readonly table?: string
}

export const isDatabaseUrl = (word: string): boolean => /^postgres(?:ql)?:\/\//i.test(word)

/**
 * The rows of a table or of one SELECT. Fetched at the first `open`, and once only: opening the same input again reads
 * the same rows. Identity: sha256 of the columns' names and types and of the rows as the server writes them, in its order.
 * @throws usage `DATABASE_URL`, `DATABASE_NO_ROWS_NAMED`, `QUERY_INVALID`; `open` throws what `databaseError` makes
 */
export function databaseData(request: DatabaseRequest): DataInput {
  const database = parseDatabaseUrl(request.url)
  const table = request.table ?? database.table
  const query = request.query?.trim().replace(/[;\s]+$/, '')
  const sql = selectOf(database.name, table, query)
  const name = query === undefined ? `${database.name} ${table}` : `${database.name} ${shortQuery(query)}`
  let fetched: Promise<Fetched> | undefined
  return {
    name,
    open: async (options, use) => {
      fetched ??= fetchRows(database, sql, options.signal).catch((error: unknown) => {
        fetched = undefined
        throw databaseError(error, database, options.signal)
      })
      const rows = await fetched
      const columns = rows.columns.map(sourceColumn)
      assertColumns(columns, name)
      const duck = await openDuck([rows.path], options.signal, { order: 'free' })
      try {
        const relation = relationOf(rows)
        const assertUnchanged = async () => {}
        return await use({
          name,
          format: 'postgres',
          sha256: Promise.resolve(rows.sha256),
          relation,
          columns,
          notes: [],
          duck,
          assertUnchanged,
        })
      } catch (error) {
        throw (error as Error)?.name === 'MlopsError'
          ? error
          : readError(error, name, [{ path: rows.path, label: name }])
      } finally {
        duck.close()
      }
    },
  }
}

/** @throws usage `DATABASE_URL`: without repeating the URL, which may hold a password */
export function parseDatabaseUrl(text: string): Database & { readonly table?: string } {
  let url: URL
  try {
    url = new URL(text)
    decodeURIComponent(url.username)
    decodeURIComponent(url.password)
  } catch {
    throw usage({
      code: 'DATABASE_URL',
      message: 'The database URL is not a URL.',
      hint: 'Write postgres://USER@HOST:PORT/DATABASE?table=NAME; a password with @ : / # ? % needs percent-encoding, or goes into PGPASSWORD',
    })
  }
  const table = url.searchParams.get('table') ?? undefined
  url.searchParams.delete('table')
  // What pg 8 takes these for, said so that it need not warn: certificates are verified unless `no-verify` is asked for.
  const weak = /^(?:prefer|require|verify-ca)$/.test(url.searchParams.get('sslmode') ?? '')
  if (weak && !url.searchParams.has('uselibpqcompat')) url.searchParams.set('sslmode', 'verify-full')
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname)
  const port = url.searchParams.get('port') ?? url.port
  const shown = `postgres://${host}${port === '' ? '' : `:${port}`}${url.pathname}`
  const secrets = [url.password, decodeURIComponent(url.password), url.searchParams.get('password') ?? '']
  return {
    url: url.href,
    name: redactText(shown.replace(/\/$/, '')),
    secrets: secrets.filter((secret) => secret !== ''),
    ...(table === undefined ? {} : { table }),
  }
}

function selectOf(name: string, table: string | undefined, query: string | undefined): string {
  if (query !== undefined && table !== undefined) {
    throw usage({
      code: 'DATABASE_NO_ROWS_NAMED',
      message: `Both a table (${table}) and a query are named.`,
      hint: 'Leave out ?table= or --query',
    })
  }
  if (table !== undefined && table !== '') return `SELECT * FROM ${table.split('.').map(quoted).join('.')}`
  if (query === undefined || query === '') {
    throw usage({
      code: 'DATABASE_NO_ROWS_NAMED',
      message: `Which rows of ${name}? Neither a table nor a query is named.`,
      hint: "Add ?table=NAME to the URL, or pass --query 'SELECT …'",
    })
  }
  // Refused by the server, too, as a cursor can only be declared for these; said earlier and better here.
  if (/^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/|\()*(?:select|with|values|table)\b/i.test(query)) return query
  throw usage({
    code: 'QUERY_INVALID',
    message: `Only one SELECT can be run, in a read-only transaction: ${shortQuery(query)}`,
    hint: "Pass --query 'SELECT … FROM …'",
  })
}

const quoted = (name: string): string => (/^".*"$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`)

function shortQuery(query: string): string {
  const line = redactText(query.replaceAll(/\s+/g, ' '))
  return line.length > 80 ? `${line.slice(0, 79)}…` : line
}

const sourceColumn = ({ name, physical }: FetchedColumn, index: number): SourceColumn => ({
  name,
  sql: `u${index}`,
  physical,
})

/** The temporary file is CSV whose first field is always `1`, so that a row of nothing but NULLs is no blank line. */
function relationOf({ path, columns }: Fetched): string {
  const types = ['first', ...columns.map((_, index) => `c${index}`)].map((column) => `'${column}': 'VARCHAR'`)
  const selects = columns.map(({ type }, index) => `${typed(`c${index}`, type)} AS u${index}`)
  return `(SELECT ${selects.join(', ')} FROM read_csv(${sqlPath(path)}, auto_detect=false, header=false, delim=',',
    quote='"', escape='"', new_line='\\n', encoding='utf-8', compression='none', allow_quoted_nulls=false,
    columns={${types.join(', ')}}))`
}

/** What the server wrote, as the type it came from; NaN and infinities included. */
function typed(sql: string, type: FetchedColumn['type']): string {
  if (type === 'FLOAT') return `CAST(TRY_CAST(${sql} AS FLOAT) AS DOUBLE)`
  return type === 'VARCHAR' ? sql : `TRY_CAST(${sql} AS ${type})`
}
