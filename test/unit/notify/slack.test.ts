/** What Slack gets, checked against the published limits of Block Kit, on a real receiver. */
import assert from 'node:assert/strict'
import { deliver } from '../../../src/notify/deliver.ts'
import { slackMessage } from '../../../src/notify/slack.ts'
import { alert, context, quickWire, type Receiver, receiver, worstAlert } from './support.ts'

interface SlackText {
  readonly type: string
  readonly text: string
  readonly emoji?: boolean
  readonly verbatim?: boolean
}
interface SlackBlock {
  readonly type: string
  readonly text?: SlackText
  readonly fields?: readonly SlackText[]
  readonly elements?: readonly SlackText[]
}

/** docs.slack.dev: "Blocks", "Header block", "Section block", "Context block", "Text object", "Formatting text". */
function assertSlackMessage(message: { text?: unknown; blocks?: unknown }): void {
  assert.equal(typeof message.text, 'string')
  assertEscaped(message.text as string)
  const blocks = message.blocks as SlackBlock[]
  assert.ok(blocks.length >= 1 && blocks.length <= 50, `${blocks.length} blocks`)
  for (const block of blocks) {
    const texts: readonly SlackText[] =
      block.type === 'context'
        ? (block.elements ?? [])
        : [block.text, ...(block.fields ?? [])].flatMap((each) => each ?? [])
    assert.ok(texts.length > 0, 'a block without text')
    for (const text of texts) {
      assert.ok(['plain_text', 'mrkdwn'].includes(text.type))
      assert.ok(text.text.length >= 1)
      if (text.type === 'mrkdwn') assert.equal(text.emoji, undefined, 'emoji is for plain_text')
      else assert.equal(text.verbatim, undefined, 'verbatim is for mrkdwn')
      assertEscaped(text.text)
    }
    switch (block.type) {
      case 'header':
        assert.equal(block.text?.type, 'plain_text')
        assert.ok((block.text?.text.length ?? 151) <= 150)
        break
      case 'section':
        assert.ok((block.text?.text.length ?? 0) <= 3000)
        assert.ok((block.fields?.length ?? 0) <= 10)
        for (const field of block.fields ?? []) assert.ok(field.text.length <= 2000)
        break
      case 'context':
        assert.ok((block.elements?.length ?? 11) <= 10)
        break
      default:
        assert.fail(`a block of type ${block.type}`)
    }
  }
  assert.ok(JSON.stringify(blocks).length < 13_000, 'msg_blocks_too_long')
}

/** No & < > but as an entity or as the one link we write; no half of a character. */
function assertEscaped(text: string): void {
  const rest = text.replace(/^<https?:[^<>|]*\|The run of the check>$/, '').replace(/&(?:amp|lt|gt);/g, '')
  assert.doesNotMatch(rest, /[&<>]/)
  assert.doesNotMatch(text, /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/)
}

describe('a message to Slack', () => {
  let slack: Receiver
  afterEach(() => slack?.close())
  const env = (name = 'MLOPS_SLACK_WEBHOOK') => ({
    [name]: `${slack.url}/services/T0AAAAAAA/B0AAAAAAA/sEcReTsEcReTsEcReT`,
  })

  it('keeps the limits of Block Kit', () => {
    assertSlackMessage(slackMessage(alert()))
    assertSlackMessage(slackMessage(alert({ state: 'recovered', findings: [] })))
    assertSlackMessage(slackMessage(alert({ summary: '', evidence: [], version: 0, findings: [] })))
  })

  it('keeps them at its worst: 500 columns, entities, emoji, hostile and endless names', async () => {
    slack = await receiver({ status: 200, body: 'ok' })
    const [sent] = await deliver(context(env()), worstAlert(), ['slack:#ml'])
    assert.deepEqual(sent, { channel: 'slack:#ml', delivered: true, attempts: 1 })
    const message = JSON.parse(slack.got[0]?.body ?? '')
    assertSlackMessage(message)
    assert.match(JSON.stringify(message), /and 4\d\d more/)
    assert.doesNotMatch(JSON.stringify(message), /<!channel>|<!here>|<@U123>/)
  })

  it('says what shifted, since when, which version and run, and the next command', async () => {
    slack = await receiver({ status: 200, body: 'ok' })
    await deliver(context(env('MLOPS_SLACK_WEBHOOK_ML_ALERTS')), alert(), ['slack:#ml-alerts'])
    const [got] = slack.got
    assert.equal(got?.headers['content-type'], 'application/json; charset=utf-8')
    for (const words of [
      'tenure: median 12 -',
      'churn-model@3',
      '2026-06-09',
      '01J0000000000000000000000A',
      'mlops drift churn-model --window 1d',
    ]) {
      assert.ok(got?.body.includes(words), words)
    }
  })

  it('prefers the webhook of the channel to the one for all', async () => {
    slack = await receiver({ status: 200, body: 'ok' })
    const both = { MLOPS_SLACK_WEBHOOK_ML_OPS_ALERTS: `${slack.url}/own`, MLOPS_SLACK_WEBHOOK: `${slack.url}/all` }
    await deliver(context(both), alert(), ['slack:#ml-ops.alerts', 'slack:#other'])
    assert.deepEqual(slack.got.map(({ path }) => path).sort(), ['/all', '/own'])
  })

  it('is not sent without a webhook, and the variable is named', async () => {
    const [sent] = await deliver(context(), alert(), ['slack:#ml-alerts'])
    assert.equal(sent?.missing, 'MLOPS_SLACK_WEBHOOK_ML_ALERTS')
    assert.equal(sent?.attempts, 0)
  })

  it('waits as long as Slack asks, then goes through', async () => {
    slack = await receiver(
      { status: 429, headers: { 'retry-after': '7' } },
      { status: 503 },
      { status: 200, body: 'ok' },
    )
    const { wire, pauses } = quickWire()
    const [sent] = await deliver(context(env()), alert(), ['slack:#ml'], { wire })
    assert.deepEqual([sent?.delivered, sent?.attempts, pauses], [true, 3, [7000, 1000]])
  })

  it('is given up when Slack asks for too long a pause', async () => {
    slack = await receiver({ status: 429, headers: { 'retry-after': '3600' } })
    const [sent] = await deliver(context(env()), alert(), ['slack:#ml'], { wire: quickWire().wire })
    assert.deepEqual([sent?.delivered, sent?.attempts], [false, 1])
    assert.match(sent?.error ?? '', /429.*wait 3600 s/)
  })

  it('is not repeated when the webhook was revoked, and the secret is in no word of it', async () => {
    slack = await receiver(({ path }) => ({ status: 404, body: `no_service ${path}` }))
    const [sent] = await deliver(context(env()), alert(), ['slack:#ml'], { wire: quickWire().wire })
    assert.equal(sent?.attempts, 1)
    assert.match(sent?.error ?? '', /404: no_service/)
    assert.doesNotMatch(JSON.stringify(sent), /sEcReT|T0AAAAAAA/)
  })

  it('takes no webhook written into the configuration, and does not show it', async () => {
    const [sent] = await deliver(context(), alert(), ['slack:https://hooks.slack.com/services/T1/B1/sEcReT123456'])
    assert.equal(sent?.channel, 'slack')
    assert.match(sent?.error ?? '', /does not belong here: put it into MLOPS_SLACK_WEBHOOK/)
    assert.doesNotMatch(JSON.stringify(sent), /sEcReT/)
  })
})
