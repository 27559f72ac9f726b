/**
 * Data a user named with one word, checked and opened as one DuckDB relation: columns, identity, and one clear error for
 * everything that can be wrong with a file. Which files are meant is in `locate.ts`, their bytes in `part.ts`, their
 * columns in `*-shape.ts`. What the columns mean is decided in `src/drift/`.
 */
import type { Context } from '../core/context.ts'
import type { Digest } from '../core/digest.ts'
import { failed, isMlopsError, usage } from '../core/errors.ts'
import { MAX_COLUMNS, tooWide } from './csv-header.ts'
import { csvShapes } from './csv-shape.ts'
import { type Duck, openDuck } from './duck.ts'
import { digestOfMany, type Hasher, startHasher } from './hash.ts'
import { jsonShapes } from './json-shape.ts'
import { assertSame, type Located, listed, locate, type Place } from './locate.ts'
import { parquetShapes } from './parquet-shape.ts'
import { type Format, openPart, type Part } from './part.ts'
import { readError } from './read-error.ts'
import { unite } from './shape.ts'
import type { Spool } from './spool.ts'

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
  readonly format: 'csv' | 'parquet' | 'jsonl' | 'postgres'
  /** See `DataIdentity` in `src/drift/types.ts`. */
  readonly sha256: Promise<Digest>
  /** What follows FROM. */
  readonly relation: string
  readonly columns: readonly SourceColumn[]
  /** For JSON: the keys that were seen. A schema-less file has no other columns. */
  readonly keys?: ReadonlySet<string>
  /** What a person should know about how the data were read. */
  readonly notes: readonly string[]
  readonly duck: Duck
  /** @throws failed `DATA_CHANGED` when a file is not the one that was hashed any more */
  readonly assertUnchanged: () => Promise<void>
}

export interface OpenOptions {
  /** Absolute: what a relative name is relative to. */
  readonly cwd: string
  readonly signal?: AbortSignal
  /** Columns to read from JSON even when the first lines do not have them. */
  readonly expected?: readonly string[]
  /** What `-` reads; without one, `-` is refused. */
  readonly stdin?: Context['stdin']
}

/**
 * Opens a file, a folder or a pattern, hands it over, and closes it.
 * @throws notFound `DATA_NOT_FOUND`; usage `DATA_REMOTE`, `DATA_MIXED`, `DATA_…`; failed `DATA_…`; interrupted
 */
export async function withSource<T>(
  name: string,
  options: OpenOptions,
  use: (source: Source) => Promise<T>,
): Promise<T> {
  return withPlace(name, await locate(name, options.cwd), options, use)
}

/** @param name for people and records */
export async function withPlace<T>(
  name: string,
  place: Place,
  options: OpenOptions,
  use: (source: Source) => Promise<T>,
): Promise<T> {
  const spools: Spool[] = []
  let parts: readonly Part[] = []
  let duck: Duck | undefined
  const hasher = startHasher(options.signal)
  try {
    parts = await openParts(place.files, hasher, spools, options.signal)
    const format = oneFormat(parts, name)
    duck = await openDuck(
      parts.map(({ path }) => path),
      options.signal,
      { order: 'free' },
    )
    const shape = await shapeOf(duck, parts, format, name, options)
    assertColumns(shape.columns, name)
    const notes = [...place.notes, ...encodingNotes(parts, name), ...shape.notes]
    const [only] = parts
    const sha256 = place.isMany || only === undefined ? digestOfParts(parts) : only.sha256
    const assertUnchanged = async () => {
      await sha256
      await assertSame(place.files)
    }
    return await use({ name, format, sha256, duck, assertUnchanged, ...shape, notes })
  } catch (error) {
    throw isMlopsError(error) ? error : readError(error, name, parts)
  } finally {
    duck?.close()
    hasher.close()
    for (const spool of spools) spool.remove()
  }
}

async function openParts(
  files: readonly Located[],
  hasher: Hasher,
  spools: Spool[],
  signal?: AbortSignal,
): Promise<Part[]> {
  const parts: Part[] = []
  for (const file of files) parts.push(await openPart(file, hasher, spools, signal))
  return parts
}

function digestOfParts(parts: readonly Part[]): Promise<Digest> {
  const all = Promise.all(parts.map(async ({ label, sha256 }) => ({ label, sha256: await sha256 }))).then(digestOfMany)
  all.catch(() => {})
  return all
}

function oneFormat(parts: readonly Part[], name: string): Format {
  const byFormat = new Map(parts.map((part) => [part.format, part.label]))
  const [first, ...others] = byFormat
  if (first !== undefined && others.length === 0) return first[0]
  const words = { csv: 'CSV', parquet: 'Parquet', jsonl: 'JSON' } as const
  const what = [...byFormat].map(([format, label]) => `${words[format]} (${label})`).join(' and ')
  throw usage({
    code: 'DATA_MIXED',
    message: `${name} holds files of several formats: ${what}.`,
    hint: "Name those of one format in quotes, for example 'data/**/*.parquet'",
  })
}

type SourceShape = Pick<Source, 'relation' | 'columns' | 'notes' | 'keys'>

async function shapeOf(
  duck: Duck,
  parts: readonly Part[],
  format: Format,
  name: string,
  options: OpenOptions,
): Promise<SourceShape> {
  if (format === 'csv') return unite(csvShapes(parts), name)
  if (format === 'parquet') return unite(await parquetShapes(duck, parts), name)
  const { shapes, keys, notes } = await jsonShapes(duck, parts, name, options.expected)
  const united = unite(shapes, name)
  return { ...united, keys, notes: [...united.notes, ...notes] }
}

export function assertColumns(columns: readonly SourceColumn[], name: string): void {
  const seen = new Set<string>()
  for (const { name: column } of columns) {
    if (seen.has(column)) {
      throw failed({
        code: 'DATA_DUPLICATE_COLUMN',
        message: `${name} has two columns named ${JSON.stringify(column)}.`,
        hint: 'Rename or remove one of them',
      })
    }
    seen.add(column)
  }
  if (columns.length > MAX_COLUMNS) throw tooWide(name, String(columns.length))
}

function encodingNotes(parts: readonly Part[], name: string): string[] {
  const encodings = new Set(parts.flatMap(({ encoding }) => (encoding === undefined ? [] : [encoding])))
  return [...encodings].map((encoding) => {
    const labels = parts.filter((part) => part.encoding === encoding).map(({ label }) => label)
    const what = parts.length === 1 ? name : `${listed(labels)} of ${name}`
    const verb = labels.length === 1 ? 'is not UTF-8; it was' : 'are not UTF-8; they were'
    return `${what} ${verb} read as ${encoding}`
  })
}
