/** A symbolic link below the root of a store: nothing is written through it, and the refusal names it. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../../src/core/digest.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Store } from '../../../src/store/store.ts'
import { promote, refusal, register, runStart, TIME, temporaryFolder, temporaryStore } from './support.ts'

/** Puts a link to a folder elsewhere in the place of a folder of the store; what was there goes along. */
function linked(store: Store, folder: string): string {
  const target = join(temporaryFolder(), 'elsewhere')
  const path = join(store.root, folder)
  try {
    renameSync(path, target)
  } catch {
    mkdirSync(target)
    mkdirSync(join(path, '..'), { recursive: true })
  }
  symlinkSync(target, path)
  return target
}

const everything = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()

describe('a symbolic link inside a store', () => {
  for (const folder of ['objects', 'objects/sha256', 'models', 'log', 'runs', 'tmp', 'quarantine']) {
    it(`in the place of ${folder}/ is refused by whoever wants to write, before anything is written`, async () => {
      const store = await temporaryStore()
      await register(store, 'one')
      const target = linked(store, folder)
      const before = [everything(target), everything(store.root)]
      const error = await refusal(() => openStore(store.root, { write: true }), 'failed', 'STORE_LINK_INSIDE')
      assert.ok(error.message.includes(`${join(store.root, folder)} is a symbolic link`))
      assert.deepEqual([everything(target), everything(store.root)], before)
      await openStore(store.root, { write: false })
    })
  }

  for (const folder of ['models/churn-model', 'models/churn-model/log']) {
    it(`in the place of ${folder}/ is refused by register and promote`, async () => {
      const store = await temporaryStore()
      await register(store, 'one')
      const target = linked(store, folder)
      const before = everything(target)
      const writer = await openStore(store.root, { write: true })
      for (const work of [() => register(writer, 'two'), () => promote(writer, 1)]) {
        const error = await refusal(work, 'failed', 'STORE_LINK_INSIDE')
        assert.ok(error.message.includes(join(store.root, folder)))
      }
      assert.deepEqual(everything(target), before)
    })
  }

  it('in the place of a model that is new leaves no trace of it in the root log', async () => {
    const store = await temporaryStore()
    const target = linked(store, 'models/churn-model')
    await refusal(() => register(store, 'one'), 'failed', 'STORE_LINK_INSIDE')
    assert.deepEqual([everything(target), everything(join(store.root, 'log'))], [[], []])
  })

  it('in the place of the folder of checks, of claims, of objects or of a run is refused', async () => {
    const store = await temporaryStore()
    const start = runStart()
    const digest = sha256('a file')
    const writers: Record<string, () => Promise<unknown>> = {
      'models/churn-model/checks': () => store.checks.put('churn-model', sha256('x'), { time: TIME }),
      'models/churn-model/jobs': () => store.claims.take('churn-model', 'jobs/drift', 1, {}),
      [`objects/sha256/${digest.slice(0, 2)}`]: () => store.objects.put(Buffer.from('a file')),
      [`runs/${start.id}`]: () => store.runs.create(start),
    }
    for (const [folder, write] of Object.entries(writers)) {
      const target = linked(store, folder)
      await refusal(write, 'failed', 'STORE_LINK_INSIDE')
      assert.deepEqual(everything(target), [], folder)
      rmSync(join(store.root, folder))
    }
  })

  it('in the place of a heartbeat is not followed', async () => {
    const store = await temporaryStore()
    const run = await store.runs.create(runStart())
    const target = join(temporaryFolder(), 'made-by-mistake')
    rmSync(join(run.dir, 'alive'))
    symlinkSync(target, join(run.dir, 'alive'))
    await refusal(() => run.beat(), 'failed', 'STORE_LINK_INSIDE')
    assert.throws(() => readdirSync(target), { code: 'ENOENT' })
  })
})
