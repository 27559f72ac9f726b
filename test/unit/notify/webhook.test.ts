/** The signed webhook, what goes wrong on the wire, and that a receiver in Python can verify what it got. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cleanAlert } from '../../../src/notify/clean.ts'
import { deliver, undelivered } from '../../../src/notify/deliver.ts'
import { alertMessage } from '../../../src/notify/webhook.ts'
import { skipBecause } from '../../support/skip.ts'
import { alert, context, quickWire, type Receiver, receiver, selfSigned, worstAlert } from './support.ts'

const SECRET = 'a-secret-of-the-receiver'
const DOC = join(import.meta.dirname, '../../../docs/alerts.md')
const hasPython = spawnSync('python3', ['--version']).status === 0

describe('a webhook', () => {
  let hook: Receiver
  afterEach(() => hook?.close())

  it('says of a test that it is one: a receiver that pages leaves it out', () => {
    assert.equal(alertMessage(alert({ kind: 'test' })).test, true)
    assert.equal('test' in alertMessage(alert()), false)
  })

  it('gets the alert as JSON, signed, with a name that is the same for every try', async () => {
    hook = await receiver({ status: 500 }, { status: 204 })
    const ctx = context({ MLOPS_WEBHOOK_SECRET: SECRET })
    const [sent] = await deliver(ctx, alert(), [`webhook:${hook.url}/hook`], { wire: quickWire().wire })
    assert.deepEqual(sent, { channel: `webhook:${hook.url}/…`, delivered: true, attempts: 2 })
    const [first, second] = hook.got
    assert.deepEqual(JSON.parse(second?.body ?? ''), {
      schemaVersion: 1,
      id: second?.headers['idempotency-key'],
      ...alert(),
    })
    assert.equal(first?.headers['idempotency-key'], second?.headers['idempotency-key'])
    assert.match(String(first?.headers['x-mlops-signature']), /^t=1781078400,v1=[0-9a-f]{64}$/)
    assert.deepEqual(ctx.warnings, [])
  })

  it('is told that it is unsigned when there is no secret', async () => {
    hook = await receiver({ status: 200 })
    const ctx = context()
    await deliver(ctx, alert(), [`webhook:${hook.url}/hook`])
    assert.equal(hook.got[0]?.headers['x-mlops-signature'], undefined)
    assert.match(ctx.warnings[0] ?? '', /without a signature: MLOPS_WEBHOOK_SECRET is not set/)
  })

  it('is verified by the Python of docs/alerts.md, which refuses what was changed, is old, or has another secret', async function () {
    if (!hasPython) skipBecause(this, 'python3 is not installed')
    hook = await receiver({ status: 200 })
    await deliver(context({ MLOPS_WEBHOOK_SECRET: SECRET }), worstAlert(), [`webhook:${hook.url}`])
    const [got] = hook.got
    const code = /```python\n(import hashlib[\s\S]*?)```/.exec(readFileSync(DOC, 'utf8'))?.[1]
    assert.ok(code, 'no Python in docs/alerts.md')
    const check = (secret: string, body: string, now: number): string =>
      execFileSync(
        'python3',
        [
          '-c',
          `${code}\nimport sys\nprint(is_from_mlops(sys.stdin.buffer.read(), sys.argv[1], sys.argv[2].encode(), float(sys.argv[3])))`,
          String(got?.headers['x-mlops-signature']),
          secret,
          String(now),
        ],
        { input: body, encoding: 'utf8' },
      ).trim()
    const body = got?.body ?? ''
    assert.equal(check(SECRET, body, 1781078400 + 60), 'True')
    assert.equal(check(SECRET, `${body} `, 1781078400), 'False')
    assert.equal(check('another', body, 1781078400), 'False')
    assert.equal(check(SECRET, body, 1781078400 + 3600), 'False')
  })

  it('gets user and password in a header, and they are shown nowhere', async () => {
    hook = await receiver(({ headers }) => ({ status: 401, body: `who is ${headers.authorization}, pa:ss@word?` }))
    const url = hook.url.replace('http://', 'http://ada:pa%3Ass%40word@')
    const [sent] = await deliver(context(), alert(), [`webhook:${url}/hook?token=abc123def`])
    assert.equal(hook.got[0]?.headers.authorization, `Basic ${Buffer.from('ada:pa:ss@word').toString('base64')}`)
    assert.equal(sent?.attempts, 1)
    assert.doesNotMatch(JSON.stringify(sent), /pa:ss|pa%3A|abc123def|YWRh/)
  })

  it('is never followed to another address', async () => {
    const other = await receiver({ status: 200 })
    hook = await receiver({ status: 307, headers: { location: `${other.url}/stolen` } })
    const [sent] = await deliver(context({ MLOPS_WEBHOOK_SECRET: SECRET }), alert(), [`webhook:${hook.url}/hook`])
    assert.match(sent?.error ?? '', /307: a redirect, which is not followed/)
    assert.deepEqual([sent?.attempts, other.got.length], [1, 0])
    await other.close()
  })

  it('that answers no more is given up after four tries, with growing pauses', async () => {
    hook = await receiver({ status: 200, hang: true })
    const { wire, pauses } = quickWire(40)
    const [sent] = await deliver(context(), alert(), [`webhook:${hook.url}`], { wire })
    assert.match(sent?.error ?? '', /no answer within 0.04 s/)
    assert.deepEqual([sent?.attempts, pauses], [4, [500, 1000, 2000]])
  })

  it('that cuts the connection is tried again', async () => {
    hook = await receiver({ status: 200, cut: true }, { status: 200 })
    const [sent] = await deliver(context(), alert(), [`webhook:${hook.url}`], { wire: quickWire().wire })
    assert.deepEqual([sent?.delivered, sent?.attempts], [true, 2])
  })

  it('that refuses the connection is given up, in words', async () => {
    hook = await receiver({ status: 200 })
    const { url } = hook
    await hook.close()
    const [sent] = await deliver(context(), alert(), [`webhook:${url}`], { wire: quickWire().wire })
    assert.match(sent?.error ?? '', /^the connection was refused \(ECONNREFUSED\)$/)
    assert.equal(sent?.attempts, 4)
  })

  it('with a certificate that nobody signed gets nothing, and is not tried again', async function () {
    const files = selfSigned(this)
    let bytes = 0
    const server = createServer(files, (request) =>
      request.on('data', (chunk) => {
        bytes += chunk.length
      }),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const [sent] = await deliver(context(), alert(), [
      `webhook:https://localhost:${(server.address() as AddressInfo).port}/x`,
    ])
    server.close()
    assert.match(sent?.error ?? '', /^no safe connection \(TLS\): self-signed certificate/)
    assert.deepEqual([sent?.attempts, bytes], [1, 0])
  })

  it('ends when the work is interrupted', async () => {
    hook = await receiver({ status: 200, hang: true })
    const controller = new AbortController()
    const ctx = { ...context(), signal: controller.signal }
    const sending = deliver(ctx, alert(), [`webhook:${hook.url}`])
    setTimeout(() => controller.abort(), 30)
    const [sent] = await sending
    assert.deepEqual([sent?.delivered, sent?.error], [false, 'interrupted'])
  })
})

describe('delivery', () => {
  it('tries every channel, and makes an error of those that failed only afterwards', async () => {
    const good = await receiver({ status: 200 })
    const ctx = context({ MLOPS_WEBHOOK_SECRET: SECRET })
    const sent = await deliver(ctx, alert(), [
      'slack:#ml',
      `webhook:${good.url}`,
      'carrier-pigeon:x',
      'stdout',
      'stdout',
    ])
    await good.close()
    assert.deepEqual(
      sent.map(({ channel, delivered }) => [channel, delivered]),
      [
        ['slack:#ml', false],
        [`webhook:${good.url}`, true],
        ['carrier-pigeon', false],
        ['stdout', true],
      ],
    )
    assert.match(sent[3]?.print ?? '', /^churn-model@3 in production: 2 of 20 columns drifted\n/)
    const error = undelivered(sent)
    assert.deepEqual([error?.code, error?.exitCode], ['ALERT_UNDELIVERED', 1])
    assert.match(error?.message ?? '', /slack:#ml .*carrier-pigeon .*2 of 4 deliveries went well/)
    assert.match(error?.hint ?? '', /Set MLOPS_SLACK_WEBHOOK_ML/)
    assert.equal(undelivered(sent.filter(({ delivered }) => delivered)), undefined)
  })

  it('takes two webhooks of one host apart, without showing their paths', async () => {
    const hook = await receiver(({ path }) => ({ status: path === '/b-secret' ? 410 : 200 }))
    const sent = await deliver(context(), alert(), [`webhook:${hook.url}/a-secret`, `webhook:${hook.url}/b-secret`])
    await hook.close()
    assert.deepEqual(
      sent.map(({ channel, delivered }) => [channel, delivered]),
      [
        [`webhook:${hook.url}/…`, true],
        [`webhook:${hook.url}/… (2)`, false],
      ],
    )
  })

  it('writes a line of JSON per alert into a file that others may not read', async () => {
    const root = mkdtempSync(join(tmpdir(), 'mlops-file-'))
    const path = join(root, 'alerts.jsonl')
    await deliver(context(), alert(), ['file:alerts.jsonl'], { root })
    assert.equal(statSync(path).mode & 0o777 & ~0o640, 0)
    writeFileSync(path, '{"torn":', { flag: 'a' })
    await deliver(context(), worstAlert(), ['file:alerts.jsonl'], { root })
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    assert.equal(lines.length, 3)
    assert.equal(JSON.parse(lines[2] ?? '').findings.length, 500)
    const bad = await deliver(context(), alert(), ['file:.', 'file:no/such/folder', 'file:/dev/null'], { root })
    assert.deepEqual(
      bad.map(({ error }) => error),
      ['it is a folder', 'its folder does not exist', 'it is no regular file'],
    )
    rmSync(root, { recursive: true })
  })

  it('takes secrets and control characters out of the message itself', () => {
    const { title, findings, url } = cleanAlert(
      alert({
        title: 'a\u001b[31m\r\nb\u202e',
        findings: ['from postgres://ada:hunter2@db/x'],
        url: 'https://u:p@ci/x',
      }),
    )
    assert.equal(title, 'a[31m b')
    assert.deepEqual(findings, ['from postgres://db/x'])
    assert.equal(url, 'https://ci/x')
    assert.equal(cleanAlert(alert({ url: 'javascript:alert(1)' })).url, undefined)
  })
})
