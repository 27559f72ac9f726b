/** Margins and the comparison row by row: what decides, and what is only shown. */
import assert from 'node:assert/strict'
import type { PairedComparison } from '../../../src/evaluation/types.ts'
import { agrees } from '../../../src/lifecycle/gate/bounds.ts'
import type { Champion } from '../../../src/lifecycle/gate/facts.ts'
import { allowanceOf } from '../../../src/lifecycle/gate/margin.ts'
import type { Gate } from '../../../src/project/gate-config.ts'
import { type Case, check, judge, rulesOf, type Spec, version } from './gate-fixture.ts'

const absolute = (value: number) => ({ kind: 'absolute' as const, value })
const relative = (value: number) => ({ kind: 'relative' as const, value })

const RULES: Partial<Gate> = { min: { auc: 0.5 }, compareTo: 'production' }
const champion = (spec: Spec, more: Partial<Champion> = {}): Champion => ({
  ...version(1, { test: 't', ...spec }),
  ...more,
})

/** The check of one metric against a champion on the same test set. */
const compare = (margin: Gate['margin'], ours: Spec['metrics'], other: Champion, more: Case = {}) =>
  judge({
    gate: { ...RULES, margin },
    challenger: { metrics: ours ?? {}, test: 't' },
    champion: other,
    ...more,
  }).checks.filter(({ name }) => name === 'compare_to')

const verdicts = (...args: Parameters<typeof compare>) => compare(...args).map((each) => each.verdict)

describe('a margin', () => {
  const loss: Case = { gate: { max: { log_loss: 9 }, compareTo: 'production' } }

  it('is how much worse a metric may be, in its own unit or as a share of the champion', () => {
    const one = champion({ metrics: { auc: 0.8 } })
    const at = (margin: Gate['margin']) => [0.7921, 0.7919].map((auc) => verdicts(margin, { auc }, one)[0])
    assert.deepEqual(at({ '*': absolute(0.008) }), ['pass', 'fail'])
    assert.deepEqual(at({ auc: relative(0.01) }), ['pass', 'fail'])
    assert.deepEqual(at({}), ['fail', 'fail'])
  })

  it('counts upwards where less is better', () => {
    const one = champion({ metrics: { log_loss: 0.4 } })
    const at = (margin: Gate['margin']) =>
      [0.4079, 0.4081].map(
        (value) => verdicts({}, { log_loss: value }, one, { ...loss, gate: { ...loss.gate, margin } })[0],
      )
    assert.deepEqual(at({ '*': relative(0.02) }), ['pass', 'fail'])
    assert.deepEqual(at({ log_loss: absolute(0.008) }), ['pass', 'fail'])
  })

  it('of one metric stands before the one for all', () => {
    const rules: Partial<Gate> = { min: { auc: 0, f1: 0 }, compareTo: 'production' }
    const margin = { '*': absolute(0.1), f1: absolute(0) }
    const one = champion({ metrics: { auc: 0.8, f1: 0.8 } })
    const checks = judge({
      gate: { ...rules, margin },
      challenger: { metrics: { auc: 0.75, f1: 0.75 }, test: 't' },
      champion: one,
    }).checks
    const found = checks.filter(({ name }) => name === 'compare_to').map(({ metric, verdict }) => [metric, verdict])
    assert.deepEqual(found, [
      ['auc', 'pass'],
      ['f1', 'fail'],
    ])
  })

  it('is shown with the bound that follows from it', () => {
    const [found] = compare({ '*': relative(0.01) }, { auc: 0.8 }, champion({ metrics: { auc: 0.8 } }))
    assert.equal(found?.required, 'auc >= 0.792')
    assert.match(found?.note ?? '', /^the bound is 0\.8 of churn-model@1 - 1%/)
  })

  it('that is relative leaves no room beside a champion at 0: it must not be worse, and a tie passes', () => {
    const zero = champion({ metrics: { auc: 0 } })
    const margin = { '*': relative(0.5) }
    assert.deepEqual(verdicts(margin, { auc: 0 }, zero), ['pass'])
    assert.deepEqual(verdicts(margin, { auc: -0.001 }, zero), ['fail'])
    const below = champion({ metrics: { r2: -0.2 } })
    const more: Case = { gate: { min: { r2: -9 }, compareTo: 'production', margin } }
    assert.deepEqual(verdicts(margin, { r2: -0.29 }, below, more), ['pass'], 'a share of its size, not of its sign')
    assert.deepEqual(verdicts(margin, { r2: -0.31 }, below, more), ['fail'])
  })

  it('makes nothing of a champion without the metric, or with one that is no finite number', () => {
    for (const metrics of [{}, { auc: 'NaN' }, { auc: 'Infinity' }]) {
      assert.deepEqual(verdicts({ '*': absolute(1) }, { auc: 0.8 }, champion({ metrics })), ['inconclusive'])
    }
    assert.deepEqual(verdicts({ '*': absolute(1) }, {}, champion({ metrics: { auc: 0.8 } })), ['fail'])
  })

  it('of the stage and one of the policy: the smaller counts, also where one has none', () => {
    const spec = (validation: Gate['margin']): Case => ({
      gate: { ...RULES, margin: { '*': absolute(0.02) } },
      validation: { compareTo: 'production', margin: validation },
    })
    const room = (validation: Gate['margin']) =>
      allowanceOf(rulesOf(spec(validation)).margins.production ?? [], 'auc', 0.8).value
    assert.equal(room({ '*': relative(0.01) }), 0.008)
    assert.equal(room({ '*': absolute(0.5) }), 0.02)
    assert.equal(room({}), 0)
  })

  it('can be given where high risk asks for the comparison anyway', () => {
    const margins = (more: Partial<Gate>) => rulesOf({ risk: 'high', gate: more }).margins.production
    assert.deepEqual(margins({ min: { auc: 0.5 } }), [{}])
    assert.deepEqual(margins({ ...RULES, margin: { auc: absolute(0.01) } }), [{ auc: absolute(0.01) }])
  })
})

describe('the comparison row by row', () => {
  const paired = (verdict: PairedComparison['verdict'], gain: number, margin = 0): PairedComparison => ({
    metric: 'auc',
    better: 'higher',
    challenger: 0.8 + gain,
    champion: 0.8,
    gain,
    interval: { low: gain - 0.02, high: gain + 0.02, confidence: 0.95 },
    method: 'paired bootstrap',
    rows: 1409,
    seed: 7,
    draws: 2000,
    also: { method: 'DeLong', gain, interval: null, p: 0.31 },
    verdict,
    margin,
  })
  const against = (comparison: PairedComparison) =>
    champion({ metrics: { auc: 0.8 }, predictions: true }, { paired: { auc: comparison } })
  const ours = { auc: 0.8 }

  it('lets the interval decide where a margin is configured', () => {
    const margin = { '*': absolute(0.01) }
    const verdictOf = (verdict: PairedComparison['verdict']) =>
      verdicts(margin, ours, against(paired(verdict, -0.005, 0.01)))[0]
    assert.deepEqual((['better', 'not worse', 'worse', 'inconclusive'] as const).map(verdictOf), [
      'pass',
      'pass',
      'fail',
      'inconclusive',
    ])
  })

  it('says with a margin what is required, and all figures with the sign of the table', () => {
    const loss: PairedComparison = {
      ...paired('inconclusive', -0.00436, 0.009),
      metric: 'log_loss',
      better: 'lower',
      challenger: 0.44931,
      champion: 0.44495,
    }
    const other = champion({ metrics: { log_loss: 0.44495 }, predictions: true }, { paired: { log_loss: loss } })
    const { min: _, ...rules } = RULES
    const [found] = compare({ '*': relative(0.02) }, { log_loss: 0.44931 }, other, {
      gate: { ...rules, max: { log_loss: 0.6 }, margin: { '*': relative(0.02) } },
    })
    assert.match(found?.required ?? '', /^log_loss not worse than \S+ by 2%, 95 % sure$/)
    assert.equal(found?.actual, '0.44931 (+0.00436)')
    assert.match(found?.note ?? '', /difference \+0\.00436 \(less is better\), 95 % from -0\.0156 to 0\.0244/)
    const [auc] = compare({ '*': absolute(0.01) }, ours, against(paired('not worse', 0.004, 0.01)))
    assert.match(auc?.required ?? '', /^auc not worse than \S+ by 0\.01, 95 % sure$/)
    assert.match(`${auc?.actual} ${auc?.note}`, /\(\+0\.004\) .*gain 0\.004,/)
  })

  it('lets the two numbers decide without a margin, and shows the interval', () => {
    const at = (gain: number) => compare({}, ours, against(paired('inconclusive', gain)))[0]
    assert.deepEqual(
      [0.004, 0, -0.004].map((gain) => at(gain)?.verdict),
      ['pass', 'pass', 'fail'],
    )
    assert.match(
      at(0.004)?.note ?? '',
      /paired bootstrap on 1,409 rows: gain 0\.004, 95 % from -0\.016 to 0\.024, DeLong p 0\.31: inconclusive/,
    )
    assert.match(at(0.004)?.note ?? '', /no margin is configured/)
    assert.deepEqual(at(0.004)?.evidence, {
      method: 'paired bootstrap',
      estimate: 0.004,
      interval: [0.004 - 0.02, 0.004 + 0.02],
      confidence: 0.95,
      rows: 1409,
      seed: 7,
    })
  })

  it('falls back to the recorded numbers where the rows cannot be paired, and says why', () => {
    const one = champion({ metrics: { auc: 0.79 } }, { paired: { reason: 'the truth differs in 3 of 100 rows' } })
    const [found] = compare({}, ours, one)
    assert.deepEqual([found?.verdict, found?.evidence], ['pass', undefined])
    assert.match(found?.note ?? '', /not compared row by row: the truth differs/)
    const metric = champion({ metrics: { auc: 0.79 } }, { paired: { auc: { reason: 'no score' } } })
    assert.match(compare({}, ours, metric)[0]?.note ?? '', /not compared row by row: no score/)
  })

  it('says what to do when the rows do not say enough', () => {
    const [found] = compare({ '*': absolute(0.01) }, ours, against(paired('inconclusive', 0.004, 0.01)))
    assert.match(found?.note ?? '', /test on more rows, or allow more/)
  })
})

describe('recorded metrics beside held-out predictions', () => {
  const heldOut = (metrics: Record<string, number>): Case['more'] => ({
    heldOut: { rows: 1000, metrics, known: ['auc'], slices: {}, fairness: [] },
  })
  const found = (recorded: number | string, computed: number) =>
    check(
      { gate: { min: { auc: 0 } }, challenger: { metrics: { auc: recorded }, predictions: true }, ...more(computed) },
      'recorded metrics',
    )
  const more = (auc: number): Case => ({ more: { ...heldOut({ auc }) } })

  it('must be those of the same rows: otherwise both numbers are shown and the gate refuses', () => {
    const apart = found(0.91, 0.8412345)
    assert.equal(apart?.verdict, 'fail')
    assert.match(apart?.actual ?? '', /auc 0\.91 recorded, 0\.84123 computed/)
    assert.match(apart?.note ?? '', /not of this test set/)
    assert.equal(found(0.8412, 0.8412345)?.verdict, 'pass')
  })

  it('may be rounded', () => {
    assert.deepEqual(
      [
        agrees(0.84, 0.8449),
        agrees(0.84, 0.8451),
        agrees(0.841234, 0.8412339),
        agrees(0.841234, 0.8432),
        agrees(1, 0.9951),
        agrees(1, 0.97),
        agrees(12000, 12011),
        agrees(12000, 12013),
        agrees(1e-7, 1e-7),
      ],
      [true, false, true, false, true, false, true, false, true],
    )
  })

  it('are not compared where there is nothing to compare', () => {
    assert.equal(
      check({ gate: { min: { f2: 0 } }, challenger: { metrics: { f2: 1 } }, ...more(1) }, 'recorded metrics'),
      undefined,
    )
    assert.equal(found('NaN', 0.8), undefined)
  })

  it('that are missing still fail, with the number and the flag to record it', () => {
    const missing = check(
      { gate: { min: { auc: 0.5 } }, challenger: { predictions: true }, ...more(0.8412345) },
      'min_auc',
    )
    assert.equal(missing?.verdict, 'fail')
    assert.match(missing?.note ?? '', /--metric auc=0\.84123/)
  })

  it('leave the question open when the predictions cannot be read', () => {
    const broken = check(
      {
        gate: { min: { auc: 0 } },
        challenger: { metrics: { auc: 1 }, predictions: true },
        more: { heldOut: { reason: 'it has no rows' } },
      },
      'recorded metrics',
    )
    assert.deepEqual([broken?.verdict, broken?.note], ['inconclusive', 'it has no rows'])
  })
})
