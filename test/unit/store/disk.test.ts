/** Real disks that are full or read-only: one clear error, an unchanged store, and production can still be moved back. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createStore } from '../../../src/store/create.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Store } from '../../../src/store/store.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { skipBecause } from '../../support/skip.ts'
import { promote, refusal, register, rollback, runStart, temporaryFolder } from './support.ts'

const mounts: string[] = []

/** A file system of its own in memory. Skips the test where it cannot be had. */
function mountedDisk(context: Mocha.Context, size: string): string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    skipBecause(context, 'needs root on Linux to mount a disk')
  const folder = join(temporaryFolder(), 'disk')
  mkdirSync(folder)
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], {
    encoding: 'utf8',
  })
  if (status !== 0) skipBecause(context, `a disk cannot be mounted here: ${stderr.trim()}`)
  mounts.push(folder)
  return folder
}

/** Everything a reader could see: all files but those on their way in. */
function visible(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path} ${statSync(path).size} ${readFileSync(path).toString('latin1').length}`)
    .sort()
}

function fill(folder: string): void {
  const block = Buffer.alloc(1 << 16)
  for (let size = block.length; size >= 1; size = Math.floor(size / 4)) {
    for (let n = 0; ; n++) {
      try {
        writeFileSync(join(folder, `filler-${size}-${n}`), block.subarray(0, size), { flag: 'wx' })
      } catch {
        rmSync(join(folder, `filler-${size}-${n}`), { force: true })
        break
      }
    }
  }
}

async function promotedTwice(disk: string, warn?: (message: string) => void): Promise<Store> {
  const root = join(disk, '.mlops')
  await createStore(root)
  const store = await openStore(root, { write: true, ...(warn === undefined ? {} : { warn }) })
  for (const version of [1, 2]) {
    await register(store, `model ${version}`)
    await promote(store, version)
  }
  return store
}

describe('on a disk without room', () => {
  afterEach(() => {
    for (const folder of mounts.splice(0)) execFileSync('umount', [folder])
  })

  it('register says so and leaves the store as it was', async function () {
    const disk = mountedDisk(this, '6m')
    const store = await promotedTwice(disk)
    fill(disk)
    const before = visible(store.root)
    const error = await refusal(() => register(store, 'model 3'), 'failed', 'STORE_FULL')
    assert.match(error.message, /is full\. Nothing was changed\./)
    await refusal(() => store.runs.create(runStart()), 'failed', 'STORE_FULL')
    const large = join(temporaryFolder(), 'large')
    writeFileSync(large, Buffer.alloc(20 << 20))
    await refusal(() => store.objects.putFile(large), 'failed', 'STORE_FULL')
    assert.deepEqual(visible(store.root), before)
    assert.deepEqual((await verifyStore(store.root)).damages, [])
  })

  it('rollback still works: it uses the room that init set aside', async function () {
    const disk = mountedDisk(this, '6m')
    const store = await promotedTwice(disk)
    fill(disk)
    assert.equal((await rollback(store)).kind, 'committed')
    assert.equal((await store.models.state('churn-model')).stages.production?.version, 1)
    assert.equal(existsSync(join(store.root, 'reserve')), false)
    const { damages, warnings } = await verifyStore(store.root)
    assert.deepEqual(damages, [])
    assert.deepEqual(
      warnings.map(({ file }) => file),
      ['reserve'],
    )
  })

  it('that one can rely on it again: the use is said, and the next change with room makes the reserve anew', async function () {
    const disk = mountedDisk(this, '6m')
    const warnings: string[] = []
    const store = await promotedTwice(disk, (message) => warnings.push(message))
    fill(disk)
    await rollback(store)
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /disk is full; the reserve of the store was used/)
    fill(disk)
    await refusal(() => promote(store, 2), 'failed', 'STORE_FULL')
    for (const name of readdirSync(disk)) if (name.startsWith('filler-')) rmSync(join(disk, name))
    await promote(store, 2)
    assert.equal(statSync(join(store.root, 'reserve')).size, 1 << 20)
    fill(disk)
    assert.equal((await rollback(store)).kind, 'committed')
    assert.equal(warnings.length, 2)
    assert.deepEqual((await verifyStore(store.root)).damages, [])
  })

  it('making a store says so', async function () {
    const disk = mountedDisk(this, '1m')
    fill(disk)
    await refusal(() => createStore(join(disk, '.mlops')), 'failed', 'STORE_FULL')
  })

  it('an export leaves nothing behind', async function () {
    const disk = mountedDisk(this, '1m')
    const store = await promotedTwice(temporaryFolder())
    const file = join(temporaryFolder(), 'large')
    writeFileSync(file, Buffer.alloc(3 << 20, 'x'))
    const pin = await store.objects.putFile(file)
    await refusal(() => store.objects.exportTo(pin.sha256, join(disk, 'out')), 'failed', 'FILE_UNWRITABLE')
    assert.deepEqual(readdirSync(disk), [])
  })
})

describe('on a disk that is mounted read-only', () => {
  afterEach(() => {
    for (const folder of mounts.splice(0)) execFileSync('umount', [folder])
  })

  it('reading works and writing says why it cannot', async function () {
    const disk = mountedDisk(this, '6m')
    await promotedTwice(disk)
    execFileSync('mount', ['-o', 'remount,ro', disk])
    const root = join(disk, '.mlops')
    const before = visible(root)
    const store = await openStore(root, { write: true })
    const error = await refusal(() => register(store, 'model 3'), 'failed', 'STORE_READ_ONLY')
    assert.match(error.message, /mounted read-only/)
    await refusal(() => rollback(store), 'failed', 'STORE_READ_ONLY')
    assert.deepEqual(visible(root), before)
    assert.equal((await store.models.state('churn-model')).stages.production?.version, 2)
    await refusal(() => createStore(join(disk, 'new')), 'failed', 'STORE_READ_ONLY')
  })
})
