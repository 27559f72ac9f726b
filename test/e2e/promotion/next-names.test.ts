/** A suggested promotion has as many names as the gate asks for: pasted, it does what it says. */
import assert from 'node:assert/strict'
import { type TempProject, tempProject } from '../harness.ts'

const TWICE = ' --approve NAME --approve NAME'

describe('A gate that asks for two people', function () {
  this.timeout(60_000)
  let project: TempProject
  before(async () => {
    project = tempProject({
      'mlops.yaml': `stages: [staging, production]
models:
  m:
    train: node train.cjs
    gates: {staging: {approval: 2}, production: {approval: 2}}
`,
      'retraining-policy.yaml': `policy:
  model: m
  trigger: {type: schedule, every: 30d}
`,
      'model.bin': 'weights',
    })
    await project.mlops(['init', '--yes', '--name', 'm'])
  })

  it('stands in the next step of register', async () => {
    const { json } = await project.mlops(['register', 'm', '--artifact', 'model.bin', '--json'])
    assert.equal(json.data.next, `mlops promote m@1 --to staging${TWICE}`)
  })

  it('of a check of the fleet that finds nothing in the stage', async () => {
    for (const stage of ['staging', 'production']) {
      const { json } = await project.mlops(['drift', '--all', '--stage', stage, '--json'], { code: 6 })
      assert.ok(json.error?.hint?.includes(`mlops promote m --to ${stage}${TWICE};`), json.error?.hint ?? '')
    }
  })

  it('and of a retraining without a version in production, in its preflight and in its refusal', async () => {
    const { json } = await project.mlops(['retrain', 'm', '--json'], { code: 3 })
    const [missing] = json.error?.details.missing ?? []
    assert.equal(missing.mend, `mlops promote m@1 --to production${TWICE}`)
    project.write('retraining-policy.yaml', `${project.read('retraining-policy.yaml')}  autonomy: {level: 1}\n`)
    const report = await project.mlops(['retrain', 'm', '--json'], { code: 4 })
    assert.ok(
      report.json.error?.hint?.includes(`mlops promote m --to production${TWICE}.`),
      report.json.error?.hint ?? '',
    )
  })

  it('and of an imported version', async () => {
    await project.mlops(['model', 'export', 'm@1', '--output', 'm.tar'])
    const { json } = await project.mlops(['model', 'import', 'm.tar', '--as', 'm', '--json'])
    assert.equal(json.data.next, `mlops promote m@1 --to staging${TWICE}`)
  })
})
