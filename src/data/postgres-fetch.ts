/**
 * Fetching the rows of one SELECT with flat memory: a cursor in a READ ONLY transaction, some thousand rows at a time,
 * written to a private temporary file as the server spells them. `pg` is loaded here and nowhere else in this folder.
 */
import { createHash } from 'node:crypto'
import type { Client, FieldDef } from 'pg'
import type { Digest } from '../core/digest.ts'
import { interrupted } from '../core/errors.ts'
import type { Database } from './postgres-error.ts'
import type { Physical } from './source.ts'
import { makeSpool } from './spool.ts'

export interface FetchedColumn {
  readonly name: string
  readonly physical: Physical
  /** What DuckDB casts the text to. */
  readonly type: 'VARCHAR' | 'BOOLEAN' | 'BIGINT' | 'DOUBLE' | 'FLOAT'
}

export interface Fetched {
  /** A CSV file without a header: `1`, then every value in quotes, NULL as nothing. Lives as long as the process. */
  readonly path: string
  readonly columns: readonly FetchedColumn[]
  readonly sha256: Digest
}

const CONNECT_SECONDS = 10
/** Of one statement, hence of one FETCH; `?statement_timeout=` (milliseconds) in the URL overrides it. */
const STATEMENT_SECONDS = 600
/** Rows at once: at most so many, and about so many bytes. */
const MAX_ROWS = 10_000
const FETCH_BYTES = 8 << 20

export async function fetchRows(database: Database, sql: string, signal?: AbortSignal): Promise<Fetched> {
  if (signal?.aborted) throw interrupted({ code: 'INTERRUPTED', message: 'Interrupted while reading data.' })
  const { default: pg } = await import('pg')
  const client = new pg.Client({
    connectionString: database.url,
    connectionTimeoutMillis:
      1000 * (Number(new URL(database.url).searchParams.get('connect_timeout')) || CONNECT_SECONDS),
    statement_timeout: 1000 * STATEMENT_SECONDS,
    application_name: 'mlops',
    // As the server spells them: JavaScript's numbers and dates would lose digits and time zones.
    types: { getTypeParser: () => (text: unknown) => text },
  })
  // A connection that breaks between two queries must not end the process; the next query reports it.
  client.on('error', () => {})
  const stop = () => void client.end().catch(() => {})
  signal?.addEventListener('abort', stop)
  try {
    await client.connect()
    return await throughCursor(client, database, sql)
  } finally {
    signal?.removeEventListener('abort', stop)
    await client.end().catch(() => {})
  }
}

async function throughCursor(client: Client, database: Database, sql: string): Promise<Fetched> {
  // Where the server can: it notices within seconds that Ctrl-C has closed the connection, even during a long sort.
  await client.query("SET client_connection_check_interval = '2s'").catch(() => {})
  await client.query('BEGIN TRANSACTION READ ONLY')
  await client.query(
    "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'iso_8601'",
  )
  await client.query("SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 3")
  // Otherwise a second scan of a large table may begin in its middle, and the same rows have another digest.
  await client.query('SET LOCAL synchronize_seqscans = off')
  // `extended`: this protocol refuses a second statement behind a semicolon, which could end the transaction.
  const declare = { text: `DECLARE mlops_rows NO SCROLL CURSOR FOR\n${sql}`, queryMode: 'extended' }
  await client.query(declare)
  const fetch = (rows: number) =>
    client.query<(string | null)[]>({ text: `FETCH FORWARD ${rows} FROM mlops_rows`, rowMode: 'array' })
  const first = await fetch(100)
  const columns = await columnsOf(client, first.fields)
  const spool = await makeSpool(`the rows of ${database.name}`)
  const hash = createHash('sha256').update(JSON.stringify(columns.map(({ name, type }) => [name, type])))
  const pieces = async function* (): AsyncGenerator<Buffer> {
    let { rows } = first
    let next = 100
    while (rows.length > 0) {
      // The server fetches while these are written. A failure is thrown where it is awaited, not before.
      const coming = fetch(next)
      coming.catch(() => {})
      const piece = Buffer.from(rows.map((row) => lineOf(row, columns)).join(''), 'utf8')
      next = Math.max(1, Math.min(MAX_ROWS, Math.floor(FETCH_BYTES / (piece.length / rows.length))))
      hash.update(piece)
      yield piece
      rows = (await coming).rows
    }
  }
  try {
    await spool.write(pieces())
    await client.query('ROLLBACK')
  } catch (error) {
    spool.remove()
    throw error
  }
  return { path: spool.path, columns, sha256: hash.digest('hex') }
}

function lineOf(row: readonly (string | null)[], columns: readonly FetchedColumn[]): string {
  let line = '1'
  row.forEach((value, index) => {
    if (value === null) line += ','
    else if (columns[index]?.type === 'BOOLEAN') line += value === 't' ? ',"true"' : ',"false"'
    else line += `,"${value.includes('"') ? value.replaceAll('"', '""') : value}"`
  })
  return `${line}\n`
}

async function columnsOf(client: Client, fields: readonly FieldDef[]): Promise<FetchedColumn[]> {
  const oids = [...new Set(fields.map(({ dataTypeID }) => dataTypeID))]
  const { rows } = await client.query<{ oid: string; typname: string; typcategory: string }>(
    'SELECT oid, typname, typcategory FROM pg_catalog.pg_type WHERE oid = ANY($1::oid[])',
    [oids],
  )
  const types = new Map(rows.map((row) => [Number(row.oid), row]))
  return fields.map(({ name, dataTypeID }) => {
    const found = types.get(dataTypeID)
    return { name, ...typeOf(found?.typname ?? 'text', found?.typcategory ?? 'S') }
  })
}

/** @param category of pg_type: N number, B boolean, D date and time, A array, C composite, R range, … */
function typeOf(name: string, category: string): Pick<FetchedColumn, 'physical' | 'type'> {
  if (name === 'int8') return { physical: 'int64', type: 'BIGINT' }
  if (name === 'float4') return { physical: 'number', type: 'FLOAT' }
  if (/^(?:int2|int4|oid)$/.test(name)) return { physical: 'number', type: 'BIGINT' }
  if (/^(?:float8|numeric)$/.test(name)) return { physical: 'number', type: 'DOUBLE' }
  if (name === 'bool') return { physical: 'boolean', type: 'BOOLEAN' }
  if (/^(?:date|timestamp|timestamptz)$/.test(name)) return { physical: 'time', type: 'VARCHAR' }
  if (name === 'bytea') return { physical: 'binary', type: 'VARCHAR' }
  if (/^jsonb?$/.test(name) || /^[ACR]$/.test(category)) return { physical: 'nested', type: 'VARCHAR' }
  return { physical: 'text', type: 'VARCHAR' }
}
