/** What people train with, unmodified: Python's libraries, a shell, R, Node. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { skipBecause } from '../../support/skip.ts'
import { assertWhole, needs, needsPython, scriptWorld } from './support.ts'

const artifact = (run: { artifacts: readonly { path: string; size: number }[] }, path: string): number =>
  run.artifacts.find((each) => each.path === path)?.size ?? 0

/** The metrics that were recorded. */
const names = (run: { metrics: Readonly<Record<string, number>> }): string[] => Object.keys(run.metrics).sort()

describe('Real training scripts, unmodified', function () {
  this.timeout(120_000)

  it('scikit-learn: what it printed and wrote into metrics.json, its model, its packages', async function () {
    needsPython(this, 'sklearn')
    const world = await scriptWorld('train_sklearn.py')
    const flags = ['--artifact', 'model.joblib', '--param', 'C=0.5', '--seed', '3']
    const tracked = await world.track(['python', 'train_sklearn.py', '--C', '0.5'], { flags })
    assertWhole(world, tracked)
    const { run } = tracked
    assert.deepEqual(names(run), ['accuracy', 'auc', 'n_test'])
    assert.ok(run.metrics.auc > 0.98 && run.metrics.accuracy > 0.95, JSON.stringify(run.metrics))
    assert.deepEqual([run.params.C, run.seed], [0.5, 3])
    assert.ok(artifact(run, 'model.joblib') > 1000)
    assert.ok(run.python.lock.packages > 10)
    assert.match(tracked.log.toString(), /weighted avg/)
  })

  it('XGBoost: its model, the metric that the script printed, and that of each round as a series', async function () {
    needsPython(this, 'xgboost')
    const world = await scriptWorld('train_xgboost.py')
    const tracked = await world.track(['python', 'train_xgboost.py'], { flags: ['--artifact', 'model.json'] })
    assertWhole(world, tracked)
    assert.deepEqual(names(tracked.run), ['auc', 'test-auc'])
    assert.ok(tracked.run.metrics.auc > 0.9)
    const rounds = tracked.run.series.find(({ key }: { key: string }) => key === 'test-auc')
    assert.deepEqual([rounds.count, rounds.hasSteps, rounds.points.at(-1).x], [10, true, 9])
    assert.ok(Math.abs(rounds.last - tracked.run.metrics.auc) < 1e-5, 'the last round is the result')
    assert.ok(artifact(tracked.run, 'model.json') > 1000)
    assert.match(tracked.log.toString(), /\[9\]\ttest-auc:/)
  })

  it('LightGBM: its model and the metric that the script printed', async function () {
    needsPython(this, 'lightgbm')
    const world = await scriptWorld('train_lightgbm.py')
    const tracked = await world.track(['python', 'train_lightgbm.py'], { flags: ['--artifact', 'model.txt'] })
    assertWhole(world, tracked)
    assert.ok(tracked.run.metrics.auc > 0.9, JSON.stringify(tracked.run.metrics))
    assert.deepEqual(names(tracked.run), ['auc'])
    assert.ok(artifact(tracked.run, 'model.txt') > 1000)
  })

  it('PyTorch: a loss of each epoch as a series', async function () {
    const python = process.env.MLOPS_TEST_TORCH_PYTHON
    if (python === undefined || !existsSync(python)) {
      skipBecause(this, 'PyTorch is large: name a Python that has it in MLOPS_TEST_TORCH_PYTHON')
    }
    const world = await scriptWorld('train_torch.py')
    const tracked = await world.track([python, 'train_torch.py'], { flags: ['--artifact', 'model.pt'] })
    assertWhole(world, tracked)
    assert.ok(tracked.run.metrics.loss < 0.5)
    assert.ok(artifact(tracked.run, 'model.pt') > 500)
  })

  it('a shell script: JSON lines and a pair, its file, both streams', async () => {
    const world = await scriptWorld('train.sh')
    const tracked = await world.track(['bash', 'train.sh'], { flags: ['--artifact', 'model.txt'] })
    assertWhole(world, tracked)
    assert.deepEqual([tracked.run.metrics.rmse, tracked.run.metrics.mean], [28.87, 16.83])
    assert.equal(artifact(tracked.run, 'model.txt'), 5)
    assert.match(tracked.stderr, /^done$/m)
    assert.match(tracked.log.toString(), /rmse: 28\.87/)
  })

  it('an R script: what it printed with cat, its model', async function () {
    needs(this, 'Rscript', 'Debian: apt-get install r-base-core')
    const world = await scriptWorld('train.R')
    const tracked = await world.track(['Rscript', 'train.R'], { flags: ['--artifact', 'model.rds'] })
    assertWhole(world, tracked)
    assert.deepEqual([tracked.run.metrics.rmse, tracked.run.metrics.r2], [2.4689, 0.8268])
    assert.ok(artifact(tracked.run, 'model.rds') > 500)
  })

  it('a Node script: a metric of each epoch as a series', async () => {
    const world = await scriptWorld('train.mjs')
    const tracked = await world.track([process.execPath, 'train.mjs'], { flags: ['--artifact', 'model.json'] })
    assertWhole(world, tracked)
    assert.ok(tracked.run.metrics.mse < 1, JSON.stringify(tracked.run.metrics))
    assert.ok(artifact(tracked.run, 'model.json') > 20)
    assert.equal(tracked.log.toString().split('\n').length, 6)
  })
})
