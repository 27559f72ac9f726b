/**
 * The embedded DuckDB: opening one that can read exactly the files named and nothing else, streaming its chunks as
 * typed arrays. No other file imports DuckDB; which SQL to run is decided elsewhere, its errors are turned into ours in
 * `read-error.ts`.
 */
import { availableParallelism } from 'node:os'
import { interrupted } from '../core/errors.ts'
import { youngCollector } from './collect.ts'

/** Streamed values between two collections, 8 bytes each: about what the caches hold (docs/decisions/0009-counting.md). */
const VALUES_HELD = 1 << 18

/** One column of one chunk, as DuckDB holds it. */
export interface Vector {
  readonly items: ArrayLike<number>
  /** The same array, for 64-bit columns. */
  readonly longs: ArrayLike<bigint>
  /** A bit per row, set where there is a value, lowest first; undefined when every row has one. */
  readonly mask: Uint8Array | undefined
  /** For text columns, which have no `items`. */
  readonly text: (row: number) => string | null
}

export const isPresent = (mask: Uint8Array | undefined, row: number): boolean =>
  mask === undefined || (((mask[row >> 3] as number) >> (row & 7)) & 1) === 1

export interface Chunk {
  readonly rows: number
  readonly vector: (column: number) => Vector
}

export interface Duck {
  /** All rows of a small result; whole numbers arrive as bigint. */
  readonly rows: (sql: string) => Promise<unknown[][]>
  readonly stream: (sql: string, onChunk: (chunk: Chunk) => void) => Promise<void>
  readonly close: () => void
}

export interface DuckOptions {
  /**
   * `free`: rows come as they are read, faster and in less memory; a query that numbers its rows (`row_number() OVER ()`)
   * still has them in the order of the file. Default: `kept`.
   */
  readonly order?: 'kept' | 'free'
  readonly threads?: number
}

/** @param files absolute paths: the only files this DuckDB can open */
export async function openDuck(
  files: readonly string[],
  signal?: AbortSignal,
  { order = 'kept', threads = Math.min(4, availableParallelism()) }: DuckOptions = {},
): Promise<Duck> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: '768MB',
    preserve_insertion_order: String(order === 'kept'),
    // Nothing is spilled to disk and nothing is downloaded: a read of a file stays a read of a file.
    temp_directory: '',
    // The system keeps files in memory already: a second copy would grow with the rows.
    enable_external_file_cache: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  // Both spellings: DuckDB checks a path as it is written in the query, and again as it opens it.
  const spelled = files.flatMap((file) => [sqlText(file), sqlPath(file)])
  await connection.run(`SET allowed_paths=[${spelled.join(', ')}]`)
  await connection.run('SET enable_external_access=false')
  await connection.run('SET lock_configuration=true')
  const stop = () => connection.interrupt()
  signal?.addEventListener('abort', stop)
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      if (signal?.aborted) throw new Error('Interrupted')
      return await work()
    } catch (error) {
      throw signal?.aborted ? interrupted({ code: 'INTERRUPTED', message: 'Interrupted while reading data.' }) : error
    }
  }
  return {
    rows: (sql) => guarded(async () => (await connection.run(sql)).getRows()),
    stream: (sql, onChunk) =>
      guarded(async () => {
        const result = await connection.stream(sql)
        const collect = await youngCollector()
        const columns = result.columnCount
        let held = 0
        let next = result.fetchChunk()
        try {
          for (;;) {
            if (held >= VALUES_HELD) {
              collect()
              held = 0
            }
            const chunk = await next
            if (chunk === null || chunk === undefined || chunk.rowCount === 0) return
            // DuckDB reads the next rows on its threads while these are counted on ours.
            next = result.fetchChunk()
            onChunk({ rows: chunk.rowCount, vector: (column) => viewOf(chunk.getColumnVector(column)) })
            held += chunk.rowCount * columns
          }
        } finally {
          await next.catch(() => {})
        }
      }),
    close: () => {
      signal?.removeEventListener('abort', stop)
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** What the vectors of @duckdb/node-api 1.5 look like inside: reading them item by item would be 20 times slower. */
interface RawVector {
  readonly items?: ArrayLike<number> | ArrayLike<bigint>
  readonly validity?: { readonly data: BigUint64Array | null }
  getItem(row: number): unknown
}

function viewOf(vector: unknown): Vector {
  const raw = vector as RawVector
  const bits = raw.validity?.data
  return {
    items: (raw.items ?? []) as ArrayLike<number>,
    longs: (raw.items ?? []) as ArrayLike<bigint>,
    mask: bits ? new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength) : undefined,
    text: (row) => {
      const item = raw.getItem(row)
      return item === null || item === undefined ? null : String(item)
    },
  }
}

/** A string as a SQL literal. */
export const sqlText = (text: string): string => `'${text.replaceAll("'", "''")}'`
/** A column name as a SQL identifier. */
export const sqlName = (name: string): string => `"${name.replaceAll('"', '""')}"`
/** A path as DuckDB takes it: its wildcards stand for themselves. */
export const sqlPath = (path: string): string => sqlText(path.replaceAll(/[*?[]/g, (wildcard) => `[${wildcard}]`))
/** Several paths as a SQL list. */
export const sqlPaths = (paths: readonly string[]): string => `[${paths.map(sqlPath).join(', ')}]`
