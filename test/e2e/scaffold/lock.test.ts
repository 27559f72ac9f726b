/** requirements.txt of a service: real pip, and a package index on this machine in both forms that indexes have. */
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { skipBecause } from '../../support/skip.ts'
import { ROOT, type TempProject, tempProject } from '../harness.ts'

const PYTHON = join(ROOT, '.cache/venv/bin/python')
const SERVED = ['fastapi', 'httptools', 'prometheus-client', 'pydantic', 'uvicorn', 'uvloop', 'numpy', 'pandas']
const TESTING = ['httpx', 'pytest']

describe('Locked requirements of a service', function () {
  this.timeout(120_000)
  let project: TempProject
  let versions: Record<string, string>
  let server: Server
  let form: 'json' | 'html' | 'down' = 'json'
  let asked = 0
  let env: Record<string, string | undefined>
  const files = (): string[] => readdirSync(project.path('index')).sort()
  const digest = (file: string): string =>
    createHash('sha256')
      .update(readFileSync(project.path('index', file)))
      .digest('hex')
  const plain = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, '-')

  before(async function () {
    if (!existsSync(PYTHON)) skipBecause(this, 'there is no .cache/venv: node .ci/setup-python.js')
    project = tempProject({
      'mlops.yaml': 'models: {m: {schema: {target: y}}}\n',
      'train.py': `open('model.py', 'w').write('def predict(rows):\\n    return [0.5 for _ in rows]\\n')\nprint('auc: 0.9')\n`,
      'train.csv': `x,y\n${Array.from({ length: 60 }, (_, row) => `${row / 7},${row % 2}`).join('\n')}\n`,
    })
    versions = JSON.parse(
      execFileSync(PYTHON, [join(ROOT, 'test/e2e/scaffold/wheels.py'), project.path('index'), ...SERVED, ...TESTING], {
        encoding: 'utf8',
      }),
    )
    server = createServer((request, response) => {
      asked += 1
      const path = decodeURIComponent(request.url ?? '')
      const file = /^\/files\/([^/]+)$/.exec(path)?.[1]
      const name = /^\/simple\/([^/]+)\/$/.exec(path)?.[1]
      if (form === 'down') return response.writeHead(503).end()
      if (file !== undefined) return response.end(readFileSync(project.path('index', file)))
      const found = files().filter((each) => plain(each).startsWith(`${name}-`))
      if (found.length === 0) return response.writeHead(404).end()
      const wantsJson = form === 'json' && String(request.headers.accept).includes('json')
      response.setHeader('content-type', wantsJson ? 'application/vnd.pypi.simple.v1+json' : 'text/html')
      const page = wantsJson
        ? JSON.stringify({
            meta: { 'api-version': '1.0' },
            name,
            files: found.map((each) => ({ filename: each, url: `/files/${each}`, hashes: { sha256: digest(each) } })),
          })
        : `<!DOCTYPE html><html><body>${found.map((each) => `<a href="/files/${each}#sha256=${digest(each)}">${each}</a>`).join('\n')}</body></html>`
      response.end(page)
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const address = `http://me:secret-word@127.0.0.1:${(server.address() as AddressInfo).port}/simple/`
    env = {
      PIP_INDEX_URL: address,
      PIP_EXTRA_INDEX_URL: undefined,
      PIP_FIND_LINKS: undefined,
      PIP_CONFIG_FILE: '/dev/null',
      PIP_NO_CACHE_DIR: '1',
      PIP_RETRIES: '0',
      NO_PROXY: '127.0.0.1',
    }
    await project.mlops(['init', '--yes'])
    await project.mlops([
      'track',
      '--model',
      'm',
      '--data',
      'train=train.csv',
      '--artifact',
      'model.py',
      '--',
      PYTHON,
      'train.py',
    ])
    await project.mlops(['register', 'm', '--run', '@last'])
  })
  after(() => server?.close())

  it('name every file of each version that pip chose under the bounds of the training run', async () => {
    await project.mlops(['scaffold', 'fastapi', 'm'], { env })
    const text = project.read('service/requirements.txt')
    const found = Object.fromEntries(
      text
        .replaceAll(' \\\n', ' ')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => {
          const [pin, ...hashes] = line.split(/\s+/)
          return [pin, hashes.map((each) => each.replace('--hash=sha256:', ''))]
        }),
    )
    const wanted = Object.fromEntries(
      [...SERVED.map((name) => [name, versions[name]] as const), ['helper-of-fastapi', '1.2'] as const].map(
        ([name, version]) => [
          `${name}==${version}`,
          files()
            .filter((file) => plain(file).startsWith(`${name}-${plain(version ?? '')}`))
            .map(digest)
            .sort(),
        ],
      ),
    )
    assert.deepEqual(found, wanted)
    assert.equal(found[`numpy==${versions.numpy}`]?.length, 3)
  })

  it('of its tests are a lock of their own, with which both files are installed together', () => {
    const text = project.read('service/requirements-test.txt')
    for (const name of TESTING) assert.match(text, new RegExp(`^${name}==\\S+ \\\\\n {4}--hash=sha256:`, 'm'))
    assert.doesNotMatch(text, /fastapi==/)
    assert.doesNotMatch(project.read('service/requirements.txt'), /pytest/)
  })

  it('keep no address and no password of the index in any file', () => {
    const grep = spawnSync('grep', [
      '-rE',
      '127.0.0.1|secret-word|simple/',
      project.path('service'),
      '--include=*.txt',
      '--include=*.json',
    ])
    assert.equal(String(grep.stdout), '')
  })

  it('install with --require-hashes, and do not when a byte of a package is another one', async () => {
    // Not spawnSync: the index is in this process.
    const install = (): Promise<number | null> =>
      new Promise((done) => {
        const target = ['--no-compile', '--upgrade', '--target', project.path('installed')]
        const words = [
          '-m',
          'pip',
          'install',
          '--require-hashes',
          ...target,
          '-r',
          project.path('service/requirements.txt'),
          '-r',
          project.path('service/requirements-test.txt'),
        ]
        const child = spawn(PYTHON, words, { env: { ...process.env, ...env, PIP_FIND_LINKS: '' }, stdio: 'ignore' })
        child.on('close', (code) => done(code))
      })
    assert.equal(await install(), 0)
    const name = files().find((file) => file.startsWith('httptools') && file.endsWith('any.whl')) ?? ''
    const bytes = readFileSync(project.path('index', name))
    writeFileSync(project.path('index', name), Buffer.concat([bytes, Buffer.from('x')]))
    assert.notEqual(await install(), 0)
    writeFileSync(project.path('index', name), bytes)
  })

  it('are not resolved again while nothing changed, also without a network', async () => {
    const before = asked
    form = 'down'
    await project.mlops(['scaffold', 'fastapi', '--check'], { env })
    assert.equal(asked, before)
  })

  it('are the same from an index that knows HTML alone', async () => {
    form = 'html'
    const before = project.read('service/requirements.txt')
    const { json } = await project.mlops(['scaffold', 'fastapi', '--relock', '--json'], { env })
    assert.equal(project.read('service/requirements.txt'), before)
    assert.equal(json.data.upToDate, true)
  })

  it('are not written without digests when the index cannot be reached, unless that is asked for', async () => {
    form = 'down'
    const before = project.read('service/requirements.txt')
    const { stderr } = await project.mlops(['scaffold', 'fastapi', '--relock'], { env, code: 1 })
    assert.match(stderr, /pip finds no set of packages|could not be read/)
    assert.match(stderr, /--unlocked/)
    assert.doesNotMatch(stderr, /secret-word/)
    assert.equal(project.read('service/requirements.txt'), before)
    await project.mlops(['scaffold', 'fastapi', 'm', '--unlocked', '--dir', 'loose'], { env })
    const loose = project.read('loose/requirements.txt')
    assert.match(loose, /NOT LOCKED/)
    assert.match(loose, new RegExp(`numpy==${versions.numpy?.replaceAll('.', '\\.')}\n`))
    assert.match(loose, /^uvicorn==/m)
  })

  it('say what pip says when a package of the run is not to be had', async () => {
    form = 'json'
    const { stderr } = await project.mlops(
      ['scaffold', 'fastapi', 'm', '--with', 'no-such-package', '--dir', 'third'],
      { env, code: 1 },
    )
    assert.match(stderr, /no-such-package/)
    assert.equal(existsSync(project.path('third')), false)
  })

  it('need a Python of the version the model was trained with', async () => {
    const { stderr } = await project.mlops(['scaffold', 'fastapi', 'm', '--dir', 'fourth', '--python', '/bin/true'], {
      env,
      code: 2,
    })
    assert.match(stderr, /Python 3\.\d+, with which the model was trained[\s\S]*--python/)
  })
})
