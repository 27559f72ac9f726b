/** Windows as people type them: lengths, dates, UTC, periods. */
import assert from 'node:assert/strict'
import { MlopsError } from '../../../src/core/errors.ts'
import { periodsOf, previousOf, windowOf } from '../../../src/monitor/window.ts'
import { describeWindow, isoWindow, logWindow } from '../../../src/predictions/window.ts'
import { WEEK } from '../../../src/project/duration.ts'

const NOW = new Date('2026-11-21T12:34:56.789Z')
const iso = (flags: Parameters<typeof windowOf>[0], fallback = '7d') => isoWindow(windowOf(flags, fallback, NOW))

describe('The window of a check', () => {
  it('of days ends with the running hour, so that the newest rows are in it and a second check is the same one', () => {
    const expected = { since: '2026-11-14T13:00:00.000Z', until: '2026-11-21T13:00:00.000Z' }
    assert.deepEqual(iso({}), expected)
    assert.deepEqual(iso({ window: '7d' }, '1d'), expected)
    assert.deepEqual(windowOf({}, '7d', new Date('2026-11-21T12:59:59.999Z')), windowOf({}, '7d', NOW))
  })

  it('of hours ends with the running minute', () => {
    assert.deepEqual(iso({ window: '1h' }), { since: '2026-11-21T11:35:00.000Z', until: '2026-11-21T12:35:00.000Z' })
  })

  it('takes dates as UTC days, until itself being no part', () => {
    assert.deepEqual(iso({ since: '2026-11-01', until: '2026-11-08' }), {
      since: '2026-11-01T00:00:00.000Z',
      until: '2026-11-08T00:00:00.000Z',
    })
    assert.deepEqual(iso({ since: '2026-11-01T06:00:00+02:00', window: '1d' }), {
      since: '2026-11-01T04:00:00.000Z',
      until: '2026-11-02T04:00:00.000Z',
    })
    assert.deepEqual(iso({ until: '2026-11-08', window: '2d' }).since, '2026-11-06T00:00:00.000Z')
    assert.deepEqual(iso({ since: '2026-11-21 10:00' }), {
      since: '2026-11-21T10:00:00.000Z',
      until: '2026-11-21T12:35:00.000Z',
    })
  })

  it('says what is wrong with a time, a length, or an order', () => {
    const refused = (flags: Parameters<typeof windowOf>[0], why: RegExp) =>
      assert.throws(
        () => windowOf(flags, '7d', NOW),
        (error: unknown) => error instanceof MlopsError && error.exit === 'usage' && why.test(error.message),
      )
    refused({ since: 'yesterday' }, /--since "yesterday" is no time/)
    refused({ since: '2026-02-30' }, /is no time/)
    refused({ since: '2026-02-30T10:00' }, /is no time/)
    refused({ window: 'a week' }, /--window "a week" is no length of time/)
    refused({ since: '2026-11-08', until: '2026-11-01' }, /ends \(2026-11-01\) before it begins \(2026-11-08\)/)
    refused({ since: '2026-11-08', until: '2026-11-08' }, /before it begins/)
    refused({ since: '2027-01-01' }, /before it begins/)
    refused({ since: '2026-11-01', until: '2026-11-08', window: '7d' }, /one thing too many/)
  })

  it('is typed for the figures of the log as for a check, but takes in everything and ends this very moment', () => {
    assert.equal(describeWindow(logWindow({}, NOW)), 'the beginning to now')
    assert.equal(
      describeWindow(logWindow({ since: '2026-11-21 10:00' }, NOW)),
      '2026-11-21 10:00 to 2026-11-21 12:34 UTC',
    )
    assert.deepEqual(logWindow({ window: '1h' }, NOW), { since: NOW.getTime() - 36e5, until: NOW.getTime() })
    for (const flags of [
      { since: '2026-11-01T06:00:00+02:00', window: '1d' },
      { until: '2026-11-08', window: '2d' },
      { since: '2026-11-01', until: '2026-11-08' },
    ]) {
      assert.deepEqual(logWindow(flags, NOW), windowOf(flags, '7d', NOW))
    }
    assert.throws(() => logWindow({ since: '2026-02-30' }, NOW), /is no time/)
    assert.throws(() => logWindow({ since: '2026-11-08', until: '2026-11-01' }, NOW), /before it begins/)
  })

  it('is cut into whole UTC days and into weeks from Monday', () => {
    const days = periodsOf(windowOf({ window: '2d' }, '7d', NOW), 864e5)
    assert.deepEqual(days.map(describeWindow), [
      '2026-11-19 to 2026-11-20',
      '2026-11-20 to 2026-11-21',
      '2026-11-21 to 2026-11-22',
    ])
    const [week] = periodsOf(windowOf({ window: '1d' }, '7d', NOW), WEEK)
    assert.equal(week && new Date(week.since).getUTCDay(), 1)
    assert.throws(() => periodsOf(windowOf({ window: '52w' }, '7d', NOW), 6e4), /at most 400/)
  })

  it('has one of the same length directly before', () => {
    assert.deepEqual(isoWindow(previousOf(windowOf({ since: '2026-11-08', until: '2026-11-10' }, '7d', NOW))), {
      since: '2026-11-06T00:00:00.000Z',
      until: '2026-11-08T00:00:00.000Z',
    })
  })
})
