/**
 * The whole loop on IBM's telco churn file through the built binary: init, track, register, promote, drift, retrain,
 * a bad model refused, rollback. Each step is what a person would type; the file's blanks in TotalCharges are real.
 */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../../src/core/digest.ts'
import { skipBecause } from '../../support/skip.ts'
import { type LoopProject, loopProject } from './project.ts'

const MODEL = 'churn-model'

describe('the loop on the telco churn data', function () {
  this.timeout(240_000)
  let p: LoopProject

  before(async function () {
    const project = await loopProject('telco', 'telco-churn.csv')
    if (project === undefined) skipBecause(this, '../shared/data/telco-churn.csv is not here')
    p = project
  })
  after(() => p?.remove())

  it('starts with init', async () => {
    const init = await p.mlops(['init', '--yes', '--name', MODEL])
    assert.equal(init.code, 0, init.stderr)
    assert.ok(existsSync(join(p.dir, 'mlops.yaml')) && existsSync(join(p.dir, '.mlops/registry.json')))
    writeFileSync(
      join(p.dir, 'mlops.yaml'),
      `models:
  ${MODEL}:
    artifact: model.joblib
    train: python train.py data/train-new.csv data/test.csv
    schema: {columns: {customerID: id}, target: Churn}
    gates:
      staging: {min_auc: 0.80}
      production: {min_auc: 0.82, compare_to: production, approval: 1, baseline: required, run: required}
`,
    )
  })

  it('tracks the unmodified script with its metrics, data and packages', async () => {
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
    assert.match(track.stdout, /^auc: 0\.8\d+$/m, "the script's own output passes through")
    const show = await p.mlops(['run', 'show', '@last', '--json'])
    const text = JSON.stringify(show.json)
    assert.match(text, /"auc":0\.8/)
    assert.match(text, /"rows":3500/)
    assert.match(text, /model\.joblib/)
  })

  it('registers version 1 and says that TotalCharges has blanks', async () => {
    const register = await p.mlops([
      'register',
      MODEL,
      '--run',
      '@last',
      '--baseline',
      'data/train.csv',
      '--target',
      'Churn',
      '--test',
      'data/test.csv',
    ])
    assert.equal(register.code, 0, register.stderr)
    assert.match(register.stdout + register.stderr, /TotalCharges/)
    const show = await p.mlops(['model', 'show', `${MODEL}@1`, '--json'])
    assert.equal(show.code, 0, show.stderr)
  })

  it('says so instead of making a duplicate of the same bytes', async () => {
    const again = await p.mlops([
      'register',
      MODEL,
      '--run',
      '@last',
      '--baseline',
      'data/train.csv',
      '--target',
      'Churn',
      '--test',
      'data/test.csv',
      '--json',
    ])
    assert.equal(again.code, 0, again.stderr)
    assert.equal(again.json.data.created, false)
    assert.equal(again.json.data.version, 1)
  })

  it('does not reach production without a human', async () => {
    const refused = await p.mlops(['promote', `${MODEL}@1`, '--to', 'production', '--yes', '--json'])
    assert.equal(refused.code, 3, refused.stdout)
    assert.equal(refused.json.status, 'error')
    const promoted = await p.mlops([
      'promote',
      `${MODEL}@1`,
      '--to',
      'production',
      '--approve',
      'ada',
      '--reason',
      'first',
    ])
    assert.equal(promoted.code, 0, promoted.stderr + promoted.stdout)
  })

  it('finds no drift in a random half of the same data', async () => {
    const check = await p.mlops(['drift', MODEL, '--current', 'data/half.csv', '--json'])
    assert.equal(check.code, 0, check.stdout)
    assert.equal(check.json.data.verdict, 'stable')
  })

  it('finds drift in month-to-month fibre customers and names the columns', async () => {
    const check = await p.mlops(['drift', MODEL, '--current', 'data/fibre.csv'])
    assert.equal(check.code, 3, check.stdout + check.stderr)
    for (const column of ['Contract', 'InternetService', 'MonthlyCharges'])
      assert.match(check.stdout, new RegExp(column))
    const json = await p.mlops(['drift', MODEL, '--current', 'data/fibre.csv', '--json'])
    const drifted = json.json.data.columns
      .filter((c: { verdict: string }) => c.verdict === 'drift')
      .map((c: { column: string }) => c.column)
    assert.ok(drifted.includes('Contract') && drifted.includes('InternetService'), drifted.join())
    assert.ok(!drifted.includes('gender') && !drifted.includes('customerID'), drifted.join())
  })

  it('takes a check that is made again for the last one: status and retrain go by it', async () => {
    assert.equal((await p.mlops(['drift', MODEL, '--current', 'data/half.csv'])).code, 0)
    const stable = await p.mlops(['status', '--json'])
    assert.equal(stable.json.data.models[0].health.verdict, 'stable')
    assert.equal((await p.mlops(['drift', MODEL, '--current', 'data/fibre.csv'])).code, 3)
    const drifted = await p.mlops(['status', '--json'])
    assert.equal(drifted.json.data.models[0].health.verdict, 'drift')
    // A slice of a few rows is a check too, but hides nothing.
    const fibre = readFileSync(join(p.dir, 'data/fibre.csv'), 'utf8').split('\n')
    writeFileSync(join(p.dir, 'data/few.csv'), `${fibre.slice(0, 6).join('\n')}\n`)
    assert.equal((await p.mlops(['drift', MODEL, '--current', 'data/few.csv'])).code, 6)
  })

  it('retrains by the policy, passes its gate and stops at staging', async () => {
    writeFileSync(
      join(p.dir, 'retraining-policy.yaml'),
      `policy:
  model: ${MODEL}
  trigger:
    type: drift
    metric: psi
    threshold: 0.15
  job:
    type: command
    command: python train.py data/train-new.csv data/test.csv
    data: {train: data/train-new.csv, test: data/test.csv}
  validation:
    min_auc: 0.82
  promote_on_pass: staging   # human reviews before production
  notify_on_fail:
    - slack: "#ml-ops-alerts"
`,
    )
    const retrain = await p.mlops(['retrain', MODEL])
    assert.equal(retrain.code, 0, retrain.stdout + retrain.stderr)
    const list = await p.mlops(['model', 'show', `${MODEL}@staging`, '--json'])
    assert.equal(list.json.data.version, 2)
    const production = await p.mlops(['model', 'show', `${MODEL}@production`, '--json'])
    assert.equal(production.json.data.version, 1)
  })

  it('does not retrain again for the same cause while the candidate waits', async () => {
    const again = await p.mlops(['retrain', MODEL, '--json'])
    assert.equal(again.code, 0, again.stdout)
    const runs = await p.mlops(['run', 'list', '--json'])
    assert.equal(runs.json.data.runs.length, 2, 'no third training run')
  })

  it('refuses a deliberately bad model with the failing check and its values', async () => {
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
      '--shuffle-labels',
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
    const refused = await p.mlops(['promote', `${MODEL}@3`, '--to', 'production', '--approve', 'bob'])
    assert.equal(refused.code, 3)
    assert.match(refused.stdout + refused.stderr, /min_auc/)
    assert.match(refused.stdout + refused.stderr, /0\.82/)
    const production = await p.mlops(['model', 'show', `${MODEL}@production`, '--json'])
    assert.equal(production.json.data.version, 1, 'nothing moved')
  })

  it('rolls back to version 1 byte for byte', async () => {
    const up = await p.mlops(['promote', `${MODEL}@2`, '--to', 'production', '--approve', 'ada'])
    assert.equal(up.code, 0, up.stdout + up.stderr)
    const back = await p.mlops(['rollback', MODEL, '--yes', '--reason', 'odd scores at night', '--json'])
    assert.equal(back.code, 0, back.stdout + back.stderr)
    const show = await p.mlops(['model', 'show', `${MODEL}@production`, '--json'])
    assert.equal(show.json.data.version, 1)
    const file = show.json.data.files.find((f: { path: string }) => f.path.endsWith('model.joblib'))
    const object = join(p.dir, '.mlops/objects/sha256', file.sha256.slice(0, 2), file.sha256.slice(2))
    assert.equal(sha256(readFileSync(object)), file.sha256)
    // The very bytes that the first run trained, in a model that still predicts.
    copyFileSync(object, join(p.dir, 'restored.joblib'))
    const predict = await p.python(['-c', 'import joblib; print(type(joblib.load("restored.joblib")).__name__)'])
    assert.equal(predict.stdout.trim(), 'Pipeline')
  })

  it('tells the whole story in status, history and diff, and the store verifies', async () => {
    const status = await p.mlops(['status'])
    assert.equal(status.code, 0, status.stderr)
    assert.match(status.stdout, /churn-model/)
    const history = await p.mlops(['model', 'history', MODEL])
    assert.match(history.stdout, /rollback/)
    assert.match(history.stdout, /odd scores at night/)
    const diff = await p.mlops(['model', 'diff', `${MODEL}@1`, `${MODEL}@2`])
    assert.equal(diff.code, 0, diff.stderr)
    const verify = await p.mlops(['store', 'verify'])
    assert.equal(verify.code, 0, verify.stdout + verify.stderr)
  })

  it('still knows code, data and packages of version 1 when the run folder is gone', async () => {
    rmSync(join(p.dir, '.mlops/runs'), { recursive: true })
    const show = await p.mlops(['model', 'show', `${MODEL}@1`])
    assert.equal(show.code, 0, show.stderr)
    assert.match(show.stdout, /3,?500 rows/)
    assert.match(show.stdout, /python/i)
  })
})
