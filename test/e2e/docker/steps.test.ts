/** The steps of the generated Dockerfile, carried out in a virtual environment; and what unpacks the model, on its own. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tempProject } from '../harness.ts'
import { freePort, MODEL, type ServingWorld, servingWorld, until } from '../serving/world.ts'
import { type Built, build } from './steps.ts'

const GIT = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org']

describe('The steps of a generated Dockerfile', function () {
  this.timeout(180_000)
  let world: ServingWorld
  let service: string
  let built: Built
  const into = (): string => mkdtempSync(join(tmpdir(), 'mlops-image-'))
  const model = (...args: readonly string[]) =>
    spawnSync('python3', [join(service, 'docker/model.py'), ...args], { encoding: 'utf8', cwd: service })
  const args = (archive = 'docker/model.tar'): Record<string, string> =>
    Object.fromEntries(
      model('args', archive)
        .stdout.trim()
        .split(/ ?--build-arg /)
        .slice(1)
        .map((pair) => pair.split('=') as [string, string]),
    )

  before(async function () {
    world = await servingWorld(this)
    const { project } = world
    project.write('.gitignore', '.mlops\nservice\n')
    execFileSync('git', ['init', '--quiet'], { cwd: project.dir })
    execFileSync('git', ['add', '--all'], { cwd: project.dir })
    execFileSync('git', [...GIT, 'commit', '--quiet', '--message', 'first'], { cwd: project.dir })
    project.write('train.py', `${project.read('train.py')}# not committed\n`)
    await world.train('lightgbm', 1)
    await world.scaffold(1)
    service = project.path('service')
    // Locked as far as pip asks: what is installed already is not downloaded, and so not compared.
    const locked = project
      .read('service/requirements.txt')
      .split('\n')
      .filter((line) => /^[a-z].*==/.test(line))
      .map((line) => `${line} --hash=sha256:${'0'.repeat(64)}\n`)
    project.write('service/requirements.txt', locked.join(''))
    await world.mlops(['scaffold', 'docker', MODEL])
    await world.mlops(['model', 'export', `${MODEL}@1`, '--output', 'service/docker/model.tar'])
    built = build({ context: service, into: into() })
    assert.equal(built.failed, undefined, built.output)
  })

  it('end with the golden predictions of the version, in what .dockerignore lets through', () => {
    assert.match(built.output, /churn-model@1 is fit to be served: 40 golden predictions/)
    assert.match(built.output, /apt-get install --yes --no-install-recommends libgomp1/)
    assert.match(built.output, /No broken requirements found/)
    const files = readdirSync(join(built.folder('baked'), 'service')).sort()
    assert.deepEqual(files, ['app', 'bundle', 'docker', 'mlops', 'openapi.json', 'service.json'])
  })

  it('leave a service that answers when its command is run, and whose health can be asked', async () => {
    const port = String(await freePort())
    const env = { ...built.env, UVICORN_PORT: port, UVICORN_HOST: '127.0.0.1', DRAIN_SECONDS: '0' }
    const health = () => {
      const [program = '', ...words] = built.health
      return spawnSync(program, words, { cwd: built.workdir, env, encoding: 'utf8' })
    }
    assert.equal(health().status, 1)
    const [program = '', ...words] = built.command
    const child: ChildProcess = spawn(program, words, { cwd: built.workdir, env, stdio: 'ignore' })
    try {
      await until(() => (child.exitCode !== null || health().status === 0 ? true : undefined))
      assert.match(health().stdout, /^200 \{"status":"ready"\}/)
      const { example } = JSON.parse(readFileSync(join(service, 'service.json'), 'utf8'))
      const response = await fetch(`http://127.0.0.1:${port}/v1/predict`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ features: example.features }),
      })
      const answer = (await response.json()) as { prediction: number; version: number }
      assert.equal(response.status, 200)
      assert.ok(Math.abs(answer.prediction - example.output) < 1e-6)
      assert.equal(answer.version, 1)
    } finally {
      child.kill('SIGTERM')
      await new Promise((done) => child.on('close', done))
    }
    assert.ok(child.exitCode === 0 || child.signalCode === 'SIGTERM')
  })

  it('make an image without a version when that is asked for, and need no archive then', async () => {
    const other = join(into(), 'service')
    execFileSync('cp', ['-r', service, other])
    execFileSync('rm', [join(other, 'docker/model.tar')])
    const reuse = { packages: built.folder('packages') }
    const found = build({ context: other, into: into(), target: 'following', reuse })
    assert.equal(found.failed, undefined, found.output)
    assert.equal(existsSync(join(found.folder('following'), 'service/bundle')), false)
    assert.deepEqual(found.command, built.command)
  })

  it('take of the archive what the service reads, and no code that was not committed', async () => {
    const { json } = await world.mlops(['model', 'show', `${MODEL}@1`, '--json'])
    const patch: string = json.data.code.patch.sha256
    assert.match(execFileSync('tar', ['-tf', join(service, 'docker/model.tar')], { encoding: 'utf8' }), RegExp(patch))
    const kept = readdirSync(join(built.folder('baked'), 'service/bundle/objects'))
    assert.equal(kept.includes(patch), false)
    assert.equal(kept.includes(json.data.files[0].sha256), true)
  })

  it('have labels that say of the version what its archive says', () => {
    const text = readFileSync(join(service, 'Dockerfile'), 'utf8')
    const found = args()
    assert.deepEqual(Object.keys(found).sort(), ['MODEL_COMMIT', 'MODEL_DATA', 'MODEL_MANIFEST', 'MODEL_VERSION'])
    for (const [name, value] of Object.entries(found)) assert.ok(text.includes(`ARG ${name}="${value}"\n`), name)
    assert.match(found.MODEL_COMMIT ?? '', /^[0-9a-f]{40}-dirty$/)
    assert.match(found.MODEL_DATA ?? '', /^[0-9a-f]{64}$/)
  })

  it('fail for the archive of another version, unless the labels are told', async () => {
    await world.train('lightgbm', 2)
    const other = join(into(), 'service')
    execFileSync('cp', ['-r', service, other])
    execFileSync('rm', [join(other, 'docker/model.tar')])
    await world.mlops(['model', 'export', `${MODEL}@2`, '--output', join(other, 'docker/model.tar')])
    const refused = build({ context: other, into: into(), target: 'model' })
    assert.match(refused.output, /it holds version 2, and the labels would say version 1/)
    assert.match(refused.output, /mlops scaffold docker churn-model@2/)
    assert.match(refused.failed ?? '', /^RUN python \/build\/model\.py/)
    const told = build({
      context: other,
      into: into(),
      args: args(join(other, 'docker/model.tar')),
      reuse: { packages: built.folder('packages') },
    })
    assert.equal(told.failed, undefined, told.output)
    assert.match(told.output, /churn-model@2 is fit to be served/)
  })

  it('fail when a golden prediction comes out otherwise', async () => {
    const project = tempProject({
      'mlops.yaml': 'models: {m: {schema: {target: y}}}\n',
      'model.py': 'def predict(rows):\n    return [0.5 for _ in rows]\n',
      'train.csv': `x,y\n${Array.from({ length: 60 }, (_, row) => `${row / 7},${row % 2}`).join('\n')}\n`,
      'examples.jsonl': '{"features": {"x": 1.5}, "output": 0.75}\n',
    })
    await project.mlops(['init', '--yes'])
    const with_ = ['--baseline', 'train.csv', '--examples', 'examples.jsonl']
    await project.mlops(['register', 'm', '--artifact', 'model.py', ...with_])
    await project.mlops(['scaffold', 'fastapi', 'm', '--flavour', 'callable', '--unlocked'])
    await project.mlops(['scaffold', 'docker', 'm', '--base-image', 'python:3.11-slim'])
    await project.mlops(['model', 'export', 'm@1', '--output', 'service/docker/model.tar'])
    const found = build({
      context: project.path('service'),
      into: into(),
      reuse: { packages: built.folder('packages') },
    })
    assert.equal(found.failed, 'RUN python -m app.following --check')
    assert.match(found.output, /m is not fit to be served: golden prediction 1 of 1 gives 0\.5/)
  })

  describe('with an archive that is not what it should be', () => {
    const bytes = (): Buffer => readFileSync(join(service, 'docker/model.tar'))
    const refusal = (content: Buffer): string => {
      const path = join(into(), 'model.tar')
      writeFileSync(path, content)
      const found = args()
      const facts = ['version', 'manifest', 'commit', 'data'].flatMap((name) => [
        `--${name}`,
        found[`MODEL_${name.toUpperCase()}`] ?? '',
      ])
      const folder = join(into(), 'bundle')
      const { status, stderr } = model('unpack', path, folder, '--service', join(service, 'service.json'), ...facts)
      assert.equal(status, 1, stderr)
      assert.equal(existsSync(folder), false)
      assert.doesNotMatch(stderr, /Traceback/)
      return stderr
    }

    it('name what is damaged, wherever the byte is', () => {
      const whole = bytes()
      for (let at = 700; at < whole.length; at += 4_999) {
        const changed = Buffer.from(whole)
        changed[at] = (changed[at] ?? 0) ^ 1
        // Padding between entries is nobody's byte.
        if (whole[at] === 0) continue
        assert.match(
          refusal(changed),
          /damaged|not as|differ|no archive|has no|has an entry|header|lacks|holds/,
          String(at),
        )
      }
      assert.match(refusal(whole.subarray(0, 6_000)), /damaged|differ|end of data|has no|lacks|header/)
      assert.match(refusal(Buffer.alloc(0)), /empty|header|read/)
    })

    it('refuse entries that no archive has: links, folders, paths that lead elsewhere', () => {
      const make = (code: string): Buffer => {
        const path = join(into(), 'more.tar')
        copyFileSync(join(service, 'docker/model.tar'), path)
        const script = `import io, sys, tarfile\nwith tarfile.open(sys.argv[1], "a") as tar:\n    entry = tarfile.TarInfo("x")\n    ${code}\n    tar.addfile(entry, io.BytesIO(b"x" * entry.size))\n`
        execFileSync('python3', ['-c', script, path])
        return readFileSync(path)
      }
      for (const code of [
        'entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"',
        'entry.name, entry.type, entry.linkname = "manifest.json", tarfile.LNKTYPE, "x"',
        'entry.type = tarfile.DIRTYPE',
        'entry.name, entry.size = "../evil", 1',
        'entry.name, entry.size = "/objects/evil", 1',
        'entry.name, entry.size = "manifest.json", 1',
      ])
        assert.match(refusal(make(code)), /it has an entry that no archive of a version has/, code)
      assert.match(
        refusal(make('entry.name, entry.size = "objects/" + "a" * 64, 1')),
        /its index and its entries differ/,
      )
    })
  })
})
