/** Writing into a log kept in PostgreSQL: its tables, labels, pruning. Each in one transaction. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Client } from 'pg'
import { parseDatabaseUrl } from '../data/postgres.ts'
import { databaseError } from '../data/postgres-error.ts'
import { dateOf } from './days.ts'
import type { LogContext, LogHome } from './home.ts'
import type { Joined } from './label.ts'
import { noTable } from './postgres.ts'

type Home = Extract<LogHome, { kind: 'postgres' }>

/** docs/prediction-log.md, section 7. */
const TABLES = `
CREATE TABLE IF NOT EXISTS mlops_predictions (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL, time timestamptz NOT NULL, model text NOT NULL, version integer NOT NULL,
  variant text, features jsonb, output jsonb, latency_ms double precision, status text, error text,
  "user" text, segment text, tokens double precision, cost double precision, tags jsonb,
  sample_rate double precision);
CREATE INDEX IF NOT EXISTS mlops_predictions_model_time ON mlops_predictions (model, time);
CREATE INDEX IF NOT EXISTS mlops_predictions_model_id ON mlops_predictions (model, id);
CREATE TABLE IF NOT EXISTS mlops_labels (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model text NOT NULL, id text NOT NULL, time timestamptz NOT NULL, label jsonb);
CREATE INDEX IF NOT EXISTS mlops_labels_model_id ON mlops_labels (model, id);`

/** Makes what is missing; several at once do no harm. */
export const createTables = (ctx: LogContext, home: Home): Promise<void> =>
  inTransaction(ctx, home, async (client) => {
    // `IF NOT EXISTS` alone fails for one of two that look at the same time.
    await client.query("SELECT pg_advisory_xact_lock(hashtext('mlops_predictions'))")
    await client.query(TABLES)
  })

/** Predictions of days before `until`, their labels, and labels as old that never met a prediction. */
export const deleteBefore = (ctx: LogContext, home: Home, model: string, until: number): Promise<void> =>
  inTransaction(ctx, home, async (client) => {
    const time = `${dateOf(until)}T00:00:00Z`
    // A label goes with its prediction, unless another prediction of the same id stays.
    await client.query(
      `WITH gone AS (DELETE FROM mlops_predictions WHERE model = $1 AND time < $2 RETURNING id)
       DELETE FROM mlops_labels l WHERE l.model = $1 AND l.id IN (SELECT id FROM gone) AND NOT EXISTS
         (SELECT 1 FROM mlops_predictions p WHERE p.model = $1 AND p.id = l.id AND p.time >= $2)`,
      [model, time],
    )
    await client.query(
      `DELETE FROM mlops_labels l WHERE l.model = $1 AND l.time < $2 AND NOT EXISTS
         (SELECT 1 FROM mlops_predictions p WHERE p.model = $1 AND p.id = l.id)`,
      [model, time],
    )
  })

const BATCH = 5_000
const SHOWN = 5

/** @param path lines `{n, id, label}`; of several for one id the last counts */
export const labelRows = (ctx: LogContext, home: Home, model: string, path: string): Promise<Joined> =>
  inTransaction(ctx, home, async (client) => {
    await client.query('CREATE TEMP TABLE fresh (n bigint, id text, label jsonb) ON COMMIT DROP')
    for await (const batch of batches(path)) {
      await client.query(
        'INSERT INTO fresh SELECT n, id, label FROM jsonb_to_recordset($1::jsonb) AS f(n bigint, id text, label jsonb)',
        [`[${batch.join(',')}]`],
      )
    }
    await client.query(
      `CREATE TEMP TABLE joined ON COMMIT DROP AS
       SELECT f.id, f.label, EXISTS (SELECT 1 FROM mlops_predictions p WHERE p.model = $1 AND p.id = f.id) AS found, was.label AS was
       FROM (SELECT DISTINCT ON (id) id, label FROM fresh ORDER BY id, n DESC) f
       LEFT JOIN LATERAL (SELECT label FROM mlops_labels l WHERE l.model = $1 AND l.id = f.id
         ORDER BY time DESC, seq DESC LIMIT 1) was ON true`.replace(/\$1/g, `'${model}'`),
    )
    // After every label of an id that is known, whatever the clocks of other writers say.
    await client.query(
      `INSERT INTO mlops_labels (model, id, time, label)
       SELECT $1, j.id, greatest($2::timestamptz, (SELECT max(time) + interval '1 ms' FROM mlops_labels l WHERE l.model = $1 AND l.id = j.id)), j.label
       FROM joined j WHERE j.was IS NULL OR j.was <> j.label`,
      [model, ctx.now().toISOString()],
    )
    const { rows } = await client.query<Record<string, string>>(
      `SELECT count(*) FILTER (WHERE found AND was IS NULL) AS labelled, count(*) FILTER (WHERE found AND was <> label) AS changed,
         count(*) FILTER (WHERE found AND was = label) AS unchanged, count(*) FILTER (WHERE NOT found) AS unknown FROM joined`,
    )
    const unknown = await client.query<{ id: string }>(
      `SELECT id FROM joined WHERE NOT found ORDER BY id LIMIT ${SHOWN}`,
    )
    const count = (name: string) => Number(rows[0]?.[name] ?? 0)
    return {
      labelled: count('labelled'),
      changed: count('changed'),
      unchanged: count('unchanged'),
      unknown: count('unknown'),
      unknownIds: unknown.rows.map(({ id }) => id),
    }
  })

async function* batches(path: string): AsyncGenerator<string[]> {
  let batch: string[] = []
  for await (const line of createInterface({
    input: createReadStream(path, 'utf8'),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    if (line !== '') batch.push(line)
    if (batch.length === BATCH) {
      yield batch
      batch = []
    }
  }
  if (batch.length > 0) yield batch
}

async function inTransaction<T>(ctx: LogContext, home: Home, work: (client: Client) => Promise<T>): Promise<T> {
  const database = parseDatabaseUrl(home.url)
  const { default: pg } = await import('pg')
  const client = new pg.Client({
    connectionString: database.url,
    connectionTimeoutMillis: 10_000,
    application_name: 'mlops',
  })
  // A connection that breaks between two queries must not end the process; the next query reports it.
  client.on('error', () => {})
  const stop = () => void client.end().catch(() => {})
  ctx.signal?.addEventListener('abort', stop)
  try {
    await client.connect()
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    const refused = databaseError(error, database, ctx.signal)
    throw refused.code === 'TABLE_NOT_FOUND' ? noTable(home, error) : refused
  } finally {
    ctx.signal?.removeEventListener('abort', stop)
    await client.end().catch(() => {})
  }
}
