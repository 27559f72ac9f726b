/** The real diff of the code of two runs, under real git; nothing of the user's repository changes. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { codeDiffs } from '../../../src/tracking/compare/code-diff.ts'
import type { RunFacts } from '../../../src/tracking/compare/facts.ts'
import { facts } from './compare-facts.ts'
import { type Workshop, workshop } from './support.ts'

describe('The diff of the code of two runs', () => {
  let shop: Workshop
  beforeEach(async () => {
    shop = await workshop({ 'train.py': 'depth = 6\nprint(depth)\n', '.gitignore': '.mlops\n' })
    git('init', '-q', '-b', 'main')
    commit('first')
  })
  afterEach(() => shop.remove())

  const git = (...args: string[]): string => gitIn(shop.root, ...args)
  const gitIn = (folder: string, ...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'protocol.file.allow=always', ...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  const commit = (message: string): string => {
    git('add', '-A')
    git('commit', '-qm', message)
    return git('rev-parse', 'HEAD')
  }
  type Git = NonNullable<RunFacts['git']>
  const at = async (commit: string | null, patch?: string, more: Partial<Git> = {}): Promise<RunFacts> => {
    const stored = patch === undefined ? undefined : await shop.store.objects.put(Buffer.from(patch))
    const state = { commit, branch: 'main', remote: null, dirty: patch !== undefined }
    return facts({
      git: { ...state, ...(stored === undefined ? {} : { patch: { ...stored, files: ['train.py'] } }), ...more },
    })
  }
  const diff = async (...runs: RunFacts[]) => {
    const [found] = await codeDiffs(shop.context(), shop.store, shop.root, runs)
    assert.ok(found)
    return found
  }
  const changed = (text: string | null): string[] =>
    (text ?? '').split('\n').filter((line) => /^[+-](?![+-])/.test(line))

  it('is that of two commits', async () => {
    const first = git('rev-parse', 'HEAD')
    shop.write('train.py', 'depth = 8\nprint(depth)\n')
    const second = commit('deeper')
    const { from, to, text, notes } = await diff(await at(first), await at(second))
    assert.deepEqual([from, to, notes], ['A', 'B', []])
    assert.deepEqual(changed(text), ['-depth = 6', '+depth = 8'])
    assert.equal((await diff(await at(first), await at(first))).text, '')
  })

  it('puts recorded changes on their commits, so that a change committed later is no difference', async () => {
    const first = git('rev-parse', 'HEAD')
    shop.write('train.py', 'depth = 8\nprint(depth)\n')
    const dirty = await at(first, `${git('diff', 'HEAD')}\n`)
    const second = commit('the same, committed')
    assert.equal((await diff(dirty, await at(second))).text, '')
    assert.deepEqual(changed((await diff(await at(first), dirty)).text), ['-depth = 6', '+depth = 8'])
  })

  it('holds new files before the first commit, in any encoding, and names with blanks', async () => {
    const patch = (text: string) =>
      `diff --git a/my train.py b/my train.py\nnew file mode 100644\n--- /dev/null\n+++ b/my train.py\n@@ -0,0 +1 @@\n+${text}\n`
    const { text } = await diff(await at(null, patch('a = "ä"')), await at(null, patch('b')))
    assert.deepEqual(changed(text), ['-a = "ä"', '+b'])
  })

  it('leaves the work tree, the index and the objects of the repository as they were', async () => {
    shop.write('train.py', 'depth = 7\n')
    git('add', 'train.py')
    shop.write('train.py', 'depth = 8\n')
    git('config', 'core.splitIndex', 'true')
    const run = await at(git('rev-parse', 'HEAD'), `${git('diff', 'HEAD')}\n`)
    const state = () => [
      git('status', '--porcelain=v2'),
      git('ls-files', '--stage'),
      readdirSync(join(shop.root, '.git'), { recursive: true, encoding: 'utf8' }).sort(),
    ]
    const before = state()
    assert.deepEqual(changed((await diff(await at(git('rev-parse', 'HEAD')), run)).text), [
      '-depth = 6',
      '-print(depth)',
      '+depth = 8',
    ])
    assert.deepEqual(state(), before)
  })

  it('is that of the whole repository from a project in one of its folders', async () => {
    const first = git('rev-parse', 'HEAD')
    shop.write('train.py', 'depth = 9\n')
    const patch = `${git('diff', 'HEAD')}\n`
    mkdirSync(join(shop.root, 'sub'))
    const [found] = await codeDiffs(shop.context(), shop.store, join(shop.root, 'sub'), [
      await at(first),
      await at(first, patch),
    ])
    assert.deepEqual(changed(found?.text ?? null), ['-depth = 6', '-print(depth)', '+depth = 9'])
  })

  it('says what could not be applied where a secret was redacted, and shows it as recorded', async () => {
    shop.write('conf.py', 'password = "hunter2hunter2"\nn = 1\n')
    const first = commit('a secret')
    const patch = [
      'diff --git a/conf.py b/conf.py\n--- a/conf.py\n+++ b/conf.py\n@@ -1,2 +1,2 @@\n password = "[redacted]"\n-n = 1\n+n = 2\n',
      'diff --git a/train.py b/train.py\n--- a/train.py\n+++ b/train.py\n@@ -1,2 +1,2 @@\n-depth = 6\n+depth = 8\n print(depth)\n',
    ].join('')
    const { text, notes, left } = await diff(await at(first), await at(first, patch))
    assert.deepEqual(changed(text), ['-depth = 6', '+depth = 8'])
    assert.equal(left[0]?.path, 'conf.py')
    assert.match(left[0]?.text ?? '', /\+n = 2/)
    assert.match(notes.join('\n'), /Recorded changes of B could not be put on its commit.*redacted.*: conf\.py\./)
  })

  it('never prints a secret that is committed', async () => {
    const first = git('rev-parse', 'HEAD')
    shop.write('conf.py', 'password = "hunter2hunter2"\n')
    const { text } = await diff(await at(first), await at(commit('a secret')))
    assert.deepEqual(changed(text), ['+password = "[redacted]"'])
  })

  it('says that a commit is not here: rebased away, or a shallow clone', async () => {
    const gone = await diff(await at(git('rev-parse', 'HEAD')), await at('b'.repeat(40)))
    assert.equal(gone.text, null)
    assert.match(
      gone.notes.join(),
      /code of B cannot be built, commit bbbbbbbbbbbb is not in this clone: it was not fetched/,
    )
    const first = git('rev-parse', 'HEAD')
    shop.write('train.py', 'x\n')
    const second = commit('second')
    const clone = join(shop.root, 'clone')
    git('clone', '-q', '--depth', '1', `file://${shop.root}`, clone)
    const [found] = await codeDiffs(shop.context(), shop.store, clone, [await at(first), await at(second)])
    assert.match(found?.notes.join() ?? '', /the code of A cannot be built.*shallow; get it: git fetch --unshallow/)
  })

  it('says that there is no repository, no commit, or that changes were not recorded', async () => {
    const here = await at(git('rev-parse', 'HEAD'))
    assert.deepEqual((await diff(here, facts({ git: null }))).notes, ['There is no diff: B records no repository.'])
    const dirty = await diff(here, await at(git('rev-parse', 'HEAD'), undefined, { dirty: true }))
    assert.deepEqual([dirty.text, dirty.notes], ['', ['B had uncommitted changes that were not recorded.']])
    rmSync(join(shop.root, '.git'), { recursive: true })
    assert.deepEqual((await diff(here, here)).notes, ['There is no diff: the folder is in no git repository.'])
  })

  it('goes into submodules, with their own uncommitted changes', async () => {
    const lib = await workshop({ 'lib.py': 'one\n' })
    try {
      gitIn(lib.root, 'init', '-q', '-b', 'main')
      gitIn(lib.root, 'add', 'lib.py')
      gitIn(lib.root, 'commit', '-qm', 'lib')
      git('submodule', '--quiet', 'add', lib.root, 'libs/lib')
      const first = commit('with lib')
      const inside = join(shop.root, 'libs/lib')
      const before = gitIn(inside, 'rev-parse', 'HEAD')
      shop.write('libs/lib/lib.py', 'two\n')
      gitIn(inside, 'commit', '-qam', 'two')
      const after = gitIn(inside, 'rev-parse', 'HEAD')
      const second = commit('newer lib')
      const submodule = (commit: string) => ({
        submodules: [{ path: 'libs/lib', commit, url: null, dirty: false }],
      })
      const runs = [
        await at(first, undefined, submodule(before)),
        await at(second, undefined, submodule(after)),
      ] as const
      const { text } = await diff(...runs)
      assert.deepEqual(changed(text), [`-Subproject commit ${before}`, `+Subproject commit ${after}`, '-one', '+two'])
      assert.match(text ?? '', /^--- a\/libs\/lib\/lib\.py$/m)
      rmSync(inside, { recursive: true })
      assert.deepEqual((await diff(...runs)).notes, [
        'There is no diff of submodule libs/lib: it is not checked out here.',
      ])
    } finally {
      lib.remove()
    }
  })
})
