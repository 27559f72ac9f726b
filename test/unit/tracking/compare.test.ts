/** Runs side by side, subject by subject, from plain facts. */
import assert from 'node:assert/strict'
import { sha256 } from '../../../src/core/digest.ts'
import { compareCommands } from '../../../src/tracking/compare/command-line.ts'
import { compareRuns } from '../../../src/tracking/compare/compare.ts'
import { dataRows, type FolderFiles, parseManifest } from '../../../src/tracking/compare/data.ts'
import type { RunFacts } from '../../../src/tracking/compare/facts.ts'
import { metricRows } from '../../../src/tracking/compare/metrics.ts'
import { packagesOfLock } from '../../../src/tracking/compare/package-facts.ts'
import { comparePackages } from '../../../src/tracking/compare/packages.ts'
import { valueRows } from '../../../src/tracking/compare/rows.ts'
import { facts } from './compare-facts.ts'

const compared = (...runs: Partial<RunFacts>[]) =>
  compareRuns(runs.map((more) => ({ facts: facts(more), version: null, series: [], notes: [] })))

describe('Parameters side by side', () => {
  it('tell added, removed, changed, null, and 6 from "6"', () => {
    const rows = valueRows([
      { a: 1, depth: 6, gone: true, none: null },
      { a: 1, depth: '6', none: null, added: 0.1 },
    ])
    assert.deepEqual(
      rows.map(({ name, cells, same, typeOnly }) => [name, cells[0]?.value, cells[1]?.value, same, typeOnly]),
      [
        ['a', 1, 1, true, false],
        ['added', undefined, 0.1, false, false],
        ['depth', 6, '6', false, true],
        ['gone', true, undefined, false, false],
        ['none', null, null, true, false],
      ],
    )
  })

  it('take names of objects for names', () => {
    const [row] = valueRows([{ toString: 'a' }, {}])
    assert.deepEqual(row?.cells, [{ value: 'a' }, null])
  })
})

describe('Metrics side by side', () => {
  const row = (name: string, ...values: (number | string | undefined)[]) => {
    const [found] = metricRows(values.map((value) => (value === undefined ? {} : { [name]: value })))
    assert.ok(found)
    return found
  }

  it('have the difference from the first run, absolute and relative, without the noise of doubles', () => {
    const { cells, best, better } = row('auc', 0.82, 0.84, 0.8)
    assert.deepEqual([better, best], ['higher', [1]])
    assert.deepEqual(cells, [
      { value: 0.82, difference: null, relative: null },
      { value: 0.84, difference: 0.02, relative: 0.0243902 },
      { value: 0.8, difference: -0.02, relative: -0.0243902 },
    ])
  })

  it('mark the lower loss, wherever the name says loss', () => {
    for (const name of ['log_loss', 'val/loss', 'valid.rmse', 'train-loss', 'fit_seconds']) {
      assert.deepEqual([row(name, 0.5, 0.4).better, row(name, 0.5, 0.4).best], ['lower', [1]], name)
    }
  })

  it('mark nothing where more is neither better nor worse, or nothing differs', () => {
    for (const name of ['epoch', 'n_features', 'test_rows', 'learning_rate']) assert.deepEqual(row(name, 1, 2).best, [])
    assert.deepEqual(row('auc', 0.8, 0.8).best, [])
    assert.deepEqual(row('auc', 0.8, undefined).best, [])
    assert.deepEqual(row('auc', 0.9, 0.8, 0.9).best, [0, 2])
  })

  it('never call NaN or an infinity the better one, and give it no difference', () => {
    assert.deepEqual(row('loss', 'NaN', 0.7).best, [1])
    assert.deepEqual(row('loss', 'NaN', 0.7).cells[1], { value: 0.7, difference: null, relative: null })
    assert.deepEqual(row('loss', '-Infinity', 0.7).best, [1])
    assert.deepEqual(row('loss', 'NaN', 'NaN').best, [])
    assert.equal(row('loss', 'NaN', 'NaN').same, true)
  })

  it('have no share of zero', () => {
    assert.deepEqual(row('r2', 0, 0.5).cells[1], { value: 0.5, difference: 0.5, relative: null })
  })

  it('believe the gate of a model more than the name', () => {
    const [found] = metricRows([{ churn_caught: 5 }, { churn_caught: 4 }], { churn_caught: 'lower' })
    assert.deepEqual(found?.best, [1])
  })
})

describe('Data side by side', () => {
  const folder = (text: string) =>
    ({ name: 'images', path: 'images', kind: 'directory', sha256: sha256(text), size: 1, files: 3 }) as const
  const files = (list: Record<string, string>): FolderFiles => new Map(Object.entries(list))

  it('name the first 20 files of a folder that changed, and count all', () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`new/${String(at).padStart(2, '0')}`, 'x']))
    const [row] = dataRows(
      [[folder('a')], [folder('b')]],
      new Map([
        [sha256('a'), files({ 'a.png': '1', 'b.png': '2', 'c.png': '3' })],
        [sha256('b'), files({ 'a.png': '1', 'b.png': '9', ...many })],
      ]),
    )
    const change = row?.changes[1]
    assert.ok(change?.known)
    const { named, ...counts } = change
    assert.deepEqual(counts, { known: true, added: 30, removed: 1, changed: 1, same: 1 })
    assert.equal(named.length, 20)
    assert.deepEqual(named.slice(0, 3), [
      { path: 'b.png', kind: 'changed' },
      { path: 'c.png', kind: 'removed' },
      { path: 'new/00', kind: 'added' },
    ])
  })

  it('say that the files of an older record are not known', () => {
    const [row] = dataRows([[folder('a')], [folder('b')]])
    assert.deepEqual(row?.changes[1], { known: false, why: 'the list of its files was not recorded' })
  })

  it('are read from the lines of a manifest, newlines in a path included, and from nothing torn', () => {
    const digest = sha256('x')
    const manifest = Buffer.from(`a\nb.txt\0${digest}\nc.txt\0${digest}\n`)
    assert.deepEqual(
      [...(parseManifest(manifest) ?? [])],
      [
        ['a\nb.txt', digest],
        ['c.txt', digest],
      ],
    )
    assert.equal(parseManifest(manifest.subarray(0, -1)), undefined)
    assert.equal(parseManifest(Buffer.from('nothing of the kind')), undefined)
  })
})

describe('Commands side by side', () => {
  it('mark the words that differ, whatever was put in between', () => {
    const marked = (...commands: string[]) =>
      compareCommands(commands.map((command) => command.split(' '))).lines.map((words) =>
        words.map(({ text, kind }) => (kind === 'same' ? text : `[${text}]`)).join(' '),
      )
    assert.deepEqual(marked('python train.py --depth 6', 'python train.py --fast --depth 8'), [
      'python train.py --depth [6]',
      'python train.py [--fast] --depth [8]',
    ])
    assert.deepEqual(marked('a b c', 'a b c', 'a c'), ['a [b] c', 'a b c', 'a c'])
    assert.equal(compareCommands([['a'], ['a', 'b']]).same, false)
    assert.equal(compareCommands([['a'], ['a']]).same, true)
  })
})

describe('Packages side by side', () => {
  it('leave runs out whose packages are not known, and say so', () => {
    const result = comparePackages([
      packagesOfLock('numpy==2.1.0\npandas==2.2.3'),
      { known: false, why: 'no package lock was recorded' },
      packagesOfLock('NumPy==2.2.0\npandas==2.2.3'),
    ])
    assert.deepEqual(result.unknown, [null, 'no package lock was recorded', null])
    assert.equal(result.verdict, 'different')
    assert.deepEqual(
      result.rows.map(({ name, same }) => [name, same]),
      [
        ['numpy', false],
        ['pandas', true],
      ],
    )
    assert.equal(comparePackages([packagesOfLock('a==1'), { known: false, why: '' }]).verdict, 'unknown')
  })
})

describe('Runs side by side', () => {
  it('are the same where everything is, and not known where nothing was recorded', () => {
    const same = compared({}, {})
    assert.equal(same.code.verdict, 'same')
    assert.equal(same.packages.verdict, 'same')
    assert.deepEqual(same.differences, [[]])
    const unknown = compared({ git: null, python: null, packages: { known: false, why: 'x' } }, { git: null })
    assert.equal(unknown.code.verdict, 'unknown')
    assert.equal(unknown.packages.verdict, 'unknown')
  })

  it('come with a warning where the metrics are of other rows, of a part, or of one run twice', () => {
    const { remarks } = compared(
      { testRows: sha256('a') },
      { testRows: sha256('b'), status: 'running' },
      { status: 'failed', run: 'other' },
    )
    assert.deepEqual(remarks, [
      'B is still running: its values are those of now.',
      'C failed: its values may be those of a part.',
      'A and B are one and the same run.',
      'The held-out rows differ, so that a better metric does not prove a better model.',
    ])
    const test = (text: string) => ({
      data: [{ name: 'test', path: 't', kind: 'file', sha256: sha256(text), size: 1 } as const],
    })
    assert.deepEqual(compared({ run: 'a', ...test('a') }, { run: 'b', ...test('b') }).remarks, [
      'The data test differ, so that a better metric does not prove a better model.',
    ])
  })

  it('tell CI job variables from those that matter', () => {
    const { surroundings } = compared({ env: { GITHUB_RUN_ID: '1', TZ: 'UTC' } }, { env: { GITHUB_RUN_ID: '2' } })
    const kinds = surroundings.filter(({ same }) => !same).map(({ name, kind }) => [name, kind])
    assert.deepEqual(kinds, [
      ['$TZ', 'variables'],
      ['$GITHUB_RUN_ID', 'job'],
    ])
  })

  it('show every submodule and patch of the code', () => {
    const git = { commit: 'a'.repeat(40), branch: 'main', remote: null, dirty: true }
    const patch = { sha256: sha256('p'), size: 10, files: ['train.py'] }
    const lib = (commit: string) => [{ path: 'lib', commit, url: null, dirty: false }]
    const { code } = compared(
      { git: { ...git, patch, submodules: lib('c'.repeat(40)) } },
      { git: { ...git, dirty: false, submodules: lib('d'.repeat(40)) } },
    )
    assert.equal(code.verdict, 'different')
    assert.deepEqual(
      code.rows.filter(({ same }) => !same).map(({ name }) => name),
      ['uncommitted changes', 'submodule lib'],
    )
    assert.deepEqual(code.patches[0]?.files, ['train.py'])
  })
})
