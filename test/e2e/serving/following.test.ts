/** The service follows its stage in a store that the real program moves, and keeps the last good version on any trouble. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { nodeFiles } from '../../../src/store/files.ts'
import { LocalBackend } from '../../../src/store/local-backend.ts'
import { readServing } from '../../../src/store/serving.ts'
import { MODEL, type Service, type ServingWorld, servedWorld, until } from './world.ts'

const CUSTOMER = { tenure: 12, 'monthly charges': 70.5, contract: 'month', senior: false }

describe('A service that follows its stage', function () {
  this.timeout(180_000)
  let world: ServingWorld
  let service: Service

  before(async function () {
    ;({ world, service } = await servedWorld(this))
  })

  after(() => {
    service?.process.kill('SIGKILL')
  })

  it('answers with the version in production, and says which and why', async () => {
    const { status, body } = await service.post('/v1/predict', { features: CUSTOMER })
    assert.equal(status, 200)
    assert.equal(body.version, 1)
    assert.ok(body.prediction > 0 && body.prediction < 1)
    const model = (await service.get('/v1/model')).body
    assert.deepEqual([model.state, model.serving.version, model.golden, model.why], ['serving', 1, 40, null])
  })

  it('takes over a promotion and a rollback while it is asked, without one failed request', async () => {
    const seen: number[] = []
    let asking = true
    const load = Array.from({ length: 8 }, async () => {
      while (asking) {
        const { status, body } = await service.post('/v1/predict', { features: CUSTOMER })
        assert.equal(status, 200, JSON.stringify(body))
        seen.push(body.version)
      }
    })
    await world.promote(2)
    await service.until('version 2 answers', ({ serving }) => serving.version === 2)
    const { json } = await world.mlops(['rollback', MODEL, '--reason', 'complaints', '--yes', '--json'])
    const told = json.data.services.services.map(({ instance, verdict }: Record<string, string>) => [instance, verdict])
    assert.deepEqual(told, [['pod-1', 'follows']], 'the program saw it follow')
    await service.until('version 1 answers again', ({ serving }) => serving.version === 1)
    asking = false
    await Promise.all(load)
    assert.equal((await service.post('/v1/predict', { features: CUSTOMER })).body.version, 1)
    assert.ok(seen.includes(1) && seen.includes(2), 'both versions were asked')
  })

  it('gives a rollout its share, the same one to the same user, and tags the log with it', async () => {
    await world.promote(2, '--rollout', '50,100')
    await service.until('the rollout is served', ({ rollout }) => rollout?.weight === 50)
    const found = new Map<string, number>()
    for (let at = 0; at < 60; at++) {
      const user = `user-${at % 30}`
      const { body } = await service.post('/v1/predict', { features: CUSTOMER, user })
      assert.equal(body.version, found.get(user) ?? body.version)
      found.set(user, body.version)
    }
    assert.deepEqual([...new Set(found.values())].sort(), [1, 2])
    // Whoever is in a hurry: it ends the rollout, and the stage stays what it is.
    await world.mlops(['rollback', MODEL, '--reason', 'tried', '--yes'])
    await service.until('the rollout has ended', (model) => model.rollout === null)
    const variants = await until(() => {
      const some = new Set(records(world).map(({ version, variant }) => `${version} ${variant}`))
      return some.has('1 stable') && some.has('2 rollout') ? some : undefined
    })
    assert.ok(!variants.has('1 rollout') && !variants.has('2 stable'))
  })

  it('leaves the hint that mlops status, promote and rollback read', async () => {
    const backend = new LocalBackend(world.project.path('.mlops'), { files: nodeFiles })
    const hint = await until(async () => (await readServing(backend, MODEL, new Date()))[0])
    assert.deepEqual(
      [hint.instance, hint.state, hint.serving?.version, hint.wanted?.version],
      ['pod-1', 'serving', 1, 1],
    )
  })

  it('logs what mlops drift and predictions stats read, and joins feedback by the id', async () => {
    const rows = Array.from({ length: 200 }, (_, at) => ({ ...CUSTOMER, tenure: at % 72 }))
    const { status, body } = await service.post('/v1/predict:batch', { rows })
    assert.equal(status, 200)
    assert.equal((await service.post('/v1/feedback', { id: body.predictions[0].id, label: true })).status, 200)
    assert.equal((await service.post('/v1/feedback', { id: 'an id of somebody else', label: false })).status, 200)
    await until(() => records(world).some(({ id }) => id === body.predictions[199].id) || undefined)
    const { json } = await world.mlops(['drift', MODEL, '--window', '7d', '--json'], { code: 3 })
    const names = json.data.columns.map(({ column }: { column: string }) => column).sort()
    assert.deepEqual(names, ['churn_probability', 'contract', 'monthly charges', 'senior', 'tenure'])
    assert.equal(json.data.quality.labelled, 1)
    const stats = (await world.mlops(['predictions', 'stats', MODEL, '--json'])).json.data
    assert.equal(stats.records, records(world).length)
    assert.equal(stats.errors, 0)
  })

  it('logs no personal column, and refuses values only where it was told to, which it logs', async () => {
    const facts = JSON.parse(world.project.read('service/service.json'))
    const features = facts.features.map((each: { name: string }) => ({ ...each, refuse: each.name === 'contract' }))
    world.project.write('service/service.json', JSON.stringify({ ...facts, features, drop: ['Senior'] }))
    const log = world.project.path('another-log')
    const other = await world.serve({ MLOPS_INSTANCE: 'pod-4', MLOPS_PREDICTIONS: log })
    await other.until('it is ready', ({ state }) => state === 'serving')
    world.project.write('service/service.json', JSON.stringify(facts))
    assert.equal((await other.post('/v1/predict', { features: { ...CUSTOMER, tenure: 500 } })).status, 200)
    const refused = await other.post('/v1/predict', { features: { ...CUSTOMER, contract: 'century' } })
    assert.equal(refused.status, 422)
    assert.deepEqual(refused.body.detail[0].loc, ['body', 'features', 'contract'])
    other.process.kill('SIGTERM')
    await other.ended()
    const logged = records(world, log)
    assert.deepEqual(logged.map(({ status }) => status ?? 'ok').sort(), ['ok', 'refused'])
    for (const { features } of logged) {
      assert.deepEqual(Object.keys(features).sort(), ['contract', 'monthly charges', 'tenure'])
    }
  })

  it('goes on with the last good version when bytes in the store are damaged, until they are mended', async () => {
    const other = await world.serve({ MLOPS_INSTANCE: 'pod-2' })
    await other.until('it is ready', ({ state }) => state === 'serving')
    // The promotion looks at every byte; the disk damages them afterwards, before the service has looked.
    other.process.kill('SIGSTOP')
    await world.promote(2)
    const file = modelFile(world, 2)
    const bytes = readFileSync(file)
    chmodSync(file, 0o644)
    writeFileSync(file, Buffer.concat([bytes.subarray(0, -1), Buffer.from([(bytes.at(-1) ?? 0) ^ 1])]))
    other.process.kill('SIGCONT')
    const model = await other.until('it says what is wrong', ({ state }) => state === 'keeping')
    assert.match(model.why, /is damaged/)
    const { status, body } = await other.post('/v1/predict', { features: CUSTOMER })
    assert.deepEqual([status, body.version], [200, 1])
    writeFileSync(file, bytes)
    await other.until('version 2 answers', ({ serving, state }) => serving.version === 2 && state === 'serving')
    other.process.kill('SIGTERM')
    await other.ended()
  })

  it('keeps a version with another contract out, loudly, and follows again when the stage goes back', async () => {
    await service.until('it answers', ({ state }) => state === 'serving')
    await world.train('sklearn', 3, 'wide')
    await world.promote(3)
    const model = await service.until('it keeps the last good one', ({ state }) => state === 'keeping')
    assert.match(model.why, /version 3 is kept out: another contract: it wants extra_0/)
    assert.match(service.output(), /version 3 is kept out.*version 2 goes on answering/)
    assert.equal((await service.post('/v1/predict', { features: CUSTOMER })).body.version, 2)
    assert.equal((await service.get('/readyz')).status, 200)
    await world.mlops(['rollback', MODEL, '--reason', 'kept out', '--yes'])
    await service.until('all is well', ({ state }) => state === 'serving')
  })

  it('gives no share to a rollout that it cannot serve', async () => {
    await world.promote(3, '--rollout', '50,100')
    const model = await service.until('it keeps it out', ({ state }) => state === 'keeping')
    assert.match(model.why, /version 3 is kept out/)
    assert.deepEqual([model.serving.version, model.rollout], [2, null])
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => service.post('/v1/predict', { features: CUSTOMER, user: `user-${at}` })),
    )
    assert.ok(answers.every(({ status, body }) => status === 200 && body.version === 2))
    await world.mlops(['rollback', MODEL, '--reason', 'kept out', '--yes'])
    await service.until('all is well', ({ state }) => state === 'serving')
  })

  it('goes on when the store goes away, and says so', async () => {
    const { renameSync } = await import('node:fs')
    renameSync(world.project.path('.mlops'), world.project.path('away'))
    const model = await service.until('it misses the store', ({ state }) => state === 'keeping')
    assert.match(model.why, /not in the store/)
    assert.equal((await service.post('/v1/predict', { features: CUSTOMER })).status, 200)
    renameSync(world.project.path('away'), world.project.path('.mlops'))
    await service.until('it found it again', ({ state }) => state === 'serving')
  })

  it('ends on SIGTERM without failing those who are being answered, and takes its hint away', async () => {
    const draining = await world.serve({ MLOPS_INSTANCE: 'pod-3', DRAIN_SECONDS: '1.5' })
    await draining.until('it is ready', ({ state }) => state === 'serving')
    draining.process.kill('SIGTERM')
    await until(async () => ((await draining.get('/readyz')).status === 503 ? true : undefined))
    await until(
      () => /draining: \/readyz says 503, and the socket closes in 1\.5 s/.test(draining.output()) || undefined,
    )
    assert.equal((await draining.post('/v1/predict', { features: CUSTOMER })).status, 200)
    await draining.ended()
    assert.ok(!existsSync(world.project.path(`.mlops/models/${MODEL}/serving/pod-3.json`)))
  })

  it('ends in bounded time although a client sends no more of its request, and takes its hint away', async () => {
    const draining = await world.serve({ MLOPS_INSTANCE: 'pod-5', DEADLINE_MS: '100' })
    await draining.until('it is ready', ({ state }) => state === 'serving')
    const client = connect(Number(new URL(draining.url).port), '127.0.0.1')
    client.on('error', () => undefined)
    client.write(
      'POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{',
    )
    // What was asked after it has come in: the half request is being read by now.
    await draining.get('/livez')
    draining.process.kill('SIGTERM')
    await draining.ended()
    client.destroy()
    assert.match(draining.output(), /Finished server process/)
    assert.ok(!existsSync(world.project.path(`.mlops/models/${MODEL}/serving/pod-5.json`)))
  })
})

/** The bytes of a version's one file. */
function modelFile(world: ServingWorld, version: number): string {
  const record = (path: string) => JSON.parse(readFileSync(world.project.path('.mlops', path), 'utf8'))
  const object = (digest: string) => `objects/sha256/${digest.slice(0, 2)}/${digest.slice(2)}`
  const log = `models/${MODEL}/log`
  const events = readdirSync(world.project.path('.mlops', log)).map((name) => record(`${log}/${name}`))
  const { manifest } = events.find(({ type, body }) => type === 'register' && body.version === version).body
  return world.project.path('.mlops', object(record(object(manifest)).files[0].sha256))
}

interface Logged {
  readonly id: string
  readonly version: number
  readonly variant?: string
  readonly status?: string
  readonly features: Readonly<Record<string, unknown>>
}

function records(world: ServingWorld, log = world.project.path('.mlops/predictions')): Logged[] {
  const home = `${log}/${MODEL}`
  if (!existsSync(home)) return []
  const days = readdirSync(home).filter((name) => name.startsWith('date='))
  const files = days.flatMap((day) => readdirSync(`${home}/${day}`).map((name) => `${home}/${day}/${name}`))
  const lines = files
    .filter((file) => file.endsWith('.jsonl'))
    .flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(0, -1))
  return lines.map((line) => JSON.parse(line))
}
