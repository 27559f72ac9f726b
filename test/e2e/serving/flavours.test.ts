/**
 * Every sort of model is served for real, from the archive of a version and without any store: trained, registered,
 * exported, unpacked, started under uvicorn and asked over HTTP.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { skipBecause } from '../../support/skip.ts'
import { MODEL, type ServingWorld, servingWorld } from './world.ts'

/** The module without which it cannot run here. */
const FLAVOURS = {
  sklearn: 'sklearn',
  xgboost: 'xgboost',
  lightgbm: 'lightgbm',
  onnx: 'skl2onnx',
  callable: 'json',
  torch: 'torch',
}

describe('A service from an archive', function () {
  this.timeout(180_000)
  let world: ServingWorld
  let version = 0

  before(async function () {
    world = await servingWorld(this)
  })

  for (const [flavour, module] of Object.entries(FLAVOURS)) {
    it(`answers as the ${flavour} model did when it was registered`, async function () {
      if (world.python(['-c', `import ${module}`]).code !== 0)
        skipBecause(this, `the Python package ${module} is not installed`)
      await world.train(flavour, 1)
      version += 1
      await world.scaffold(version)
      assert.equal(JSON.parse(world.project.read('service/service.json')).flavour, flavour)
      await unpack(world, version)
      const service = await world.serve({
        MLOPS_STORE: undefined,
        MLOPS_PREDICTIONS: world.project.path('log', flavour),
      })
      await service.until('it is ready', ({ state }) => state === 'serving')
      const examples = recorded(world).slice(0, 5)
      const one = await service.post('/v1/predict', { features: examples[0]?.features })
      assert.equal(one.status, 200, JSON.stringify(one.body))
      assert.equal(one.body.version, version)
      const all = await service.post('/v1/predict:batch', { rows: examples.map(({ features }) => features) })
      for (const [at, { output }] of examples.entries()) {
        const found = all.body.predictions[at].prediction
        assert.ok(Math.abs(found - output) < 1e-6, `${found} instead of ${output}`)
      }
      service.process.kill('SIGTERM')
      await service.ended()
      assert.doesNotMatch(service.output(), /Warning|Traceback/)
    })
  }

  it('passes the tests that it brings along, and is checked before it is an image', async () => {
    await world.train('sklearn', 2)
    version += 1
    await world.scaffold(version)
    await unpack(world, version)
    const check = world.python(['-m', 'app.following', '--check'])
    assert.deepEqual([check.code, check.output.trim().split('\n').length], [0, 1], check.output)
    assert.match(check.output, /churn-model@\d+ is fit to be served: 40 golden predictions/)
    // With tests of ours beside them: models of other kinds than the one that was registered, and whatever misbehaves.
    for (const name of ['test_answers.py', 'test_trouble.py']) {
      copyFileSync(join(import.meta.dirname, name), world.project.path('service/tests', name))
    }
    const { code, output } = world.python(['-m', 'pytest', '-q', '-rs', '-p', 'no:cacheprovider'])
    assert.equal(code, 0, output)
    assert.doesNotMatch(output, /skipped/)
  })

  it('logs nowhere until it is told where to, even inside of a project, and says so once', async () => {
    const service = await world.serve({ MLOPS_STORE: undefined })
    await service.until('it is ready', ({ state }) => state === 'serving')
    const [{ features } = { features: {} }] = recorded(world)
    const { body } = await service.post('/v1/predict', { features })
    const feedback = await service.post('/v1/feedback', { id: body.id, label: 1 })
    assert.equal(feedback.status, 503)
    assert.match(feedback.body.detail, /MLOPS_PREDICTIONS/)
    assert.match((await service.get('/v1/model')).body.log.off, /MLOPS_PREDICTIONS/)
    service.process.kill('SIGTERM')
    await service.ended()
    assert.equal(service.output().match(/predictions are not logged/g)?.length, 1)
    assert.ok(!existsSync(world.project.path('.mlops/predictions', MODEL)))
  })

  it('says which variables to set where there is neither a store nor a bundle', async () => {
    rmSync(world.project.path('service/bundle'), { recursive: true })
    const service = await world.serve({ MLOPS_STORE: undefined })
    const { why } = await service.until('it says why', (model) => model.why !== null)
    assert.match(why, /set MLOPS_STORE to .* or MLOPS_BUNDLE to /)
    assert.equal((await service.get('/readyz')).status, 503)
    service.process.kill('SIGTERM')
    await service.ended()
  })

  it('refuses an archive whose golden predictions come out differently, in one line that says how', async () => {
    // Every byte is whole, and yet it does not answer as it did: a preprocessing step differs here.
    await world.train('callable', 5)
    version += 1
    await world.scaffold(version)
    await unpack(world, version)
    const text = readFileSync(world.project.path('service/app/predictor.py'), 'utf8')
    world.project.write('service/app/predictor.py', text.replace('dict(row)', 'dict(row, tenure=row["tenure"] + 1)'))
    const { code, output } = world.python(['-m', 'app.following', '--check'])
    assert.equal(code, 1)
    assert.match(
      output,
      /^churn-model is not fit to be served: golden prediction 1 of 40 gives \d\.\d+ instead of \d\.\d+\n$/,
    )
  })

  it('says in one line that it runs in one process, and ends', async () => {
    const service = await world.serve({}, '--workers', '2')
    await service.ended()
    assert.match(service.output(), /This service runs in one process: .*start more replicas instead/)
    const other = await world.serve({ WEB_CONCURRENCY: '2' })
    await other.ended()
    assert.match(other.output(), /This service runs in one process/)
  })
})

/** `mlops model export`, and its entries as files of service/bundle. */
async function unpack(world: ServingWorld, version: number): Promise<void> {
  const file = world.project.path('archive.tar')
  rmSync(file, { force: true })
  await world.mlops(['model', 'export', `${MODEL}@${version}`, '--output', file])
  const bundle = world.project.path('service/bundle')
  rmSync(bundle, { recursive: true, force: true })
  mkdirSync(bundle)
  assert.equal(spawnSync('tar', ['-xf', file, '-C', bundle]).status, 0)
}

function recorded(world: ServingWorld): { features: Record<string, unknown>; output: number }[] {
  const bundle = world.project.path('service/bundle')
  const { examples } = JSON.parse(readFileSync(`${bundle}/manifest.json`, 'utf8'))
  const bytes = readFileSync(`${bundle}/objects/${examples.sha256}`)
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('utf8')
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}
