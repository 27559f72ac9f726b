/** The prediction log in the rest of the loop: the real Python client writes it; status, retrain and rollback read it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { needsPython, PYTHON } from '../../support/python.ts'
import { ROOT } from '../harness.ts'
import { log, loggedProject, MODEL } from './logged.ts'

const range = (from: number, to: number): number[] => Array.from({ length: from - to + 1 }, (_, i) => from - i)

describe('The prediction log in the loop', function () {
  this.timeout(120_000)

  it('from m.watch(X) to a verdict: status first says that nobody checked, then what the check said', async function () {
    needsPython(this)
    const project = await loggedProject()
    const script = `
import numpy as np, pandas as pd, mlops
rng = np.random.default_rng(1)
n = 1500
X = pd.DataFrame({"tenure": rng.integers(1, 12, n), "plan": rng.choice(["basic", "plus", "pro"], n), "region": rng.choice(["north", "south"], n)})
m = mlops.monitor("${MODEL}")
m.watch(X, (1 - X.tenure / 61).round(3), version=1, latency_ms=12.5)
assert m.flush(10) and m.dropped == 0, m.last_error
`
    const ran = spawnSync(PYTHON, ['-c', script], {
      cwd: project.dir,
      env: { ...process.env, PYTHONPATH: join(ROOT, 'templates/python') },
      encoding: 'utf8',
    })
    assert.equal(ran.status, 0, ran.stderr)
    const before = await project.mlops(['status'])
    assert.match(before.stdout, /never checked though predictions are logged, the last/)
    assert.match(before.stdout, /Next: mlops drift churn-model$/m)
    const { json } = await project.mlops(['drift', MODEL, '--json'], { code: 3 })
    assert.equal(json.data.current.rows, 1_500)
    const drifted = json.data.columns.filter(({ verdict }: { verdict: string }) => verdict === 'drift')
    assert.deepEqual(drifted.map(({ column }: { column: string }) => column).sort(), ['churn_probability', 'tenure'])
    assert.match((await project.mlops(['status'])).stdout, /drift checked just now on prediction log/)
  })

  it('retrain decides by what is logged now, without a batch that somebody names', async () => {
    const project = await loggedProject('    train: echo trained\n')
    const policy = `policy:\n  model: ${MODEL}\n  trigger: {type: drift, metric: psi, threshold: 0.15}\n  validation: {min_accuracy: 0.5}\n  promote_on_pass: staging\n`
    project.write('retraining-policy.yaml', policy)
    const plan = ['retrain', MODEL, '--plan', '--json']
    const unlogged = await project.mlops(['retrain', MODEL, '--json'], { code: 6 })
    assert.equal(unlogged.json.error?.code, 'CHECK_MISSING')
    assert.equal((await project.mlops(plan)).json.data.plan.decision, 'not judged')
    log(project, { days: range(6, 1) })
    const calm = (await project.mlops(plan)).json
    assert.equal(calm.data.plan.trigger.fires, false, JSON.stringify(calm.data).slice(0, 500))
    log(project, { days: range(6, 1), shifted: true })
    const fires = (await project.mlops(plan)).json
    assert.equal(fires.data.plan.trigger.fires, true)
    assert.deepEqual(fires.warnings, [], 'a plan stores nothing and complains of nothing')
    assert.equal((await project.mlops(['status', '--json'])).json.data.models[0].health.checked, null)
  })

  it('rollback compares the older version with the rows of today, whoever answered them', async () => {
    const project = await loggedProject()
    project.write('model.bin', 'other weights')
    await project.mlops(['register', MODEL, '--artifact', 'model.bin', '--baseline', 'train.csv'])
    await project.mlops(['promote', `${MODEL}@2`, '--to', 'production', '--approve', 'ada'])
    const dry = ['rollback', MODEL, '--dry-run', '--json']
    assert.equal((await project.mlops(dry)).json.data.fit.verdict, 'not determined')
    log(project, { days: range(6, 1), version: 2 })
    assert.equal((await project.mlops(dry)).json.data.fit.verdict, 'fits')
    log(project, { days: range(6, 1), version: 2, shifted: true })
    const { fit } = (await project.mlops(dry)).json.data
    assert.equal(fit.verdict, 'drifted')
    assert.deepEqual(
      fit.drifted.map(({ column }: { column: string }) => column),
      ['tenure'],
    )
  })
})
