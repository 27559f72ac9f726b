/** A comparison on terminals of several widths, as Markdown and as a page, with names that want to break out. */
import assert from 'node:assert/strict'
import { sha256 } from '../../../src/core/digest.ts'
import { compareRuns, type RunComparison } from '../../../src/tracking/compare/compare.ts'
import type { RunFacts } from '../../../src/tracking/compare/facts.ts'
import { displayWidth } from '../../../src/ui/clean.ts'
import { renderHtmlComparison } from '../../../src/ui/reports/run-compare/html.ts'
import { renderMarkdownComparison } from '../../../src/ui/reports/run-compare/markdown.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderComparison } from '../../../src/ui/views/run-compare.ts'
import { facts } from './compare-facts.ts'

const HOSTILE = '<img src=x onerror=alert(1)>|`*\u001b[31m\u202e\n@ada'

const series = (run: number) => ({
  key: 'loss',
  count: 50,
  first: 1,
  last: 0.1,
  min: 0.1,
  max: 1,
  nonFinite: 1,
  hasSteps: true,
  points: Array.from({ length: 50 }, (_, x) => ({ x, value: x === 7 ? 'NaN' : 1 / (1 + x * (run + 1)) })),
})

/** Runs that differ in everything. */
const runs = (count: number): RunComparison =>
  compareRuns(
    Array.from({ length: count }, (_, at) => {
      const more: Partial<RunFacts> = {
        run: `01JD3X000000000000000000${10 + at}`,
        params: { depth: at, [HOSTILE]: HOSTILE + at, 'a parameter with a name that is far too long for a column': at },
        metrics: { auc: 0.8 + at / 1000, loss: at === 1 ? 'NaN' : 0.5 },
        tags: [`tag-${at}`],
        command: ['python', 'train.py', '--depth', String(at), HOSTILE],
        artifacts: [{ path: 'model.joblib', sha256: sha256(String(at)), size: 1000 * at }],
        data: [
          { name: 'train', path: 'train.csv', kind: 'file', sha256: sha256(`d${at}`), size: 100, rows: 1000 + at },
        ],
      }
      return {
        facts: facts(more),
        version: null,
        series: [series(at)],
        notes: [{ text: HOSTILE, by: 'ada', time: '' }],
      }
    }),
  )

const terminal = (comparison: RunComparison, width: number, color = false): string =>
  renderComparison(
    createUi({
      style: createStyle({ color, unicode: true }),
      width,
      now: new Date('2026-11-21T12:00:00Z'),
      quiet: false,
    }),
    { comparison, diffs: null },
    false,
  )

describe('A comparison of runs', () => {
  it('fits 80 columns with two, six and eight runs; commands to copy alone stay one line', () => {
    for (const count of [2, 6, 8]) {
      const lines = terminal(runs(count), 80).split('\n')
      const wide = lines.filter((line) => displayWidth(line) > 80 && !/^ {2}[A-H] |^mlops /.test(line))
      assert.deepEqual(wide, [], `${count} runs`)
    }
  })

  it('shows every run once in each table, however narrow the terminal', () => {
    const text = terminal(runs(8), 60)
    const table = text.slice(text.indexOf('Parameters\n'), text.indexOf('Command\n'))
    const heads = table.split('\n').filter((line) => /^ +A|^ +[B-H]( +[B-H])*$/.test(line))
    assert.equal(heads.join('').replaceAll(' ', ''), 'ABCDEFGH')
  })

  it('shows every table in a pipe too, where no width is known, and breaks nothing there', () => {
    const text = terminal(runs(8), Number.POSITIVE_INFINITY)
    for (const title of ['Metrics', 'Parameters', 'Data', 'Tags', 'Artifacts']) {
      assert.match(text, new RegExp(`^${title}\\n +A +B +C +D +E +F +G +H`, 'm'), title)
    }
    assert.match(terminal(runs(2), Number.POSITIVE_INFINITY), /^ {2}auc . +0\.8 +0\.801 +\+0\.001/m)
  })

  it('marks what differs in a command without colour too, and lets nothing of a user reach the terminal raw', () => {
    const text = terminal(runs(2), 80)
    assert.match(text, /^ {2}A python train\.py --depth \[-0-\]/m)
    assert.match(text, /^ {2}B python train\.py --depth \{\+1\+\}/m)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u202e]/)
    assert.match(text, /auc . +0\.8 +0\.801 +\+0\.001 \(\+0\.1 %\) +B$/m)
    assert.match(text, /loss . +0\.5 +NaN +A$/m)
  })

  it('fits its list of runs into 60 columns, with ids that can still be told apart', () => {
    const [head = '', first = ''] = terminal(runs(3), 60).split('\n')
    assert.ok(Math.max(head.length, first.length) <= 60, `${head}\n${first}`)
    assert.match(first, /^A {2}01JD3X0000\d* +finished/)
  })

  it('shows commands of more than two runs as they were typed, and says once what the list of runs says', () => {
    const text = terminal(runs(3), 120)
    assert.match(text, /^ {2}A python train\.py --depth 0 /m)
    assert.doesNotMatch(text, /\[-|\{\+/)
    const other = compareRuns(
      [facts({ model: 'a', duration: 1 }), facts({ model: 'b', duration: 90 })].map((each) => ({
        ...{ facts: each, version: null, series: [], notes: [] },
      })),
    )
    assert.doesNotMatch(terminal(other, 80), /^Outcome|^ {2}(?:model|duration) |Nothing that was recorded differs/m)
  })

  it('says of seeds that mlops drew that they were drawn anew, unless a parameter says that one was used', () => {
    const drawn = (seed: number, params = {}) => ({
      ...{ facts: facts({ seed, seedFrom: 'random', params }), version: null, series: [], notes: [] },
    })
    const text = terminal(compareRuns([drawn(1), drawn(2)]), 80)
    assert.match(text, /^Nothing that was recorded differs but the seed, which mlops drew\.$/m)
    assert.match(text, /^seed: drawn anew for each run$/m)
    assert.doesNotMatch(text, /^Environment/m)
    const used = terminal(compareRuns([drawn(1, { random_state: 1 }), drawn(2, { random_state: 2 })]), 80)
    assert.match(used, /^Environment\n.*\n {2}seed +1 +2$/m)
  })

  it('is no markup of a user, in Markdown or on the page', () => {
    const shown = {
      comparison: runs(3),
      diffs: [{ from: 'A', to: 'B', text: `+${HOSTILE}\n+\`\`\`\`\n`, notes: [HOSTILE], left: [] }],
    }
    const markdown = renderMarkdownComparison(shown, true)
    const fenced = /^`{5}diff$[\s\S]*?^`{5}$/m
    assert.match(markdown, fenced)
    assert.doesNotMatch(markdown.replace(fenced, '').replace(/(`+)[^\n]*?\1/g, ''), /<img|[^\\]\*\\x/)
    const page = renderHtmlComparison(shown, true)
    assert.doesNotMatch(page, /<img|\u202e/)
    assert.match(page, /&lt;img src=x onerror=alert\(1\)&gt;/)
    assert.match(page, /<path class="run s2" d="M0 0h0/)
  })

  it('loses the diff first where Markdown may take only so many bytes', () => {
    const shown = {
      comparison: runs(2),
      diffs: [{ from: 'A', to: 'B', text: '+line\n'.repeat(20_000), notes: [], left: [] }],
    }
    const whole = renderMarkdownComparison(shown, false)
    const short = renderMarkdownComparison(shown, false, 10_000)
    assert.match(whole, /17000 more lines\./)
    assert.ok(Buffer.byteLength(short) <= 10_000 && short.includes('### Metrics'))
    assert.equal(renderMarkdownComparison(shown, false, 10), '')
  })
})
