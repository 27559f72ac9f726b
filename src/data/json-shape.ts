/** JSON files as relations: lines of objects, or one array of them. Every value is read as text, as in CSV. */
import { failed } from '../core/errors.ts'
import { MAX_COLUMNS, tooWide } from './csv-header.ts'
import { type Duck, sqlName, sqlPaths, sqlText } from './duck.ts'
import { listed } from './locate.ts'
import type { Part } from './part.ts'
import type { Shape } from './shape.ts'

/** Keys are looked for in this many lines of a batch; a baseline's are looked for in all lines. */
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
  const limit = expected === undefined ? '' : `LIMIT ${KEY_LINES}`
  const types = new Map<string, string>()
  for (const { format, files } of groups) {
    for (const [key, type] of await keysOf(duck, files, format, limit)) {
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
  const lacking = expected === undefined ? await lackingKeys(duck, groups, parts, names, name) : []
  return { shapes, keys: new Set(types.keys()), notes: lacking }
}

const isArray = ({ head }: Part): boolean => head.trimStart().startsWith('[')

/** Every key with what its values are: `nested` when all of them are objects or lists. */
async function keysOf(duck: Duck, files: string, format: string, limit: string): Promise<[string, string][]> {
  const [row] = await duck.rows(
    `SELECT CAST(json_group_structure(json) AS VARCHAR) FROM
       (SELECT json FROM read_json_objects(${files}, format='${format}') ${limit})`,
  )
  const structure: unknown = JSON.parse(String(row?.[0] ?? '{}'))
  if (typeof structure !== 'object' || structure === null || Array.isArray(structure))
    throw new Error('JSON: no object')
  return Object.entries(structure).map(([key, type]) => [key, typeof type === 'object' ? 'nested' : String(type)])
}

/** Which parts lack which key altogether; said of baselines, whose lines are all looked at. */
async function lackingKeys(
  duck: Duck,
  groups: readonly { readonly files: string; readonly format: string }[],
  parts: readonly Part[],
  names: readonly string[],
  name: string,
): Promise<string[]> {
  if (parts.length === 1) return []
  const byKey = new Map(names.map((key) => [key, new Set(parts.map(({ path }) => path))]))
  for (const { files, format } of groups) {
    const rows = await duck.rows(
      `SELECT filename, CAST(json_group_structure(json) AS VARCHAR)
       FROM read_json_objects(${files}, format='${format}', filename=true) GROUP BY filename`,
    )
    for (const [path, structure] of rows) {
      for (const key of Object.keys(JSON.parse(String(structure)) as object)) byKey.get(key)?.delete(String(path))
    }
  }
  return [...byKey]
    .filter(([, paths]) => paths.size > 0)
    .slice(0, 10)
    .map(([key, paths]) => {
      const labels = parts.filter(({ path }) => paths.has(path)).map(({ label }) => label)
      return `${key} is missing in ${listed(labels)} of ${name}: missing in all rows there`
    })
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
