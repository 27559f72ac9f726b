/** A training that somebody else starts: `bash -c`, make, uv. */
import assert from 'node:assert/strict'
import { assertWhole, needs, needsPython, PYTHON, scriptWorld } from './support.ts'

const MAKEFILE = `model.joblib: train_sklearn.py
\tpython train_sklearn.py
\t@echo "made: 1"
`

describe('Real scripts started by another program', function () {
  this.timeout(120_000)
  before(function () {
    needsPython(this, 'sklearn')
  })

  it('bash -c with a pipe, a redirection and a variable', async () => {
    const world = await scriptWorld('train_sklearn.py')
    const line =
      'set -o pipefail; C=0.5; python train_sklearn.py --C "$C" | tee train.log; echo "lines: $(wc -l < train.log)"'
    const tracked = await world.track(['bash', '-c', line], { flags: ['--artifact', 'train.log'] })
    assertWhole(world, tracked)
    assert.ok(tracked.run.metrics.auc > 0.98)
    assert.ok(tracked.run.metrics.lines > 8)
    assert.deepEqual(tracked.run.command, ['bash', '-c', line])
  })

  it('bash -c of a pipe that fails in the middle: its exit code', async () => {
    const world = await scriptWorld('train_sklearn.py')
    const tracked = await world.track(['bash', '-c', 'set -o pipefail; python train_sklearn.py --bogus | cat'])
    assert.deepEqual([tracked.code, tracked.run.status, tracked.run.exit], [2, 'failed', 2])
  })

  it('make: the target, and make’s own exit code when it fails', async function () {
    needs(this, 'make', 'Debian: apt-get install make')
    const world = await scriptWorld('train_sklearn.py')
    world.project.write('Makefile', `${MAKEFILE}\nbroken:\n\tpython -c "raise SystemExit(9)"\n`)
    const tracked = await world.track(['make', 'model.joblib'], { flags: ['--artifact', 'model.joblib'] })
    assertWhole(world, tracked)
    assert.equal(tracked.run.metrics.made, 1)
    assert.equal(tracked.run.artifacts.length, 1)
    const failed = await world.track(['make', 'broken'])
    assert.deepEqual([failed.code, failed.run.exit, failed.run.status], [2, 2, 'failed'])
  })

  it('uv run: the environment that uv chose', async function () {
    needs(this, 'uv', 'pip install uv')
    const world = await scriptWorld('train_sklearn.py')
    const tracked = await world.track([
      'uv',
      'run',
      '--offline',
      '--no-project',
      '--python',
      PYTHON,
      'train_sklearn.py',
    ])
    assertWhole(world, tracked)
    assert.ok(tracked.run.metrics.auc > 0.98)
  })
})
