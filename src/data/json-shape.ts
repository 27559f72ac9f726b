/** JSON files as relations: lines of objects, or one array of them. Every value is read as text, as in CSV. */
import { failed } from '../core/errors.ts'
import { MAX_COLUMNS, tooWide } from './csv-header.ts'
import { type Duck, sqlName, sqlPaths, sqlText } from './duck.ts'
import { listed } from './locate.ts'
import type { Part } from './part.ts'
import type { Shape } from './shape.ts'

/**
 * Values are looked at in this many lines, which is enough of a batch; of a baseline the keys of all lines count: what
 * DuckDB keeps of the structure of lines grows with their number, what it keeps of keys does not.
 */
const KEY_LINES = 10_000

export interface JsonShapes {
  readonly shapes: readonly Shape[]
  /** The keys that were seen. */
  readonly keys: ReadonlySet<string>
  readonly notes: readonly string[]
}

/** @param expected columns to read even when the lines looked at do not have them */
export async function jsonShapes(
  duck: Duck,
  parts: readonly Part[],
  name: string,
  expected: readonly string[] | undefined,
): Promise<JsonShapes> {
  for (const { label, encoding } of parts) {
    if (encoding === undefined || encoding.startsWith('UTF-16')) continue
    throw failed({
      code: 'DATA_UNREADABLE',
      message: `${label} is not UTF-8, as JSON must be.`,
      hint: 'Convert it with iconv',
    })
  }
  const groups = (['newline_delimited', 'array'] as const)
    .map((format) => ({ format, parts: parts.filter((part) => isArray(part) === (format === 'array')) }))
    .filter((group) => group.parts.length > 0)
    .map((group) => ({
      ...group,
      files: `${sqlPaths(group.parts.map(({ path }) => path))}, compression='uncompressed'`,
    }))
  const types = new Map<string, string>()
  const found = (
    await Promise.all(groups.map(({ format, files }) => keysOf(duck, files, format, expected === undefined)))
  ).flat()
  for (const { keys } of found) {
    for (const [key, type] of keys) {
      const known = types.get(key)
      types.set(
        key,
        known === undefined || known === type || known === 'NULL' ? type : type === 'NULL' ? known : 'mixed',
      )
    }
  }
  if (types.size > MAX_COLUMNS) throw tooWide(name, `more than ${MAX_COLUMNS}`)
  if (types.size === 0) {
    throw failed({ code: 'DATA_UNREADABLE', message: `${name} has no JSON object with a key.`, hint: 'Check the file' })
  }
  const names = distinctNames([...types.keys(), ...(expected ?? [])], name)
  const nested = names.filter((key) => types.get(key) === 'nested')
  const columns = names.map((key) => ({
    ...{ name: key, sql: sqlName(key), type: 'VARCHAR' },
    physical: nested.includes(key) ? ('nested' as const) : ('text' as const),
  }))
  const typed = columns.map((column) => `${sqlText(column.name)}: 'VARCHAR'`).join(', ')
  const shapes = groups.map(({ format, files, parts: same }) => ({
    labels: same.map(({ label }) => label),
    relation: `read_json(${files}, format='${format}', records=true, hive_partitioning=false, columns={${typed}})`,
    columns,
  }))
  const notes = expected === undefined ? lackingKeys(found, parts, names, name) : []
  return { shapes, keys: new Set(types.keys()), notes }
}

const isArray = ({ head }: Part): boolean => head.trimStart().startsWith('[')

interface FileKeys {
  readonly path: string
  /** Every key with what its values are: `nested` when all of them are objects or lists. */
  readonly keys: readonly (readonly [string, string])[]
}

async function keysOf(duck: Duck, files: string, format: string, ofAllLines: boolean): Promise<FileKeys[]> {
  const objects = `read_json_objects(${files}, format='${format}', filename=true)`
  const found = new Map<string, Map<string, string>>()
  const rows = await duck.rows(
    `SELECT filename, CAST(json_group_structure(json) AS VARCHAR)
     FROM (SELECT filename, json FROM ${objects} LIMIT ${KEY_LINES}) GROUP BY filename`,
  )
  for (const [path, text] of rows) {
    const structure: unknown = JSON.parse(String(text))
    if (typeof structure !== 'object' || structure === null || Array.isArray(structure))
      throw new Error('JSON: no object')
    const types = Object.entries(structure).map(
      ([key, type]) => [key, typeof type === 'object' ? 'nested' : String(type)] as const,
    )
    found.set(String(path), new Map(types))
  }
  if (ofAllLines) await addKeys(duck, objects, found)
  return [...found].map(([path, keys]) => ({ path, keys: [...keys] }))
}

/** The keys that only later lines have; what they hold was not looked at, and what other lines say of them counts. */
async function addKeys(duck: Duck, objects: string, found: Map<string, Map<string, string>>): Promise<void> {
  const rows = await duck.rows(
    `SELECT DISTINCT filename, unnest(json_keys(json)) AS key FROM ${objects} ORDER BY filename, key
     LIMIT ${100 * MAX_COLUMNS}`,
  )
  for (const [path, key] of rows) {
    const keys = found.get(String(path)) ?? new Map<string, string>()
    found.set(String(path), keys)
    if (!keys.has(String(key))) keys.set(String(key), 'NULL')
  }
}

/** Which parts lack which key altogether; said of baselines, whose lines are all looked at. */
function lackingKeys(
  found: readonly FileKeys[],
  parts: readonly Part[],
  names: readonly string[],
  name: string,
): string[] {
  const having = new Map(found.map(({ path, keys }) => [path, new Set(keys.map(([key]) => key))]))
  const notes = names.flatMap((key) => {
    const labels = parts.filter(({ path }) => !having.get(path)?.has(key)).map(({ label }) => label)
    return labels.length === 0 ? [] : [`${key} is missing in ${listed(labels)} of ${name}: missing in all rows there`]
  })
  return notes.length > 10 ? [...notes.slice(0, 9), `${notes.length - 9} more columns differ from file to file`] : notes
}

function distinctNames(keys: readonly string[], name: string): string[] {
  const lower = new Map<string, string>()
  for (const key of new Set(keys)) {
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
  return [...lower.values()]
}
