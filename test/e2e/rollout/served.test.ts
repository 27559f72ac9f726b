/** A rollout with a real service: it divides the traffic, its own log decides, and the program sees it follow. */
import assert from 'node:assert/strict'
import { MODEL, type Service, type ServingWorld, servedWorld } from '../serving/world.ts'

const CUSTOMER = { 'monthly charges': 70.5, contract: 'month', senior: false }
const REQUESTS = 1_000

describe('A rollout that a service serves', function () {
  this.timeout(240_000)
  let world: ServingWorld
  let service: Service

  before(async function () {
    // The two models answer differently on purpose; what is tested is the way of the figures.
    const configuration = '    rollout: {max_prediction_psi: 20, max_latency_ratio: 20}\n'
    ;({ world, service } = await servedWorld(this, configuration))
  })

  after(() => {
    service?.process.kill('SIGKILL')
  })

  it('is begun, and the service is seen to divide its traffic', async () => {
    const { stdout } = await world.mlops([
      ...['promote', `${MODEL}@2`, '--to', 'production', '--approve', 'ada', '--rollout', '50,100'],
    ])
    assert.match(stdout, /The running service followed/)
    const { json } = await world.mlops(['status', MODEL, '--json'])
    const [served] = json.data.models[0].served
    assert.deepEqual(
      [served.mismatch, served.services[0].verdict, served.services[0].rollout],
      [false, 'follows', { version: 2, weight: 50 }],
    )
  })

  it('is judged by what the service logs', async () => {
    for (let at = 0; at < REQUESTS; at += 20) {
      const asked = Array.from({ length: 20 }, (_, i) =>
        service.post('/v1/predict', { features: { ...CUSTOMER, tenure: (at + i) % 72 }, user: `user-${at + i}` }),
      )
      assert.ok((await Promise.all(asked)).every(({ status }) => status === 200))
    }
    let comparison = await compared()
    for (let tries = 0; comparison.stable.requests + comparison.rollout.requests < REQUESTS && tries < 50; tries++) {
      comparison = await compared()
    }
    assert.equal(comparison.stable.requests + comparison.rollout.requests, REQUESTS)
    const share = comparison.rollout.requests / REQUESTS
    // Half of 1,000 users, by a hash: 0.4 and 0.6 are six standard errors away.
    assert.ok(share > 0.4 && share < 0.6, String(share))
    assert.equal(comparison.rollout.latency.count, comparison.rollout.requests)
    assert.equal(comparison.verdict, 'holds', JSON.stringify(comparison.findings))
  })
  const compared = async () => {
    const { code, json } = await world.project.run(['rollout', 'status', MODEL, '--json'])
    assert.ok([0, 6].includes(code))
    return json.data.rollouts[0].comparison
  }

  it('is completed by a scheduler, and the service follows', async () => {
    const { json } = await world.mlops(['rollout', 'advance', MODEL, '--auto', '--json'])
    assert.equal(json.data.outcome, 'promoted')
    assert.equal(json.data.services.following, 1)
    const model = await service.until('version 2 answers', ({ serving }) => serving.version === 2)
    assert.equal(model.rollout, null)
  })
})
