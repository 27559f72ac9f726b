/** Slices, fairness, health, overlap, external checks: every kind, case by case, on facts written as literals. */
import assert from 'node:assert/strict'
import type { FairnessResult, SliceResult } from '../../../src/evaluation/types.ts'
import type { GateFacts, HeldOutFacts } from '../../../src/lifecycle/gate/facts.ts'
import { cautions, judgeGate } from '../../../src/lifecycle/gate/gate.ts'
import type { Health } from '../../../src/lifecycle/status/health.ts'
import type { FairnessRule, SliceRule } from '../../../src/project/gate-config.ts'
import { type Case, check, judge, rulesOf, verdict, version } from './gate-fixture.ts'

const interval = { low: 0.6, high: 0.9, confidence: 0.95 }

describe('a slice', () => {
  const group = (value: string | null, rows: number, auc?: number): SliceResult => ({
    value,
    rows,
    positives: 3,
    metrics: auc === undefined ? {} : { auc: { value: auc, interval, method: 'bootstrap' } },
    few: null,
  })
  const found = (groups: readonly SliceResult[] | { reason: string } | undefined, rule: Partial<SliceRule> = {}) => {
    const heldOut: HeldOutFacts = {
      rows: 100,
      metrics: {},
      known: ['auc', 'accuracy'],
      slices: groups === undefined ? {} : { region: groups },
      fairness: [],
    }
    return check(
      {
        gate: { slices: [{ by: 'region', min: { auc: 0.75 }, max: {}, ...rule }] },
        challenger: { predictions: true },
        more: { heldOut },
      },
      'slice region',
    )
  }

  it('holds when every group keeps the bound, and shows the worst with its interval', () => {
    const held = found([group('north', 60, 0.76), group('south', 40, 0.9)])
    assert.deepEqual([held?.verdict, held?.actual], ['pass', '0.76 in north (worst of 2)'])
    assert.deepEqual(held?.evidence, {
      method: 'bootstrap',
      estimate: 0.76,
      interval: [0.6, 0.9],
      confidence: 0.95,
      rows: 60,
    })
  })

  it('fails when one group breaks it, and names the group, its rows and its interval', () => {
    const broken = found([group('south', 40, 0.9), group(null, 60, 0.7)])
    assert.equal(broken?.verdict, 'fail')
    assert.match(broken?.note ?? '', /below the bound: \(missing\) \(0\.7, 95 % from 0\.6 to 0\.9, 60 rows\)/)
  })

  it('of an upper bound is worst where the metric is highest', () => {
    const broken = found([group('a', 40, 0.1), group('b', 40, 0.6)], { min: {}, max: { auc: 0.5 } })
    assert.deepEqual([broken?.verdict, broken?.actual], ['fail', '0.6 in b (worst of 2)'])
    assert.match(broken?.note ?? '', /above the bound: b/)
  })

  it('is inconclusive on too few rows, also when they break the bound; any group counts where no number is set', () => {
    const groups = [group('north', 60, 0.9), group('tiny', 7, 0.1)]
    const small = found(groups, { minRows: 50 })
    assert.deepEqual([small?.verdict, small?.actual], ['inconclusive', '0.9 in north (worst of 2)'])
    assert.match(small?.note ?? '', /nothing can be said of tiny \(7 rows, 50 are needed\)/)
    assert.equal(found(groups)?.verdict, 'fail')
    assert.equal(found([group('north', 60, 0.1), group('tiny', 7, 0.9)], { minRows: 50 })?.verdict, 'fail')
  })

  it('is inconclusive where the metric is not defined on a group', () => {
    const open = found([group('north', 60, 0.9), group('one class', 30)])
    assert.equal(open?.verdict, 'inconclusive')
    assert.match(open?.note ?? '', /one class \(auc is not defined on 30 rows, 3 positive\)/)
  })

  it('fails without the column, without predictions, with a metric nobody can compute', () => {
    const column = found({ reason: 'The test predictions have no column region' })
    assert.deepEqual([column?.verdict, column?.actual], ['fail', 'no such column'])
    const spec: Case = { gate: { slices: [{ by: 'region', min: { auc: 0.75 }, max: {} }] } }
    const none = check(spec, 'slice region')
    assert.deepEqual([none?.verdict, none?.actual], ['fail', 'no predictions'])
    assert.match(none?.note ?? '', /--test-predictions/)
    const metric = found([group('north', 60, 0.9)], { min: { fancy: 1 } })
    assert.equal(metric?.verdict, 'fail')
    assert.match(metric?.note ?? '', /fancy cannot be computed.*known are auc, accuracy/)
  })

  it('is open, never passed, while nobody has read the predictions', () => {
    const gate = { slices: [{ by: 'region', min: { auc: 0.75 }, max: {} }] }
    assert.equal(verdict({ gate, challenger: { predictions: true } }, 'slice region'), 'inconclusive')
  })

  it('is not fooled by a column or a metric called like a member of every object', () => {
    const gate = { slices: [{ by: 'constructor', min: { toString: 0 }, max: {} }] }
    const heldOut: HeldOutFacts = { rows: 1, metrics: {}, known: [], slices: {}, fairness: [] }
    const odd = check({ gate, challenger: { predictions: true }, more: { heldOut } }, 'slice constructor')
    assert.deepEqual([odd?.verdict, odd?.actual], ['fail', 'no such column'])
  })
})

describe('a fairness rule', () => {
  const result = (difference: number, rows: readonly number[] = [200, 300]): FairnessResult => ({
    by: 'gender',
    measure: 'demographic_parity',
    difference,
    interval,
    groups: rows.map((count, index) => ({
      value: `g${index}`,
      rows: count,
      selectionRate: 0.4 + 0.1 * index,
      truePositiveRate: 0.5,
      falsePositiveRate: null,
      few: null,
    })),
    notes: [],
  })
  const found = (fairness: FairnessResult | { reason: string }, rule: Partial<FairnessRule> = {}) =>
    check(
      {
        gate: { fairness: [{ by: 'gender', measure: 'demographic_parity', max: 0.1, ...rule }] },
        challenger: { predictions: true },
        more: { heldOut: { rows: 500, metrics: {}, known: [], slices: {}, fairness: [fairness] } },
      },
      'fairness gender',
    )

  it('holds up to its limit, and shows the rates of the groups and the interval', () => {
    assert.deepEqual(
      [0.05, 0.1, 0.100001].map((value) => found(result(value))?.verdict),
      ['pass', 'pass', 'fail'],
    )
    const held = found(result(0.05))
    assert.match(
      held?.note ?? '',
      /^95 % from 0\.6 to 0\.9: g0 0\.4 selected \(200 rows\), g1 0\.5 selected \(300 rows\)/,
    )
    assert.equal(held?.actual, '0.05')
    assert.equal(held?.evidence?.rows, 500)
  })

  it('is inconclusive when a group has too few rows, whatever the difference', () => {
    assert.deepEqual(
      [0.05, 0.5].map((value) => found(result(value, [300, 12]), { minRows: 30 })?.verdict),
      ['inconclusive', 'inconclusive'],
    )
    assert.match(
      found(result(0.5, [300, 12]), { minRows: 30 })?.note ?? '',
      /too few rows to say: g1 \(30 are needed\)/,
    )
  })

  it('fails where the difference cannot be computed, and says why', () => {
    const none = found({ reason: 'gender does not have two groups to compare' })
    assert.deepEqual([none?.verdict, none?.note], ['fail', 'gender does not have two groups to compare'])
  })
})

describe('health: required', () => {
  const STABLE: Health = {
    verdict: 'stable',
    checked: '2026-05-30T10:00:00.000Z',
    stale: false,
    summary: 'no column drifted',
    data: 'batch.csv',
    rows: 5000,
    small: false,
    breaches: [],
    window: null,
    every: null,
    overdue: false,
    logged: null,
    broken: [],
    before: null,
  }
  const found = (more: Partial<Health>) =>
    check({ gate: { health: 'required' }, more: { lastCheck: { ...STABLE, ...more } } }, 'health')
  const large = { verdict: 'stable' as const, checked: '2026-05-01T10:00:00.000Z', rows: 9000 }

  it('wants the last check of this version to be stable', () => {
    assert.deepEqual([found({})?.verdict, found({})?.actual], ['pass', 'stable on 2026-05-30'])
  })

  for (const [what, more, expected] of [
    ['drift fails', { verdict: 'drift' }, 'fail'],
    ['an inconclusive check is inconclusive', { verdict: 'inconclusive' }, 'inconclusive'],
    ['one that was never made fails', { verdict: 'never checked', checked: null }, 'fail'],
    ['a breach of the service fails though the columns are stable', { breaches: ['p95 812 ms'] }, 'fail'],
    ['one that is too old is inconclusive', { stale: true }, 'inconclusive'],
    ['a few rows are inconclusive', { small: true, rows: 19 }, 'inconclusive'],
    ['a few rows do not hide that many were stable', { small: true, rows: 19, before: large }, 'pass'],
    ['a few rows do not hide that many drifted', { small: true, before: { ...large, verdict: 'drift' } }, 'fail'],
    ['drift of a few rows is drift', { small: true, verdict: 'drift', before: large }, 'fail'],
  ] as const) {
    it(what, () => assert.equal(found(more)?.verdict, expected))
  }

  it('names the command that makes the check', () => {
    assert.match(
      found({ verdict: 'never checked', checked: null })?.note ?? '',
      /mlops drift churn-model@2 --current DATA/,
    )
  })

  it('is no check where nobody asks for it, and open where it was not looked at', () => {
    assert.equal(check({ more: { lastCheck: STABLE } }, 'health'), undefined)
    assert.equal(verdict({ gate: { health: 'required' } }, 'health'), 'inconclusive')
  })
})

describe('rows of the test set in the training data', () => {
  const overlap = (shared: number, more: Case = {}, expected?: number) =>
    check(
      { challenger: { overlap: { rows: 1000, shared, ...(expected === undefined ? {} : { expected }) } }, ...more },
      'train_test_overlap',
    )

  it('are limited where a limit is set, and unknown ones fail naming both flags', () => {
    const limit: Case = { gate: { overlap: 0.01 } }
    assert.deepEqual(
      [0, 10, 11].map((shared) => overlap(shared, limit)?.verdict),
      ['pass', 'pass', 'fail'],
    )
    const unknown = check(limit, 'train_test_overlap')
    assert.equal(unknown?.verdict, 'fail')
    assert.match(unknown?.note ?? '', /--test DATA and --baseline DATA/)
    assert.equal(
      check({ ...limit, challenger: { overlap: { rows: 0, shared: 0 } } }, 'train_test_overlap')?.verdict,
      'fail',
      'no rows prove nothing',
    )
  })

  it('of the stage and the policy the stricter limit counts', () => {
    assert.equal(overlap(15, { gate: { overlap: 0.02 }, validation: { overlap: 0.01 } })?.verdict, 'fail')
  })

  it('are always shown when they are known, and warn without a limit, unless the risk is low', () => {
    assert.equal(check({}, 'train_test_overlap'), undefined)
    assert.deepEqual([overlap(0)?.verdict, overlap(0)?.note], ['pass', undefined])
    assert.match(overlap(37)?.note ?? '', /37 of 1,000 held-out rows/)
    assert.equal(overlap(37, { risk: 'low' })?.note, undefined)
    assert.equal(cautions(judge({ challenger: { overlap: { rows: 1000, shared: 37 }, baseline: true } })).length, 1)
  })

  it('do not warn where training rows repeat each other as often', () => {
    assert.equal(overlap(40, {}, 36)?.note, undefined)
    assert.match(overlap(90, {}, 36)?.note ?? '', /about 36 can be chance/)
  })
})

describe('an external check', () => {
  const rules: Case = { gate: { external: [{ name: 'load test', command: './load.sh {model}' }] } }
  const outcome = (verdict: 'pass' | 'fail' | 'inconclusive'): Partial<GateFacts> => ({
    external: [{ verdict, actual: 'exit code 7', note: 'p95 812 ms' }],
  })

  it('is what the other program said', () => {
    for (const said of ['pass', 'fail', 'inconclusive'] as const) {
      assert.equal(verdict({ ...rules, more: outcome(said) }, 'external load test'), said)
    }
    assert.equal(check({ ...rules, more: outcome('fail') }, 'external load test')?.note, 'p95 812 ms')
  })

  it('that nobody ran is open', () => {
    assert.deepEqual(
      [verdict(rules, 'external load test'), check(rules, 'external load test')?.actual],
      ['inconclusive', 'not run'],
    )
  })
})

describe('what a verdict is bound to', () => {
  it('is the version, the rules, the champion and the test set', () => {
    const one = version(1, { test: 't', metrics: { auc: 0.1 } })
    const { bound } = judge({
      gate: { min: { auc: 0 }, compareTo: 'production' },
      challenger: { test: 't' },
      champion: one,
    })
    assert.equal(bound.test, one.manifest.data[0]?.sha256)
    assert.equal(bound.champion, one.digest)
    assert.equal(judge({}).bound.test, undefined)
  })

  it('differs with every kind of rule', () => {
    const digests = [
      {},
      { margin: { '*': { kind: 'absolute', value: 0.01 } }, compareTo: 'production' },
      { margin: { '*': { kind: 'relative', value: 0.01 } }, compareTo: 'production' },
      { selfApproval: 'refused' },
      { health: 'required' },
      { overlap: 0 },
      { slices: [{ by: 'a', min: { auc: 1 }, max: {} }] },
      { fairness: [{ by: 'a', measure: 'equalized_odds', max: 0.1 }] },
      { external: [{ name: 'a', junit: 'x' }] },
      { waivers: [{ check: 'a', owner: 'b', reason: 'c', expires: '2099-01-01' }] },
      { waivers: [{ check: 'a', owner: 'b', reason: 'c', expires: '2099-01-02' }] },
    ].map((gate) => rulesOf({ gate: gate as Case['gate'] & object }).digest)
    assert.equal(new Set(digests).size, digests.length)
  })

  it('does not hold more of what others wrote than an event has room for', () => {
    const long = 'x'.repeat(100_000)
    const facts: GateFacts = {
      challenger: version(2),
      champions: {},
      modelBaseline: true,
      approvals: [],
      today: '2026-06-01',
      external: [{ verdict: 'fail', actual: long, note: long }],
    }
    const rules = rulesOf({ gate: { external: [{ name: 'a', command: 'x' }] } })
    assert.ok(JSON.stringify(judgeGate(rules, facts)).length < 4000)
  })
})
