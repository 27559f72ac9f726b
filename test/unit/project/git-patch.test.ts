/**
 * `git apply` of the patch on a clean checkout of the commit gives the same files, byte for byte: for random trees with
 * every kind of change, and for the settings and corners of git that are known to break such patches.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type GitSnapshot, gitFacts } from '../../../src/project/git.ts'

/** Numbers that are the same in every run (a linear congruential generator, Numerical Recipes). */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('The patch of uncommitted changes', () => {
  let base: string
  let root: string
  const env = (): Record<string, string | undefined> => ({ PATH: process.env.PATH, HOME: base })
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...env(), GIT_CONFIG_NOSYSTEM: '1' },
    })
  const write = (path: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  const commit = (): void => {
    git('add', '-A')
    git('commit', '-q', '-m', 'more')
  }
  const facts = async (cwd = root, more: Record<string, string> = {}): Promise<GitSnapshot> => {
    const result = await gitFacts(cwd, { env: { ...env(), ...more } })
    assert.ok(result.kind === 'facts', JSON.stringify(result))
    return result.facts
  }
  /** The files of a checkout of the commit after `git apply`. */
  const applied = ({ commit: at, patch }: GitSnapshot): string => {
    const copy = mkdtempSync(join(base, 'copy-'))
    git('clone', '-q', '--no-checkout', root, copy)
    execFileSync('git', ['checkout', '-q', String(at)], { cwd: copy, stdio: 'pipe', env: env() })
    execFileSync('git', ['apply', '--index', '--whitespace=nowarn', '-'], {
      cwd: copy,
      input: patch?.bytes ?? '',
      stdio: 'pipe',
      env: env(),
    })
    return copy
  }
  /** What is at a path: kind, executable, bytes. */
  const at = (folder: string, path: string): string => {
    const full = join(folder, path)
    if (!existsSync(full) && !lstatSync(full, { throwIfNoEntry: false })) return 'nothing'
    const found = lstatSync(full)
    if (found.isSymbolicLink()) return `link ${readlinkSync(full)}`
    return `${(found.mode & 0o100) === 0 ? 'file' : 'program'} ${readFileSync(full).toString('latin1')}`
  }
  const assertSame = (found: GitSnapshot, paths: readonly string[] = found.patch?.files ?? []): string => {
    const copy = applied(found)
    for (const path of paths) assert.equal(at(copy, path), at(root, path), path)
    return copy
  }

  beforeEach(() => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'mlops-patch-')))
    root = join(base, 'repo')
    mkdirSync(root)
    git('init', '-q', '-b', 'main')
    write('train.py', 'one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n')
    commit()
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  it('makes the same tree again, whatever was changed (40 random trees)', async () => {
    const names = [
      'a.py',
      'b c.py',
      'src/ä.py',
      'src/deep/x.sh',
      'q"uote.py',
      'tab\t.md',
      'line\nbreak.py',
      'st[a*]r.py',
      'a',
      'a.py b/a.py',
      '-rf.py',
      ':top.py',
      'back\\slash.py',
      'x.unknown',
    ]
    for (let seed = 1; seed <= 40; seed++) {
      const pick = numbers(seed)
      const texts = [
        '',
        'x',
        'x\n',
        'a\r\nb\r\n',
        'no\nend',
        '\n\n\n',
        'a\rdiff --git a/x b/x\r\n',
        '-- a\n++ b\n@@ -1 +1 @@\n',
        Buffer.from('caf\xe9\n', 'latin1'),
        'ü\n'.repeat(pick(40)),
        'trailing  \t\n',
        '\ufeffbom\n',
        '\u2028\n',
        'diff --git a/x b/x\n',
        Array.from({ length: 60 }, (_, n) => `line ${n} ${pick(3)}`).join('\n'),
      ]
      rmSync(root, { recursive: true, force: true })
      mkdirSync(root)
      git('init', '-q', '-b', 'main')
      write('kept.md', 'kept\n')
      const tracked = names.filter(() => pick(2) === 0)
      const put = (name: string): void => {
        const where = lstatSync(join(root, dirname(name)), { throwIfNoEntry: false })
        if (where !== undefined && !where.isDirectory()) return
        if (lstatSync(join(root, name), { throwIfNoEntry: false })?.isDirectory()) return
        rmSync(join(root, name), { force: true })
        if (pick(8) === 0) {
          mkdirSync(dirname(join(root, name)), { recursive: true })
          symlinkSync(pick(2) === 0 ? 'kept.md' : 'nowhere/at all', join(root, name))
        } else {
          write(name, texts[pick(texts.length)] ?? '')
          if (pick(4) === 0) chmodSync(join(root, name), 0o755)
        }
      }
      for (const name of tracked) put(name)
      commit()
      for (const name of names) {
        const what = pick(7)
        const full = join(root, name)
        const exists = lstatSync(full, { throwIfNoEntry: false }) !== undefined
        if (what === 0 && exists) rmSync(full, { recursive: true })
        else if (what === 1 && exists && lstatSync(full).isFile()) chmodSync(full, 0o755)
        else if (what === 2 && exists && lstatSync(full).isFile()) {
          const to = join(root, `moved-${pick(5)}.py`)
          renameSync(full, to)
          if (pick(2) === 0) git('add', '-A')
        } else if (what < 6) put(name)
        const staging = pick(5)
        const present = lstatSync(full, { throwIfNoEntry: false }) !== undefined
        if (staging === 0 && present) git('--literal-pathspecs', 'add', '--', name)
        else if (staging === 1 && present) git('--literal-pathspecs', 'add', '-N', '--', name)
        else if (staging === 2 && present)
          git('--literal-pathspecs', 'rm', '-q', '-r', '--cached', '--ignore-unmatch', '--', name)
      }
      const found = await facts(pick(2) === 0 && existsSync(join(root, 'src')) ? join(root, 'src') : root)
      const changed = git('status', '--porcelain', '-z', '-uall', '--no-renames')
        .split('\0')
        .filter((line) => line !== '')
      assert.equal(found.dirty, changed.length > 0, `seed ${seed}`)
      try {
        const copy = assertSame(found)
        // What is in neither the patch nor the notes is as it was committed.
        const said = found.notes.join('\n')
        for (const line of changed) {
          const path = line.slice(3)
          if (found.patch?.files.includes(path) || said.includes(path.slice(0, 20))) continue
          assert.equal(at(copy, path), at(root, path), `${path} is missing from patch and notes: ${said}`)
        }
      } catch (error) {
        throw new Error(
          `seed ${seed}: ${error instanceof Error ? error.message : error}\n${changed.join('\n')}\n${found.patch?.bytes}`,
        )
      }
    }
  })

  it('is the same whatever the user likes diffs to look like', async () => {
    writeFileSync(join(base, 'order'), '*.md\n')
    writeFileSync(
      join(base, '.gitconfig'),
      `[diff]
  noprefix = true
  mnemonicPrefix = true
  context = 0
  external = /bin/false
  renames = copies
  submodule = log
  relative = true
  orderFile = ${join(base, 'order')}
  suppressBlankEmpty = true
  algorithm = histogram
  wsErrorHighlight = all
[color]
  ui = always
[core]
  quotePath = true
  pager = /bin/false
[status]
  showUntrackedFiles = no
  relativePaths = true
  branch = false
[safe]
  directory = *
`,
    )
    write('train.py', 'one\n\ntwo\nthree\nfour\nFIVE\nsix\nseven\neight\n')
    write('sub/ä.py', 'x\n')
    const found = await facts(join(root, 'sub'))
    assert.deepEqual([...(found.patch?.files ?? [])].sort(), ['sub/ä.py', 'train.py'])
    assert.ok(!String(found.patch?.bytes).includes('\u001b'))
    assertSame(found)
  })

  it('can be applied though secrets were taken out of what it adds', async () => {
    const key = ['-----BEGIN RSA PRIVATE KEY-----', 'abc', 'def', 'ghi', '-----END RSA PRIVATE KEY-----']
    write(
      'train.py',
      ['one', 'two', ...key.map((line) => `k = "${line}"`), 'three', 'four', 'five', 'six', 'seven', 'EIGHT', ''].join(
        '\n',
      ),
    )
    write('new.py', ['# key', ...key, 'password = "hunter2hunter2"', 'x = 1', ''].join('\n'))
    write('cut.py', ['x = 1', ...key.slice(0, 3), ''].join('\n'))
    const found = await facts()
    const copy = applied(found)
    const text = ['train.py', 'new.py', 'cut.py'].map((path) => readFileSync(join(copy, path), 'utf8')).join('')
    assert.ok(!/hunter2|def/.test(text) && text.includes('[redacted]'), text)
    assert.ok(text.includes('EIGHT') && text.includes('x = 1'))
    assert.match(found.notes.join(), /4 values that look like secrets/)
  })

  it('never holds a secret that stands in the commit, and can be applied all the same', async () => {
    const lines = (first: string, last: string) =>
      [first, '', 'password = "hunter2hunter2"', '', 'b = 2', last, ''].join('\n')
    write('near.py', lines('a = 1', 'c = 3'))
    write('gone.py', lines('a = 1', 'c = 3'))
    commit()
    write('near.py', lines('a = 1', 'c = 4'))
    write('gone.py', lines('a = 1', 'c = 3').replace('"hunter2hunter2"', 'ask()'))
    write('other.py', 'x = 1\n')
    const found = await facts()
    assert.deepEqual([...(found.patch?.files ?? [])].sort(), ['near.py', 'other.py'])
    assert.ok(!String(found.patch?.bytes).includes('hunter2'))
    assert.match(found.notes.join(), /takes away what looks like a secret, or stands beside it: gone\.py/)
    assertSame(found)
  })

  it('says what it cannot hold: names that are no UTF-8, repositories inside, what git ignores', async () => {
    write('.gitignore', 'local_*\nbuild/\n*.csv\n')
    commit()
    write('local_settings.py', 'x = 1\n')
    write('build/lib.py', '')
    write('rows.csv', '')
    mkdirSync(join(root, 'vendor'))
    execFileSync('git', ['init', '-q'], { cwd: join(root, 'vendor'), env: env() })
    writeFileSync(join(root, 'vendor/lib.py'), '')
    writeFileSync(Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9]), Buffer.from('.py')]), 'x')
    const { patch, notes, dirty } = await facts()
    assert.deepEqual([dirty, patch], [true, undefined])
    const said = notes.join('\n')
    assert.match(said, /git ignores, so not in the patch: local_settings\.py/)
    assert.match(said, /vendor\/ is a repository of its own/)
    assert.match(said, /not in the patch .*caf/)
    assert.ok(!/rows\.csv|build/.test(said), said)
  })

  it('holds no link that leads out of the repository', async () => {
    symlinkSync('/etc/passwd', join(root, 'absolute.py'))
    symlinkSync('../outside.py', join(root, 'up.py'))
    symlinkSync('train.py', join(root, 'inside.py'))
    const found = await facts()
    assert.deepEqual(found.patch?.files, ['inside.py'])
    assert.match(found.notes.join(), /absolute\.py/)
    assertSame(found)
  })

  it('is the same in a linked worktree, with the repository elsewhere, and through a link', async () => {
    git('worktree', 'add', '-q', '-b', 'other', join(base, 'linked'))
    writeFileSync(join(base, 'linked/train.py'), 'linked\n')
    writeFileSync(join(base, 'linked/new.py'), 'new\n')
    const linked = await facts(join(base, 'linked'))
    assert.deepEqual([linked.branch, [...(linked.patch?.files ?? [])].sort()], ['other', ['new.py', 'train.py']])
    const copy = applied(linked)
    assert.equal(at(copy, 'train.py'), 'file linked\n')

    write('train.py', 'changed\n')
    symlinkSync(root, join(base, 'by-link'))
    assert.deepEqual((await facts(join(base, 'by-link'))).patch?.files, ['train.py'])

    // As people keep their settings: a bare repository whose work tree is elsewhere.
    git('clone', '-q', '--bare', root, join(base, 'bare'))
    const tree = join(base, 'tree')
    mkdirSync(tree)
    const where = { GIT_DIR: join(base, 'bare'), GIT_WORK_TREE: tree }
    execFileSync('git', ['checkout', '-q', '-f', 'main'], { cwd: tree, env: { ...env(), ...where } })
    writeFileSync(join(tree, 'train.py'), 'in the tree\n')
    assert.deepEqual((await facts(tree, where)).patch?.files, ['train.py'])
  })

  it('takes what a sparse checkout left out for unchanged', async () => {
    write('big/x.py', 'x\n')
    write('small/y.py', 'y\n')
    commit()
    git('sparse-checkout', 'set', '--cone', 'small')
    assert.ok(!existsSync(join(root, 'big')))
    write('small/y.py', 'Y\n')
    const found = await facts()
    assert.deepEqual(found.patch?.files, ['small/y.py'])
    const copy = assertSame(found)
    assert.equal(at(copy, 'big/x.py'), 'file x\n')
  })

  it('of a merge that is not finished is that of the files as they lie there', async () => {
    git('checkout', '-q', '-b', 'theirs')
    write('train.py', 'theirs\n')
    commit()
    git('checkout', '-q', 'main')
    write('train.py', 'ours\n')
    commit()
    assert.throws(() => git('merge', 'theirs'))
    write('after.py', 'x\n')
    const found = await facts()
    assert.deepEqual([...(found.patch?.files ?? [])].sort(), ['after.py', 'train.py'])
    assertSame(found)
  })

  it('of 3,000 changed files is bounded, and says what is missing', async () => {
    for (let n = 0; n < 3000; n++) write(`many/${n}-${'x'.repeat(60)}.py`, 'a\n')
    commit()
    for (const name of readdirSync(join(root, 'many'))) write(`many/${name}`, 'b\n')
    const found = await facts()
    assert.equal(found.patch?.files.length, 3000)
    assertSame(found, found.patch?.files.slice(0, 20))
  })
})
