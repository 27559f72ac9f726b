/**
 * Bad input through the built binary: each gets one clear message with a next step, the right exit code, no stack
 * trace, and the store is as whole as before. One line per case; what a case means in detail is tested beside its code.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, type TempProject, tempProject } from '../harness.ts'

interface Case {
  readonly title: string
  readonly args: readonly string[]
  readonly code: number
  /** What the message must name. */
  readonly says: RegExp
}

describe('bad input', function () {
  this.timeout(240_000)
  let project: TempProject

  before(async () => {
    project = tempProject({
      'mlops.yaml': 'models: {m: {gates: {staging: {min_auc: 0.8}, production: {approval: 1}}}}\n',
      'train.csv': table(300),
      'model.bin': 'weights',
      'other.bin': 'other weights',
    })
    await project.mlops(['init', '--yes', '--name', 'm'])
    await project.mlops(['register', 'm', '--artifact', 'model.bin', '--baseline', 'train.csv', '--metric', 'auc=nan'])
    await project.mlops(['register', 'm', '--artifact', 'other.bin', '--no-baseline'])
    project.write('no-rows.csv', 'a,b\n')
    project.write('empty.csv', '')
    project.write('one-column.csv', 'z\n1\n2\n')
    project.write('ragged.csv', 'a,b\n1,x\n2,y,9,9\n3\n')
    project.write('elsewhere.csv', 'u,v\n1,2\n3,4\n')
    project.write('wide.csv', `${Array.from({ length: 1_000_000 }, (_, i) => `c${i}`).join()}\n`)
    project.write('policy-typo.yaml', 'policy:\n  model: m\n  trigger:\n    type: drift\n    metrik: psi\n')
    project.write('bomb.yaml', `a: &a [x]\n${'b: [*a, *a, *a]\n'}`)
    parquetCutShort(project)
  })

  // The store was not harmed by anything above.
  after(() => project.mlops(['store', 'verify']))

  const cases: Case[] = [
    ...['a/b', '../m', 'm..n', '.m', 'con', 'lpt1.txt', 'm\u0007', 'm\u001b[31m', ''].map((name) => ({
      title: `a model called ${JSON.stringify(name)}`,
      args: ['register', name, '--artifact', 'model.bin'],
      code: 2,
      says: /name of a model|MODEL/,
    })),
    { title: 'a batch without a file', args: drift('nowhere.csv'), code: 4, says: /nowhere\.csv/ },
    { title: 'an empty file', args: drift('empty.csv'), code: 1, says: /empty\.csv/ },
    { title: 'a CSV with no rows', args: drift('no-rows.csv'), code: 6, says: /no rows|0 rows|Too few rows/i },
    { title: 'a CSV of one other column', args: drift('one-column.csv'), code: 1, says: /no column in common/ },
    { title: 'ragged lines', args: drift('ragged.csv'), code: 1, says: /ragged\.csv.*line 3|line 3/i },
    { title: 'a million columns in one line', args: drift('wide.csv'), code: 1, says: /columns/ },
    { title: 'a Parquet file cut short', args: drift('cut.parquet'), code: 1, says: /cut\.parquet/ },
    { title: 'a batch of another table', args: drift('elsewhere.csv'), code: 1, says: /no column in common/ },
    {
      title: 'drift of a version without a baseline',
      args: ['drift', 'm@2', '--current', 'train.csv'],
      code: 4,
      says: /baseline/,
    },
    {
      title: 'a metric that is NaN at a gate',
      args: ['promote', 'm@1', '--to', 'staging'],
      code: 3,
      says: /min_auc.*NaN/,
    },
    {
      title: 'a metric that is missing at a gate',
      args: ['promote', 'm@2', '--to', 'staging'],
      code: 3,
      says: /min_auc.*missing/,
    },
    {
      title: 'a metric that is no number',
      args: ['register', 'm', '--artifact', 'model.bin', '--metric', 'auc=high'],
      code: 2,
      says: /auc=high/,
    },
    {
      title: 'a policy with an unknown key',
      args: ['retrain', 'm', '--policy', 'policy-typo.yaml'],
      code: 2,
      says: /policy-typo\.yaml:5.*metrik.*metric/s,
    },
    { title: 'a YAML bomb', args: ['retrain', 'm', '--policy', 'bomb.yaml'], code: 2, says: /bomb\.yaml:1.*anchors/ },
    {
      title: 'a version that is not there',
      args: ['promote', 'm@9', '--to', 'staging'],
      code: 4,
      says: /no version 9/,
    },
    {
      title: 'a stage that is not there',
      args: ['promote', 'm@1', '--to', 'prodution'],
      code: 2,
      says: /prodution[\s\S]*production/,
    },
    {
      title: 'a rollback of what was never promoted',
      args: ['rollback', 'm', '--yes'],
      code: 4,
      says: /nothing to roll back/,
    },
    {
      title: 'an artifact that is not there',
      args: ['register', 'm', '--artifact', 'gone.bin'],
      code: 4,
      says: /gone\.bin/,
    },
    {
      title: 'a training command that does not exist',
      args: ['track', '--', 'no-such-command'],
      code: 127,
      says: /no-such-command/,
    },
    {
      title: 'a training command that is no program',
      args: ['track', '--', './model.bin'],
      code: 126,
      says: /model\.bin/,
    },
    {
      title: 'declared data that is not there',
      args: ['track', '--data', 'train=gone.csv', '--', 'true'],
      code: 125,
      says: /gone\.csv/,
    },
    { title: 'a command of ours that does not exist', args: ['prmote', 'm'], code: 2, says: /mlops promote/ },
    { title: 'a flag that does not exist', args: ['status', '--jsno'], code: 2, says: /--json/ },
    { title: 'a store that is not there', args: ['status', '--store', '/nowhere/at/all'], code: 4, says: /mlops init/ },
    { title: 'a store that is a file', args: ['status', '--store', 'model.bin'], code: 2, says: /file/ },
  ]
  for (const { title, args, code, says } of cases) {
    it(`${title} ends with ${code} and a clear message`, async () => {
      const result = await project.run(args)
      const text = result.stdout + result.stderr
      assert.equal(result.code, code, text)
      assert.match(text, says)
      assert.doesNotMatch(text, /\n\s+at .*:\d+:\d+|bug of mlops/, 'no stack trace')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that none reaches the terminal is the point
      assert.doesNotMatch(text, /[\u0007\u001b]/, 'no control characters')
    })
  }

  it('a password in an address is not shown again', async () => {
    const { code, stdout, stderr } = await project.run(drift('postgres://ada:hunter2@db.example.org/telco'))
    assert.equal(code, 2)
    assert.match(stderr, /db\.example\.org\/telco\?/)
    assert.doesNotMatch(stdout + stderr, /hunter2/)
  })

  it('a byte-order mark is no part of the first column', async () => {
    project.write('bom.csv', `\ufeff${table(300)}`)
    const { json } = await project.mlops(['drift', 'm@1', '--current', 'bom.csv', '--json'])
    assert.equal(json.data.verdict, 'stable')
  })

  it('a store that is a symbolic link is refused, and the next step names the folder', async () => {
    symlinkSync(project.path('.mlops'), project.path('link'))
    const { code, stderr } = await project.run(['status', '--store', project.path('link')])
    assert.equal(code, 2)
    assert.match(stderr, /symbolic link[\s\S]*--store/)
  })

  it('without git and Python the loop still works', async () => {
    const bin = project.path('bin')
    mkdirSync(bin)
    symlinkSync(process.execPath, join(bin, 'node'))
    symlinkSync('/bin/sh', join(bin, 'sh'))
    const env = { PATH: bin }
    const { code, stderr } = await project.run(['track', '--', 'sh', '-c', 'echo "auc: 0.9"'], { env })
    assert.equal(code, 0, stderr)
    assert.match(stderr, /auc 0\.9/)
    assert.equal((await project.run(['status'], { env })).code, 0)
  })
})

function drift(file: string): string[] {
  return ['drift', 'm@1', '--current', file]
}

/** Two columns, `a` a number and `b` one of three words. */
function table(rows: number): string {
  const words = ['x', 'y', 'z']
  return `a,b\n${Array.from({ length: rows }, (_, i) => `${(i * 37) % 101},${words[i % 3]}`).join('\n')}\n`
}

function parquetCutShort(project: TempProject): void {
  const python = join(ROOT, '.cache/venv/bin/python')
  const make = `import pandas; pandas.read_csv("train.csv").to_parquet("cut.parquet")`
  if (existsSync(python)) execFileSync(python, ['-c', make], { cwd: project.dir })
  else project.write('cut.parquet', 'PAR1 and then nothing that ends like one, for want of Python')
  truncateSync(project.path('cut.parquet'), 40)
}
