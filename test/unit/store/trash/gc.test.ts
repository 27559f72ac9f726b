/** `store gc`: what goes, what stays, and that everything which a record refers to stays. */
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Digest, sha256 } from '../../../../src/core/digest.ts'
import { objectKey } from '../../../../src/store/layout.ts'
import { openStore } from '../../../../src/store/open.ts'
import { seal } from '../../../../src/store/sealed.ts'
import type { Store } from '../../../../src/store/store.ts'
import { verifyStore } from '../../../../src/store/verify.ts'
import { beginRun, endRun, RUN } from '../../../crash/scenario.ts'
import { register, temporaryStore } from '../support.ts'
import { age, DAY, gc } from './support.ts'

const inPlace = (store: Store, digest: Digest): boolean => existsSync(join(store.root, objectKey(digest)))
const put = async (store: Store, text: string): Promise<Digest> => (await store.objects.put(Buffer.from(text))).sha256

async function assertWhole(store: Store): Promise<void> {
  const report = await verifyStore(store.root)
  assert.deepEqual([report.damages, report.warnings], [[], []])
}

describe('What a clean-up takes', () => {
  it('is nothing at first, then what nobody refers to goes aside, and a grace later for good', async () => {
    const store = await temporaryStore()
    await register(store, 'one')
    const orphan = await put(store, 'nobody wants me')
    const { young } = (await gc(store)).kept
    const days = (Date.parse(young.until ?? '') - Date.now()) / 86_400e3
    assert.ok(young.objects === 1 && days > 13.9 && days <= 14.1, `${young.objects} objects, until ${young.until}`)
    age(store, 15)
    const plan = await gc(store, false)
    assert.deepEqual([plan.aside.digests, plan.removed, plan.freed], [[orphan], false, 0])
    assert.ok(inPlace(store, orphan), 'a dry run took it')
    const done = await gc(store)
    assert.deepEqual([done.aside.digests, done.freed, done.trash.objects], [[orphan], 0, 1])
    assert.ok(!inPlace(store, orphan))
    assert.equal((await store.objects.read(orphan)).toString(), 'nobody wants me', 'what is aside is still read')
    await assertWhole(store)
    assert.equal((await gc(store)).expired.objects, 0)
    age(store, 15)
    const last = await gc(store)
    assert.deepEqual([last.expired.digests, last.freed], [[orphan], 'nobody wants me'.length])
    await assert.rejects(store.objects.read(orphan), { code: 'OBJECT_MISSING' })
    await assertWhole(store)
    assert.equal((await store.models.state('churn-model')).versions.length, 1)
  })

  it('is not what somebody has stored again since: it counts as new', async () => {
    const store = await temporaryStore()
    const digest = await put(store, 'again')
    age(store, 30)
    await put(store, 'again')
    assert.equal((await gc(store)).kept.young.objects, 1)
    age(store, 30)
    await store.objects.putChunks({ sha256: digest, size: 5 }, async function* () {
      yield Buffer.from('again')
    })
    assert.equal((await gc(store)).kept.young.objects, 1)
  })

  it('comes back when it is stored again, from wherever it lies', async () => {
    const store = await temporaryStore()
    const digest = await put(store, 'aside')
    age(store, 30)
    await gc(store)
    assert.ok(!inPlace(store, digest))
    await put(store, 'aside')
    assert.ok(inPlace(store, digest))
    age(store, 30)
    await gc(store)
    assert.equal((await store.objects.read(digest)).toString(), 'aside')
  })

  it('comes back by itself when a version refers to it that was made while it was taken', async () => {
    const store = await temporaryStore()
    const result = await register(store, 'raced')
    assert.equal(result.kind, 'committed')
    const model = sha256('raced')
    const folder = join(store.root, 'trash/objects/01JABCDEFG0000000000000000')
    mkdirSync(folder, { recursive: true })
    renameSync(join(store.root, objectKey(model)), join(folder, model))
    assert.equal((await store.objects.read(model)).toString(), 'raced')
    const { damages, warnings } = await verifyStore(store.root)
    assert.deepEqual([damages, warnings.map(({ file }) => file)], [[], [objectKey(model)]])
    const plan = await gc(store, false)
    assert.deepEqual(plan.back.digests, [model])
    assert.deepEqual((await gc(store)).back.digests, [model])
    assert.ok(inPlace(store, model))
    await assertWhole(store)
  })

  it('is what killed commands left in tmp/ for more than a day, and what a killed purge left', async () => {
    const store = await temporaryStore()
    const then = new Date(Date.now() - 2 * DAY)
    for (const [name, old] of [
      ['old', true],
      ['new', false],
    ] as const) {
      writeFileSync(join(store.root, 'tmp', name), 'x'.repeat(10))
      if (old) utimesSync(join(store.root, 'tmp', name), then, then)
    }
    mkdirSync(join(store.root, 'trash/purged/01JABCDEFG0000000000000000.x'), { recursive: true })
    writeFileSync(join(store.root, 'trash/purged/01JABCDEFG0000000000000000.x/output.log'), 'y')
    assert.deepEqual((await gc(store, false)).leftovers, { files: 2, bytes: 11 })
    assert.equal((await gc(store)).freed, 11)
    assert.deepEqual(readdirSync(join(store.root, 'tmp')), ['new'])
    assert.deepEqual(readdirSync(join(store.root, 'trash/purged')), [])
  })
})

describe('What a clean-up leaves alone', () => {
  /** Where a digest may stand, and how it gets there. */
  const PLACES: Readonly<Record<string, (store: Store, digest: Digest) => unknown>> = {
    'an unknown file of a model': (store, digest) => place(store, 'models/churn-model/future/x.txt', `see ${digest}`),
    'an unknown folder at the top': (store, digest) => place(store, 'someday/a/b', digest),
    'a claim': (store, digest) => store.claims.take('churn-model', 'jobs/retrain', 1, { kind: 'begin', what: digest }),
    'an alert': (store, digest) => store.claims.take('churn-model', 'alerts/x', 1, { alert: { report: digest } }),
    'a check': (store, digest) => store.checks.put('churn-model', sha256('key'), { reference: { profile: digest } }),
    'upper case': (store, digest) => place(store, 'models/churn-model/future/x', digest.toUpperCase()),
    'the path of an object': (store, digest) =>
      place(store, 'someday/x', `objects/sha256/${digest.slice(0, 2)}/${digest.slice(2)}`),
    'a run that goes on': (store, digest) => place(store, `runs/${RUN}/artifacts/w.jsonl`, `{"sha256":"${digest}"}`),
    'a record of a run': (store, digest) =>
      place(store, `runs/${RUN}/evidence/w-1.json`, seal({ data: { sha256: digest, size: 1 } })),
    'a run in the trash': (store, digest) =>
      place(store, `trash/runs/${RUN}/intents/w-1.json`, seal({ data: { sha256: digest } })),
    'a tag that looks like one': async (store, digest) => {
      const run = await beginRun(store, RUN)
      await run.append('tags', [{ t: '', tag: digest }])
    },
    'an object that an event pins': async (store, digest) => {
      const origin = await store.objects.put(Buffer.from(JSON.stringify({ lock: digest })))
      await store.claims.take('churn-model', 'jobs/x', 1, { origin: origin.sha256 })
    },
    'a list of the files of a folder': async (store, digest) => {
      const list = await store.objects.put(
        Buffer.from(`${'long/'.repeat(9000)}a.csv\0${digest}\nb.csv\0${sha256('b')}\n`),
      )
      await store.claims.take('churn-model', 'jobs/x', 1, { data: list.sha256 })
    },
    'a lock file that an environment names, that a run names': async (store, digest) => {
      const environment = await store.objects.put(
        Buffer.from(JSON.stringify({ locks: [{ path: 'uv.lock', sha256: digest }] })),
      )
      await place(store, `runs/${RUN}/run.json`, seal({ python: { environment } }))
    },
  }
  for (const [where, refer] of Object.entries(PLACES)) {
    it(`is what ${where} names`, async () => {
      const store = await temporaryStore()
      const digest = await put(store, 'needed')
      const other = await put(store, 'not needed')
      await refer(store, digest)
      age(store, 400)
      const { aside } = await gc(store)
      assert.ok(!aside.digests.includes(digest))
      assert.ok(aside.digests.includes(other), 'nothing was taken at all: this proves nothing')
    })
  }

  it('is what a run that still goes on stored since it began, however long ago', async () => {
    const store = await temporaryStore()
    await beginRun(store, RUN)
    const digest = await put(store, 'named at the end of the run')
    age(store, 40)
    const begun = new Date(Date.now() - 41 * DAY)
    utimesSync(join(store.root, `runs/${RUN}/run.json`), begun, begun)
    const recently = new Date()
    utimesSync(join(store.root, `runs/${RUN}/alive`), recently, recently)
    const report = await gc(store)
    assert.deepEqual([report.kept.running.objects, report.aside.objects], [1, 0])
    assert.ok(inPlace(store, digest))
    utimesSync(join(store.root, `runs/${RUN}/alive`), begun, begun)
    assert.equal((await gc(store)).aside.objects, 1, 'it has been silent for longer than the grace')
  })
})

describe('A clean-up is refused', () => {
  const DAMAGES: Readonly<Record<string, (root: string) => void>> = {
    'an event is damaged': (root) => damage(root, 'models/churn-model/log/0000000001.json'),
    'an event is missing': (root) => rmSync(join(root, 'models/churn-model/log/0000000001.json')),
    'a record of a run is damaged': (root) => damage(root, `runs/${RUN}/end.json`),
    'registry.json is damaged': (root) => damage(root, 'registry.json'),
    'a claim is damaged': (root) => damage(root, 'models/churn-model/jobs/x/0000000001.json'),
  }
  for (const [what, harm] of Object.entries(DAMAGES)) {
    it(`where ${what}, because what it referred to cannot be known`, async () => {
      const store = await temporaryStore()
      await register(store, 'one')
      await register(store, 'two')
      await endRun(await beginRun(store, RUN))
      await store.claims.take('churn-model', 'jobs/x', 1, { a: 1 })
      const orphan = await put(store, 'orphan')
      age(store, 30)
      harm(store.root)
      await assert.rejects(gc(store), { code: 'STORE_DAMAGED' })
      await assert.rejects(gc(store, false), { code: 'STORE_DAMAGED' })
      assert.ok(inPlace(store, orphan))
    })
  }

  it('where a manifest or a file of a version is gone', async () => {
    const store = await temporaryStore()
    await register(store, 'one')
    rmSync(join(store.root, objectKey(sha256('one'))))
    await assert.rejects(gc(store), { code: 'STORE_DAMAGED' })
  })

  it('in a store of a newer format', async () => {
    const store = await temporaryStore()
    const file = join(store.root, 'registry.json')
    const { id } = JSON.parse(readFileSync(file, 'utf8'))
    rmSync(file)
    writeFileSync(file, seal({ format: 2, id }))
    await assert.rejects(gc(store, false), { code: 'STORE_TOO_NEW' })
    await assert.rejects(gc(store), { code: 'STORE_TOO_NEW' })
  })

  it('where a symbolic link leads out of the store: what lies behind it is not read', async () => {
    const store = await temporaryStore()
    symlinkSync('/tmp', join(store.root, 'models/elsewhere'))
    await assert.rejects(gc(store), { code: 'STORE_LINK_INSIDE' })
  })
})

describe('Two clean-ups at once', () => {
  it('take each object once, and what a version needs never', async () => {
    const store = await temporaryStore()
    await register(store, 'one')
    for (let n = 0; n < 300; n++) await put(store, `orphan ${n}`)
    age(store, 30)
    const reports = await Promise.all([gc(store), gc(store), gc(await openStore(store.root, { write: true }))])
    assert.ok(reports.some(({ aside }) => aside.objects > 0))
    for (let n = 0; n < 300; n++) assert.ok(!inPlace(store, sha256(`orphan ${n}`)))
    assert.equal((await store.objects.read(sha256('one'))).toString(), 'one')
    age(store, 30)
    await Promise.all([gc(store), gc(store)])
    assert.deepEqual(readdirSync(join(store.root, 'trash/objects')), [])
    await assertWhole(store)
  })
})

async function place(store: Store, key: string, content: string | Buffer): Promise<void> {
  const path = join(store.root, key)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
}

function damage(root: string, key: string): void {
  const path = join(root, key)
  const bytes = readFileSync(path)
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
  rmSync(path)
  writeFileSync(path, bytes)
}
