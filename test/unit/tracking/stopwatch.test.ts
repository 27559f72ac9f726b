/** How long a run took. */
import assert from 'node:assert/strict'
import { stopwatch } from '../../../src/tracking/execute/stopwatch.ts'

describe('How long a run took', () => {
  function measured(byClock: number, byUptime: number): number {
    let [clock, up] = [1_000_000, 500]
    const elapsed = stopwatch(
      () => new Date(clock),
      () => up,
    )
    clock += byClock * 1000
    up += byUptime
    return elapsed()
  }

  it('has the milliseconds of the clock while that runs on', () => {
    assert.equal(measured(12.345, 12.34), 12.345)
  })

  it('is right when the clock is set forwards or backwards meanwhile, and when the machine slept', () => {
    assert.equal(measured(3612, 12), 12)
    assert.equal(measured(-3588, 12), 12)
    assert.equal(measured(7200.5, 7200.4), 7200.5)
  })

  it('is never negative', () => {
    assert.equal(measured(-0.5, 0), 0)
  })
})
