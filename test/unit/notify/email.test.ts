/** Mails, taken in by a real SMTP server. */
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { deliver } from '../../../src/notify/deliver.ts'
import { smtpServer } from '../../../src/notify/email.ts'
import { alert, context, quickWire, selfSigned, worstAlert } from './support.ts'

interface Mail {
  readonly raw: string
  readonly to: readonly string[]
  readonly headers: Readonly<Record<string, string>>
}

describe('a mail', () => {
  const mails: Mail[] = []
  let server: SMTPServer | undefined
  afterEach(async () => {
    mails.length = 0
    const closing = server
    server = undefined
    if (closing !== undefined) await new Promise<void>((resolve) => closing.close(resolve))
  })

  async function start(options: SMTPServerOptions = {}): Promise<number> {
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onData(stream, session, done) {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          const raw = Buffer.concat(chunks).toString('utf8')
          const head = (raw.split('\r\n\r\n')[0] ?? '').replace(/\r\n[ \t]+/g, ' ')
          const headers = Object.fromEntries(
            head
              .split('\r\n')
              .map((line) => [
                line.slice(0, line.indexOf(':')).toLowerCase(),
                line.slice(line.indexOf(':') + 1).trim(),
              ]),
          )
          mails.push({ raw, to: session.envelope.rcptTo.map(({ address }) => address), headers })
          done()
        })
      },
      ...options,
    })
    server.on('error', () => {})
    const listening = server
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    return (listening.server.address() as AddressInfo).port
  }
  const env = (port: number, user = '', query = '') => ({
    MLOPS_SMTP_URL: `smtp://${user}127.0.0.1:${port}${query}`,
    MLOPS_SMTP_FROM: 'ML alerts <ml@example.com>',
  })

  it('is plain text and a page, and its recovery is in the same thread', async () => {
    const port = await start()
    const [sent] = await deliver(context(env(port)), alert(), ['email:ada@example.org'])
    assert.deepEqual(sent, { channel: 'email:ada@example.org', delivered: true, attempts: 1 })
    const end = alert({ state: 'recovered', time: '2026-06-11T08:00:00.000Z', findings: [] })
    await deliver(context(env(port)), end, ['email:ada@example.org'])
    const [first, second] = mails
    assert.deepEqual(first?.to, ['ada@example.org'])
    assert.equal(first?.headers.from, 'ML alerts <ml@example.com>')
    assert.equal(first?.headers['auto-submitted'], 'auto-generated')
    assert.match(first?.headers['content-type'] ?? '', /^multipart\/alternative/)
    assert.equal(first?.headers.subject, '[mlops] churn-model@3 in production: 2 of 20 columns drifted')
    assert.match(second?.headers.subject ?? '', /Recovered/)
    assert.equal(first?.headers.references, second?.headers.references)
    assert.equal(first?.headers['in-reply-to'], first?.headers.references)
    assert.notEqual(first?.headers['message-id'], second?.headers['message-id'])
    assert.match(first?.headers['message-id'] ?? '', /^<mlops\.[0-9a-f]{32}\.[0-9a-f]{32}@example\.com>$/)
    assert.match(first?.raw ?? '', /- tenure: median 12 -> 40/)
  })

  it('has the same name when it is tried again, and the server puts it off only once', async () => {
    let tries = 0
    const port = await start({
      onMailFrom: (_, __, done) => {
        tries++
        if (tries > 1) return done()
        done(Object.assign(new Error('try later'), { responseCode: 451 }))
      },
    })
    const [sent] = await deliver(context(env(port)), alert(), ['email:ada@example.org'], { wire: quickWire().wire })
    assert.deepEqual([sent?.delivered, sent?.attempts, mails.length], [true, 2, 1])
  })

  it('cannot be given further headers or recipients by what it says or by an address', async () => {
    const port = await start()
    await deliver(context(env(port)), worstAlert(), ['email:ada@example.org'])
    const [mail] = mails
    const head = (mail?.raw ?? '').split('\r\n\r\n')[0] ?? ''
    assert.doesNotMatch(head, /^(?:bcc|cc):/im)
    assert.deepEqual(mail?.to, ['ada@example.org'])
    for (const line of (mail?.raw ?? '').split('\r\n'))
      assert.ok(Buffer.byteLength(line) <= 998, `${line.length} bytes in a line`)
    const page = (mail?.raw ?? '').split('text/html')[1] ?? ''
    assert.match(page, /<h2/)
    assert.doesNotMatch(page, /<script>/)
    const bad = ['email:a@b,eve@example.com', 'email:a@b>eve@x', 'email:"a\r\nBcc:e@x"@b', 'email:a@b@c']
    for (const sent of await deliver(context(env(port)), alert(), bad)) {
      assert.deepEqual([sent.delivered, sent.error], [false, 'it is not one mail address'], sent.channel)
    }
    const from = { ...env(port), MLOPS_SMTP_FROM: 'x <a@b>, eve@x' }
    assert.match(
      (await deliver(context(from), alert(), ['email:ada@example.org']))[0]?.error ?? '',
      /MLOPS_SMTP_FROM is not one/,
    )
    assert.equal(mails.length, 1)
  })

  it('logs in with user and password, and neither is shown when the server refuses', async () => {
    const port = await start({
      authOptional: false,
      onAuth: ({ username, password }, _, done) =>
        password === 'pa:ss@word' ? done(null, { user: username }) : done(new Error(`no ${username} ${password}`)),
    })
    const good = await deliver(context(env(port, 'ada:pa%3Ass%40word@')), alert(), ['email:ada@example.org'])
    assert.equal(good[0]?.delivered, true, good[0]?.error)
    const [bad] = await deliver(context(env(port, 'ada:wr0ngwr0ng@')), alert(), ['email:ada@example.org'])
    assert.match(bad?.error ?? '', /does not accept the user and password of MLOPS_SMTP_URL/)
    assert.equal(bad?.attempts, 1)
    assert.doesNotMatch(JSON.stringify(bad), /wr0ng/)
  })

  it('does not go out unencrypted unless the address says so', async () => {
    const port = await start()
    const [refused] = await deliver(context(env(port, '', '/?tls=required')), alert(), ['email:ada@example.org'])
    assert.match(refused?.error ?? '', /no safe connection \(TLS\).*add \?tls=off/)
    assert.deepEqual([refused?.attempts, mails.length], [1, 0])
    assert.equal(
      (await deliver(context(env(port, '', '/?tls=off')), alert(), ['email:ada@example.org']))[0]?.delivered,
      true,
    )
    const plain = (url: string): unknown => (smtpServer(url) as { plain?: boolean }).plain
    assert.deepEqual(
      [
        'smtp://mail.example.com',
        'smtp://localhost',
        'smtp://[::1]',
        'smtps://localhost',
        'smtp://127.evil.example',
      ].map(plain),
      [false, true, true, false, false],
    )
  })

  it('does not go to a server whose certificate nobody signed', async function () {
    const files = selfSigned(this)
    const port = await start({ ...files, disabledCommands: [] })
    const [sent] = await deliver(context(env(port, '', '/?tls=required')), alert(), ['email:ada@example.org'])
    assert.match(sent?.error ?? '', /no safe connection \(TLS\)/)
    assert.equal(mails.length, 0)
  })

  it('names the variable that is missing or wrong', async () => {
    const error = async (env: Record<string, string>) => (await deliver(context(env), alert(), ['email:a@b.c']))[0]
    assert.equal((await error({}))?.missing, 'MLOPS_SMTP_URL')
    assert.equal((await error({ MLOPS_SMTP_URL: 'smtp://localhost' }))?.missing, 'MLOPS_SMTP_FROM')
    assert.match((await error({ MLOPS_SMTP_URL: 'http://ada:hunter22@x' }))?.error ?? '', /must begin with smtp/)
    assert.match((await error({ MLOPS_SMTP_URL: 'smtp://a:%zz@x' }))?.error ?? '', /%25/)
  })
})
