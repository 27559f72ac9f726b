/**
 * A gate that becomes stricter between the plan and the commit: an external check of it edits mlops.yaml, so that this
 * happens in every run, and not by luck.
 */
import assert from 'node:assert/strict'
import { type TempProject, tempProject } from '../harness.ts'

const LOOSE = 'min_auc: 0.5'
const STRICT = 'min_auc: 0.95'

/** Once, where `edit.txt` lies: writes the stricter bound over the looser one. */
const EDIT = `
const fs = require('node:fs')
if (fs.existsSync('edit.txt')) {
  fs.rmSync('edit.txt')
  fs.writeFileSync('mlops.yaml', fs.readFileSync('mlops.yaml', 'utf8').replace('${LOOSE}', process.env.BROKEN ? '[' : '${STRICT}'))
}
`
const TRAIN = `
const fs = require('node:fs')
fs.appendFileSync('trained.txt', 'once more\\n')
fs.writeFileSync('model.bin', 'weights ' + Math.random())
console.log('auc: 0.9')
if (fs.existsSync('edit-while-training.txt')) { fs.renameSync('edit-while-training.txt', 'edit.txt'); require('./edit.cjs') }
`
const RETRAIN = ['retrain', 'm', '--reason', 'a new column']

describe('A gate that becomes stricter between plan and commit', function () {
  this.timeout(120_000)

  it('refuses the promotion: exit 5, nothing moves, and the next look is by the new rules', async () => {
    const project = await shop()
    project.write('edit.txt', '')
    const { json } = await project.mlops(['promote', 'm@1', '--to', 'staging', '--json'], { code: 5 })
    assert.equal(json.error?.code, 'PLAN_CHANGED')
    assert.match(json.error?.message ?? '', /^The gate of staging was changed in mlops\.yaml while this was being done/)
    assert.match(json.error?.hint ?? '', /mlops gate check m --to staging$/)
    assert.equal(await inStaging(project), null)
    await project.mlops(['promote', 'm@1', '--to', 'staging'], { code: 3 })
  })

  it('stops register --stage: the version is there, in no stage', async () => {
    const project = await shop()
    project.write('edit.txt', '')
    project.write('other.bin', 'other weights')
    const words = ['register', 'm', '--artifact', 'other.bin', '--metric', 'auc=0.9', '--stage', 'staging', '--json']
    const { json } = await project.mlops(words, { code: 5 })
    assert.equal(json.error?.code, 'PLAN_CHANGED')
    assert.match(json.warnings.join(), /m@2 is registered, but staging could not be moved/)
    assert.equal(await inStaging(project), null)
  })

  it('stops a retraining, which goes on from there by the new rules, without training again', async () => {
    const project = await shop()
    project.write('edit.txt', '')
    const stopped = await project.mlops([...RETRAIN, '--json'], { code: 5 })
    assert.equal(stopped.json.error?.code, 'PLAN_CHANGED')
    assert.equal(await inStaging(project), null)
    const { json } = await project.mlops([...RETRAIN, '--json'], { code: 3 })
    assert.equal(json.data.outcome, 'refused')
    assert.match(JSON.stringify(json.data.gate.checks), /min_auc.*0\.95/)
    assert.equal(project.read('trained.txt'), 'once more\n')
  })

  it('while a retraining trains: the candidate is judged by what stands then', async () => {
    const project = await shop()
    project.write('edit-while-training.txt', '')
    const { json } = await project.mlops([...RETRAIN, '--json'], { code: 3 })
    assert.equal(json.data.outcome, 'refused')
    assert.equal(await inStaging(project), null)
  })

  it('while a retraining trains, and cannot be read any more: nothing is judged, nothing is trained twice', async () => {
    const project = await shop()
    project.write('edit-while-training.txt', '')
    const { json } = await project.mlops([...RETRAIN, '--json'], { code: 5, env: { BROKEN: '1' } })
    assert.equal(json.error?.code, 'PLAN_CHANGED')
    assert.match(json.error?.message ?? '', /cannot be read any more/)
    project.write('mlops.yaml', config(LOOSE))
    const next = await project.mlops([...RETRAIN, '--json'])
    assert.equal(next.json.data.outcome, 'promoted')
    assert.equal(project.read('trained.txt'), 'once more\n')
  })
})

const config = (bound: string): string => `models:
  m:
    artifact: model.bin
    train: node train.cjs
    gates:
      staging: {${bound}, external: [{name: edits, command: '"${process.execPath}" edit.cjs'}]}
`

async function shop(): Promise<TempProject> {
  const project = tempProject({ 'mlops.yaml': config(LOOSE), 'edit.cjs': EDIT, 'train.cjs': TRAIN })
  await project.mlops(['init', '--yes', '--name', 'm'])
  project.write('first.bin', 'first weights')
  await project.mlops(['register', 'm', '--artifact', 'first.bin', '--metric', 'auc=0.9'])
  return project
}

async function inStaging(project: TempProject): Promise<number | null> {
  const { code, json } = await project.run(['model', 'show', 'm@staging', '--json'])
  return code === 4 ? null : json.data.version
}
