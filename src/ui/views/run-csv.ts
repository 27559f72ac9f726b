/**
 * A list of runs for a spreadsheet or a data frame: what was declared as data, every metric and
 * parameter of any of them has a column.
 */
import type { ListedRun, RunList } from '../../tracking/records/list-runs.ts'
import { type CsvCell, joined, toCsv } from '../csv.ts'

const FIXED: Readonly<Record<string, (run: ListedRun) => CsvCell>> = {
  run: ({ run }) => run,
  model: ({ model }) => model,
  status: ({ status }) => status,
  started: ({ started }) => started,
  duration: ({ duration }) => duration,
  exit: ({ exit }) => exit,
  signal: ({ signal }) => signal,
  host: ({ host }) => host,
  parent: ({ parent }) => parent,
  reproduces: ({ reproduces }) => reproduces,
  tags: ({ tags }) => joined(tags),
  notes: ({ notes }) => notes.join('\n'),
  command: ({ command }) => command.join(' '),
  'git.commit': ({ commit }) => commit,
  'git.dirty': ({ dirty }) => dirty,
  seed: ({ seed }) => seed,
}

/** @param only the columns that were chosen; else all there are, in an order that depends on their names alone */
export function renderRunCsv({ runs, columns }: RunList, only: boolean): string {
  const fixed = only ? { run: ({ run }: ListedRun): CsvCell => run } : FIXED
  const data = only ? [] : dataOf(runs)
  const metrics = only ? [] : keysOf(runs, 'metrics')
  const params = only ? [] : keysOf(runs, 'params')
  const every = [
    ...data.flatMap((name) => [`data.${name}.sha256`, `data.${name}.rows`]),
    ...metrics.map((key) => `metrics.${key}`),
    ...params.map((key) => `params.${key}`),
  ]
  const known = new Set([...Object.keys(fixed), ...every])
  const named = columns.filter((name) => !known.has(name))
  const head = [...Object.keys(fixed), ...named, ...every]
  const rows = runs.map((run): CsvCell[] => [
    ...Object.values(fixed).map((read) => read(run)),
    ...named.map((name) => cell(run.values[name])),
    ...data.flatMap((name) => dataCells(run, name)),
    ...metrics.map((key) => own(run.metrics, key)),
    ...params.map((key) => own(run.params, key)),
  ])
  return toCsv([head, ...rows], { noFormulas: true })
}

const cell = (value: ListedRun['values'][string] | undefined): CsvCell =>
  value === undefined ? null : typeof value === 'object' && value !== null ? joined(value) : value

const own = (record: Readonly<Record<string, CsvCell>>, key: string): CsvCell =>
  Object.hasOwn(record, key) ? (record[key] ?? null) : null

function dataCells({ data }: ListedRun, wanted: string): CsvCell[] {
  const found = data.find(({ name }) => name === wanted)
  return [found?.sha256 ?? null, found?.rows ?? null]
}

const dataOf = (runs: readonly ListedRun[]): string[] =>
  [...new Set(runs.flatMap(({ data }) => data.map(({ name }) => name)))].sort()

function keysOf(runs: readonly ListedRun[], of: 'metrics' | 'params'): string[] {
  const keys = new Set<string>()
  for (const run of runs) for (const key of Object.keys(run[of])) keys.add(key)
  return [...keys].sort()
}
