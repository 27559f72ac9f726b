/** Every filter in the table of docs/runs.md holds for the runs that the table says. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunStart } from '../../../src/store/run-records.ts'
import { FIELD_NAMES } from '../../../src/tracking/records/where/fields.ts'
import { ROOT } from './support.ts'
import { type FactsOf, factsOf, holds, ID, NOW } from './where-facts.ts'

const PAGE = readFileSync(join(ROOT, 'docs/runs.md'), 'utf8')
const git = (branch: string, commit: string, dirty: boolean): NonNullable<RunStart['git']> => ({
  branch,
  commit,
  dirty,
  remote: null,
})
const data = [{ name: 'train', path: 'train.csv', kind: 'file', sha256: 'ff', size: 1, rows: 7043 }] as const
const python = { executable: 'python', version: '3.11.4' }
const heading = {
  format: 1,
  id: ID,
  run: ID,
  actor: { name: 'ada', origin: 'local' },
  time: '2026-11-21T11:40:00Z',
} as const

/** As the second table of the page describes them. */
const RUNS: Readonly<Record<string, FactsOf>> = {
  A: {
    start: { started: '2026-11-20T09:00:00.000Z', git: git('main', 'ab12cd'.padEnd(40, '0'), false), data, python },
    ...{ metrics: { auc: 0.84, 'val/auc': 0.82, loss: 0.41 }, params: { depth: 6 }, tags: ['gold'], duration: 300 },
  },
  B: {
    start: { started: '2026-11-18T09:00:00.000Z', git: git('tuning', 'ff00aa'.padEnd(40, '0'), true), data, python },
    ...{ metrics: { auc: 0.79, loss: 0.5 }, params: { depth: '6.0', augment: true }, tags: ['draft'], duration: 1200 },
  },
  C: {
    start: {
      ...{ started: '2026-11-21T08:00:00.000Z', git: git('main', 'ab12cd'.padEnd(40, '0'), false), data, python },
      command: ['python', 'train.py', '--fast'],
    },
    ...{ params: { depth: 8 }, status: 'failed', end: { exit: 1 }, duration: 60 },
  },
  D: {
    start: { started: '2026-11-21T11:30:00.000Z', git: git('main', '0123ab'.padEnd(40, '0'), false), data, python },
    ...{ metrics: { loss: 'NaN' }, status: 'running', end: null, duration: 1800 },
    said: [{ ...heading, kind: 'note', text: 'Too slow' }],
  },
}

describe('The page about runs', () => {
  const rows = [...PAGE.matchAll(/^\| `(.+?)` \| ([A-D](?: [A-D])*) \|$/gm)]

  it('has a table of filters', () => assert.ok(rows.length >= 25))

  for (const [, filter = '', letters = ''] of rows) {
    it(`says truly: ${filter} holds for ${letters}`, () => {
      assert.equal(NOW, Date.parse('2026-11-21T12:00:00Z'))
      const all = Object.entries(RUNS).map(([letter, of]) => ({ letter, facts: factsOf(of) }))
      const held = all.filter(({ facts }) =>
        holds(
          filter,
          facts,
          all.map((each) => each.facts),
        ),
      )
      assert.equal(held.map(({ letter }) => letter).join(' '), letters)
    })
  }

  it('names every field', () => {
    for (const name of FIELD_NAMES) assert.ok(PAGE.includes(`\`${name}\``), name)
  })
})
