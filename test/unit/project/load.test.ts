import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MlopsError } from '../../../src/core/errors.ts'
import { loadProject } from '../../../src/project/load.ts'

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
