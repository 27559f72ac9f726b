/** The names by which a filter, an order and a column speak of a run, and what each reads. Pure. */
import type { Annotation, RunEnd, RunStart } from '../../../store/run-records.ts'
import { notesOf, tagsWith } from '../annotations.ts'
import type { RunRow } from '../run-row.ts'

/** What is known of one run. */
export interface RunFacts {
  readonly row: RunRow
  readonly start: RunStart
  readonly end: RunEnd | undefined
  /** Read only where a name asks for them: see `Field.said`. */
  readonly said: readonly Annotation[]
  /** Milliseconds. */
  readonly now: number
}

/** null: it is not there. Times are RFC 3339, lengths of time seconds, sizes bytes. */
export type Value = string | number | boolean | null | readonly string[]

/** How values of a field are compared (`match.ts`). `value`: as it is, for what scripts logged. */
export type Kind =
  | 'text'
  | 'word'
  | 'start'
  | 'number'
  | 'length'
  | 'size'
  | 'time'
  | 'release'
  | 'boolean'
  | 'list'
  | 'value'

export interface Field {
  /** As documented: `git.commit`, `metrics.val/auc`. */
  readonly name: string
  readonly kind: Kind
  readonly read: (facts: RunFacts) => Value
  /** The same of a run that has ended, where end.json alone says it: half of the reading of 10,000 runs. */
  readonly ended?: (end: RunEnd, said: readonly Annotation[]) => Value
  /** Of kind `word`: every word there is. */
  readonly words?: readonly string[]
  /** It needs what was said of the run later. */
  readonly said?: true
}

const FIELDS: readonly Field[] = [
  { name: 'run', kind: 'start', read: ({ start }) => start.id },
  { name: 'model', kind: 'text', read: ({ start }) => start.model ?? null },
  {
    name: 'status',
    kind: 'word',
    read: ({ row }) => row.status,
    ended: ({ status }) => status,
    words: ['running', 'finished', 'failed', 'interrupted'],
  },
  { name: 'started', kind: 'time', read: ({ start }) => start.started },
  { name: 'ended', kind: 'time', ended: ({ ended }) => ended, read: ({ end }) => end?.ended ?? null },
  { name: 'age', kind: 'length', read: ({ start, now }) => (now - Date.parse(start.started)) / 1000 },
  { name: 'duration', kind: 'length', ended: ({ duration }) => duration, read: ({ row }) => row.duration },
  { name: 'command', kind: 'text', read: ({ start }) => start.command.join(' ') },
  { name: 'cwd', kind: 'text', read: ({ start }) => start.cwd },
  { name: 'exit', kind: 'number', ended: ({ exit }) => exit, read: ({ end }) => end?.exit ?? null },
  { name: 'signal', kind: 'text', ended: ({ signal }) => signal, read: ({ end }) => end?.signal ?? null },
  {
    name: 'tags',
    kind: 'list',
    said: true,
    read: ({ row, said }) => tagsWith(row.tags, said),
    ended: ({ tags }, said) => tagsWith(tags, said),
  },
  {
    name: 'notes',
    kind: 'list',
    said: true,
    read: ({ said }) => notesOf(said).map(({ text }) => text),
    ended: (_end, said) => notesOf(said).map(({ text }) => text),
  },
  { name: 'git.commit', kind: 'start', read: ({ start }) => start.git?.commit ?? null },
  { name: 'git.branch', kind: 'text', read: ({ start }) => start.git?.branch ?? null },
  { name: 'git.dirty', kind: 'boolean', read: ({ start }) => start.git?.dirty ?? null },
  { name: 'data', kind: 'list', read: ({ start }) => start.data.map(({ name }) => name) },
  {
    name: 'artifacts',
    kind: 'list',
    ended: ({ artifacts }) => artifacts.map(({ path }) => path),
    read: ({ row }) => row.artifacts.map(({ path }) => path),
  },
  { name: 'python.version', kind: 'release', read: ({ start }) => start.python?.version ?? null },
  { name: 'seed', kind: 'number', read: ({ start }) => start.seed ?? null },
  {
    name: 'memory',
    kind: 'size',
    ended: ({ resources }) => resources?.maxRssBytes ?? null,
    read: ({ end }) => end?.resources?.maxRssBytes ?? null,
  },
  {
    name: 'cpu',
    kind: 'length',
    ended: ({ resources }) => resources?.cpuSeconds ?? null,
    read: ({ end }) => end?.resources?.cpuSeconds ?? null,
  },
  { name: 'host', kind: 'text', read: ({ start }) => start.host.name },
  { name: 'actor', kind: 'text', read: ({ start }) => start.actor.name },
  { name: 'source', kind: 'word', read: ({ start }) => start.source, words: ['track', 'python'] },
  { name: 'parent', kind: 'start', read: ({ start }) => start.parent ?? null },
  { name: 'reproduces', kind: 'start', read: ({ start }) => start.reproduces ?? null },
]

const ALIASES: Readonly<Record<string, string>> = {
  ...{ id: 'run', took: 'duration', tag: 'tags', note: 'notes', python: 'python.version', artifact: 'artifacts' },
  ...{ commit: 'git.commit', branch: 'git.branch', dirty: 'git.dirty', user: 'actor' },
}

const BY_NAME = new Map(FIELDS.map((field) => [field.name, field]))

const OF_DATA: Readonly<
  Record<string, { readonly kind: Kind; readonly of: 'sha256' | 'rows' | 'columns' | 'size' | 'files' | 'path' }>
> = {
  sha256: { kind: 'start', of: 'sha256' },
  rows: { kind: 'number', of: 'rows' },
  columns: { kind: 'number', of: 'columns' },
  size: { kind: 'size', of: 'size' },
  files: { kind: 'number', of: 'files' },
  path: { kind: 'text', of: 'path' },
}

/** Names after `data.NAME.` */
export const DATA_FACTS = Object.keys(OF_DATA)
/** Every fixed name, for did-you-mean and for the documentation. */
export const FIELD_NAMES: readonly string[] = FIELDS.map(({ name }) => name)

/** A field with a fixed name, or one of its short names; in any case. */
export function fixedField(name: string): Field | undefined {
  const lower = name.toLowerCase()
  return BY_NAME.get(ALIASES[lower] ?? lower)
}

export const metricField = (key: string): Field => ({
  name: `metrics.${key}`,
  kind: 'value',
  read: ({ row }) => own(row.metrics, key) ?? null,
  ended: ({ metrics }) => own(metrics, key) ?? null,
})

export const paramField = (key: string): Field => ({
  name: `params.${key}`,
  kind: 'value',
  read: ({ row }) => own(row.params, key) ?? null,
  ended: ({ params }) => own(params, key) ?? null,
})

export const envField = (key: string): Field => ({
  name: `env.${key}`,
  kind: 'value',
  read: ({ start }) => own(start.env, key) ?? null,
})

/** @param rest what follows `data.`: `train.rows`. @returns undefined where that ends in no fact of data */
export function dataField(rest: string): Field | undefined {
  const dot = rest.lastIndexOf('.')
  const fact = own(OF_DATA, rest.slice(dot + 1).toLowerCase())
  if (dot <= 0 || fact === undefined) return undefined
  const wanted = rest.slice(0, dot)
  const { kind, of } = fact
  return {
    name: `data.${rest}`,
    kind,
    read: ({ start }) => start.data.find(({ name }) => name === wanted)?.[of] ?? null,
  }
}

/** Scripts may call a metric `constructor`. */
const own = <V>(record: Readonly<Record<string, V>>, key: string): V | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined
