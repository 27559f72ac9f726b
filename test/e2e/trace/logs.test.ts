/** `mlops trace` on what a real service and the Python client logged, in files and in PostgreSQL. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type PostgresServer, startPostgres } from '../../support/postgres.ts'
import { churnProject } from '../cli/fixture/churn.ts'
import { assertMatchesSchema } from '../harness.ts'
import { MODEL, type Service, type ServingWorld, servedWorld } from '../serving/world.ts'

describe('mlops trace of a service', function () {
  this.timeout(240_000)
  let world: ServingWorld
  let service: Service
  before(async function () {
    ;({ world, service } = await servedWorld(this))
  })
  after(() => {
    service?.process.kill('SIGKILL')
  })

  it('takes the id that the service answered with, back to the script', async () => {
    const features = { tenure: 12, 'monthly charges': 70.35, contract: 'month', senior: false }
    const answer = await service.post('/v1/predict', { features, user: 'u-1' })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    const id = String(answer.body.id)
    let last = ''
    // The service writes its log beside answering.
    for (let attempt = 0; attempt < 40 && !last.includes('"status":"ok"'); attempt++) {
      await sleep(100)
      last = (await world.project.run(['trace', id, '--json'])).stdout
    }
    const { data } = JSON.parse(last)
    assert.deepEqual([data.model, data.prediction.id, data.version.version], [MODEL, id, 1])
    assert.equal(data.prediction.output, answer.body.prediction)
    assert.deepEqual(
      data.version.holdings
        .filter(({ atThatTime }: { atThatTime: boolean }) => atThatTime)
        .map(({ stage }: { stage: string }) => stage),
      ['production'],
    )
    assert.match(data.version.run.command.join(' '), /train\.py/)
    assert.ok(data.version.files.length > 0)
  })
})

describe('mlops trace in PostgreSQL', function () {
  this.timeout(240_000)
  let server: PostgresServer
  before(async function () {
    server = await startPostgres(this)
  })
  after(() => server?.stop())

  it('finds the record, its label and a retry by the index, and names no password', async () => {
    const project = await churnProject()
    const env = { MLOPS_PREDICTIONS: server.url }
    await project.mlops(['predictions', 'stats', MODEL, '--create-tables'], { env })
    const client = new pg.Client(server.url)
    await client.connect()
    const id = `it's "one" \\ é`
    const insert = `INSERT INTO mlops_predictions (id, time, model, version, features, output, latency_ms)
      VALUES ($1, $2, $3, $4, '{"age": 40, "plan": "a"}', '0.25', 4.5)`
    await client.query(insert, [id, new Date(Date.now() - 60_000), MODEL, 2])
    await client.query(insert, [id, new Date(), MODEL, 1])
    await client.query('INSERT INTO mlops_labels (model, id, time, label) VALUES ($1, $2, now(), $3)', [
      MODEL,
      id,
      'true',
    ])
    await client.end()
    const { json, stdout } = await project.mlops(['trace', id, '--json'], { env })
    assertMatchesSchema('trace', json)
    const { prediction, repeats, label, version } = json.data
    assert.deepEqual([prediction.version, prediction.output, prediction.latency], [1, 0.25, 4.5])
    assert.deepEqual(prediction.features, { age: 40, plan: 'a' })
    assert.deepEqual([repeats.length, repeats[0].version, label.value], [1, 2, true])
    assert.equal(version.holdings.find(({ atThatTime }: { atThatTime: boolean }) => atThatTime)?.stage, 'production')
    assert.ok(!stdout.includes(server.password) && !stdout.includes(encodeURIComponent(server.password)))
    const part = await project.mlops(['trace', `it's`], { env, code: 4 })
    assert.match(part.stderr, /There is an id that begins with it/)
    const none = await project.mlops(['trace', 'nobody'], { env, code: 4 })
    assert.match(
      none.stderr.replace(/\s+/g, ' '),
      /is in the log of churn-model \(postgres:\/\/127\.0\.0\.1:\d+\/postgres\)/,
    )
  })
})
