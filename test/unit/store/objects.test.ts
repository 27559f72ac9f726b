/** Objects: what goes in comes out, hashed again; damage is noticed, never delivered, and repaired by storing again. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { sha256 } from '../../../src/core/digest.ts'
import { objectKey } from '../../../src/store/layout.ts'
import type { Store } from '../../../src/store/store.ts'
import { refusal, temporaryFolder, temporaryStore } from './support.ts'

const place = (store: Store, digest: string): string => join(store.root, objectKey(digest))

function damage(path: string): void {
  const bytes = readFileSync(path)
  bytes[0] = (bytes[0] ?? 0) ^ 1
  chmodSync(path, 0o644)
  writeFileSync(path, bytes)
}

describe('objects', () => {
  it('come out as they went in, under their sha256, read-only, with nothing left in tmp/', async () => {
    const store = await temporaryStore()
    const bytes = Buffer.from('a model')
    const pin = await store.objects.put(bytes)
    assert.deepEqual(pin, { sha256: sha256(bytes), size: 7 })
    assert.deepEqual(await store.objects.read(pin.sha256), bytes)
    assert.equal(await store.objects.has(pin.sha256), true)
    assert.equal(statSync(place(store, pin.sha256)).mode & 0o777, 0o444)
    assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
  })

  it('keep one copy of the same bytes, empty ones too', async () => {
    const store = await temporaryStore()
    for (const text of ['same', '']) {
      const first = await store.objects.put(Buffer.from(text))
      const { ino } = statSync(place(store, first.sha256))
      assert.deepEqual(await store.objects.put(Buffer.from(text)), first)
      assert.equal(statSync(place(store, first.sha256)).ino, ino)
    }
  })

  it('take a file of several chunks and report how far they are', async () => {
    const store = await temporaryStore()
    const path = join(temporaryFolder(), 'model.bin')
    const bytes = Buffer.alloc((9 << 20) + 17, 'mlops ')
    writeFileSync(path, bytes)
    const seen: number[] = []
    const pin = await store.objects.putFile(path, (done) => seen.push(done))
    assert.deepEqual(pin, { sha256: sha256(bytes), size: bytes.length })
    assert.equal(seen.at(-1), bytes.length)
    assert.ok((await store.objects.read(pin.sha256)).equals(bytes))
  })

  it('are never delivered when damaged', async () => {
    const store = await temporaryStore()
    const { sha256: digest } = await store.objects.put(Buffer.from('a model'))
    damage(place(store, digest))
    const error = await refusal(() => store.objects.read(digest), 'failed', 'OBJECT_DAMAGED')
    assert.ok(error.message.includes(place(store, digest)))
    await refusal(() => store.objects.verify(digest), 'failed', 'OBJECT_DAMAGED')
    const target = join(temporaryFolder(), 'out')
    await refusal(() => store.objects.exportTo(digest, target), 'failed', 'OBJECT_DAMAGED')
    assert.equal(existsSync(target), false)
  })

  it('are repaired by storing the same bytes again; the damaged ones are kept aside', async () => {
    const store = await temporaryStore()
    const bytes = Buffer.from('a model')
    const { sha256: digest } = await store.objects.put(bytes)
    damage(place(store, digest))
    await store.objects.put(bytes)
    assert.deepEqual(await store.objects.read(digest), bytes)
    const kept = readdirSync(join(store.root, 'quarantine'))
    assert.equal(kept.length, 1)
    assert.ok(kept[0]?.startsWith(digest))

    const path = join(temporaryFolder(), 'model.bin')
    writeFileSync(path, bytes)
    damage(place(store, digest))
    await store.objects.putFile(path)
    assert.deepEqual(await store.objects.read(digest), bytes)
  })

  it('say which one is missing', async () => {
    const store = await temporaryStore()
    const absent = sha256('nobody')
    for (const work of [
      () => store.objects.read(absent),
      () => store.objects.verify(absent),
      () => store.objects.exportTo(absent, join(temporaryFolder(), 'x')),
    ]) {
      const error = await refusal(work, 'notFound', 'OBJECT_MISSING')
      assert.ok(error.message.includes(absent))
    }
    assert.equal(await store.objects.has(absent), false)
  })

  it('export a copy that is no link, and overwrite nothing', async () => {
    const store = await temporaryStore()
    const { sha256: digest } = await store.objects.put(Buffer.from('a model'))
    const folder = temporaryFolder()
    const target = join(folder, 'model.bin')
    await store.objects.exportTo(digest, target)
    assert.equal(readFileSync(target, 'utf8'), 'a model')
    writeFileSync(target, 'scribbled over')
    assert.equal((await store.objects.read(digest)).toString(), 'a model')
    await refusal(() => store.objects.exportTo(digest, target), 'usage', 'DESTINATION_EXISTS')
    assert.equal(readFileSync(target, 'utf8'), 'scribbled over')
    assert.deepEqual(readdirSync(folder), ['model.bin'])
  })

  it('leave nothing behind when the destination folder is missing', async () => {
    const store = await temporaryStore()
    const { sha256: digest } = await store.objects.put(Buffer.from('a model'))
    const target = join(temporaryFolder(), 'no', 'such', 'folder')
    const error = await refusal(() => store.objects.exportTo(digest, target), 'failed', 'FILE_UNWRITABLE')
    assert.ok(error.message.includes(target))
  })

  it('are stored also when a clean-up took their empty folder since the last one', async () => {
    const store = await temporaryStore()
    const { sha256: digest } = await store.objects.put(Buffer.from('a model'))
    rmSync(dirname(place(store, digest)), { recursive: true })
    await store.objects.put(Buffer.from('a model'))
    assert.equal((await store.objects.read(digest)).toString(), 'a model')
  })

  it('refuse folders, pipes and files that are not there, and follow a link to a file', async () => {
    const store = await temporaryStore()
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'd'))
    execFileSync('mkfifo', [join(folder, 'pipe')])
    writeFileSync(join(folder, 'f'), 'a model')
    symlinkSync('f', join(folder, 'link'))
    await refusal(() => store.objects.putFile(join(folder, 'd')), 'usage', 'NOT_A_FILE')
    await refusal(() => store.objects.putFile(join(folder, 'pipe')), 'usage', 'NOT_A_FILE')
    await refusal(() => store.objects.putFile(join(folder, 'none')), 'notFound', 'FILE_NOT_FOUND')
    assert.equal((await store.objects.putFile(join(folder, 'link'))).sha256, sha256('a model'))
    assert.deepEqual(readdirSync(join(store.root, 'tmp')), [])
  })
})
