/** When a message is due: the rules as tables. */
import assert from 'node:assert/strict'
import { alertRules, DEFAULT_RULES, decideDue, disjoint, firstSeen } from '../../../src/notify/due.ts'
import type { AlertRules, FiredAlert, SeenCheck } from '../../../src/notify/types.ts'
import { seen } from './support.ts'

const DAY = 864e5
const rules = (k: number, n: number, coolDown = DAY): AlertRules => ({ k, n, coolDown })
/** One window per day of June, checked at one o'clock of the next. */
const day = (d: number, trouble: boolean | null): SeenCheck => seen(june(d), june(d + 1), trouble)
const june = (d: number): string => `2026-06-${String(d).padStart(2, '0')}`
const sent = (check: SeenCheck, state: FiredAlert['state'], number = 1): FiredAlert => ({
  number,
  state,
  time: check.time,
  since: check.window?.since ?? check.time,
  seen: check,
})
/** `B` bad, `g` good, `?` cannot say: one per day from the 1st; the last is the check of now. */
const days = (text: string): SeenCheck[] =>
  [...text].map((c, i) => day(i + 1, c === 'B' ? true : c === 'g' ? false : null))

describe('an alert is due', () => {
  const table: [title: string, rules: AlertRules, days: string, decision: string][] = [
    ['at the first bad window by default', rules(1, 1), 'B', 'fire'],
    ['not when all is well', rules(1, 1), 'g', 'hold'],
    ['not when the check cannot say', rules(1, 1), '?', 'hold'],
    ['not at the first of 2 of 3', rules(2, 3), 'B', 'hold'],
    ['not at one bad of three', rules(2, 3), 'ggB', 'hold'],
    ['at the second of 2 of 3', rules(2, 3), 'BB', 'fire'],
    ['at two of three with a good one between', rules(2, 3), 'BgB', 'fire'],
    ['not when the other bad one is too long ago', rules(2, 3), 'BggB', 'hold'],
    ['at 3 of 3', rules(3, 3), 'BBB', 'fire'],
    ['not at 3 of 3 with a good one', rules(3, 3), 'BgBB', 'hold'],
    ['over windows that cannot say, which count for neither side', rules(2, 2), 'B???B', 'fire'],
    ['never because of a check that cannot say, whatever came before', rules(1, 3), 'BB?', 'hold'],
    ['never by good checks after bad ones', rules(1, 3), 'BBg', 'hold'],
  ]
  for (const [title, rule, text, decision] of table) {
    it(`${title}: ${rule.k} of ${rule.n}, ${text}`, () => {
      const history = days(text)
      const check = history.at(-1) ?? day(1, true)
      for (const earlier of [history, history.slice(0, -1), history.toReversed()]) {
        assert.equal(decideDue({ rules: rule, check, history: earlier, fired: [] }).decision, decision)
      }
    })
  }

  it('counts overlapping windows once, the newest of them', () => {
    const rolling = Array.from({ length: 7 }, (_, i) => seen(june(i + 1), june(i + 8), true))
    const [check] = rolling.slice(-1)
    assert.ok(check)
    const facts = { rules: rules(2, 2), check, fired: [] }
    assert.equal(decideDue({ ...facts, history: rolling }).decision, 'hold')
    assert.equal(disjoint(rolling).length, 1)
    const before = seen('2026-05-25', june(1), true)
    assert.equal(decideDue({ ...facts, history: [before, ...rolling] }).decision, 'fire')
  })

  it('takes windows that touch as disjoint, and one within another as overlapping', () => {
    assert.equal(disjoint([day(1, true), day(2, true)]).length, 2)
    assert.deepEqual(disjoint([seen(june(1), june(9), true), day(4, true)]), [seen(june(1), june(9), true)])
  })

  it('compares moments, not text: 24:00 in another spelling is the same end', () => {
    const check = day(2, true)
    const other = { ...day(2, true), id: 'x', window: { since: '2026-06-02T00:00:00Z', until: '2026-06-03T00:00:00Z' } }
    assert.equal(disjoint([check, other]).length, 1)
  })

  it('counts data without a window once each', () => {
    const file = (id: string, time: string, trouble: boolean): SeenCheck => ({ id, time, window: null, trouble })
    const a = file('a', '2026-06-01T00:00:00.000Z', true)
    const b = file('b', '2026-06-02T00:00:00.000Z', true)
    assert.equal(decideDue({ rules: rules(2, 2), check: b, history: [a], fired: [] }).decision, 'fire')
    assert.equal(
      decideDue({ rules: rules(2, 2), check: { ...a, time: b.time }, history: [a], fired: [] }).decision,
      'hold',
    )
  })

  it('says since when: where the unbroken row of bad windows began', () => {
    const history = days('BgBB?B')
    const [check] = history.slice(-1)
    assert.ok(check)
    const due = decideDue({ rules: rules(1, 1), check, history, fired: [] })
    assert.equal(due.decision === 'fire' && due.since, '2026-06-03T00:00:00.000Z')
    assert.equal(firstSeen(check, []), '2026-06-06T00:00:00.000Z')
  })
})

describe('an alert that was sent', () => {
  const first = day(1, true)
  const fired = [sent(first, 'firing')]
  const decide = (
    check: SeenCheck,
    coolDown = DAY,
    log: readonly FiredAlert[] = fired,
    history: readonly SeenCheck[] = [first],
  ) => decideDue({ rules: rules(1, 1, coolDown), check, history, fired: log })

  it('is not sent again for its own window, however much later', () => {
    const late = { ...first, time: '2026-07-30T00:00:00.000Z' }
    assert.match(decide(late).reason, /this window was alerted already, at \d{4}-\d\d-\d\d \d\d:\d\d UTC$/)
    assert.equal(decide({ ...late, id: 'more rows have arrived' }).decision, 'hold')
  })

  it('is not repeated within the cool-down, and is at its very end', () => {
    assert.match(decide(day(2, true), 2 * DAY).reason, /cool-down.*the next in 23 hours/)
    assert.equal(decide(day(2, true), DAY).decision, 'fire')
    assert.equal(decide(day(2, true), DAY * 1.01).decision, 'fire', 'a daily job is some minutes early at times')
    assert.equal(decide(day(2, true), DAY * 1.03).decision, 'hold')
  })

  it('is repeated with the time it was first seen', () => {
    const due = decide(day(5, true))
    assert.equal(due.decision === 'fire' && due.since, '2026-06-01T00:00:00.000Z')
    assert.match(due.reason, /still lasts/)
  })

  it('has a recovery at the first check that says that all is well, also within the cool-down', () => {
    const due = decide(day(2, false), 30 * DAY)
    assert.deepEqual([due.decision, due.decision === 'recover' && due.since], ['recover', '2026-06-01T00:00:00.000Z'])
  })

  it('has no recovery by a check that cannot say', () => {
    assert.equal(decide(day(2, null)).decision, 'hold')
  })

  it('has no recovery when its own window is checked again', () => {
    assert.equal(decide({ ...first, id: 'again', trouble: false }).decision, 'hold')
  })

  it('has one recovery, not two', () => {
    const log = [...fired, sent(day(2, false), 'recovered', 3)]
    assert.equal(decide(day(3, false), DAY, log).decision, 'hold')
  })

  it('is the only one per cool-down, with its recovery, however the checks flap', () => {
    const log: FiredAlert[] = []
    const history: SeenCheck[] = []
    for (let hour = 0; hour < 72; hour++) {
      const time = (h: number) => new Date(Date.parse('2026-06-01T00:00:00.000Z') + h * 36e5).toISOString()
      const window = { since: time(hour), until: time(hour + 1) }
      const check: SeenCheck = { id: String(hour), time: window.until, window, trouble: hour % 2 === 0 }
      const due = decideDue({ rules: rules(1, 1), check, history, fired: log })
      history.push(check)
      if (due.decision !== 'hold')
        log.push(sent(check, due.decision === 'fire' ? 'firing' : 'recovered', log.length + 1))
    }
    assert.deepEqual(
      log.map(({ state }) => state),
      ['firing', 'recovered', 'firing', 'recovered', 'firing', 'recovered'],
    )
  })
})

describe('a check of another kind', () => {
  const three = seen(june(1), june(4), true)
  const facts = { rules: rules(1, 1), history: [three], fired: [sent(three, 'firing')] }

  it('of another window length does not end an alert, and says why; one of the same length does', () => {
    const due = decideDue({ ...facts, check: day(4, false) })
    assert.equal(due.decision, 'hold')
    assert.match(due.reason, /looked at a window of 3 days, this check at a window of 1 day/)
    const file = { id: 'f', time: '2026-06-06T00:00:00.000Z', window: null, trouble: false }
    assert.match(decideDue({ ...facts, check: file }).reason, /this check at data without a window/)
    assert.equal(decideDue({ ...facts, check: seen(june(2), june(5), false) }).decision, 'recover')
  })

  it('of the same length that was still running has that length all the same', () => {
    const check = { ...seen(june(3), june(5), false), length: 3 * DAY }
    assert.equal(decideDue({ ...facts, check }).decision, 'recover')
  })

  it('against the window before does not end an alert against a fixed reference, nor the other way', () => {
    const moving = { ...seen(june(2), june(5), false), against: 'previous' as const }
    assert.match(decideDue({ ...facts, check: moving }).reason, /this check was compared with the window before/)
    const fired = [sent({ ...three, against: 'previous' }, 'firing')]
    assert.equal(decideDue({ ...facts, fired, check: seen(june(2), june(5), false) }).decision, 'hold')
    assert.equal(decideDue({ ...facts, fired, check: moving }).decision, 'recover')
  })

  it('does not count for k of n', () => {
    const check = day(9, true)
    const week = seen(june(1), june(8), true)
    assert.equal(decideDue({ rules: rules(2, 2), check, history: [week], fired: [] }).decision, 'hold')
    assert.equal(decideDue({ rules: rules(2, 2), check, history: [week, day(7, true)], fired: [] }).decision, 'fire')
  })
})

describe('an older window', () => {
  it('is no news once a newer one was judged: neither alert nor recovery', () => {
    const newer = day(9, false)
    const facts = { rules: DEFAULT_RULES, fired: [sent(day(8, true), 'firing')] }
    assert.match(decideDue({ ...facts, check: day(2, true), history: [newer] }).reason, /a newer window was checked/)
    assert.equal(decideDue({ ...facts, check: day(2, false), history: [newer] }).decision, 'hold')
    assert.equal(decideDue({ ...facts, fired: [], check: day(2, true), history: [day(9, null)] }).decision, 'fire')
  })
})

describe('the rules of mlops.yaml', () => {
  it('are read, and have defaults', () => {
    assert.deepEqual(alertRules({ alertAfter: '2 of 3', coolDown: '12h' }), { k: 2, n: 3, coolDown: 12 * 36e5 })
    assert.deepEqual(alertRules({}), { k: 1, n: 1, coolDown: DAY })
  })
})
