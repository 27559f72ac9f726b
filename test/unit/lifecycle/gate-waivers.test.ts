/** Waivers: who may let what pass, until when, and how it is counted. */
import assert from 'node:assert/strict'
import { cautions, failingChecks, onlyApprovalMissing } from '../../../src/lifecycle/gate/gate.ts'
import type { Waiver } from '../../../src/project/gate-config.ts'
import { type Case, CODE, judge, TODAY, version } from './gate-fixture.ts'

const waiver = (check: string, more: Partial<Waiver> = {}): Waiver => ({
  check,
  owner: 'ada',
  reason: 'region north is new',
  expires: '2026-12-31',
  ...more,
})

/** A gate whose bound is not kept. */
const low = (waivers: readonly Waiver[], more: Case = {}): Case => ({
  gate: { min: { auc: 0.9 }, waivers },
  challenger: { metrics: { auc: 0.8 }, baseline: true },
  ...more,
})
const find = (spec: Case, name: string) => judge(spec).checks.find((each) => each.name === name)

describe('a waiver', () => {
  it('lets one failing check pass, in the name of its owner, counted apart', () => {
    const gate = judge(low([waiver('min_auc')]))
    assert.deepEqual([gate.verdict, gate.waived, failingChecks(gate).length], ['pass', 1, 0])
    const found = find(low([waiver('min_auc')]), 'min_auc')
    assert.equal(found?.verdict, 'waived')
    assert.deepEqual(found?.waiver, { owner: 'ada', reason: 'region north is new', expires: '2026-12-31' })
    assert.match(found?.note ?? '', /waived by ada until 2026-12-31: region north is new; it fails/)
    assert.equal(judge(low([])).waived, 0)
  })

  it('of a policy does not waive the bound of the stage, and lets through what the policy alone asks for', () => {
    const spec = (auc: number): Case => ({
      gate: { min: { auc: 0.8 } },
      validation: { min: { auc: 0.9 }, waivers: [waiver('min_auc')] },
      challenger: { metrics: { auc } },
    })
    assert.equal(find(spec(0.85), 'min_auc')?.verdict, 'waived', 'only the bound of the policy is broken')
    const below = find(spec(0.7), 'min_auc')
    assert.equal(below?.verdict, 'fail')
    assert.match(below?.note ?? '', /the waiver of ada does not cover it/)
    const same: Case = { ...spec(0.7), validation: { waivers: [waiver('min_auc')] } }
    assert.equal(find(same, 'min_auc')?.verdict, 'fail', 'also where the policy bounds nothing')
    const both: Case = { ...spec(0.7), gate: { min: { auc: 0.8 }, waivers: [waiver('min_auc', { owner: 'bo' })] } }
    assert.match(find(both, 'min_auc')?.note ?? '', /waived by bo .*waived by ada /)
  })

  it('of a stage does not waive the stricter bound of the policy', () => {
    const spec: Case = { ...low([waiver('min_auc')]), validation: { min: { auc: 0.95 } } }
    assert.equal(find(spec, 'min_auc')?.verdict, 'fail')
  })

  it('of a policy does not waive the comparison that a high risk asks for', () => {
    const spec: Case = {
      risk: 'high',
      gate: { min: { auc: 0.5 } },
      validation: { compareTo: 'production', waivers: [waiver('compare_to')] },
      challenger: { metrics: { auc: 0.7 }, test: 't' },
      champion: version(1, { metrics: { auc: 0.8 }, test: 't' }),
    }
    assert.equal(find(spec, 'compare_to')?.verdict, 'fail')
  })

  it('holds on its last day and not on the next', () => {
    const on = (today: string) => find(low([waiver('min_auc', { expires: TODAY })], { more: { today } }), 'min_auc')
    assert.equal(on(TODAY)?.verdict, 'waived')
    assert.equal(on('2026-06-02')?.verdict, 'fail')
    assert.match(on('2026-06-02')?.note ?? '', /the waiver of ada expired on 2026-06-01/)
  })

  it('of several the one that holds longest is shown, and an expired one hides none', () => {
    const both = [waiver('min_auc', { expires: '2020-01-01', owner: 'bob' }), waiver('min_auc')]
    assert.equal(find(low(both), 'min_auc')?.waiver?.owner, 'ada')
  })

  it('of a policy counts for its retraining too', () => {
    const spec: Case = { ...low([]), gate: {}, validation: { min: { auc: 0.9 }, waivers: [waiver('min_auc')] } }
    assert.equal(judge(spec).verdict, 'pass')
  })

  it('does nothing to a check that passes', () => {
    const spec: Case = {
      gate: { min: { auc: 0.7 }, waivers: [waiver('min_auc')] },
      challenger: { metrics: { auc: 0.8 } },
    }
    assert.equal(find(spec, 'min_auc')?.verdict, 'pass')
    assert.equal(find(spec, 'waivers'), undefined)
  })

  it('lets an inconclusive check pass too', () => {
    const spec: Case = {
      gate: { external: [{ name: 'load test', command: 'x' }], waivers: [waiver('external load test')] },
      challenger: { baseline: true },
    }
    assert.equal(find(spec, 'external load test')?.verdict, 'waived')
    assert.match(find(spec, 'external load test')?.note ?? '', /it is inconclusive/)
  })

  it('names the metric where several checks have one name', () => {
    const spec = (check: string): Case => ({
      gate: { min: { auc: 0, f1: 0 }, compareTo: 'production', waivers: [waiver(check)] },
      challenger: { metrics: { auc: 0.7, f1: 0.7 }, test: 't' },
      champion: version(1, { metrics: { auc: 0.8, f1: 0.8 }, test: 't' }),
    })
    const verdicts = (check: string) =>
      judge(spec(check)).checks.flatMap(({ name, verdict }) => (name === 'compare_to' ? [verdict] : []))
    assert.deepEqual(verdicts('compare_to auc'), ['waived', 'fail'])
    assert.deepEqual(verdicts('compare_to'), ['waived', 'waived'])
  })

  it('never stands for an approval, for files, or for code in a model of high risk', () => {
    const approval = judge({ gate: { waivers: [waiver('approval')] }, more: { approvals: [] } })
    assert.deepEqual([approval.verdict, approval.waived, onlyApprovalMissing(approval)], ['fail', 0, true])
    assert.match(approval.checks.find(({ name }) => name === 'approval')?.note ?? '', /never waived/)
    assert.equal(
      find({ gate: { waivers: [waiver('artifact')] }, challenger: { files: [] } }, 'artifact')?.verdict,
      'fail',
    )
    const scan = (scan: Case['challenger'] & object) =>
      find({ risk: 'high', stage: 'staging', gate: { waivers: [waiver('scan')] }, challenger: scan }, 'scan')?.verdict
    assert.equal(scan({ scan: CODE }), 'fail')
    assert.equal(
      scan({ scan: { verdict: 'not determined', findings: [] } }),
      'waived',
      'what is not known can be vouched for',
    )
  })

  it('that names no check, or has expired, is said, and keeps nobody out', () => {
    const spec = low([waiver('min_acu'), waiver('min_auc', { expires: '2020-01-01' })], {
      challenger: { metrics: { auc: 0.95 } },
    })
    const found = find(spec, 'waivers')
    assert.equal(found?.verdict, 'pass')
    assert.match(found?.note ?? '', /for "min_acu" names no check of this gate; did you mean min_auc\?/)
    assert.match(found?.note ?? '', /for min_auc expired on 2020-01-01; take it out/)
    assert.ok(cautions(judge(spec)).some((caution) => caution.includes('min_acu')))
  })
})
