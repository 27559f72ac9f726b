/** The last step of a rollout, and what a person reads of one: a version that no service serves does not get the stage. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseModelRef } from '../../../src/core/names.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { runningRollout } from '../../../src/lifecycle/rollouts/running.ts'
import { advanceRollout } from '../../../src/rollout/advance.ts'
import { awaited, breached } from '../../../src/rollout/refusal.ts'
import { rolloutStatus } from '../../../src/rollout/status.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderAdvance, renderRollouts } from '../../../src/ui/views/rollout.ts'
import { addVersion, MODEL, rejection, type World, world } from '../lifecycle/fixture.ts'

describe('a rollout and what is served', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    for (const _ of [1, 2]) await addVersion(w)
    const up = (version: number, more = {}) =>
      promote(w.ctx, w.project(), w.store, {
        ...{ ref: parseModelRef(`${MODEL}@${version}`), stage: 'production', approve: ['ada'] },
        ...more,
      })
    await up(1)
    await up(2, { rollout: [5, 100] })
  })
  afterEach(() => w.remove())

  const ui = createUi({
    style: createStyle({ color: false, unicode: true }),
    width: Number.POSITIVE_INFINITY,
    now: new Date(),
    quiet: false,
  })
  /** What pod-1 says: it answers with version 1, and gives version 2 its share or says why not. */
  async function says(why: string | null): Promise<void> {
    const { version, manifest, seq, rollout } = (await w.store.models.state(MODEL)).stages.production ?? assert.fail()
    const time = new Date().toISOString()
    const folder = join(w.store.root, 'models', MODEL, 'serving')
    mkdirSync(folder, { recursive: true })
    const hint = {
      ...{ v: 1, instance: 'pod-1', model: MODEL, stage: 'production', wanted: { version, manifest, seq } },
      serving: { version, manifest },
      rollout: why === null ? rollout : null,
      state: why === null ? 'serving' : 'keeping',
      ...{ why, host: 'box', pid: 1, started: time, time },
    }
    writeFileSync(join(folder, 'pod-1.json'), JSON.stringify(hint))
  }
  const forced = () =>
    advanceRollout(w.ctx, w.project(), w.store, { model: MODEL, force: true, reason: 'in a hurry', wait: 0 })

  it('does not end with a version that the running services keep out, whatever forces it', async () => {
    await says('version 2 is kept out: it wants the column tenure')
    const error = await rejection(forced())
    assert.deepEqual([error.code, error.exit], ['ROLLOUT_NOT_SERVED', 'no'])
    assert.match(error.message, /@2 is served by none of the running services, so it does not get production/)
    assert.match(error.hint ?? '', new RegExp(`mlops scaffold fastapi ${MODEL}@2 .*mlops rollout abort ${MODEL}`))
    assert.equal((await w.store.models.state(MODEL)).stages.production?.version, 1)
  })

  it('ends with one that they give its share, and says who followed, and that nobody was seen to ask it', async () => {
    await says(null)
    const result = await forced()
    assert.equal(result.outcome, 'promoted')
    const text = renderAdvance(ui, result, true)
    assert.match(text, /^▲ Forced: the log has no request that .*@2 answered/)
    assert.match(text, /▲ .*@2 is in production now .*but no running service follows/)
    assert.match(text, /0 of 1 running service followed/)
  })

  it('that holds says what it waits for, and what counts', async () => {
    const report = await rolloutStatus(w.ctx, w.project(), w.store, { model: MODEL })
    const [status] = report.rollouts
    assert.deepEqual([status?.command, status?.comparison.verdict], [null, 'hold'])
    const text = renderRollouts(ui, report, MODEL)
    assert.match(text, /Awaited: 100 more requests of @2 and 100 more requests of @1 \(100 of each are needed\)/)
    assert.match(text, /Only requests that a service divided between the two, since this step began, are counted/)
    assert.doesNotMatch(text, /Next:/)
  })

  it('waits for what is not certain yet once there are requests enough', async () => {
    const { comparison } =
      (await rolloutStatus(w.ctx, w.project(), w.store, { model: MODEL })).rollouts[0] ?? assert.fail()
    const [first] = comparison.findings
    const open = {
      ...(first ?? assert.fail()),
      what: 'errors' as const,
      summary: 'failed requests: it can still be 3 points more',
    }
    const enough = { requests: 500 }
    const said = awaited({
      findings: [open],
      stable: { ...comparison.stable, ...enough },
      rollout: { ...comparison.rollout, ...enough },
    })
    assert.equal(said, open.summary)
  })

  it('whose answers alone are others is not called worse, and the key of the margin is named', async () => {
    const state = await w.store.models.state(MODEL)
    const report = await rolloutStatus(w.ctx, w.project(), w.store, { model: MODEL })
    const status = report.rollouts[0] ?? assert.fail()
    const finding = {
      ...({ what: 'predictions', verdict: 'breach', stable: null, rollout: null, effect: 1, interval: null } as const),
      ...{ limit: 0.25, summary: 'answers: PSI 1 of prediction between the two' },
    }
    const comparison = { ...status.comparison, verdict: 'breach' as const, findings: [finding] }
    const { message, hint } = breached(runningRollout(state, 'production') ?? assert.fail(), comparison)
    assert.match(message, /@2 answers differently from .*@1, which holds production, by more than is allowed/)
    assert.match(hint ?? '', new RegExp(`models\\.${MODEL}\\.rollout\\.max_prediction_psi \\(0\\.25 now\\)`))
    const text = renderRollouts(ui, { rollouts: [{ ...status, comparison }] }, MODEL)
    assert.match(text, /Breach: it answers differently\./)
    const errors = { ...finding, what: 'errors' as const, limit: 0.01 }
    const both = { ...comparison, findings: [errors, finding] }
    const worse = breached(runningRollout(state, 'production') ?? assert.fail(), both)
    assert.match(worse.message, /is worse than/)
    assert.match(worse.hint ?? '', /max_error_increase \(0\.01 now\), .*max_prediction_psi/)
  })

  it('shows seconds where its window lies within one minute', async () => {
    const report = await rolloutStatus(w.ctx, w.project(), w.store, { model: MODEL })
    const status = report.rollouts[0] ?? assert.fail()
    const shown = (since: string, until: string) =>
      renderRollouts(ui, { rollouts: [{ ...status, comparison: { ...status.comparison, since, until } }] }, MODEL)
    assert.match(
      shown('2026-11-21T20:25:03.120Z', '2026-11-21T20:25:51.000Z'),
      /requests from 2026-11-21 20:25:03 UTC to 2026-11-21 20:25:51 UTC/,
    )
    assert.match(
      shown('2026-11-21T20:25:03.120Z', '2026-11-21T20:26:51.000Z'),
      /requests from 2026-11-21 20:25 UTC to 2026-11-21 20:26 UTC/,
    )
  })
})
