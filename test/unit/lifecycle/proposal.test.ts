/** A proposed promotion: what its digest covers, and which files are none. */
import assert from 'node:assert/strict'
import type { GateReport } from '../../../src/lifecycle/gate/check.ts'
import {
  gateDigest,
  type Proposal,
  parseProposal,
  problemsOf,
  proposalText,
} from '../../../src/lifecycle/gate/proposal.ts'

const digest = (digit: string): string => digit.repeat(64)
const report = (more: Partial<GateReport> = {}, bound: Partial<GateReport['gate']['bound']> = {}): GateReport => ({
  model: 'churn-model',
  version: 3,
  stage: 'production',
  from: 2,
  fromSeq: 5,
  alreadyThere: false,
  verdict: 'pass',
  awaitsApproval: false,
  approvalsMissing: 1,
  withoutApproval: true,
  uncounted: [],
  counts: { pass: 1, waived: 0, inconclusive: 0, fail: 0, waiting: 0 },
  ...more,
  gate: {
    verdict: 'pass',
    checks: [{ name: 'min_auc', metric: 'auc', required: 'auc >= 0.8', actual: '0.9', verdict: 'pass' }],
    bound: { manifest: digest('a'), policy: digest('b'), champion: digest('c'), test: digest('d'), ...bound },
    ...more.gate,
  },
})
const proposal = (more: Partial<Proposal> = {}): Proposal => ({
  format: 1,
  model: 'churn-model',
  stage: 'production',
  version: 3,
  manifest: digest('a'),
  gate: gateDigest(report()),
  ...more,
})

describe('A proposed promotion', () => {
  it('holds while everything its verdict rests on is what it was', () => {
    assert.deepEqual(problemsOf(proposal(), report()), [])
  })

  it('holds when only the figure reads differently in the last digit: what was required and said is the same', () => {
    const [check] = report().gate.checks
    assert.ok(check !== undefined)
    const other = report({ gate: { ...report().gate, checks: [{ ...check, actual: '0.9000000001' }] } })
    assert.deepEqual(problemsOf(proposal(), other), [])
  })

  for (const [what, now] of [
    ['the rules', report({}, { policy: digest('0') })],
    ['the champion', report({}, { champion: digest('0') })],
    ['the test set', report({}, { test: digest('0') })],
    ['what is in the stage', report({ from: 1 })],
    ['how it came there', report({ fromSeq: 7 })],
    ['the stage', report({ stage: 'staging' })],
    ['the version', report({ version: 4 })],
  ] as const) {
    it(`does not hold when ${what} is another one`, () => {
      assert.match(problemsOf(proposal(), now).join(), /reads differently/)
    })
  }

  it('does not hold for other bytes, or when the gate refuses by now', () => {
    assert.match(problemsOf(proposal(), report({}, { manifest: digest('e') })).join(), /has the digest eeee/)
    const gate = { ...report().gate, verdict: 'fail' as const }
    const checks = gate.checks.map((check) => ({ ...check, verdict: 'fail' as const }))
    const refused = report({ verdict: 'fail', gate: { ...gate, checks } })
    assert.match(problemsOf(proposal(), refused).join(), /does not let churn-model@3 in any more \(min_auc: fail\)/)
  })

  it('that was carried out before holds, whatever has become of the champion; with other bytes it does not', () => {
    const there = report({ alreadyThere: true, from: 3 })
    assert.deepEqual(problemsOf(proposal(), there), [])
    assert.equal(problemsOf(proposal({ manifest: digest('e') }), there).length, 1)
  })

  it('is read back as it was written', () => {
    assert.deepEqual(parseProposal(proposalText(proposal()), 'x.json'), proposal())
  })

  for (const [what, text] of [
    ['no JSON', 'model: churn-model'],
    ['a list', '[]'],
    ['more members', JSON.stringify({ ...proposal(), approve: 'mallory' })],
    ['a member twice', proposalText(proposal()).replace('"version": 3', '"version": 2,\n  "version": 3')],
    ['another format', JSON.stringify({ ...proposal(), format: 2 })],
    ['no name', JSON.stringify({ ...proposal(), model: '../x' })],
    ['a version that is text', JSON.stringify({ ...proposal(), version: '3' })],
    ['no digest', JSON.stringify({ ...proposal(), gate: 'abc' })],
  ] as const) {
    it(`is refused as a file with ${what}`, () => {
      assert.throws(() => parseProposal(text, 'x.json'), { code: 'PROPOSAL_INVALID', exit: 'usage' })
    })
  }
})
