/** The invariants of docs/store-format.md, struck at every single system call instead of at random ones. */
import assert from 'node:assert/strict'
import { enumerateErrors, enumerateKills, enumerateSuccessors, type Plant } from './enumerate.ts'
import { PLANTED, systemError } from './faults.ts'
import { luck } from './luck.ts'
import { STEPS } from './scenario.ts'

const lucks = [luck(1), luck(2)]

describe('a store that is struck at every system call', () => {
  for (const [index, step] of STEPS.entries()) {
    it(`loses and tears nothing and blocks nobody: ${step.name}`, async () => {
      const places = await enumerateKills(index, (files) => files, lucks)
      assert.ok(places > 10, `only ${places} places: is the fault still in the way of the calls?`)
    })

    it(`says what is wrong and can be done again when a call fails: ${step.name}`, async () => {
      await enumerateErrors(index, { kind: 'error', code: 'EIO' })
      await enumerateErrors(index, { kind: 'error', code: 'ENOSPC' })
      await enumerateErrors(index, { kind: 'error', code: 'EACCES' })
    })
  }
})

describe('an event whose writer died before it was durable', () => {
  it('is made durable by whoever builds on it, so that no hole can appear in a log', async () => {
    const many = Array.from({ length: 6 }, (_, seed) => luck(seed + 10))
    const unsettled = await enumerateSuccessors(STEP('register v1'), STEP('register v2'), many)
    assert.ok(unsettled > 0, 'no place was found where an event is visible and not durable')
  })
})

describe('a store on a disk without hard links, struck at every system call', () => {
  const noLinks: Plant = (files) => ({ ...files, link: async () => Promise.reject(systemError('EPERM')) })
  for (const [index, step] of STEPS.entries()) {
    it(`loses and tears nothing and blocks nobody: ${step.name}`, async () => {
      // Without luck: nothing survives that was not synced. What luck adds was tried above.
      await enumerateKills(index, noLinks, [])
    })
  }
})

describe('the harness itself', () => {
  for (const [fault, plant] of Object.entries(PLANTED)) {
    it(`notices when ${fault}`, async () => {
      assert.ok(await isNoticed(plant), 'a planted fault went unnoticed, so these tests prove nothing')
    })
  }
})

const STEP = (name: string): number => STEPS.findIndex((step) => step.name === name)

async function isNoticed(plant: Plant): Promise<boolean> {
  for (const index of STEPS.keys()) {
    try {
      await enumerateKills(index, plant, lucks)
    } catch {
      return true
    }
  }
  return false
}
