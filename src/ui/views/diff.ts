/** `mlops model diff` as text. */
import type { CodeDiff } from '../../lifecycle/versions/code-diff.ts'
import type { CodeState, VersionDiff } from '../../lifecycle/versions/diff.ts'
import type { ValueChange } from '../../lifecycle/versions/value-diff.ts'
import { bytes } from '../time.ts'
import type { Ui } from '../ui.ts'
import { digestOf, formatDelta, formatRows, formatValue, metricChange, shortDigest } from './values.ts'

export function renderDiff(ui: Ui, diff: VersionDiff, code: CodeDiff | null): string {
  const { style } = ui
  const name = (side: VersionDiff['from']): string => style.name(`${side.model}@${side.version}`)
  const head = `${name(diff.from)} ${style.symbols.arrow} ${name(diff.to)}`
  const same = diff.identical ? 'The same manifest: the same files, metrics, parameters and baseline.' : ''
  const parts = [
    head,
    same,
    section(
      ui,
      'Metrics',
      diff.metrics.map((change) => metricLine(ui, change, diff)),
    ),
    section(
      ui,
      'Parameters',
      diff.params.map((change) => valueLine(ui, change)),
    ),
    contractSection(ui, diff),
    section(ui, 'Command', commandLines(ui, diff)),
    section(
      ui,
      'Data',
      diff.data.map((change) => dataLine(ui, change)),
    ),
    section(ui, 'Code', codeLines(ui, diff)),
    section(ui, 'Packages', packageLines(ui, diff)),
    section(
      ui,
      'Files',
      diff.files.map((change) => fileLine(ui, change)),
    ),
    code === null ? '' : renderCode(ui, code),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function section(ui: Ui, title: string, lines: readonly string[]): string {
  const body = lines.length === 0 ? [ui.style.dim('same')] : lines
  // A command is read, and copied, as it was typed.
  const shown = body.map((line) => (title === 'Command' ? `  ${line}` : ui.wrap(`  ${line}`, 4)))
  return [ui.style.heading(title), ...shown].join('\n')
}

/** What callers meet; said where it is known. */
function contractSection(ui: Ui, { contract, identical }: VersionDiff): string {
  const { style } = ui
  if (contract.verdict === 'unknown') {
    return identical
      ? ''
      : section(ui, 'Contract', [style.dim('not known: one of the two has neither examples nor a baseline')])
  }
  const lines = contract.changes.map(({ breaking, summary }) =>
    breaking ? style.bad(`${style.symbols.bad} breaks: ${ui.text(summary)}`) : ui.text(summary),
  )
  return section(ui, 'Contract', lines)
}

function valueLine(ui: Ui, { name, from, to, kind, delta }: ValueChange): string {
  const label = ui.text(name)
  if (kind === 'added') return ui.style.good(`+ ${label} ${formatValue(to)}`)
  if (kind === 'removed') return ui.style.bad(`- ${label} ${formatValue(from)}`)
  const change = delta === undefined ? '' : ` (${formatDelta(delta)})`
  return `${label} ${formatValue(from)} ${ui.style.symbols.arrow} ${formatValue(to)}${change}`
}

function metricLine(ui: Ui, change: VersionDiff['metrics'][number], { testSets }: VersionDiff): string {
  if (change.kind !== 'changed') return valueLine(ui, change)
  return `${ui.text(change.name)} ${metricChange(ui, change, testSets)}`
}

/** The command of each side under the other, so that the eye finds the difference. */
function commandLines(ui: Ui, { command, from, to }: VersionDiff): string[] {
  if (command.verdict === 'same') return []
  if (command.verdict === 'unknown') {
    const lacking = [command.from === null ? from : null, command.to === null ? to : null].filter(
      (each) => each !== null,
    )
    const who = lacking.map(({ model, version }) => `${model}@${version}`).join(' and ')
    return [ui.style.warn(`not known: ${who} comes from no run`)]
  }
  const [before, after] = [command.from, command.to].map((words) => ui.text((words ?? []).map(shown).join(' ')))
  const lines = before === after ? [`${ui.style.dim('the same:')} ${after}`] : [`- ${before}`, `+ ${after}`]
  const painted = before === after ? lines : [ui.style.bad(lines[0] ?? ''), ui.style.good(lines[1] ?? '')]
  return [...painted, ...command.environment.map((change) => valueLine(ui, change))]
}

/** A word that holds a space is shown as one word. */
const shown = (word: string): string => (word === '' || /\s/.test(word) ? JSON.stringify(word) : word)

function dataLine(ui: Ui, { name, from, to }: VersionDiff['data'][number]): string {
  const side = (fact: typeof from): string => {
    if (fact === null) return 'none'
    const rows = fact.rows === null ? '' : `, ${formatRows(fact.rows)}`
    return `${fact.of === undefined ? 'file ' : ''}${digestOf(fact)}${rows}`
  }
  return `${ui.text(name)} ${side(from)} ${ui.style.symbols.arrow} ${side(to)}`
}

function codeLines(ui: Ui, { code, from, to }: VersionDiff): string[] {
  if (code.verdict === 'same') return []
  const { symbols } = ui.style
  if (code.verdict === 'unknown') {
    const lacking = [code.from?.commit == null ? from : null, code.to?.commit == null ? to : null].filter(
      (each) => each !== null,
    )
    const who = lacking.map(({ model, version }) => `${model}@${version}`).join(' and ')
    return [
      ui.style.warn(
        who === ''
          ? 'not known: uncommitted changes were not recorded'
          : `not known: ${who} ${lacking.length === 1 ? 'records' : 'record'} no commit`,
      ),
    ]
  }
  const commits =
    code.from?.commit === code.to?.commit
      ? `commit ${shortDigest(code.to?.commit)} in both`
      : `commits ${shortDigest(code.from?.commit)}..${shortDigest(code.to?.commit)}`
  const branch =
    code.from?.branch === code.to?.branch
      ? ''
      : ` (${ui.text(code.from?.branch ?? '-')} ${symbols.arrow} ${ui.text(code.to?.branch ?? '-')})`
  const patches =
    code.from?.patch === code.to?.patch
      ? []
      : [`uncommitted changes: ${patchOf(code.from)} ${symbols.arrow} ${patchOf(code.to)}`]
  return [`${commits}${branch}`, ...patches]
}

const patchOf = (state: CodeState | null): string =>
  state === null || !state.dirty ? 'none' : state.patch === null ? 'not recorded' : `patch ${shortDigest(state.patch)}`

function packageLines(ui: Ui, { packages }: VersionDiff): string[] {
  if (packages.verdict === 'unknown') return [ui.style.warn(`not known: ${ui.text(packages.note ?? '')}`)]
  const python =
    packages.python.from === packages.python.to
      ? []
      : [`python ${formatValue(packages.python.from)} ${ui.style.symbols.arrow} ${formatValue(packages.python.to)}`]
  return [...python, ...packages.changes.map((change) => valueLine(ui, change))]
}

function fileLine(ui: Ui, { path, kind, from, to }: VersionDiff['files'][number]): string {
  const size = (file: typeof from): string => (file === null ? '' : `${shortDigest(file.sha256)} ${bytes(file.size)}`)
  if (kind === 'added') return ui.style.good(`+ ${ui.text(path)} ${size(to)}`)
  if (kind === 'removed') return ui.style.bad(`- ${ui.text(path)} ${size(from)}`)
  return `${ui.text(path)} ${size(from)} ${ui.style.symbols.arrow} ${size(to)}`
}

function renderCode(ui: Ui, code: CodeDiff): string {
  const parts = [
    code.note === null ? '' : ui.style.warn(ui.text(code.note)),
    code.commits === null ? '' : code.commits === '' ? 'The commits hold the same code.' : painted(ui, code.commits),
    patchPart(ui, 'Uncommitted changes of the first', code.patches.from),
    patchPart(ui, 'Uncommitted changes of the second', code.patches.to),
  ]
  return [ui.style.heading('Code, line by line'), ...parts.filter((part) => part !== '')].join('\n')
}

const patchPart = (ui: Ui, title: string, patch: string | null): string =>
  patch === null ? '' : `${ui.style.dim(title)}\n${painted(ui, patch)}`

const painted = (ui: Ui, text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const clean = ui.text(line)
      if (line.startsWith('+') && !line.startsWith('+++')) return ui.style.good(clean)
      return line.startsWith('-') && !line.startsWith('---') ? ui.style.bad(clean) : clean
    })
    .join('\n')
