/** What looks equal and is not: names, small numbers, rows that stand for several, parameters, values of options. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunStart } from '../../../../src/store/run-records.ts'
import { compareRows } from '../../../../src/tracking/reproduce/compare-answers.ts'
import { compareRuns, overallVerdict } from '../../../../src/tracking/reproduce/compare-runs.ts'
import { compareNumbers, measuresWork } from '../../../../src/tracking/reproduce/compare-values.ts'
import { linksOfPatch, linksOfTree } from '../../../../src/tracking/reproduce/outside-links.ts'
import { assertPlainRecord } from '../../../../src/tracking/reproduce/record-paths.ts'
import { parseTolerances } from '../../../../src/ui/reproduce-flags.ts'
import { facts } from '../compare-facts.ts'

describe('a reproduction is not deceived', () => {
  it('by a unit of time at the end of what says how good the answers are', () => {
    const results = ['mae_minutes', 'rmse_seconds', 'val/mse_ms', 'error_s', 'lossMinutes', 'bias_seconds']
    const targets = ['median_wait_seconds', 'predicted_delay_minutes', 'trip_duration', 'minutes', 'time_to_event']
    assert.deepEqual([...results, ...targets].filter(measuresWork), [])
    const work = ['fit_seconds', 'train_minutes', 'mean_fit_time', 'score_time', 'inference_ms', 'seconds', 'time_s']
    assert.deepEqual(
      work.filter((name) => !measuresWork(name)),
      [],
    )
  })

  it('by a value that is small: tolerance is a share of it', () => {
    assert.equal(compareNumbers(1e-9, 9e-7, 1e-6), 'different')
    assert.equal(compareNumbers(1e-9, 1e-9 + 1e-16, 1e-6), 'within tolerance')
    // Two sums that should be 0.
    assert.equal(compareNumbers(3e-17, -2e-17, 1e-6), 'within tolerance')
    assert.equal(compareNumbers(3e-17, -2e-17, 0), 'different')
  })

  it('by examples with the same features: each row answers for one', () => {
    const row = (x: number, output: number) => ({ features: { x }, output })
    const twice = [row(1, 0), row(1, 0)]
    assert.deepEqual(compareRows(twice, [row(1, 0), row(2, 77)], 1e-6), {
      verdict: 'different',
      note: '1 of 2 rows differ',
    })
    assert.equal(compareRows([row(1, 0), row(1, 1)], [row(1, 1), row(1, 0)], 0).verdict, 'equal')
    assert.equal(compareRows([row(1, 0), row(1, 1)], [row(1, 1), row(1, 1)], 0).verdict, 'different')
    // The first would take what only the second can have, if nearness alone decided.
    const near = compareRows([row(1, 1), row(1, 1.05)], [row(1, 1.08), row(1, 1.04)], 0.05)
    assert.deepEqual(near, { verdict: 'within tolerance', note: '2 of 2 rows within tolerance' })
  })

  it('by parameters that the script found otherwise, and takes equal ones for no result', () => {
    const options = { tolerances: { general: 1e-6, byName: {} }, ignore: ['seen'] }
    const compare = (a: Record<string, number | boolean>, b: Record<string, number | boolean>) => {
      const nothing = { series: [], answers: [], models: [] }
      const run = (params: typeof a) => facts({ status: 'finished', exit: 0, metrics: {}, artifacts: [], params })
      return compareRuns(run(a), run(b), nothing, options)
    }
    const rows = compare({ depth: 3, best_depth: 3, shuffled: true, seen: 1 }, { depth: 3, best_depth: 9, seen: 2 })
    assert.deepEqual(
      rows.map(({ kind, name, verdict, reproduced }) => [kind, name, verdict, reproduced]),
      [
        ['param', 'best_depth', 'different', 9],
        ['param', 'depth', 'equal', 3],
        ['param', 'seen', 'ignored', 2],
        ['param', 'shuffled', 'missing', null],
      ],
    )
    assert.equal(overallVerdict(rows), 'different')
    assert.equal(overallVerdict(compare({ depth: 3 }, { depth: 3 })), 'nothing to compare')
  })

  it('by a tolerance that nobody meant', () => {
    for (const text of ['0x10', '1_0', 'Infinity', '-1', 'auc=', '0b1', 'auc=0x1'])
      assert.throws(() => parseTolerances([text]), { code: 'TOLERANCE_INVALID' }, text)
    assert.deepEqual(parseTolerances(['1e-3', 'auc=.5', 'a=b=2.']), { general: 1e-3, byName: { auc: 0.5, 'a=b': 2 } })
  })
  it('by a record whose paths lead to what is not its own', () => {
    const places = { cwd: '/home/ada/p/sub', top: '/home/ada/p' }
    const start = (more: object) => ({ ...facts(), id: 'R', data: [], ...more }) as unknown as RunStart
    const refuses = (more: object, pattern: RegExp) =>
      assert.throws(() => assertPlainRecord(start(more), places), { code: 'RECORD_UNSAFE', message: pattern })
    const data = (path: string) => ({ data: [{ name: 'd', path, kind: 'file', sha256: '0', size: 1 }] })
    const paths = ['', '.', '..', '../..', '../../..', './x/..', '/home/ada/p', '../.git', '../.GIT/config', 'a\0b']
    for (const path of [...paths, '../'.repeat(3000)]) refuses(data(path), /its data d have the path/)
    for (const path of ['x.csv', '../x.csv', '../../data', '/srv/data', '/home/ada', '/home/ada/p/x', '.gitignore'])
      assert.doesNotThrow(() => assertPlainRecord(start(data(path)), places), path)
    for (const path of ['../elsewhere', '/srv/lib', '.git/modules', 'a/./b', 'a/.Git', '', 'a/../..'])
      refuses({ git: { commit: null, submodules: [{ path, commit: null }] } }, /its submodule/)
    refuses({ command: ['sh', 'a\0b'] }, /its command holds a NUL/)
    refuses({ env: { TZ: 'a\0b' } }, /its variable "TZ" cannot be set/)
  })

  it('by a link of a patch, nor by one that leads through another', async () => {
    const patch = (mode: string) =>
      Buffer.from(
        `diff --git a/out b/out\n${mode}\nindex 000..111\n--- /dev/null\n+++ b/out\n@@ -0,0 +1 @@\n+/srv/results\n`,
      )
    assert.deepEqual(linksOfPatch(patch('new file mode 120000')), [{ path: 'out', target: '/srv/results' }])
    assert.deepEqual(linksOfPatch(patch('new file mode 100644')), [])
    const root = mkdtempSync(join(tmpdir(), 'links-'))
    try {
      const tree = join(root, 'work', 'tree')
      mkdirSync(join(tree, 'a', 'b'), { recursive: true })
      symlinkSync('a/b', join(tree, 'in'))
      symlinkSync('../../..', join(tree, 'a', 'b', 'up'))
      symlinkSync('a/b/up/../new.txt', join(tree, 'far'))
      const found = await linksOfTree(tree, join(root, 'work'))
      assert.deepEqual(found.map(({ path }) => path).sort(), ['far'])
    } finally {
      rmSync(root, { recursive: true })
    }
  })
})
