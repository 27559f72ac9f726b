/** What a person reads before they approve: whole, at 80 columns, and with nothing said that nobody looked at. */
import assert from 'node:assert/strict'
import type { PromotePlan, VersionHealth } from '../../../src/lifecycle/promote/plan.ts'
import type { GateCheck } from '../../../src/store/events.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderPromotePlan } from '../../../src/ui/views/promote.ts'

const NOW = new Date(Date.UTC(2026, 5, 30, 12))
const at = (width: number) =>
  createUi({ style: createStyle({ color: false, unicode: true }), width, now: NOW, quiet: false })

const NEVER: VersionHealth = {
  version: 2,
  verdict: 'never checked',
  checked: null,
  stale: false,
  summary: null,
  data: null,
  rows: null,
  small: false,
  breaches: [],
}

function plan(more: Partial<PromotePlan> = {}, checks: readonly GateCheck[] = []): PromotePlan {
  return {
    model: 'churn-model',
    stage: 'production',
    version: 2,
    manifest: 'b'.repeat(64),
    from: { version: 1, manifest: 'a'.repeat(64), seq: 3, since: '2026-06-01T09:00:00.000Z', by: 'ada@laptop' },
    already: false,
    gate: { verdict: 'fail', checks, bound: { manifest: 'b'.repeat(64), policy: 'c'.repeat(64) } },
    approvalsNeeded: 2,
    approvalsMissing: 1,
    approvals: [{ name: 'ada', origin: 'prompt', time: '2026-06-28T12:00:00.000Z', reason: 'better on June data' }],
    uncounted: [],
    reason: null,
    rollout: null,
    health: { current: { ...NEVER, version: 1 }, challenger: NEVER },
    changes: null,
    ...more,
  }
}

describe('the plan that is shown before the question', () => {
  it('says of which version nobody has looked whether it drifts', () => {
    const shown = renderPromotePlan(at(80), plan())
    assert.match(shown, /@1, in production now: never checked\n {2}@2: never checked/)
  })

  it('says what the last check found, when, on what, and that it is too old', () => {
    const checked = '2026-06-10T12:00:00.000Z'
    const drifted: VersionHealth = { ...NEVER, version: 1, verdict: 'drift', checked, stale: true, rows: 7043 }
    const summary = 'Drift in 3 of 20 columns: tenure: median 21 -> 5.'
    const current = { ...drifted, data: 'june.csv', summary, breaches: ['failed requests: 3 %'] }
    const challenger: VersionHealth = {
      ...NEVER,
      verdict: 'stable',
      checked,
      rows: 19,
      small: true,
      summary: 'No drift.',
    }
    const shown = renderPromotePlan(at(Number.POSITIVE_INFINITY), plan({ health: { current, challenger } }))
    assert.match(
      shown,
      /@1, in production now: drift, 20 days ago on june\.csv \(7,043 rows\), too long ago to speak for today; Drift in 3 of 20 .*; failed requests: 3 %/,
    )
    assert.match(shown, /@2: stable, 20 days ago \(19 rows, a small check\)\n/)
  })

  it('says that a check cannot be read instead of calling the version unchecked', () => {
    const broken: VersionHealth = { ...NEVER, verdict: 'unreadable', summary: 'checks/ab.json is damaged.' }
    const shown = renderPromotePlan(at(80), plan({ health: { current: null, challenger: broken } }))
    assert.match(shown, /@2: the check cannot be read: checks\/ab\.json is damaged/)
    assert.ok(!shown.includes('never checked'))
  })

  it('names who approved, whose word does not count and why, and how many are missing', () => {
    const why = 'the gate of production has been changed since it was given'
    const uncounted = [{ name: 'bob', kind: 'policy changed', time: '2026-06-30T09:00:00.000Z', why }] as const
    const shown = renderPromotePlan(at(Number.POSITIVE_INFINITY), plan({ uncounted }))
    assert.match(shown, /✔ approved by ada \(at a terminal, 2 days ago\): "better on June data"/)
    assert.match(
      shown,
      /▲ the approval of bob, given 3 hours ago, does not count: the gate of production has been changed/,
    )
    assert.match(shown, /\? 1 more person must approve$/)
  })

  it('fits 80 columns with every figure, however long a requirement is', () => {
    const checks: GateCheck[] = [
      {
        name: 'compare_to',
        required: 'auc >= 0.8518 (0.8618 of churn-model@1 - 0.01), 95 % interval from 2,000 of its rows',
        actual: '0.9153 [0.9021, 0.9285]',
        verdict: 'pass',
        note: 'the champion was scored anew on the test set of the challenger, which it has not been measured on before',
      },
      { name: 'approval', required: '2 people', actual: 'ada (prompt)', verdict: 'fail' },
    ]
    const shown = renderPromotePlan(at(80), plan({}, checks))
    assert.deepEqual(
      shown.split('\n').filter((line) => line.length > 80),
      [],
    )
    const words = shown.replace(/\s+/g, ' ')
    for (const { name, required, actual, note = '' } of checks) {
      for (const text of [name, required, actual, note]) assert.ok(words.includes(text), `${text} in\n${shown}`)
    }
    assert.match(shown, /\? approval waiting/)
  })
})
