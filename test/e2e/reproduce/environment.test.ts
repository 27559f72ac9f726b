/** The environment of a reproduction: made from the record, compared with it, or the present one with every difference. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { needsPython } from '../../support/python.ts'
import { type TempProject, tempProject } from '../harness.ts'
import { emptyEnvironment, leftOvers, verdicts, world } from './world.ts'

const SCRIPT = `import os, random, sys
seed = os.environ.get("MLOPS_SEED")
if len(sys.argv) == 1 and seed:
    random.seed(int(seed))
print("score:", random.random())
print("hash:", hash("spam") % 1000)
print("threads:", os.environ.get("OMP_NUM_THREADS", "0"))
open("model.txt", "w").write(str(random.random()))
`
const KEPT = ['--artifact', 'model.txt']

describe('run reproduce and the environment', function () {
  this.timeout(180_000)
  before(function () {
    needsPython(this)
  })

  it('repeats seeds, hash order and threads of a Python script in a fresh environment', async () => {
    const place = await world({ 'train.py': SCRIPT })
    const python = emptyEnvironment(place.path('.venv'))
    const run = await place.track(KEPT, [python, 'train.py'], { env: { OMP_NUM_THREADS: '3' } })
    rmSync(place.path('.venv'), { recursive: true })
    const json = await place.reproduce([run, '--keep'], { env: { OMP_NUM_THREADS: '1', PYTHONHASHSEED: '1' } })
    assert.equal(json.data.outcome.verdict, 'equal')
    assert.deepEqual(verdicts(json), { score: 'equal', hash: 'equal', threads: 'equal', 'artifact model.txt': 'equal' })
    const { kept, reproduction } = json.data.outcome
    assert.equal(reproduction.command[0], join(kept.worktree, '.venv/bin/python'))
    assert.match(readFileSync(join(kept.worktree, '.venv/pyvenv.cfg'), 'utf8'), /include-system-site-packages = false/)
    execFileSync('sh', ['-c', kept.remove])
    const { json: shown } = await place.mlops(['run', 'show', '--json', run])
    assert.deepEqual(
      shown.data.reproductions.map(({ by, verdict }: { by: string; verdict: string }) => [by, verdict]),
      [[reproduction.run, 'equal']],
    )
  })

  it('truthfully says different of a script that nothing seeds, and proves with --twice that it is not deterministic', async () => {
    const place = await world({ 'train.py': SCRIPT })
    const python = emptyEnvironment(place.path('.venv'))
    const run = await place.track(KEPT, [python, 'train.py', 'freely'])
    const json = await place.reproduce([run], { code: 3 })
    assert.equal(json.data.outcome.verdict, 'different')
    assert.equal(verdicts(json).score, 'different')
    assert.deepEqual(
      json.data.outcome.causes.map(({ kind }: { kind: string }) => kind),
      ['unseeded'],
    )
    assert.match(
      json.data.outcome.causes[0].text,
      /Nothing recorded differs: the script may draw numbers that no recorded seed governs/,
    )
    const twice = await place.reproduce([run, '--twice'], { code: 3 })
    assert.equal(twice.data.outcome.steady, false)
    assert.match(twice.data.outcome.causes[0].text, /Run twice .* not deterministic/)
    const ignored = await place.reproduce([run, '--ignore', 'score', '--ignore', '*.txt'])
    assert.equal(ignored.data.outcome.verdict, 'equal')
    assert.equal(verdicts(ignored).score, 'ignored')
    const tolerant = await place.reproduce([run, '--tolerance', 'score=1', '--ignore', 'model.txt'])
    assert.equal(tolerant.data.outcome.verdict, 'within tolerance')
  })

  it('finds the environment wherever the command looks for it: activated, by a script, below the project', async () => {
    const place = await world({ 'train.py': SCRIPT, 'train.sh': '. .venv/bin/activate\npython train.py\n' })
    emptyEnvironment(place.path('.venv'))
    const run = await place.track(KEPT, ['sh', '-c', '. .venv/bin/activate && python train.py'])
    assert.equal((await place.reproduce([run])).data.outcome.verdict, 'equal')
    const relative = await place.track(KEPT, ['.venv/bin/python', 'train.py'])
    assert.equal((await place.reproduce([relative])).data.outcome.verdict, 'equal')
  })

  it('installs recorded packages by their exact versions, editable ones from the worktree', async () => {
    const wheels = wheelOf('mlops-test-dep', '1.2')
    const place = await world({
      'train.py': 'import mlops_test_dep, own\nprint("version:", mlops_test_dep.VERSION)\nprint("own:", own.VALUE)\n',
    })
    const env = { PIP_FIND_LINKS: wheels.dir, PIP_NO_INDEX: '1' }
    const python = join(place.path('.venv'), 'bin/python')
    execFileSync(base(), ['-I', '-m', 'venv', place.path('.venv')])
    execFileSync(python, [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--no-index',
      '--find-links',
      wheels.dir,
      'mlops-test-dep==1.2',
    ])
    place.write('own.py', 'VALUE = 4\n')
    place.git('add', '--all')
    place.git('commit', '--quiet', '--message', 'own')
    const run = await place.track([], [python, 'train.py'])
    const json = await place.reproduce([run], { env })
    assert.deepEqual(verdicts(json), { version: 'equal', own: 'equal' })
    assert.match(
      json.data.outcome.steps.find(({ name }: { name: string }) => name === 'environment').detail,
      /packages/,
    )

    // The index loses the version: pip's own words, and what to do.
    rmSync(wheels.path('mlops_test_dep-1.2-py3-none-any.whl'))
    const { error } = await place.reproduce([run], { env, code: 1 })
    assert.equal(error?.code, 'ENVIRONMENT_FAILED')
    assert.match(error?.message ?? '', /does not have this version/)
    assert.match(error?.details.problems.join('\n'), /mlops-test-dep==1\.2/)
    assert.deepEqual(leftOvers(), [])

    // The present environment, in which another version is installed meanwhile.
    wheelOf('mlops-test-dep', '1.3', wheels)
    execFileSync(python, [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--no-index',
      '--find-links',
      wheels.dir,
      'mlops-test-dep==1.3',
    ])
    const other = await place.reproduce([run, '--environment', 'current'], { code: 3 })
    assert.deepEqual(other.data.outcome.packages, [
      { name: 'mlops-test-dep', kind: 'version', recorded: '1.2', found: '1.3' },
    ])
    assert.equal(other.data.outcome.causes[0].kind, 'packages')
    assert.match(other.data.outcome.causes[0].text, /mlops-test-dep 1\.3 instead of 1\.2/)

    // The same version with other bytes is no longer the recorded package.
    wheelOf('mlops-test-dep', '1.2', wheels, 'VERSION = "1.2 patched"\n')
    const patched = await place.reproduce([run], { env, code: 3 })
    assert.deepEqual(patched.data.outcome.packages, [
      { name: 'mlops-test-dep', kind: 'bytes', recorded: '1.2', found: '1.2' },
    ])
  })

  it('refuses the environment of conda without conda, and says what else there is', async () => {
    const place = await world({ 'train.py': SCRIPT })
    const python = emptyEnvironment(place.path('.venv'))
    // What conda writes of each of its packages.
    place.write(
      '.venv/conda-meta/xz-5.4.6-h5eee18b_1.json',
      JSON.stringify({
        name: 'xz',
        version: '5.4.6',
        build: 'h5eee18b_1',
        url: 'https://conda.example.com/linux-64/xz-5.4.6-h5eee18b_1.conda',
        sha256: 'a'.repeat(64),
        files: [],
      }),
    )
    const run = await place.track(KEPT, [python, 'train.py'])
    const { data } = await place.reproduce([run, '--dry-run'], { code: 4 })
    assert.equal(data.plan.missing[0].what, 'conda')
    assert.match(data.plan.missing[0].mend, /micromamba; or --environment current/)
    const current = await place.reproduce([run, '--environment', 'current'])
    assert.equal(current.data.outcome.verdict, 'equal')
  })
})

const base = (): string =>
  execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim()

/** A wheel, written by hand: a wheel is a zip of the package, METADATA, WHEEL and RECORD. */
function wheelOf(
  name: string,
  version: string,
  folder = tempProject(),
  text = `VERSION = "${version}"\n`,
): TempProject {
  const plain = name.replaceAll('-', '_')
  const script = `
import base64, hashlib, sys, zipfile
plain, version, text, target, name = sys.argv[1:]
info = "%s-%s.dist-info" % (plain, version)
files = {plain + "/__init__.py": text, info + "/METADATA": "Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n" % (name, version),
         info + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
digest = lambda t: "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(t.encode()).digest()).rstrip(b"=").decode()
record = "".join("%s,%s,%d\\n" % (path, digest(t), len(t)) for path, t in files.items()) + info + "/RECORD,,\\n"
with zipfile.ZipFile(target, "w") as out:
    for path, t in list(files.items()) + [(info + "/RECORD", record)]:
        out.writestr(path, t)
`
  execFileSync('python3', [
    '-c',
    script,
    plain,
    version,
    text,
    folder.path(`${plain}-${version}-py3-none-any.whl`),
    name,
  ])
  return folder
}
