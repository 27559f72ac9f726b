/** `mlops run compare` on a terminal. What is shown, and what left out, is decided in `reports/run-compare/`. */
import type { CodeDiff } from '../../tracking/compare/code-diff.ts'
import type { ComparedRun, RunComparison } from '../../tracking/compare/compare.ts'
import { fits, fitting, type Leaving } from '../fit-columns.ts'
import { differing, nothingDiffers, SEED_DRAWN, sectionsOf, seedIsDrawn } from '../reports/run-compare/sections.ts'
import type { ComparisonShown, Line, Section, SectionRow, Tone } from '../reports/run-compare/types.ts'
import { duration } from '../time.ts'
import type { Ui } from '../ui.ts'
import { renderSeries } from './run-compare-series.ts'
import { shortest } from './run-deleted.ts'

/** Columns of the terminal that a name, and a value with the gap before it, take at least. */
const [NAME, COLUMN] = [16, 9]

export function renderComparison(ui: Ui, { comparison, diffs }: ComparisonShown, all: boolean): string {
  const { style } = ui
  const sections = sectionsOf(comparison, { all })
  const metrics = sections.find(({ title }) => title === 'Metrics')
  const others = sections.filter((each) => each !== metrics)
  const remarks = comparison.remarks.map((text) => style.warn(ui.wrap(`${style.symbols.warn} ${ui.text(text)}`, 2)))
  const parts = [
    runTable(ui, comparison),
    remarks.join('\n'),
    equality(ui, comparison),
    metrics === undefined ? '' : renderSection(ui, metrics, comparison),
    renderSeries(ui, comparison, all),
    ...others.map((each) => renderSection(ui, each, comparison)),
    ...(diffs ?? []).map((diff) => renderDiff(ui, diff)),
    hint(ui, { comparison, diffs }),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

/** What the terminal is too narrow for gives way: first the ids in full, then what is said below as well. */
function runTable(ui: Ui, { runs }: RunComparison): string {
  const length = shortest(runs.map(({ run }) => run))
  const long = runColumns(ui, (run) => run)
  const columns = fits(long, runs, ui.width)
    ? long
    : fitting(
        runColumns(ui, (run) => run.slice(0, length)),
        runs,
        ui.width,
      )
  return ui.table<ComparedRun>(columns, runs)
}

const runColumns = (ui: Ui, id: (run: string) => string): Leaving<ComparedRun>[] => [
  { title: '', value: ({ label }) => label, paint: (text) => ui.style.bold(text), leaves: 0 },
  { title: 'RUN', value: ({ run }) => id(run), paint: ui.style.name, leaves: 0 },
  { title: 'STATUS', value: ({ status }) => status, leaves: 0 },
  { title: 'WHEN', value: ({ started }) => ui.ago(started), leaves: 2 },
  {
    title: 'TOOK',
    value: (run) => (run.duration === null ? '-' : duration(run.duration)),
    align: 'right',
    leaves: 1,
  },
  { title: 'MODEL', value: ({ version, model }) => version ?? model ?? '-', shrink: true, leaves: 0 },
]

function equality(ui: Ui, comparison: RunComparison): string {
  const { style } = ui
  const { same, unknown } = comparison
  const lines = [
    nothingDiffers(comparison),
    same.length === 0 ? '' : style.dim(ui.wrap(`same: ${same.map(ui.text).join(', ')}`, 6)),
    seedIsDrawn(comparison) ? style.dim(SEED_DRAWN) : '',
    ...unknown.map((text) => style.warn(ui.wrap(`not known: ${ui.text(text)}`, 11))),
  ]
  return lines.filter((line) => line !== '').join('\n')
}

function renderSection(ui: Ui, { title, extra, rows, lines, more }: Section, { runs }: RunComparison): string {
  const { style } = ui
  const heads = [...runs.map(({ label }) => label), ...extra.map((name) => name.toUpperCase())]
  const tables = stretches(heads.length, ui.width).map((places) =>
    ui.table<SectionRow>(
      [
        { title: '', value: (row) => `  ${named(ui, row)}`, shrink: true },
        ...places.map((at) => ({
          title: heads[at] ?? '',
          value: ({ cells }: SectionRow) => cells[at]?.text ?? '',
          paint: (text: string, { cells }: SectionRow) => paint(ui, text, cells[at]?.tone),
          shrink: true,
        })),
      ],
      rows,
    ),
  )
  const left = more === 0 ? [] : [style.dim(`  ${more} more: --all`)]
  const body = [...tables, ...left, ...lines.map((line) => renderLine(ui, line, title, runs.length))]
  return [style.heading(title), ...body.filter((text) => text !== '')].join('\n')
}

/**
 * Columns that no terminal of this width can show side by side stand below one another.
 * @param width Infinity (a pipe, a file, a CI job) fits all
 * @returns positions per table
 */
function stretches(columns: number, width: number): number[][] {
  const fitting = Math.max(2, Math.floor((width - NAME) / COLUMN))
  const tables = Math.max(1, Math.ceil(columns / fitting))
  const each = Math.ceil(columns / tables)
  return Array.from({ length: tables }, (_, table) =>
    Array.from({ length: Math.min(each, columns - table * each) }, (_, at) => table * each + at),
  )
}

/** Which way a metric counts stands beside its name. */
function named(ui: Ui, { name, better }: SectionRow): string {
  if (better == null) return name
  const [up, down] = ui.style.unicode ? ['↑', '↓'] : ['^', 'v']
  return `${name} ${better === 'higher' ? up : down}`
}

/**
 * Of two runs, words that differ are marked without colour too, neighbours as one; of more, commands that stand below one
 * another are read more easily without. A command is read, and copied, as it was typed.
 */
function renderLine(ui: Ui, line: Line, title: string, runs: number): string {
  const [head, ...words] = line.map(({ text, tone }) => ({ text: ui.text(text), tone }))
  const label = paint(ui, head?.text ?? '', head?.tone)
  if (title !== 'Command') {
    return ui.wrap(`  ${[label, ...words.map(({ text, tone }) => paint(ui, text, tone))].join(' ')}`, 4)
  }
  const stretches: { text: string; tone: Tone | undefined }[] = []
  for (const { text, tone } of words) {
    const last = stretches.at(-1)
    if (last !== undefined && last.tone === tone) last.text += ` ${text}`
    else stretches.push({ text, tone })
  }
  const pieces = stretches.map(({ text, tone }) => {
    if (tone === undefined || ui.style.color || runs > 2) return paint(ui, text, tone)
    return tone === 'bad' ? `[-${text}-]` : `{+${text}+}`
  })
  return `  ${[label, ...pieces].join(' ')}`
}

function paint({ style }: Ui, text: string, tone: Tone | undefined): string {
  if (tone === 'good') return style.good(text)
  if (tone === 'bad') return style.bad(text)
  if (tone === 'warn') return style.warn(text)
  return tone === 'soft' ? style.dim(text) : text
}

function renderDiff(ui: Ui, { from, to, text, notes, left }: CodeDiff): string {
  const { style } = ui
  const lines = [
    style.heading(`Code, ${from} ${style.symbols.arrow} ${to}`),
    ...notes.map((note) => style.warn(ui.wrap(`  ${style.symbols.warn} ${ui.text(note)}`, 4))),
    ...(text === null ? [] : text === '' ? ['  The code is the same, line by line.'] : diffLines(ui, text)),
    ...left.flatMap(({ run, path, text: patch }) => [
      style.dim(`Recorded in ${run} for ${ui.text(path)}:`),
      ...diffLines(ui, patch),
    ]),
  ]
  return lines.join('\n')
}

const diffLines = (ui: Ui, text: string): string[] =>
  text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      const clean = ui.text(line.replaceAll('\t', '    '))
      if (/^(?:diff |index |--- |\+\+\+ |new file|deleted file|similarity|rename )/.test(line))
        return ui.style.bold(clean)
      if (line.startsWith('+')) return ui.style.good(clean)
      if (line.startsWith('-')) return ui.style.bad(clean)
      return line.startsWith('@@') ? ui.style.name(clean) : clean
    })

/** The one thing to type next, where there is one. The command stands alone, to fit and to be copied. */
function hint(ui: Ui, { comparison, diffs }: ComparisonShown): string {
  if (diffs !== null || !differing(comparison).includes('Code')) return ''
  const { runs } = comparison
  const said = ui.style.dim(`The change of the code, line by line: ${runs.length > 2 ? 'add --diff' : ''}`.trimEnd())
  if (runs.length > 2) return said
  const names = runs.map(({ run, version }) => version ?? run).join(' ')
  return `${said}\n${ui.style.command(`mlops run compare ${names} --diff`)}`
}
