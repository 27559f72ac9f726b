/** What a model file is: real files of the libraries, looked at and never loaded. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createReadStream, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { scanFile } from '../../../../src/lifecycle/scan/scan.ts'
import { type ModelFile, recognise } from '../../../../src/scaffold/fastapi/flavour.ts'
import { isRequirement, needsOf } from '../../../../src/scaffold/fastapi/packages.ts'
import { lookInto } from '../../../../src/scaffold/fastapi/version.ts'
import { skipBecause } from '../../../support/skip.ts'

const HERE = dirname(fileURLToPath(import.meta.url))
const PYTHON = join(HERE, '../../../../.cache/venv/bin/python')
const nothing = { artifact: undefined, flavour: undefined }

describe('A model file', function () {
  this.timeout(60_000)
  let folder: string
  const look = async (name: string): Promise<ModelFile> => {
    const path = join(folder, name)
    return lookInto(name, await scanFile(path, { name }), createReadStream(path, { highWaterMark: 1_000 }))
  }
  before(function () {
    if (!existsSync(PYTHON)) skipBecause(this, 'there is no .cache/venv: node .ci/setup-python.js')
    folder = mkdtempSync(join(tmpdir(), 'mlops-models-'))
    execFileSync(PYTHON, [join(HERE, 'models.py'), folder], { stdio: 'pipe' })
  })
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true })
  })

  const known: Readonly<Record<string, string>> = {
    'sklearn.joblib': 'sklearn',
    'sklearn-gz.joblib': 'sklearn',
    'sklearn.pkl': 'sklearn',
    'sklearn-without-a-suffix': 'sklearn',
    'xgboost-in-a-pipeline.joblib': 'xgboost',
    'xgboost.ubj': 'xgboost',
    'xgboost.json': 'xgboost',
    'lightgbm.joblib': 'lightgbm',
    'lightgbm.txt': 'lightgbm',
    'sklearn.onnx': 'onnx',
    'torchscript.pt': 'torch',
    'exported.pt2': 'torch',
    'exported.pt': 'torch',
    'answers.py': 'callable',
  }
  for (const [name, flavour] of Object.entries(known)) {
    it(`${name} is served by ${flavour}`, async function () {
      if (!readdirSync(folder).includes(name)) skipBecause(this, 'its library is not installed')
      assert.equal(recognise('m@1', [await look(name)], nothing).flavour, flavour)
    })
  }

  it('that holds weights without a program is refused with what to save instead', async () => {
    const weights = await look('weights.pt')
    assert.throws(() => recognise('m@1', [weights], nothing), /weights[\s\S]*torch\.jit\.script/)
  })

  it('is found among others that are none', async () => {
    const files = await Promise.all(['metrics.json', 'sklearn.joblib', 'notes.txt'].map(look))
    assert.equal(recognise('m@1', files, nothing).path, 'sklearn.joblib')
    assert.throws(() => recognise('m@1', files.slice(0, 1), nothing), /No file of m@1 is known to be a model/)
  })

  it('is asked for where there are several, and taken where a person says', async () => {
    const files = await Promise.all(['xgboost.ubj', 'sklearn.joblib', 'metrics.json'].map(look))
    assert.throws(() => recognise('m@1', files, nothing), /several files[\s\S]*xgboost\.ubj, sklearn\.joblib/)
    assert.equal(recognise('m@1', files, { ...nothing, flavour: 'xgboost' }).path, 'xgboost.ubj')
    const said = recognise('m@1', files, { artifact: 'metrics.json', flavour: 'callable' })
    assert.deepEqual([said.path, said.flavour], ['metrics.json', 'callable'])
  })

  it('says which packages reading it needs', async () => {
    const { modules, flavour } = recognise('m@1', [await look('xgboost-in-a-pipeline.joblib')], nothing)
    assert.equal(flavour, 'xgboost')
    const { roots, unknown } = needsOf(
      flavour,
      modules,
      ['numpy==2', 'pandas==2', 'scikit-learn==1.7', 'xgboost-cpu==3', 'joblib==1'],
      [],
    )
    for (const name of ['joblib', 'numpy', 'pandas', 'scikit-learn', 'xgboost-cpu'])
      assert.ok(roots.includes(name), name)
    assert.equal(roots.includes('xgboost'), false)
    assert.deepEqual(unknown, [])
  })
})

describe('The packages of a service', () => {
  it('name code of the team that no package has', () => {
    const { unknown } = needsOf(
      'sklearn',
      ['features.cleaning', '__main__', 'sklearn.pipeline', 'builtins'],
      ['scikit-learn==1'],
      [],
    )
    assert.deepEqual(unknown, ['features', '__main__'])
  })

  it('are those that were asked for, with their bounds', () => {
    const { roots } = needsOf('onnx', [], [], ['shap>=0.44', 'fastapi==0.120.0'])
    assert.ok(roots.includes('shap>=0.44'))
    assert.deepEqual(
      roots.filter((root) => root.startsWith('fastapi')),
      ['fastapi==0.120.0'],
    )
  })

  it('are names with bounds and nothing that pip would read otherwise', () => {
    for (const good of ['a', 'scikit-learn==1.7.2', 'torch==2.1.0+cu118', 'x[y,z]>=1,<2', 'a~=1.0', 'a!=1.*']) {
      assert.equal(isRequirement(good), true, good)
    }
    for (const bad of [
      '',
      '-r x',
      '--index-url=http://x',
      'a @ http://x',
      './a',
      'a b',
      'a\n-r x',
      'a;b',
      'a==1 --hash=x',
      'a==1\\',
    ]) {
      assert.equal(isRequirement(bad), false, bad)
    }
  })
})
