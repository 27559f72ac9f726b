/**
 * A clean-up on a simulated disk, struck at every system call, and in turns with writers that need what it takes. After
 * each: nothing is damaged, every version has all its bytes, and the next clean-up comes to the same end.
 */
import assert from 'node:assert/strict'
import { sha256 } from '../../src/core/digest.ts'
import { MlopsError } from '../../src/core/errors.ts'
import type { Files } from '../../src/store/files.ts'
import { collectGarbage, type GcReport } from '../../src/store/gc.ts'
import { objectKey } from '../../src/store/layout.ts'
import { openStore } from '../../src/store/open.ts'
import { verifyStore } from '../../src/store/verify.ts'
import type { Plant } from './enumerate.ts'
import { type Fault, faulty, Killed } from './faults.ts'
import { numbers } from './luck.ts'
import { type Luck, MemoryDisk } from './memory-disk.ts'
import { beginRun, endRun, MODEL, model, ROOT, RUN, register, STEPS } from './scenario.ts'

const DAY = 86_400e3
/** What the clock of the simulated disk begins with. */
const BEGIN = 1_700_000_000_000
export const ORPHANS = ['orphan a', 'orphan b', 'orphan c'] as const
const OLD = new Date(BEGIN - 40 * DAY)

export const clean = (files: Files): Promise<GcReport> =>
  collectGarbage({ env: {}, now: () => new Date(BEGIN) }, ROOT, { remove: true, grace: 14 * DAY, files })

/** A store with versions, a run in it and one in the trash, objects that nobody wants, and old ones aside. */
export async function littered(plant: Plant = (files) => files): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  const files = plant(disk.files)
  await STEPS[0]?.run(files)
  const store = await openStore(ROOT, { write: true, files, now: () => new Date(BEGIN) })
  await register(store, 'v1')
  await endRun(await beginRun(store, RUN))
  const gone = `${RUN.slice(0, -1)}1`
  await endRun(await beginRun(store, gone))
  const actor = { name: 'ada', origin: 'local' as const }
  await store.trash.put({ format: 1, run: gone, actor, tool: 'test', time: new Date(BEGIN).toISOString() })
  await store.objects.put(model('expired'))
  await ageAll(disk.files)
  await clean(disk.files)
  await ageTrash(disk.files)
  for (const text of ORPHANS) await store.objects.put(model(text))
  await register(store, 'v2')
  await ageAll(disk.files)
  return disk
}

async function ageAll(files: Files): Promise<void> {
  for (const { name } of files.list(`${ROOT}/objects/sha256`)) {
    for (const inner of files.list(`${ROOT}/objects/sha256/${name}`)) {
      await files.touch(`${ROOT}/objects/sha256/${name}/${inner.name}`, OLD)
    }
  }
}

/** A folder of the trash says by its name since when it is there. */
async function ageTrash(files: Files): Promise<void> {
  for (const { name } of files.list(`${ROOT}/trash/objects`)) {
    await files.rename(`${ROOT}/trash/objects/${name}`, `${ROOT}/trash/objects/01AAAAAAAA${name.slice(10)}`)
    await files.touch(`${ROOT}/trash/objects/01AAAAAAAA${name.slice(10)}`, OLD)
  }
}

/** Every version has all its bytes, and nothing is damaged. */
export async function assertComplete(files: Files, when: string, versions = 2): Promise<void> {
  const { damages } = await verifyStore(ROOT, { files })
  assert.deepEqual(damages, [], when)
  const store = await openStore(ROOT, { write: false, files })
  const state = await store.models.state(MODEL)
  assert.ok(state.versions.length >= versions, `${when}: a version is lost`)
  for (const { manifest } of state.versions) {
    for (const file of (await store.models.manifest(manifest)).files) {
      await assert.doesNotReject(store.objects.verify(file.sha256), `${when}: ${file.path} is lost`)
    }
  }
}

/** Whoever stores them again has them, whatever happened to them. */
async function assertUsable(files: Files, when: string): Promise<void> {
  const store = await openStore(ROOT, { write: true, files })
  await store.objects.put(model(ORPHANS[0]))
  assert.equal((await register(store, ORPHANS[0])).kind, 'committed', when)
  await clean(files)
  await assertComplete(files, `${when}, used and cleaned up again`, 3)
}

/** Ways in which the clean-up could be wrong, each of which these tests must notice. */
export const PLANTED_IN_GC: Readonly<Record<string, Plant>> = {
  'an object is given up before its copy is in the trash': (files) => ({
    ...files,
    link: async (from, to) => (to.includes('/trash/objects/') ? undefined : files.link(from, to)),
  }),
}

/** @returns how many places a clean-up has at which it can be struck */
export async function strikeCleanUp(fault: Fault, lucks: readonly Luck[], plant: Plant = (files) => files) {
  const before = await littered(plant)
  for (let n = 1; ; n++) {
    const disk = before.afterKill()
    const { files, calls } = faulty(disk.files, n, fault)
    const error = await clean(plant(files)).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    const when = `clean-up, ${fault.kind} at call ${n}`
    const isExpected = error === undefined || error instanceof Killed || error instanceof MlopsError
    assert.ok(isExpected, `${when}: ${String(error)}`)
    await assertComplete(disk.afterKill().files, when)
    for (const luck of [() => false, ...lucks]) {
      const loss = disk.afterPowerLoss(luck)
      await assertComplete(loss.files, `${when}, power lost`)
      if (n % 9 === 0) await assertUsable(plant(loss.files), `${when}, power lost`)
    }
    if (n % 3 === 0) await assertUsable(plant(disk.afterKill().files), when)
    if (calls() < n) return n
  }
}

/**
 * Clean-ups and writers take turns at every system call, in an order that a seed decides; some are killed. The writers
 * register what nobody referred to before, whose objects are old: a clean-up takes them at that moment.
 */
export async function cleanUpAmongWriters(seed: number, plant: Plant = (files) => files): Promise<number> {
  const next = numbers(seed)
  const disk = await littered()
  const between = async (): Promise<void> => {
    for (let wait = next(4); wait > 0; wait--) await new Promise((resolve) => setImmediate(resolve))
  }
  const acks: string[] = []
  const program = async (work: (files: Files) => Promise<void>): Promise<void> => {
    const at = next(2) === 0 ? Number.POSITIVE_INFINITY : 1 + next(400)
    const { files } = faulty(plant(disk.files), at, { kind: 'die' }, between)
    await work(files).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error
    })
  }
  await Promise.all([
    program(async (files) => void (await clean(files))),
    program(async (files) => void (await clean(files))),
    ...ORPHANS.map((text) =>
      program(async (files) => {
        for (let wait = next(300); wait > 0; wait--) await between()
        const store = await openStore(ROOT, { write: true, files, now: () => new Date(BEGIN) })
        await registerAnew(store, text)
        acks.push(text)
      }),
    ),
  ])
  const view = disk.afterKill()
  await assertComplete(view.files, `seed ${seed}`, 2 + acks.length)
  const store = await openStore(ROOT, { write: false, files: view.files })
  const events = (await store.models.state(MODEL)).events.map(({ op_id }) => op_id)
  for (const op of acks) assert.ok(events.includes(op), `seed ${seed}: ${op} is lost`)
  await clean(view.files)
  await assertComplete(view.files, `seed ${seed}, cleaned up after it`, 2 + acks.length)
  return acks.filter((text) => view.tree().has(`${ROOT}/${objectKey(sha256(model(text)))}`)).length
}

/**
 * The worst that can happen: between the last look of a clean-up at an object and its taking it, a writer does all of its
 * work with that object; then the clean-up is killed.
 */
export async function takeWhatWasJustNeeded(plant: Plant = (files) => files): Promise<void> {
  const disk = await littered()
  const files = plant(disk.files)
  let taken: string | undefined
  const slow: Files = {
    ...files,
    async unlink(path) {
      if (taken !== undefined) throw new Killed()
      const text = ORPHANS.find((orphan) => path.endsWith(objectKey(sha256(model(orphan)))))
      if (text !== undefined) {
        const store = await openStore(ROOT, { write: true, files, now: () => new Date(BEGIN) })
        assert.equal((await register(store, text)).kind, 'committed')
        taken = text
      }
      await files.unlink(path)
    },
  }
  await assert.rejects(clean(slow), Killed)
  assert.ok(taken !== undefined)
  await assertComplete(plant(disk.afterPowerLoss().files), 'taken at the worst moment, and the power goes', 3)
  const view = disk.afterKill()
  const place = `${ROOT}/${objectKey(sha256(model(taken)))}`
  assert.ok(!view.tree().has(place), 'it was not taken: this proves nothing')
  await assertComplete(plant(view.files), 'taken at the worst moment', 3)
  assert.equal((await clean(plant(view.files))).back.objects, 1)
  assert.ok(view.tree().has(place))
  await assertComplete(plant(view.files), 'and brought back', 3)
}

/** As `lifecycle/register/commit.ts` does it: what a clean-up took between the first look and the commit is stored again. */
async function registerAnew(store: Parameters<typeof register>[0], op: string): Promise<void> {
  try {
    await register(store, op)
  } catch (error) {
    if (!(error instanceof MlopsError) || error.code !== 'OBJECT_MISSING') throw error
    await register(store, op)
  }
}
