/** The sections of `mlops trace` behind the version: run, code, data, people, checks. */

import { changesAreRecorded } from '../../core/recorded-changes.ts'
import type { Deed, Holding, Trace, TracedCheck, TracedData, TracedVersion } from '../../lifecycle/trace/types.ts'
import { bytes, day, duration } from '../time.ts'
import type { Ui } from '../ui.ts'
import type { Line } from './trace.ts'
import { formatRows, formatValue, shortDigest } from './values.ts'

export function versionLines(ui: Ui, { model }: Trace, version: TracedVersion): Line[] {
  const { registered, stages, files, metrics, tags } = version
  const now = stages.length === 0 ? ui.style.dim('no stage') : ui.style.bold(stages.join(', '))
  return [
    ['version', `${ui.style.name(`${model}@${version.version}`)} ${ui.style.dim(shortDigest(version.manifest))}`],
    ['registered', `${day(registered.time)} by ${ui.text(registered.by.name)}`],
    ...thenLines(ui, version),
    ['holds now', now],
    ...(tags.length === 0 ? [] : [['tags', ui.text(tags.join(', '))] as Line]),
    ...files.map(
      ({ path, sha256, size }): Line => [
        'file',
        `${ui.text(path)}, ${bytes(size)} ${ui.style.dim(shortDigest(sha256))}`,
      ],
    ),
    ...(Object.keys(metrics).length === 0 ? [] : [['metrics then', values(ui, metrics)] as Line]),
  ]
}

/** What it held when it answered; where it held nothing, who did. */
function thenLines(ui: Ui, { holdings, heldThen, version }: TracedVersion): Line[] {
  const then = holdings.filter(({ atThatTime }) => atThatTime)
  if (then.length > 0) return then.map((holding) => ['held then', held(ui, holding)])
  const others = heldThen.filter((each) => each.version !== version)
  const who = others.map((each) => `${ui.text(each.stage)} was @${each.version}`).join(', ')
  const nothing = ui.style.warn(`no stage when it answered${who === '' ? '' : `: ${who}`}`)
  return [['held then', nothing], ...holdings.map((holding): Line => ['held', held(ui, holding)])]
}

function held(ui: Ui, { stage, weight, since, until, ended, by }: Holding): string {
  const share = weight === null ? '' : `${formatValue(weight)} % of `
  const end =
    until === null
      ? 'and still does'
      : `until ${day(until)} (${ended?.how ?? ''}${ended === null ? '' : ` by ${ui.text(ended.by.name)}`})`
  return `${share}${ui.style.bold(ui.text(stage))} since ${day(since)} (by ${ui.text(by.name)}), ${end}`
}

export function runLines(ui: Ui, { run, python, params }: TracedVersion): Line[] {
  if (run === null) return [['run', ui.style.dim('none: it was registered from files')]]
  const took = run.duration === null ? '' : `, ${duration(run.duration)}`
  const env = Object.keys(run.env)
  const packages = python?.lock === undefined ? '' : `, ${python.lock.packages} packages recorded`
  return [
    ['run', `${run.id} (${run.status}${took})`],
    ['command', ui.text(run.command.join(' '))],
    [
      'where',
      `${run.cwd === '.' ? 'the project' : ui.text(run.cwd)} on ${ui.text(run.host)}, ${day(run.started)}, by ${ui.text(run.actor.name)}`,
    ],
    ...(run.seed === null ? [] : [['seed', String(run.seed)] as Line]),
    ...(python === null ? [] : [['python', `${ui.text(python.version)}${packages}`] as Line]),
    ...(env.length === 0 ? [] : [['environment', ui.text(few(env))] as Line]),
    ...(Object.keys(params).length === 0 ? [] : [['parameters', values(ui, params)] as Line]),
  ]
}

export function codeLines(ui: Ui, { code }: TracedVersion): Line[] {
  if (code === null || code.commit === null) return [['commit', ui.style.dim('not recorded')]]
  const { patch, notes = [], submodules = [] } = code
  const count = patch?.files.length ?? 0
  return [
    ['commit', `${code.commit}${code.branch === null ? '' : ` on ${ui.text(code.branch)}`}`],
    ...(code.remote === null ? [] : [['remote', ui.text(code.remote)] as Line]),
    ...(code.dirty
      ? [
          [
            'uncommitted',
            patch === undefined
              ? changesAreRecorded(code)
                ? 'only what runs wrote'
                : ui.style.warn('changes that were not recorded')
              : `${count} file${count === 1 ? '' : 's'} (patch ${shortDigest(patch.sha256)}): ${ui.text(few(patch.files))}`,
          ] as Line,
        ]
      : []),
    ...submodules.map(
      ({ path, commit, dirty }): Line => [
        'submodule',
        `${ui.text(path)} at ${shortDigest(commit)}${dirty ? ', with changes' : ''}`,
      ],
    ),
    ...notes.map((note): Line => ['note', ui.style.dim(ui.text(note))]),
  ]
}

export function dataLines(ui: Ui, { data }: TracedVersion): Line[] {
  if (data.length === 0) return [['data', ui.style.dim('not recorded')]]
  return data.map((each) => [ui.text(each.name), dataLine(ui, each)])
}

function dataLine(ui: Ui, { path, sha256, rows, columns, files, snapshot, dvc }: TracedData): string {
  const parts = [
    path === null ? '' : ui.text(path),
    formatRows(rows),
    columns === null ? '' : `${columns} columns`,
    files === null ? '' : `${files} files`,
    snapshot ? 'kept in the store' : '',
    dvc === null ? '' : `${dvc.matches ? 'as in' : ui.style.warn('not as in')} ${ui.text(dvc.file)}`,
  ]
  return `${parts.filter((part) => part !== '').join(', ')} ${ui.style.dim(shortDigest(sha256))}`.trimStart()
}

export function peopleLines(ui: Ui, { people }: TracedVersion): Line[] {
  return people.map((deed) => [deed.what, deedLine(ui, deed)])
}

/** How far a name can be believed; `local` is what everybody is who types. */
const BELIEVED: Readonly<Record<string, string>> = { claimed: 'claimed', ci: 'ci', policy: 'a policy, no person' }

function deedLine(ui: Ui, { name, origin, detail, time, reason, after }: Deed): string {
  const believed = BELIEVED[origin]
  const who = `${ui.text(name)}${believed === undefined ? '' : ` (${believed})`}`
  const why = reason === null ? '' : `: "${ui.text(reason)}"`
  const later = after ? ui.style.warn(' after this answer') : ''
  return `${time === null ? '' : `${day(time)}${later} `}by ${who}${detail === null ? '' : `, ${ui.text(detail)}`}${why}`
}

const SHOWN = 5

export function checkLines(ui: Ui, { checks }: Trace): Line[] {
  if (checks.length === 0) return [['check', ui.style.warn('none looked at that time')]]
  const rest = checks.length - SHOWN
  return [
    ...checks.slice(0, SHOWN).map((check): Line => [check.verdict, checkLine(ui, check)]),
    ...(rest > 0 ? [['', ui.style.dim(`and ${rest} earlier`)] as Line] : []),
  ]
}

function checkLine(ui: Ui, { since, until, summary, health, quality, time }: TracedCheck): string {
  const found = [health === null ? '' : `service ${health}`, quality === null ? '' : `quality ${quality}`].filter(
    (part) => part !== '',
  )
  const besides = found.length === 0 ? '' : ` (${found.join(', ')})`
  return `${day(since)} to ${day(until)}, made ${ui.ago(time)}${besides}: ${ui.text(summary)}`
}

const values = (ui: Ui, all: Readonly<Record<string, string | number | boolean | null>>): string =>
  Object.entries(all)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${ui.style.dim(ui.text(name))} ${formatValue(value)}`)
    .join(', ')

const few = (names: readonly string[]): string =>
  names.length <= 4 ? names.join(', ') : `${names.slice(0, 4).join(', ')} and ${names.length - 4} more`
