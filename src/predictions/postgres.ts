/**
 * A log kept in PostgreSQL (docs/prediction-log.md, section 7), read: the rows of a window are fetched once, through the
 * reader of `src/data/`, and asked in DuckDB like files. Writing into it is in `postgres-write.ts`.
 */
import { failed, isMlopsError, type MlopsError } from '../core/errors.ts'
import { databaseData } from '../data/postgres.ts'
import type { Source } from '../data/source.ts'
import { dateOf } from './days.ts'
import type { LogContext, LogHome } from './home.ts'
import type { ReadOptions, Use } from './reading.ts'
import type { TimeWindow } from './types.ts'

type Home = Extract<LogHome, { kind: 'postgres' }>

const MICROS = '(extract(epoch FROM time) * 1000000)::bigint'
const TEXTS = ['variant', 'status', 'error', 'user', 'segment'] as const
const NUMBERS = ['latency_ms', 'tokens', 'cost', 'sample_rate'] as const
const JSONS = ['features', 'output', 'tags'] as const
const LATEST =
  'SELECT l.label FROM mlops_labels l WHERE l.model = p.model AND l.id = p.id ORDER BY l.time DESC, l.seq DESC LIMIT 1'

/** @throws what `databaseData` throws; notFound `TABLE_NOT_FOUND` with how to make it */
export async function readTable<T>(
  ctx: LogContext,
  home: Home,
  model: string,
  window: TimeWindow,
  options: ReadOptions,
  use: Use<T>,
): Promise<T> {
  const data = (name: string) => (options.figuresOnly ? `NULL::text AS "${name}"` : `"${name}"::text AS "${name}"`)
  const columns = [
    ...[
      'id',
      `${MICROS} AS micros`,
      'version',
      ...TEXTS.map((name) => `"${name}"`),
      ...NUMBERS.map((name) => `"${name}"`),
    ],
    ...JSONS.map(data),
    ...(options.figuresOnly ? ['NULL::text AS label'] : [`(${LATEST})::text AS label`]),
  ]
  const sql = `SELECT ${columns.join(', ')} FROM mlops_predictions p WHERE ${inWindow(model, window)} ORDER BY seq`
  return opened(ctx, home, sql, options, (source) => {
    const column = new Map(source.columns.map((each) => [each.name, each.sql]))
    const selects = [
      ...['id', ...TEXTS, ...NUMBERS].map((name) => `${column.get(name)} AS "${name}"`),
      `make_timestamp(${column.get('micros')}) AS ts, CAST(${column.get('version')} AS BIGINT) AS version, true AS is_record`,
      ...[...JSONS, 'label'].map((name) => `TRY_CAST(${column.get(name)} AS JSON) AS "${name}"`),
    ]
    return use({
      duck: source.duck,
      model,
      files: { lines: [], parquet: [], labels: [], rows: `SELECT ${selects.join(', ')} FROM ${source.relation}` },
      torn: 0,
      most: Number.POSITIVE_INFINITY,
      assertUnchanged: source.assertUnchanged,
    })
  })
}

export const newestRow = (ctx: LogContext, home: Home, model: string) => edge(ctx, home, model, 'max')
export const oldestRow = (ctx: LogContext, home: Home, model: string) => edge(ctx, home, model, 'min')

async function edge(ctx: LogContext, home: Home, model: string, which: 'min' | 'max'): Promise<string | null> {
  const sql = `SELECT ${which}(${MICROS}) AS micros FROM mlops_predictions WHERE model = '${model}'`
  const [row] = await allRows(ctx, home, sql)
  const micros = row?.[0]
  return micros === null || micros === undefined ? null : new Date(Number(micros) / 1000).toISOString()
}

/** What a pruning would delete. @param until midnight UTC, milliseconds since 1970 */
export async function countBefore(ctx: LogContext, home: Home, model: string, until: number) {
  const day = "to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
  const where = `model = '${model}' AND time < '${dateOf(until)}T00:00:00Z'`
  const days = await allRows(
    ctx,
    home,
    `SELECT ${day} AS day, count(*) AS records FROM mlops_predictions WHERE ${where} GROUP BY 1 ORDER BY 1`,
  )
  const [labels] = await allRows(
    ctx,
    home,
    `SELECT count(*) AS labels FROM mlops_labels l WHERE ${where} AND NOT EXISTS
       (SELECT 1 FROM mlops_predictions p WHERE p.model = l.model AND p.id = l.id)`,
  )
  return {
    days: days.map(([date, records]) => ({ date: String(date), bytes: null, records: Number(records) })),
    unmatched: Number(labels?.[0] ?? 0),
  }
}

/** The model's name cannot hold a quote, and times are printed by us. */
function inWindow(model: string, { since, until }: TimeWindow): string {
  const conditions = [`model = '${model}'`]
  if (Number.isFinite(since)) conditions.push(`time >= '${new Date(Math.ceil(since)).toISOString()}'`)
  if (Number.isFinite(until)) conditions.push(`time < '${new Date(Math.ceil(until)).toISOString()}'`)
  return conditions.join(' AND ')
}

/** Every row of one SELECT, as DuckDB hands its values out. @throws as `readTable` */
export const allRows = (ctx: LogContext, home: Home, sql: string): Promise<unknown[][]> =>
  opened(ctx, home, sql, {}, ({ duck, relation, columns }) =>
    duck.rows(`SELECT ${columns.map((column) => column.sql).join(', ')} FROM ${relation}`),
  )

async function opened<T>(
  ctx: LogContext,
  home: Home,
  sql: string,
  options: Pick<ReadOptions, 'signal'>,
  use: (source: Source) => Promise<T>,
): Promise<T> {
  const signal = options.signal ?? ctx.signal
  try {
    const input = databaseData({ url: home.url, query: sql })
    return await input.open({ cwd: ctx.cwd, ...(signal === undefined ? {} : { signal }) }, use)
  } catch (error) {
    throw isMlopsError(error) && error.code === 'TABLE_NOT_FOUND' ? noTable(home, error) : error
  }
}

/** The table is missing: the log was never written to, and that is no empty log. */
export const noTable = (home: Home, cause: unknown): MlopsError =>
  failed({
    code: 'PREDICTIONS_NO_TABLE',
    message: `${home.name} has no tables mlops_predictions and mlops_labels.`,
    hint: 'Make them: mlops predictions stats MODEL --create-tables',
    cause,
  })
