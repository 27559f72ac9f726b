/** Events for PagerDuty, checked against the published Events API v2. */
import assert from 'node:assert/strict'
import { deliver } from '../../../src/notify/deliver.ts'
import { testChannels } from '../../../src/notify/test-message.ts'
import { alert, context, quickWire, type Receiver, receiver, worstAlert } from './support.ts'

const KEY = '0123456789abcdef0123456789abcdef'

/** github.com/PagerDuty/developer-docs, events-API-v2: "Send an Alert Event" and "Size Limits". */
// biome-ignore lint/suspicious/noExplicitAny: what was sent is judged member by member
function assertEvent(body: string): Record<string, any> {
  assert.ok(Buffer.byteLength(body) <= 512 * 1024, 'payloads are limited to 512 KB')
  const event = JSON.parse(body)
  assert.equal(event.routing_key.length, 32)
  assert.ok(['trigger', 'acknowledge', 'resolve'].includes(event.event_action))
  assert.ok(event.dedup_key.length >= 1 && event.dedup_key.length <= 255)
  if (event.event_action !== 'trigger') return event
  const { summary, source, severity, timestamp } = event.payload
  assert.ok(summary.length >= 1 && summary.length <= 1024)
  assert.ok(typeof source === 'string' && source !== '')
  assert.ok(['critical', 'error', 'warning', 'info'].includes(severity))
  assert.ok(!Number.isNaN(Date.parse(timestamp)))
  for (const link of event.links ?? []) assert.ok(URL.canParse(link.href))
  assert.doesNotMatch(body, /\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f])/i)
  return event
}

describe('an event for PagerDuty', () => {
  let api: Receiver
  const accepted = { status: 202, body: '{"status":"success","message":"Event processed"}' }
  beforeEach(async () => {
    api = await receiver(accepted)
  })
  afterEach(() => api.close())
  const env = (more: Record<string, string> = {}) => ({ MLOPS_PAGERDUTY_URL: `${api.url}/v2/enqueue`, ...more })
  const last = () => assertEvent(api.got.at(-1)?.body ?? '')

  it('triggers and resolves with the same key, which is the fingerprint', async () => {
    const ctx = context(env({ MLOPS_PAGERDUTY_KEY: KEY }))
    await deliver(ctx, alert(), ['pagerduty'])
    const fired = last()
    assert.deepEqual(
      [fired.event_action, fired.dedup_key, fired.payload.severity],
      ['trigger', alert().fingerprint, 'warning'],
    )
    assert.deepEqual(
      [fired.payload.component, fired.payload.group, fired.payload.class],
      ['churn-model', 'production', 'drift'],
    )
    assert.equal(fired.payload.custom_details.next, 'mlops drift churn-model --window 1d')
    await deliver(ctx, alert({ state: 'recovered' }), ['pagerduty'])
    assert.deepEqual([last().event_action, last().dedup_key], ['resolve', fired.dedup_key])
  })

  it('keeps the limits at its worst', async () => {
    await deliver(context(env({ MLOPS_PAGERDUTY_KEY: KEY })), worstAlert(), ['pagerduty'])
    assert.equal(last().payload.custom_details.findings.length, 101)
  })

  it('uses the key of its name, else the one for all', async () => {
    const own = KEY.toUpperCase()
    const ctx = context(env({ MLOPS_PAGERDUTY_KEY: KEY, MLOPS_PAGERDUTY_KEY_ML_TEAM: own }))
    await deliver(ctx, alert(), ['pagerduty:ml-team'])
    assert.equal(last().routing_key, own)
    await deliver(ctx, alert(), ['pagerduty:other'])
    assert.equal(last().routing_key, KEY)
    assert.equal(
      (await deliver(context(env()), alert(), ['pagerduty:ml-team']))[0]?.missing,
      'MLOPS_PAGERDUTY_KEY_ML_TEAM',
    )
  })

  it('uses a key written into the configuration with a warning, and never shows it', async () => {
    const ctx = context(env())
    const sent = await deliver(ctx, alert(), [`pagerduty:${KEY}`])
    assert.equal(last().routing_key, KEY)
    assert.match(ctx.warnings.join(), /key stands in the configuration/)
    assert.doesNotMatch(JSON.stringify([sent, ctx.warnings]), new RegExp(KEY))
  })

  it('says why PagerDuty refuses, once, and tries again when it is busy', async () => {
    await api.close()
    const invalid = {
      status: 'invalid event',
      message: 'Event object is invalid',
      errors: [`routing_key ${KEY} is wrong`],
    }
    api = await receiver({ status: 400, body: JSON.stringify(invalid) }, { status: 429 }, { status: 500 }, accepted)
    const ctx = context(env({ MLOPS_PAGERDUTY_KEY: KEY }))
    const { wire } = quickWire()
    const [refused] = await deliver(ctx, alert(), ['pagerduty'], { wire })
    assert.match(refused?.error ?? '', /400: Event object is invalid: routing_key \[redacted\] is wrong/)
    assert.equal(refused?.attempts, 1)
    const [sent] = await deliver(ctx, alert(), ['pagerduty'], { wire })
    assert.deepEqual([sent?.delivered, sent?.attempts], [true, 3])
  })

  it('of a test is resolved at once', async () => {
    const [result] = await testChannels(context(env({ MLOPS_PAGERDUTY_KEY: KEY })), ['pagerduty'], undefined)
    assert.equal(result?.delivered, true)
    const events = api.got.map(({ body }) => assertEvent(body))
    assert.deepEqual(
      events.map((each) => each.event_action),
      ['trigger', 'resolve'],
    )
    assert.equal(events[0]?.dedup_key, events[1]?.dedup_key)
    assert.match(events[0]?.payload.summary, /^TEST: /)
    assert.equal(events[0]?.payload.severity, 'info')
  })
})
