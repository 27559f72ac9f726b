import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Context } from '../../../src/core/context.ts'
import type { MlopsError } from '../../../src/core/errors.ts'
import { applyInit, type InitRequest, planInit, prepareInit } from '../../../src/project/init.ts'
import { suggestModelName } from '../../../src/project/init-plan.ts'
import { yamlText } from '../../../src/project/init-yaml.ts'
import { loadProject, modelConfig } from '../../../src/project/load.ts'
import { skipBecause } from '../../support/skip.ts'

describe('mlops init', () => {
  let folder: string
  let warnings: string[]
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'mlops-init-')))
    warnings = []
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const at = (path: string) => join(folder, path)
  const write = (path: string, content = ''): void => {
    mkdirSync(dirname(at(path)), { recursive: true })
    writeFileSync(at(path), content)
  }
  const read = (path: string) => readFileSync(at(path), 'utf8')
  const git = (cwd: string, ...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
      cwd,
      stdio: 'pipe',
      encoding: 'utf8',
    })
  const context = (cwd = folder, env: Record<string, string> = {}): Context => ({
    cwd,
    env: { PATH: process.env.PATH, ...env },
    actor: { name: 'ada', origin: 'local' },
    tool: 'mlops test',
    now: () => new Date('2026-01-01T00:00:00Z'),
    warn: (message) => warnings.push(message),
  })
  /** What `mlops init --yes` does. */
  const init = async (
    ctx = context(),
    request: InitRequest = {},
    more: { name?: string; shared?: boolean; target?: string } = {},
  ) => {
    const { facts, project, suggested } = await prepareInit(ctx, request)
    const choices = {
      model: more.name ?? suggested.model,
      train: suggested.train,
      target: more.target,
      shared: more.shared ?? false,
    }
    const plan = planInit(facts, choices, project)
    return { plan, facts, result: await applyInit(ctx, plan) }
  }
  const actions = (result: { steps: readonly { what: string; action: string }[] }) =>
    result.steps.map(({ what, action }) => `${what} ${action}`)

  it('makes the store and a commented mlops.yaml in an empty folder', async () => {
    const { result } = await init(context(), {}, { name: 'churn-model' })
    assert.deepEqual(actions(result), ['store create', 'config create'])
    assert.ok(existsSync(at('.mlops/registry.json')))
    const project = await loadProject({ cwd: folder, env: {} })
    assert.deepEqual(Object.keys(project.config.models), ['churn-model'])
    assert.equal(modelConfig(project, 'churn-model').train, undefined)
    assert.equal(modelConfig(project, 'churn-model').gates.production?.approval, 1)
    assert.match(read('mlops.yaml'), /# train: python train\.py/)
    assert.match(result.next, /^mlops track --model churn-model -- python train\.py$/)
    assert.ok(result.notes.some((note) => note.includes('git init')))
  })

  it('finds what is evident in a Python repository', async () => {
    git(folder, 'init', '-q')
    write('pyproject.toml')
    write('.venv/pyvenv.cfg')
    write('.venv/bin/python')
    write(
      'src/train.py',
      'df = pd.read_csv("data/train.csv")\ny = df["churned"]\nmodel.fit(X, y)\njoblib.dump(model, "out/model.joblib")\n',
    )
    write('src/evaluate.py')
    write('data/train.csv', 'customer_id,tenure,churned\n1,2,0\n')
    write('data/test.csv', 'customer_id,tenure,churned\n')
    const { plan, result } = await init(context(), {}, { name: 'churn' })
    assert.deepEqual(plan.found, [
      'Python: .venv, pyproject.toml',
      'git repository: .',
      'training script: src/train.py',
      'evaluation script: src/evaluate.py',
      'model file: src/train.py writes out/model.joblib',
      'target column: churned',
      'data: data/test.csv, data/train.csv',
    ])
    assert.equal(
      result.next,
      'mlops track --model churn --data train=data/train.csv --data test=data/test.csv -- .venv/bin/python src/train.py',
    )
    const config = modelConfig(await loadProject({ cwd: folder, env: {} }), 'churn')
    assert.equal(config.train, '.venv/bin/python src/train.py')
    assert.equal(config.evaluate, '.venv/bin/python src/evaluate.py {model} {data}')
    assert.equal(config.artifact, 'out/model.joblib')
    assert.equal(config.schema.target, 'churned')
  })

  for (const name of ['.venv', 'venv', 'env']) {
    it(`names the interpreter of ${name}, also when it is active: cron and CI activate nothing`, async () => {
      write(`${name}/pyvenv.cfg`)
      write(`${name}/bin/python`)
      write('train.py')
      write('evaluate.py')
      const { result } = await init(context(folder, { VIRTUAL_ENV: at(name) }), {}, { name: 'churn' })
      const config = modelConfig(await loadProject({ cwd: folder, env: {} }), 'churn')
      assert.equal(config.train, `${name}/bin/python train.py`)
      assert.equal(config.evaluate, `${name}/bin/python evaluate.py {model} {data}`)
      assert.equal(result.next, `mlops track --model churn -- ${name}/bin/python train.py`)
    })
  }

  it('names the interpreter in the next command and the examples also where no script was found', async () => {
    write('.venv/pyvenv.cfg')
    write('.venv/bin/python')
    const { result } = await init(context(), {}, { name: 'churn' })
    assert.equal(result.next, 'mlops track --model churn -- .venv/bin/python train.py')
    assert.match(read('mlops.yaml'), /# train: \.venv\/bin\/python train\.py/)
  })

  it('writes the target column it is told, and says so when no data file has it', async () => {
    write('data.csv', 'tenure,churned\n')
    const { result } = await init(context(), {}, { name: 'churn', target: 'churned' })
    assert.equal(modelConfig(await loadProject({ cwd: folder, env: {} }), 'churn').schema.target, 'churned')
    assert.ok(!result.notes.some((note) => note.includes('target')), result.notes.join())
    const again = await init(context(), {}, { name: 'churn', target: 'chruned' })
    assert.deepEqual(
      again.result.notes.filter((note) => note.includes('target')),
      [
        'mlops.yaml is left as it is; the target column goes under "churn:"  schema: {target: chruned}',
        'Look at the target column: no column of data.csv is called chruned; did you mean churned?',
      ],
    )
  })

  it('guesses no target and no artifact where the script leaves it open', async () => {
    write('train.py', 'y = df["churned"]\ny2 = df["spent"]\njoblib.dump(a, "a.joblib")\njoblib.dump(b, "b.joblib")\n')
    write('data.csv', 'churned,spent\n')
    const { facts } = await init()
    assert.equal(facts.target, undefined)
    assert.equal(facts.artifact, undefined)
  })

  it('takes no column for the target that the data does not have', async () => {
    write('train.py', 'target = "churned"\n')
    write('data.csv', 'a,b\n')
    assert.equal((await init()).facts.target, undefined)
  })

  it('has git ignore the store, and only the store', async () => {
    git(folder, 'init', '-q')
    write('.gitignore', '*.pyc')
    const { result } = await init()
    assert.deepEqual(actions(result), ['store create', 'ignore append', 'config create'])
    assert.equal(
      read('.gitignore'),
      '*.pyc\n# The store of mlops, and what its nightly checks print: not part of the code\n/.mlops/\n.mlops-drift-*.log\n',
    )
    assert.deepEqual(git(folder, 'status', '--porcelain').trim().split('\n'), ['?? .gitignore', '?? mlops.yaml'])
  })

  it('keeps the store through git clean -fdx, because it is a repository of its own', async () => {
    git(folder, 'init', '-q')
    await init()
    git(folder, 'add', '.')
    git(folder, 'commit', '-q', '-m', 'x')
    git(folder, 'clean', '-q', '-fdx')
    assert.ok(existsSync(at('.mlops/registry.json')))
  })

  it('writes the ignore line of a sub-folder into the .gitignore of the repository', async () => {
    git(folder, 'init', '-q')
    mkdirSync(at('services/churn [v2]'), { recursive: true })
    const { result } = await init(context(at('services/churn [v2]')))
    assert.ok(existsSync(at('services/churn [v2]/.mlops/registry.json')))
    assert.equal(read('.gitignore').split('\n')[1], '/services/churn \\[v2\\]/.mlops/')
    assert.ok(!git(folder, 'status', '--porcelain', '-uall').includes('.mlops'))
    assert.equal(result.model, 'churn-v2')
  })

  it('adds no second ignore line when another rule ignores the store already', async () => {
    git(folder, 'init', '-q')
    write('.gitignore', '.ml*/\r\n')
    const { result } = await init()
    assert.equal(actions(result)[1], 'ignore present')
    assert.equal(read('.gitignore'), '.ml*/\r\n')
  })

  it('keeps the line ends of a .gitignore from Windows', async () => {
    git(folder, 'init', '-q')
    write('.gitignore', '*.pyc\r\n')
    await init()
    assert.equal(
      read('.gitignore'),
      '*.pyc\r\n# The store of mlops, and what its nightly checks print: not part of the code\r\n/.mlops/\r\n.mlops-drift-*.log\r\n',
    )
  })

  it('can be run again and says that everything is there', async () => {
    git(folder, 'init', '-q')
    await init(context(), {}, { name: 'churn' })
    const before = [read('mlops.yaml'), read('.gitignore'), read('.mlops/registry.json')]
    const { result } = await init()
    assert.deepEqual(actions(result), ['store present', 'ignore present', 'config present'])
    assert.equal(result.changed, false)
    assert.equal(result.model, 'churn', 'the model that mlops.yaml names')
    assert.deepEqual([read('mlops.yaml'), read('.gitignore'), read('.mlops/registry.json')], before)
  })

  it('never touches an mlops.yaml that is there, and says how to add a model to it', async () => {
    write('mlops.yaml', 'models:\n  first: {}\n')
    const { result } = await init(context(), {}, { name: 'second' })
    assert.equal(read('mlops.yaml'), 'models:\n  first: {}\n')
    assert.ok(existsSync(at('.mlops/registry.json')))
    assert.ok(result.notes.some((note) => note.includes('second: {}')))
  })

  it('makes only what is missing', async () => {
    git(folder, 'init', '-q')
    await init()
    rmSync(at('mlops.yaml'))
    assert.deepEqual(actions((await init()).result), ['store present', 'ignore present', 'config create'])
  })

  it('run below a project means that project, but a named folder is a project of its own', async () => {
    await init()
    mkdirSync(at('notebooks'))
    const below = await init(context(at('notebooks')))
    assert.equal(below.plan.root, folder)
    assert.equal(below.result.changed, false)
    const own = await init(context(at('notebooks')), { dir: '.' })
    assert.equal(own.plan.root, at('notebooks'))
    assert.ok(existsSync(at('notebooks/.mlops/registry.json')))
  })

  it('makes the folder it is given', async () => {
    await init(context(), { dir: 'new/project' })
    assert.deepEqual(readdirSync(at('new/project')).sort(), ['.mlops', 'mlops.yaml'])
  })

  it('makes the store where --store or MLOPS_STORE say, and writes that down', async () => {
    mkdirSync(at('a'))
    await init(context(at('a')), { store: '../shared/store' })
    assert.ok(existsSync(at('shared/store/registry.json')))
    assert.equal((await loadProject({ cwd: at('a'), env: {} })).storeRoot, at('shared/store'))
    mkdirSync(at('b'))
    await init(context(at('b'), { MLOPS_STORE: at('env-store') }))
    assert.equal((await loadProject({ cwd: at('b'), env: {} })).storeRoot, at('env-store'))
  })

  it('puts the store of a linked worktree into the main worktree', async () => {
    write('main/a.txt')
    git(at('main'), 'init', '-q')
    git(at('main'), 'add', '.')
    git(at('main'), 'commit', '-q', '-m', 'x')
    git(at('main'), 'worktree', 'add', '-q', '../linked')
    await init(context(at('linked')))
    assert.ok(existsSync(at('main/.mlops/registry.json')))
    assert.ok(!existsSync(at('linked/.mlops')))
    assert.equal((await loadProject({ cwd: at('linked'), env: {} })).storeRoot, at('main/.mlops'))
    assert.ok(!git(at('main'), 'status', '--porcelain').includes('.mlops'), 'ignored in the main worktree')
  })

  it('gives members of a group a store to share', async () => {
    await init(context(), {}, { shared: true })
    assert.equal(statSync(at('.mlops')).mode & 0o7777, 0o2775)
  })

  it('does what it can without git', async () => {
    mkdirSync(at('.git'))
    await init(context(folder, { PATH: '/nonexistent' }))
    assert.match(read('.gitignore'), /^\/\.mlops\/$/m)
    assert.ok(existsSync(at('.mlops/registry.json')))
    assert.ok(
      warnings.some((warning) => warning.includes('git')),
      warnings.join(),
    )
  })

  describe('refuses, and leaves nothing behind,', () => {
    const refusal = async (code: string, exit: number, request: InitRequest = {}, name?: string): Promise<string> => {
      const before = tree(folder)
      const error = await init(context(), request, name === undefined ? {} : { name }).then(
        () => assert.fail('it went through'),
        (reason: MlopsError) => reason,
      )
      assert.equal(error.code, code, error.message)
      assert.equal(error.exitCode, exit)
      assert.ok(error.hint)
      assert.deepEqual(tree(folder), before)
      return error.message
    }

    it('a DIR that is a file', async () => {
      write('file')
      assert.match(await refusal('INIT_NOT_A_FOLDER', 2, { dir: 'file' }), /^file is a file/)
    })
    it('a DIR that is a link to nothing', async () => {
      symlinkSync('nowhere', at('link'))
      await refusal('INIT_NOT_A_FOLDER', 2, { dir: 'link' })
    })
    it('a DIR below a file', async () => {
      write('file')
      await refusal('INIT_DENIED', 1, { dir: 'file/below' })
    })
    it('a folder that the system does not let anybody make, where Node would try for ever', async function () {
      if (process.platform !== 'linux') skipBecause(this, 'needs /proc')
      assert.match(await refusal('INIT_DENIED', 1, { dir: '/proc/mlops/below' }), /^\/proc\/mlops cannot be written/)
      await refusal('STORE_IO', 1, { store: '/proc/mlops/.mlops' })
    })
    it('a store that is a file', async () => {
      write('.mlops')
      await refusal('STORE_NOT_A_FOLDER', 2)
    })
    it('a store that is a symbolic link', async () => {
      mkdirSync(at('other'))
      symlinkSync('other', at('.mlops'))
      await refusal('STORE_IS_A_LINK', 2)
    })
    it('a store folder full of something else', async () => {
      write('.mlops/thesis.docx')
      await refusal('STORE_FOLDER_TAKEN', 2)
    })
    it('a broken mlops.yaml', async () => {
      write('mlops.yaml', 'modles: {}')
      assert.match(await refusal('CONFIG_INVALID', 2), /mlops\.yaml:1: modles: unknown key; did you mean models\?/)
    })
    it('a name that is a path', async () => {
      await refusal('NAME_INVALID', 2, {}, '../evil')
    })
    it('a folder in which one may not write', async function () {
      if (process.getuid?.() === 0) skipBecause(this, 'root may write everywhere')
      mkdirSync(at('locked'))
      chmodSync(at('locked'), 0o555)
      await refusal('STORE_DENIED', 1, { dir: 'locked' })
    })
  })

  it('suggests an allowed name for any folder', () => {
    for (const [path, name] of [
      ['/x/Churn Model!', 'churn-model'],
      ['/x/träume', 'tr-ume'],
      ['/', 'model'],
      ['/x/CON', 'model'],
      [`/x/${'a'.repeat(300)}`, 'a'.repeat(60)],
      ['/x/---', 'model'],
    ] as const) {
      assert.equal(suggestModelName(path), name)
    }
  })

  it('writes values so that YAML reads them back as they were', async () => {
    for (const value of [
      'python train.py --lr 0.1',
      'a: b',
      '# x',
      'true',
      '1.0',
      "it's",
      '"q"',
      'x #y',
      '{a}',
      '*x',
      'é',
      '0x10',
      '',
    ]) {
      write('mlops.yaml', `models: {m: {schema: {columns: {}}}}\n`)
      if (value === '') continue
      write('mlops.yaml', `models:\n  m:\n    train: ${yamlText(value)} # comment\n`)
      assert.equal(modelConfig(await loadProject({ cwd: folder, env: {} }), 'm').train, value)
    }
  })
})

/** Every path below a folder, to see that nothing was left behind. */
const tree = (folder: string): string[] => (readdirSync(folder, { recursive: true }) as string[]).sort()
