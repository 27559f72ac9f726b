/** A check in the terminal: what its histograms set apart. */
import assert from 'node:assert/strict'
import type { ColumnResult } from '../../../src/drift/types.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderCheck } from '../../../src/ui/views/drift.ts'
import { check, column } from './reports/fixture.ts'

const ui = createUi({
  style: createStyle({ color: false, unicode: true }),
  width: 140,
  now: new Date(0),
  quiet: false,
})
const line = (groups: ColumnResult['groups']): string =>
  renderCheck(ui, { ...check({ columns: [column('plan', { groups })] }), next: 'mlops status' })
    .split('\n')
    .find((each) => each.includes(' plan ')) ?? ''

describe('The histogram of a column', () => {
  it('sets nulls and new categories apart from a category that is called missing', () => {
    const groups = [
      { label: 'missing', kind: 'category', before: 0.5, after: 0.25 },
      { label: 'basic', kind: 'category', before: 0.5, after: 0.25 },
      { label: 'missing', kind: 'missing', before: 0, after: 0.5 },
    ] as const
    assert.match(line(groups), /██ .\s+▅▅ █/)
  })

  it('is drawn in one piece where there is nothing of the kind, and for checks that do not say', () => {
    const groups = [
      { label: 'basic', before: 0.5, after: 0.25 },
      { label: 'missing', before: 0.5, after: 0.75 },
    ]
    assert.doesNotMatch(line(groups), /[▁-█] [▁-█]/)
  })
})
