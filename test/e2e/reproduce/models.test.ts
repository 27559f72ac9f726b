/** Runs that train models: byte for byte equal where they are seeded, by their answers where bytes cannot be, by version. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSealed, seal } from '../../../src/store/sealed.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import { tempProject } from '../harness.ts'
import { leftOvers, verdicts, world } from './world.ts'

const TRAIN = `import os, time
import joblib, numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

started = time.time()
table = np.genfromtxt("data/train.csv", delimiter=",", skip_header=1)
seed = 7
X, Xt, y, yt = train_test_split(table[:, :-1], table[:, -1], random_state=seed)
model = RandomForestClassifier(n_estimators=20, random_state=seed).fit(X, y)
print("auc:", roc_auc_score(yt, model.predict_proba(Xt)[:, 1]))
print("fit_seconds:", time.time() - started)
os.makedirs("out", exist_ok=True)
joblib.dump(model, "out/model.joblib")
`

/** Its answers are the same each time; its bytes hold the time. */
const STAMPED = `import json, os, time, mlops
rows = [{"x": float(n)} for n in range(40)]
answers = [row["x"] * 2 for row in rows]
with mlops.track("doubling") as run:
    run.log_examples(rows, answers)
    run.log_metric("rows", len(rows))
    for step in range(5):
        run.log_metric("loss", 1 / (step + 1), step=step)
    json.dump({"factor": 2, "made": time.time()}, open("model.pkl", "w"))
    run.log_artifact("model.pkl")
    run.register(tags=["candidate"])
`

/** A model that needs no library; its file holds the time. */
const OWN = `class Line:
    def __init__(self, factor, made):
        self.factor, self.made = factor, made

    def predict(self, rows):
        return [row[0] * self.factor for row in rows]
`

const csv = (): string => {
  const lines = ['a,b,y']
  for (let n = 0; n < 300; n++) {
    const [a, b] = [((n * 37) % 101) / 101, ((n * 53) % 97) / 97]
    lines.push(`${a},${b},${a + b + ((n * 29) % 13) / 40 > 1.1 ? 1 : 0}`)
  }
  return `${lines.join('\n')}\n`
}

describe('run reproduce and models', function () {
  this.timeout(300_000)
  before(function () {
    needsPython(this)
  })

  it('reproduces a seeded scikit-learn model byte for byte, from a version whose run and environment are gone', async () => {
    const environment = tempProject().path('venv')
    const python = join(environment, 'bin/python')
    execFileSync('python3', ['-I', '-m', 'venv', environment])
    const versions = execFileSync(PYTHON, ['-m', 'pip', 'freeze'], { encoding: 'utf8' }).split('\n')
    const wanted = versions.filter((line) => /^(?:scikit-learn|numpy|scipy)==/.test(line))
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--no-compile', ...wanted])

    const place = await world({ 'train.py': '' })
    place.write('train.py', TRAIN)
    place.write('data/train.csv', csv())
    const flags = [
      '--model',
      'forest',
      '--snapshot',
      '--data',
      'train=data/train.csv',
      '--artifact',
      'out/model.joblib',
    ]
    const run = await place.track(flags, [python, 'train.py'])
    await place.mlops(['register', 'forest', '--run', run, '--metric', 'auc=0.9'])
    rmSync(environment, { recursive: true })
    place.write('data/train.csv', 'a,b,y\n')
    place.git('checkout', '--quiet', 'train.py')
    rmSync(place.path('.mlops/runs', run), { recursive: true })

    const json = await place.reproduce(['forest@1'])
    assert.equal(json.data.outcome.verdict, 'equal')
    const { fit_seconds: time, ...rest } = verdicts(json)
    assert.deepEqual(rest, { auc: 'equal', 'artifact out/model.joblib': 'equal' })
    assert.ok(time === 'not compared' || time === 'equal')
    assert.equal(json.data.plan.version, 'forest@1')
    assert.ok(json.data.plan.environment.packages >= 5)
    assert.deepEqual(json.data.outcome.packages, [])
    assert.ok(json.data.plan.risks.some((risk: string) => risk.includes('was deleted')))
    assert.deepEqual(leftOvers(), [])
  })

  it('counts a model whose bytes hold the time as within tolerance where its logged answers are equal, and grants no wish twice', async () => {
    const place = await world({ 'train.py': STAMPED })
    const environment = place.path('.venv')
    execFileSync(PYTHON, ['-I', '-m', 'venv', '--without-pip', environment])
    const run = await place.track([], [join(environment, 'bin/python'), 'train.py'])
    const before = (await place.mlops(['model', 'history', 'doubling', '--json'])).stdout
    const json = await place.reproduce([run])
    assert.equal(json.data.outcome.verdict, 'within tolerance')
    assert.deepEqual(verdicts(json), {
      loss: 'equal',
      rows: 'equal',
      'predictions log_examples': 'equal',
      'artifact model.pkl': 'within tolerance',
    })
    const again = json.data.outcome.reproduction.run
    const { json: status } = await place.mlops(['status', '--json'])
    assert.equal(JSON.stringify(status.data).includes(again), false)
    const { json: applied } = await place.mlops(['run', 'apply', again, '--json'])
    assert.match(applied.data.left, /reproduced run is never registered/)
    assert.equal((await place.mlops(['model', 'history', 'doubling', '--json'])).stdout, before)
    const { json: shown } = await place.mlops(['run', 'show', again, '--json'])
    assert.deepEqual(
      shown.data.wishes.map(({ state }: { state: string }) => state),
      ['not granted'],
    )
  })

  it('asks the model that was trained again for the examples of the version, and never loads the registered one', async () => {
    const place = await world({
      'own.py': OWN,
      'train.py':
        'import pickle, sys, time, own\npickle.dump(own.Line(float(sys.argv[1]), time.time()), open("model.pkl", "wb"))\n',
      'examples.jsonl': '{"features":{"x":1},"output":2}\n{"features":{"x":4},"output":8}\n',
    })
    const environment = place.path('.venv')
    execFileSync(PYTHON, ['-I', '-m', 'venv', '--without-pip', environment])
    const command = [join(environment, 'bin/python'), 'train.py', '2']
    const run = await place.track(['--model', 'line', '--artifact', 'model.pkl'], command)
    await place.mlops(['register', 'line', '--run', run, '--examples', 'examples.jsonl'])
    const json = await place.reproduce(['line@1'])
    assert.equal(json.data.outcome.verdict, 'within tolerance')
    assert.deepEqual(verdicts(json), {
      'predictions examples of line@1': 'equal',
      'artifact model.pkl': 'within tolerance',
    })
    // Without a version nobody knows what it must answer.
    assert.equal((await place.reproduce([run], { code: 3 })).data.outcome.verdict, 'different')

    const wrong = '{"features":{"x":1},"output":2}\n{"features":{"x":4},"output":9}\n'
    place.write('examples.jsonl', wrong)
    await place.mlops(['register', 'line', '--run', run, '--examples', 'examples.jsonl'])
    const other = await place.reproduce(['line@2'], { code: 3 })
    assert.match(
      other.data.outcome.rows.find(({ kind }: { kind: string }) => kind === 'predictions').note,
      /1 of 2 rows differ/,
    )
  })

  it('runs the command that was registered, whatever the folder of the run says today', async () => {
    const place = await world({
      'train.sh': 'echo "auc: 0.5"; echo model > m.txt\n',
      'evil.sh': 'touch "$HOME/evil"\n',
    })
    const run = await place.track(['--model', 'm', '--artifact', 'm.txt'], ['sh', 'train.sh'])
    await place.mlops(['register', 'm', '--run', run, '--yes'])
    const file = place.path(`.mlops/runs/${run}/run.json`)
    const record = openSealed(readFileSync(file)) ?? {}
    chmodSync(file, 0o600)
    writeFileSync(file, seal({ ...record, command: ['sh', 'evil.sh'] }))
    const { data } = await place.reproduce(['m@1', '--yes'])
    assert.deepEqual(data.plan.command, ['sh', 'train.sh'])
    assert.match(data.plan.risks.join(' '), /run\.json of the run is not what was registered/)
    assert.equal(data.outcome.verdict, 'equal')
  })

  it('says that a version without a run, or of another store, cannot be repeated', async () => {
    const place = await world({ 'model.pkl': 'x' })
    await place.mlops(['register', 'bare', '--artifact', 'model.pkl'])
    const { error } = await place.reproduce(['bare@1'], { code: 4 })
    assert.equal(error?.code, 'VERSION_HAS_NO_RUN')
    assert.match(error?.message ?? '', /registered from files, without a run/)
  })

  it('says of a file that holds the time that everything else is equal, and how to leave it out', async () => {
    const place = await world({ 'train.sh': 'echo "n: 1"; date +"trained %s.%N" > out.log; pwd > where.txt\n' })
    const run = await place.track(['--artifact', 'out.log', '--artifact', 'where.txt'], ['sh', 'train.sh'])
    const { data } = await place.reproduce([run], { code: 3 })
    assert.match(
      data.outcome.causes[0].text,
      /Everything else is equal: out\.log, where\.txt may hold a time or a path/,
    )
    await place.reproduce([run, '--ignore', 'out.log', '--ignore', 'where.txt'])
  })

  it('says when there is nothing to compare, and when a failed run fails again', async () => {
    const place = await world({ 'quiet.sh': 'true\n', 'fails.sh': 'echo "n: 1"; exit 3\n' })
    const quiet = await place.track([], ['sh', 'quiet.sh'])
    assert.equal((await place.reproduce([quiet], { code: 6 })).data.outcome.verdict, 'nothing to compare')
    await place.mlops(['track', '--', 'sh', 'fails.sh'], { code: 3 })
    const json = await place.reproduce(['@last'])
    assert.equal(json.data.outcome.verdict, 'equal')
    assert.deepEqual(verdicts(json), { n: 'equal', 'exit exit': 'equal' })
  })
})
