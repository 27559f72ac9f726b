/** The trash and the clean-up of a team's folder, of a branch, of a disk that is read-only or has no hard links. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, lchownSync, readdirSync, renameSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../../../src/core/digest.ts'
import { createStore } from '../../../../src/store/create.ts'
import { nodeFiles } from '../../../../src/store/files.ts'
import { collectGarbage } from '../../../../src/store/gc.ts'
import { objectKey } from '../../../../src/store/layout.ts'
import { openStore } from '../../../../src/store/open.ts'
import { verifyStore } from '../../../../src/store/verify.ts'
import { beginRun, endRun, RUN } from '../../../crash/scenario.ts'
import { skipBecause } from '../../../support/skip.ts'
import { env, team } from '../git/support.ts'
import { register, temporaryFolder, temporaryStore } from '../support.ts'
import { age, DAY, gc } from './support.ts'

const now = (): Date => new Date()
const deletion = {
  format: 1 as const,
  run: RUN,
  actor: { name: 'ada', origin: 'local' as const },
  tool: 'test',
  time: '',
}

/** Does `work` with the rights of another user of the group. Only root can. */
async function asMember(uid: number, work: () => Promise<void>): Promise<void> {
  const { getuid } = process
  const umask = process.umask(0o022)
  process.setegid?.(7000)
  process.seteuid?.(uid)
  process.getuid = () => uid
  try {
    await work()
  } finally {
    if (getuid !== undefined) process.getuid = getuid
    process.seteuid?.(0)
    process.setegid?.(0)
    process.umask(umask)
  }
}

describe('In a folder that a team shares', () => {
  it('each member deletes, restores, cleans up and stores again what another one made', async function () {
    if (process.getuid?.() !== 0) skipBecause(this, 'only root can be two users')
    const folder = temporaryFolder()
    chmodSync(folder, 0o777)
    const root = join(folder, '.mlops')
    await asMember(7001, async () => void (await createStore(root, { shared: true })))
    for (const path of ['', ...readdirSync(root, { recursive: true, encoding: 'utf8' })])
      lchownSync(join(root, path), 7001, 7000)
    for (const path of ['', ...readdirSync(root, { recursive: true, encoding: 'utf8' })])
      if (statSync(join(root, path)).isDirectory()) chmodSync(join(root, path), 0o2775)
    await asMember(7001, async () => {
      const store = await openStore(root, { write: true, now })
      await endRun(await beginRun(store, RUN))
      for (const text of ['wanted', 'unwanted']) await store.objects.put(Buffer.from(text))
    })
    age({ root } as never, 30)
    await asMember(7002, async () => {
      const store = await openStore(root, { write: true, now })
      await store.objects.put(Buffer.from('wanted'))
      const young = Date.now() - statSync(join(root, objectKey(sha256('wanted')))).mtimeMs
      assert.ok(young < DAY, 'a clean-up would take what this member is about to refer to')
      assert.deepEqual(readdirSync(join(root, 'quarantine')), [])
      assert.equal(await store.trash.put(deletion), 'moved')
      const report = await gc(store)
      assert.deepEqual([report.aside.digests, report.kept.young.objects], [[sha256('unwanted')], 1])
    })
    await asMember(7001, async () => {
      const store = await openStore(root, { write: true, now })
      assert.equal(await store.trash.restore(RUN), 'moved')
      await store.objects.put(Buffer.from('unwanted'))
      assert.ok(existsSync(join(root, objectKey(sha256('unwanted')))))
    })
    age({ root } as never, 30)
    await asMember(7002, async () => {
      const store = await openStore(root, { write: true, now })
      assert.equal(await store.trash.put(deletion), 'moved')
      assert.equal(await store.trash.purge(RUN), true)
      await gc(store)
      assert.deepEqual((await verifyStore(root)).damages, [])
    })
  })
})

describe('In a store that is shared as a branch', () => {
  it('nothing goes that the branch carries, and what another clone has pushed is known first', async () => {
    const shared = team()
    await shared.join('ada', true)
    const ada = await shared.open('ada', { write: true, now })
    await register(ada, 'one')
    await shared.join('eve')
    const eve = await shared.open('eve', { write: true, now })
    const orphan = await eve.objects.put(Buffer.from('nobody'))
    const later = await eve.objects.put(Buffer.from('two'))
    age(eve, 40)
    await register(ada, 'two')
    const again = await shared.open('eve', { write: true, now })
    const options = { remove: true, grace: 14 * DAY }
    const report = await collectGarbage({ env, now }, again.root, options)
    assert.deepEqual(report.aside.digests, [orphan.sha256])
    assert.equal((await again.objects.read(later.sha256)).toString(), 'two')
    assert.deepEqual((await verifyStore(again.root)).damages, [])
    await register(again, 'nobody')
    const third = await shared.open('ada', { write: true, now })
    assert.equal((await third.objects.read(orphan.sha256)).toString(), 'nobody')
  })
})

describe('On a disk', () => {
  it('that is mounted read-only a dry run works', async () => {
    const store = await temporaryStore()
    await store.objects.put(Buffer.from('x'))
    age(store, 30)
    const refuse = async (): Promise<never> => Promise.reject(Object.assign(new Error('EROFS'), { code: 'EROFS' }))
    const files = {
      ...nodeFiles,
      open: async (path: string, flags: 'r' | 'wx' | 'a') => (flags === 'r' ? nodeFiles.open(path, flags) : refuse()),
      mkdir: refuse,
      link: refuse,
      rename: refuse,
      unlink: refuse,
      touch: refuse,
    }
    const run = (remove: boolean) => collectGarbage({ env: {}, now }, store.root, { remove, grace: 14 * DAY, files })
    assert.equal((await run(false)).aside.objects, 1)
    await assert.rejects(run(true), { code: 'STORE_READ_ONLY' })
  })

  it('without hard links objects go aside, come back and go for good as elsewhere', async () => {
    const store = await temporaryStore()
    const files = {
      ...nodeFiles,
      link: async () => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' })),
    }
    const open = () => openStore(store.root, { write: true, now, files })
    const options = { remove: true, grace: 14 * DAY, files }
    const bytes = Buffer.from('x')
    await (await open()).objects.put(bytes)
    age(store, 30)
    assert.equal((await collectGarbage({ env: {}, now }, store.root, options)).aside.objects, 1)
    await (await open()).objects.put(bytes)
    assert.ok(existsSync(join(store.root, objectKey(sha256(bytes)))))
    age(store, 30)
    await collectGarbage({ env: {}, now }, store.root, options)
    age(store, 30)
    await collectGarbage({ env: {}, now }, store.root, options)
    assert.equal(existsSync(join(store.root, objectKey(sha256(bytes)))), false)
    assert.deepEqual(readdirSync(join(store.root, 'trash/objects')), [])
  })
})

describe('Other readers and writers of a store', () => {
  const TEMPLATES = join(import.meta.dirname, '../../../../templates')
  const python = (store: { readonly root: string }, code: string): string =>
    execFileSync('python3', ['-c', code, store.root], {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        PYTHONPATH: `${TEMPLATES}/python:${TEMPLATES}/fastapi/app`,
        PYTHONDONTWRITEBYTECODE: '1',
      },
    })

  it('the Python client says that it needs what it stores again, aside or not', async function () {
    if (spawnSync('python3', ['--version']).status !== 0) skipBecause(this, 'there is no python3')
    const store = await temporaryStore()
    const { sha256: digest } = await store.objects.put(Buffer.from('x'))
    const again = "import sys\nfrom mlops._store import Store\nStore(sys.argv[1]).put_object([b'x'])"
    age(store, 30)
    python(store, again)
    assert.equal((await gc(store)).kept.young.objects, 1)
    age(store, 30)
    assert.equal((await gc(store)).aside.objects, 1)
    python(store, again)
    assert.ok(existsSync(join(store.root, objectKey(digest))))
    assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
  })

  it('a service reads what is aside', async function () {
    if (spawnSync('python3', ['--version']).status !== 0) skipBecause(this, 'there is no python3')
    const store = await temporaryStore()
    const { sha256: digest } = await store.objects.put(Buffer.from('weights'))
    age(store, 30)
    await gc(store)
    const read = `import sys\nfrom pathlib import Path\nimport registry\nprint(registry.read_object(registry.Store(Path(sys.argv[1]), 'm', 'production'), '${digest}').decode())`
    assert.equal(python(store, read), 'weights\n')
  })
})

describe('Clocks', () => {
  it('of the machine that cleans up do not matter: the disk says what is old', async () => {
    const store = await temporaryStore()
    await store.objects.put(Buffer.from('just stored'))
    const future = (): Date => new Date(Date.now() + 400 * DAY)
    const report = await collectGarbage({ env: {}, now: future }, store.root, { remove: true, grace: 14 * DAY })
    assert.deepEqual([report.aside.objects, report.kept.young.objects], [0, 1])
  })

  it('that were ahead when something was put aside let it lie there for longer, not shorter', async () => {
    const store = await temporaryStore()
    const { sha256: digest } = await store.objects.put(Buffer.from('x'))
    age(store, 30)
    await gc(store)
    const trash = join(store.root, 'trash/objects')
    const [folder = ''] = readdirSync(trash)
    renameSync(join(trash, folder), join(trash, `7${folder.slice(1)}`))
    const then = new Date(Date.now() - 30 * DAY)
    utimesSync(join(trash, `7${folder.slice(1)}`), then, then)
    assert.equal((await gc(store)).expired.objects, 0)
    assert.equal((await store.objects.read(digest)).toString(), 'x')
  })
})
