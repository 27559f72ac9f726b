/** The rules for the verdict on a column and on a check, one test for each. */
import assert from 'node:assert/strict'
import { brokenReason, findCauses, shorten } from '../../../src/drift/causes.ts'
import { compareProfiles } from '../../../src/drift/compare.ts'
import { psiNoise } from '../../../src/drift/evidence.ts'
import type { CategoricalColumn, ColumnProfile, NumericColumn, Profile } from '../../../src/drift/profile.ts'
import { COLUMN_ALPHA, type Facts, judgeCheck, judgeColumn, SEGMENT_ALPHA } from '../../../src/drift/verdict.ts'
import { column } from './support.ts'

const facts: Facts = {
  effect: 0.05,
  threshold: 0.1,
  noise: 0.02,
  noisePower: 1,
  pAdjusted: 0.5,
  n: 5_000,
  m: 1_000,
  df: 9,
  alpha: COLUMN_ALPHA,
  tests: 20,
}

describe('The verdict on a column is', () => {
  it('drift when the effect reaches the threshold and is beyond noise', () => {
    assert.equal(judgeColumn({ ...facts, effect: 0.1, pAdjusted: COLUMN_ALPHA }).verdict, 'drift')
  })
  it('drift too when noise alone could reach the threshold but this difference is beyond noise', () => {
    assert.equal(judgeColumn({ ...facts, effect: 0.6, noise: 0.3, pAdjusted: 1e-6 }).verdict, 'drift')
  })
  it('inconclusive when noise alone could reach the threshold, and says how many rows it needs', () => {
    const judged = judgeColumn({ ...facts, n: 5_000, m: 50, noise: psiNoise(5_000, 50, 10) })
    assert.equal(judged.verdict, 'inconclusive')
    const needed = judged.rowsNeeded ?? 0
    assert.match(judged.reason ?? '', new RegExp(`needs about ${needed} rows, has 50`))
    assert.ok(psiNoise(5_000, needed, 10) < 0.1, 'with so many rows the bound lies below the threshold')
    assert.ok(psiNoise(5_000, needed - 2, 10) >= 0.1, 'and with fewer it does not')
  })
  it('inconclusive because of the baseline when no batch would be large enough', () => {
    const judged = judgeColumn({ ...facts, n: 100, m: 50, noise: psiNoise(100, 50, 10) })
    assert.deepEqual([judged.verdict, judged.rowsNeeded], ['inconclusive', undefined])
    assert.match(judged.reason ?? '', /the baseline's 100 rows are too few for a threshold of 0.1/)
  })
  it('inconclusive, not stable, when the effect reaches the threshold without evidence', () => {
    const judged = judgeColumn({ ...facts, effect: 0.12, noise: 0.09, pAdjusted: 0.2 })
    assert.equal(judged.verdict, 'inconclusive')
    assert.ok((judged.rowsNeeded ?? 0) > facts.m)
  })
  it('negligible when the difference is real but below the threshold', () => {
    assert.equal(judgeColumn({ ...facts, pAdjusted: 0.001 }).verdict, 'negligible')
  })
  it('stable otherwise', () => {
    assert.equal(judgeColumn(facts).verdict, 'stable')
  })
  it('found at a level that leaves room for the segments: 5 in 100 together', () => {
    assert.ok(COLUMN_ALPHA + SEGMENT_ALPHA <= 0.05 + 1e-12)
  })
})

const numbers = (over: Partial<NumericColumn> = {}): NumericColumn => ({
  ...({ name: 'x', role: 'feature', type: 'numeric', resolution: 'float32', missing: 0 } as const),
  ...{ edges: [0, 1, 2], singles: [], range: [-1, 3], counts: [250, 250, 250, 250], min: -1, max: 3 },
  ...{ nan: 0, positiveInfinity: 0, negativeInfinity: 0, unparsed: 0, below: 0, above: 0 },
  ...over,
})
const words = (over: Partial<CategoricalColumn> = {}): CategoricalColumn => ({
  ...({ name: 'plan', role: 'feature', type: 'categorical', missing: 0 } as const),
  ...{ categories: ['basic', 'plus'], complete: true, counts: [600, 400], other: 0, new: 0, newValues: {} },
  ...over,
})
const empty = { counts: [0, 0, 0, 0], min: null, max: null } as const

describe('A column is broken', () => {
  it('when it is newly empty, in a batch of one row too, if it never was empty before', () => {
    assert.match(brokenReason(numbers(), numbers({ ...empty, missing: 1 })) ?? '', /newly empty: nulls 0 % -> 100 %/)
  })
  it('but not for ten empty rows when a third of the baseline is empty', () => {
    const before = numbers({ counts: [200, 200, 200, 60], missing: 340 })
    assert.equal(brokenReason(before, numbers({ ...empty, missing: 5 })), undefined)
    assert.notEqual(brokenReason(before, numbers({ ...empty, missing: 30 })), undefined)
  })
  it('nor by chance in a column that is nearly always empty', () => {
    // 8 of 200 have a value, the batch's 200 have none: as good as one in 256 with no drift at all.
    const before = numbers({ counts: [2, 2, 2, 2], missing: 192 })
    assert.equal(brokenReason(before, numbers({ ...empty, missing: 200 })), undefined)
  })
  it('when most values of numbers are words now, and when categories are all new numbers', () => {
    const text = brokenReason(numbers(), numbers({ ...empty, unparsed: 90, counts: [5, 0, 0, 0] }))
    assert.equal(text, 'type changed: numeric -> text')
    const coded = words({ counts: [0, 0], new: 50, newValues: { '0': 20, '1': 30 } })
    assert.equal(brokenReason(words(), coded), 'type changed: categorical -> numeric')
  })
  it('less easily when it is one of many, so that a wide table does not break by chance', () => {
    const before = numbers({ counts: [150, 150, 150, 50], missing: 500 })
    const after = numbers({ ...empty, missing: 11 })
    assert.notEqual(brokenReason(before, after, 1), undefined)
    assert.equal(brokenReason(before, after, 200), undefined)
  })
})

describe('The verdict on a check is', () => {
  const stable = ['a', 'b', 'c'].map((name) => column(name, {}))
  it('drift if one column of many is in drift, or broken', () => {
    assert.equal(judgeCheck([...stable, column('d', { verdict: 'drift' })], 500), 'drift')
    assert.equal(judgeCheck([...stable, column('d', { verdict: 'broken' })], 500), 'drift')
  })
  it('inconclusive if the prediction column is, however stable the others are', () => {
    const prediction = column('p', { role: 'prediction', verdict: 'inconclusive' })
    assert.equal(judgeCheck([...stable, prediction], 500), 'inconclusive')
  })
  it('inconclusive if more than half of the columns are, stable if it is half', () => {
    const open = ['d', 'e', 'f'].map((name) => column(name, { verdict: 'inconclusive' }))
    assert.equal(judgeCheck([...stable, ...open], 500), 'stable')
    assert.equal(judgeCheck([...stable.slice(1), ...open], 500), 'inconclusive')
  })
  it('made of compared columns only: ids and missing labels count neither way', () => {
    const skipped = ['id', 'y'].map((name) => column(name, { verdict: 'skipped' }))
    assert.equal(judgeCheck([column('a', {}), ...skipped], 500), 'stable')
    assert.equal(judgeCheck(skipped, 500), 'inconclusive')
  })
  it('inconclusive for a batch without rows, never stable', () => {
    assert.equal(judgeCheck(stable, 0), 'inconclusive')
  })
  it('stable with negligible columns in it', () => {
    assert.equal(judgeCheck([...stable, column('d', { verdict: 'negligible' })], 500), 'stable')
  })
})

const profile = (columns: readonly ColumnProfile[], rows: number, over: Partial<Profile> = {}): Profile => ({
  ...({ format: 1, kind: 'profile', definition: 'one', rows, columns, absent: [], extra: [] } as unknown as Profile),
  ...over,
})

describe('Findings of their own are', () => {
  const baseline = profile([numbers(), words()], 1_000)
  it('a missing column, also when it was the only thing that changed', () => {
    const batch = profile([numbers(), words({ counts: [0, 0] })], 1_000, { absent: ['plan'] })
    const result = compareProfiles(baseline, batch, { metric: 'psi' })
    const found = result.columns.find((each) => each.column === 'plan')
    assert.deepEqual([result.verdict, found?.verdict, found?.causes], ['drift', 'broken', ['column missing']])
  })
  it('an extra column, which is said and never drift', () => {
    const result = compareProfiles(baseline, profile(baseline.columns, 1_000, { extra: ['new_one'] }), {
      metric: 'psi',
    })
    assert.equal(result.verdict, 'stable')
    assert.match(result.notes.join(), /not in the baseline and not compared: "new_one"/)
  })
  it('a null share of 52 % that becomes 7 % with otherwise equal values', () => {
    const before = numbers({ counts: [120, 120, 120, 120], missing: 520 })
    const after = numbers({ counts: [232, 233, 233, 232], missing: 70 })
    const { verdict, columns } = compareProfiles(profile([before], 1_000), profile([after], 1_000), { metric: 'psi' })
    assert.deepEqual([verdict, columns[0]?.causes], ['drift', ['nulls 52 % -> 7 %']])
  })
  it('causes only with evidence: three rows out of range inform', () => {
    assert.deepEqual(findCauses(numbers(), numbers({ above: 3 })), {
      causes: [],
      informs: ['out of range: 0.3 % above 3'],
    })
    assert.equal(findCauses(numbers(), numbers({ above: 30 })).causes.length, 1)
  })
})

describe('A long name', () => {
  it('is cut between its characters: half of one could be stored nowhere', () => {
    for (const name of ['😀'.repeat(50), `x${'😀'.repeat(50)}`]) {
      assert.ok(shorten(name).length <= 40)
      assert.doesNotMatch(shorten(name), /\p{Surrogate}/u)
    }
  })
})
