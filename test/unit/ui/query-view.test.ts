/** Rows of `mlops predictions query` on terminals and in pipes. */
import assert from 'node:assert/strict'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderQuery } from '../../../src/ui/views/predictions.ts'

describe('Rows of the prediction log as a table', () => {
  const names = Array.from({ length: 17 }, (_, i) => `column_${i}`)
  const result = {
    columns: names.map((name) => ({ name, type: 'VARCHAR' })),
    rows: [names.map((name) => `a value of ${name} that is long`)],
    isCut: false,
    limit: 10,
  }
  const lines = (width: number, color: boolean) =>
    renderQuery(
      createUi({ style: createStyle({ color, unicode: true }), width, now: new Date(0), quiet: false }),
      result,
    ).split('\n')

  it('take one line each on a terminal, however many columns there are', () => {
    for (const color of [true, false]) {
      const shown = lines(80, color)
      assert.equal(shown.length, 2)
      for (const line of shown) assert.equal(line.length, 80)
      assert.match(shown[1] ?? '', /…$/)
    }
  })

  it('are whole in a pipe', () => {
    assert.match(lines(Number.POSITIVE_INFINITY, false)[1] ?? '', /a value of column_16 that is long$/)
  })
})
