/** Making and opening stores: what is made, what is refused and why, sharing, and real git around it. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../../src/core/digest.ts'
import { createStore } from '../../../src/store/create.ts'
import { openStore } from '../../../src/store/open.ts'
import { registryBytes } from '../../../src/store/registry.ts'
import { seal } from '../../../src/store/sealed.ts'
import type { Store } from '../../../src/store/store.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { bundleWorker } from '../../crash/bundle.ts'
import { skipBecause } from '../../support/skip.ts'
import { refusal, register, runEnd, runStart, temporaryFolder, temporaryStore } from './support.ts'

const isRoot = process.getuid?.() === 0

/** Every path below a folder with its bytes, for "nothing was changed". */
function snapshot(folder: string): Record<string, string> {
  const files: Record<string, string> = {}
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    files[path] = entry.isFile() ? `${statSync(path).mtimeMs} ${readFileSync(path, 'base64')}` : ''
  }
  return files
}

const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], { cwd, encoding: 'utf8' })

/** With a version in it; everything belongs to `uid`, and everybody may read. */
async function storeOf(uid: number): Promise<Store> {
  const store = await temporaryStore()
  await register(store, 'one')
  chmodSync(join(store.root, '..'), 0o755)
  for (const path of ['', ...readdirSync(store.root, { recursive: true, encoding: 'utf8' })]) {
    lchownSync(join(store.root, path), uid, uid)
  }
  return store
}

/** Does `work` with the rights of another user. Only root can. */
async function asUser(uid: number, work: () => Promise<void>): Promise<void> {
  const { getuid } = process
  process.setegid?.(uid)
  process.seteuid?.(uid)
  process.getuid = () => uid
  try {
    await work()
  } finally {
    if (getuid !== undefined) process.getuid = getuid
    process.seteuid?.(0)
    process.setegid?.(0)
  }
}

describe('making a store', () => {
  it('gives it a random id, room for a full disk and nothing to clean up', async () => {
    const folder = temporaryFolder()
    const made = await createStore(join(folder, 'deep/er/.mlops'))
    const other = await createStore(join(folder, 'other'))
    assert.equal(made.created, true)
    assert.match(made.id, /^[0-9a-f]{32}$/)
    assert.notEqual(made.id, other.id)
    assert.equal(statSync(join(made.root, 'reserve')).size, 1 << 20)
    assert.deepEqual(readdirSync(join(made.root, 'tmp')), [])
    assert.deepEqual((await verifyStore(made.root)).damages, [])
    assert.deepEqual((await verifyStore(made.root)).warnings, [])
  })

  it('again changes nothing', async () => {
    const store = await temporaryStore()
    await register(store, 'one')
    const before = snapshot(store.root)
    const again = await createStore(store.root)
    assert.deepEqual([again.created, again.id], [false, store.id])
    assert.deepEqual(snapshot(store.root), before)
  })

  it('by two at once makes one', async () => {
    const root = join(temporaryFolder(), '.mlops')
    const made = await Promise.all([createStore(root), createStore(root), createStore(root)])
    assert.equal(new Set(made.map(({ id }) => id)).size, 1)
    assert.equal(made.filter(({ created }) => created).length, 1)
  })

  it('finishes what a killed init left behind, and sets the reserve aside again', async () => {
    const store = await temporaryStore()
    rmSync(join(store.root, 'registry.json'))
    rmSync(join(store.root, 'reserve'))
    const again = await createStore(store.root)
    assert.equal(again.created, true)
    assert.equal(existsSync(join(store.root, 'reserve')), true)
  })

  it('does not touch a folder that holds something else', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'thesis.tex'), 'x')
    const error = await refusal(() => createStore(folder), 'usage', 'STORE_FOLDER_TAKEN')
    assert.match(error.message, /thesis\.tex/)
    assert.deepEqual(readdirSync(folder), ['thesis.tex'])
  })
})

describe('a store inside a git repository', () => {
  it('survives git clean -fdx, ignored or not, and stays out of git status', async () => {
    const project = temporaryFolder()
    git(project, 'init', '-q')
    const root = join(project, '.mlops')
    const made = await createStore(root)
    assert.deepEqual([made.repository, made.notes], [true, []])
    assert.equal(readFileSync(join(root, '.gitattributes'), 'utf8'), '* -text\n')
    const store = await openStore(root, { write: true })
    await register(store, 'one')
    for (const ignore of ['', '.mlops/\n']) {
      writeFileSync(join(project, '.gitignore'), ignore)
      writeFileSync(join(project, 'junk'), 'x')
      git(project, 'clean', '-fdxq', '-e', '.gitignore')
      assert.equal(existsSync(join(project, 'junk')), false, 'git cleaned nothing at all')
      assert.equal((await store.models.state('churn-model')).head, 1)
    }
    assert.ok(!git(project, 'status', '--porcelain').includes('.mlops'))
    git(project, 'add', '-A')
    assert.deepEqual((await verifyStore(root)).warnings, [])
  })

  it('would not survive without being a repository of its own', () => {
    const project = temporaryFolder()
    git(project, 'init', '-q')
    mkdirSync(join(project, '.mlops'))
    writeFileSync(join(project, '.mlops/x'), 'x')
    git(project, 'clean', '-fdxq')
    assert.equal(existsSync(join(project, '.mlops')), false)
  })

  it('is made its own repository also from inside a git hook, where GIT_DIR names the outer one', async () => {
    const project = temporaryFolder()
    git(project, 'init', '-q')
    const env = { ...process.env, GIT_DIR: join(project, '.git'), GIT_WORK_TREE: project }
    assert.equal((await createStore(join(project, '.mlops'), { env })).repository, true)
    assert.equal(existsSync(join(project, '.mlops/.git/HEAD')), true)
  })

  it('says so when there is no git to make it one, and is a store nevertheless', async () => {
    const project = temporaryFolder()
    git(project, 'init', '-q')
    const root = join(project, '.mlops')
    const made = await createStore(root, { env: { PATH: temporaryFolder() } })
    assert.equal(made.repository, false)
    assert.match(made.notes[0] ?? '', /git clean -fdx/)
    assert.equal((await createStore(root)).repository, true)
  })

  it('gets its attributes back when somebody changed them', async () => {
    const project = temporaryFolder()
    git(project, 'init', '-q')
    const root = join(project, '.mlops')
    await createStore(root)
    rmSync(join(root, '.gitattributes'))
    writeFileSync(join(root, '.gitattributes'), '*.md text')
    assert.deepEqual(
      (await verifyStore(root)).damages.map(({ file }) => file),
      ['.gitattributes'],
    )
    await createStore(root)
    assert.equal(readFileSync(join(root, '.gitattributes'), 'utf8'), '*.md text\n* -text\n')
    assert.deepEqual((await verifyStore(root)).damages, [])
  })
})

describe('opening a store', () => {
  it('that is not there, or a folder that is none, says how to make one', async () => {
    const folder = temporaryFolder()
    for (const root of [join(folder, 'none'), folder, join(folder, 'file', 'x')]) {
      writeFileSync(join(folder, 'file'), 'x')
      const error = await refusal(() => openStore(root, { write: false }), 'notFound', 'STORE_NOT_FOUND')
      assert.match(error.hint ?? '', /mlops init/)
    }
  })

  it('that is a file is refused, and the file kept', async () => {
    const path = join(temporaryFolder(), '.mlops')
    writeFileSync(path, 'mine')
    await refusal(() => openStore(path, { write: false }), 'usage', 'STORE_NOT_A_FOLDER')
    await refusal(() => createStore(path), 'usage', 'STORE_NOT_A_FOLDER')
    assert.equal(readFileSync(path, 'utf8'), 'mine')
  })

  it('that is a symbolic link is refused, and the target named', async () => {
    const store = await temporaryStore()
    const link = join(temporaryFolder(), '.mlops')
    symlinkSync(store.root, link)
    for (const work of [() => openStore(link, { write: false }), () => createStore(link)]) {
      const error = await refusal(work, 'usage', 'STORE_IS_A_LINK')
      assert.ok(error.hint?.includes(store.root))
    }
    const dangling = join(temporaryFolder(), '.mlops')
    symlinkSync('nowhere', dangling)
    await refusal(() => createStore(dangling), 'usage', 'STORE_IS_A_LINK')
  })

  it('that a newer program wrote: reading works, writing is refused', async () => {
    const store = await temporaryStore()
    await register(store, 'one')
    await register(store, 'two')
    const file = join(store.root, 'registry.json')
    chmodSync(file, 0o644)
    writeFileSync(file, registryBytes(2, store.id))
    const error = await refusal(() => openStore(store.root, { write: true }), 'failed', 'STORE_TOO_NEW')
    assert.match(error.message, /format 2.*writes format 1/)
    const warnings: string[] = []
    const newer = await openStore(store.root, { write: false, warn: (text) => warnings.push(text) })
    assert.deepEqual(await newer.models.list(), ['churn-model'])
    assert.equal((await newer.models.state('churn-model')).versions.length, 2)
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /written by a newer mlops \(format 2/)
    const report = await verifyStore(store.root)
    assert.deepEqual([report.damages, report.warnings.map(({ file }) => file)], [[], ['registry.json']])
    assert.match(report.warnings[0]?.why ?? '', /written by a newer mlops/)
    await refusal(() => createStore(store.root), 'failed', 'STORE_TOO_NEW')
    // What cannot be read is not called damaged.
    const event = join(store.root, 'models/churn-model/log/0000000002.json')
    const { self, ...record } = JSON.parse(readFileSync(event, 'utf8'))
    chmodSync(event, 0o644)
    writeFileSync(event, seal({ ...record, type: 'unheard-of' }))
    assert.equal(self.length, 64)
    await refusal(() => newer.models.state('churn-model'), 'failed', 'STORE_TOO_NEW')
  })

  it('whose registry.json was changed is refused by name', async () => {
    const store = await temporaryStore()
    const file = join(store.root, 'registry.json')
    chmodSync(file, 0o644)
    writeFileSync(file, readFileSync(file, 'utf8').replace('"format":1', '"format":3'))
    const error = await refusal(() => openStore(store.root, { write: false }), 'failed', 'STORE_DAMAGED')
    assert.ok(error.message.includes(file))
  })

  it('of somebody else: reading works, writing is refused', async function () {
    if (!isRoot) skipBecause(this, 'needs root to give a store to another user')
    const store = await storeOf(12345)
    await asUser(2001, async () => {
      const error = await refusal(() => openStore(store.root, { write: true }), 'failed', 'STORE_NOT_YOURS')
      assert.match(error.message, /uid 12345; you are 2001/)
      assert.match(error.hint ?? '', /--user 12345.*init --shared/)
      await refusal(() => createStore(store.root), 'failed', 'STORE_NOT_YOURS')
      assert.equal((await (await openStore(store.root, { write: false })).models.state('churn-model')).head, 1)
    })
  })

  it('of somebody else as root, as in a container: what is made belongs to its owner', async function () {
    if (!isRoot) skipBecause(this, 'needs root to write into the store of another user')
    const store = await storeOf(12345)
    const root = await openStore(store.root, { write: true })
    await register(root, 'two', { model: 'other-model' })
    const run = await root.runs.create(runStart())
    await run.append('metrics', [{ t: '2025-11-21T09:00:00.000Z', key: 'auc', value: 0.9 }])
    await run.beat()
    await run.end(runEnd())
    await root.checks.put('other-model', sha256('x'), { time: '1' })
    for (const entry of readdirSync(store.root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      assert.deepEqual([lstatSync(path).uid, lstatSync(path).gid], [12345, 12345], path)
    }
    await asUser(12345, async () => {
      const owner = await openStore(store.root, { write: true })
      assert.equal((await register(owner, 'three', { model: 'other-model' })).kind, 'committed')
      assert.deepEqual((await verifyStore(store.root)).damages, [])
    })
  })

  it('with a file that may not be read names the permission, and no damage', async function () {
    if (!isRoot) skipBecause(this, 'needs root to become another user')
    const store = await storeOf(12345)
    const event = join(store.root, 'models/churn-model/log/0000000001.json')
    chmodSync(event, 0o600)
    await asUser(2001, async () => {
      const reading = await openStore(store.root, { write: false })
      for (const work of [() => reading.models.state('churn-model'), () => verifyStore(store.root)]) {
        const error = await refusal(work, 'failed', 'STORE_DENIED')
        assert.match(error.message, /no permission/)
        assert.ok(error.message.includes(event))
      }
    })
  })
})

describe('a shared store', () => {
  it('is worked in by users with different ids and a strict umask', async function () {
    if (!isRoot) skipBecause(this, 'needs root to become other users')
    const folder = temporaryFolder()
    chmodSync(folder, 0o755)
    const root = join(folder, '.mlops')
    mkdirSync(root)
    chownSync(root, 0, 4242)
    await createStore(root, { shared: true })
    const worker = await bundleWorker()
    chmodSync(join(worker, '..'), 0o755)
    for (const [uid, name] of [
      [2001, 'ada'],
      [2002, 'bob'],
      [2001, 'ada-again'],
    ] as const) {
      const script = `umask 077; exec "$0" "$@"`
      const args = ['-c', script, process.execPath, worker, root, name, '1', '2']
      const done = spawnSync('sh', args, { uid, gid: 4242, encoding: 'utf8', env: { PATH: process.env.PATH } })
      assert.equal(done.status, 0, done.stderr)
    }
    const state = await (await openStore(root, { write: false })).models.state('churn-model')
    assert.equal(state.versions.length, 6)
    assert.equal(statSync(join(root, 'models/churn-model/log')).mode & 0o7777, 0o2775)
    assert.equal(statSync(join(root, 'models/churn-model/log')).gid, 4242)
    assert.deepEqual((await verifyStore(root)).damages, [])
  })

  it('can be made of a private one', async () => {
    const store = await temporaryStore()
    await register(store, 'one')
    if (isRoot) chownSync(store.root, 0, 4242)
    const group = statSync(store.root).gid
    assert.equal((await createStore(store.root, { shared: true })).created, false)
    for (const folder of ['', 'models/churn-model/log', 'objects/sha256', 'tmp']) {
      const { mode, gid } = statSync(join(store.root, folder))
      assert.deepEqual([mode & 0o7777, gid], [0o2775, group], folder)
    }
  })
})

describe('a store that was moved', () => {
  it('works where it is now', async () => {
    const store = await temporaryStore()
    await register(store, 'one')
    const target = join(temporaryFolder(), 'elsewhere')
    renameSync(store.root, target)
    const moved = await openStore(target, { write: true })
    assert.equal((await register(moved, 'two')).kind, 'committed')
  })
})
