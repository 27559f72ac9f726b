/** Git facts of real repositories: what is in the patch, what never is, and folders where there is nothing to say. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type GitSnapshot, gitFacts } from '../../../src/project/git.ts'

const ENV = { PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' }

describe('Git facts', () => {
  let root: string
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  const write = (path: string, content: string | Buffer): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  const facts = async (cwd = root): Promise<GitSnapshot> => {
    const result = await gitFacts(cwd, { env: ENV, exclude: [join(root, '.mlops')] })
    assert.equal(result.kind, 'facts', JSON.stringify(result))
    return (result as { facts: GitSnapshot }).facts
  }

  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'mlops-git-')))
    git('init', '-q', '-b', 'main')
    write('train.py', 'print(1)\n')
    git('add', '.')
    git('commit', '-q', '-m', 'begin')
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  it('of a clean repository are commit, branch and remote without user-info', async () => {
    git('remote', 'add', 'origin', 'https://ada:hunter2@example.com/team/churn.git?access_token=hunter2')
    assert.deepEqual(await facts(), {
      commit: git('rev-parse', 'HEAD').trim(),
      branch: 'main',
      remote: 'https://example.com/team/churn.git?access_token=[redacted]',
      dirty: false,
      notes: [],
    })
  })

  it('name apart what runs wrote, which is asked only of files that no patch holds', async () => {
    const asked: string[][] = []
    const outputs = async (paths: readonly string[]) => {
      asked.push([...paths])
      return new Set(paths.filter((path) => path.endsWith('metrics.json')))
    }
    const ask = async () => {
      const result = await gitFacts(root, { env: ENV, outputs })
      return result.kind === 'facts' ? result.facts : assert.fail(result.reason)
    }
    write('more.py', 'print(2)\n')
    assert.deepEqual([(await ask()).notes, asked], [[], []])
    write('metrics.json', '{}')
    write('rows.csv', 'a\n1\n')
    const { dirty, notes, patch } = await ask()
    assert.deepEqual(asked, [[join(root, 'metrics.json'), join(root, 'rows.csv')]])
    assert.deepEqual([dirty, patch?.files], [true, ['more.py']])
    assert.deepEqual(notes, [
      'written by runs, so not in the patch: metrics.json',
      'not in the patch (data, secrets or unknown kinds): rows.csv',
    ])
  })

  it('hold a patch with which the very same tree can be made again, in whatever encoding its files are', async () => {
    write('größe.py', Buffer.from('x = "é"\n', 'latin1'))
    git('add', '.')
    git('commit', '-q', '-m', 'latin1')
    write('train.py', 'print(2)\n')
    write('src/new file.py', 'x = "ä"\nno newline at end')
    write('src/latin1.py', Buffer.from('# -*- coding: latin-1 -*-\nname = "Müller"\n', 'latin1'))
    write('größe.py', Buffer.from('x = "é" # changed\n', 'latin1'))
    write('empty.py', '')
    write('run.sh', '#!/bin/sh\n')
    chmodSync(join(root, 'run.sh'), 0o755)
    git('add', 'empty.py')
    const found = await facts(join(root, 'src'))
    assert.equal(found.dirty, true)
    assert.deepEqual([...(found.patch?.files ?? [])].sort(), [
      'empty.py',
      'größe.py',
      'run.sh',
      'src/latin1.py',
      'src/new file.py',
      'train.py',
    ])
    const copy = mkdtempSync(join(tmpdir(), 'mlops-git-copy-'))
    try {
      execFileSync('git', ['clone', '-q', root, join(copy, 'c')])
      execFileSync('git', ['apply', '-'], { cwd: join(copy, 'c'), input: found.patch?.bytes ?? '' })
      assert.equal(execFileSync('diff', ['-r', '-x', '.git', root, join(copy, 'c')], { encoding: 'utf8' }), '')
    } finally {
      rmSync(copy, { recursive: true, force: true })
    }
  })

  it('never hold data, secrets by name, large files, or the store', async () => {
    write('data/train.csv', 'secret rows\n')
    write('.env', 'TOKEN=abc\n')
    write('deploy.key', 'k\n')
    write('credentials.json', '{}\n')
    write('notes.unknown', 'x\n')
    write('big.py', 'x = 1\n'.repeat(100_000))
    write('binary.py', Buffer.from([0, 1, 2]))
    write('.mlops/registry.json', '{}\n')
    write('kept.py', 'pass\n')
    const { patch, notes } = await facts()
    assert.deepEqual(patch?.files, ['kept.py'])
    const said = notes.join('\n')
    for (const name of ['data/train.csv', '.env', 'deploy.key', 'big.py', 'binary.py'])
      assert.ok(said.includes(name), said)
    assert.ok(!said.includes('.mlops'), said)
  })

  it('leave a tracked data file that changed out of the patch, and say so', async () => {
    write('rows.csv', 'a\n1\n')
    git('add', '.')
    git('commit', '-q', '-m', 'data')
    write('rows.csv', 'a\nprivate\n')
    const { dirty, patch, notes } = await facts()
    assert.deepEqual([dirty, patch], [true, undefined])
    assert.match(notes.join(), /rows\.csv/)
  })

  it('redact secrets in the patch, and say how many', async () => {
    write('train.py', 'password = "hunter2hunter2"\n')
    const { patch, notes } = await facts()
    const text = String(patch?.bytes)
    assert.ok(text.includes('[redacted]') && !text.includes('hunter2'), text)
    assert.match(notes.join(), /1 value/)
  })

  it('of a repository without a commit hold every source file', async () => {
    rmSync(join(root, '.git'), { recursive: true })
    git('init', '-q', '-b', 'main')
    git('add', 'train.py')
    const found = await facts()
    assert.deepEqual([found.commit, found.branch, found.dirty, found.patch?.files], [null, 'main', true, ['train.py']])
  })

  it('of a folder with very many new files are found in bounded memory', async () => {
    write('train.py', 'print(2)\n')
    for (let i = 0; i < 300; i++) write(`dump/${i}-${'x'.repeat(100)}.dat`, '')
    const result = await gitFacts(root, { env: ENV, maxStatus: 10_000 })
    assert.ok(result.kind === 'facts')
    assert.deepEqual([result.facts.dirty, result.facts.patch?.files], [true, ['train.py']])
    assert.match(result.facts.notes.join(), /too many new files/)
  })

  it('are those of the work tree, wherever it is and however one gets there', async () => {
    write('tree/train.py', 'print(2)\n')
    git('config', 'core.worktree', join(root, 'tree'))
    const { patch } = await facts(join(root, 'tree'))
    assert.deepEqual(patch?.files, ['train.py'])
    assert.match(patch.bytes.toString(), /^-print\(1\)\n\+print\(2\)$/m)
    git('config', '--unset', 'core.worktree')
    write('new.py', 'print(3)\n')
    const link = `${root}-link`
    symlinkSync(root, link)
    try {
      assert.deepEqual((await facts(link)).patch, (await facts()).patch)
      assert.ok((await facts(link)).patch?.files.includes('new.py'))
    } finally {
      rmSync(link)
    }
  })

  it('of a detached head have no branch', async () => {
    git('checkout', '-q', '--detach')
    assert.equal((await facts()).branch, null)
  })

  it('run no program that the repository configures', async () => {
    write('.gitattributes', '*.py diff=evil filter=evil\n')
    git('config', 'core.fsmonitor', `touch ${join(root, 'fsmonitor-ran')}; false`)
    git('config', 'diff.evil.textconv', `touch ${join(root, 'textconv-ran')}; cat`)
    git('config', 'diff.evil.command', `touch ${join(root, 'diff-ran')}`)
    write('train.py', 'print(3)\n')
    const { patch } = await facts()
    assert.ok(patch?.files.includes('train.py'))
    const { existsSync } = await import('node:fs')
    for (const mark of ['fsmonitor-ran', 'textconv-ran', 'diff-ran']) assert.ok(!existsSync(join(root, mark)), mark)
  })

  it('are missing, with a reason, outside of a repository and without git', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'mlops-nogit-'))
    try {
      assert.deepEqual(await gitFacts(outside, { env: ENV }), {
        kind: 'none',
        reason: 'the folder is in no git repository',
      })
      assert.deepEqual(await gitFacts(root, { env: { PATH: '/nonexistent' } }), {
        kind: 'none',
        reason: 'git is not installed',
      })
    } finally {
      rmSync(outside, { recursive: true })
    }
  })
})
