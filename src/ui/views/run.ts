/** Runs as a person reads them: the end of `track`, the list, and everything of one run. */
import type { AppliedIntents } from '../../lifecycle/register/intents.ts'
import type { WishState } from '../../lifecycle/register/pending-intents.ts'
import type { KeptInAll } from '../../tracking/capture/data-record.ts'
import type { RunRow } from '../../tracking/records/run-row.ts'
import type { RunDetail } from '../../tracking/records/run-summary.ts'
import type { RunStatus } from '../../tracking/records/status.ts'
import type { Style } from '../style.ts'
import { bytes, day, duration } from '../time.ts'
import type { Ui } from '../ui.ts'
import { formatRows, formatValue, shortDigest } from './values.ts'

/** Metrics that fit a line of the list. */
const SHOWN_METRICS = 3
const SHOWN_LINES = 12

export interface Tracked extends RunRow {
  readonly intents: AppliedIntents | null
  readonly snapshot: KeptInAll | null
  readonly next: string | null
}

/** What `track` says on stderr at the end. @param style of stderr */
export function renderTracked(ui: Ui, style: Style, run: Tracked): string {
  const took = run.duration === null ? '' : ` in ${duration(run.duration)}`
  const head = `${mark(style, run.status)} run ${style.name(run.run)} ${run.status}${took}${howItEnded(run)}`
  const metrics = Object.entries(run.metrics)
  const lines = [head]
  if (metrics.length > 0) lines.push(`  metrics    ${limited(metrics.map(([key, value]) => pair(ui, key, value)))}`)
  if (run.artifacts.length > 0) {
    lines.push(`  artifacts  ${limited(run.artifacts.map(({ path, size }) => `${ui.text(path)} (${bytes(size)})`))}`)
  }
  if (run.snapshot !== null) {
    const { files, bytes: all, addedBytes } = run.snapshot
    lines.push(
      `  snapshot   ${files} ${files === 1 ? 'file' : 'files'}, ${bytes(all)} (${bytes(addedBytes)} new in the store)`,
    )
  }
  if (run.intents !== null) lines.push(...renderApplied(ui, style, run.intents))
  if (run.next !== null) lines.push(`  ${style.symbols.arrow} ${style.command(run.next)}`)
  return lines.join('\n')
}

/** What was done of a script's wishes; failures are warned of where they are met. */
export function renderApplied(ui: Ui, style: Style, applied: AppliedIntents): string[] {
  const done = applied.registered.flatMap((each) => {
    const name = style.name(`${ui.text(each.model)}@${each.version}`)
    const { stage } = each
    const move = stage === null ? '' : `, ${ui.text(stage.stage)}: ${stage.outcome}`
    const why = stage?.failing.map((reason) => `    ${style.symbols.bullet} ${ui.text(reason)}`) ?? []
    return [
      `${style.good(style.symbols.ok)} ${name} ${each.created ? 'registered' : 'was registered before'}${move}`,
      ...why,
    ]
  })
  const baselines = applied.baselines.map(
    ({ model, rows }) =>
      `${style.good(style.symbols.ok)} baseline of ${style.name(ui.text(model))} set: ${formatRows(rows)}`,
  )
  const left = applied.left === null ? [] : [`${style.symbols.warn} left pending: ${ui.text(applied.left)}`]
  const all = [...baselines, ...done, ...left]
  return all.length === 0 && applied.failures.length === 0 ? ['Nothing was pending.'] : all
}

export function renderRuns(
  ui: Ui,
  { runs, total }: { readonly runs: readonly RunRow[]; readonly total: number },
  model: string | undefined,
  first = 'mlops track -- python train.py',
): string {
  const { style } = ui
  if (runs.length === 0) {
    const what = model === undefined || total === 0 ? 'No runs yet.' : `No runs of ${ui.text(model)}.`
    return `${what} Make one: ${style.command(first)}`
  }
  const table = ui.table<RunRow>(
    [
      { title: 'RUN', value: ({ run }) => run, paint: style.name },
      { title: 'WHEN', value: ({ started }) => ui.ago(started) },
      {
        title: 'STATUS',
        value: (run) => `${run.status}${howItEnded(run)}`,
        paint: (text, run) => paint(style, run.status, text),
      },
      { title: 'TOOK', value: (run) => (run.duration === null ? '-' : duration(run.duration)), align: 'right' },
      { title: 'MODEL', value: (run) => run.model ?? '-' },
      { title: 'METRICS', value: (run) => shortMetrics(ui, run), shrink: true },
      { title: 'COMMAND', value: ({ command }) => command.join(' '), shrink: true },
    ],
    runs,
  )
  const more =
    model === undefined && total > runs.length ? `\n${style.dim(`${total - runs.length} more: --limit 0`)}` : ''
  return `${table}${more}`
}

export function renderRun(ui: Ui, run: RunDetail & { readonly wishes: readonly WishState[] }): string {
  const { style } = ui
  const { git, python } = run
  const facts: (readonly [string, string | undefined])[] = [
    ['model', run.model === null ? undefined : ui.text(run.model)],
    ['command', ui.text(run.command.join(' '))],
    ['folder', ui.text(run.cwd)],
    ['started', `${day(run.started)} by ${ui.text(run.actor.name)} on ${ui.text(run.host.name)}`],
    ['took', run.duration === null ? undefined : duration(run.duration)],
    ['code', git == null ? undefined : describeGit(ui, git)],
    [
      'patch',
      git?.patch === undefined
        ? git?.dirty === true
          ? ui.style.warn(`none${run.source === 'python' ? ': only mlops track records the changes' : ''}`)
          : undefined
        : `${git.patch.files.map(ui.text).join(', ')} (${bytes(git.patch.size)}, ${shortDigest(git.patch.sha256)})`,
    ],
    ['python', python == null ? undefined : `${ui.text(python.version)} at ${ui.text(python.executable)}`],
    [
      'packages',
      python?.lock === undefined ? undefined : `${python.lock.packages} (${shortDigest(python.lock.sha256)})`,
    ],
    ['seed', run.seed === null ? undefined : String(run.seed)],
    ['host', `${ui.text(run.host.platform)}, ${run.host.cpus} CPUs, ${bytes(run.host.memory)} of memory`],
    ['used', describeResources(run)],
    ['tags', run.tags.length === 0 ? undefined : run.tags.map(ui.text).join(', ')],
    ['parent', run.parent ?? undefined],
    ['output', run.source === 'track' ? ui.text(run.output) : undefined],
  ]
  const width = Math.max(...facts.map(([name]) => name.length))
  const lines = facts
    .filter(([, text]) => text !== undefined)
    .map(([name, text]) => `  ${style.dim(name.padEnd(width))}  ${text}`)
  return [
    `${mark(style, run.status)} run ${style.name(run.run)} ${paint(style, run.status, run.status)}${howItEnded(run)}`,
    lines.join('\n'),
    section(
      ui,
      'Metrics',
      Object.entries(run.metrics).map(([key, value]) => metricLine(ui, run, key, value)),
    ),
    section(
      ui,
      'Parameters',
      Object.entries(run.params).map(([key, value]) => `${ui.text(key)}  ${formatValue(value)}`),
    ),
    section(
      ui,
      'Data',
      run.data.map((each) => describeData(ui, each)),
    ),
    section(
      ui,
      'Artifacts',
      run.artifacts.map((each) => `${ui.text(each.path)}  ${bytes(each.size)}  ${shortDigest(each.sha256)}`),
    ),
    section(ui, 'Evidence', run.evidence.map(describeEvidence)),
    section(
      ui,
      'Environment',
      Object.entries(run.env).map(([key, value]) => `${ui.text(key)}=${ui.text(value)}`),
    ),
    section(
      ui,
      'Wishes of the script',
      run.wishes.map((wish) => describeWish(ui, wish)),
    ),
    section(ui, 'Remarks', [...(git?.notes ?? []), ...run.warnings].map(ui.text)),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function section(ui: Ui, title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [ui.style.heading(title), ...lines.map((line) => `  ${line}`)].join('\n')
}

const describeEvidence = ({ kind, rows, data }: RunDetail['evidence'][number]): string =>
  `${kind === 'test' ? 'held-out answers' : 'examples'}  ${formatRows(rows)}  ${bytes(data.size)}  ${shortDigest(data.sha256)}`

function describeWish(ui: Ui, { kind, model, state, command }: WishState): string {
  const { style } = ui
  const what = `${kind} ${ui.text(model)}`
  if (state === 'granted') return `${style.good(style.symbols.ok)} ${what}: done`
  if (command !== null)
    return `${style.warn(style.symbols.warn)} ${what}: pending ${style.symbols.arrow} ${style.command(ui.text(command))}`
  return `${style.symbols.bullet} ${what}: ${state === 'waiting' ? 'when the run has ended well' : 'not done, since the run did not end well'}`
}

function metricLine(ui: Ui, run: RunDetail, key: string, value: number | string): string {
  const history = run.history.find((each) => each.key === key)?.values.filter((each) => typeof each === 'number') ?? []
  const points = history.length > 40 ? thinned(history, 40) : history
  const line = points.length > 1 ? `  ${ui.sparkline(points)} ${ui.style.dim(`${history.length} values`)}` : ''
  return `${ui.text(key)}  ${formatValue(value)}${line}`
}

function thinned(values: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, at) => values[Math.floor((at * (values.length - 1)) / (count - 1))] ?? 0)
}

function describeGit(ui: Ui, git: NonNullable<RunDetail['git']>): string {
  const where = [git.branch, git.remote].filter((each) => each !== null).map((each) => ui.text(each))
  const commit = git.commit === null ? 'no commit yet' : git.commit.slice(0, 12)
  return `${commit}${where.length === 0 ? '' : ` (${where.join(', ')})`}${git.dirty ? ', with changes not committed' : ''}`
}

function describeData(ui: Ui, data: RunDetail['data'][number]): string {
  const columns = data.columns === undefined ? '' : ` x ${data.columns} columns`
  const shape = data.rows === undefined ? '' : `  ${formatRows(data.rows)}${columns}`
  return `${ui.text(data.name)}  ${ui.text(data.path)}${shape}  ${bytes(data.size)}  ${shortDigest(data.sha256)}`
}

function describeResources({ resources }: RunDetail): string | undefined {
  const parts = [
    resources?.maxRssBytes === undefined ? '' : `${bytes(resources.maxRssBytes)} of memory at most`,
    resources?.cpuSeconds === undefined ? '' : `${duration(resources.cpuSeconds)} of CPU`,
  ].filter((part) => part !== '')
  return parts.length === 0 ? undefined : parts.join(', ')
}

function howItEnded({ exit, signal }: Pick<RunRow, 'exit' | 'signal'>): string {
  if (signal !== null) return ` (${signal})`
  return exit === null || exit === 0 ? '' : ` (exit code ${exit})`
}

function mark(style: Style, status: RunStatus): string {
  const symbol = {
    running: style.symbols.bullet,
    finished: style.symbols.ok,
    failed: style.symbols.bad,
    interrupted: style.symbols.warn,
  }
  return paint(style, status, symbol[status])
}

function paint(style: Style, status: RunStatus, text: string): string {
  if (status === 'finished') return style.good(text)
  if (status === 'failed') return style.bad(text)
  return status === 'interrupted' ? style.warn(text) : text
}

const pair = (ui: Ui, key: string, value: number | string): string => `${ui.text(key)} ${formatValue(value)}`

function shortMetrics(ui: Ui, run: RunRow): string {
  const all = Object.entries(run.metrics)
  const more = all.length > SHOWN_METRICS ? ` +${all.length - SHOWN_METRICS}` : ''
  return `${all
    .slice(0, SHOWN_METRICS)
    .map(([key, value]) => pair(ui, key, value))
    .join(', ')}${more}`
}

const limited = (parts: readonly string[]): string =>
  parts.length <= SHOWN_LINES
    ? parts.join(', ')
    : `${parts.slice(0, SHOWN_LINES).join(', ')} and ${parts.length - SHOWN_LINES} more`
