/** Times and sizes in words. */
import assert from 'node:assert/strict'
import { ago, bytes, day, duration } from '../../../src/ui/time.ts'

const NOW = new Date('2026-03-10T12:00:00Z')

describe('A time', () => {
  it('is told relative to the present that was passed in', () => {
    assert.equal(ago('2026-03-10T11:59:30Z', NOW), 'just now')
    assert.equal(ago('2026-03-10T11:59:00Z', NOW), '1 minute ago')
    assert.equal(ago('2026-03-10T09:00:00Z', NOW), '3 hours ago')
    assert.equal(ago('2026-03-08T11:00:00Z', NOW), '2 days ago')
    assert.equal(ago('2025-01-01T00:00:00Z', NOW), '1 year ago')
    assert.equal(ago('2026-03-10T14:00:00Z', NOW), 'in 2 hours')
  })

  it('is shown as it is when it is none', () => {
    assert.equal(ago('yesterday', NOW), 'yesterday')
    assert.equal(day('yesterday'), 'yesterday')
  })

  it('is printed in UTC', () => {
    assert.equal(day('2026-03-10T13:00:00.123+01:00'), '2026-03-10 12:00 UTC')
  })
})

describe('A duration', () => {
  it('is as exact as people need', () => {
    assert.deepEqual([0.04, 9.94, 12.4, 59.7, 200, 7_500].map(duration), [
      '0.0 s',
      '9.9 s',
      '12 s',
      '1 min 0 s',
      '3 min 20 s',
      '2 h 5 min',
    ])
  })
})

describe('A size', () => {
  it('is in powers of 1000', () => {
    assert.deepEqual([0, 999, 1_000, 1_500, 20_000_000, 999_999, 3e12].map(bytes), [
      '0 B',
      '999 B',
      '1 kB',
      '1.5 kB',
      '20 MB',
      '1 MB',
      '3 TB',
    ])
  })
})
