/** The table of runs: it fits its terminal, its ids stay unique, nothing is cut in a pipe. */
import assert from 'node:assert/strict'
import type { ListedRun, RunList } from '../../../src/tracking/records/list-runs.ts'
import { displayWidth } from '../../../src/ui/clean.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi, type Ui } from '../../../src/ui/ui.ts'
import { renderRunList } from '../../../src/ui/views/run-list.ts'

const NOW = new Date('2026-11-21T12:00:00Z')
const ui = (width: number, unicode = true): Ui =>
  createUi({ style: createStyle({ color: false, unicode }), width, now: NOW, quiet: false })

const run = (n: number, of: Partial<ListedRun> = {}): ListedRun => ({
  ...{
    run: `01M803Y34M${'0'.repeat(13)}${String(n).padStart(3, '0')}`,
    model: 'customer-churn-europe',
    status: 'finished',
  },
  ...{ started: '2026-11-19T09:00:00Z', duration: 754, command: ['python', 'train.py', '--epochs', '100', '--fast'] },
  ...{ metrics: { auc: 0.8412345, loss: 0.3312345, f1: 0.7712345, recall: 0.66 }, params: { depth: n }, tags: [] },
  ...{ artifacts: [], exit: 0, signal: null, parent: null, host: 'gpu-box-1', reproduces: null, notes: [], values: {} },
  ...{ commit: null, dirty: null, seed: null, data: [] },
  ...of,
})
const listOf = (runs: readonly ListedRun[], of: Partial<RunList> = {}): RunList => ({
  ...{ runs, total: runs.length, matched: runs.length, where: null, sort: [], columns: [], hints: [], unique: 26 },
  ...of,
})
const words = { model: undefined, chosen: false }

describe('The table of runs', () => {
  const hard = [
    run(1, { status: 'failed', exit: 127, tags: ['candidate', 'a-tag-of-some-length'] }),
    run(2, { status: 'interrupted', signal: 'SIGKILL', host: 'laptop' }),
    run(3, { parent: '01M803Y34M', model: null, duration: null }),
    run(4, { reproduces: '01M803Y34M', metrics: {} }),
  ]

  for (const width of [80, 90, 100, 120, 160, 200]) {
    it(`fits ${width} columns`, () => {
      const list = listOf(hard, { unique: 12, columns: ['metrics.auc', 'git.commit'] })
      const text = renderRunList(ui(width), list, words)
      for (const line of text.split('\n')) assert.ok(displayWidth(line) <= width, `${displayWidth(line)}: ${line}`)
      assert.match(text, /failed \(127\)/)
      assert.match(text, /interrupted \(KILL\)/)
    })
  }

  it('shortens ids only as far as every run of the store can be told from the others', () => {
    const text = renderRunList(ui(80), listOf(hard, { unique: 14 }), words)
    assert.match(text, /^01M803Y34M0000 /m)
    assert.match(renderRunList(ui(80), listOf(hard, { unique: 3 }), words), /^01M803Y34M /m)
    assert.match(
      renderRunList(ui(Number.POSITIVE_INFINITY), listOf(hard, { unique: 3 }), words),
      /^01M803Y34M0{13}001 /m,
    )
  })

  it('cuts nothing in a pipe', () => {
    const text = renderRunList(ui(Number.POSITIVE_INFINITY), listOf(hard), words)
    for (const part of [
      'customer-churn-europe',
      'python train.py --epochs 100 --fast',
      'a-tag-of-some-length',
      'laptop',
      '+1',
    ]) {
      assert.ok(text.includes(part), part)
    }
  })

  it('marks runs within runs and repetitions, and says what the marks mean, in ASCII too', () => {
    const text = renderRunList(ui(200), listOf(hard), words)
    assert.match(text, /003 +↳/)
    assert.match(text, /004 +↻/)
    assert.match(text, /↻ repeats another run, ↳ started by another run$/)
    assert.match(renderRunList(ui(200, false), listOf(hard), words), /= repeats another run, > started by another run$/)
  })

  it('shows what is chosen alone, each as people read it', () => {
    const values = {
      duration: 754,
      memory: 2_500_000_000,
      'git.commit': 'ab12cd34'.repeat(5),
      tags: ['a', 'b'],
      'params.x': null,
      started: NOW.toISOString(),
    }
    const list = listOf([run(1, { values })], { columns: Object.keys(values) })
    assert.equal(
      renderRunList(ui(Number.POSITIVE_INFINITY), list, { ...words, chosen: true }).split('\n')[1],
      '01M803Y34M0000000000000001  12 min 34 s  2.5 GB  ab12cd34ab12  a, b  -  2026-11-21 12:00 UTC'.replace(
        '01M803Y34M0000000000000001',
        run(1).run,
      ),
    )
  })

  it('keeps apart the lines of a sweep where there is little room', () => {
    const sweep = [10, 20].map((trees, n) =>
      run(n, { command: ['python', 'train.py', '--trees', String(trees)], tags: ['a-tag-of-some-length', 'another'] }),
    )
    const text = renderRunList(ui(80), listOf(sweep, { unique: 12 }), words)
    assert.match(text, /… --trees 10$/m)
    assert.match(text, /… --trees 20$/m)
    assert.doesNotMatch(text, /TAGS|MODEL/)
    assert.match(renderRunList(ui(200), listOf(sweep), words), /MODEL.*TAGS.*COMMAND\n.*python train\.py --trees 10\n/)
  })

  it('has no column of metrics where each has its own, and one order of them', () => {
    const list = listOf([run(1)], { columns: Object.keys(run(1).metrics).map((key) => `metrics.${key}`) })
    assert.doesNotMatch(renderRunList(ui(200), list, words), /METRICS/)
    const metrics = { loss: 1, auc: 0.5 }
    assert.match(renderRunList(ui(200), listOf([run(1, { metrics })]), words), /auc 0\.5, loss 1/)
  })

  it('speaks of one run as of one', () => {
    const list = listOf([run(1)], { total: 30, where: 'a = 1' })
    assert.match(renderRunList(ui(80), list, words), /1 of 30 runs matches;/)
    const none = listOf([], { total: 30, where: 'a != 1', hints: ['write not a = 1'] })
    assert.match(renderRunList(ui(80), none, words), /^No run matches, of 30.*\n→ write not a = 1$/)
  })

  it('makes control characters of scripts visible', () => {
    const text = renderRunList(ui(200), listOf([run(1, { command: ['\u001b[2J'], tags: ['\u202e'] })]), words)
    assert.ok(!text.includes('\u001b') && !text.includes('\u202e'))
  })
})
