/**
 * A data file the user named, checked and opened as a DuckDB relation: format, encoding, columns, identity, and one
 * clear error for everything that can be wrong with a file. What the columns mean is decided in `infer.ts`.
 */
import { stat } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import type { Digest } from '../core/digest.ts'
import { failed } from '../core/errors.ts'
import { MAX_COLUMNS, parseCsvHeader, tooWide } from './csv-header.ts'
import { type Duck, openDuck, readError, sqlName, sqlPath, sqlText } from './duck.ts'
import { type FileBytes, readThrough, statData } from './source-file.ts'

/** How DuckDB holds a column, as far as counting needs to know. */
export type Physical = 'text' | 'boolean' | 'number' | 'int64' | 'time' | 'nested' | 'binary'

export interface SourceColumn {
  readonly name: string
  /** SQL expression of the column inside `relation`. */
  readonly sql: string
  readonly physical: Physical
}

export interface Source {
  /** As the user wrote it. */
  readonly name: string
  readonly format: 'csv' | 'parquet' | 'jsonl'
  readonly sha256: Digest
  /** What follows FROM. */
  readonly relation: string
  readonly columns: readonly SourceColumn[]
  /** For JSON: the keys that were seen. A schema-less file has no other columns. */
  readonly keys?: ReadonlySet<string>
  /** What a person should know about how the file was read. */
  readonly notes: readonly string[]
  readonly duck: Duck
  /** @throws failed `DATA_CHANGED` when the file is not the one that was hashed any more */
  readonly assertUnchanged: () => Promise<void>
}

export interface OpenOptions {
  /** Absolute: what a relative name is relative to. */
  readonly cwd: string
  readonly signal?: AbortSignal
  /** Columns to read from JSON even when the first lines do not have them. */
  readonly expected?: readonly string[]
}

/** @throws notFound `DATA_NOT_FOUND`; usage `DATA_IS_DIRECTORY`, `DATA_REMOTE`; failed `DATA_…` */
export async function withSource<T>(
  name: string,
  options: OpenOptions,
  use: (source: Source) => Promise<T>,
): Promise<T> {
  const path = resolve(options.cwd, name)
  const before = await statData(name, path)
  const bytes = await readThrough(path, name, options.signal)
  const duck = await openDuck([path], options.signal)
  try {
    const shape = await shapeOf(duck, path, name, bytes, options)
    const seen = new Set<string>()
    for (const { name: column } of shape.columns) {
      if (seen.has(column)) {
        throw failed({
          code: 'DATA_DUPLICATE_COLUMN',
          message: `${name} has two columns named ${JSON.stringify(column)}.`,
          hint: 'Rename or remove one of them',
        })
      }
      seen.add(column)
    }
    if (shape.columns.length > MAX_COLUMNS) throw tooWide(name, String(shape.columns.length))
    const assertUnchanged = async () => {
      const after = await stat(path)
      if (after.size === before.size && after.mtimeMs === before.mtimeMs) return
      throw failed({
        code: 'DATA_CHANGED',
        message: `${name} changed while it was being read.`,
        hint: 'Wait until it is written, then run the command again',
      })
    }
    return await use({ name, sha256: bytes.sha256, duck, assertUnchanged, ...shape })
  } catch (error) {
    throw (error as Error)?.name === 'MlopsError' ? error : readError(error, name)
  } finally {
    duck.close()
  }
}

type Shape = Pick<Source, 'format' | 'relation' | 'columns' | 'notes' | 'keys'>

async function shapeOf(duck: Duck, path: string, name: string, bytes: FileBytes, options: OpenOptions): Promise<Shape> {
  const extension = extname(path).toLowerCase()
  if (bytes.head.subarray(0, 4).toString('latin1') === 'PAR1') return parquetShape(duck, path, name, bytes)
  if (extension === '.parquet' || extension === '.pq') {
    throw failed({
      code: 'DATA_UNREADABLE',
      message: `${name} is not a Parquet file: it does not begin with PAR1.`,
      hint: 'Give it the ending of what it is (.csv, .jsonl), or write it again',
    })
  }
  const encoding = encodingOf(bytes, name)
  const text = new TextDecoder(encoding.decoder).decode(bytes.head)
  const isJson = ['.jsonl', '.ndjson', '.json'].includes(extension)
  return isJson ? jsonShape(duck, path, name, text, encoding, options) : csvShape(path, name, text, bytes, encoding)
}

interface Encoding {
  readonly decoder: string
  readonly duck: string
  readonly notes: readonly string[]
}

function encodingOf(bytes: FileBytes, name: string): Encoding {
  const [a, b] = bytes.head
  if (a === 0xff && b === 0xfe) return { decoder: 'utf-16le', duck: 'utf-16', notes: [`${name} was read as UTF-16`] }
  const isBinary = bytes.head.subarray(0, 65_536).includes(0)
  if (isBinary || (a === 0xfe && b === 0xff) || (a === 0x1f && b === 0x8b)) {
    const what = a === 0x1f ? 'compressed (gzip)' : a === 0xfe ? 'big-endian UTF-16' : 'binary, not text'
    throw failed({
      code: 'DATA_UNREADABLE',
      message: `${name} is ${what}; CSV, JSONL (both UTF-8) and Parquet can be read.`,
      hint: a === 0x1f ? `Unpack it: gunzip -k ${name}` : `Convert it: iconv -f UTF-16 -t UTF-8 ${name}`,
    })
  }
  if (bytes.isUtf8) return { decoder: 'utf-8', duck: 'utf-8', notes: [] }
  return { decoder: 'latin1', duck: 'latin-1', notes: [`${name} is not UTF-8; it was read as Latin-1`] }
}

function csvShape(path: string, name: string, text: string, bytes: FileBytes, encoding: Encoding): Shape {
  const { separator, names } = parseCsvHeader(text, bytes.isWhole, name)
  const columns = names.map((column, index) => ({ name: column, sql: `c${index}`, physical: 'text' as const }))
  const types = columns.map(({ sql }) => `'${sql}': 'VARCHAR'`).join(', ')
  const relation =
    `read_csv(${sqlPath(path)}, auto_detect=false, header=true, delim=${sqlText(separator)}, quote='"', escape='"', ` +
    `encoding='${encoding.duck}', compression='none', columns={${types}})`
  return { format: 'csv', relation, columns, notes: encoding.notes }
}

/** JSON keys are looked for in this many lines of a batch; a baseline's are looked for in all lines. */
const KEY_LINES = 10_000

async function jsonShape(
  duck: Duck,
  path: string,
  name: string,
  text: string,
  encoding: Encoding,
  options: OpenOptions,
): Promise<Shape> {
  if (encoding.duck !== 'utf-8') {
    throw failed({
      code: 'DATA_UNREADABLE',
      message: `${name} is not UTF-8, as JSON must be.`,
      hint: 'Convert it with iconv',
    })
  }
  const file = `${sqlPath(path)}, compression='uncompressed'`
  const format = text.trimStart().startsWith('[') ? 'array' : 'newline_delimited'
  const limit = options.expected === undefined ? '' : `LIMIT ${KEY_LINES}`
  const keys = await duck.rows(
    `SELECT key, min(pos) FROM (SELECT unnest(json_keys(json)) AS key, pos FROM
       (SELECT json, row_number() OVER () AS pos FROM read_json_objects(${file}, format='${format}') ${limit}))
     GROUP BY key ORDER BY min(pos), key LIMIT ${MAX_COLUMNS + 1}`,
  )
  const names = keys.map(([key]) => String(key))
  if (names.length > MAX_COLUMNS) throw tooWide(name, `more than ${MAX_COLUMNS}`)
  const lower = new Map<string, string>()
  for (const key of new Set([...names, ...(options.expected ?? [])])) {
    const other = lower.get(key.toLowerCase())
    if (other !== undefined) {
      throw failed({
        code: 'DATA_DUPLICATE_COLUMN',
        message: `${name} has keys that differ in upper and lower case only: ${other} and ${key}.`,
        hint: 'Rename one of them',
      })
    }
    lower.set(key.toLowerCase(), key)
  }
  const columns = [...lower.values()].map((key) => ({ name: key, sql: sqlName(key), physical: 'text' as const }))
  if (columns.length === 0) {
    throw failed({ code: 'DATA_UNREADABLE', message: `${name} has no JSON object with a key.`, hint: 'Check the file' })
  }
  const types = columns.map((column) => `${sqlText(column.name)}: 'VARCHAR'`).join(', ')
  const relation = `read_json(${file}, format='${format}', records=true, columns={${types}})`
  return { format: 'jsonl', relation, columns, notes: [], keys: new Set(names) }
}

async function parquetShape(duck: Duck, path: string, name: string, bytes: FileBytes): Promise<Shape> {
  if (bytes.tail.toString('latin1') !== 'PAR1') {
    throw failed({
      code: 'DATA_UNREADABLE',
      message: `${name} is cut short: a Parquet file ends with PAR1, this one does not.`,
      hint: 'Copy or write the file again',
    })
  }
  const relation = `read_parquet(${sqlPath(path)})`
  const described = await duck.rows(`DESCRIBE SELECT * FROM ${relation}`)
  const columns = described.map(([column, type]) => ({
    name: String(column),
    sql: sqlName(String(column)),
    physical: physicalOf(String(type)),
  }))
  return { format: 'parquet', relation, columns, notes: [] }
}

function physicalOf(type: string): Physical {
  if (/[[\]]$|^(?:STRUCT|MAP|UNION|LIST|JSON|VARIANT|GEOMETRY)/.test(type)) return 'nested'
  if (/^(?:BIGINT|UBIGINT|HUGEINT|UHUGEINT)$/.test(type)) return 'int64'
  if (/INT|^(?:FLOAT|DOUBLE|DECIMAL)/.test(type) && !type.startsWith('INTERVAL')) return 'number'
  if (type === 'BOOLEAN') return 'boolean'
  if (/^(?:DATE|TIMESTAMP)/.test(type)) return 'time'
  if (/^(?:BLOB|BIT)/.test(type)) return 'binary'
  return 'text'
}
