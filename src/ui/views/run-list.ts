/** A list of runs on a terminal: what fits its width, the least important columns leave first. */
import type { ListedRun, RunList } from '../../tracking/records/list-runs.ts'
import { cleanText, displayWidth } from '../clean.ts'
import type { Column } from '../table.ts'
import { bytes, day, duration } from '../time.ts'
import type { Ui } from '../ui.ts'
import { paint } from './run-status.ts'
import { formatValue, shortDigest } from './values.ts'

/** Metrics that fit a line of the list. */
const SHOWN_METRICS = 3
/** Of an id: the time. Less would be ambiguous with the next run. */
const SHORTEST_ID = 10
/** Of a column that may shrink: less says too little to stay. */
const LEAST = 8
const GAP = 2

type Listed = Column<ListedRun> & {
  /** When there is no room, the highest first; 0 never. */
  readonly leaves: number
  /** Columns below which it says too little to stay. */
  readonly least?: number
}

export interface ListWords {
  readonly model: string | undefined
  /** `--columns` were given: they alone are shown. */
  readonly chosen: boolean
  /** How a first run is made here. */
  readonly first?: string | undefined
}

export function renderRunList(ui: Ui, list: RunList, words: ListWords): string {
  const { runs, total } = list
  if (runs.length === 0) return nothing(ui, list, words)
  const long = columnsOf(ui, list, words, (id) => id)
  const short = columnsOf(ui, list, words, (id) => id.slice(0, Math.max(SHORTEST_ID, list.unique)))
  const columns = leastWidth(long, runs, naturally) <= ui.width ? long : fitting(short, runs, ui.width)
  return [ui.table<ListedRun>(columns, runs), ...footer(ui, list, total)].join('\n')
}

function nothing(
  ui: Ui,
  { total, where }: RunList,
  { model, first = 'mlops track -- python train.py' }: ListWords,
): string {
  if (total > 0 && where !== null) {
    const of = model === undefined ? '' : ` of ${ui.text(model)}`
    return `No run${of} matches, of ${count(total)} in the store. What they have: ${ui.style.command('mlops run show @last')}`
  }
  const what = model === undefined || total === 0 ? 'No runs yet.' : `No runs of ${ui.text(model)}.`
  return `${what} Make one: ${ui.style.command(first)}`
}

function columnsOf(ui: Ui, list: RunList, { chosen }: ListWords, id: (whole: string) => string): Listed[] {
  const { style } = ui
  const run: Listed = { title: 'RUN', value: ({ run: whole }) => id(whole), paint: style.name, leaves: 0 }
  const named = list.columns
    .filter((name) => chosen || !SHOWN_ANYWAY.has(name))
    .filter((name) => name !== 'run')
    .map((name) => namedColumn(list, name, id))
  if (chosen) return [run, ...named]
  const { runs } = list
  const marks: Listed = { title: '', value: (each) => markOf(ui, each), leaves: 0 }
  const tags: Listed = { title: 'TAGS', value: (each) => each.tags.join(', '), shrink: true, leaves: 5 }
  const host: Listed = { title: 'HOST', value: (each) => each.host, shrink: true, leaves: 2 }
  return [
    run,
    ...(runs.some((each) => markOf(ui, each) !== '') ? [marks] : []),
    { title: 'WHEN', value: ({ started }) => shortAgo(ui, started), leaves: 0 },
    {
      title: 'STATUS',
      value: (each) => `${each.status}${ending(each)}`,
      paint: (text, each) => paint(style, each.status, text),
      leaves: 0,
    },
    {
      title: 'TOOK',
      value: (each) => (each.duration === null ? '-' : duration(each.duration)),
      align: 'right',
      leaves: 1,
    },
    ...(new Set(runs.map((each) => each.host)).size > 1 ? [host] : []),
    ...(runs.some(({ model }) => model !== null)
      ? [{ title: 'MODEL', value: (each: ListedRun) => each.model ?? '-', shrink: true, leaves: 3, least: 12 }]
      : []),
    ...named,
    { title: 'METRICS', value: (each) => shortMetrics(ui, list, each), shrink: true, leaves: 4, least: 20 },
    ...(runs.some((each) => each.tags.length > 0) ? [tags] : []),
    { title: 'COMMAND', value: ({ command }) => command.join(' '), shrink: true, leaves: 6, least: 14 },
  ]
}

/** Fields that have a column whoever names them. */
const SHOWN_ANYWAY = new Set(['run', 'started', 'age', 'status', 'duration', 'model', 'command', 'tags', 'host'])

/** A metric or parameter goes by its own name where that is clear. */
function namedColumn({ columns, runs }: RunList, name: string, id: (whole: string) => string): Listed {
  const short = name.replace(/^(?:metrics|params)\./, '')
  const isClear = columns.filter((each) => each.replace(/^(?:metrics|params)\./, '') === short).length === 1
  const values = runs.map((run) => run.values[name] ?? null)
  const isNumeric = values.every((value) => value === null || typeof value === 'number')
  return {
    title: isClear ? short : name,
    value: (run) => shown(name, run.values[name] ?? null, id),
    ...(isNumeric ? { align: 'right' } : { shrink: true }),
    leaves: 0,
  }
}

function shown(name: string, value: ListedRun['values'][string], id: (whole: string) => string): string {
  if (value === null) return '-'
  if (typeof value === 'object') return value.length === 0 ? '-' : value.join(', ')
  if (typeof value === 'number') {
    if (/^(?:duration|age|cpu)$/.test(name)) return duration(value)
    return /^(?:memory|data\..*\.size)$/.test(name) ? bytes(value) : formatValue(value)
  }
  if (/^(?:started|ended)$/.test(name)) return day(String(value))
  if (/^(?:parent|reproduces)$/.test(name)) return id(String(value))
  return /^(?:git\.commit|data\..*\.sha256)$/.test(name) ? shortDigest(String(value)) : formatValue(value)
}

/** `failed (1)`: the exit code in full is what `run show` says. */
const ending = ({ exit, signal }: ListedRun): string =>
  signal !== null ? ` (${signal.replace(/^SIG/, '')})` : exit === null || exit === 0 ? '' : ` (${exit})`

const shortAgo = (ui: Ui, time: string): string =>
  ui
    .ago(time)
    .replace(/ minutes?/, ' min')
    .replace(/ hours?/, ' h')
    .replace(/ days?/, ' d')
    .replace(/ months?/, ' mo')
    .replace(/ years?/, ' y')

const NESTED = { unicode: '↳', ascii: '>' }
const REPEAT = { unicode: '↻', ascii: '=' }
const sign = (ui: Ui, symbol: typeof NESTED): string => (ui.style.unicode ? symbol.unicode : symbol.ascii)

const markOf = (ui: Ui, { parent, reproduces }: ListedRun): string =>
  reproduces !== null ? sign(ui, REPEAT) : parent !== null ? sign(ui, NESTED) : ''

/** Those that have a column of their own are not said twice. */
function shortMetrics(ui: Ui, { columns }: RunList, run: ListedRun): string {
  const all = Object.entries(run.metrics).filter(([key]) => !columns.includes(`metrics.${key}`))
  const more = all.length > SHOWN_METRICS ? ` +${all.length - SHOWN_METRICS}` : ''
  const some = all.slice(0, SHOWN_METRICS).map(([key, value]) => `${ui.text(key)} ${formatValue(value)}`)
  return `${some.join(', ')}${more}`
}

function fitting(columns: readonly Listed[], runs: readonly ListedRun[], width: number): readonly Listed[] {
  let left = columns
  while (leastWidth(left, runs, atLeast) > width) {
    const next = Math.max(...left.map(({ leaves }) => leaves))
    if (next === 0) break
    left = left.filter(({ leaves }) => leaves !== next)
  }
  return left
}

const naturally = (_column: Listed, natural: number): number => natural
const atLeast = (column: Listed, natural: number): number =>
  column.shrink === true ? Math.min(natural, column.least ?? LEAST) : natural

function leastWidth(
  columns: readonly Listed[],
  runs: readonly ListedRun[],
  widthOf: (column: Listed, natural: number) => number,
): number {
  const widths = columns.map((column) =>
    widthOf(
      column,
      Math.max(displayWidth(column.title), ...runs.map((run) => displayWidth(cleanText(column.value(run))))),
    ),
  )
  return widths.reduce((sum, each) => sum + each, 0) + GAP * (columns.length - 1)
}

function footer(ui: Ui, { runs, matched, where, sort }: RunList, total: number): string[] {
  const { style } = ui
  const isAll = runs.length === total && where === null && sort.length === 0
  const matching = where !== null || matched < total ? `${count(matched)} of ${many(total)} match` : many(total)
  const shown = runs.length < matched ? `, ${count(runs.length)} shown (all: --limit 0)` : ''
  const order = sort.length === 0 ? 'newest first' : sort.map(({ field, means }) => `${field} ${means}`).join(', then ')
  const legend = [
    runs.some(({ reproduces }) => reproduces !== null) ? `${sign(ui, REPEAT)} repeats another run` : '',
    runs.some(({ parent, reproduces }) => parent !== null && reproduces === null)
      ? `${sign(ui, NESTED)} started by another run`
      : '',
  ].filter((part) => part !== '')
  return [
    ...(isAll ? [] : [style.dim(ui.wrap(`${matching}${shown}; ${ui.text(order)}`))]),
    ...(legend.length === 0 ? [] : [style.dim(legend.join(', '))]),
  ]
}

const count = (number: number): string => number.toLocaleString('en-US')
const many = (number: number): string => `${count(number)} run${number === 1 ? '' : 's'}`
