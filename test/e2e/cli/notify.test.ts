/** `mlops notify test` as it is typed: exit codes, what is printed, and that no secret is. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Receiver, receiver } from '../../unit/notify/support.ts'
import { assertMatchesSchema, tempProject } from '../harness.ts'

const CONFIG = (url: string) => `models:
  churn-model:
    notify: ["slack:#ml-alerts", "webhook:${url}/path-secret", "file:alerts.jsonl", stdout]
`

describe('mlops notify test', function () {
  this.timeout(120_000)
  let hook: Receiver
  beforeEach(async () => {
    hook = await receiver({ status: 200, body: 'ok' })
  })
  afterEach(() => hook.close())
  const env = () => ({
    MLOPS_SLACK_WEBHOOK_ML_ALERTS: `${hook.url}/services/T0/B0/slackSlackSecret`,
    MLOPS_WEBHOOK_SECRET: 'sEcReT-of-the-hook',
  })

  it('sends a marked message to each channel of the model and says so', async () => {
    const project = tempProject({ 'mlops.yaml': CONFIG(hook.url) })
    const { stdout, stderr } = await project.mlops(['notify', 'test', '--model', 'churn-model'], { env: env() })
    assert.equal(hook.got.length, 2)
    for (const { body } of hook.got) assert.match(body, /This is a test of the channel/)
    assert.match(readFileSync(join(project.dir, 'alerts.jsonl'), 'utf8'), /"kind":"test"/)
    assert.match(stdout, /^TEST: mlops notify test of churn-model\n/)
    assert.match(stdout, /slack:#ml-alerts +yes +1/)
    assert.doesNotMatch(stdout + stderr, /path-secret|sEcReT-of|slackSlackSecret/)
  })

  it('exits 1 when one fails, names the variable to set, and tries the others', async () => {
    const project = tempProject({ 'mlops.yaml': CONFIG(hook.url) })
    const some = { ...env(), MLOPS_SLACK_WEBHOOK_ML_ALERTS: undefined }
    const { stdout } = await project.mlops(['notify', 'test'], { env: some, code: 1 })
    assert.match(stdout, /export MLOPS_SLACK_WEBHOOK_ML_ALERTS=/)
    assert.equal(hook.got.length, 1)
    const { json } = await project.mlops(['notify', 'test', '--json'], { env: some, code: 1 })
    assertMatchesSchema('notify test', json)
    const channels: { channel: string; delivered: boolean; missing: string | null }[] = json.data.channels
    assert.deepEqual(
      channels.map(({ delivered }) => delivered),
      [false, true, true, true],
    )
    assert.equal(channels[0]?.missing, 'MLOPS_SLACK_WEBHOOK_ML_ALERTS')
    assert.doesNotMatch(JSON.stringify(json), /path-secret|sEcReT-of/)
  })

  it('sends nothing when a channel is none, and guesses which was meant', async () => {
    const project = tempProject({ 'mlops.yaml': CONFIG(hook.url) })
    const { stderr } = await project.mlops(['notify', 'test', `webhook:${hook.url}`, 'slak:#ml'], {
      env: env(),
      code: 2,
    })
    assert.match(stderr, /Did you mean slack:#ml-alerts\?/)
    assert.equal(hook.got.length, 0)
    const none = await tempProject({ 'mlops.yaml': 'models: {m: {}}\n' }).mlops(['notify', 'test'], { code: 2 })
    assert.match(none.stderr, /no model in mlops.yaml has a channel/)
  })
})
