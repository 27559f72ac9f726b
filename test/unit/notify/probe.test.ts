/** Whether a channel answers: real listeners, nothing sent. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from '../../../src/core/context.ts'
import { probeChannels } from '../../../src/notify/probe.ts'

describe('A channel that is probed', () => {
  let server: Server
  let port = 0
  let heard = ''
  let connections = 0
  let root = ''
  before((done) => {
    root = mkdtempSync(join(tmpdir(), 'mlops-probe-'))
    server = createServer((socket) => {
      connections++
      socket.on('data', (chunk) => {
        heard += chunk.toString()
      })
      socket.on('error', () => undefined)
    }).listen(0, '127.0.0.1', () => {
      const at = server.address()
      port = typeof at === 'object' && at !== null ? at.port : 0
      done()
    })
  })
  after(() => {
    server.close()
    rmSync(root, { recursive: true })
  })

  const probe = async (channel: string, env: Record<string, string> = {}, offline = false) => {
    const ctx: Context = {
      cwd: root,
      env,
      actor: { name: 'ada', origin: 'local' },
      tool: 'mlops 0.1.0',
      now: () => new Date(),
      warn: () => undefined,
    }
    const [found] = await probeChannels(ctx, [channel], { root, offline, timeout: 2000 })
    assert.ok(found)
    return found
  }

  it('answers where its host takes a connection, and hears nothing', async () => {
    const before = connections
    const found = await probe(`webhook:http://127.0.0.1:${port}/secret-path`)
    assert.deepEqual(found, { channel: `webhook:http://127.0.0.1:${port}/…`, answers: true, why: null, missing: null })
    assert.equal(
      (await probe('email:ml@example.com', { MLOPS_SMTP_URL: `smtp://127.0.0.1:${port}`, MLOPS_SMTP_FROM: 'a@b.org' }))
        .answers,
      true,
    )
    assert.equal((await probe('slack:#ml', { MLOPS_SLACK_WEBHOOK: `http://127.0.0.1:${port}/x` })).answers, true)
    await new Promise((done) => setTimeout(done, 50))
    assert.deepEqual([connections - before, heard], [3, ''])
  })

  it('is asked through the proxy that a message would take', async () => {
    let asked = ''
    const proxy = createServer((socket) => {
      socket.once('data', (chunk) => {
        asked = chunk.toString().split('\r\n')[0] ?? ''
        socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
      })
    })
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
    const at = proxy.address()
    const proxyPort = typeof at === 'object' && at !== null ? at.port : 0
    try {
      const found = await probe('webhook:https://hooks.example.com/x', { HTTPS_PROXY: `http://127.0.0.1:${proxyPort}` })
      assert.equal(asked, 'CONNECT hooks.example.com:443 HTTP/1.1')
      assert.equal(found.answers, false)
    } finally {
      proxy.close()
    }
  })

  it('does not answer where nobody listens, and says so', async () => {
    const closed = createServer()
    await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done))
    const at = closed.address()
    const free = typeof at === 'object' && at !== null ? at.port : 0
    await new Promise((done) => closed.close(done))
    const found = await probe(`webhook:http://127.0.0.1:${free}/x`)
    assert.equal(found.answers, false)
    assert.match(found.why ?? '', /refused/)
  })

  it('that lacks its variable names it', async () => {
    const found = await probe('slack:#ml-alerts')
    assert.deepEqual([found.answers, found.missing], [false, 'MLOPS_SLACK_WEBHOOK_ML_ALERTS'])
    assert.equal((await probe('pagerduty')).missing, 'MLOPS_PAGERDUTY_KEY')
    assert.equal((await probe('github')).missing, 'MLOPS_GITHUB_TOKEN')
    assert.equal((await probe('email:ml@example.com')).missing, 'MLOPS_SMTP_URL')
  })

  it('with a TLS address does not answer where there is no TLS', async () => {
    const found = await probe(`webhook:https://127.0.0.1:${port}/x`)
    assert.equal(found.answers, false)
  })

  it('of a file may be written, and is not made', async () => {
    assert.equal((await probe('file:alerts.jsonl')).answers, true)
    assert.deepEqual(readdirSync(root), [])
    assert.match((await probe('file:no/such/alerts.jsonl')).why ?? '', /its folder does not exist/)
  })

  it('is not asked when one stays offline, but what is not set is still said', async () => {
    const before = connections
    assert.equal((await probe(`webhook:http://127.0.0.1:${port}/x`, {}, true)).answers, null)
    assert.equal((await probe('pagerduty', {}, true)).answers, false)
    assert.equal(connections, before)
  })
})
