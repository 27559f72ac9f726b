/** Which way a request takes: by the variables, and through a real proxy with TLS of an authority of our own. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { httpRequest, type NetProblem } from '../../../src/net/http.ts'
import { type NetEnv, proxyFor } from '../../../src/net/proxy.ts'
import { certificates } from '../../support/certificates.ts'
import { type FakeGitHub, fakeGitHub, TOKEN } from '../../support/github.ts'
import { type ForwardProxy, type ForwardProxyOptions, proxy } from '../../support/proxy.ts'

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
const HOST = 'github.test'

describe('A request', () => {
  const way = (url: string, env: NetEnv): string | undefined => proxyFor(new URL(url), env)?.href

  it('goes through the proxy of its scheme, in lower case first, else that for all', () => {
    const env = {
      HTTPS_PROXY: 'http://upper:1',
      https_proxy: 'lower:2',
      HTTP_PROXY: 'http://clear:3',
      ALL_PROXY: 'all:4',
    }
    assert.equal(way('https://api.github.com', env), 'http://lower:2/')
    assert.equal(way('https://api.github.com', { ...env, https_proxy: ' ' }), 'http://upper:1/')
    assert.equal(way('http://hooks.example', env), 'http://clear:3/')
    assert.equal(way('http://hooks.example', { all_proxy: 'http://u:p@all:4' }), 'http://u:p@all:4/')
    assert.equal(way('https://api.github.com', {}), undefined)
  })

  it('goes straight to what NO_PROXY names: hosts and all below, addresses, networks, ports', () => {
    const isDirect = (url: string, list: string): boolean =>
      way(url, { HTTPS_PROXY: 'p:1', HTTP_PROXY: 'p:1', NO_PROXY: list }) === undefined
    for (const [url, list] of [
      ['https://github.com', '*'],
      ['https://github.com', 'a.b, GitHub.com'],
      ['https://api.github.com', 'github.com'],
      ['https://api.github.com', '.github.com'],
      ['https://api.github.com', '*.github.com x'],
      ['https://git.corp:8443', 'git.corp:8443'],
      ['https://git.corp', 'git.corp:443'],
      ['https://10.1.2.3', '10.0.0.0/8'],
      ['https://[fd00::1]', 'fd00::/8'],
      ['https://[fd00::1]:8443', '[fd00::1]:8443'],
      ['https://192.0.2.1', '192.0.2.1'],
    ] as const) {
      assert.ok(isDirect(url, list), `${url} ${list}`)
    }
    for (const [url, list] of [
      ['https://github.com', ''],
      ['https://evilgithub.com', 'github.com'],
      ['https://github.com.evil', 'github.com'],
      ['https://git.corp:8443', 'git.corp:443'],
      ['https://11.1.2.3', '10.0.0.0/8'],
      ['https://10.1.2.3.evil', '10.0.0.0/8'],
      ['https://10.1.2.3', '10.0.0.0/99, 10.0.0/8, /8'],
    ] as const) {
      assert.ok(!isDirect(url, list), `${url} ${list}`)
    }
  })

  it('to this machine never goes through a proxy', () => {
    for (const url of ['http://localhost:8080', 'https://127.0.0.2', 'http://[::1]:1', 'http://x.localhost']) {
      assert.equal(way(url, { ALL_PROXY: 'p:1' }), undefined, url)
    }
    assert.notEqual(way('http://127.0.0.1.evil.example', { ALL_PROXY: 'p:1' }), undefined)
  })

  it('is not made through a proxy that cannot be used; its password is in no word', async () => {
    for (const [value, words] of [
      [
        'socks5://ada:hunter2@p:1',
        /HTTPS_PROXY names a proxy of the kind socks5:\/\/; only http:\/\/ and https:\/\/ work/,
      ],
      ['http://ada:hunter2@:x', /HTTPS_PROXY is not the address of a proxy/],
    ] as const) {
      const request = httpRequest({ url: 'https://github.test/' }, { env: { HTTPS_PROXY: value }, timeout: 1_000 })
      const error = (await request.catch((thrown: unknown) => thrown)) as NetProblem
      assert.match(error.message, words)
      assert.doesNotMatch(error.message, /hunter2/)
      assert.deepEqual([error.permanent, error.sent], [true, false])
    }
  })

  describe('through a real proxy', function () {
    this.timeout(120_000)
    let folder: string
    let authority: string
    let tls: { key: Buffer; cert: Buffer }
    let hub: FakeGitHub
    let between: ForwardProxy
    before(function () {
      folder = mkdtempSync(join(tmpdir(), 'mlops-tls-'))
      ;({ authority, tls } = certificates(this, folder, [HOST, '127.0.0.1']))
    })
    after(() => rmSync(folder, { recursive: true, force: true }))
    const begin = async (options: Omit<ForwardProxyOptions, 'hosts'> = {}): Promise<void> => {
      hub = await fakeGitHub({ tls })
      between = await proxy({ hosts: { [HOST]: hub.port }, ...options })
    }
    afterEach(async () => {
      await hub?.close()
      await between?.close()
    })

    /** In a process of its own: the authorities of Node are read when it starts. */
    function ask(url: string, env: Record<string, string>, node = process.execPath) {
      const program = `
        import { httpRequest } from '${join(ROOT, 'src/net/http.ts')}'
        const headers = { authorization: 'Bearer ${TOKEN}', accept: 'application/vnd.github+json', 'user-agent': 'x', 'x-github-api-version': '2022-11-28' }
        try {
          const { status, text } = await httpRequest({ method: 'GET', url: '${url}', headers }, { env: process.env, timeout: 20000 })
          console.log(JSON.stringify({ status, branch: JSON.parse(text || '{}').default_branch }))
        } catch ({ message, permanent, sent }) {
          console.log(JSON.stringify({ message, permanent, sent }))
        }`
      const child = spawn(node, ['--import', 'tsx', '--input-type=module', '-e', program], {
        cwd: ROOT,
        env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: authority, ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let out = ''
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk
      })
      return new Promise<Record<string, unknown>>((resolve) => child.on('close', () => resolve(JSON.parse(out))))
    }
    const URL = `https://${HOST}/repos/acme/ml`

    it('reaches a host that only the proxy knows, by CONNECT and TLS inside', async () => {
      await begin()
      assert.deepEqual(await ask(URL, { HTTPS_PROXY: between.url }), { status: 200, branch: 'main' })
      assert.deepEqual(between.asked, [`CONNECT ${HOST}:443`])
      assert.equal(hub.asked[0]?.headers.host, HOST)
      assert.equal(hub.asked[0]?.headers['proxy-authorization'], undefined)
      const direct = await ask(URL, { HTTPS_PROXY: between.url, NO_PROXY: '.test' })
      assert.match(String(direct.message), /the host name (?:is unknown|could not be looked up)/)
      assert.equal(between.asked.length, 1)
    })

    it('gives the proxy its user and password, and says when it wants one', async () => {
      await begin({ account: 'ada:p@ss word' })
      const account = between.url.replace('//', '//ada:p%40ss%20word@')
      assert.equal((await ask(URL, { HTTPS_PROXY: account })).status, 200)
      const refused = await ask(URL, { HTTPS_PROXY: between.url })
      assert.deepEqual(refused, {
        message: 'the proxy wants a user and a password (407)',
        permanent: true,
        sent: false,
      })
    })

    it('goes through a proxy that is reached by TLS itself', async () => {
      await begin({ tls })
      assert.equal((await ask(URL, { https_proxy: between.url })).status, 200)
    })

    it('trusts nobody whom it should not: neither another authority nor another name', async () => {
      await begin()
      const env = { HTTPS_PROXY: between.url }
      const unknown = await ask(URL, { ...env, NODE_EXTRA_CA_CERTS: '' })
      assert.match(String(unknown.message), /no safe connection \(TLS\).*NODE_EXTRA_CA_CERTS names a file/)
      assert.deepEqual([unknown.permanent, hub.asked.length], [true, 0])
      await between.close()
      between = await proxy({ hosts: { 'other.test': hub.port } })
      const other = await ask(URL.replace(HOST, 'other.test'), { HTTPS_PROXY: between.url })
      assert.match(String(other.message), /no safe connection \(TLS\).*other\.test/)
      assert.equal(hub.asked.length, 0)
    })

    it('says that the far end cannot be reached, and tries no other way', async () => {
      await begin()
      const gone = await ask('https://nowhere.test/', { HTTPS_PROXY: between.url })
      assert.deepEqual(gone, { message: 'the proxy refused the connection (502)', permanent: false, sent: false })
    })

    it('in the clear is asked for with its whole address', async () => {
      await begin()
      const clear = await fakeGitHub()
      await between.close()
      between = await proxy({ hosts: { [HOST]: clear.port } })
      const answer = await ask(`http://${HOST}/repos/acme/ml?a=1`, { HTTP_PROXY: between.url })
      assert.equal(answer.status, 200)
      assert.deepEqual(between.asked, [`GET http://${HOST}/repos/acme/ml?a=1`])
      await clear.close()
    })
  })

  it('whose answer is lost says whether it can have arrived', async () => {
    const lost = await fakeGitHub({ fault: () => ({ status: 0, instead: 'cut' }) })
    const never = await fakeGitHub({ fault: () => ({ status: 0, instead: 'hang' }) })
    const problem = async (url: string): Promise<NetProblem> =>
      (await httpRequest({ url }, { env: {}, timeout: 300 }).catch((thrown: unknown) => thrown)) as NetProblem
    const cut = await problem(lost.api)
    assert.deepEqual([cut.message, cut.sent, cut.permanent], ['the connection was cut (ECONNRESET)', true, false])
    const late = await problem(never.api)
    assert.deepEqual([late.message, late.sent], ['no answer within 0.3 s', true])
    await Promise.all([lost.close(), never.close()])
    assert.equal((await problem(lost.api)).sent, false)
  })

  it('that TLS refuses was never sent', async function () {
    const folder = mkdtempSync(join(tmpdir(), 'mlops-tls-'))
    const { tls } = certificates(this, folder, ['localhost'])
    let asked = 0
    const server = createServer(tls, () => asked++)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const error = (await httpRequest({ url }, { env: {}, timeout: 5_000 }).catch(
      (thrown: unknown) => thrown,
    )) as NetProblem
    assert.deepEqual([error.sent, error.permanent, asked], [false, true, 0])
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true })
  })
})
