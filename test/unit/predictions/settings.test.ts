/** Settings made in code: written by the Python client, read by the program. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { channelProblem } from '../../../src/notify/channels.ts'
import { codeSettings } from '../../../src/predictions/settings.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import { CLIENT, type Workshop, workshop } from '../tracking/support.ts'

describe('Settings made in code', () => {
  let shop: Workshop
  before(function () {
    needsPython(this)
  })
  beforeEach(async () => {
    shop = await workshop({ 'mlops.yaml': 'models:\n  churn-model: {}\n' })
  })
  afterEach(async () => {
    const report = await verifyStore(shop.store.root)
    shop.remove()
    assert.deepEqual([report.damages, report.warnings], [[], []])
  })
  const env = { PATH: '/usr/bin:/bin', PYTHONPATH: CLIENT, PYTHONDONTWRITEBYTECODE: '1' }
  const script = (...lines: string[]) =>
    execFileSync(PYTHON, ['-c', ['from mlops import monitor', 'm = monitor("churn-model")', ...lines].join('\n')], {
      cwd: shop.root,
      env,
    })
  const folder = () => join(shop.store.root, 'predictions/churn-model/settings')

  it('are none where no script said anything', async () => {
    assert.deepEqual(await codeSettings(shop.store, 'churn-model'), { channels: [] })
  })

  it('are read as the client wrote them', async () => {
    script('m.drift_threshold = 0.25', 'm.on_drift(action="alert", channel="slack:#ml-alerts")')
    const expected = { threshold: 0.25, channels: ['slack:#ml-alerts'] }
    assert.deepEqual(await codeSettings(shop.store, 'churn-model'), expected)
    assert.deepEqual(await codeSettings(shop.store, 'other-model'), { channels: [] })
  })

  it('of several channels all are told, and the newest setting counts', async () => {
    script(
      'm.drift_threshold = 0.1',
      'm.on_drift(channel=["slack:#a", "email:ml@example.com"])',
      'm.on_drift(channel="slack:#b")',
    )
    script('m.drift_threshold = 0.3')
    const { threshold, channels } = await codeSettings(shop.store, 'churn-model')
    assert.deepEqual([threshold, channels], [0.3, ['slack:#a', 'email:ml@example.com', 'slack:#b']])
    script('m.drift_threshold = 0.1', 'm.on_drift(channel=[])')
    assert.deepEqual(await codeSettings(shop.store, 'churn-model'), { threshold: 0.1, channels: [] })
  })

  it('said again by every worker of a service leave one file', () => {
    for (let worker = 0; worker < 3; worker++) script('m.drift_threshold = 0.1')
    assert.equal(readdirSync(folder()).length, 1)
  })

  it('in a damaged file do not count', async () => {
    script('m.drift_threshold = 0.1')
    script('m.drift_threshold = 0.2')
    const newest = readdirSync(folder()).find((name) => readFileSync(join(folder(), name), 'utf8').includes('0.2'))
    assert.ok(newest !== undefined)
    const path = join(folder(), newest)
    const bytes = readFileSync(path, 'utf8').replace('0.2', '0.9')
    execFileSync('chmod', ['u+w', path])
    writeFileSync(path, bytes)
    assert.equal((await codeSettings(shop.store, 'churn-model')).threshold, 0.1)
  })

  it('name the channels that can be told, and no others', () => {
    const candidates = [
      ...['slack:#ml-alerts', 'slack:ml', 'slack:', 'email:a@b', 'webhook:https://h/p', 'sms:1', 'slack', '', 'email:'],
      ...['pagerduty:oncall', 'pagerduty', 'file:alerts.jsonl', 'file:', 'github', 'stdout', 'webhook:', 'Slack:#a'],
    ]
    const code = [
      'import json, sys',
      'from mlops._settings import CHANNEL',
      'print(json.dumps([bool(CHANNEL.match(c)) for c in json.load(sys.stdin)]))',
    ].join('\n')
    const input = JSON.stringify(candidates)
    const { stdout, stderr } = spawnSync(PYTHON, ['-c', code], { env, input, encoding: 'utf8' })
    assert.equal(stderr, '')
    const theirs: unknown = JSON.parse(stdout)
    const mine = candidates.map((written) => channelProblem(written) === undefined)
    assert.deepEqual(theirs, mine)
  })
})
