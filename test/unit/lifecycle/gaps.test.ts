/** The four production gaps, rated from evidence, and the order in which they are closed. */
import assert from 'node:assert/strict'
import { type GapFacts, gapsOf, nextOfGaps } from '../../../src/lifecycle/status/gaps.ts'

const ALL: GapFacts = {
  model: 'churn-model',
  version: 3,
  gated: true,
  answers: true,
  baseline: true,
  checked: 'recently',
  channels: 1,
  every: '1d',
  overdue: false,
  run: '01J',
  code: true,
  data: true,
  before: 2,
  train: true,
  policy: { file: 'retraining-policy.yaml', level: 2 },
  policyProblems: [],
  retraining: 'went through',
  driftSpeed: 0.4,
  missingForAutonomy: ['3 more promotions'],
}
const ratings = (facts: Partial<GapFacts>): string[] => gapsOf({ ...ALL, ...facts }).map(({ rating }) => rating)
const next = (...fleet: Partial<GapFacts>[]) => nextOfGaps(fleet.map((facts) => ({ ...ALL, ...facts })))

describe('The four production gaps', () => {
  it('are closed where all the evidence is there', () => {
    assert.deepEqual(ratings({}), ['closed', 'closed', 'closed', 'closed'])
    assert.equal(next({}), null)
  })

  it('are partly open with one piece missing, and named', () => {
    assert.deepEqual(ratings({ gated: false }), ['partly', 'closed', 'closed', 'closed'])
    assert.deepEqual(ratings({ channels: 0 }), ['closed', 'partly', 'closed', 'closed'])
    assert.deepEqual(ratings({ before: 0 }), ['closed', 'closed', 'partly', 'closed'])
    assert.deepEqual(ratings({ policyProblems: ['no metric'] }), ['closed', 'closed', 'closed', 'partly'])
    const [, , versioning] = gapsOf({ ...ALL, before: 0 })
    const lacks = versioning?.evidence.filter(({ holds }) => holds === false).map(({ says }) => says)
    assert.deepEqual(lacks, ['there is no earlier version to roll back to'])
  })

  it('are open where nothing is there', () => {
    const nothing: Partial<GapFacts> = {
      version: null,
      gated: false,
      answers: false,
      baseline: false,
      checked: 'never',
      channels: 0,
      every: null,
      run: null,
      code: false,
      data: false,
      before: 0,
      train: false,
      policy: null,
      retraining: 'never',
    }
    assert.deepEqual(ratings(nothing), ['open', 'open', 'open', 'open'])
  })

  it('are unknown, never closed, where somebody did not look', () => {
    assert.deepEqual(ratings({ answers: null }), ['unknown', 'closed', 'closed', 'closed'])
    assert.deepEqual(ratings({ policyProblems: null }), ['closed', 'closed', 'closed', 'unknown'])
    assert.deepEqual(ratings({ answers: null, gated: false }), ['partly', 'closed', 'closed', 'closed'])
  })

  it('are closed in the order signal, versions, retraining, autonomy', () => {
    const bare = { checked: 'never', before: 0, policy: null } as const
    assert.match(next(bare)?.why ?? '', /^monitoring of churn-model: it was never checked/)
    assert.match(next({ ...bare, checked: 'recently' })?.why ?? '', /^versioning of churn-model: there is no earlier/)
    const third = next({ policy: null, policyProblems: null })
    assert.match(third?.why ?? '', /^retraining of churn-model: no policy .*; write retraining-policy.yaml/)
    assert.equal(third?.command, 'mlops retrain churn-model --plan')
    assert.match(next({ missingForAutonomy: [] })?.why ?? '', /^autonomy: churn-model has the track record/)
  })

  it('of all models are looked at before the next rung: a signal anywhere comes before versions elsewhere', () => {
    assert.match(next({ model: 'a', before: 0 }, { model: 'b', channels: 0 })?.why ?? '', /^monitoring of b/)
  })

  it('send retraining to the model that drifts fastest', () => {
    const slow = { model: 'slow', policy: null, driftSpeed: 0.2 }
    assert.match(next(slow, { model: 'fast', policy: null, driftSpeed: 3 })?.why ?? '', /^retraining of fast/)
    assert.match(next({ ...slow, driftSpeed: null }, slow)?.why ?? '', /^retraining of slow/)
  })

  it('of models that are not in production wait', () => {
    assert.equal(next({ version: null, channels: 0 }), null)
  })

  it('propose no autonomy to who has it, or has none of the record', () => {
    assert.equal(next({ policy: { file: 'p', level: 3 }, missingForAutonomy: [] }), null)
    assert.equal(next({ policy: { file: 'p', level: 1 }, missingForAutonomy: [] }), null)
  })
})
