/** `mlops store gc`, struck at every system call, and in turns with writers that need what it takes. */
import assert from 'node:assert/strict'
import type { Plant } from './enumerate.ts'
import { systemError } from './faults.ts'
import {
  assertComplete,
  clean,
  cleanUpAmongWriters,
  littered,
  ORPHANS,
  PLANTED_IN_GC,
  strikeCleanUp,
  takeWhatWasJustNeeded,
} from './gc.ts'
import { luck } from './luck.ts'

const SEEDS = Number(process.env.MLOPS_TEST_SEEDS ?? 60)

describe('a clean-up that is struck at every system call', () => {
  it('takes in the end what nobody wants, and nothing else', async () => {
    const disk = await littered()
    const report = await clean(disk.files)
    assert.deepEqual([report.aside.objects, report.expired.objects, report.back.objects], [ORPHANS.length, 1, 0])
    await assertComplete(disk.files, 'after it')
  })

  it('loses nothing that anything refers to, wherever it is killed and the power goes', async () => {
    const places = await strikeCleanUp({ kind: 'die' }, [luck(1)])
    assert.ok(places > 50, `only ${places} places: is the fault still in the way of the calls?`)
  })

  it('says what is wrong when a call fails, and can be done again', async () => {
    for (const code of ['EIO', 'ENOSPC', 'EACCES']) await strikeCleanUp({ kind: 'error', code }, [])
  })

  it('does so on a disk without hard links', async () => {
    const noLinks: Plant = (files) => ({ ...files, link: async () => Promise.reject(systemError('EPERM')) })
    await strikeCleanUp({ kind: 'die' }, [], noLinks)
  })
})

describe('an object that a clean-up takes at the instant at which a version is made of it', () => {
  it('is read from the trash, and brought back by the next clean-up', () => takeWhatWasJustNeeded())

  it('would show it if nobody looked into the trash', async () => {
    const blind: Plant = (files) => ({
      ...files,
      list: (path) => (path.endsWith('/trash/objects') ? [] : files.list(path)),
    })
    await assert.rejects(takeWhatWasJustNeeded(blind), assert.AssertionError)
  })
})

describe('two clean-ups and three writers that take turns at every system call', () => {
  it('never take what a version refers to, whoever is killed', async () => {
    let registered = 0
    for (let seed = 1; seed <= SEEDS; seed++) registered += await cleanUpAmongWriters(seed)
    assert.ok(registered > SEEDS, `only ${registered} versions were made: nothing was tested`)
  })

  for (const [fault, plant] of Object.entries(PLANTED_IN_GC)) {
    it(`would show it if ${fault}`, async () => {
      let isNoticed = false
      for (let seed = 1; seed <= 400 && !isNoticed; seed++)
        isNoticed = await cleanUpAmongWriters(seed, plant).then(
          () => false,
          () => true,
        )
      assert.ok(isNoticed, 'a planted fault went unnoticed, so these tests prove nothing')
    })
  }
})
