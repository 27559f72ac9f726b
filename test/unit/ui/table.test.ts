/** Tables line up and fit. */
import assert from 'node:assert/strict'
import { displayWidth } from '../../../src/ui/clean.ts'
import { sparkline } from '../../../src/ui/sparkline.ts'
import { type Column, renderTable } from '../../../src/ui/table.ts'

interface Row {
  readonly name: string
  readonly rows: number
}
const COLUMNS: readonly Column<Row>[] = [
  { title: 'name', value: (row) => row.name, shrink: true },
  { title: 'rows', value: (row) => String(row.rows), align: 'right' },
]
const wide = { width: Number.POSITIVE_INFINITY, ellipsis: '…', head: (text: string) => text }

describe('A table', () => {
  it('aligns text left and numbers right, without trailing blanks', () => {
    const text = renderTable(
      COLUMNS,
      [
        { name: 'train', rows: 7043 },
        { name: 'x', rows: 5 },
      ],
      wide,
    )
    assert.equal(text, 'name   rows\ntrain  7043\nx         5')
  })

  it('lines up beside wide characters', () => {
    const lines = renderTable(
      COLUMNS,
      [
        { name: '模型', rows: 1 },
        { name: 'abcd', rows: 22 },
      ],
      wide,
    ).split('\n')
    assert.equal(new Set(lines.map(displayWidth)).size, 1)
  })

  it('lets no control character of a cell through', () => {
    const text = renderTable(COLUMNS, [{ name: 'a\u001b[2Jb\nc', rows: 1 }], wide)
    assert.equal(text.split('\n').length, 2)
    assert.ok(text.includes('a\\x1b[2Jb\\nc'))
  })

  it('cuts the columns that may shrink until it fits the terminal', () => {
    const rows = [{ name: 'a'.repeat(100), rows: 123456 }]
    const lines = renderTable(COLUMNS, rows, { ...wide, width: 40 }).split('\n')
    for (const line of lines) assert.ok(displayWidth(line) <= 40, line)
    assert.ok(lines[1]?.endsWith('123456'))
    assert.ok(lines[1]?.includes('…'))
  })

  it('cuts nothing in a pipe', () => {
    const rows = [{ name: 'a'.repeat(300), rows: 1 }]
    assert.ok(renderTable(COLUMNS, rows, wide).includes('a'.repeat(300)))
  })

  it('paints cells without moving them', () => {
    const painted = COLUMNS.map((column) => ({ ...column, paint: (text: string) => `\u001b[31m${text}\u001b[39m` }))
    const rows = [{ name: 'train', rows: 1 }]
    const plain = renderTable(COLUMNS, rows, wide)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is removed
    const bare = renderTable(painted, rows, wide).replace(/\u001b\[\d+m/g, '')
    assert.deepEqual(
      bare.split('\n').map((line) => line.trimEnd()),
      plain.split('\n'),
    )
  })

  it('of no rows is nothing', () => {
    assert.equal(renderTable(COLUMNS, [], wide), '')
  })
})

describe('A sparkline', () => {
  it('has one mark per value, the largest full and zero empty', () => {
    assert.equal(sparkline([0, 1, 2, 4, 8], true), '▁▂▃▅█')
  })

  it('has an ASCII form of the same length', () => {
    const marks = sparkline([0, 3, 8], false)
    assert.match(marks, /^[\x20-\x7e]{3}$/)
  })

  it('shows a value that is small but not zero', () => {
    assert.equal(sparkline([0, 1, 1_000_000], true), '▁▂█')
  })

  it('survives nothing, zeros, NaN and infinity', () => {
    assert.equal(sparkline([], true), '')
    assert.equal(sparkline([0, 0], true), '▁▁')
    assert.equal(sparkline([Number.NaN, Number.POSITIVE_INFINITY, 1], true), '▁▁█')
  })
})
