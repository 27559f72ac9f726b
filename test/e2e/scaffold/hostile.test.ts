/** Names of columns and categories come from data. In no generated file do they become code: each is read by its own reader. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { skipBecause } from '../../support/skip.ts'
import { HOSTILE } from '../../unit/scaffold/hostile.ts'
import { ROOT, type TempProject, tempProject } from '../harness.ts'

const PYTHON = join(ROOT, '.cache/venv/bin/python')
/** Beside them names that mean something in schema.py, to Pydantic or to Python. */
const RESERVED = [
  'class',
  'None',
  'int',
  'Optional',
  'Field',
  'json',
  'schema',
  'model_config',
  'model_dump',
  '_private',
  '1st',
  'a b',
  'a_b',
  'self',
  'Features',
  'validate',
  'ﬁ',
  'straße',
  'x'.repeat(200),
]
const NAMES = [...new Set([...HOSTILE.filter((name) => name !== ''), ...RESERVED])]
/** What some reader or terminal would not show as it is. */
const HIDDEN = /(?!\n)\p{Cc}|[\u200b\u2028\u2029\u202e\ufeff]/u

describe('A service for a model with hostile names', function () {
  this.timeout(60_000)
  let project: TempProject
  // biome-ignore lint/suspicious/noExplicitAny: what check_service.py prints
  let found: any

  before(async function () {
    if (!existsSync(PYTHON)) skipBecause(this, 'there is no .cache/venv: node .ci/setup-python.js')
    project = tempProject({
      'mlops.yaml': 'models: {m: {schema: {target: truth}, predictions: {drop: ["it\'s"]}}}\n',
      'model.py': 'def predict(rows):\n    return [0.5 for _ in rows]\n',
    })
    await project.mlops(['init', '--yes'])
    // Every name is a column, and every hostile text a category of the first one.
    const lines = Array.from({ length: 400 }, (_, row) => {
      const values = NAMES.map((_, at) => (at === 0 ? HOSTILE[1 + (row % (HOSTILE.length - 1))] : (row * 7 + at) % 13))
      return JSON.stringify(Object.fromEntries([...NAMES.map((name, at) => [name, values[at]]), ['truth', row % 2]]))
    })
    project.write('train.jsonl', `${lines.join('\n')}\n`)
    const row = JSON.parse(lines[3] ?? '{}')
    delete row.truth
    project.write('examples.jsonl', `${JSON.stringify({ features: row, output: 0.5 })}\n`)
    await project.mlops([
      'register',
      'm',
      '--artifact',
      'model.py',
      '--baseline',
      'train.jsonl',
      '--examples',
      'examples.jsonl',
    ])
    await project.mlops(['scaffold', 'fastapi', 'm', '--unlocked', '--refuse', NAMES[0] ?? ''])
    const output = execFileSync(
      PYTHON,
      ['-B', join(ROOT, 'test/e2e/scaffold/check_service.py'), project.path('service')],
      { encoding: 'utf8', stdio: 'pipe' },
    )
    found = JSON.parse(output)
  })

  it('is Python with the statements of the template and no other', () => {
    assert.deepEqual(found.statements, ['ClassDef', 'Expr', 'ImportFrom'])
    assert.deepEqual(found.classes, [
      'Features',
      'PredictRequest',
      'Prediction',
      'BatchRequest',
      'BatchItem',
      'BatchPrediction',
    ])
    assert.deepEqual(found.calls, ['ConfigDict', 'Field'])
  })

  it('knows every column by its own name, under an identifier of its own', () => {
    assert.deepEqual([...found.names].sort(), [...NAMES].sort())
    assert.equal(new Set(found.fields).size, NAMES.length)
    for (const field of found.fields) assert.match(field, /^[A-Za-z][A-Za-z0-9_]*$/)
  })

  it('answers its own example, and says in openapi.json what FastAPI says', () => {
    const facts = JSON.parse(project.read('service/service.json'))
    assert.deepEqual(found.example, facts.example.features)
    assert.deepEqual(found.committedFeatures, found.ownFeatures)
    assert.equal(found.sameOpenApi, true)
  })

  it('has the categories as they are in service.json, and no line that another reader would break', () => {
    const facts = JSON.parse(project.read('service/service.json'))
    const [first] = facts.features.filter((feature: { name: string }) => feature.name === NAMES[0])
    assert.deepEqual(first.categories, HOSTILE.slice(1).sort())
    assert.equal(first.refuse, true)
    assert.deepEqual(facts.drop, ["it's"])
    for (const file of ['app/schema.py', 'service.json', 'openapi.json', 'requirements.txt']) {
      assert.doesNotMatch(project.read(`service/${file}`), HIDDEN, file)
    }
  })
})
