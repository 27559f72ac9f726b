/** A retraining because the realised metric fell, from the prediction log and its labels to whether it helped; with scikit-learn. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { needsPython, PYTHON } from '../../support/python.ts'
import { DAY, dayStart } from '../drift/logged.ts'
import { assertMatchesSchema, type TempProject } from '../harness.ts'
import { env, MODEL, POLICY, people, trainedProject } from './project.ts'

const METRIC = POLICY.replace(
  'type: drift\n    metric: psi\n    threshold: 0.15',
  'type: metric\n    metric: auc\n    threshold: 0.80',
)

/** What the served model answers, asked of the model file itself. */
const SCORE = `import json, sys
import joblib, pandas as pd
model = joblib.load(sys.argv[1])
rows = pd.DataFrame(json.load(sys.stdin))
print(json.dumps(model.predict_proba(rows[["tenure", "calls"]])[:, 1].tolist()))
`

describe('A retraining because realised quality fell', function () {
  this.timeout(240_000)
  let project: TempProject
  let labelled = 0
  before(async function () {
    needsPython(this)
    project = await trainedProject(METRIC)
    project.write('score.py', SCORE)
  })

  /** Yesterday's answers of a version, and their labels: customers who behave as `truth` says. */
  const serve = async (
    version: number,
    seed: number,
    count: number,
    truth: (churned: number) => number,
  ): Promise<void> => {
    const rows = people(seed, count)
    const input = JSON.stringify(rows)
    const scores = JSON.parse(
      execFileSync(PYTHON, ['score.py', 'model.joblib'], { cwd: project.dir, input, encoding: 'utf8' }),
    )
    const from = dayStart(1)
    const lines = rows.map(({ tenure, calls }, i) => {
      const time = new Date(from + Math.floor((i / count) * DAY)).toISOString()
      return JSON.stringify({
        v: 1,
        id: `${seed}-${i}`,
        time,
        model: MODEL,
        version,
        features: { tenure, calls },
        output: scores[i],
        latency_ms: 4,
      })
    })
    const date = new Date(from).toISOString().slice(0, 10)
    project.write(
      `.mlops/predictions/${MODEL}/date=${date}/py-0123456789abcdef-${String(seed).padStart(4, '0')}.jsonl`,
      `${lines.join('\n')}\n`,
    )
    const labels = rows.map(({ churned }, i) => `${seed}-${i},${truth(churned)}`)
    project.write('labels.csv', `${['id,churned', ...labels].join('\n')}\n`)
    await project.mlops(['predictions', 'label', MODEL, 'labels.csv'], { env })
    labelled += count
  }

  it('says that there are no answers, then that there are too few labels: exit code 6, and nothing is trained', async () => {
    const none = await project.mlops(['retrain', MODEL, '--json'], { env, code: 6 })
    assert.equal(none.json.error?.code, 'LABELS_TOO_FEW')
    await serve(1, 11, 40, (churned) => churned)
    const few = await project.mlops(['retrain', MODEL, '--json'], { env, code: 6 })
    assert.match(few.json.error?.message ?? '', /40 of 40 answers .* at least 50/)
  })

  it('has nothing to do while the metric keeps the threshold', async () => {
    await serve(1, 12, 400, (churned) => churned)
    const { json } = await project.mlops(['retrain', MODEL, '--json'], { env })
    assertMatchesSchema('retrain', json)
    const { trigger } = json.data.plan
    assert.deepEqual([trigger.fires, trigger.metric.labelled, trigger.metric.coverage], [false, labelled, 1])
    assert.ok(trigger.metric.value > 0.8, `auc ${trigger.metric.value}`)
  })

  it('shows in the plan on what evidence it would retrain, within 80 columns, and trains nothing', async () => {
    await serve(1, 13, 800, (churned) => 1 - churned)
    const { stdout } = await project.mlops(['retrain', MODEL, '--plan'], { env: { ...env, COLUMNS: '80' } })
    assert.match(stdout, /It would retrain: realised auc of churn-model@1 is worse than 0.8: 0\.\d+/)
    assert.match(stdout, /labels +1,240 of 1,240 answers \(100 %\)/)
    assert.match(stdout, /Preflight[\s\S]*Steps/)
    const { json } = await project.mlops(['run', 'list', '--json'], { env })
    assert.equal(json.data.runs.length, 1)
  })

  it('trains, stages, and keeps the evidence with the job', async () => {
    const { json } = await project.mlops(['retrain', MODEL, '--json'], { env })
    assertMatchesSchema('retrain', json)
    assert.deepEqual([json.data.outcome, json.data.version], ['promoted', 2])
    const begin = JSON.parse(project.read(`.mlops/models/${MODEL}/jobs/retrain/0000000001.json`))
    const { name, value, threshold, rows, labelled: known, coverage, window } = begin.record.trigger.metric
    assert.deepEqual([name, threshold, rows, known, coverage], ['auc', 0.8, labelled, labelled, 1])
    assert.ok(value < 0.8 && Date.parse(window.until) > Date.parse(window.since))
  })

  it('says with the next checks whether it helped', async () => {
    await project.mlops(['promote', `${MODEL}@2`, '--to', 'production', '--approve', 'ada'], { env })
    const early = await project.mlops(['status', MODEL], { env })
    assert.match(
      early.stdout.replaceAll(/\s+/g, ' '),
      /@2 was retrained for realised auc 0\.\d+, worse than 0.8: no check since then can say whether it helped/,
    )
    await serve(2, 14, 400, (churned) => churned)
    const drift = await project.run(['drift', MODEL, '--window', '7d'], { env })
    assert.match(drift.stdout.replaceAll(/\s+/g, ' '), /since then auc 0\.\d+ on 400 labels on 1 check: it helped/)
    const { json } = await project.mlops(['status', MODEL, '--json'], { env })
    assertMatchesSchema('status', json)
    assert.equal(json.data.models[0].effect.verdict, 'helped')
  })

  it('keeps saying so in the history, also when another version is in production', async () => {
    await project.mlops(['promote', `${MODEL}@1`, '--to', 'production', '--approve', 'ada', '--reason', 'a try'], {
      env,
    })
    const { json } = await project.mlops(['model', 'history', MODEL, '--stage', 'production', '--json'], { env })
    assertMatchesSchema('model history', json)
    const effects = json.data.events.map((event: { version: number; retraining: { verdict: string } | null }) => [
      event.version,
      event.retraining?.verdict ?? null,
    ])
    assert.deepEqual(effects, [
      [1, null],
      [2, 'helped'],
      [1, null],
    ])
    const { stdout } = await project.mlops(['model', 'history', MODEL], { env })
    assert.match(stdout.replaceAll(/\s+/g, ' '), /retrained for realised auc .* in production auc 0\.\d+ on 400 labels/)
  })
})
