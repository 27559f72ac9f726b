/** `--report FILE` and `mlops drift report` through the built binary. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { churnProject } from '../cli/fixture/churn.ts'
import { assertMatchesSchema, type TempProject } from '../harness.ts'

const M = 'churn-model'

describe('mlops drift --report and mlops drift report', function () {
  this.timeout(120_000)
  let project: TempProject
  before(async () => {
    project = await churnProject()
    await project.mlops(['drift', M, '--current', 'same.csv'])
    await project.mlops(['drift', M, '--current', 'june.csv'], { code: 3 })
  })

  it('writes every form in one go, besides the answer and its exit code', async () => {
    const reports = ['a.html', 'a.md', 'a.xml', 'a.prom', 'a.json'].flatMap((file) => ['--report', file])
    const { stdout } = await project.mlops(['drift', M, '--current', 'june.csv', ...reports], { code: 3 })
    assert.match(stdout, /drift {2}churn-model@1/)
    assert.match(project.read('a.html'), /<title>Drift: churn-model@1<\/title>/)
    assert.match(project.read('a.md'), /^## ❌ Drift: `churn-model@1`/)
    assert.match(project.read('a.xml'), /<failure message="/)
    assert.match(project.read('a.prom'), /mlops_drift_verdict\{model="churn-model",version="1",verdict="drift"\} 1\n/)
    assert.equal(JSON.parse(project.read('a.json')).verdict, 'drift')
  })

  it('refuses an unknown ending before it checks anything', async () => {
    const { json } = await project.mlops(['drift', M, '--current', 'june.csv', '--report', 'a.pdf', '--json'], {
      code: 2,
    })
    assert.equal(json.error?.code, 'REPORT_FORM_UNKNOWN')
    assert.ok(!existsSync(project.path('a.pdf')))
  })

  it('appends to the summary of a GitHub step', async () => {
    const summary = project.path('summary_4711')
    project.write('summary_4711', 'before\n')
    const env = { GITHUB_STEP_SUMMARY: summary, GITHUB_ACTIONS: 'true', CI: 'true' }
    await project.mlops(['drift', M, '--current', 'june.csv', '--report', summary], { code: 3, env })
    assert.match(project.read('summary_4711'), /^before\n\n## ❌ Drift/)
  })

  it('shows the history newest first and exits 0 whatever it says', async () => {
    const { stdout } = await project.mlops(['drift', 'report', M])
    assert.match(
      stdout,
      /^churn-model@1 {2}2 checks, newest first\ndata that were named, against the baseline of churn-model@1/,
    )
    const [june, same] = ['june.csv', 'same.csv'].map((file) => stdout.indexOf(file))
    assert.ok((june ?? -1) > 0 && (june ?? 0) < (same ?? 0), stdout)
    assert.match(stdout, /Next: mlops drift report churn-model --check [0-9a-f]{8}/)
  })

  it('gives the history as JSON, and as files', async () => {
    const reports = ['t.html', 't.md', 't.json'].flatMap((file) => ['--report', file])
    const { json } = await project.mlops(['drift', 'report', M, '--json', ...reports])
    assertMatchesSchema('drift report', json)
    assert.deepEqual(
      json.data.trend.checks.map(({ verdict }: { verdict: string }) => verdict),
      ['stable', 'drift'],
    )
    assert.deepEqual(JSON.parse(project.read('t.json')), json.data.trend)
    assert.match(project.read('t.html'), /Drift in 1 of 2 checks/)
    assert.match(project.read('t.md'), /Drift in 1 of 2 checks/)
  })

  it('renders one stored check again in any form, named by the beginning of its key', async () => {
    const { json } = await project.mlops(['drift', 'report', M, '--json'])
    const key: string = json.data.trend.checks[1].key
    const again = ['drift', 'report', M, '--check', key.slice(0, 8), '--report', 'again.xml', '--report', 'again.html']
    const { stdout } = await project.mlops(again)
    assert.match(stdout, /drift {2}churn-model@1/)
    assert.match(project.read('again.xml'), /<testsuite name="churn-model@1"/)
    assert.equal(project.read('again.html').includes('june.csv'), true)
    const asJson = await project.mlops([...again, '--json'])
    assertMatchesSchema('drift report', asJson.json)
    assert.equal(asJson.json.data.check.verdict, 'drift')
  })

  it('leaves no temporary files behind', () => {
    assert.deepEqual(
      readdirSync(project.dir).filter((name) => name.endsWith('.tmp')),
      [],
    )
  })

  it('a model named report can still be checked', async () => {
    await project.mlops(['register', 'report', '--artifact', 'model.json', '--baseline', 'train.csv'])
    for (const words of [
      ['drift', 'report@1', '--current', 'june.csv'],
      ['drift', '--current', 'june.csv', 'report'],
      ['drift', '--current', 'june.csv', '--', 'report'],
    ]) {
      const { json } = await project.mlops(
        [...words, '--json'].filter((word) => word !== '--json' || !words.includes('--')),
        {
          code: 3,
          env: { MLOPS_JSON: '1' },
        },
      )
      assert.equal(json.data.model, 'report', words.join(' '))
    }
    const { json } = await project.mlops(['drift', 'report', 'report', '--json'])
    assert.equal(json.data.trend.checks.length, 1)
  })
})
