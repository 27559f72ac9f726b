/** What a run records of its data, and what a snapshot keeps of it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { nodeFiles } from '../../../src/store/files.ts'
import { objectsOfRecord } from '../../../src/store/git-objects.ts'
import { LocalBackend } from '../../../src/store/local-backend.ts'
import { referencedByDataManifest } from '../../../src/store/references.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { readManifest } from '../../../src/tracking/capture/data-manifest.ts'
import { type DataRequest, recordAllData, recordData } from '../../../src/tracking/capture/data-record.ts'
import { hashDeclaredData } from '../../../src/tracking/capture/declared-data.ts'
import { type Tracked, type Workshop, workshop } from './support.ts'

const hex = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex')

describe('The data of a run', () => {
  let shop: Workshop
  beforeEach(async () => {
    shop = await workshop({ 'imgs/a.png': 'a', 'imgs/sub/b.png': 'bb', 'imgs/copy.png': 'a', 'rows.csv': 'x\n1\n' })
  })
  afterEach(async () => {
    const report = await verifyStore(shop.store.root)
    shop.remove()
    assert.deepEqual(report.damages, [])
  })
  const DATA = [
    { name: 'images', path: 'imgs' },
    { name: 'rows', path: 'rows.csv' },
  ]
  const track = async (request: object = {}): Promise<Tracked> => await shop.track(['true'], { data: DATA, ...request })
  const request = (more: Partial<DataRequest> = {}): DataRequest => ({
    ...{ cwd: shop.root, rehash: false, snapshot: false },
    ...more,
  })

  it('is of a folder the list of its files, kept in the store, under the digest that everybody knows it by', async () => {
    const run = await track()
    const [images, rows] = run.start.data
    assert.deepEqual([images?.kind, images?.files, images?.size], ['directory', 3, 4])
    assert.equal(images?.manifest?.sha256, images?.sha256)
    assert.equal(images?.sha256, (await hashDeclaredData({ name: 'x', path: 'imgs' }, shop.root)).sha256)
    const list = await shop.store.objects.read(images?.sha256 ?? '')
    assert.deepEqual(
      readManifest(list).map(({ path, sha256 }) => [path, sha256]),
      [
        ['a.png', hex('a')],
        ['copy.png', hex('a')],
        ['sub/b.png', hex('bb')],
      ],
    )
    assert.deepEqual([rows?.rows, rows?.manifest, rows?.snapshot, run.kept], [1, undefined, undefined, undefined])
    assert.equal(await shop.store.objects.has(hex('a')), false)
  })

  it('is kept whole with a snapshot, each file once, and nothing a second time', async () => {
    const run = await track({ snapshot: true })
    assert.ok(!run.warnings.some((each) => each.includes('data')), run.warnings.join())
    assert.deepEqual(run.kept, { files: 4, bytes: 8, addedBytes: 7 })
    const [images, rows] = run.start.data
    assert.deepEqual([images?.snapshot, rows?.snapshot], [true, true])
    assert.equal((await shop.store.objects.read(rows?.sha256 ?? '')).toString(), 'x\n1\n')
    for (const { sha256 } of referencedByDataManifest(await shop.store.objects.read(images?.sha256 ?? ''))) {
      assert.ok(await shop.store.objects.has(sha256))
    }
    assert.deepEqual((await track({ snapshot: true })).kept, { files: 4, bytes: 8, addedBytes: 0 })
    const object = join(shop.store.root, 'objects/sha256', hex('bb').slice(0, 2), hex('bb').slice(2))
    rmSync(object)
    const { damages } = await verifyStore(shop.store.root)
    assert.match(JSON.stringify(damages), /snapshot of sub\/b\.png/)
    await track({ snapshot: true })
  })

  it('does not travel with a version of a store that is shared as a branch; the list of its files and the patch do', async () => {
    shop.write('train.py', 'print(1)\n')
    execFileSync('git', ['init', '-q'], { cwd: shop.root })
    const run = await track({ snapshot: true })
    const pins = await shop.store.runs.pin(run.runId)
    const backend = new LocalBackend(shop.store.root, { files: nodeFiles })
    const { carried } = await objectsOfRecord(backend, Buffer.from(JSON.stringify(pins)))
    const { git, data } = run.start
    assert.ok(git?.patch !== undefined && carried.includes(git.patch.sha256))
    assert.ok(carried.includes(data[0]?.manifest?.sha256 ?? ''))
    assert.ok(![data[1]?.sha256, hex('a'), hex('bb')].some((digest) => carried.includes(digest ?? '')))
  })

  it('is kept for the models that mlops.yaml says so of', async () => {
    shop.write('mlops.yaml', 'models:\n  kept: {snapshot: true}\n  other: {}\n')
    assert.equal((await track({ model: 'kept' })).start.data[1]?.snapshot, true)
    assert.equal((await track({ model: 'other' })).start.data[1]?.snapshot, undefined)
    assert.equal((await track()).start.data[1]?.snapshot, undefined)
    assert.equal((await track({ model: 'kept', snapshot: false })).start.data[1]?.snapshot, undefined)
  })

  it('has no snapshot when it changed after it was hashed, and says so', async () => {
    const progress = (step: string): void => {
      if (step.startsWith('hashing')) appendFileSync(join(shop.root, 'rows.csv'), '2\n')
    }
    const { data, notes } = await recordData(
      shop.store,
      { name: 'rows', path: 'rows.csv' },
      request({ snapshot: true, progress }),
    )
    assert.equal(data.snapshot, undefined)
    assert.deepEqual(notes, [
      'data rows: rows.csv changed while it was read',
      'data rows has no whole snapshot: rows.csv: it changed after it was hashed',
    ])
    assert.equal(await shop.store.objects.has(hex('x\n1\n2\n')), false, 'bytes of no record are not kept')
  })

  it('is told how far it is, and is given up when nobody wants to wait', async () => {
    for (let n = 0; n < 40; n++) shop.write(`imgs/${n}.png`, String(n))
    const steps: string[] = []
    const stop = new AbortController()
    const progress = (step: string): void => {
      steps.push(step)
      if (step.startsWith('keeping')) stop.abort()
    }
    const { data, notes } = await recordData(
      shop.store,
      { name: 'images', path: 'imgs' },
      request({ snapshot: true, progress, signal: stop.signal }),
    )
    assert.deepEqual([data.snapshot, data.files], [undefined, 43])
    assert.deepEqual(notes, ['data images has no snapshot: stopped before it was done'])
    assert.ok(steps.includes('hashing data images: 43 of 43 files'), steps.join())
    assert.ok(
      steps.some((step) => step.startsWith('keeping data images: 1 of 42')),
      steps.join(),
    )
  })

  it('is recorded for every source that can be read, whatever is wrong with another', async () => {
    rmSync(join(shop.root, 'imgs'), { recursive: true })
    const failed: string[] = []
    const { data } = await recordAllData(shop.store, DATA, request(), [], ({ name }, error) => {
      failed.push(`${name}: ${(error as NodeJS.ErrnoException).code}`)
    })
    assert.deepEqual([data.map(({ name }) => name), failed], [['rows'], ['images: ENOENT']])
  })
})
