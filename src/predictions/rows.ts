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
import { readLabels } from './label-classes.ts'
import type { Reading } from './reading.ts'
import { recordMember } from './record-member.ts'
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
    const isCovered = coverage >= COVERED
    const records = isCovered ? labelledSql(files, model, query) : recordsSql(files, model, query)
    const answered = `SELECT * FROM (${records}) WHERE ${OK}`
    const member = await wantedMember(duck, answered, shape, options.expected)
    const columns = [
      'id',
      'ts',
      'version',
      'features',
      'output',
      ...(isCovered ? ['label'] : []),
      ...(member?.columns ?? []),
    ]
    const identity = await identityOf(duck, answered, columns)
    const isBaseline = options.expected === undefined && shape.columns === undefined
    const labels = isCovered ? await readLabels(duck, answered, shape) : { sql: undefined, notes: [] }
    const seen = await look(duck, answered, identity.rows, isBaseline)
    const plan = planColumns(seen, shape, options.expected, { label: labels.sql, member: member?.sql }, name)
    const relation = `(SELECT ${plan.map(({ sql, expression }) => `${expression} AS ${sql}`).join(', ') || '1 AS c0'} FROM (
      SELECT features, output${isCovered ? ', label' : ''}${member === undefined ? '' : `, ${member.columns.map(sqlName).join(', ')}`}, ${parsed(plan)} FROM (${answered})))`
    return await use({
      name,
      format: 'jsonl',
      sha256: Promise.resolve(identity.sha256),
      relation,
      columns: plan.map(({ name: column, sql, physical }) => ({ name: column, sql, physical })),
      keys: new Set(plan.filter(({ isSeen }) => isSeen).map((column) => column.name)),
      notes: [...notesOf(shape, coverage), ...labels.notes, ...respelledNotes(plan, seen)],
      duck,
      assertUnchanged: reading.assertUnchanged,
    })
  } catch (error) {
    throw (error as Error)?.name === 'MlopsError' ? error : readError(error, name)
  }
}

/** Of use where it is asked for, and has a value anywhere. */
async function wantedMember(duck: Duck, answered: string, { member }: RowShape, expected: OpenOptions['expected']) {
  if (member === undefined || expected?.includes(member) !== true) return undefined
  const found = recordMember(member)
  if (found === undefined) return undefined
  const [row] = await duck.rows(`SELECT count(${found.sql}) FROM (${answered})`)
  return Number(row?.[0] ?? 0) === 0 ? undefined : found
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

type From = 'features' | 'output' | 'bare' | 'label' | 'member'

interface PlannedColumn extends SourceColumn {
  readonly from: From
  /** Over `features`, `output`, `label` and the parsed `f` and `o`. */
  readonly expression: string
  readonly isOneOfAll: boolean
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
 * all are, though only for their keys. Values are never descended into: DuckDB's functions of the structure of JSON
 * call themselves for each level, and a value nested deeply enough ends the process.
 */
async function look(duck: Duck, answered: string, rows: number, isBaseline: boolean): Promise<Seen> {
  const step = Math.ceil(rows / KEY_ROWS)
  const members = (column: string) =>
    `SELECT '${column}' AS place, unnest(map_entries(json_transform(${column}, '"MAP(VARCHAR,JSON)"'))) AS member
       FROM looked WHERE json_type(${column}) = 'OBJECT'`
  const found = await duck.rows(
    `WITH looked AS (SELECT features, output FROM (${answered}) WHERE ${step > 1 ? `md5_number_lower(id) % ${step} = 0` : 'true'})
     SELECT place, member.key, coalesce(min(type) = max(type) AND min(type) IN ('ARRAY', 'OBJECT'), false)
     FROM (SELECT *, nullif(json_type(member.value), 'NULL') AS type FROM (${members('features')} UNION ALL ${members('output')}))
     GROUP BY ALL
     UNION ALL SELECT 'bare', '', false FROM looked WHERE output IS NOT NULL AND NOT ${IS_OBJECT} GROUP BY ALL
     ORDER BY ALL`,
  )
  const seen = { features: new Map<string, boolean>(), output: new Map<string, boolean>(), hasBareOutput: false }
  const add = (place: unknown, key: string, isNested: boolean) => {
    if (place === 'bare') seen.hasBareOutput = true
    // No SQL can name a column of no characters or with a NUL.
    else if (key !== '' && !key.includes('\0')) {
      const keys = place === 'features' ? seen.features : seen.output
      if (!keys.has(key)) keys.set(key, isNested)
    }
  }
  for (const [place, key, isNested] of found) add(place, String(key), isNested === true)
  if (step <= 1 || !isBaseline) return seen
  const rest = await duck.rows(
    `SELECT DISTINCT place, key FROM (
       SELECT 'features' AS place, unnest(json_keys(features)) AS key FROM (${answered})
       UNION ALL SELECT 'output', unnest(json_keys(output)) FROM (${answered}) WHERE ${IS_OBJECT}
       UNION ALL SELECT 'bare', '' FROM (${answered}) WHERE output IS NOT NULL AND NOT ${IS_OBJECT}) ORDER BY ALL`,
  )
  for (const [place, key] of rest) add(place, String(key), false)
  return seen
}

/** Features first, then members of the answer; the prediction column is the answer's, where it has it. */
function planColumns(
  seen: Seen,
  shape: RowShape,
  expected: readonly string[] | undefined,
  sql: { readonly label: string | undefined; readonly member: string | undefined },
  name: string,
): PlannedColumn[] {
  const answer = shape.prediction ?? ANSWER
  const wanted = [...(shape.columns ?? []), ...(expected ?? [])]
  const label = sql.label === undefined ? undefined : shape.target
  const bare = seen.hasBareOutput || (seen.output.size === 0 && wanted.includes(answer) && !seen.features.has(answer))
  const from = new Map<string, From>()
  for (const key of seen.features.keys()) from.set(key, 'features')
  for (const key of seen.output.keys()) if (!from.has(key) || key === answer) from.set(key, 'output')
  if (bare && !seen.output.has(answer)) from.set(answer, 'bare')
  if (label !== undefined) from.set(label, 'label')
  // What the model is given goes before what the service says of the request.
  const { member } = shape
  if (sql.member !== undefined && member !== undefined && !from.has(member)) from.set(member, 'member')
  // A column that no record looked at has: of the answer when the answer has members and not this one before.
  for (const key of wanted) if (!from.has(key)) from.set(key, 'features')
  dropSpellings(from, wanted)
  assertDistinct([...from.keys()], name)
  const read = expected === undefined ? undefined : new Set(wanted)
  // By name: in which order keys are met depends on the files.
  const sorted = [...from].sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted.map(([key, place], index) => {
    const isNested = (place === 'output' ? seen.output : seen.features).get(key) === true
    const isOwn = place === 'label' || place === 'member'
    const isSeen = place === 'bare' ? seen.hasBareOutput : isOwn || seen[place].has(key)
    return {
      name: key,
      sql: `c${index}`,
      from: place,
      expression: (isOwn ? sql[place] : undefined) ?? expressionOf(key, place, read?.has(key) !== false),
      isOneOfAll: read?.has(key) !== false,
      physical: isNested && place !== 'bare' && !isOwn ? 'nested' : 'text',
      isSeen,
    }
  })
}

/**
 * @param isOneOfAll taken apart with the others of its row. A column that is only named costs nothing by itself: a
 * single record with thousands of new keys must not keep a window from being judged.
 */
function expressionOf(key: string, place: From, isOneOfAll: boolean): string {
  if (!isOneOfAll && (place === 'features' || place === 'output')) {
    return `json_transform(${place}, ${sqlText(JSON.stringify({ [key]: 'VARCHAR' }))}).${sqlName(key)}`
  }
  if (place === 'features') return `f.${sqlName(key)}`
  if (place === 'output') return `o.${sqlName(key)}`
  return `json_transform(CASE WHEN json_type(output) <> 'OBJECT' THEN output END, '"VARCHAR"')`
}

/** Features and answer taken apart once per row. */
function parsed(plan: readonly PlannedColumn[]): string {
  const transform = (place: From, alias: string) => {
    const keys = plan
      .filter(({ from, isOneOfAll }) => from === place && isOneOfAll)
      .map(({ name }) => [name, 'VARCHAR'])
    const json = sqlText(JSON.stringify(Object.fromEntries(keys)))
    return keys.length === 0 ? `NULL AS ${alias}` : `json_transform(${place}, ${json}) AS ${alias}`
  }
  return `${transform('features', 'f')}, ${transform('output', 'o')}`
}

/** Another spelling of a column that is wanted is a mistake of one record: it must not keep the others from being read. */
function dropSpellings(from: Map<string, From>, wanted: readonly string[]): void {
  const spelled = new Map(wanted.map((key) => [key.toLowerCase(), key]))
  for (const key of [...from.keys()]) {
    const known = spelled.get(key.toLowerCase())
    if (known !== undefined && known !== key && !wanted.includes(key)) from.delete(key)
  }
}

/** A column that no record has, under the spelling that they do have. */
function respelledNotes(plan: readonly PlannedColumn[], { features, output }: Seen): string[] {
  const keys = [...features.keys(), ...output.keys()]
  return plan.flatMap(({ name, isSeen }) => {
    const other = isSeen ? undefined : keys.find((key) => key.toLowerCase() === name.toLowerCase())
    return other === undefined ? [] : [`no record has ${name}; did you mean ${other}? The records have that`]
  })
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
