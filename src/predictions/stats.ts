/**
 * Figures of a window: volume, errors by category, latency, by version and over time (docs/prediction-log.md). Whether
 * they are healthy is judged in `src/monitor/`.
 */
import { DAY } from '../project/duration.ts'
import type { Reading } from './reading.ts'
import { allSql, FAILED, windowSql } from './records.ts'
import type { LogFigures, LogStats, VersionFigures, WindowQuery } from './types.ts'

/** Up to this many records the latencies are kept as they are; those of more are rounded up into bins 0.2 % wide. */
const EXACT = 2_000_000
const BIN = Math.log(1.002)
const CATEGORIES = 20

export async function statsOf(reading: Reading, query: WindowQuery): Promise<LogStats> {
  await groupRecords(reading, query)
  const rowsOf = (sql: string) => reading.duck.rows(sql)
  const [torn] = await rowsOf(`SELECT coalesce(sum(n), 0) FROM ${GROUPS} WHERE kind = 'request' AND NOT is_record`)
  const counted = await rowsOf(
    `SELECT version, sum(n), sum(weight), coalesce(sum(weight) FILTER (category IS NOT NULL), 0), min(first), max(last),
       sum(calls), sum(weight) * sum(weight) / sum(squares)
     FROM ${GROUPS} WHERE kind = 'request' AND is_record GROUP BY GROUPING SETS ((version), ()) ORDER BY version NULLS FIRST`,
  )
  const categories = await rowsOf(
    `SELECT version, category, sum(weight) FROM ${GROUPS} WHERE category IS NOT NULL AND is_record
     GROUP BY GROUPING SETS ((version, category), (category)) QUALIFY row_number() OVER (PARTITION BY version ORDER BY sum(weight) DESC, category) <= ${CATEGORIES}`,
  )
  const latencies = await latenciesOf(reading, query)
  const figures = counted.map((row): VersionFigures => {
    const version = row[0] === null ? null : Number(row[0])
    const errors = categories.filter(([of]) => (of === null ? null : Number(of)) === version)
    return { version: version ?? -1, ...figuresOf(row, errors, latencies.get(version) ?? null) }
  })
  const [all, ...versions] = figures
  const { version: _, ...total } = all ?? { version: -1, ...NONE }
  return { ...total, versions, volume: await volumeOf(reading, query), torn: reading.torn + Number(torn?.[0] ?? 0) }
}

const GROUPS = 'record_groups'
const stepOf = ({ since, until }: WindowQuery): number => (until - since <= 2 * DAY ? DAY / 24 : DAY)

/**
 * Reads the files once: requests by version, error and slot of time, and how often each latency occurred. Everything
 * else is asked of these groups. Calls are grouped first; of very many records, whose groups would not fit into memory,
 * they are estimated.
 */
async function groupRecords(reading: Reading, query: WindowQuery): Promise<void> {
  const { duck, files, model } = reading
  const isFew = reading.most <= EXACT || (await linesOf(reading)) <= EXACT
  const slow = query.slowerThan === undefined ? 'false' : `latency_ms > ${query.slowerThan}`
  const latency = isFew ? 'latency_ms' : `exp(ceil(ln(latency_ms + 0.001) / ${BIN}) * ${BIN}) - 0.001`
  const records = `SELECT is_record, version, CASE WHEN ${FAILED} THEN coalesce(error, status) END AS category, ts,
      latency_ms, 1 / coalesce(sample_rate, 1) AS weight
    FROM (${allSql(files, model)}) WHERE NOT is_record OR (${windowSql(query)})`
  const calls = isFew
    ? `SELECT is_record, version, category, ts, latency_ms, count(*) AS n, sum(weight) AS weight FROM (${records}) GROUP BY ALL`
    : `SELECT *, 1 AS n FROM (${records})`
  const counted = isFew
    ? 'count(*) AS calls, sum(weight * weight) AS squares'
    : 'least(count(*), approx_count_distinct(hash(ts, latency_ms))) AS calls, sum(weight) * sum(weight) / calls AS squares'
  await duck.rows(
    `CREATE TEMP TABLE ${GROUPS} AS
     SELECT CASE WHEN GROUPING(slot) = 0 THEN 'request' ELSE 'latency' END AS kind, is_record, version, category, slot,
       latency, sum(n) AS n, coalesce(sum(n) FILTER (slow), 0) AS slow, sum(weight) AS weight, min(time) AS first,
       max(time) AS last, ${counted}
     FROM (SELECT is_record, version, category, CAST(floor(epoch_ms(ts) / ${stepOf(query)}) AS DOUBLE) AS slot,
         CAST(epoch_ms(ts) AS DOUBLE) AS time, ts, latency_ms, n, weight, ${slow} AS slow,
         CASE WHEN category IS NULL AND latency_ms >= 0 AND isfinite(latency_ms) THEN ${latency} END AS latency
       FROM (${calls}))
     GROUP BY GROUPING SETS ((is_record, version, category, slot), (is_record, version, latency))`,
  )
}

const NONE: LogFigures = {
  requests: 0,
  records: 0,
  calls: 0,
  evenCalls: 0,
  errors: 0,
  errorsByCategory: {},
  latency: null,
  first: null,
  last: null,
}

function figuresOf(
  row: readonly unknown[],
  errors: readonly (readonly unknown[])[],
  latency: LogFigures['latency'],
): LogFigures {
  const [, records, requests, failures, first, last, calls, evenCalls] = row
  const time = (value: unknown): string | null => (typeof value === 'number' ? new Date(value).toISOString() : null)
  const named = errors.map(([, name, weight]) => [String(name), Math.round(Number(weight))] as const)
  const total = Math.round(Number(failures ?? 0))
  const rest = total - named.reduce((sum, [, weight]) => sum + weight, 0)
  return {
    requests: Math.round(Number(requests ?? 0)),
    records: Number(records ?? 0),
    calls: Number(calls ?? 0),
    // Sums of fractions differ in their last digits with the order in which threads were ready.
    evenCalls: Number(Number(evenCalls ?? 0).toPrecision(9)),
    errors: total,
    errorsByCategory: Object.fromEntries(
      rest > 0 && named.length === CATEGORIES ? [...named, ['(others)', rest]] : named,
    ),
    latency,
    first: time(first),
    last: time(last),
  }
}

/** All lines, also those of compacted files that were no records: the same before and after a compaction. */
async function linesOf({ duck, files, model, torn }: Reading): Promise<number> {
  const [row] = await duck.rows(`SELECT count(*) FROM (${allSql(files, model)})`)
  return Number(row?.[0] ?? 0) + torn
}

/** By version, and over all under `null`. Linear interpolation between neighbours, as numpy's percentile. */
async function latenciesOf(
  { duck }: Reading,
  { slowerThan, quantiles = [] }: WindowQuery,
): Promise<Map<number | null, LogFigures['latency']>> {
  // The value at place k of the sorted latencies is the least whose count up to it exceeds k.
  const at = (place: string) => `min(latency) FILTER (upto > ${place})`
  const quantile = (q: number) => {
    const place = `${q} * (total - 1)`
    return `any_value(${place} - floor(${place})), ${at(`floor(${place})`)}, ${at(`ceil(${place})`)}`
  }
  const rows = await duck.rows(
    `WITH measured AS (SELECT version, latency, n, slow FROM ${GROUPS} WHERE kind = 'latency' AND is_record AND latency IS NOT NULL),
       sets AS (SELECT * FROM measured UNION ALL SELECT NULL, latency, sum(n), sum(slow) FROM measured GROUP BY latency),
       sums AS (SELECT *, CAST(sum(n) OVER (PARTITION BY version ORDER BY latency) AS DOUBLE) AS upto,
         CAST(sum(n) OVER (PARTITION BY version) AS DOUBLE) AS total FROM sets)
     SELECT version, any_value(total), sum(slow), ${[0.5, 0.95, 0.99, ...quantiles].map(quantile).join(', ')}
     FROM sums GROUP BY version`,
  )
  const between = ([part = 0, low = 0, high = 0]: readonly number[]): number => low + part * (high - low)
  return new Map(
    rows.map((row) => {
      const values = row.slice(3).map(Number)
      const at = (index: number): number => between(values.slice(3 * index, 3 * index + 3))
      const asked = {
        ...(slowerThan === undefined ? {} : { slower: Number(row[2]) }),
        ...(quantiles.length === 0 ? {} : { quantiles: quantiles.map((_, index) => at(index + 3)) }),
      }
      const latency = { count: Number(row[1]), p50: at(0), p95: at(1), p99: at(2), ...asked }
      return [row[0] === null ? null : Number(row[0]), latency]
    }),
  )
}

const MOST_SLOTS = 3_660

/** Requests by day, or by hour where the window is at most two days; also of days and hours without any. */
async function volumeOf(reading: Reading, query: WindowQuery): Promise<LogStats['volume']> {
  const step = stepOf(query)
  const rows = await reading.duck.rows(
    `SELECT slot, sum(weight), coalesce(sum(weight) FILTER (category IS NOT NULL), 0) FROM ${GROUPS}
     WHERE kind = 'request' AND is_record GROUP BY slot ORDER BY slot`,
  )
  const found = new Map(
    rows.map(([slot, requests, errors]) => [Number(slot), [Number(requests), Number(errors)] as const]),
  )
  const slots = [...found.keys()]
  const [first, last] = [slots[0], slots.at(-1)]
  if (first === undefined || last === undefined) return []
  // A window with ends is shown whole: silence at its end is what one looks for.
  const from = Number.isFinite(query.since) ? Math.floor(query.since / step) : first
  const to = Number.isFinite(query.until) ? Math.ceil(query.until / step) - 1 : last
  const count = Math.min(to - from + 1, MOST_SLOTS)
  return Array.from({ length: Math.max(0, count) }, (_, index) => {
    const slot = to - count + 1 + index
    const [requests = 0, errors = 0] = found.get(slot) ?? []
    return { from: new Date(slot * step).toISOString(), requests: Math.round(requests), errors: Math.round(errors) }
  })
}
