/** `mlops model list` and `model show` as text. History and diff have their own files. */

import { changesAreRecorded } from '../../core/recorded-changes.ts'
import type { IntegrityReport } from '../../lifecycle/versions/integrity.ts'
import type { ModelSummary } from '../../lifecycle/versions/list.ts'
import type { VersionDetail } from '../../lifecycle/versions/version.ts'
import { bytes, day, duration } from '../time.ts'
import type { Ui } from '../ui.ts'
import { digestOf, formatRows, formatValue, shortDigest } from './values.ts'

export function renderModels(ui: Ui, models: readonly ModelSummary[]): string {
  const { style } = ui
  if (models.length === 0) {
    return `No models yet. Register the first: ${style.command('mlops register MODEL --artifact FILE')}`
  }
  const table = ui.table<ModelSummary>(
    [
      { title: 'MODEL', value: ({ model }) => model, paint: style.name },
      {
        title: 'VERSIONS',
        value: ({ versions, problem }) => (problem === null ? String(versions) : '?'),
        align: 'right',
      },
      { title: 'PRODUCTION', value: ({ stages }) => stageCell(stages.production) },
      { title: 'OTHER STAGES', value: (row) => otherStages(row) },
      {
        title: 'LAST REGISTERED',
        value: ({ newest }) =>
          newest === null ? '-' : `@${newest.version} ${ui.ago(newest.registered)} by ${newest.by}`,
      },
      ...(models.some(({ tagged }) => tagged.length > 0) ? [{ title: 'TAGS', value: tagsCell, shrink: true }] : []),
    ],
    models,
  )
  const problems = models.flatMap(({ problem }) =>
    problem === null ? [] : [style.bad(`${style.symbols.bad} ${ui.text(problem)}`)],
  )
  return [table, ...problems].join('\n')
}

/** The hour, not only how long ago: it is compared with the hour of an incident. */
const stageCell = (entry: ModelSummary['stages'][string] | undefined): string =>
  entry === undefined ? '-' : `@${entry.version} since ${day(entry.since)}`

function otherStages({ stages }: ModelSummary): string {
  const others = Object.entries(stages).filter(([stage]) => stage !== 'production')
  return others.length === 0 ? '-' : others.map(([stage, { version }]) => `${stage} @${version}`).join(', ')
}

/** The newest tagged versions; `model tag` and `model show` tell the rest. */
const tagsCell = ({ tagged }: ModelSummary): string =>
  tagged.length === 0
    ? '-'
    : `${tagged
        .slice(0, 2)
        .map(({ version, tags }) => `@${version} ${tags.join(', ')}`)
        .join('; ')}${tagged.length > 2 ? ' …' : ''}`

/** Everything known of one version. */
export function renderVersion(ui: Ui, detail: VersionDetail): string {
  const { style } = ui
  const held = detail.stages.length === 0 ? '' : ` ${style.bold(detail.stages.join(', '))}`
  const facts: [string, string][] = [
    [
      'registered',
      `${day(detail.registered.time)} (${ui.ago(detail.registered.time)}) by ${ui.text(detail.registered.by.name)}`,
    ],
    ...importedLine(ui, detail),
    ...given('message', detail.message, ui),
    ...given('tags', detail.tags.join(', '), ui),
    ['run', runLine(ui, detail)],
    ['code', codeLine(ui, detail)],
    ['python', pythonLine(ui, detail)],
    ...dataLines(ui, detail),
    ...given('target', detail.target, ui),
    ...given('prediction', detail.prediction, ui),
    ...given('evaluate', detail.evaluate, ui),
    ...evidenceLines(ui, detail),
    ['manifest', shortDigest(detail.manifest)],
  ]
  const width = Math.max(...facts.map(([name]) => name.length))
  const lines = facts.map(([name, value]) => ui.wrap(`${style.dim(name.padEnd(width))}  ${value}`, width + 2))
  const parts = [
    `${style.name(`${detail.model}@${detail.version}`)}${held}`,
    lines.join('\n'),
    valuesPart(ui, 'Metrics', detail.metrics),
    valuesPart(ui, 'Parameters', detail.params),
    filesPart(ui, detail),
    ...detail.problems.map((problem) => ui.wrap(style.bad(`${style.symbols.bad} ${ui.text(problem)}`), 2)),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

/** What a gate or a service may read again; their bytes are objects of the store. */
function evidenceLines(ui: Ui, { testPredictions, examples, overlap }: VersionDetail): [string, string][] {
  const object = (pin: { readonly sha256: string; readonly size: number; readonly format?: string }): string =>
    [shortDigest(pin.sha256), bytes(pin.size), pin.format ?? ''].filter((part) => part !== '').join(', ')
  return [
    ...(testPredictions === null ? [] : [['test predictions', object(testPredictions)] as [string, string]]),
    ...(overlap === null ? [] : [['overlap', overlapLine(ui, overlap)] as [string, string]]),
    ...(examples === null ? [] : [['examples', object(examples)] as [string, string]]),
  ]
}

function overlapLine(ui: Ui, { rows, shared, expected }: NonNullable<VersionDetail['overlap']>): string {
  const of = `of ${formatRows(rows)} held out`
  if (shared === 0) return `none ${of} stands in the training data`
  const chance =
    expected === undefined || expected < 1 ? '' : ui.style.dim(` (about ${Math.round(expected)} can be chance)`)
  const verb = shared === 1 ? 'stands' : 'stand'
  return `${ui.style.warn(`${shared.toLocaleString('en-US')} ${of} ${verb} in the training data too`)}${chance}`
}

const given = (name: string, value: string | null, ui: Ui): [string, string][] =>
  value === null || value === '' ? [] : [[name, ui.text(value)]]

/** Of an imported version: whose word the run, the data and the metrics below are. */
function importedLine(ui: Ui, { imported }: VersionDetail): [string, string][] {
  if (imported === null) return []
  const { model, version, store, registered } = imported
  const there = `${ui.text(model)}@${version} of store ${shortDigest(store)}`
  return [['imported', `${there}, registered there ${day(registered.time)} by ${ui.text(registered.by.name)}`]]
}

function runLine(ui: Ui, { run, problems }: VersionDetail): string {
  if (run === null) return ui.style.dim(problems.length > 0 ? 'its record is damaged' : 'none: registered from files')
  const took = run.duration === null ? '' : `, ${duration(run.duration)}`
  const seed = run.seed === null ? '' : `, seed ${run.seed}`
  return `${run.id} (${run.status}${took}${seed}) ${ui.style.dim(ui.text(run.command.join(' ')))}`
}

function codeLine(ui: Ui, { code }: VersionDetail): string {
  if (code === null || code.commit === null) return ui.style.dim('not recorded')
  const branch = code.branch === null ? '' : ` on ${ui.text(code.branch)}`
  const files = code.patch?.files.length ?? 0
  const dirty = !code.dirty
    ? ''
    : code.patch === undefined
      ? changesAreRecorded(code)
        ? ', with nothing uncommitted but what runs wrote'
        : ui.style.warn(', with uncommitted changes that were not recorded')
      : `, with uncommitted changes in ${files} file${files === 1 ? '' : 's'} (patch ${shortDigest(code.patch.sha256)})`
  return `${shortDigest(code.commit)}${branch}${dirty}`
}

function pythonLine(ui: Ui, { python }: VersionDetail): string {
  if (python === null) return ui.style.dim('not recorded')
  const lock = python.lock === undefined ? 'packages not recorded' : `${python.lock.packages} packages recorded`
  return `${ui.text(python.version)}, ${lock}`
}

function dataLines(ui: Ui, detail: VersionDetail): [string, string][] {
  const all = detail.baseline === null ? detail.data : [...detail.data, { ...detail.baseline.data, name: 'baseline' }]
  if (all.length === 0) return [['data', ui.style.dim('not recorded')]]
  return all.map((fact) => {
    const columns = fact.columns === undefined ? '' : `${fact.columns} columns`
    const path = 'path' in fact && typeof fact.path === 'string' ? ui.text(fact.path) : ''
    const of = fact.of === 'rows' ? 'rows that the script logged' : ''
    const parts = [formatRows(fact.rows), columns, path, of].filter((part) => part !== '')
    return [`data ${ui.text(fact.name)}`, [digestOf(fact), ...parts].join(', ')]
  })
}

function valuesPart(ui: Ui, title: string, values: Readonly<Record<string, number | string | boolean | null>>): string {
  const names = Object.keys(values).sort()
  if (names.length === 0) return ''
  const width = Math.max(...names.map((name) => ui.text(name).length))
  const lines = names.map((name) => `  ${ui.text(name).padEnd(width)}  ${formatValue(values[name])}`)
  return [ui.style.heading(title), ...lines].join('\n')
}

function filesPart(ui: Ui, { files }: VersionDetail): string {
  if (files.length === 0) return ui.style.warn('no artifact: this version has no files and cannot enter production')
  const table = ui.table<VersionDetail['files'][number]>(
    [
      { title: 'FILE', value: ({ path }) => path },
      { title: 'SIZE', value: ({ size }) => bytes(size), align: 'right' },
      { title: 'SHA256', value: ({ sha256 }) => shortDigest(sha256) },
      {
        title: 'SCAN',
        value: ({ scan }) => scan.verdict,
        paint: (text, { scan }) => (scan.verdict === 'can execute code' ? ui.style.warn(text) : text),
      },
    ],
    files,
  )
  return table
}

export function renderIntegrity(ui: Ui, reports: readonly IntegrityReport[]): string {
  const { style } = ui
  return reports
    .flatMap(({ model, version, parts, bytes: size, damage }) => {
      const name = style.name(`${model}@${version}`)
      if (damage.length === 0)
        return [`${style.good(style.symbols.ok)} ${name} intact: ${parts} objects, ${bytes(size)} hashed`]
      return [
        `${style.bad(style.symbols.bad)} ${name} damaged`,
        ...damage.map((each) => `  ${style.symbols.bullet} ${ui.text(each.name)}: ${ui.text(each.problem)}`),
      ]
    })
    .join('\n')
}
