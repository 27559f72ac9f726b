import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MlopsError } from '../../../src/core/errors.ts'
import { isPlanted } from '../../../src/project/find.ts'
import { loadProject, loadProjectHere, missingConfig } from '../../../src/project/load.ts'
import { skipBecause } from '../../support/skip.ts'

describe('finding the project and its store', () => {
  let folder: string
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'mlops-load-')))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const write = (path: string, content = ''): string => {
    const file = join(folder, path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, content)
    return file
  }
  const at = (path: string) => join(folder, path)
  const git = (cwd: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd, stdio: 'pipe' })

  it('takes the folder one stands in when there is no mlops.yaml', async () => {
    const project = await loadProject({ cwd: folder, env: {} })
    assert.equal(project.root, folder)
    assert.equal(project.file, undefined)
    assert.equal(project.storeRoot, at('.mlops'))
  })

  it('does not take a mlops.yaml that is a link to nothing for none: its gates were lost, not lifted', async () => {
    symlinkSync('nowhere.yaml', at('mlops.yaml'))
    mkdirSync(at('below'))
    await assert.rejects(loadProject({ cwd: at('below'), env: {} }), (error: MlopsError) => {
      assert.deepEqual([error.code, error.exitCode], ['CONFIG_UNREADABLE', 1])
      return /mlops\.yaml is a symbolic link to something that is not there/.test(error.message)
    })
  })

  it('finds the nearest mlops.yaml upwards', async () => {
    write('mlops.yaml', 'store: outer')
    write('inner/mlops.yaml', 'store: ../shared/store')
    mkdirSync(at('inner/a/b'), { recursive: true })
    const project = await loadProject({ cwd: at('inner/a/b'), env: {} })
    assert.equal(project.root, at('inner'))
    assert.equal(project.file, at('inner/mlops.yaml'))
    assert.equal(project.storeRoot, at('shared/store'))
  })

  it('names the file as seen from where one stands', async () => {
    write('mlops.yaml', '\n\nsotre: x')
    mkdirSync(at('a'))
    await assert.rejects(
      loadProject({ cwd: at('a'), env: {} }),
      /^Error: \.\.\/mlops\.yaml:3: sotre: unknown key|^MlopsError: \.\.\/mlops\.yaml:3/,
    )
  })

  it('takes --store before MLOPS_STORE before mlops.yaml', async () => {
    write('mlops.yaml', 'store: from-file')
    mkdirSync(at('a'))
    const env = { MLOPS_STORE: '/from-env' }
    const cwd = at('a')
    assert.equal((await loadProject({ cwd, env, store: 'flag' })).storeRoot, at('a/flag'))
    assert.equal((await loadProject({ cwd, env, store: '/flag' })).storeRoot, '/flag')
    assert.equal((await loadProject({ cwd, env })).storeRoot, '/from-env')
    assert.equal((await loadProject({ cwd, env: { MLOPS_STORE: '' } })).storeRoot, at('from-file'))
  })

  it('refuses a relative MLOPS_STORE', async () => {
    await assert.rejects(
      loadProject({ cwd: folder, env: { MLOPS_STORE: 'here' } }),
      (error: MlopsError) => error.exitCode === 2 && error.code === 'STORE_PATH_INVALID',
    )
  })

  describe('of a store that is named', () => {
    beforeEach(() => {
      write('bike/mlops.yaml', 'models: {bike: {gates: {production: {min_auc: 0.9}}}}')
      write('bike/.mlops/registry.json', '{}')
      mkdirSync(at('elsewhere/deep'), { recursive: true })
    })
    const gate = async (cwd: string, more: { store?: string; env?: Record<string, string> }) => {
      const project = await loadProject({ cwd: at(cwd), env: {}, ...more })
      return [project.file, project.root, project.storeRoot, project.config.models.bike?.gates.production?.min.auc]
    }
    const bike = () => [at('bike/mlops.yaml'), at('bike'), at('bike/.mlops'), 0.9]

    it('the project is the one above the store, from wherever one stands', async () => {
      assert.deepEqual(await gate('elsewhere', { store: at('bike/.mlops') }), bike())
      assert.deepEqual(await gate('elsewhere', { store: '../bike/.mlops' }), bike())
      assert.deepEqual(await gate('elsewhere/deep', { env: { MLOPS_STORE: at('bike/.mlops') } }), bike())
      assert.deepEqual(await gate('bike', { env: { MLOPS_STORE: at('bike/.mlops') } }), bike())
      assert.deepEqual(await gate('bike/.mlops', { store: '.' }), bike())
    })

    it('another project that one stands in does not stand in for it', async () => {
      write('elsewhere/mlops.yaml', 'models: {other: {}}')
      assert.deepEqual(await gate('elsewhere/deep', { store: at('bike/.mlops') }), bike())
    })

    it('the project that one stands in comes first when it names that store too', async () => {
      write('elsewhere/mlops.yaml', 'store: ../bike/.mlops')
      const [file] = await gate('elsewhere/deep', { store: at('bike/.mlops') })
      assert.equal(file, at('elsewhere/mlops.yaml'))
    })

    it('passes an mlops.yaml above the store that names another one', async () => {
      write('bike/sub/mlops.yaml', 'store: other')
      write('bike/mlops.yaml', 'store: sub/store')
      const [file] = await gate('elsewhere', { store: at('bike/sub/store') })
      assert.equal(file, at('bike/mlops.yaml'))
    })

    it('is found by way of a symbolic link too', async () => {
      symlinkSync(at('bike'), at('link'))
      write('elsewhere/mlops.yaml', 'store: ../link/.mlops')
      const [file] = await gate('elsewhere', { store: at('bike/.mlops') })
      assert.equal(file, at('elsewhere/mlops.yaml'))
    })

    it('says whose gates are missing when no mlops.yaml names the store', async () => {
      const bare = { env: {}, store: at('bare/store') }
      const none = await loadProject({ cwd: at('elsewhere'), ...bare })
      assert.deepEqual([none.file, none.coversStore], [undefined, false])
      assert.match(missingConfig(none, 'bike') ?? '', /no mlops\.yaml here.*default gates/)
      const other = await loadProject({ cwd: at('bike'), ...bare })
      assert.deepEqual([other.file, other.coversStore], [at('bike/mlops.yaml'), false])
      assert.equal(missingConfig(other, 'bike'), undefined, 'a checkout in CI with the store on a shared disk')
      assert.match(missingConfig(other, 'tram') ?? '', /names another store and no model tram/)
      assert.equal(missingConfig(await loadProject({ cwd: at('bike'), env: {} }), 'tram'), undefined)
    })

    it('refuses a broken mlops.yaml above the store instead of going on without its gates', async () => {
      write('bike/mlops.yaml', 'models: {bike: {gats: {}}}')
      await assert.rejects(
        loadProject({ cwd: at('elsewhere'), env: {}, store: at('bike/.mlops') }),
        (error: MlopsError) => error.code === 'CONFIG_INVALID' && /\.\.\/bike\/mlops\.yaml/.test(error.message),
      )
    })
  })

  describe('an mlops.yaml that somebody else put where everybody may write', () => {
    beforeEach(function () {
      if (process.getuid?.() !== 0) skipBecause(this, 'only root can give a file to another user')
      write('public/mlops.yaml', 'models: {m: {train: touch owned}}')
      chownSync(at('public/mlops.yaml'), 12_345, 12_345)
      chmodSync(at('public'), 0o1777)
      mkdirSync(at('public/team/deep'), { recursive: true })
    })

    it('is refused, and says how to go on', async () => {
      await assert.rejects(
        loadProject({ cwd: at('public/team'), env: {} }),
        (error: MlopsError) =>
          error.code === 'CONFIG_NOT_TRUSTED' &&
          error.exitCode === 2 &&
          /uid 12345/.test(error.message) &&
          /mlops init \./.test(error.hint ?? ''),
      )
    })

    it('is no obstacle for a project of our own below it', async () => {
      assert.equal((await loadProjectHere({ cwd: at('public/team'), env: {} })).file, undefined, 'what init sees')
      write('public/team/mlops.yaml', '')
      assert.equal((await loadProject({ cwd: at('public/team/deep'), env: {} })).root, at('public/team'))
    })

    it('is not taken for the project of a store below it', async () => {
      write('public/mlops.yaml', 'store: work/store')
      const project = await loadProject({ cwd: folder, env: {}, store: at('public/team/store') })
      assert.equal(project.file, undefined)
    })

    it('is judged by the link when it is one', () => {
      write('mine.yaml')
      rmSync(at('public/mlops.yaml'))
      symlinkSync(at('mine.yaml'), at('public/mlops.yaml'))
      assert.equal(isPlanted(at('public/mlops.yaml')), false)
      execFileSync('chown', ['-h', '12345', at('public/mlops.yaml')])
      assert.equal(isPlanted(at('public/mlops.yaml')), true)
    })

    it("is trusted in a folder that a group shares, and when it is ours or the machine administrator's", () => {
      assert.equal(isPlanted(at('public/mlops.yaml'), 12_345), false)
      assert.equal(isPlanted(at('public/mlops.yaml'), 777), true)
      chmodSync(at('public'), 0o2775)
      assert.equal(isPlanted(at('public/mlops.yaml'), 777), false)
      chmodSync(at('public'), 0o1777)
      chownSync(at('public/mlops.yaml'), 0, 0)
      assert.equal(isPlanted(at('public/mlops.yaml'), 777), false)
    })
  })

  describe('in a linked git worktree', () => {
    beforeEach(() => {
      write('main/project/mlops.yaml', 'store: .mlops')
      git(at('main'), 'init', '-q')
      git(at('main'), 'add', '.')
      git(at('main'), 'commit', '-q', '-m', 'x')
      git(at('main'), 'worktree', 'add', '-q', '../linked')
    })

    it('uses the store of the main worktree, with the mlops.yaml of the linked one', async () => {
      mkdirSync(at('linked/project/src'))
      const project = await loadProject({ cwd: at('linked/project/src'), env: {} })
      assert.equal(project.file, at('linked/project/mlops.yaml'))
      assert.equal(project.root, at('linked/project'))
      assert.equal(project.storeRoot, at('main/project/.mlops'))
    })

    it('uses a store that was made in the linked one on purpose', async () => {
      write('linked/project/.mlops/registry.json', '{}')
      const project = await loadProject({ cwd: at('linked/project'), env: {} })
      assert.equal(project.storeRoot, at('linked/project/.mlops'))
    })

    it('finds an mlops.yaml that was never committed in the main worktree', async () => {
      rmSync(at('linked/project/mlops.yaml'))
      const project = await loadProject({ cwd: at('linked/project'), env: {} })
      assert.equal(project.file, at('main/project/mlops.yaml'))
      assert.equal(project.root, at('linked/project'))
      assert.equal(project.storeRoot, at('main/project/.mlops'))
    })

    it('leaves a store outside of the repository where it is', async () => {
      write('linked/project/mlops.yaml', `store: ${at('elsewhere')}`)
      assert.equal((await loadProject({ cwd: at('linked/project'), env: {} })).storeRoot, at('elsewhere'))
    })
  })

  it('takes a submodule for what it is: a project of its own', async () => {
    write('sub/mlops.yaml')
    write('sub/.git', 'gitdir: ../.git/modules/sub\n')
    mkdirSync(at('.git/modules/sub'), { recursive: true })
    assert.equal((await loadProject({ cwd: at('sub'), env: {} })).storeRoot, at('sub/.mlops'))
  })

  it('has no main worktree to fall back on beside a bare repository', async () => {
    write('seed/mlops.yaml')
    git(at('seed'), 'init', '-q')
    git(at('seed'), 'add', '.')
    git(at('seed'), 'commit', '-q', '-m', 'x')
    git(folder, 'clone', '-q', '--bare', 'seed', 'bare.git')
    git(at('bare.git'), 'worktree', 'add', '-q', '../linked')
    assert.equal((await loadProject({ cwd: at('linked'), env: {} })).storeRoot, at('linked/.mlops'))
  })

  it('does not stumble over a .git file that says nonsense', async () => {
    write('.git', 'gitdir: /nowhere/at/all\n')
    assert.equal((await loadProject({ cwd: folder, env: {} })).storeRoot, at('.mlops'))
  })
})
