/** Several writers at once, turn by turn, in orders that seeds decide. */
import assert from 'node:assert/strict'
import type { Plant } from './enumerate.ts'
import { PLANTED } from './faults.ts'
import { interleave } from './interleave.ts'

const SEEDS = Number(process.env.MLOPS_TEST_SEEDS ?? 60)

describe('writers that take turns at every system call', () => {
  it('never share a number, lose an event or leave a hole, whoever is killed', async () => {
    for (let seed = 1; seed <= SEEDS; seed++) await interleave(seed, (files) => files)
  })

  for (const fault of ['a rename takes the place of the link', 'the fsync of folders is left out']) {
    it(`would show it if ${fault}`, async () => {
      const plant = PLANTED[fault]
      assert.ok(plant !== undefined)
      assert.ok(await isNoticed(plant), 'a planted fault went unnoticed')
    })
  }
})

async function isNoticed(plant: Plant): Promise<boolean> {
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      await interleave(seed, plant)
    } catch {
      return true
    }
  }
  return false
}
