/** Checks made outside: real commands through the shell, real JUnit files, also broken, old and hostile ones. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Context } from '../../../src/core/context.ts'
import { MlopsError } from '../../../src/core/errors.ts'
import { runExternal } from '../../../src/lifecycle/gate/external.ts'
import { type JunitCounts, readJunit } from '../../../src/lifecycle/gate/junit.ts'
import { safeFolder, safeNames } from '../../../src/lifecycle/version-files.ts'
import { versionFacts } from '../../../src/lifecycle/versions/version.ts'
import type { ExternalRule } from '../../../src/project/gate-config.ts'
import { skipBecause } from '../../support/skip.ts'
import { addVersion, damage, MODEL, type VersionSpec, type World, world } from './fixture.ts'

const REGISTERED = '2026-01-01T00:00:00.000Z'

describe('an external command', () => {
  let w: World
  before(async () => {
    w = await world()
  })
  after(() => w.remove())

  const facts = async (spec: VersionSpec = { files: { 'model.joblib': 'weights' } }) => {
    const number = await addVersion(w, spec)
    const version = (await w.store.models.state(MODEL)).versions[number - 1]
    assert.ok(version)
    return versionFacts(w.store, MODEL, version)
  }
  const outcome = async (
    command: string,
    { spec, ctx = w.ctx, timeout }: { spec?: VersionSpec; ctx?: Context; timeout?: number } = {},
  ) => {
    const rule: ExternalRule = { name: 'it', command, ...(timeout === undefined ? {} : { timeout }) }
    return runExternal(ctx, w.project(), w.store, rule, await facts(spec), REGISTERED)
  }

  it('gets the verified file of the version, in the folder of the project, and passes with exit code 0', async () => {
    const found = await outcome('cat {model} > seen.txt && pwd > where.txt')
    assert.deepEqual(found, { actual: 'exit code 0', verdict: 'pass' })
    assert.equal(readFileSync(join(w.dir, 'seen.txt'), 'utf8'), 'weights')
    assert.ok(existsSync(join(w.dir, 'where.txt')))
  })

  it('is not told a file name that a shell would run', async () => {
    const name = `$(touch PWN)'"\`touch PWN\`;touch PWN #.bin`
    const files = { [name]: 'weights' }
    const found = await outcome('printf %s {model} > seen.txt; cat {model} >> seen.txt', { spec: { files } })
    assert.equal(found.verdict, 'pass')
    assert.match(readFileSync(join(w.dir, 'seen.txt'), 'utf8'), /\/model\/file-1\.binweights$/)
    assert.equal(existsSync(join(w.dir, 'PWN')), false)
  })

  it('that quotes its placeholder is not run: there the quotes of a path mean nothing', async () => {
    for (const command of ['test -f "{model}"', "test -f '{model}'", 'cat <<END\n{model}\nEND', 'echo \\{model}']) {
      const found = await outcome(`touch ran.txt; ${command}`)
      assert.deepEqual([found.verdict, found.actual], ['fail', 'not run'], command)
      assert.match(found.note ?? '', /\{model\} stands (?:inside|behind)/)
    }
    assert.equal(existsSync(join(w.dir, 'ran.txt')), false)
  })

  it('leaves nothing running that it put into the background, and does not wait for it', async () => {
    const found = await outcome('(sleep 2; touch background.txt) & echo fine', { timeout: 60_000 })
    assert.deepEqual(found, { actual: 'exit code 0', verdict: 'pass' })
    await new Promise((resolve) => setTimeout(resolve, 2500))
    assert.equal(existsSync(join(w.dir, 'background.txt')), false)
  })

  it('is over when its shell is, also when a process of a group of its own keeps the output open', async function () {
    if (process.platform !== 'linux') skipBecause(this, 'setsid is a command of Linux')
    const found = await outcome('setsid sleep 60 & echo $! > pid.txt; sleep 0.3; exit 0', { timeout: 50_000 })
    assert.deepEqual(found, { actual: 'exit code 0', verdict: 'pass' })
    try {
      process.kill(Number(readFileSync(join(w.dir, 'pid.txt'), 'utf8')))
    } catch {
      // setsid made a process of its own, which ends by itself.
    }
  })

  it('gets the folder of several files, and leaves nothing behind', async () => {
    const before = temporary()
    const found = await outcome('ls {model} > seen.txt', { spec: { files: { 'a.txt': '1', 'b c.txt': '2' } } })
    assert.equal(found.verdict, 'pass')
    assert.equal(readFileSync(join(w.dir, 'seen.txt'), 'utf8'), 'a.txt\nb c.txt\n')
    assert.deepEqual(temporary(), before)
  })

  it('fails with its exit code and its last words, without what looks like a secret', async () => {
    const found = await outcome('echo fine; echo "p95 812 ms" >&2; echo "password=hunter2hunter2" >&2; exit 7')
    assert.deepEqual([found.verdict, found.actual], ['fail', 'exit code 7'])
    assert.match(found.note ?? '', /^p95 812 ms \/ /)
    assert.doesNotMatch(found.note ?? '', /hunter2hunter2|fine/)
  })

  it('that prints without end is held to a few lines', async () => {
    const found = await outcome(
      'i=0; while [ $i -lt 60000 ]; do echo "line $i of a very long story"; i=$((i+1)); done; exit 1',
    )
    assert.match(found.note ?? '', /line 59999 of a very long story$/)
    assert.ok((found.note ?? '').length < 3000)
  })

  it('that does not end is ended with all it started, and is inconclusive', async () => {
    const found = await outcome('(sleep 1; touch late.txt) & sleep 20', { timeout: 200 })
    assert.deepEqual([found.verdict, found.actual], ['inconclusive', 'no end after 1 second'])
    await new Promise((resolve) => setTimeout(resolve, 1500))
    assert.equal(existsSync(join(w.dir, 'late.txt')), false)
  })

  it('that a signal ends, or that is no command, proves nothing', async () => {
    assert.deepEqual(await outcome('kill -9 $$').then(({ verdict }) => verdict), 'inconclusive')
    const missing = await outcome('no-such-command-anywhere {model}')
    assert.deepEqual([missing.verdict, missing.actual], ['fail', 'exit code 127'])
  })

  it('stops when the user stops', async () => {
    const stop = new AbortController()
    const ctx = { ...w.ctx, signal: stop.signal }
    const running = outcome('sleep 20', { ctx })
    setTimeout(() => stop.abort(new Error('stopped')), 200)
    await assert.rejects(running, /stopped/)
  })

  it('fails for a version without files, and is not run', async () => {
    const found = await outcome('touch ran.txt {model}', { spec: { files: {} } })
    assert.deepEqual([found.verdict, existsSync(join(w.dir, 'ran.txt'))], ['fail', false])
  })

  it('is never run on damaged bytes', async () => {
    const version = await facts({ files: { 'model.joblib': 'to be damaged' } })
    damage(w, version.manifest.files[0]?.sha256 ?? '')
    const running = runExternal(
      w.ctx,
      w.project(),
      w.store,
      { name: 'it', command: 'touch ran.txt {model}' },
      version,
      '',
    )
    await assert.rejects(running, (error: unknown) => error instanceof MlopsError && error.code === 'OBJECT_DAMAGED')
    assert.equal(existsSync(join(w.dir, 'ran.txt')), false)
  })

  const temporary = () => readdirSync(tmpdir()).filter((name) => name.startsWith('mlops-evaluate-'))
})

describe('the files of a version, for a command', () => {
  it('keep their names, unless a shell would read something in them', () => {
    assert.deepEqual(safeNames(['out/model.joblib']), ['out/model.joblib'])
    assert.deepEqual(safeNames(['out dir/$(id).tar.gz']), ['file-1/file-2.tar.gz'])
    assert.deepEqual(safeNames(['-rf']), ['file-1'])
    assert.deepEqual(safeNames(['a b.txt', 'modèle.bin', 'x/`id`', 'y/`id`']), [
      'a b.txt',
      'modèle.bin',
      'x/file-1',
      'y/file-1',
    ])
    assert.deepEqual(safeNames(['FILE-1.bin', '$a.bin']), ['FILE-1.bin', 'file-2.bin'], 'none meets another')
  })

  it('are gone also when the process ends before the command does', async () => {
    const w = await world()
    try {
      await addVersion(w, { files: { 'model.bin': 'x' } })
      const url = (path: string): string => JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href)
      const script = `
        import { openStore } from ${url('store/open.ts')}
        import { withFilesOf } from ${url('lifecycle/version-files.ts')}
        const store = await openStore(process.argv[1], { write: false })
        const [version] = (await store.models.state('${MODEL}')).versions
        await withFilesOf(store, await store.models.manifest(version.manifest), async ({ model }) => {
          process.stdout.write(model)
          process.exit(143)
        })`
      const args = ['--import=tsx', '--input-type=module', '-e', script, w.store.root]
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
      assert.deepEqual([status, stderr], [143, ''])
      assert.match(stdout, /mlops-evaluate-[^/]*\/model\/model\.bin$/)
      assert.equal(existsSync(dirname(dirname(stdout))), false)
    } finally {
      w.remove()
    }
  })

  it('lie in a folder whose path a shell takes as it is', () => {
    assert.equal(safeFolder('/var/tmp/a-1', 'linux'), '/var/tmp/a-1')
    assert.equal(safeFolder('/tmp/$(touch PWN)', 'linux'), '/tmp')
    assert.equal(safeFolder("/tmp/it's", 'darwin'), '/tmp')
    assert.throws(() => safeFolder('C:\\%x%&calc', 'win32'), /would not take as it is/)
  })
})

describe('a JUnit report', () => {
  let w: World
  before(async () => {
    w = await world()
  })
  after(() => w.remove())

  /** @param written seconds after the version was registered */
  const outcome = async (text: string | undefined, written = 60) => {
    const path = join(w.dir, 'reports/junit.xml')
    mkdirSync(join(w.dir, 'reports'), { recursive: true })
    rmSync(path, { force: true })
    if (text !== undefined) {
      writeFileSync(path, text)
      const time = Date.parse(REGISTERED) / 1000 + written
      utimesSync(path, time, time)
    }
    const number = await addVersion(w, {})
    const version = (await w.store.models.state(MODEL)).versions[number - 1]
    assert.ok(version)
    const facts = await versionFacts(w.store, MODEL, version)
    return runExternal(w.ctx, w.project(), w.store, { name: 'tests', junit: 'reports/junit.xml' }, facts, REGISTERED)
  }
  const suite = (inner: string, attributes = '') =>
    `<?xml version="1.0"?>\n<testsuites><testsuite name="s"${attributes}>${inner}</testsuite></testsuites>`
  const OK = '<testcase classname="a" name="one" time="0.1"/><testcase name="two"></testcase>'

  it('passes with at least one test and no failure', async () => {
    assert.deepEqual(await outcome(suite(OK)), { actual: '2 tests, 0 failed', verdict: 'pass' })
  })

  it('fails with a failure or an error, and names them', async () => {
    const found = await outcome(
      suite(
        `${OK}<testcase name="a &lt; b"><failure message="x">text</failure></testcase><testcase name="c"><error/></testcase>`,
      ),
    )
    assert.deepEqual([found.verdict, found.actual, found.note], ['fail', '4 tests, 2 failed', 'failed: a < b, c'])
    const setUp = await outcome(suite(`${OK}<error>could not be collected</error>`))
    assert.equal(setUp.verdict, 'fail', 'of a suite that could not be set up')
  })

  it('fails without a test that ran, and without the file', async () => {
    assert.equal((await outcome(suite(''))).verdict, 'fail')
    assert.equal((await outcome(suite('<testcase name="a"><skipped/></testcase>'))).verdict, 'fail')
    const missing = await outcome(undefined)
    assert.deepEqual([missing.verdict, missing.actual], ['fail', 'no report'])
    assert.match(missing.note ?? '', /pytest --junitxml=reports\/junit\.xml/)
  })

  it('is inconclusive when it was written before the version was registered', async () => {
    const old = await outcome(suite(OK), -60)
    assert.equal(old.verdict, 'inconclusive')
    assert.match(old.note ?? '', /before this version was registered/)
    const copied = await outcome(suite(OK, ' timestamp="2025-12-31T23:00:00+00:00"'))
    assert.equal(copied.verdict, 'inconclusive', 'a copy made today of an old report is an old report')
    const noZone = await outcome(suite(OK, ' timestamp="2025-12-31T23:00:00"'))
    assert.equal(noZone.verdict, 'pass', 'a time without a zone says nothing')
    assert.equal(
      (await outcome(suite('<testcase name="a"><failure/></testcase>'), -60)).verdict,
      'fail',
      'a failure is one',
    )
  })

  for (const [what, text] of [
    ['cut in the middle', '<testsuite><testcase name="a"/><testca'],
    ['not closed', '<testsuite><testcase name="a"/>'],
    ['closed twice', '<testsuite></testsuite></testsuite>'],
    ['of another kind', '<html><body/></html>'],
    ['two roots', '<testsuite/><testsuite/>'],
    ['empty', ''],
    ['no XML', 'all fine'],
    ['a document type with entities', '<!DOCTYPE a [<!ENTITY x "y">]><testsuite><testcase name="&x;"/></testsuite>'],
  ] as const) {
    it(`that is ${what} fails as unreadable`, async () => {
      const found = await outcome(text)
      assert.deepEqual([found.verdict, found.actual], ['fail', 'unreadable'])
    })
  }

  it('is read as pytest writes it, with output and comments in it', () => {
    const counts = readJunit(
      `<?xml version="1.0" encoding="utf-8"?><!-- <testcase name="no"/> --><testsuites name="pytest tests"><testsuite name="pytest" errors="0" failures="1" skipped="1" tests="3" time="0.036" timestamp="2026-11-21T14:23:36.107826+00:00" hostname="h"><testcase classname="t" name="test_a" time="0.001" /><testcase classname="t" name="test_b[&quot;x&quot;]" time="0.001"><failure message="assert 1 == 2">def test_b():
&gt;       assert 1 == 2</failure></testcase><testcase classname="t" name="test_c" time="0.000"><skipped type="pytest.skip" message="no">x</skipped></testcase><system-out><![CDATA[<testcase name="never"><failure/></testcase>]]></system-out></testsuite></testsuites>`,
    ) as JunitCounts
    assert.deepEqual([counts.tests, counts.failed, counts.skipped, counts.names], [3, 1, 1, ['test_b["x"]']])
    assert.equal(counts.written, Date.parse('2026-11-21T14:23:36.107Z'))
  })

  it('that says it has failures never passes, however it says so', () => {
    const problem = (text: string) => (readJunit(text) as { problem?: string }).problem ?? ''
    const failed = (text: string) => (readJunit(text) as JunitCounts).failed
    const passing = '<testcase name="a"/>'
    assert.match(problem(`<testsuite name="s" tests="1" failures="1">${passing}</testsuite>`), /"s" says 1 failed/)
    assert.match(problem(`<testsuites errors="2"><testsuite>${passing}</testsuite></testsuites>`), /says 2 failed/)
    assert.match(problem('<testsuites><testsuite name="s" failures="3"/></testsuites>'), /says 3 failed/)
    assert.match(problem(`<testsuite failures="many">${passing}</testsuite>`), /a number of failures that is none/)
    assert.match(problem(`<testsuite>${passing}</testsuite>FAILED (failures=3)`), /text after its last element/)
    assert.equal(failed('<testsuite><testcase name="a" status="failed"/></testsuite>'), 1)
    assert.equal(failed('<testsuite><testcase name="a"><FAILURE/></testcase></testsuite>'), 1)
    assert.equal(failed('<TestSuite Failures="1"><TestCase name="a"><Error/></TestCase></TestSuite>'), 1)
    assert.equal(failed(`<testsuite failures="0" errors="0">${passing}</testsuite>\n`), 0)
    assert.equal(failed('<testsuite><testcase name="a" status="run" result="completed"/></testsuite>'), 0)
  })

  it('of ten megabytes of attributes and brackets does not take for ever', () => {
    for (const unit of ['<a ', '<', '<a b="', ' x="y"', '<!--', '<testcase name="a">']) {
      const found = readJunit(`<testsuite>${unit.repeat(300_000)}`)
      assert.ok('problem' in found, unit)
    }
  })
})
