/** The loop on the electricity market cut in time order, where drift comes by itself. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { skipBecause } from '../../support/skip.ts'
import { type LoopProject, loopProject } from './project.ts'

const MODEL = 'elec'

describe('the loop on the electricity data in time order', function () {
  this.timeout(240_000)
  let p: LoopProject

  before(async function () {
    const project = await loopProject('electricity', 'electricity.csv')
    if (project === undefined) skipBecause(this, '../shared/data/electricity.csv is not here')
    p = project
  })
  after(() => p?.remove())

  it('trains and deploys the model of early 1997', async () => {
    assert.equal((await p.mlops(['init', '--yes', '--name', MODEL])).code, 0)
    writeFileSync(
      join(p.dir, 'mlops.yaml'),
      `models:
  ${MODEL}:
    artifact: model.joblib
    schema: {target: class}
    gates: {production: {min_auc: 0.6, approval: 1, baseline: required}}
`,
    )
    const data = ['--data', 'train=data/train.csv', '--data', 'test=data/test.csv']
    const track = await p.mlops([
      'track',
      '--model',
      MODEL,
      ...data,
      '--',
      'python',
      'train.py',
      'data/train.csv',
      'data/test.csv',
    ])
    assert.equal(track.code, 0, track.stderr)
    const register = await p.mlops([
      'register',
      MODEL,
      '--run',
      '@last',
      '--baseline',
      'data/train.csv',
      '--test',
      'data/test.csv',
    ])
    assert.equal(register.code, 0, register.stderr)
    const promote = await p.mlops(['promote', `${MODEL}@1`, '--to', 'production', '--approve', 'ada'])
    assert.equal(promote.code, 0, promote.stdout + promote.stderr)
  })

  it('sees the market of later years drift, and names prices and transfer', async () => {
    const check = await p.mlops(['drift', MODEL, '--current', 'data/later.csv', '--json'])
    assert.equal(check.code, 3, check.stdout)
    const drifted = check.json.data.columns
      .filter((c: { verdict: string }) => c.verdict === 'drift')
      .map((c: { column: string }) => c.column)
    // vicprice, vicdemand and transfer were constant until May 1997, when the Victorian market joined.
    for (const column of ['vicprice', 'vicdemand', 'transfer']) assert.ok(drifted.includes(column), drifted.join())
  })

  it('retrains on the newer market, and production waits for a human', async () => {
    writeFileSync(
      join(p.dir, 'retraining-policy.yaml'),
      `policy:
  model: ${MODEL}
  trigger: {type: drift, metric: psi, threshold: 0.15}
  job: {type: command, command: python train.py data/train-new.csv data/test-new.csv, data: {train: data/train-new.csv, test: data/test-new.csv}}
  validation: {min_auc: 0.7}
  promote_on_pass: staging
`,
    )
    const retrain = await p.mlops(['retrain', MODEL, '--json'])
    assert.equal(retrain.code, 0, retrain.stdout)
    assert.equal((await p.mlops(['model', 'show', `${MODEL}@production`, '--json'])).json.data.version, 1)
    assert.equal((await p.mlops(['model', 'show', `${MODEL}@staging`, '--json'])).json.data.version, 2)
  })
})
