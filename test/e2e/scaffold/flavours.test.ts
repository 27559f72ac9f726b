/** From a training script to a service that loads its model and gives the golden predictions, for every kind of answer. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { skipBecause } from '../../support/skip.ts'
import { ROOT, tempProject } from '../harness.ts'

const PYTHON = join(ROOT, '.cache/venv/bin/python')
const HERE = join(ROOT, 'test/e2e/scaffold')

interface Expected {
  readonly flavour: string
  readonly kind: string
  readonly columns: readonly string[]
  readonly answer: 'number' | 'string'
}

const ALL = ['tenure:integer', 'monthly charges:number?', 'plan:string', 'senior:boolean']
// What test/e2e/serving/flavours.test.ts does not serve: other answers, and recorded as predict_proba.
const CASES: Readonly<Record<string, Expected>> = {
  sklearn: { flavour: 'sklearn', kind: 'probability', columns: ALL, answer: 'number' },
  class: { flavour: 'sklearn', kind: 'class', columns: ALL, answer: 'string' },
  number: { flavour: 'sklearn', kind: 'number', columns: ALL, answer: 'number' },
  'xgboost-pipeline': { flavour: 'xgboost', kind: 'probability', columns: ALL, answer: 'number' },
  onnx: {
    flavour: 'onnx',
    kind: 'probability',
    columns: ['tenure:number', 'monthly charges:number?'],
    answer: 'number',
  },
}

describe('A service scaffolded for a trained model', function () {
  this.timeout(120_000)
  before(function () {
    if (!existsSync(PYTHON)) skipBecause(this, 'there is no .cache/venv: node .ci/setup-python.js')
  })

  for (const [name, expected] of Object.entries(CASES)) {
    it(`loads it and gives its golden predictions: ${name}`, async () => {
      const project = tempProject({
        'mlops.yaml': 'models: {churn-model: {artifact: "model.*", schema: {target: churned}}}\n',
        'train.csv': table(),
      })
      cpSync(join(HERE, 'train_flavour.py'), project.path('train.py'))
      await project.mlops(['init', '--yes'])
      await project.mlops([
        'track',
        '--model',
        'churn-model',
        '--data',
        'train=train.csv',
        '--artifact',
        'model.*',
        '--',
        PYTHON,
        'train.py',
        name,
      ])
      await project.mlops(['register', 'churn-model', '--run', '@last'])
      await project.mlops(['promote', 'churn-model', '--to', 'staging'])
      const { json } = await project.mlops(['scaffold', 'fastapi', 'churn-model@staging', '--unlocked', '--json'])
      assert.deepEqual(json.data.warnings, [])
      const facts = JSON.parse(project.read('service/service.json'))
      assert.deepEqual(
        [facts.flavour, facts.output.kind, facts.stage, facts.python],
        [expected.flavour, expected.kind, 'staging', facts.python],
      )
      assert.match(facts.python, /^3\.\d+$/)
      const columns = facts.features.map(
        ({ name, type, nullable }: { name: string; type: string; nullable: boolean }) =>
          `${name}:${type}${nullable ? '?' : ''}`,
      )
      assert.deepEqual(columns, expected.columns)
      const output = execFileSync(
        PYTHON,
        ['-B', join(HERE, 'load_service.py'), project.path('service'), project.path('.mlops')],
        {
          encoding: 'utf8',
          stdio: 'pipe',
        },
      )
      const loaded = JSON.parse(output)
      assert.equal(loaded.why, null)
      assert.equal(loaded.golden, 100)
      assert.equal(typeof loaded.answer, expected.answer)
      if (expected.answer === 'number') assert.ok(Math.abs(loaded.answer - loaded.expected) < 1e-6)
      else assert.equal(loaded.answer, loaded.expected)
    })
  }
})

function table(): string {
  const lines = Array.from({ length: 300 }, (_, row) => {
    const charges = row % 20 === 3 ? '' : (20 + ((row * 37) % 800) / 8).toFixed(2)
    return `c${row},${(row * 7) % 72},${charges},${['basic', 'family', 'pro'][row % 3]},${row % 5 === 0 ? 'True' : 'False'},${(row * 7) % 72 < 20 ? 'Yes' : 'No'}`
  })
  return `customer,tenure,monthly charges,plan,senior,churned\n${lines.join('\n')}\n`
}
