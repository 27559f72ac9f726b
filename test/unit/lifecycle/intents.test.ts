/** What training scripts ask for: applied once, listed while pending, never under reproduce. */
import assert from 'node:assert/strict'
import { applyIntents } from '../../../src/lifecycle/register/intents.ts'
import { pendingIntents, wishStates } from '../../../src/lifecycle/register/pending-intents.ts'
import { registerVersion } from '../../../src/lifecycle/register/register.ts'
import type { Intent } from '../../../src/store/run-records.ts'
import { gate, MODEL, type World, world } from './fixture.ts'
import { addRun } from './run-fixture.ts'

let w: World
beforeEach(async () => {
  w = await world()
})
afterEach(() => w.remove())

const wish = (more: object = {}): Intent => ({
  format: 1,
  kind: 'register',
  model: MODEL,
  tags: ['candidate'],
  ...more,
})
const apply = (run: string, options = {}, config = {}) => applyIntents(w.ctx, w.project(config), w.store, run, options)
const trained = (intents: readonly Intent[], more = {}) =>
  addRun(w, { artifacts: { 'model.json': '[1]' }, intents, ...more })
const pending = async () => pendingIntents(w.store, await w.store.runs.list())
const state = () => w.store.models.stateOrEmpty(MODEL)

describe('the wishes of a training script', () => {
  it('become a version with its tags and message, in its stage', async () => {
    const run = await trained([wish({ stage: 'staging', message: 'from the script' })])
    assert.deepEqual(
      (await pending()).map(({ command }) => command),
      [`mlops register ${MODEL} --run ${run}`],
    )
    const { registered, failures } = await apply(run)
    assert.deepEqual(failures, [])
    assert.deepEqual([registered[0]?.version, registered[0]?.stage?.outcome], [1, 'promoted'])
    const { versions, stages } = await state()
    assert.deepEqual(
      [versions[0]?.tags, versions[0]?.message, stages.staging?.version],
      [['candidate'], 'from the script', 1],
    )
    assert.deepEqual(await pending(), [])
  })

  it('are granted once, however often and by however many they are applied', async () => {
    const run = await trained([wish()])
    await Promise.all([apply(run), apply(run), apply(run)])
    await apply(run)
    assert.equal((await state()).versions.length, 1)
  })

  it('are granted when the content was a version already, and not listed for ever', async () => {
    await apply(await trained([wish()]))
    const second = await trained([wish()])
    const { registered } = await apply(second)
    assert.equal(registered[0]?.created, false)
    assert.deepEqual(await pending(), [])
    assert.deepEqual((await apply(second)).registered, [])
  })

  it('stay alone when the run failed, has not ended, is reproduced, or is a retraining job', async () => {
    const failed = await trained([wish()], { end: { status: 'failed', exit: 1 } })
    assert.match((await apply(failed)).left ?? '', /failed/)
    const running = await trained([wish()], { running: true })
    assert.match((await apply(running)).left ?? '', /not ended/)
    const run = await trained([wish()])
    assert.match((await apply(run, { context: 'reproduce' })).left ?? '', /never registered/)
    assert.deepEqual((await apply(run, { context: 'retrain' })).registered, [])
    assert.equal((await state()).versions.length, 0)
  })

  it('are granted by what a retraining job registered itself', async () => {
    const run = await trained([wish()])
    const { version } = await registerVersion(w.ctx, w.project(), w.store, { model: MODEL, run, useIntent: false })
    await apply(run, { context: 'retrain', registered: { model: MODEL, version } })
    assert.deepEqual(await pending(), [])
    assert.equal((await state()).versions.length, 1)
  })

  it('never move production, and do not lose the version for it', async () => {
    const { registered } = await apply(await trained([wish({ stage: 'production' })]))
    assert.deepEqual([registered[0]?.version, registered[0]?.stage], [1, null])
    assert.match(w.warnings.join(), /never moves production/)
  })

  it('keep the version when the gate of the stage refuses it', async () => {
    const config = { gates: { staging: gate({ min: { auc: 0.9 } }) } }
    const { registered } = await apply(await trained([wish({ stage: 'staging' })]), {}, config)
    assert.deepEqual([registered[0]?.version, registered[0]?.stage?.outcome], [1, 'refused'])
  })

  it('are reported with the line to type when they cannot be granted', async () => {
    const { failures } = await apply(await trained([wish({ model: 'Churn Model' }), wish()]))
    assert.deepEqual(
      failures.map(({ code, model }) => [code, model]),
      [['NAME_INVALID', 'Churn Model']],
    )
    assert.equal((await state()).versions.length, 1, 'the other one was granted')
  })

  it('are picked up, with stage and tags, when a person registers the run', async () => {
    const run = await trained([wish({ stage: 'staging' })])
    const result = await registerVersion(w.ctx, w.project(), w.store, { model: MODEL, run, tags: ['mine'] })
    assert.deepEqual([result.tags, result.stage?.outcome], [['mine', 'candidate'], 'promoted'])
    assert.deepEqual(await pending(), [])
    assert.deepEqual((await apply(run)).registered, [])
  })

  it('set a baseline of the model, once per data', async () => {
    const rows = `age,plan\n${Array.from({ length: 100 }, (_, i) => `${i % 50},${i % 2 ? 'a' : 'b'}`).join('\n')}\n`
    const data = await w.store.objects.put(Buffer.from(rows))
    const baseline: Intent = { format: 1, kind: 'baseline', model: MODEL, data }
    const first = await trained([baseline, wish()])
    assert.deepEqual(
      (await wishStates(w.store, first)).map(({ kind, state, command }) => [kind, state, command]),
      [
        ['baseline', 'pending', `mlops run apply ${first}`],
        ['register', 'pending', `mlops register ${MODEL} --run ${first}`],
      ],
    )
    const { baselines, failures } = await apply(first)
    assert.deepEqual(
      (await wishStates(w.store, first)).map(({ state }) => state),
      ['granted', 'granted'],
    )
    assert.deepEqual(failures, [])
    assert.deepEqual(baselines, [{ model: MODEL, rows: 100, columns: 2 }])
    assert.equal((await state()).baseline?.data.sha256, data.sha256)
    await apply(await trained([baseline]))
    assert.equal((await state()).events.length, 2)
    assert.deepEqual(await pending(), [])
  })
})
