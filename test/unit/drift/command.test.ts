/** `mlops drift` as a user types it: exit codes, streams, the table, JSON. Run from source in a process of its own. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { csv, type Folder, folder, ROOT } from './support.ts'

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

describe('mlops drift on the command line', function () {
  this.timeout(120_000)
  let work: Folder

  function mlops(...args: string[]): Ran {
    const env = { PATH: process.env.PATH, HOME: work.path, LANG: 'C.UTF-8' }
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'bin/dev.js'), ...args], {
      cwd: work.path,
      env,
      encoding: 'utf8',
    })
    return { code: status, stdout, stderr }
  }

  before(() => {
    work = folder()
    const rows = (count: number, plan: (i: number) => string) =>
      csv(
        'age,plan',
        Array.from({ length: count }, (_, i) => `${20 + ((i * 7919) % 53)},${plan(i)}`),
      )
    work.write(
      'train.csv',
      rows(1_000, (i) => (i % 3 === 0 ? 'pro' : 'basic')),
    )
    work.write(
      'same.csv',
      rows(1_000, (i) => (i % 3 === 1 ? 'pro' : 'basic')),
    )
    work.write(
      'moved.csv',
      rows(1_000, (i) => (i % 3 === 0 ? 'basic' : 'pro')),
    )
    work.write(
      'few.csv',
      rows(20, (i) => (i % 3 === 0 ? 'pro' : 'basic')),
    )
    work.write('ragged.csv', `${rows(3, () => 'pro')}1,2,3\n`)
    work.write('model.txt', 'a model')
    for (const args of [
      ['init', '--yes', '--no-input'],
      ['register', 'churn-model', '--artifact', 'model.txt', '--baseline', 'train.csv', '--no-input'],
    ]) {
      const ran = mlops(...args)
      assert.equal(ran.code, 0, ran.stderr)
    }
  })
  after(() => work?.remove())

  it('exits 0 when nothing shifted, 3 on drift and 6 when there are too few rows', () => {
    const codes = ['same.csv', 'moved.csv', 'few.csv'].map(
      (file) => mlops('drift', 'churn-model', '--current', file).code,
    )
    assert.deepEqual(codes, [0, 3, 6])
  })

  it('lets --fail-on decide which of these fail a job', () => {
    const code = (file: string, failOn: string) =>
      mlops('drift', 'churn-model', '--current', file, '--fail-on', failOn).code
    assert.deepEqual([code('moved.csv', 'drift'), code('few.csv', 'drift')], [3, 0])
    assert.deepEqual([code('moved.csv', 'never'), code('few.csv', 'never')], [0, 0])
  })

  it('prints the verdict, the sentence, both histograms and the next command on stdout alone', () => {
    const { stdout, stderr } = mlops('drift', 'churn-model', '--current', 'moved.csv')
    assert.match(stdout, /^✖ drift {2}churn-model@1 {2}moved.csv \(1,000 rows\) against baseline of churn-model@1/)
    assert.match(stdout, /Drift in 1 of 2 columns: plan: pro 33 % -> 67 %\./)
    assert.match(stdout, /✖ plan +drift +0\.\d+ +0\.1 +0\.\d+ +[▁-█]{2} +[▁-█]{2}/)
    assert.match(stdout, /Next: mlops retrain churn-model --reason "drift in moved.csv"/)
    assert.equal(stderr, '')
  })

  it('gives a script the same as one JSON object', () => {
    const { stdout, code } = mlops('drift', 'churn-model@1', '--current', 'moved.csv', '--metric', 'linf', '--json')
    const { status, command, data } = JSON.parse(stdout)
    assert.deepEqual([status, command, code], ['ok', 'drift', 3])
    assert.deepEqual([data.verdict, data.metric, data.version], ['drift', 'linf', 1])
    assert.equal(data.columns[0].column, 'plan')
    assert.ok(Math.abs(data.columns[0].effect - 1 / 3) < 0.01)
  })

  for (const [what, args, code, message] of [
    ['no batch', ['churn-model'], 2, /--current DATA/],
    ['a file that is not there', ['churn-model', '--current', 'nope.csv'], 4, /no file nope.csv/],
    ['a ragged file', ['churn-model', '--current', 'ragged.csv'], 1, /Line 5 of ragged.csv has more than the 2 fields/],
    [
      'a threshold that is no number',
      ['churn-model', '--current', 'same.csv', '--threshold', 'low'],
      2,
      /"low" is not/,
    ],
    ['a metric nobody knows', ['churn-model', '--current', 'same.csv', '--metric', 'vibes'], 2, /vibes/],
    ['a model nobody registered', ['churn-mdoel', '--current', 'same.csv'], 4, /churn-model/],
  ] as const) {
    it(`answers ${what} with one message and exit code ${code}`, () => {
      const ran = mlops('drift', ...args)
      assert.equal(ran.code, code, ran.stderr)
      assert.match(ran.stderr, message)
      assert.doesNotMatch(ran.stderr, /\n\s+at /)
      assert.equal(ran.stdout, '')
    })
  }
})
