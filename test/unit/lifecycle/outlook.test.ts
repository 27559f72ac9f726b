/** What `status` says of a gate: from records alone, and never better than they are. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { gateOutlook } from '../../../src/lifecycle/gate/outlook.ts'
import type { Gate } from '../../../src/project/gate-config.ts'
import { addVersion, gate, MODEL, type VersionSpec, type World, world } from './fixture.ts'

describe('the outlook on a gate', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
  })
  afterEach(() => w.remove())

  const outlook = async (rules: Partial<Gate>, spec: VersionSpec = {}) => {
    const number = await addVersion(w, { metrics: { auc: 0.8 }, test: 't', ...spec })
    const state = await w.store.models.state(MODEL)
    const version = state.versions[number - 1]
    assert.ok(version)
    return gateOutlook(w.ctx, w.project({ gates: { staging: gate(rules) } }), w.store, state, version, 'staging')
  }

  it('is known where records suffice', async () => {
    assert.equal((await outlook({ min: { auc: 0.7 } })).verdict, 'passes')
    assert.equal((await outlook({ min: { auc: 0.9 } })).verdict, 'refuses')
    assert.equal((await outlook({ min: { auc: 0.7 } }, { predictions: true })).verdict, 'passes')
  })

  it('is unknown where a command has to run, which is not run', async () => {
    const external = [{ name: 'load test', command: 'touch ran.txt' }]
    assert.equal((await outlook({ external })).verdict, 'unknown')
    assert.equal(existsSync(join(w.dir, 'ran.txt')), false)
    assert.equal((await outlook({ external, min: { auc: 0.9 } })).verdict, 'refuses', 'it fails for certain elsewhere')
  })

  it('is unknown where rows have to be read, and a certain no where there are none', async () => {
    const slices = [{ by: 'region', min: { auc: 0.7 }, max: {} }]
    const fairness = [{ by: 'gender', measure: 'equalized_odds' as const, max: 0.1 }]
    assert.equal((await outlook({ slices }, { predictions: true })).verdict, 'unknown')
    assert.equal((await outlook({ fairness }, { predictions: true })).verdict, 'unknown')
    const none = await outlook({ slices })
    assert.equal(none.verdict, 'refuses')
    assert.match(none.refusal ?? '', /slice region fails/)
  })

  it('knows of waivers, of health and of rows trained on', async () => {
    const waivers = [{ check: 'min_auc', owner: 'ada', reason: 'new', expires: '2099-01-01' }]
    assert.equal((await outlook({ min: { auc: 0.9 }, waivers })).verdict, 'passes')
    assert.match((await outlook({ health: 'required' })).refusal ?? '', /health fails: .*never checked/)
    assert.match((await outlook({ overlap: 0.01 })).refusal ?? '', /train_test_overlap fails/)
  })
})
