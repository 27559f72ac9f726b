/**
 * How much a model listens to each of its columns, as somebody measured it: read from JSON or CSV, and used for one
 * thing, the order in which columns are shown. An importance never changes a verdict. Which file is read is decided by
 * the caller.
 */
import { usage } from '../core/errors.ts'
import { nearest } from '../core/nearest.ts'
import type { ColumnResult, ColumnVerdict } from './types.ts'

/** Weight by column. Any scale; the size counts, not the sign (a coefficient of -2 matters as much as one of 2). */
export type Importances = Readonly<Record<string, number>>

/** Files of a version in which importances are looked for, the first one that is there. */
const IMPORTANCE_FILES: readonly string[] = [
  'importances.json',
  'importances.csv',
  'feature_importances.json',
  'feature_importances.csv',
]

/** A file with more columns than any data we read is no list of importances. */
const MOST = 4_096
const NAME_KEYS = ['column', 'feature', 'name']
const WEIGHT_KEYS = ['importance', 'weight', 'value']

/** @returns the path of the version's own importances among its files, the one nearest to the root; undefined without one */
export function importancesFile(paths: readonly string[]): string | undefined {
  const base = (path: string) => path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  const rank = (path: string) => [path.split('/').length, IMPORTANCE_FILES.indexOf(base(path))] as const
  return paths
    .filter((path) => IMPORTANCE_FILES.includes(base(path)))
    .toSorted((a, b) => {
      const [x, y] = [rank(a), rank(b)]
      return x[0] - y[0] || x[1] - y[1] || (a < b ? -1 : 1)
    })[0]
}

/**
 * Reads `{"tenure": 0.4, …}`, `[{"column": "tenure", "importance": 0.4}, …]` (also `feature`/`name`,
 * `weight`/`value`), or CSV lines `tenure,0.4` with or without a header.
 * @param name the file as the user wrote it, for messages
 * @throws usage `IMPORTANCES_INVALID`, naming every line or entry that is wrong
 */
export function parseImportances(text: string, name: string): Importances {
  const body = text.replace(/^\uFEFF/, '').trim()
  const pairs = /^[[{]/.test(body) ? fromJson(body, name) : fromCsv(body)
  const problems: string[] = []
  const weights = new Map<string, number>()
  for (const { where, column, weight } of pairs) {
    const value = typeof weight === 'number' ? weight : weightOf(weight)
    if (column === '') problems.push(`${where}: there is no name of a column`)
    else if (weights.has(column)) problems.push(`${where}: ${JSON.stringify(column)} stands there twice`)
    else if (!Number.isFinite(value)) problems.push(`${where}: ${JSON.stringify(column)} has no number`)
    else weights.set(column, value)
  }
  if (pairs.length === 0) problems.push('it is empty')
  if (pairs.length > MOST) problems.push(`it has ${pairs.length.toLocaleString('en-US')} entries`)
  if (problems.length === 0) return Object.fromEntries(weights)
  throw invalid(name, problems)
}

const invalid = (name: string, problems: readonly string[]) =>
  usage({
    code: 'IMPORTANCES_INVALID',
    message: `${name} is no list of importances: ${problems.length === 1 ? problems[0] : `${problems.length} entries are wrong`}.`,
    hint: 'Write lines of COLUMN,NUMBER, or JSON such as {"tenure": 0.4, "plan": 0.1}',
    ...(problems.length === 1 ? {} : { details: { problems: problems.slice(0, 20) } }),
  })

interface Pair {
  readonly where: string
  readonly column: string
  readonly weight: unknown
}

function fromJson(body: string, name: string): Pair[] {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (error) {
    throw invalid(name, [`it is not valid JSON (${error instanceof Error ? error.message : String(error)})`])
  }
  if (!Array.isArray(value)) {
    return Object.entries(value as object).map(([column, weight]) => ({ where: 'entry', column, weight }))
  }
  return value.map((entry: unknown, i): Pair => {
    const record = typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>) : {}
    const [first, second] = Array.isArray(entry) ? entry : []
    const pick = (keys: readonly string[]) => record[keys.find((key) => key in record) ?? '']
    const column = first ?? pick(NAME_KEYS)
    return {
      where: `entry ${i + 1}`,
      column: typeof column === 'string' ? column : '',
      weight: second ?? pick(WEIGHT_KEYS),
    }
  })
}

function fromCsv(body: string): Pair[] {
  const lines = body.split(/\r?\n/).map((line, i) => ({ line, where: `line ${i + 1}` }))
  const pairs = lines
    .filter(({ line }) => line.trim() !== '')
    .map(({ line, where }) => {
      // The number is the last field, whatever stands in the name before it.
      const cut = Math.max(line.lastIndexOf(','), line.lastIndexOf(';'), line.lastIndexOf('\t'))
      const quoted = /^\s*"((?:[^"]|"")*)"\s*$/.exec(cut < 0 ? line : line.slice(0, cut))
      const column = quoted?.[1]?.replaceAll('""', '"') ?? (cut < 0 ? line : line.slice(0, cut)).trim()
      return { where, column, weight: cut < 0 ? '' : line.slice(cut + 1).trim() }
    })
  const head = String(pairs[0]?.weight)
  const isHeader = /^[a-z]/i.test(head) && Number.isNaN(Number(head))
  return isHeader ? pairs.slice(1) : pairs
}

const weightOf = (weight: unknown): number =>
  typeof weight === 'string' && weight.trim() !== '' ? Number(weight) : Number.NaN

/** What the list names but the baseline does not have: a sentence, or nothing. */
export function importanceNotes(importances: Importances, columns: readonly string[], name: string): string[] {
  const unknown = Object.keys(importances).filter((column) => !columns.includes(column))
  if (unknown.length === 0) return []
  const [first = ''] = unknown
  const close = nearest(first, columns)
  const guess = close === undefined ? '' : `; did you mean ${JSON.stringify(close)}?`
  const more = unknown.length === 1 ? '' : ` and ${unknown.length - 1} more`
  return [`${name} names ${JSON.stringify(first)}${more}, which the baseline does not have${guess}`]
}

const SEVERITY: readonly ColumnVerdict[] = ['broken', 'drift', 'inconclusive', 'negligible', 'stable', 'skipped']

/**
 * The prediction column, the target when it was compared, then the features: by verdict, so that no weight can hide a
 * drift; within one verdict by effect in units of its threshold times importance (a column without one comes after
 * those with one), then by effect.
 * @returns a new list; each column with its `importance` when there is one
 */
export function orderColumns(columns: readonly ColumnResult[], importances: Importances = {}): ColumnResult[] {
  const isListed = (column: string) => Object.hasOwn(importances, column)
  const weights = Object.values(importances).map(Math.abs)
  const weight = ({ column }: ColumnResult) =>
    weights.length === 0 ? 1 : isListed(column) ? Math.abs(importances[column] ?? 0) : 0
  const role = ({ role, verdict }: ColumnResult) =>
    role === 'prediction' ? 0 : role === 'target' && verdict !== 'skipped' ? 1 : 2
  // A broken column has no effect in numbers: it is as large as an effect can be.
  const effect = ({ effect, threshold }: ColumnResult) => (effect === null ? 1e9 : effect / threshold)
  const by = (a: ColumnResult, b: ColumnResult): number =>
    role(a) - role(b) ||
    SEVERITY.indexOf(a.verdict) - SEVERITY.indexOf(b.verdict) ||
    effect(b) * weight(b) - effect(a) * weight(a) ||
    effect(b) - effect(a) ||
    (a.column < b.column ? -1 : 1)
  return columns
    .toSorted(by)
    .map((each) => (isListed(each.column) ? { ...each, importance: importances[each.column] ?? 0 } : each))
}
