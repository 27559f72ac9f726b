/**
 * The answered rows of a window as data for a profile: one column per feature, the answer as the prediction column, the
 * label as the target. Every value is text, read as the JSONL reader reads it, so that the same rows give the same
 * profile from a file and from the log.
 */
import { failed } from '../core/errors.ts'
import { type Duck, sqlName, sqlText } from '../data/duck.ts'
import { readError } from '../data/read-error.ts'
import type { OpenOptions, Source, SourceColumn } from '../data/source.ts'
import { identityOf } from './identity.ts'
import type { Reading } from './reading.ts'
import { labelledSql, OK, recordsSql } from './records.ts'
import type { RowShape, WindowQuery } from './types.ts'

/** Records of a batch that are looked at for keys: columns of the baseline are looked for anyway. */
const KEY_ROWS = 10_000
/** Share of the rows that must have a label: a column that fills up as labels arrive would pass for missing values. */
const COVERED = 0.95
/** What a bare answer is called where no prediction column is configured. */
const ANSWER = 'prediction'

/** @param name for people */
export async function withRows<T>(
  reading: Reading,
  name: string,
  query: WindowQuery,
  shape: RowShape,
  options: OpenOptions,
  use: (source: Source) => Promise<T>,
): Promise<T> {
  try {
    const { duck, files, model } = reading
    const coverage = shape.target === undefined ? 0 : await coverageOf(reading, query)
    const isLabelled = coverage >= COVERED
    const records = isLabelled ? labelledSql(files, model, query) : recordsSql(files, model, query)
    const answered = `SELECT * FROM (${records}) WHERE ${OK}`
    const columns = ['id', 'ts', 'version', 'features', 'output', ...(isLabelled ? ['label'] : [])]
    const identity = await identityOf(duck, answered, columns)
    const isBaseline = options.expected === undefined && shape.columns === undefined
    const seen = await look(duck, answered, identity.rows, isBaseline)
    const plan = planColumns(seen, shape, options.expected ?? [], isLabelled, name)
    const relation = `(SELECT ${plan.map(({ sql, expression }) => `${expression} AS ${sql}`).join(', ') || '1 AS c0'} FROM (
      SELECT features, output${isLabelled ? ', label' : ''}, ${parsed(plan)} FROM (${answered})))`
    return await use({
      name,
      format: 'jsonl',
      sha256: Promise.resolve(identity.sha256),
      relation,
      columns: plan.map(({ name: column, sql, physical }) => ({ name: column, sql, physical })),
      keys: new Set(plan.filter(({ isSeen }) => isSeen).map((column) => column.name)),
      notes: notesOf(shape, coverage),
      duck,
      assertUnchanged: reading.assertUnchanged,
    })
  } catch (error) {
    throw (error as Error)?.name === 'MlopsError' ? error : readError(error, name)
  }
}

async function coverageOf({ duck, files, model }: Reading, query: WindowQuery): Promise<number> {
  if (files.labels.length === 0 && files.rows === undefined) return 0
  const [row] = await duck.rows(
    `SELECT count(label) / greatest(count(*), 1) FROM (${labelledSql(files, model, query)}) WHERE ${OK}`,
  )
  return Number(row?.[0] ?? 0)
}

function notesOf({ target }: RowShape, coverage: number): string[] {
  if (target === undefined || coverage === 0 || coverage >= COVERED) return []
  return [`${target} was left out: ${Math.floor(100 * coverage)} % of the rows have a label so far`]
}

type From = 'features' | 'output' | 'bare' | 'label'

interface PlannedColumn extends SourceColumn {
  readonly from: From
  /** Over `features`, `output`, `label` and the parsed `f` and `o`. */
  readonly expression: string
  readonly isSeen: boolean
}

interface Seen {
  /** Key -> whether all its values are objects or lists. */
  readonly features: ReadonlyMap<string, boolean>
  readonly output: ReadonlyMap<string, boolean>
  readonly hasBareOutput: boolean
}

const IS_OBJECT = "json_type(output) = 'OBJECT'"

/**
 * About `KEY_ROWS` records are looked at, chosen by their ids: the same ones in whatever files they lie. Of a baseline
 * all are, though only for their keys: what DuckDB keeps of their structure grows with the rows.
 */
async function look(duck: Duck, answered: string, rows: number, isBaseline: boolean): Promise<Seen> {
  const step = Math.ceil(rows / KEY_ROWS)
  const [row] = await duck.rows(
    `SELECT CAST(json_group_structure(CASE WHEN json_type(features) = 'OBJECT' THEN features END) AS VARCHAR),
       CAST(json_group_structure(CASE WHEN ${IS_OBJECT} THEN output END) AS VARCHAR),
       count(*) FILTER (output IS NOT NULL AND NOT ${IS_OBJECT})
     FROM (${answered}) WHERE ${step > 1 ? `md5_number_lower(id) % ${step} = 0` : 'true'}`,
  )
  const [features, output, bare] = row ?? []
  const seen = { features: keysOf(features), output: keysOf(output), hasBareOutput: Number(bare ?? 0) > 0 }
  if (step <= 1 || !isBaseline) return seen
  const rest = await duck.rows(
    `SELECT DISTINCT place, key FROM (
       SELECT 'features' AS place, unnest(json_keys(features)) AS key FROM (${answered})
       UNION ALL SELECT 'output', unnest(json_keys(output)) FROM (${answered}) WHERE ${IS_OBJECT}
       UNION ALL SELECT 'bare', '' FROM (${answered}) WHERE output IS NOT NULL AND NOT ${IS_OBJECT}) ORDER BY ALL`,
  )
  for (const [place, key] of rest) {
    if (place === 'bare') seen.hasBareOutput = true
    else {
      const keys = place === 'features' ? seen.features : seen.output
      if (!keys.has(String(key))) keys.set(String(key), false)
    }
  }
  return seen
}

function keysOf(structure: unknown): Map<string, boolean> {
  const found: unknown = JSON.parse(typeof structure === 'string' ? structure : '{}')
  if (typeof found !== 'object' || found === null) return new Map()
  return new Map(Object.entries(found).map(([key, type]) => [key, typeof type === 'object']))
}

/** Features first, then members of the answer; the prediction column is the answer's, where it has it. */
function planColumns(
  seen: Seen,
  shape: RowShape,
  expected: readonly string[],
  isLabelled: boolean,
  name: string,
): PlannedColumn[] {
  const answer = shape.prediction ?? ANSWER
  const wanted = [...(shape.columns ?? []), ...expected]
  const label = isLabelled ? shape.target : undefined
  const bare = seen.hasBareOutput || (seen.output.size === 0 && wanted.includes(answer) && !seen.features.has(answer))
  const from = new Map<string, From>()
  for (const key of seen.features.keys()) from.set(key, 'features')
  for (const key of seen.output.keys()) if (!from.has(key) || key === answer) from.set(key, 'output')
  if (bare && !seen.output.has(answer)) from.set(answer, 'bare')
  if (label !== undefined) from.set(label, 'label')
  // A column that no record looked at has: of the answer when the answer has members and not this one before.
  for (const key of wanted) if (!from.has(key)) from.set(key, 'features')
  assertDistinct([...from.keys()], name)
  // By name: in which order keys are met depends on the files.
  const sorted = [...from].sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted.map(([key, place], index) => {
    const isNested = (place === 'output' ? seen.output : seen.features).get(key) === true
    const isSeen = place === 'bare' ? seen.hasBareOutput : place === 'label' || seen[place].has(key)
    return {
      name: key,
      sql: `c${index}`,
      from: place,
      expression: expressionOf(key, place),
      physical: isNested && place !== 'bare' && place !== 'label' ? 'nested' : 'text',
      isSeen,
    }
  })
}

function expressionOf(key: string, place: From): string {
  if (place === 'features') return `f.${sqlName(key)}`
  if (place === 'output') return `o.${sqlName(key)}`
  return `json_transform(${place === 'bare' ? `CASE WHEN json_type(output) <> 'OBJECT' THEN output END` : 'label'}, '"VARCHAR"')`
}

/** Features and answer taken apart once per row. */
function parsed(plan: readonly PlannedColumn[]): string {
  const transform = (place: From, alias: string) => {
    const keys = plan.filter(({ from }) => from === place).map(({ name }) => [name, 'VARCHAR'])
    const json = sqlText(JSON.stringify(Object.fromEntries(keys)))
    return keys.length === 0 ? `NULL AS ${alias}` : `json_transform(${place}, ${json}) AS ${alias}`
  }
  return `${transform('features', 'f')}, ${transform('output', 'o')}`
}

/** DuckDB does not tell upper from lower case in the names of columns. */
function assertDistinct(names: readonly string[], name: string): void {
  const lower = new Map<string, string>()
  for (const key of names) {
    const other = lower.get(key.toLowerCase())
    if (other !== undefined) {
      throw failed({
        code: 'DATA_DUPLICATE_COLUMN',
        message: `${name} has columns that differ in upper and lower case only: ${other} and ${key}.`,
        hint: 'Rename one of them in the service that logs them',
      })
    }
    lower.set(key.toLowerCase(), key)
  }
}
