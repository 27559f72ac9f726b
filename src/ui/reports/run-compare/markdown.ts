/** A comparison of runs as GitHub-flavoured Markdown, for the summary of a CI job or a pull request. */
import type { CodeDiff } from '../../../tracking/compare/code-diff.ts'
import type { RunComparison } from '../../../tracking/compare/compare.ts'
import type { SeriesRow } from '../../../tracking/compare/series.ts'
import { sparkline } from '../../sparkline.ts'
import { duration } from '../../time.ts'
import { formatValue } from '../../views/values.ts'
import { code, fold, prose, table } from '../markdown-escape.ts'
import { moment, plain } from '../words.ts'
import { nothingDiffers, SEED_DRAWN, sectionsOf, seedIsDrawn } from './sections.ts'
import type { Cell, ComparisonShown, Line, Section, SectionRow } from './types.ts'

/** Lines of each diff; the next smaller figure is taken while the text is too long. */
const LEVELS = [3000, 300, 0]
/** Points of a line of blocks. */
const POINTS = 32

/** @param limit bytes that it may take: the diff goes first, then what is equal */
export function renderMarkdownComparison(
  shown: ComparisonShown,
  all: boolean,
  limit = Number.POSITIVE_INFINITY,
): string {
  const fits = (text: string): boolean => Buffer.byteLength(text) <= limit
  for (const lines of LEVELS) {
    const text = render(shown, all, lines)
    if (fits(text)) return text
  }
  const least = render(shown, false, 0)
  return fits(least) ? least : ''
}

function render({ comparison, diffs }: ComparisonShown, all: boolean, lines: number): string {
  const { runs, same, unknown, remarks } = comparison
  const sections = sectionsOf(comparison, { all })
  const parts = [
    `## ${runs.length} runs, side by side`,
    runTable(comparison),
    remarks.map((text) => `> ⚠️ ${prose(plain(text))}`).join('\n>\n'),
    nothingDiffers(comparison),
    same.length === 0 ? '' : `Same: ${prose(same.map((each) => plain(each)).join(', '))}.`,
    seedIsDrawn(comparison) ? `S${SEED_DRAWN.slice(1)}.` : '',
    unknown.map((text) => `Not known: ${prose(plain(text))}`).join('\n\n'),
    ...sections.flatMap((each) => [
      sectionText(each, comparison),
      each.title === 'Metrics' ? seriesTable(comparison, all) : '',
    ]),
    sections.some(({ title }) => title === 'Metrics') ? '' : seriesTable(comparison, all),
    ...(diffs ?? []).map((diff) => diffText(diff, lines)),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

const runTable = ({ runs }: RunComparison): string =>
  table(
    ['', 'Run', 'Model', 'Status', 'Started', '>Took'],
    runs.map(({ label, run, version, model, status, started, duration: took }) => [
      `**${label}**`,
      code(run),
      version === null && model === null ? '' : code(plain(version ?? model)),
      status,
      moment(started),
      took === null ? '' : duration(took),
    ]),
  )

function sectionText({ title, extra, rows, lines, more }: Section, { runs }: RunComparison): string {
  const heads = ['', ...runs.map(({ label }) => label), ...extra]
  const parts = [
    `### ${title}`,
    table(
      heads,
      rows.map((row) => [nameOf(row), ...row.cells.map((cell, at) => cellText(cell, at < runs.length))]),
    ),
    more === 0 ? '' : `${more} more.`,
    lines.map((line) => lineText(line, title)).join('\n'),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function nameOf({ name, better }: SectionRow): string {
  const trimmed = name.trimStart()
  const text = trimmed === name ? code(plain(name)) : `&nbsp;&nbsp;${prose(plain(trimmed))}`
  return better == null ? text : `${text} ${better === 'higher' ? '↑' : '↓'}`
}

/** Values of users are code; words and figures of ours are prose. The better one is bold. */
function cellText({ text, tone }: Cell, isValue: boolean): string {
  if (text === '' || text === '-') return text
  const shown = isValue ? code(plain(text)) : prose(plain(text))
  return tone === 'good' ? `**${shown}**` : shown
}

function lineText([label, ...pieces]: Line, title: string): string {
  const words = pieces.map(({ text, tone }) => ({ text: plain(text), isMarked: tone !== undefined }))
  const head = label?.text.trim() ?? ''
  if (title !== 'Command') {
    const text = code(words.map((word) => word.text).join(' '))
    return head === '' ? `  - ${text}` : `- **${head}** ${text}`
  }
  // A code span formats nothing: what differs stands in spans of its own, in bold.
  const runs: { text: string; isMarked: boolean }[] = []
  for (const each of words) {
    const last = runs.at(-1)
    if (last?.isMarked === each.isMarked) last.text += ` ${each.text}`
    else runs.push({ ...each })
  }
  return `- **${head}** ${runs.map(({ text, isMarked }) => (isMarked ? `**${code(text)}**` : code(text))).join(' ')}`
}

function seriesTable({ series, runs }: RunComparison, all: boolean): string {
  const rows = series.filter(({ same }) => all || !same)
  if (rows.length === 0) return ''
  const body = rows.flatMap((row) =>
    row.cells.flatMap((cell, at) => {
      if (cell === null) return []
      const name = at === row.cells.findIndex((each) => each !== null) ? code(plain(row.name)) : ''
      const figures = [cell.first, cell.last, cell.min, cell.max].map((value) => formatValue(value))
      return [[name, runs[at]?.label ?? '', blocks(row, at), ...figures]]
    }),
  )
  return `### Over time\n\n${table(['', '', '', '>First', '>Last', '>Least', '>Greatest'], body)}`
}

const thinned = (values: readonly number[]): number[] =>
  values.length <= POINTS
    ? [...values]
    : Array.from({ length: POINTS }, (_, at) => values[Math.round((at * (values.length - 1)) / (POINTS - 1))] ?? 0)

/** One scale for all runs of a metric: their lines stand below one another. */
function blocks({ cells }: SeriesRow, at: number): string {
  const bounds = cells.flatMap((cell) => [cell?.min ?? null, cell?.max ?? null]).filter((each) => each !== null)
  const low = Math.min(...bounds)
  const values = (cells[at]?.points ?? []).flatMap(({ value }) => (typeof value === 'number' ? [value - low] : []))
  const shown = thinned(values)
  return sparkline([...shown, Math.max(...bounds) - low], true).slice(0, shown.length)
}

function diffText({ from, to, text, notes, left }: CodeDiff, most: number): string {
  const patches = [
    ...(text === null || text === '' ? [] : [fenced(text, most)]),
    ...left.map((each) => `Recorded in ${each.run} for ${code(plain(each.path))}:\n\n${fenced(each.text, most)}`),
  ]
  const parts = [
    `### Code, ${from} → ${to}`,
    notes.map((note) => `- ${prose(plain(note, 1000))}`).join('\n'),
    text === '' ? 'The code is the same, line by line.' : '',
    fold('Line by line', most === 0 ? '' : patches.join('\n\n')),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

/** Fenced by more backticks than stand in it. */
function fenced(text: string, most: number): string {
  const lines = text.replace(/\n$/, '').split('\n')
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  const rest = lines.length > most ? `\n\n${lines.length - most} more lines.` : ''
  return `${fence}diff\n${lines
    .slice(0, most)
    .map((line) => plain(line.replaceAll('\t', '    '), 2000))
    .join('\n')}\n${fence}${rest}`
}
