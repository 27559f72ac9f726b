/** What `mlops register` prints: the version, its files and what loading them would run, its evidence, the next step. */
import type { RegisterResult, StageMove } from '../../lifecycle/register/types.ts'
import { bytes, day } from '../time.ts'
import type { Ui } from '../ui.ts'
import { digestOf, formatRows, formatValue, shortDigest } from './values.ts'

const MOST_FILES = 8
const MOST_VALUES = 12

export function renderRegistered(ui: Ui, result: RegisterResult): string {
  return [
    headline(ui, result),
    '',
    ...files(ui, result),
    ...danger(ui, result),
    ...values(ui, 'metrics', result.metrics),
    ...values(ui, 'params', result.params),
    ...baseline(ui, result),
    ...data(ui, result),
    ...heldOut(ui, result),
    ...overlap(ui, result),
    ...(result.run === null ? [] : [line(ui, 'run', ui.style.name(ui.text(result.run)))]),
    ...(result.tags.length === 0 ? [] : [line(ui, 'tags', ui.text(result.tags.join(', ')))]),
    ...result.notes.map((note) => line(ui, '', ui.style.warn(`${ui.style.symbols.warn} ${ui.text(note)}`))),
    ...stage(ui, result.stage),
    '',
    `Next: ${ui.style.command(ui.text(result.next))}`,
  ].join('\n')
}

function headline(ui: Ui, { model, version, created, existing, manifest }: RegisterResult): string {
  const name = ui.style.name(`${ui.text(model)}@${version}`)
  if (created || existing === null)
    return `${ui.style.good(ui.style.symbols.ok)} Registered ${name} ${ui.style.dim(shortDigest(manifest))}`
  const by = `${ui.text(existing.by)}, ${day(existing.time)}`
  if (existing.why === 'same operation') {
    return `${ui.style.good(ui.style.symbols.ok)} Registered as ${name} by an earlier run of this same command (${by}); nothing was written.`
  }
  const run = existing.run === null ? '' : `, from run ${ui.text(existing.run)}`
  return `${ui.style.good(ui.style.symbols.ok)} This is ${name} already (${by}${run}): the same files, metrics, parameters and evidence. No new version was made.`
}

/** Twelve columns for the word, so that values stand under each other. */
const line = (ui: Ui, word: string, text: string): string => ui.wrap(`  ${ui.style.dim(word.padEnd(10))} ${text}`, 13)

function files(ui: Ui, result: RegisterResult): string[] {
  if (result.files.length === 0) return [line(ui, 'files', ui.style.warn('no artifact'))]
  const shown = result.files.slice(0, MOST_FILES)
  const rows = shown.map(({ path, size, scan }, at) => {
    const verdict = {
      inert: 'good',
      'known globals only': 'good',
      'not determined': 'warn',
      'can execute code': 'bad',
    } as const
    const said = ui.style[verdict[scan.verdict]](scan.verdict)
    // What can run has a line of its own.
    const why = verdict[scan.verdict] !== 'warn' ? '' : findings(ui, scan.findings)
    return line(ui, at === 0 ? 'files' : '', `${ui.text(path)}  ${ui.style.dim(bytes(size))}  ${said}${why}`)
  })
  const more = result.files.length - shown.length
  const sum = result.files.reduce((total, { size }) => total + size, 0)
  return more === 0
    ? rows
    : [...rows, line(ui, '', ui.style.dim(`and ${more} more, ${bytes(sum)} in all; worst: ${result.scan}`))]
}

/** Said whatever the model's risk is: a gate may let it pass, and then somebody loads it. */
function danger(ui: Ui, { files }: RegisterResult): string[] {
  return files
    .filter(({ scan }) => scan.verdict === 'can execute code')
    .slice(0, MOST_FILES)
    .map(({ path, scan }) => {
      const shown = scan.findings.slice(0, 5).join(', ')
      const more = scan.findings.length > 5 ? ` and ${scan.findings.length - 5} more` : ''
      const what = shown === '' ? 'code of its own' : `${shown}${more}`
      const said = `whoever loads ${path} runs what is in it: ${what}. Load it only if you trust whoever made it`
      return line(ui, '', ui.style.bad(`${ui.style.symbols.warn} ${ui.text(said)}`))
    })
}

function findings(ui: Ui, found: readonly string[]): string {
  if (found.length === 0) return ''
  return ui.style.dim(
    ` (${ui.text(found.slice(0, 3).join(', '))}${found.length > 3 ? `, ${found.length - 3} more` : ''})`,
  )
}

function values(ui: Ui, word: string, all: Readonly<Record<string, string | number | boolean | null>>): string[] {
  const entries = Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1))
  if (entries.length === 0) return []
  const shown = entries
    .slice(0, MOST_VALUES)
    .map(([key, value]) => `${ui.text(key)} ${ui.style.bold(ui.text(formatValue(value)))}`)
  const more = entries.length > MOST_VALUES ? `, ${entries.length - MOST_VALUES} more` : ''
  return [line(ui, word, `${shown.join(', ')}${more}`)]
}

function baseline(ui: Ui, { baseline, target, prediction }: RegisterResult): string[] {
  if (baseline === null) return []
  const { rows, columns } = baseline.data
  const roles = [
    target === null ? '' : `target ${target}`,
    prediction === null ? '' : `prediction ${prediction}`,
    baseline.segments === undefined ? '' : `by ${baseline.segments.by} (${baseline.segments.values} values)`,
  ]
  const size = `${formatRows(rows)} x ${columns} column${columns === 1 ? '' : 's'}`
  const text = [ui.text(baseline.source), size, ...roles.filter((role) => role !== '').map((role) => ui.text(role))]
  return [
    line(ui, 'baseline', text.join(ui.style.dim(', '))),
    ...baseline.notes.map((note) => line(ui, '', ui.style.dim(`${ui.style.symbols.bullet} ${ui.text(note)}`))),
  ]
}

function data(ui: Ui, { data }: RegisterResult): string[] {
  const shown = data.map(({ name, sha256, rows, of }) => {
    const size = rows === undefined ? '' : ` ${formatRows(rows)}`
    return `${ui.text(name)}${size} ${ui.style.dim(digestOf({ sha256, of }))}`
  })
  return shown.length === 0 ? [] : [line(ui, 'data', shown.join(', '))]
}

/** Metrics of the answers themselves: what was recorded stands above, and a note says where the two differ. */
function heldOut(ui: Ui, { heldOut, examples }: RegisterResult): string[] {
  const kept = examples === null ? [] : [line(ui, 'examples', `kept ${ui.style.dim(bytes(examples.size))}`)]
  if (heldOut === null) return kept
  const { rows, task, from, metrics, notes } = heldOut
  const source = from === 'run' ? 'logged by the script' : 'from the file'
  const figures = Object.entries(metrics).map(([key, value]) => `${key} ${ui.style.bold(formatValue(value))}`)
  return [
    line(ui, 'held out', `${formatRows(rows)}, ${task}, ${source}`),
    ...(figures.length === 0 ? [] : [line(ui, '', figures.join(', '))]),
    ...notes.map((note) => line(ui, '', ui.style.dim(`${ui.style.symbols.bullet} ${ui.text(note)}`))),
    ...kept,
  ]
}

/** Shared rows are said as a note; that there are none is worth a word too. */
function overlap(ui: Ui, { overlap }: RegisterResult): string[] {
  if (overlap === null || overlap.shared > 0) return []
  return [line(ui, 'overlap', `none of the ${formatRows(overlap.rows)} held out stands in the training data`)]
}

function stage(ui: Ui, move: StageMove | null): string[] {
  if (move === null) return []
  const name = ui.style.name(ui.text(move.stage))
  if (move.outcome === 'already there') return [line(ui, 'stage', `${name} points to it already`)]
  if (move.outcome === 'promoted')
    return [line(ui, 'stage', `${ui.style.good(ui.style.symbols.ok)} ${name} points to it now`)]
  const why = move.problem?.message ?? 'refused'
  return [
    line(ui, 'stage', `${ui.style.bad(ui.style.symbols.bad)} ${ui.text(why)}`),
    ...move.failing.map((each) => line(ui, '', `${ui.style.symbols.bullet} ${ui.text(each)}`)),
    ...(move.problem?.hint == null ? [] : [line(ui, '', ui.style.dim(ui.text(move.problem.hint)))]),
  ]
}
