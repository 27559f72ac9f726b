/** Runs within a run, and what a run is told and warns of. */
import assert from 'node:assert/strict'
import { needsPython, PYTHON } from '../../support/python.ts'
import { type Workshop, workshop } from './support.ts'

const LOOP = `import mlops
for k in (1, 2, 3):
    with mlops.track(params={"k": k}) as run:
        run.log_metric("auc", k / 10)
mlops.log_metric("total", 3)
`

describe('Runs within a run', () => {
  let shop: Workshop
  beforeEach(async () => {
    shop = await workshop({ 'loop.py': LOOP })
  })
  afterEach(() => shop?.remove())

  it('are made by the second and every later mlops.track() of one process, said once', async function () {
    needsPython(this)
    const outer = await shop.track([PYTHON, 'loop.py'], { model: 'churn-model' })
    assert.equal(outer.stderr.match(/runs of their own/g)?.length, 1)
    assert.deepEqual([outer.end.params, outer.end.metrics], [{ k: 1 }, { auc: 0.1, total: 3 }])
    const inner = await Promise.all((await shop.store.runs.list()).slice(0, 2).map((id) => shop.store.runs.read(id)))
    assert.deepEqual(
      inner.map(({ start, end }) => [start.parent, start.model, end?.status, end?.params.k, end?.metrics.auc]).sort(),
      [
        [outer.runId, 'churn-model', 'finished', 2, 0.2],
        [outer.runId, 'churn-model', 'finished', 3, 0.3],
      ],
    )
  })

  it('are none when the functions of the module go on after the first, or another process logs', async function () {
    needsPython(this)
    shop.write('worker.py', 'import mlops\nwith mlops.track() as run:\n    run.log_metric("worker", 1)\n')
    shop.write(
      'train.py',
      'import mlops, subprocess, sys\nwith mlops.track() as run:\n    run.log_metric("auc", 1)\n    subprocess.run([sys.executable, "worker.py"], check=True)\nmlops.log_metric("after", 1)\n',
    )
    const outer = await shop.track([PYTHON, 'train.py'])
    assert.deepEqual(outer.end.metrics, { auc: 1, worker: 1, after: 1 })
    assert.equal((await shop.store.runs.list()).length, 1)
  })

  it('train the model of the run that started them, unless they name another', async () => {
    const print = ['sh', '-c', 'echo "$MLOPS_RUN_MODEL"']
    assert.equal((await shop.track(print, { model: 'churn-model' })).stdout, 'churn-model\n')
    const environment = { MLOPS_RUN_ID: '01JD3Z0000000000000000TEST', MLOPS_RUN_MODEL: 'churn-model' }
    const inner = await shop.track(print, { environment })
    assert.deepEqual([inner.start.model, inner.stdout], ['churn-model', 'churn-model\n'])
    assert.equal((await shop.track(print, { environment, model: 'other' })).start.model, 'other')
    const alone = await shop.track(print, { environment: { MLOPS_RUN_MODEL: 'churn-model' } })
    assert.deepEqual([alone.start.model, alone.stdout], [undefined, '\n'])
  })
})

describe('A run that is told what it is about', () => {
  let shop: Workshop
  before(async () => {
    shop = await workshop({ 'data/train.csv': 'a\n1\n', 'folder/a.csv': 'a\n1\n' })
  })
  after(() => shop?.remove())

  it('has the note, also while it goes on; an empty one stops everything before it starts', async () => {
    const run = await shop.track(['sh', '-c', 'until ls "$MLOPS_RUN_DIR"/annotations/*; do sleep 0.05; done'], {
      note: 'with the June data',
    })
    const [said] = await shop.store.runs.annotations(run.runId)
    assert.equal(said?.kind === 'note' && said.text, 'with the June data')
    await assert.rejects(shop.track(['touch', 'ran'], { note: ' ' }), { code: 'NOTE_EMPTY' })
    assert.throws(() => shop.read('ran'))
  })

  it('is warned of data that it overwrote before anybody had read it', async () => {
    const sources = [
      { name: 'train', path: 'data/train.csv' },
      { name: 'folder', path: 'folder' },
    ]
    // Nothing is hashed while the first source is still being read: it is large, and the command quick.
    shop.write('big.csv', Buffer.alloc(300_000_000, 'a,b\n'))
    const data = [{ name: 'big', path: 'big.csv' }, ...sources]
    const run = await shop.track(['sh', '-c', 'echo 2 >> data/train.csv; echo 2 > folder/b.csv'], { data })
    const said = run.end.warnings.filter((each) => each.includes('changed after the command had started'))
    assert.deepEqual(
      said.map((each) => each.split(':')[0]),
      ['data train', 'data folder'],
    )
    const quiet = await shop.track(['true'], { data: sources })
    assert.deepEqual(
      quiet.end.warnings.filter((each) => each.startsWith('data')),
      [],
    )
  })
})
