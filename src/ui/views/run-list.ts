/** A list of runs on a terminal: what fits its width, the least important columns leave first. */
import type { ListedRun, RunList } from '../../tracking/records/list-runs.ts'
import { fits, fitting, type Leaving } from '../fit-columns.ts'
import { bytes, day, duration } from '../time.ts'
import type { Ui } from '../ui.ts'
import { paint } from './run-status.ts'
import { formatValue, shortDigest } from './values.ts'

/** Metrics that fit a line of the list. */
const SHOWN_METRICS = 3
/** Of an id: the time. Less would be ambiguous with the next run. */
const SHORTEST_ID = 10

type Listed = Leaving<ListedRun>

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
  const columns = fits(long, runs, ui.width) ? long : fitting(withoutPrefix(ui, short, runs), runs, ui.width)
  return [ui.table<ListedRun>(columns, runs), ...footer(ui, list, total)].join('\n')
}

function nothing(
  ui: Ui,
  { total, where, hints }: RunList,
  { model, first = 'mlops track -- python train.py' }: ListWords,
): string {
  const more = hints.map((hint) => `\n${ui.wrap(`${ui.style.symbols.arrow} ${ui.text(hint)}`, 2)}`).join('')
  if (total > 0 && where !== null) {
    const of = model === undefined ? '' : ` of ${ui.text(model)}`
    return `No run${of} matches, of ${count(total)} in the store. What they have: ${ui.style.command('mlops run show @last')}${more}`
  }
  const what = model === undefined || total === 0 ? 'No runs yet.' : `No runs of ${ui.text(model)}.`
  if (more !== '') return `${what}${more}`
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
  // What is the same of every run tells nothing.
  const isOneModel = new Set(runs.map(({ model }) => model)).size === 1
  const isOneCommand = runs.length > 1 && new Set(runs.map(wordsOf)).size === 1
  const marks: Listed = { title: '', value: (each) => markOf(ui, each), leaves: 0 }
  const tags: Listed = { title: 'TAGS', value: (each) => each.tags.join(', '), shrink: true, leaves: 6 }
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
      ? [
          {
            title: 'MODEL',
            value: (each: ListedRun) => each.model ?? '-',
            shrink: true,
            leaves: isOneModel ? 7 : 3,
            least: 12,
          },
        ]
      : []),
    ...named,
    ...(runs.some((each) => shortMetrics(ui, list, each) !== '')
      ? [
          {
            title: 'METRICS',
            value: (each: ListedRun) => shortMetrics(ui, list, each),
            shrink: true,
            leaves: 4,
            least: 16,
          },
        ]
      : []),
    ...(runs.some((each) => each.tags.length > 0) ? [tags] : []),
    { title: 'COMMAND', value: wordsOf, shrink: true, leaves: isOneCommand ? 8 : 5, least: 12 },
  ]
}

const wordsOf = ({ command }: ListedRun): string => command.join(' ')

/** Where the table is cut, the lines of a sweep differ only in what is cut: the words that all begin with leave. */
function withoutPrefix(ui: Ui, columns: readonly Listed[], runs: readonly ListedRun[]): readonly Listed[] {
  const [first, ...others] = runs.map(({ command }) => command)
  if (first === undefined || others.length === 0) return columns
  const differs = first.findIndex((word, at) => others.some((each) => each[at] !== word))
  const common = differs < 0 ? first.length : differs
  const longest = Math.max(...runs.map(({ command }) => command.length))
  if (common < 2 || longest === common) return columns
  const { ellipsis } = ui.style.symbols
  const rest = ({ command }: ListedRun): string => [ellipsis, ...command.slice(common - 1)].join(' ')
  return columns.map((column) => (column.title === 'COMMAND' ? { ...column, value: rest } : column))
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
  const all = Object.entries(run.metrics)
    .filter(([key]) => !columns.includes(`metrics.${key}`))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const more = all.length > SHOWN_METRICS ? ` +${all.length - SHOWN_METRICS}` : ''
  const some = all.slice(0, SHOWN_METRICS).map(([key, value]) => `${ui.text(key)} ${formatValue(value)}`)
  return `${some.join(', ')}${more}`
}

function footer(ui: Ui, { runs, matched, where, sort }: RunList, total: number): string[] {
  const { style } = ui
  const isAll = runs.length === total && where === null && sort.length === 0
  const matching =
    where !== null || matched < total
      ? `${count(matched)} of ${many(total)} ${matched === 1 ? 'matches' : 'match'}`
      : many(total)
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
