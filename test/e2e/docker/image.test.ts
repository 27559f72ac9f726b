/** The image for real: built from the generated Dockerfile, started with a read-only root, asked over HTTP. MLOPS_TEST_IMAGE=1 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HOSTILE } from '../../unit/scaffold/hostile.ts'
import { freePort, MODEL, type ServingWorld, servingWorld, until } from '../serving/world.ts'
import { type Container, type ImageConfig, type Images, images, start } from './image.ts'

const TAG = 'localhost/churn-model:v1'

describe('A real image of a LightGBM service', function () {
  this.timeout(1_200_000)
  let world: ServingWorld
  let made: Images
  let config: ImageConfig
  let root: string
  const containers: Container[] = []

  before(async function () {
    made = images(this)
    world = await servingWorld(this)
    await world.train('lightgbm', 1)
    await world.promote(1)
    // With digests: the real index is asked, as pip is configured here.
    await world.mlops(['scaffold', 'fastapi', MODEL])
    const labels = HOSTILE.flatMap((text, at) => ['--label', `x.label-${at}=${text}`])
    await world.mlops(['scaffold', 'docker', MODEL, ...labels])
    await world.mlops(['model', 'export', `${MODEL}@1`, '--output', 'service/docker/model.tar'])
    const started = performance.now()
    const { code, output } = made.build(world.project.path('service'), TAG)
    assert.equal(code, 0, output)
    console.log(`    the build took ${((performance.now() - started) / 1000).toFixed(0)} s`)
    assert.match(output, /--require-hashes/)
    assert.match(output, /No broken requirements found/)
    assert.match(output, /churn-model@1 is fit to be served: 40 golden predictions/)
    config = made.config(TAG)
    root = made.root(TAG)
  })
  after(() => {
    for (const each of containers) each.kill()
    made?.remove()
  })

  async function healthy(port: number, more = {}, mounts = {}): Promise<Container> {
    const env = { UVICORN_PORT: String(port), DRAIN_SECONDS: '0', ...more }
    const container = await start(root, config, env, mounts)
    containers.push(container)
    const [, ...health] = config.Healthcheck.Test
    const check = () => container.exec(['env', `UVICORN_PORT=${port}`, ...health])
    await until(
      () => (container.process.exitCode !== null || check().code === 0 ? true : undefined),
      async () => `it is healthy: ${check().output}\n${container.output()}`,
    )
    assert.equal(container.process.exitCode, null, container.output())
    return container
  }

  it('has the labels that were meant, each of them text', () => {
    for (const [at, text] of HOSTILE.entries())
      assert.equal(config.Labels[`x.label-${at}`], text.replace(/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, ' '), String(at))
    assert.equal(config.Labels['mlops.model'], MODEL)
    assert.equal(config.Labels['mlops.version'], '1')
    assert.match(config.Labels['mlops.data'] ?? '', /^[0-9a-f]{64}$/)
    assert.equal(config.User, '10001:10001')
  })

  it('answers as the training did, with a root file system that nobody can write to, and ends when it is told to', async () => {
    const port = await freePort()
    const container = await healthy(port)
    const { example } = JSON.parse(readFileSync(join(world.project.path('service'), 'service.json'), 'utf8'))
    const response = await fetch(`http://127.0.0.1:${port}/v1/predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ features: example.features }),
    })
    const answer = (await response.json()) as { prediction: number }
    assert.ok(Math.abs(answer.prediction - example.output) < 1e-6)
    const who = container.exec(['python', '-c', 'import os; print(os.getuid(), os.getgid(), os.getgroups())'])
    assert.equal(who.output, '10001 10001 []\n')
    for (const path of ['/service/x', '/predictions/x', '/opt/venv/x', '/x']) {
      const write = container.exec(['touch', path])
      assert.match(write.output, /Read-only file system/, path)
    }
    assert.equal(container.exec(['python', '-c', 'import pip']).code, 1)
    assert.equal(container.exec(['env', `UVICORN_PORT=1`, ...config.Healthcheck.Test.slice(1)]).code, 1)
    assert.equal(await container.stop(), 0, container.output())
  })

  it('follows a store that is mounted into it', async () => {
    const port = await freePort()
    const container = await healthy(port, { MLOPS_STORE: '/store' }, { '/store': world.project.path('.mlops') })
    const model = (await (await fetch(`http://127.0.0.1:${port}/v1/model`)).json()) as Record<string, unknown>
    assert.equal(model.from, 'store')
    assert.equal(model.state, 'serving', String(model.why))
    assert.equal(await container.stop(), 0, container.output())
  })
})
