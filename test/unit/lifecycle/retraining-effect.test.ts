/** Did retraining help? What made it start, against what the checks say since its version entered production. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckResult, ColumnResult, QualityResult } from '../../../src/drift/types.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { registerVersion } from '../../../src/lifecycle/register/register.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import { effectOf, retrainingEffect, retrainingEffects } from '../../../src/lifecycle/status/retraining-effect.ts'
import { history } from '../../../src/lifecycle/versions/history.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderHistory } from '../../../src/ui/views/history.ts'
import { skipBecause } from '../../support/skip.ts'
import { hasPython, MODEL, type Workshop, workshop } from '../retrain/workshop.ts'

const column = (name: string, effect: number, more: Partial<ColumnResult> = {}): ColumnResult => ({
  column: name,
  type: 'numeric',
  role: 'feature',
  verdict: 'stable',
  metric: 'psi',
  effect,
  threshold: 0.15,
  noise: 0.01,
  pAdjusted: 0.5,
  measures: {},
  summary: '',
  causes: [],
  informs: [],
  groups: [],
  ...more,
})
const check = (columns: readonly ColumnResult[], quality?: QualityResult): CheckResult => ({
  format: 1,
  model: 'm',
  version: 4,
  verdict: 'stable',
  metric: 'psi',
  time: '2026-06-20T00:00:00Z',
  reference: { name: 'baseline of m@4', profile: 'p', rows: 1000 },
  current: { source: 'x', sha256: 'x', rows: 1000, columns: 1 },
  columns,
  unresolved: [],
  summary: '',
  notes: [],
  configuration: 'c',
  ...(quality === undefined ? {} : { quality }),
})
const quality = (auc: number, labelled = 400, verdict: QualityResult['verdict'] = 'ok'): QualityResult => ({
  verdict,
  rows: 1000,
  labelled,
  metrics: [{ metric: 'auc', value: auc, reference: 0.85, verdict }],
  summary: `auc ${auc} (0.85 when registered)`,
})
const drift = { type: 'drift' as const, columns: [{ column: 'tenure', metric: 'psi', effect: 0.31, threshold: 0.15 }] }
const facts = { version: 4, since: '2026-06-10T00:00:00Z', checks: [] as CheckResult[], former: [] as CheckResult[] }
const moved = { verdict: 'drift', pAdjusted: 0.001 } as const

describe('Whether retraining helped', () => {
  it('it did, where what drifted is what the new version was trained on', () => {
    const checks = [check([column('tenure', 0.02)]), check([column('tenure', 0.03)]), check([column('tenure', 0.01)])]
    const effect = effectOf(drift, { ...facts, checks })
    assert.equal(effect.verdict, 'helped')
    assert.equal(
      effect.summary,
      '@4 was retrained for drift of tenure (psi 0.31): since then psi 0.02 on 3 checks: it helped',
    )
  })
  it('it did not, where the newest check that can say so finds it in drift still', () => {
    const checks = [check([column('tenure', 0.4, { verdict: 'inconclusive' })]), check([column('tenure', 0.28, moved)])]
    const effect = effectOf(drift, { ...facts, checks })
    assert.deepEqual([effect.verdict, effect.checks, effect.columns[0]?.after], ['did not help', 1, 0.28])
    assert.match(effect.summary, /since then psi 0.28 on 1 check: it did not help/)
  })
  it('is too early to say without a check that can', () => {
    assert.equal(effectOf(drift, facts).verdict, 'too early')
    const unsure = check([column('tenure', 0.4, { verdict: 'inconclusive', pAdjusted: 0.3 })])
    assert.equal(effectOf(drift, { ...facts, checks: [unsure, check([column('other', 0)])] }).verdict, 'too early')
    assert.match(effectOf(drift, facts).summary, /no check since then can say whether it helped/)
  })
  it('puts realised quality beside it, and does not call it helped where that was breached', () => {
    const former = [check([], quality(0.71))]
    const well = effectOf(drift, { ...facts, former, checks: [check([column('tenure', 0.02)], quality(0.84))] })
    assert.match(well.summary, /psi 0.02, realised auc 0.71 -> 0.84 on 1 check: it helped/)
    const ill = effectOf(drift, {
      ...facts,
      former,
      checks: [check([column('tenure', 0.02)], quality(0.6, 400, 'breach'))],
    })
    assert.equal(ill.verdict, 'did not help')
    assert.match(ill.summary, /realised quality fell: auc 0.6/)
    const few = effectOf(drift, {
      ...facts,
      former: [check([], quality(0.71, 10))],
      checks: [check([column('tenure', 0.02)], quality(0.84))],
    })
    assert.equal(few.quality, null, 'ten labels say nothing')
  })
  it('reads the measure of the policy from the measures of the check', () => {
    const ks = { type: 'drift' as const, columns: [{ column: 'tenure', metric: 'ks', effect: 0.3, threshold: 0.2 }] }
    const found = check([column('tenure', 0.01, { measures: { ks_lower: 0.25 }, pAdjusted: 0.001 })])
    assert.equal(effectOf(ks, { ...facts, checks: [found] }).verdict, 'did not help')
  })
  it('of a metric: the newest check with enough labels keeps the threshold or does not', () => {
    const metric = { type: 'metric' as const, columns: [], metric: { name: 'auc', value: 0.71, threshold: 0.8 } }
    const at = (value: number, labelled = 400) =>
      effectOf(metric, { ...facts, checks: [check([], quality(value, labelled))] })
    assert.equal(at(0.8).verdict, 'helped')
    assert.equal(at(0.79).verdict, 'did not help')
    assert.equal(at(0.9, 49).verdict, 'too early')
    assert.equal(
      at(0.84).summary,
      '@4 was retrained for realised auc 0.71, worse than 0.8: since then auc 0.84 on 400 labels on 1 check: it helped',
    )
  })
})

describe('Whether retraining helped, from what the store has', function () {
  this.timeout(60_000)
  let shop: Workshop
  before(function () {
    if (!hasPython()) skipBecause(this, 'python3 is not installed')
  })
  afterEach(() => shop?.remove())

  it('is not said by the check of a rollback: somebody picked that batch', async () => {
    shop = await workshop()
    await shop.firstVersion()
    await shop.check('data/june.csv')
    await shop.retrain()
    const { ctx, project, store } = shop
    const inProduction = { ref: { model: MODEL, selector: { version: 2 } }, stage: 'production', approve: ['ada'] }
    await promote(ctx, project, store, inProduction)
    shop.write('other.bin', 'other weights')
    const artifacts = ['other.bin']
    await registerVersion(ctx, project, store, { model: MODEL, artifacts, metrics: { auc: 0.9 }, stage: 'staging' })
    // The old version of staging is the one in production.
    const back = { model: MODEL, stage: 'staging', current: 'data/june.csv' }
    assert.equal((await rollback(ctx, project, store, back)).version, 2)
    const effect = async () => retrainingEffect(store, await store.models.state(MODEL))
    const before = await effect()
    assert.deepEqual([before?.version, before?.verdict, before?.checks], [2, 'too early', 0])
    shop.write('data/july.csv', readFileSync(join(shop.dir, 'data/june.csv'), 'utf8'))
    await shop.check('data/july.csv')
    const after = await effect()
    assert.deepEqual([after?.verdict, after?.checks], ['helped', 1])
  })

  it('stands in the history beside each stay in production, also after another version has come', async () => {
    shop = await workshop()
    await shop.firstVersion()
    await shop.check('data/june.csv')
    await shop.retrain()
    const { ctx, project, store } = shop
    const enter = (version: number) =>
      promote(ctx, project, store, {
        ref: { model: MODEL, selector: { version } },
        stage: 'production',
        approve: ['ada'],
      })
    await enter(2)
    shop.write('data/july.csv', readFileSync(join(shop.dir, 'data/june.csv'), 'utf8'))
    await shop.check('data/july.csv')
    await enter(1)
    await enter(2)
    const state = await store.models.state(MODEL)
    const entries = history(state, { stage: 'production' }, await retrainingEffects(store, state))
    assert.deepEqual(
      entries.map(({ version, retraining }) => [version, retraining?.verdict, retraining?.checks]),
      [
        [2, 'too early', 0],
        [1, undefined, undefined],
        [2, 'helped', 1],
        [1, undefined, undefined],
      ],
    )
    const quiet = { color: false, unicode: true } as const
    const ui = createUi({ style: createStyle(quiet), width: Number.POSITIVE_INFINITY, now: new Date(), quiet: false })
    const text = renderHistory(ui, MODEL, entries)
    assert.match(
      text,
      /✔ @2 was retrained for drift of \w+ \(psi [\d.]+\): in production psi [\d.]+ on 1 check: it helped/,
    )
    assert.match(text, /@2 was retrained for drift .*: no check since then can say whether it helped/)
  })
})
