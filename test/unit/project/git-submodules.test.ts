/** Submodules: which commit is checked out in them, what was changed there, and what is none of theirs. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type GitSnapshot, gitFacts } from '../../../src/project/git.ts'

describe('Submodules', () => {
  let base: string
  let root: string
  const env = { PATH: process.env.PATH, HOME: '/nonexistent' }
  const ask = (cwd: string, ...args: string[]): string =>
    execFileSync(
      'git',
      ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'protocol.file.allow=always', ...args],
      {
        cwd,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...env, GIT_CONFIG_NOSYSTEM: '1' },
      },
    ).trim()
  const write = (folder: string, path: string, content: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  const repository = (name: string): string => {
    const folder = join(base, name)
    mkdirSync(folder)
    ask(folder, 'init', '-q', '-b', 'main')
    write(folder, `${name}.py`, `# ${name}\n`)
    return folder
  }
  const commit = (folder: string): void => {
    ask(folder, 'add', '-A')
    ask(folder, 'commit', '-q', '-m', 'more')
  }
  const facts = async (): Promise<GitSnapshot> => {
    const result = await gitFacts(root, { env })
    assert.ok(result.kind === 'facts', JSON.stringify(result))
    return result.facts
  }
  const head = (path: string): string => ask(join(root, path), 'rev-parse', 'HEAD')

  beforeEach(() => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'mlops-modules-')))
    const inner = repository('inner')
    commit(inner)
    const lib = repository('lib')
    ask(lib, 'submodule', '--quiet', 'add', inner, 'deps/inner')
    commit(lib)
    root = repository('project')
    ask(root, 'submodule', '--quiet', 'add', lib, 'vendor/lib')
    ask(root, 'config', '-f', '.gitmodules', 'submodule.vendor/lib.url', 'https://ada:hunter2@example.com/lib.git')
    commit(root)
    ask(root, 'submodule', '--quiet', 'update', '--init', '--recursive')
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  it('are there with their commit and address, nested ones too', async () => {
    const { dirty, submodules, patch, notes } = await facts()
    assert.deepEqual([dirty, patch, notes], [false, undefined, []])
    assert.deepEqual(submodules, [
      { path: 'vendor/lib', commit: head('vendor/lib'), url: 'https://example.com/lib.git', dirty: false },
      { path: 'vendor/lib/deps/inner', commit: head('vendor/lib/deps/inner'), url: join(base, 'inner'), dirty: false },
    ])
  })

  it('have a patch of their own, with new source files and without data, that makes them again', async () => {
    write(root, 'vendor/lib/lib.py', '# changed\n')
    write(root, 'vendor/lib/new.py', 'x = 1\n')
    write(root, 'vendor/lib/rows.csv', 'a\n')
    write(root, 'vendor/lib/deps/inner/more.py', 'y = 1\n')
    write(root, 'project.py', '# changed too\n')
    const { dirty, submodules, patch, notes } = await facts()
    assert.deepEqual([dirty, patch?.files], [true, ['project.py']])
    const [lib, inner] = submodules ?? []
    assert.deepEqual([lib?.dirty, [...(lib?.patch?.files ?? [])].sort()], [true, ['lib.py', 'new.py']])
    assert.deepEqual([inner?.dirty, inner?.patch?.files], [true, ['more.py']])
    assert.match(notes.join(), /in the submodule vendor\/lib: not in the patch .*rows\.csv/)

    const copy = join(base, 'copy')
    ask(base, 'clone', '-q', join(base, 'lib'), copy)
    ask(copy, 'checkout', '-q', String(lib?.commit))
    execFileSync('git', ['apply', '-'], { cwd: copy, input: lib?.patch?.bytes ?? '' })
    for (const path of ['lib.py', 'new.py']) {
      execFileSync('cmp', [join(copy, path), join(root, 'vendor/lib', path)])
    }
    // The patch of the whole applies where the submodules are as the commit says.
    const whole = join(base, 'whole')
    ask(base, 'clone', '-q', root, whole)
    execFileSync('git', ['apply', '-'], { cwd: whole, input: patch?.bytes ?? '' })
  })

  it('say what is checked out, not what the commit of the whole says', async () => {
    const recorded = head('vendor/lib')
    write(root, 'vendor/lib/lib.py', '# newer\n')
    commit(join(root, 'vendor/lib'))
    const { dirty, patch, submodules } = await facts()
    assert.deepEqual([dirty, patch], [true, undefined])
    assert.equal(submodules?.[0]?.commit, head('vendor/lib'))
    assert.notEqual(submodules?.[0]?.commit, recorded)
    assert.equal(submodules?.[0]?.dirty, false)
  })

  it('are noticed also where .gitmodules says that changes do not matter', async () => {
    ask(root, 'config', '-f', '.gitmodules', 'submodule.vendor/lib.ignore', 'all')
    commit(root)
    write(root, 'vendor/lib/lib.py', '# changed\n')
    const { dirty, submodules } = await facts()
    assert.deepEqual([dirty, submodules?.[0]?.patch?.files], [true, ['lib.py']])
  })

  it('that are not checked out have no commit', async () => {
    ask(root, 'submodule', '--quiet', 'deinit', '-f', 'vendor/lib')
    const { submodules, dirty } = await facts()
    assert.deepEqual(submodules, [
      { path: 'vendor/lib', commit: null, url: 'https://example.com/lib.git', dirty: false },
    ])
    assert.equal(dirty, false)
  })

  it('are never what points out of the repository, and nothing that they configure is run', async () => {
    const outside = join(base, 'inner')
    write(outside, 'secret.py', 'x = 1\n')
    symlinkSync(outside, join(root, 'by-link'))
    for (const [name, path] of [
      ['up', '../inner'],
      ['absolute', outside],
      ['self', '.'],
      ['link', 'by-link'],
      ['gone', 'nowhere'],
    ]) {
      ask(root, 'config', '-f', '.gitmodules', `submodule.${name}.path`, String(path))
    }
    ask(join(root, 'vendor/lib'), 'config', 'core.fsmonitor', `touch ${join(base, 'ran')}; false`)
    const { submodules } = await facts()
    assert.deepEqual(
      submodules?.filter(({ commit: at }) => at !== null).map(({ path }) => path),
      ['vendor/lib', 'vendor/lib/deps/inner'],
    )
    assert.ok(!existsSync(join(base, 'ran')))
    write(root, '.gitmodules', '[broken')
    assert.equal((await facts()).submodules, undefined)
  })
})
