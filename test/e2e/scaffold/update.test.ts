/** `mlops scaffold` as a team lives with it: edits, deletions, conflicts, a new version, a process that is killed. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { assertMatchesSchema, type TempProject } from '../harness.ts'
import { changed, M, registerOn, SCAFFOLD, scaffoldProject, tree } from './project.ts'

const MEMORY = '.mlops-scaffold/fastapi'

describe('A scaffolded service', function () {
  this.timeout(120_000)
  let project: TempProject
  const service = (...parts: string[]): string => project.path('service', ...parts)
  const edit = (file: string, from: string, to: string): void => {
    const text = project.read(`service/${file}`)
    assert.ok(text.includes(from), `${file} has no ${from}`)
    project.write(`service/${file}`, text.replace(from, to))
  }
  before(async () => {
    project = await scaffoldProject()
    await project.mlops(SCAFFOLD)
    await registerOn(project, ['basic', 'family', 'pro', 'student'])
    cpSync(service(), project.path('.begun'), { recursive: true })
  })
  beforeEach(() => {
    rmSync(service(), { recursive: true, force: true })
    cpSync(project.path('.begun'), service(), { recursive: true })
  })

  it('is followed by what is new of a new version, and needs no flags for it', async () => {
    const before = tree(service())
    const { json } = await project.mlops(['scaffold', 'fastapi', '--json'])
    assertMatchesSchema('scaffold fastapi', json)
    assert.equal(json.data.answers.version, 2)
    assert.deepEqual(changed(before, tree(service())), {
      [`${MEMORY}/answers.json`]: 'other',
      [`${MEMORY}/base/app/schema.py`]: 'other',
      [`${MEMORY}/base/openapi.json`]: 'other',
      [`${MEMORY}/base/service.json`]: 'other',
      'app/schema.py': 'other',
      'openapi.json': 'other',
      'service.json': 'other',
    })
    assert.match(project.read('service/app/schema.py'), /basic, family, pro, student/)
    const again = tree(service())
    await project.mlops(['scaffold', 'fastapi'])
    assert.deepEqual(changed(again, tree(service())), {})
  })

  it('keeps edits, deletions and hooks over an update', async () => {
    edit('app/schema.py', 'from pydantic import', '# ours\nfrom pydantic import')
    project.write('service/app/hooks.py', '# all ours\n')
    rmSync(service('tests'), { recursive: true })
    const { json } = await project.mlops(['scaffold', 'fastapi', '--json'])
    const actions = Object.fromEntries(
      json.data.changes.map((each: { path: string; action: string }) => [each.path, each.action]),
    )
    assert.equal(actions['app/schema.py'], 'merge')
    assert.equal(actions['app/hooks.py'], 'yours')
    assert.equal(actions['tests/test_service.py'], 'deleted')
    assert.match(project.read('service/app/schema.py'), /# ours\n[\s\S]*student/)
    assert.equal(project.read('service/app/hooks.py'), '# all ours\n')
    assert.equal((await project.run(['scaffold', 'fastapi', '--check'])).code, 0)
  })

  it('is not touched by --dry-run, --diff and --check, which say what is out of date', async () => {
    const before = tree(project.dir)
    const dry = await project.mlops(['scaffold', 'fastapi', '--dry-run'])
    assert.match(dry.stdout, /out of date; nothing was written[\s\S]*app\/schema\.py {2}would be replaced/)
    const { stdout } = await project.mlops(['scaffold', 'fastapi', '--diff'])
    assert.match(stdout, /\n-.*basic, family, pro \(in training\)[\s\S]*\n\+.*basic, family, pro, student/)
    await project.mlops(['scaffold', 'fastapi', '--check'], { code: 3 })
    await project.mlops(['scaffold', 'status', '--check'], { code: 3 })
    const { json } = await project.mlops(['scaffold', 'status', '--json'])
    assertMatchesSchema('scaffold status', json)
    assert.equal(json.data.scaffolds[0].upToDate, false)
    assert.deepEqual(changed(before, tree(project.dir)), {})
  })

  it('shows a conflict with its line, exits 5 and has written nothing at all', async () => {
    edit('app/schema.py', 'basic, family, pro (in training)', 'the plans')
    const before = tree(project.dir)
    const { stderr } = await project.mlops(['scaffold', 'fastapi'], { code: 5 })
    assert.match(
      stderr,
      /nothing was written[\s\S]*service\/app\/schema\.py:\d+: you and the template changed the same lines/,
    )
    assert.match(stderr, /--diff/)
    await project.mlops(['scaffold', 'fastapi', '--dry-run'], { code: 5 })
    assert.deepEqual(changed(before, tree(project.dir)), {})
  })

  it('takes both sides of a conflict when it is told to, and is out of date until somebody has decided', async () => {
    edit('app/schema.py', 'basic, family, pro (in training)', 'the plans')
    await project.mlops(['scaffold', 'fastapi', '--conflicts'], { code: 5 })
    const text = project.read('service/app/schema.py')
    assert.match(text, /<<<<<<< yours\n.*the plans[\s\S]*=======\n.*student[\s\S]*>>>>>>> as mlops generates it now/)
    assert.match(project.read('service/service.json'), /student/)
    await project.mlops(['scaffold', 'fastapi', '--check'], { code: 3 })
    project.write(
      'service/app/schema.py',
      text.replace(/<<<<<<< yours\n([\s\S]*?)\|\|\|\|\|\|\|[\s\S]*?>>>>>>> .*\n/, '$1'),
    )
    await project.mlops(['scaffold', 'fastapi', '--check'])
    assert.match(project.read('service/app/schema.py'), /the plans/)
  })

  it('is found where it was put, and asked about where there are two', async () => {
    renameSync(service(), project.path('api'))
    try {
      assert.match((await project.mlops(['scaffold', 'fastapi', '--dry-run'])).stdout, /in api is out of date/)
      cpSync(project.path('.begun'), project.path('other'), { recursive: true })
      const { stderr } = await project.mlops(['scaffold', 'fastapi'], { code: 2 })
      assert.match(stderr, /several/)
    } finally {
      rmSync(project.path('api'), { recursive: true, force: true })
      rmSync(project.path('other'), { recursive: true, force: true })
    }
  })

  it('is whole after a kill at any instant of an update, as soon as it is run again', async () => {
    edit('app/schema.py', 'from pydantic import', '# ours\nfrom pydantic import')
    cpSync(service(), project.path('.edited'), { recursive: true })
    await project.mlops(['scaffold', 'fastapi'])
    const wanted = tree(service())
    const preload = pathToFileURL(fileURLToPath(new URL('kill.mjs', import.meta.url))).href
    let kills = 0
    for (let n = 1; ; n++) {
      rmSync(service(), { recursive: true })
      cpSync(project.path('.edited'), service(), { recursive: true })
      const env = { KILL_AT: String(n), NODE_OPTIONS: `--import=${preload}` }
      const struck = await project.run(['scaffold', 'fastapi'], { env })
      if (struck.code === 0) break
      kills += 1
      assert.notEqual(struck.code, 1, struck.stderr)
      // A look says that something is missing, at whatever place it was killed.
      if (n % 5 === 1) await project.mlops(['scaffold', 'fastapi', '--check'], { code: 3 })
      await project.mlops(['scaffold', 'fastapi'])
      assert.deepEqual(changed(wanted, tree(service())), {}, `killed at ${n}`)
    }
    assert.ok(kills >= 8, `only ${kills} places: is the fault in the way of the calls?`)
  })

  it('is written through no symbolic link', async () => {
    const elsewhere = project.path('elsewhere')
    mkdirSync(elsewhere)
    rmSync(service('app'), { recursive: true })
    symlinkSync(elsewhere, service('app'))
    const { stderr } = await project.mlops(['scaffold', 'fastapi'], { code: 5 })
    assert.match(stderr, /symbolic link/)
    rmSync(service(), { recursive: true })
    symlinkSync(elsewhere, service())
    assert.match((await project.mlops([...SCAFFOLD, '--dir', 'service'], { code: 2 })).stderr, /symbolic link/)
    assert.deepEqual(tree(elsewhere), {})
    rmSync(service())
  })

  it('does not lose edits when its memory was damaged by a merge', async () => {
    project.write(`service/${MEMORY}/answers.json`, '<<<<<<< HEAD\n{}\n=======\n')
    const before = tree(project.dir)
    const { stderr } = await project.mlops(['scaffold', 'fastapi'], { code: 1 })
    assert.match(stderr, /answers\.json[\s\S]*git checkout/)
    assert.match((await project.mlops(['scaffold', 'status'])).stdout, /not known/)
    assert.deepEqual(changed(before, tree(project.dir)), {})
  })

  it('comes through a clone of the repository, where only what git has is there', async () => {
    const git = (...args: string[]): void => {
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { cwd: service(), stdio: 'pipe' })
    }
    git('init', '-q')
    git('add', '-A')
    git('commit', '-qm', 'service')
    renameSync(service(), project.path('origin-service'))
    execFileSync('git', ['clone', '-q', project.path('origin-service'), service()], { stdio: 'pipe' })
    edit('app/main.py', 'import asyncio\n', 'import asyncio  # ours\n')
    await project.mlops(['scaffold', 'fastapi'])
    assert.match(project.read('service/app/main.py'), /# ours/)
    assert.match(project.read('service/app/schema.py'), /student/)
    rmSync(project.path('origin-service'), { recursive: true })
  })
})

describe('Scaffolding what cannot be a service yet', function () {
  this.timeout(60_000)
  let project: TempProject
  before(async () => {
    project = await scaffoldProject()
  })

  const cases: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    [
      'without packages that were recorded',
      ['--flavour', 'callable'],
      2,
      /without a run[\s\S]*mlops track[\s\S]*--unlocked/,
    ],
    ['with a package that is an option of pip', ['--unlocked', '--with', '--index-url=http://x'], 2, /no requirement/],
    ['with a column to refuse that is not there', ['--unlocked', '--refuse', 'agee'], 2, /Did you mean age\?/],
    ['with a file that is not there', ['--unlocked', '--artifact', 'x.pkl'], 2, /has no file x\.pkl/],
    ['for a stage that is not there', ['--unlocked', '--stage', 'prod'], 2, /no stage/],
  ]
  for (const [what, flags, code, message] of cases) {
    it(`says what is missing: ${what}`, async () => {
      const { stderr } = await project.mlops(['scaffold', 'fastapi', M, ...flags], { code })
      assert.match(stderr, message)
    })
  }

  it('says what is missing: a version without baseline and examples', async () => {
    await project.mlops(['register', 'bare', '--artifact', 'model.py', '--no-baseline'])
    const { stderr } = await project.mlops(['scaffold', 'fastapi', 'bare', '--unlocked'], { code: 2 })
    assert.match(stderr, /which columns[\s\S]*--baseline/)
    assert.match((await project.mlops(['scaffold', 'fastapi'], { code: 2 })).stderr, /Which model\?/)
  })

  it('belongs to one model, and goes on following the stage it was told', async () => {
    await project.mlops(['promote', M, '--to', 'staging'])
    await project.mlops([...SCAFFOLD, '--stage', 'staging'])
    const { json } = await project.mlops(['scaffold', 'fastapi', `${M}@1`, '--json'])
    assert.equal(json.data.answers.stage, 'staging')
    const { stderr } = await project.mlops(['scaffold', 'fastapi', 'bare', '--unlocked'], { code: 2 })
    assert.match(stderr, /service of churn-model, not of bare[\s\S]*--dir bare/)
  })

  it('is not out of date because of a version that takes and gives the same, until that is named', async () => {
    const before = tree(project.path('service'))
    const plans = ['basic', 'family', 'pro']
    await registerOn(project, plans, '', 22)
    await project.mlops(['promote', M, '--to', 'production', '--approve', 'ada'])
    await project.mlops(['scaffold', 'fastapi', M, '--check'])
    assert.match((await project.mlops(['scaffold', 'status', '--check'])).stdout, /up to date/)
    await project.mlops(['scaffold', 'fastapi', M])
    assert.match(project.read('service/service.json'), /"range": ?\[20, 69\]/)
    const { json } = await project.mlops(['scaffold', 'fastapi', `${M}@2`, '--json'])
    assert.equal(json.data.answers.version, 2)
    assert.match(project.read('service/service.json'), /"range": ?\[22, 71\]/)
    const { info } = JSON.parse(project.read('service/openapi.json'))
    assert.ok(project.read('service/service.json').includes(`"contract": "${info.version}`))
    assert.notDeepEqual(changed(before, tree(project.path('service'))), {})
    await registerOn(project, [...plans, 'student'])
    await project.mlops(['scaffold', 'fastapi', `${M}@3`, '--check'], { code: 3 })
  })

  it('says of a first look that it would be new, and of one file in conflict that it is one', async () => {
    rmSync(project.path('service'), { recursive: true, force: true })
    const { stdout } = await project.mlops([...SCAFFOLD, '--dry-run'])
    assert.match(stdout, /would be new; nothing was written/)
    assert.doesNotMatch(stdout, /out of date/)
    await project.mlops([...SCAFFOLD, '--stage', 'production'])
    assert.match(project.read('service/.gitignore'), /^\.venv\/\n__pycache__\//m)
    const schema = project.read('service/app/schema.py')
    project.write(
      'service/app/schema.py',
      schema.replace(/basic, family, pro(?:, student)? \(in training\)/, 'the plans'),
    )
    await registerOn(project, ['basic', 'gold'])
    await project.mlops(['promote', `${M}@4`, '--to', 'production', '--approve', 'ada'])
    const said = (await project.mlops(['scaffold', 'status'])).stdout
    assert.match(said, /2 files to update, 1 in conflict/)
  })

  it('lists nothing where nothing was scaffolded', async () => {
    rmSync(project.path('service'), { recursive: true, force: true })
    assert.match((await project.mlops(['scaffold', 'status'])).stdout, /Nothing was scaffolded/)
  })
})
