/** Declared data of a comparison: a row for the digest, rows for what else differs, and the files of folders that changed. */
import type { RunComparison } from '../../../tracking/compare/compare.ts'
import type { DataCell, DataRow, FolderChange } from '../../../tracking/compare/data.ts'
import { bytes } from '../../time.ts'
import { digits, NOTHING, numberDifference, unitDifference } from './cells.ts'
import { type Cell, keep, type Line, type Section, type SectionOptions, type SectionRow } from './types.ts'

export function dataSection({ data, runs }: RunComparison, options: SectionOptions): Section {
  const rows = keep(data, options)
  const extra = runs.length === 2 ? ['Difference'] : []
  return {
    title: 'Data',
    extra,
    rows: rows.flatMap((row) => rowsOf(row, runs.length)),
    lines: rows.flatMap((row) => linesOf(row, runs)),
    more: 0,
  }
}

type Figure = readonly [
  name: string,
  value: (cell: DataCell) => number | string | null,
  text: (value: number | string) => string,
  difference: (from: unknown, to: unknown) => string,
]

const count = (value: number | string): string => value.toLocaleString('en-US')

const FIGURES: readonly Figure[] = [
  ['rows', ({ rows }) => rows, count, numberDifference],
  ['columns', ({ columns }) => columns, count, numberDifference],
  ['files', ({ files }) => files, count, numberDifference],
  ['size', ({ size }) => size, (value) => bytes(Number(value)), (from, to) => unitDifference(from, to, 'bytes')],
  ['path', ({ path }) => path, String, () => ''],
]

function rowsOf({ name, cells }: DataRow, runs: number): SectionRow[] {
  const isPair = runs === 2
  const digest = cells.map(
    (cell): Cell => (cell === null ? { text: NOTHING, tone: 'soft' } : { text: digits(cell.sha256, runs) }),
  )
  const word = cells[0] === null ? 'added' : cells[1] === null ? 'removed' : ''
  const head = { name, cells: isPair ? [...digest, { text: word }] : digest }
  const figures = FIGURES.flatMap(([figure, value, text, difference]): SectionRow[] => {
    const values = cells.map((cell) => (cell === null ? null : value(cell)))
    if (new Set(values.filter((each) => each !== null)).size < 2) return []
    const texts = values.map((each): Cell => (each === null ? { text: NOTHING, tone: 'soft' } : { text: text(each) }))
    const [from, to] = values
    return [{ name: `  ${figure}`, cells: isPair ? [...texts, { text: difference(from, to) }] : texts }]
  })
  return [head, ...figures]
}

function linesOf({ name, cells, changes }: DataRow, runs: RunComparison['runs']): Line[] {
  const folders = changes.flatMap((change, at) =>
    change === null ? [] : folderLines(change, name, runs[at]?.label ?? ''),
  )
  const stale = cells.flatMap((cell, at): Line[] =>
    cell?.dvc?.matches === false
      ? [
          [
            { text: runs[at]?.label ?? '', tone: 'soft' },
            { text: `${name} was not what ${cell.dvc.file} says`, tone: 'warn' },
          ],
        ]
      : [],
  )
  return [...folders, ...stale]
}

function folderLines(change: FolderChange, name: string, label: string): Line[] {
  const head: Cell = { text: label, tone: 'soft' }
  if (!change.known) return [[head, { text: `${name}: which files changed is not known, ${change.why}`, tone: 'warn' }]]
  const { added, removed, changed, same, named } = change
  const total = added + removed + changed
  const counts = `${name}: ${count(added)} added, ${count(removed)} removed, ${count(changed)} changed, ${count(same)} the same`
  const marks = { added: '+', removed: '-', changed: '~' } as const
  const tones = { added: 'good', removed: 'bad', changed: undefined } as const
  const files = named.map(
    ({ path, kind }): Line => [{ text: ' ' }, { text: `${marks[kind]} ${path}`, tone: tones[kind] }],
  )
  const more: Line[] =
    total > named.length ? [[{ text: ' ' }, { text: `and ${count(total - named.length)} more`, tone: 'soft' }]] : []
  return [[head, { text: counts }], ...files, ...more]
}
