/** A team of two clones of the code and a CI runner, who share one store by the remote of the code: the built binary. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { PYTHON } from '../../support/python.ts'
import { skipBecause } from '../../support/skip.ts'
import {
  assertMatchesSchema,
  BINARY,
  cleanEnv,
  ROOT,
  type RunOptions,
  type TempProject,
  tempProject,
} from '../harness.ts'

const WHO = ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com', '-c', 'init.defaultBranch=main']
const git = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('git', [...WHO, ...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

describe('A store that a team shares by the remote of its code', function () {
  this.timeout(180_000)
  let top: TempProject
  /** Runs in the clone that is called so. */
  const inClone = (name: string, args: readonly string[], options: RunOptions & { code?: number } = {}) =>
    top.mlops(args, { ...options, cwd: top.path(name) })

  before(async () => {
    top = tempProject()
    git(top.dir, 'init', '--quiet', '--bare', 'remote.git')
    git(top.dir, 'clone', '--quiet', 'remote.git', 'ada')
    top.write('ada/train.py', "open('model.bin', 'w').write('model')\n")
    git(top.path('ada'), 'add', '.')
    git(top.path('ada'), 'commit', '--quiet', '-m', 'code')
    git(top.path('ada'), 'push', '--quiet', 'origin', 'HEAD:main')
  })

  it('is made by init --remote, also where there is an mlops.yaml, of which it changes one line', async () => {
    await inClone('ada', ['init', '--yes', '--name', 'churn-model'])
    const before = top.read('ada/mlops.yaml').split('\n')
    const { json } = await inClone('ada', ['init', '--remote', 'origin', '--json'])
    assertMatchesSchema('init', json)
    assert.deepEqual([json.data.joined, json.data.sharing], ['branch', { remote: 'origin', branch: 'mlops-store' }])
    const after = top.read('ada/mlops.yaml').split('\n')
    const changed = after.filter((line, n) => line !== before[n])
    assert.equal(after.length, before.length)
    assert.match(changed.join('\n'), /^store: \{path: \.mlops, remote: origin, branch: mlops-store\} +# everything/)
    const again = await inClone('ada', ['init', '--json'])
    assert.deepEqual([again.json.data.changed, again.json.data.joined], [false, 'present'])
    git(top.path('ada'), 'add', '.')
    git(top.path('ada'), 'commit', '--quiet', '-m', 'mlops')
    git(top.path('ada'), 'push', '--quiet', 'origin', 'HEAD:main')
  })

  it('comes to a fresh, shallow clone of the code by the first command there', async () => {
    await inClone('ada', ['register', 'churn-model', '--artifact', 'train.py'])
    const url = `file://${top.path('remote.git')}`
    git(top.dir, 'clone', '--quiet', '--depth', '1', '--branch', 'main', url, 'bob')
    const { json } = await inClone('bob', ['model', 'list', '--json'])
    assert.deepEqual(
      json.data.models.map(({ model, versions }: { model: string; versions: number }) => [model, versions]),
      [['churn-model', 1]],
    )
    assert.equal(git(top.path('bob'), 'status', '--short'), '')
  })

  it('gives everybody the next number, and what one moves the other sees', async () => {
    top.write('bob/second.bin', 'second')
    await inClone('bob', ['register', 'churn-model', '--artifact', 'second.bin'])
    await inClone('ada', ['promote', 'churn-model@1', '--to', 'staging', '--yes'])
    await inClone('bob', ['promote', 'churn-model@2', '--to', 'staging', '--yes'])
    const { json } = await inClone('ada', ['model', 'history', 'churn-model', '--json'])
    const text = JSON.stringify(json.data)
    assert.match(text, /"version":2/)
    const { json: verified } = await inClone('ada', ['store', 'verify', '--json'])
    assert.equal(verified.data.ok, true)
    await inClone('ada', ['model', 'verify', 'churn-model@2'])
  })

  it('is verified as the team has it; where the remote does not answer, as of when it was heard of', async () => {
    const { json } = await inClone('bob', ['store', 'verify', '--json'])
    await inClone('ada', ['model', 'tag', 'churn-model@1', '--add', 'seen'])
    const now = await inClone('bob', ['store', 'verify', '--json'])
    assert.equal(now.json.data.events, json.data.events + 1)
    renameSync(top.path('remote.git'), top.path('away.git'))
    try {
      const away = await inClone('bob', ['store', 'verify', '--json'])
      assert.equal(away.json.data.events, now.json.data.events)
      assert.match(away.json.warnings.join('\n'), /origin does not answer .*What is shown is as of \d{4}-/)
    } finally {
      renameSync(top.path('away.git'), top.path('remote.git'))
    }
    await inClone('bob', ['store', 'pull'])
  })

  it('is read by the Python of a service that has the folder mounted, once somebody pulled', async function () {
    const { json } = await inClone('ada', ['store', 'pull', '--json'])
    assertMatchesSchema('store pull', json)
    if (!existsSync(PYTHON)) skipBecause(this, 'the Python environment of the tests is not set up')
    const code =
      'from app.registry import Store; from pathlib import Path; import sys; ' +
      's = Store(Path(sys.argv[1]), "churn-model", "staging"); w = s.wanted(); print(w.version, s.path_of(w.manifest).exists())'
    const path = [join(ROOT, 'templates/python'), join(ROOT, 'templates/fastapi')].join(':')
    const out = execFileSync(PYTHON, ['-c', code, top.path('ada/.mlops')], {
      encoding: 'utf8',
      env: { ...process.env, PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: '1' },
    })
    assert.equal(out, '2 True\n')
  })

  it('is found by the Python client, by the line that init wrote', function () {
    if (!existsSync(PYTHON)) skipBecause(this, 'the Python environment of the tests is not set up')
    const code = 'import os; from mlops._project import find_project; print(find_project(os.getcwd(), {}).store)'
    const env = { ...process.env, PYTHONPATH: join(ROOT, 'templates/python'), PYTHONDONTWRITEBYTECODE: '1' }
    assert.equal(
      execFileSync(PYTHON, ['-c', code], { cwd: top.path('ada'), encoding: 'utf8', env }),
      `${top.path('ada/.mlops')}\n`,
    )
  })

  it("comes to a fresh clone by the first run of a script too, and never as a store of the script's own", async function () {
    if (!existsSync(PYTHON)) skipBecause(this, 'the Python environment of the tests is not set up')
    git(top.dir, 'clone', '--quiet', '--branch', 'main', top.path('remote.git'), 'carol')
    const code = 'import mlops; mlops.start("churn-model"); mlops.log_metric("auc", 0.9); mlops.end()'
    const script = (bin: string): string => {
      const env = {
        ...cleanEnv(),
        PYTHONPATH: join(ROOT, 'templates/python'),
        PYTHONDONTWRITEBYTECODE: '1',
        MLOPS_BIN: bin,
      }
      return spawnSync(PYTHON, ['-c', code], { cwd: top.path('carol'), encoding: 'utf8', env }).stderr
    }
    assert.match(script('/nonexistent'), /nothing of this run is recorded.*mlops store pull/)
    assert.equal(existsSync(top.path('carol/.mlops/registry.json')), false)
    assert.doesNotMatch(script(BINARY), /nothing of this run/)
    assert.equal(top.read('carol/.mlops/registry.json'), top.read('ada/.mlops/registry.json'))
    const { json } = await inClone('carol', ['run', 'list', '--json'])
    assert.equal(json.data.runs.length, 1)
  })

  it('records a run without the remote, shows how old it is, and refuses a rollback', async () => {
    renameSync(top.path('remote.git'), top.path('away.git'))
    try {
      await inClone('bob', ['track', '--model', 'churn-model', '--', 'true'])
      const { json, stderr } = await inClone('bob', ['status', '--json'])
      assert.match(
        json.warnings.join('\n'),
        /origin (?:does not answer|did not answer a moment ago).*What is shown is as of/,
      )
      assert.doesNotMatch(stderr, /\n\s+at /)
      const { json: refused } = await inClone(
        'bob',
        ['rollback', 'churn-model', '--stage', 'staging', '--yes', '--no-verify', '--json'],
        { code: 1 },
      )
      assert.deepEqual([refused.status, refused.error?.code], ['error', 'STORE_REMOTE_DOWN'])
      assert.match(refused.error?.hint ?? '', /git ls-remote/)
      const { json: pull } = await inClone('bob', ['store', 'pull', '--json'], { code: 1 })
      assert.equal(pull.error?.code, 'STORE_REMOTE_DOWN')
    } finally {
      renameSync(top.path('away.git'), top.path('remote.git'))
    }
    await inClone('bob', ['rollback', 'churn-model', '--stage', 'staging', '--yes', '--no-verify'])
    const { json } = await inClone('ada', ['status', '--json'])
    assert.equal(json.warnings.length, 0)
  })

  it('carries neither runs nor predictions, and each commit names who made it', () => {
    const files = git(top.path('remote.git'), 'ls-tree', '-r', '--name-only', 'mlops-store').trim().split('\n')
    assert.deepEqual([...new Set(files.map((file) => file.split('/')[0]))].sort(), [
      '.gitattributes',
      'log',
      'models',
      'objects',
      'registry.json',
    ])
    assert.equal(readFileSync(top.path('ada/.mlops/.gitattributes'), 'utf8'), '* -text\n')
    assert.match(
      git(top.path('remote.git'), 'log', '--format=%an: %s', 'mlops-store'),
      /^.+: churn-model 6: rollback\n/,
    )
  })

  it('is refused where mlops.yaml and the flag say two things, and where the remote is none', async () => {
    const two = await top.run(['init', '--remote', 'other', '--json'], { cwd: top.path('ada') })
    assert.deepEqual([two.code, two.json.error?.code], [2, 'STORE_SHARED_ALREADY'])
    const lone = await top.run(['init', '--yes', '--remote', '--upload-pack=x', '--json'], { cwd: top.dir })
    assert.equal(lone.code, 2)
    const branch = await top.run(['init', '--yes', '--branch', 'x', '--json'], { cwd: top.dir })
    assert.deepEqual([branch.code, branch.json.error?.code], [2, 'REMOTE_MISSING'])
    assert.equal(existsSync(top.path('mlops.yaml')), false)
  })
})
