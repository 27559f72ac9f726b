/**
 * The environment record of a run, with real environments that real installers filled, and both writers of runs. The odd
 * things that lie about in environments, and lock files of all managers, are tested in test/python/client/test_environment.py.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { arch, platform, release } from 'node:os'
import { join } from 'node:path'
import { sha256File } from '../../../src/core/digest.ts'
import type { EnvironmentRecord, PythonFacts } from '../../../src/store/run-records.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { hostFacts } from '../../../src/tracking/capture/environment.ts'
import { readGpus } from '../../../src/tracking/capture/gpus.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import { skipBecause } from '../../support/skip.ts'
import { CLIENT, ROOT, type Workshop, workshop } from './support.ts'

const quiet = { stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'], encoding: 'utf8' as const }

describe('The environment of a run', () => {
  let shop: Workshop
  let venv: string
  const inShop = (path: string): string => join(shop.root, path)
  const pip = (...args: string[]): string =>
    execFileSync(PYTHON, ['-m', 'pip', '--python', join(venv, 'bin/python'), '-q', ...args], {
      ...quiet,
      cwd: shop.root,
      env: { ...process.env, PIP_NO_INDEX: '1', PIP_FIND_LINKS: inShop('wheels'), PIP_DISABLE_PIP_VERSION_CHECK: '1' },
    })
  const recordOf = async (python: PythonFacts | undefined): Promise<EnvironmentRecord> => {
    assert.ok(python?.environment !== undefined)
    const record = await shop.store.objects.readJson<EnvironmentRecord>(python.environment.sha256)
    assert.equal(record.manager, python.environment.manager)
    return record
  }

  before(function () {
    needsPython(this)
  })
  beforeEach(async function () {
    this.timeout(60_000)
    shop = await workshop({ 'mlops.yaml': '', 'train.py': 'print("auc: 0.5")\n', '.gitignore': '.mlops/\n' })
    venv = inShop('.venv')
    execFileSync(PYTHON, [join(ROOT, 'test/python/make_packages.py'), shop.root], quiet)
    execFileSync(PYTHON, ['-m', 'venv', '--without-pip', venv], quiet)
  })
  afterEach(async () => {
    const report = await verifyStore(shop.store.root)
    shop.remove()
    assert.deepEqual([report.damages, report.warnings], [[], []])
  })

  it('is what pip installed: from hashes, an archive, an editable folder and a repository', async function () {
    this.timeout(60_000)
    const tiny = await sha256File(inShop('wheels/tiny-1.0-py3-none-any.whl'))
    const other = await sha256File(inShop('wheels/other-2.0-py3-none-any.whl'))
    const lock = `--extra-index-url https://bob:hunter2@pypi.example.com/simple\ntiny==1.0 \\\n    --hash=sha256:${tiny.sha256}\n`
    shop.write('requirements.txt', lock)
    pip('install', '--require-hashes', '-r', 'requirements.txt')
    pip('install', inShop('wheels/other-2.0-py3-none-any.whl'))
    pip('install', '-e', inShop('mine'))
    const run = await shop.track([join(venv, 'bin/python'), 'train.py'])
    const record = await recordOf(run.start.python)
    const [mine, second, first] = record.packages
    assert.deepEqual(mine, { name: 'mine', version: '0.1', from: { kind: 'editable', url: 'mine' } })
    assert.deepEqual(
      [second?.from, second?.hashes],
      [{ kind: 'archive', url: 'wheels/other-2.0-py3-none-any.whl' }, [`sha256:${other.sha256}`]],
    )
    assert.deepEqual([first?.name, first?.from, first?.hashes], ['tiny', undefined, [`sha256:${tiny.sha256}`]])
    assert.equal(record.packages.length, 3)
    assert.deepEqual([run.start.python?.environment?.manager, run.start.python?.environment?.hashed], ['pip', 2])
    assert.deepEqual([record.python.version, record.python.implementation], [run.start.python?.version, 'cpython'])
    assert.ok(existsSync(record.python.base) && !record.python.base.startsWith(shop.root))
    assert.deepEqual(
      record.locks.map(({ path }) => path),
      ['requirements.txt'],
    )
    const kept = (await shop.store.objects.read(record.locks[0]?.sha256 ?? '')).toString()
    assert.equal(kept, lock.replace('bob:hunter2@', ''))

    const git = (...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { ...quiet, cwd: inShop('mine') })
    git('init', '-q')
    git('add', '.')
    git('commit', '-q', '-m', 'x')
    pip('install', '--force-reinstall', `git+file://${inShop('mine')}`)
    const again = await recordOf((await shop.track([join(venv, 'bin/python'), 'train.py'])).start.python)
    const commit = git('rev-parse', 'HEAD').trim()
    assert.deepEqual(again.packages[0]?.from, { kind: 'vcs', url: `file://${inShop('mine')}`, vcs: 'git', commit })
    assert.ok(again.packages[0]?.installed !== undefined)
  })

  it('is the same whoever writes the run, and whoever installed the same archive', async function () {
    this.timeout(60_000)
    pip('install', 'tiny', 'other')
    shop.write('client.py', 'import mlops\nmlops.log_metric("auc", 0.5)\n')
    const run = await shop.track([join(venv, 'bin/python'), 'train.py'])
    const env = { PATH: process.env.PATH, PYTHONPATH: CLIENT, PYTHONDONTWRITEBYTECODE: '1' }
    execFileSync(join(venv, 'bin/python'), ['client.py'], { ...quiet, cwd: shop.root, env })
    const id = (await shop.store.runs.list()).find((each) => each !== run.runId) ?? ''
    const { start } = await shop.store.runs.read(id)
    assert.deepEqual(start.python, run.start.python)
    assert.deepEqual({ ...start.host, gpus: undefined }, { ...run.start.host, gpus: undefined })

    const uv = [process.env.PATH?.split(':').map((folder) => join(folder, 'uv')) ?? [], join(PYTHON, '../uv')]
      .flat()
      .find(existsSync)
    if (uv === undefined) skipBecause(this, 'uv is not installed')
    const byPip = (await recordOf(start.python)).packages
    const args = ['--offline', '--no-index', '--find-links', 'wheels']
    execFileSync(uv, ['venv', '-q', '--clear', '--offline', '-p', PYTHON, venv], { ...quiet, cwd: shop.root })
    execFileSync(uv, ['pip', 'install', '-q', ...args, '-p', join(venv, 'bin/python'), 'tiny', 'other'], {
      ...quiet,
      cwd: shop.root,
    })
    const byUv = await recordOf(
      (
        await shop.track(['uv', 'run', 'train.py'], {
          environment: { PATH: `${join(uv, '..')}:${process.env.PATH}`, UV_OFFLINE: '1', UV_NO_SYNC: '1' },
        })
      ).start.python,
    )
    assert.deepEqual([byUv.manager, byUv.packages], ['uv', byPip])
  })

  it('sees what the command sees: neither PYTHONPATH nor the folder of the script under -I', async function () {
    this.timeout(60_000)
    pip('install', '--target', inShop('vendored'), 'tiny')
    pip('install', 'other')
    const environment = { PYTHONPATH: inShop('vendored') }
    const names = async (...command: string[]) =>
      (await recordOf((await shop.track(command, { environment })).start.python)).packages.map(({ name }) => name)
    const python = join(venv, 'bin/python')
    assert.deepEqual(await names(python, 'train.py'), ['other', 'tiny'])
    assert.deepEqual(await names(python, '-I', 'train.py'), ['other'])
    assert.deepEqual(await names(python, '-uE', 'train.py'), ['other'])
  })

  describe('behind a shim that looks for the right Python', () => {
    const track = async (shim: string) => {
      shop.write('bin/python', `#!/bin/sh\necho x >> '${inShop('searches')}'\n${shim}\n`)
      chmodSync(inShop('bin/python'), 0o755)
      const environment = { PATH: `${inShop('bin')}:${process.env.PATH}` }
      return (await shop.track(['python', 'train.py'], { environment })).start.python
    }

    it('is asked of the Python that was found, without looking again', async function () {
      if (platform() !== 'linux') skipBecause(this, 'only Linux tells what a process has become')
      shop.write('train.py', 'import time\ntime.sleep(0.5)\n')
      const python = await track(`sleep 0.1\nexec '${join(venv, 'bin/python')}' "$@"`)
      assert.equal(python?.executable, join(venv, 'bin/python'))
      assert.equal(shop.read('searches'), 'x\n')
    })

    it('is asked through it when the command has ended before it could be seen', async () => {
      const python = await track(`case $1 in train.py) exit 0;; esac\nexec '${join(venv, 'bin/python')}' "$@"`)
      assert.equal(python?.executable, join(venv, 'bin/python'))
      assert.equal(shop.read('searches'), 'x\nx\n')
    })
  })

  it('is asked of nothing that a folder on PYTHONPATH shadows', async () => {
    for (const name of ['json', 'hashlib', 're', 'sysconfig', 'platform', 'subprocess', '_packages', 'urllib']) {
      shop.write(`shadows/${name}.py`, `open(${JSON.stringify(inShop('shadow-ran'))}, "w")\nraise SystemExit(3)\n`)
    }
    const environment = { PYTHONPATH: inShop('shadows') }
    const { start } = await shop.track([join(venv, 'bin/python'), '-c', 'pass'], { environment })
    assert.deepEqual((await recordOf(start.python)).packages, [])
    assert.ok(!existsSync(inShop('shadow-ran')))
  })

  it('is found where poetry, pixi and conda keep it, without running them', async () => {
    const python = join(venv, 'bin/python')
    for (const [launcher, folder] of [
      ['poetry', '.venv'],
      ['pixi', '.pixi/envs/default'],
      ['conda', 'envs/churn'],
    ] as const) {
      shop.write(`bin/${launcher}`, '#!/bin/sh\nexit 0\n')
      chmodSync(inShop(`bin/${launcher}`), 0o755)
      if (folder !== '.venv') execFileSync(PYTHON, ['-m', 'venv', '--without-pip', inShop(folder)], quiet)
    }
    shop.write('pyproject.toml', '[project]\nname = "churn"\n')
    const PATH = `${inShop('bin')}:${process.env.PATH}`
    const used = async (...command: string[]) =>
      (await shop.track(command, { environment: { PATH, CONDA_EXE: inShop('bin/conda') } })).start.python?.executable
    assert.equal(await used('poetry', 'run', 'python', 'train.py'), python)
    assert.equal(await used('env', 'X=1', 'pixi', 'run', 'python', 'train.py'), inShop('.pixi/envs/default/bin/python'))
    assert.equal(await used('conda', 'run', '-n', 'churn', 'python', 'train.py'), inShop('envs/churn/bin/python'))
    const unknown = await shop.track(['conda', 'run', '-n', 'other', 'python', 'train.py'], { environment: { PATH } })
    assert.equal(unknown.start.python, undefined)
    assert.match(
      unknown.warnings.join('\n'),
      /no packages are recorded: nobody can tell .* which Python `conda run` uses/,
    )
  })
})

describe('The environment of `uv run`', () => {
  let shop: Workshop
  before(function () {
    needsPython(this)
  })
  beforeEach(async () => {
    shop = await workshop({ 'mlops.yaml': '', 'train.py': 'print("auc: 0.5")\n' })
  })
  afterEach(() => shop.remove())

  it('is that which it made or brought up to date for the command, not that from before', async function () {
    this.timeout(60_000)
    // What uv does, in the order in which it does it; the real one is used above, where it is there.
    const script = [
      '#!/bin/sh',
      'shift',
      `[ -d .venv ] || ${PYTHON} -m venv --without-pip .venv`,
      'site=$(echo .venv/lib/python3*/site-packages)',
      '[ ! -e wanted ] || mv wanted "$site/$(cat wanted/name)-1.0.dist-info"',
      'exec .venv/bin/python "$@"',
    ]
    shop.write('bin/uv', script.join('\n'))
    chmodSync(join(shop.root, 'bin/uv'), 0o755)
    const packages = async (wanted?: string) => {
      if (wanted !== undefined) {
        shop.write('wanted/name', wanted)
        shop.write('wanted/METADATA', `Metadata-Version: 2.1\nName: ${wanted}\nVersion: 1.0\n`)
      }
      const PATH = `${join(shop.root, 'bin')}:${process.env.PATH}`
      const run = await shop.track(['uv', 'run', 'train.py'], { environment: { PATH } })
      assert.deepEqual(
        run.warnings.filter((warning) => !warning.includes('git')),
        [],
      )
      const { start } = await shop.store.runs.read(run.runId)
      assert.deepEqual(start.python, run.start.python)
      return (await shop.store.objects.read(start.python?.lock?.sha256 ?? '')).toString()
    }
    assert.equal(await packages(), '')
    assert.equal(await packages('one'), 'one==1.0\n')
    assert.equal(await packages('two'), 'one==1.0\ntwo==1.0\n')
    assert.equal(await packages(), 'one==1.0\ntwo==1.0\n')
  })
})

describe('The host of a run', () => {
  let shop: Workshop
  beforeEach(async () => {
    shop = await workshop({ 'mlops.yaml': '' })
  })
  afterEach(() => shop.remove())

  const smi = (script: string): string => {
    shop.write('bin/nvidia-smi', `#!/bin/sh\n${script}`)
    chmodSync(join(shop.root, 'bin/nvidia-smi'), 0o755)
    return `${join(shop.root, 'bin')}:${process.env.PATH}`
  }

  it('names its processor and its kernel', function () {
    if (platform() !== 'linux' || arch() !== 'x64')
      skipBecause(this, 'only Linux on x86 names its processor in one way')
    const facts = hostFacts()
    assert.equal(facts.release, release())
    assert.ok(
      readFileSync('/proc/cpuinfo', 'utf8')
        .replace(/ +/g, ' ')
        .includes(facts.cpu ?? 'no name'),
    )
  })

  it('has the graphics cards that nvidia-smi lists, also when it takes its time', async () => {
    const PATH = smi('sleep 0.2\necho "NVIDIA A100-SXM4-40GB, 40960, 535.104.05"\ntouch "$(dirname "$0")/../said"\n')
    const wait = 'until [ -e said ]; do sleep 0.05; done; sleep 1'
    const { runId } = await shop.track(['sh', '-c', wait], { environment: { PATH } })
    const { start, end } = await shop.store.runs.read(runId)
    const gpus = [{ name: 'NVIDIA A100-SXM4-40GB', memory: 40_960 * 1_048_576, driver: '535.104.05' }]
    assert.deepEqual(start.host, { ...hostFacts(), gpus })
    assert.deepEqual(end?.late?.host?.gpus, gpus)
  })

  it('does not wait for an nvidia-smi that hangs, and leaves none behind', async () => {
    const PATH = smi('echo $$ > "$(dirname "$0")/../pid"\nexec sleep 1000\n')
    const { start } = await shop.track(['sh', '-c', 'until [ -s pid ]; do sleep 0.01; done'], { environment: { PATH } })
    assert.equal(start.host.gpus, undefined)
    const pid = shop.read('pid').trim()
    while (spawnSync('kill', ['-0', pid]).status === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  })

  it('has no graphics card that nvidia-smi does not name', () => {
    assert.deepEqual(readGpus('No devices were found\n'), [])
    assert.deepEqual(readGpus('NVIDIA GB10, [N/A], [Not Supported]\nA, B, 10, 1.2\n'), [
      { name: 'NVIDIA GB10' },
      { name: 'A, B', memory: 10 * 1_048_576, driver: '1.2' },
    ])
  })
})
