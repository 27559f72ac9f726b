/**
 * A comparison of runs as titled tables and lines of plain text, which the terminal, Markdown and HTML each draw in
 * their own way. What is left out because it is the same, or too much, is decided here.
 */
import type { RunComparison } from '../../../tracking/compare/compare.ts'
import type { Row, ValueRow } from '../../../tracking/compare/rows.ts'
import { bytes } from '../../time.ts'
import { formatValue } from '../../views/values.ts'
import { differenceText, digits, NOTHING, numberDifference, unitDifference, valueText, withUnit } from './cells.ts'
import { dataSection } from './data-section.ts'
import { type Cell, keep, type Line, type Section, type SectionOptions, type SectionRow, type Tone } from './types.ts'

/** Rows of a section without `--all`. */
const MOST = 25

/** Sections in which something differs, in the order in which people look for causes. */
export function sectionsOf(comparison: RunComparison, options: SectionOptions): Section[] {
  const { params, code, surroundings, tags } = comparison
  const outcome = comparison.outcome.filter(({ name }) => options.all || !HEADED.has(name))
  const count = comparison.runs.length
  const quiet = seedIsDrawn(comparison) ? ['job', 'seed'] : ['job']
  const shown = surroundings.filter(({ kind }) => options.all || !quiet.includes(kind))
  const all = [
    metricSection(comparison, options),
    section('Parameters', keep(params, options), count === 2 ? ['Difference'] : [], (row) =>
      valueCells(row, count, numberDifference),
    ),
    commandSection(comparison, options),
    dataSection(comparison, options),
    codeSection(code, count, options),
    packageSection(comparison, options),
    section('Environment', keep(shown, options), [], (row) => valueCells(row, count)),
    section('Outcome', tellable(keep(outcome, options), options), count === 2 ? ['Difference'] : [], (row) =>
      outcomeCells(row, count),
    ),
    section('Tags', keep(tags, options), [], ({ cells }) =>
      cells.map((cell) => ({ text: cell === null ? NOTHING : 'yes' })),
    ),
    section('Artifacts', keep(comparison.artifacts, options), count === 2 ? ['Size'] : [], (row) =>
      artifactCells(row, count),
    ),
  ]
  all.push({ title: 'Notes', extra: [], rows: [], lines: noteLines(comparison), more: 0 })
  return all.filter(({ rows, lines }) => rows.length > 0 || lines.length > 0).map((each) => limited(each, options))
}

/** Stands in the list of the runs already. */
const HEADED = new Set(['status', 'model', 'duration'])

/**
 * Of every run mlops drew the seed, so that the seeds always differ; and no parameter repeats it, which would say that the
 * script follows it.
 */
export function seedIsDrawn({ surroundings, params }: RunComparison): boolean {
  const row = (name: string) => surroundings.find((each) => each.kind === 'seed' && each.name === name)
  const [seed, chosen] = [row('seed'), row('seed chosen by')]
  if (seed === undefined || seed.same || chosen?.same !== true || chosen.cells[0]?.value !== 'random') return false
  return !params.some(({ cells }) =>
    cells.some((cell, at) => cell !== null && String(cell.value) === String(seed.cells[at]?.value)),
  )
}

export const SEED_DRAWN = 'seed: drawn anew for each run'

/** Where there is no difference to show. */
export const nothingDiffers = (comparison: RunComparison): string =>
  differing(comparison).length > 0
    ? ''
    : `Nothing that was recorded differs${seedIsDrawn(comparison) ? ' but the seed, which mlops drew' : ''}.`

/** Titles of what differs, whatever else is shown. */
export function differing(comparison: RunComparison): string[] {
  const inHead = comparison.outcome.some(({ name, same }) => !same && (name === 'status' || name === 'model'))
  const found = sectionsOf(comparison, { all: false }).map(({ title }) => title)
  const titles = inHead && !found.includes('Outcome') ? [...found, 'Outcome'] : found
  const overTime = comparison.series.some(({ same }) => !same) ? ['Over time'] : []
  return [...titles.filter((title) => title !== 'Notes'), ...overTime]
}

function section<R extends { readonly name: string }>(
  title: string,
  rows: readonly R[],
  extra: readonly string[],
  cells: (row: R) => readonly Cell[],
): Section {
  return { title, extra, rows: rows.map((row) => ({ name: row.name, cells: cells(row) })), lines: [], more: 0 }
}

function limited(found: Section, { all }: SectionOptions): Section {
  if (all || found.rows.length <= MOST) return found
  return { ...found, rows: found.rows.slice(0, MOST), more: found.rows.length - MOST }
}

function metricSection({ metrics, runs }: RunComparison, options: SectionOptions): Section {
  const isPair = runs.length === 2
  const rows = keep(metrics, options).map(({ name, cells, better, best }): SectionRow => {
    const values = cells.map((cell, at): Cell => {
      if (cell === null) return { text: NOTHING, tone: 'soft' }
      const isBroken = typeof cell.value === 'string'
      return { text: formatValue(cell.value), tone: best.includes(at) ? 'good' : isBroken ? 'warn' : undefined }
    })
    const second = cells[1] ?? null
    const difference: Cell[] = isPair ? [{ text: second === null ? '' : differenceText(second) }] : []
    const who = best.map((at) => runs[at]?.label ?? '').join(', ')
    return { name, better, cells: [...values, ...difference, { text: who, tone: 'good' }] }
  })
  return { title: 'Metrics', extra: isPair ? ['Difference', 'Better'] : ['Best'], rows, lines: [], more: 0 }
}

function valueCells(row: ValueRow, count: number, difference?: (from: unknown, to: unknown) => string): Cell[] {
  const texts = row.cells.map(
    (cell): Cell => ({ text: valueText(row, cell), tone: cell === null ? 'soft' : undefined }),
  )
  if (difference === undefined || count !== 2) return texts
  const [from, to] = row.cells
  const word = row.typeOnly ? 'another type' : from === null ? 'added' : to === null ? 'removed' : ''
  return [...texts, { text: word === '' ? difference(from?.value, to?.value) : word }]
}

function commandSection({ command, runs }: RunComparison, { all }: SectionOptions): Section {
  if (command.same && !all) return { title: 'Command', extra: [], rows: [], lines: [], more: 0 }
  const lines = command.lines.map((words, at): Line => {
    const tone: Tone = at === 0 ? 'bad' : 'good'
    const pieces = words.map(({ text, kind }): Cell => ({ text: word(text), tone: kind === 'same' ? undefined : tone }))
    return [{ text: runs[at]?.label ?? '', tone: 'soft' }, ...pieces]
  })
  return { title: 'Command', extra: [], rows: [], lines, more: 0 }
}

/** A word that holds a space is shown as one word. */
const word = (text: string): string => (text === '' || /\s/.test(text) ? JSON.stringify(text) : text)

function codeSection(code: RunComparison['code'], count: number, options: SectionOptions): Section {
  const base = section('Code', keep(code.rows, options), [], ({ name, cells }) =>
    cells.map((cell, at): Cell => {
      if (cell === null) return { text: NOTHING, tone: 'soft' }
      const text = String(cell.value)
      if (name === 'commit') return { text: /^[0-9a-f]{40,}$/.test(text) ? digits(text, count) : text }
      const files = code.patches[at]?.files.length ?? 0
      if (name !== 'uncommitted changes' || files === 0) return { text: shortCommit(text, count) }
      const digest = digits(text.replace(/^patch /, ''), 8)
      return { text: count > 3 ? digest : `${files} file${files === 1 ? '' : 's'} (${digest})` }
    }),
  )
  return base.rows.some(({ name }) => name === 'uncommitted changes') ? { ...base, lines: changedFiles(code) } : base
}

const noteLines = ({ runs }: RunComparison): Line[] =>
  runs.flatMap(({ label, notes }) =>
    notes.map(({ text, by }): Line => [{ text: label, tone: 'soft' }, { text: `${text} (${by})` }]),
  )

/** Runs with the same changed files share a line. */
function changedFiles({ patches }: RunComparison['code']): Line[] {
  const labels = new Map<string, string[]>()
  for (const [at, { files }] of patches.entries()) {
    if (files.length === 0) continue
    const more = files.length > 8 ? ` and ${files.length - 8} more` : ''
    const text = `changed ${files.slice(0, 8).join(', ')}${more}`
    labels.set(text, [...(labels.get(text) ?? []), String.fromCharCode(65 + at)])
  }
  return [...labels].map(([text, runs]) => [{ text: runs.join(', '), tone: 'soft' }, { text }])
}

const shortCommit = (text: string, count: number): string =>
  text.replace(/\b[0-9a-f]{40,}\b/g, (found) => digits(found, count))

function packageSection({ packages, runs }: RunComparison, options: SectionOptions): Section {
  const { rows, unknown } = packages
  const found = section('Packages', keep(rows, options), [], (row) => packageCells(row, unknown))
  const lines = runs.flatMap(({ label }, at): Line[] => {
    if (at === 0 || unknown[0] != null || unknown[at] != null) return []
    const count = (matches: (from: boolean, to: boolean) => boolean): number =>
      rows.filter(({ cells, same }) => !same && matches(cells[0] !== null, cells[at] !== null)).length
    const added = count((from, to) => !from && to)
    const removed = count((from, to) => from && !to)
    const others = rows.filter(({ cells }) => cells[0]?.version !== cells[at]?.version).length - added - removed
    const words = [`${added} added`, `${removed} removed`, `${others} of another version`].filter(
      (word) => !word.startsWith('0 '),
    )
    return words.length === 0 ? [] : [[{ text: label, tone: 'soft' }, { text: words.join(', ') }]]
  })
  return { ...found, lines: found.rows.length > 5 ? lines : [] }
}

/** A version alone, unless two of one version are other builds or come from elsewhere. */
function packageCells(row: RunComparison['packages']['rows'][number], unknown: readonly (string | null)[]): Cell[] {
  const versions = new Set(row.cells.map((cell) => cell?.version))
  return row.cells.map((cell, at): Cell => {
    if (cell === null) return { text: unknown[at] == null ? NOTHING : '?', tone: 'soft' }
    if (versions.size > 1 || row.same) return { text: cell.version }
    return { text: `${cell.version} (${cell.from ?? cell.installed?.slice(0, 8) ?? 'index'})` }
  })
}

/** Two times are never the same to the microsecond: a row whose figures read alike says nothing. */
const tellable = (rows: RunComparison['outcome'], { all }: SectionOptions): RunComparison['outcome'] =>
  rows.filter((row) => all || new Set(outcomeCells(row, 0).map(({ text }) => text)).size > 1)

function outcomeCells(row: RunComparison['outcome'][number], count: number): Cell[] {
  const { unit } = row
  if (unit === null) return [...valueCells(row, count), ...(count === 2 ? [{ text: '' }] : [])]
  const cells = row.cells.map((cell): Cell => {
    if (cell === null) return { text: NOTHING, tone: 'soft' }
    return { text: typeof cell.value === 'number' ? withUnit(cell.value, unit) : String(cell.value) }
  })
  const [from, to] = row.cells
  return count === 2 ? [...cells, { text: unitDifference(from?.value, to?.value, unit) }] : cells
}

function artifactCells({ cells }: Row<{ readonly sha256: string; readonly size: number }>, count: number): Cell[] {
  const texts = cells.map(
    (cell): Cell => (cell === null ? { text: NOTHING, tone: 'soft' } : { text: digits(cell.sha256, count) }),
  )
  if (count !== 2) return texts
  const [from, to] = cells
  const sizes = [from, to].map((cell) => (cell == null ? NOTHING : bytes(cell.size)))
  return [...texts, { text: sizes[0] === sizes[1] ? (sizes[0] ?? '') : sizes.join(', then ') }]
}
