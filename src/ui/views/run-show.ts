/** Everything of one run as a person reads it: `mlops run show`. */
import type { WishState } from '../../lifecycle/register/pending-intents.ts'
import type { RunDetail } from '../../tracking/records/run-summary.ts'
import { bytes, day, duration } from '../time.ts'
import type { Ui } from '../ui.ts'
import { wrap } from '../wrap.ts'
import { factLines } from './run-facts.ts'
import { metricLines } from './run-metrics.ts'
import { howItEnded, mark, paint } from './run-status.ts'
import { fitted } from './run-words.ts'
import { formatRows, formatValue, shortDigest } from './values.ts'

const INDENT = 2
/** What follows and precedes the name of a DVC entry. */
const SAYS_OTHER = 28
/** Kin of one run; a search of 500 children is not read line by line. */
const SHOWN_CHILDREN = 20

export interface ShownRun extends RunDetail {
  readonly wishes: readonly WishState[]
}

/** @param drawn the metric to draw large; undefined: the first that has a history */
export function renderRun(ui: Ui, run: ShownRun, drawn?: string): string {
  const { style } = ui
  const name = `run ${style.name(run.run)}`
  return [
    [
      `${mark(style, run.status)} ${name} ${paint(style, run.status, run.status)}${howItEnded(run)}`,
      ...lifeLines(ui, run),
    ].join('\n'),
    factLines(ui, run).join('\n'),
    section(ui, 'Metrics', metricLines(ui, run, drawn)),
    section(ui, 'Parameters', pairs(ui, run.params)),
    section(
      ui,
      'Data',
      run.data.map((each) => describeData(ui, each)),
    ),
    section(
      ui,
      'Artifacts',
      run.artifacts.map((each) => described(ui, each.path, `  ${bytes(each.size)}  ${shortDigest(each.sha256)}`)),
    ),
    section(ui, 'Output', outputLines(ui, run)),
    section(ui, 'Evidence', run.evidence.map(describeEvidence)),
    section(ui, 'Runs it started', childLines(ui, run.children)),
    section(
      ui,
      'Environment',
      Object.entries(run.env).map(([key, value]) => fitted(ui, `${key}=${value}`, INDENT)),
    ),
    section(
      ui,
      'Wishes of the script',
      run.wishes.map((wish) => describeWish(ui, wish)),
    ),
    section(
      ui,
      'Notes',
      run.notes.map(
        ({ text, by, time }) => `${ui.text(text).replaceAll('\\n', ' ')}  ${style.dim(`${ui.text(by)}, ${day(time)}`)}`,
      ),
    ),
    section(
      ui,
      'Remarks',
      [...(run.git?.notes ?? []), ...run.warnings].map((each) => prose(ui, each)),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** While it goes on: what changes, first of all. */
export function renderProgress(ui: Ui, run: RunDetail, drawn?: string): string {
  const { style } = ui
  const so = run.duration === null ? '' : ` for ${duration(run.duration)}`
  return [
    `${mark(style, run.status)} run ${style.name(run.run)} ${run.status}${so}\n  ${fitted(ui, run.command.join(' '), INDENT)}`,
    section(ui, 'Metrics', metricLines(ui, run, drawn)),
    section(ui, 'Last lines', lastLines(ui, run)),
    section(ui, 'Runs it started', childLines(ui, run.children)),
    style.dim('Ctrl-C stops looking; the run goes on'),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function section(ui: Ui, title: string, lines: readonly string[]): string {
  return lines.length === 0
    ? ''
    : [ui.style.heading(title), ...lines.map((line) => (line === '' ? '' : `  ${line}`))].join('\n')
}

/** The path stands alone and whole: it is there to be copied. */
function outputLines(ui: Ui, run: RunDetail): string[] {
  return run.source === 'track' ? [...lastLines(ui, run), ui.text(run.output)] : []
}

const lastLines = (ui: Ui, run: RunDetail): string[] =>
  run.lastLines.map((line) => `${ui.style.dim('|')} ${fitted(ui, line, INDENT + 2)}`)

/** What a run without an end says of itself: whether anybody will write it. */
function lifeLines(ui: Ui, { life, status, source }: RunDetail): string[] {
  if (life === null || status !== 'interrupted') return []
  const who = source === 'track' ? 'mlops track' : 'the script'
  const why =
    life.process === 'gone'
      ? `${who} (process ${life.pid}) is gone and wrote no end: it was killed, or the machine was. What it recorded until then is kept.`
      : `Nothing has been heard of ${who} for a while; it shows as running again should it come back.`
  const orphans =
    life.orphans.length === 0
      ? []
      : [
          `The script is still at work (process ${life.orphans.join(', ')}); what it logs is kept, but nobody will write the end.`,
        ]
  return [why, ...orphans].map((line) => `  ${ui.style.warn(prose(ui, line))}`)
}

function pairs(ui: Ui, values: Readonly<Record<string, string | number | boolean | null>>): string[] {
  const names = Object.keys(values).map((key) => fitted(ui, key, 30))
  const width = Math.min(40, Math.max(0, ...names.map(({ length }) => length)))
  return Object.values(values).map((value, at) => {
    const name = (names[at] ?? '').padEnd(width)
    return `${name}  ${fitted(ui, formatValue(value), INDENT + name.length + 2)}`
  })
}

/** @param rest stays whole, the name gives way */
const described = (ui: Ui, name: string, rest: string): string => `${fitted(ui, name, INDENT + rest.length)}${rest}`

function describeData(ui: Ui, data: RunDetail['data'][number]): string {
  const columns = data.columns === undefined ? '' : ` x ${data.columns} columns`
  const shape = data.rows === undefined ? '' : `  ${formatRows(data.rows)}${columns}`
  const files =
    data.files === undefined ? '' : `  ${data.files.toLocaleString('en-US')} file${data.files === 1 ? '' : 's'}`
  const kept = data.snapshot === true ? '  kept in the store' : ''
  const rest = `${files}${shape}  ${bytes(data.size)}  ${shortDigest(data.sha256)}${kept}`
  const line = described(ui, `${data.name}  ${data.path}`, rest)
  const { dvc } = data
  if (dvc === undefined) return line
  const stage = dvc.stage === undefined ? '' : `, stage ${dvc.stage}`
  const says = dvc.matches ? ui.style.dim('the same bytes') : ui.style.warn('other bytes than these')
  return `${line}\n    ${fitted(ui, `${dvc.file}${stage}: md5 ${dvc.md5.slice(0, 12)}`, SAYS_OTHER)}, ${says}`
}

/** A line below a heading; those that it is broken into stand below it. */
const prose = (ui: Ui, text: string): string => wrap(ui.text(text), ui.width - INDENT, INDENT)

const describeEvidence = ({ kind, rows, data }: RunDetail['evidence'][number]): string =>
  `${kind === 'test' ? 'held-out answers' : 'examples'}  ${formatRows(rows)}  ${bytes(data.size)}  ${shortDigest(data.sha256)}`

function childLines(ui: Ui, children: RunDetail['children']): string[] {
  const { style } = ui
  const shown = children.slice(-SHOWN_CHILDREN).map(({ run, status, command }) => {
    const state = status.padEnd('interrupted'.length)
    const used = INDENT + run.length + state.length + 5
    return `${mark(style, status)} ${style.name(run)} ${paint(style, status, state)} ${fitted(ui, command.join(' '), used)}`
  })
  const more = children.length - shown.length
  return more === 0 ? shown : [style.dim(`${more} earlier ones`), ...shown]
}

function describeWish(ui: Ui, { kind, model, state, command }: WishState): string {
  const { style } = ui
  const what = `${kind} ${ui.text(model)}`
  if (state === 'granted') return `${style.good(style.symbols.ok)} ${what}: done`
  if (command !== null)
    return `${style.warn(style.symbols.warn)} ${what}: pending ${style.symbols.arrow} ${style.command(ui.text(command))}`
  return `${style.symbols.bullet} ${what}: ${state === 'waiting' ? 'when the run has ended well' : 'not done, since the run did not end well'}`
}
