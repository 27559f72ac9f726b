/** One id in a log kept in PostgreSQL: by the index of its tables. */
import { ALIKE, type FoundLabel, jsonOf } from './find-day.ts'
import { type FoundRecord, recordOf } from './find-record.ts'
import type { LogContext, LogHome } from './home.ts'
import { allRows } from './postgres.ts'

type Home = Extract<LogHome, { kind: 'postgres' }>

const MICROS = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint`
const TEXTS = ['variant', 'status', 'error', 'user', 'segment'] as const
const NUMBERS = ['latency_ms', 'tokens', 'cost', 'sample_rate'] as const
const JSONS = ['features', 'output', 'tags'] as const

/** Records with the id, oldest first. @throws as `readTable` of `postgres.ts` */
export async function recordsInTable(ctx: LogContext, home: Home, model: string, id: string): Promise<FoundRecord[]> {
  const columns = [
    ...[...TEXTS, ...NUMBERS].map((name) => `"${name}"`),
    ...JSONS.map((name) => `"${name}"::text AS "${name}"`),
  ]
  const rows = await allRows(
    ctx,
    home,
    `SELECT ${MICROS('time')} AS micros, version, ${columns.join(', ')} FROM mlops_predictions
     WHERE model = '${model}' AND id = ${textSql(id)} ORDER BY time, seq LIMIT 100`,
  )
  const names = [...TEXTS, ...NUMBERS, ...JSONS]
  return rows.map(([micros, version, ...rest]) => {
    const members = names.map((name, index): [string, unknown] => [name, memberOf(name, rest[index])])
    const own = { id, model, time: isoOf(micros), version: Number(version) }
    return recordOf({ ...own, ...Object.fromEntries(members) }, `${home.name}, mlops_predictions`)
  })
}

export async function labelInTable(
  ctx: LogContext,
  home: Home,
  model: string,
  id: string,
): Promise<FoundLabel | undefined> {
  const [row] = await allRows(
    ctx,
    home,
    `SELECT label::text AS label, ${MICROS('time')} AS micros FROM mlops_labels
     WHERE model = '${model}' AND id = ${textSql(id)} AND label IS NOT NULL ORDER BY time DESC, seq DESC LIMIT 1`,
  )
  const value = typeof row?.[0] === 'string' ? jsonOf(row[0]) : undefined
  const isBare = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return isBare ? { value, time: isoOf(row?.[1]), place: `${home.name}, mlops_labels` } : undefined
}

/** Ids that begin with the text. Reads the index, not the rows. */
export async function alikeInTable(ctx: LogContext, home: Home, model: string, id: string): Promise<string[]> {
  const rows = await allRows(
    ctx,
    home,
    `SELECT DISTINCT id FROM mlops_predictions WHERE model = '${model}' AND starts_with(id, ${textSql(id)}) ORDER BY id LIMIT ${ALIKE}`,
  )
  return rows.map(([found]) => String(found))
}

/** Whatever the server takes a backslash for, this is the text and nothing else. */
const textSql = (text: string): string => `convert_from(decode('${Buffer.from(text).toString('hex')}', 'hex'), 'UTF8')`

const isoOf = (micros: unknown): string => new Date(Math.floor(Number(micros) / 1000)).toISOString()

function memberOf(name: string, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if ((JSONS as readonly string[]).includes(name)) return jsonOf(String(value))
  return (NUMBERS as readonly string[]).includes(name) ? Number(value) : String(value)
}
