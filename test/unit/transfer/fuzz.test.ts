/** A small round of the fuzz test; `npm run fuzz:import` runs a large one. */
import assert from 'node:assert/strict'
import { fuzz } from './fuzz.ts'

describe('Archives changed at random', () => {
  it('are refused with a plain message and leave nothing, or are sound in every use', async () => {
    const { tried, refused, accepted } = await fuzz(150, 20260101)
    assert.equal(refused + accepted, tried)
    // Both happened, or this would prove nothing.
    assert.ok(refused > 50, `only ${refused} refused`)
    assert.ok(accepted > 3, `only ${accepted} accepted`)
  })
})
