/** Before a move: what a running service most likely keeps, as far as the store records what both versions take. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseModelRef } from '../../../src/core/names.ts'
import { profileBaseline } from '../../../src/drift/baseline.ts'
import { type PromoteRequest, promote } from '../../../src/lifecycle/promote/promote.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import { addVersion, MODEL, type World, world } from './fixture.ts'

describe('the plan of a move and running services', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    await register('tenure,churned')
    await register('tenure,plan,churned')
    await register('tenure,churned')
    await up(1)
  })
  afterEach(() => w.remove())

  async function register(header: string, more = 0): Promise<void> {
    const path = join(w.dir, 'rows.csv')
    const width = header.split(',').length
    const rows = Array.from({ length: 60 }, (_, row) => [(row % 20) + more, 'abc'[row % 3], 0].slice(0, width - 1))
    writeFileSync(path, `${[header, ...rows.map((row, at) => [...row, at % 2].join(','))].join('\n')}\n`)
    const { bytes, data } = await profileBaseline(path, { cwd: w.dir, schema: { columns: {}, target: 'churned' } })
    const pin = await w.store.objects.put(bytes)
    const { sha256, rows: counted } = data
    const profile = { profile: pin.sha256, data: { name: 'baseline', sha256, rows: counted } }
    await addVersion(w, { target: 'churned', profile })
  }
  const up = (version: number, more: Partial<PromoteRequest> = {}) =>
    promote(w.ctx, w.project(), w.store, {
      ...{ ref: parseModelRef(`${MODEL}@${version}`), stage: 'production', approve: ['ada'] },
      ...more,
    })
  async function served(version: number, age = 0): Promise<void> {
    const { versions, stages } = await w.store.models.state(MODEL)
    const wanted = stages.production ?? assert.fail()
    const time = new Date(Date.now() - age).toISOString()
    const folder = join(w.store.root, 'models', MODEL, 'serving')
    mkdirSync(folder, { recursive: true })
    const hint = {
      ...{ v: 1, instance: 'pod-1', model: MODEL, stage: 'production', rollout: null, state: 'serving', why: null },
      wanted: { version: wanted.version, manifest: wanted.manifest, seq: wanted.seq },
      serving: { version, manifest: versions[version - 1]?.manifest },
      ...{ host: 'box', pid: 1, started: time, time },
    }
    writeFileSync(join(folder, 'pod-1.json'), JSON.stringify(hint))
  }
  const said = () => w.warnings.filter((warning) => /go on serving/.test(warning))

  it('says beforehand that a service will most likely keep its version, and what to deploy', async () => {
    await served(1)
    const { outcome } = await up(2, { dryRun: true })
    assert.equal(outcome, 'planned')
    assert.match(
      said()[0] ?? '',
      /^pod-1 on box will most likely go on serving churn-model@1 .*plan: is new, and must be given.*mlops scaffold fastapi churn-model@2$/,
    )
  })

  it('says so of a rollback too', async () => {
    await up(2)
    await served(2)
    await rollback(w.ctx, w.project(), w.store, { model: MODEL, stage: 'production', verify: false, dryRun: true })
    assert.match(said()[0] ?? '', /go on serving churn-model@2 after this: churn-model@1 is of another contract/)
  })

  it('says nothing where the version takes the same, no service runs, or one was killed', async () => {
    await served(1)
    await up(3, { dryRun: true })
    await served(1, 20_000)
    await up(2, { dryRun: true })
    assert.deepEqual(said(), [])
  })

  it('says nothing where whole numbers take the place of numbers: a service of either serves both', async () => {
    await register('tenure,churned', 0.5)
    await up(4)
    await served(4)
    await rollback(w.ctx, w.project(), w.store, { model: MODEL, stage: 'production', verify: false, dryRun: true })
    assert.deepEqual(said(), [])
  })
})
