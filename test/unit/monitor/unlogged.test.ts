/** A service asks for fewer columns than its model's training data have: the log lacks them for ever, and is no worse for it. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { registerVersion } from '../../../src/lifecycle/register/register.ts'
import { checkModel } from '../../../src/monitor/check.ts'
import type { ModelConfig } from '../../../src/project/config.ts'
import { MODEL, type World, world } from '../lifecycle/fixture.ts'

const customer = (i: number) => ({
  tenure: 1 + ((i * 37) % 60),
  plan: ['basic', 'pro'][i % 2] ?? '',
  extra: (i * 13) % 90,
})

describe('The log of a service that asks for fewer columns than the baseline has', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    const rows = Array.from({ length: 600 }, (_, i) => `${Object.values(customer(i)).join(',')},${i % 3 === 0 ? 1 : 0}`)
    writeFileSync(join(w.dir, 'train.csv'), `tenure,plan,extra,churned\n${rows.join('\n')}\n`)
    writeFileSync(join(w.dir, 'model.json'), '[1, 2]')
    const folder = join(w.store.root, 'predictions', MODEL, 'date=2025-12-31')
    mkdirSync(folder, { recursive: true })
    const lines = Array.from({ length: 400 }, (_, i) => {
      const { tenure, plan } = customer(i)
      const time = new Date(Date.UTC(2025, 11, 31, 6) + i * 1000).toISOString()
      return JSON.stringify({
        v: 1,
        id: `p-${i}`,
        time,
        model: MODEL,
        version: 1,
        features: { tenure, plan },
        output: 0.5,
      })
    })
    writeFileSync(join(folder, 'w-1.jsonl'), `${lines.join('\n')}\n`)
  })
  afterEach(() => w.remove())

  async function registered(features: object | undefined, config: Partial<ModelConfig> = {}) {
    if (features !== undefined) {
      writeFileSync(join(w.dir, 'golden.jsonl'), `${JSON.stringify({ features, output: 0.5 })}\n`)
    }
    return registerVersion(w.ctx, w.project(config), w.store, {
      model: MODEL,
      artifacts: ['model.json'],
      baseline: 'train.csv',
      target: 'churned',
      ...(features === undefined ? {} : { examples: 'golden.jsonl' }),
    })
  }
  const column = async (config: Partial<ModelConfig> = {}) => {
    const request = { ref: { model: MODEL, selector: { version: 1 } }, window: { window: '3d' } }
    const { check } = await checkModel(w.ctx, w.project(config), w.store, request)
    const found = check.columns.find((each) => each.column === 'extra')
    return { verdict: check.verdict, extra: `${found?.verdict}: ${found?.reason}` }
  }

  it('is not broken by a column that no example names, and registering says so beforehand', async () => {
    const { notes } = await registered({ tenure: 3, plan: 'pro' })
    assert.match(
      notes.join('\n'),
      /1 column of the baseline is not in the examples: extra; the service will not ask for it/,
    )
    const { verdict, extra } = await column()
    assert.equal(extra, 'skipped: not compared: no recorded example has it, so the service does not ask for it')
    assert.notEqual(verdict, 'drift')
  })

  it('is broken by one that they do name, or of which nothing is known', async () => {
    const { notes } = await registered({ tenure: 3, plan: 'pro', extra: 4 })
    assert.doesNotMatch(notes.join('\n'), /not in the examples/)
    const { verdict, extra } = await column()
    assert.equal(verdict, 'drift')
    assert.match(extra, /^broken: missing from the batch/)
  })

  it('is not broken by a column that is never logged', async () => {
    await registered(undefined)
    assert.match((await column()).extra, /^broken/)
    const config = { predictions: { drop: ['extra'] } } as unknown as Partial<ModelConfig>
    assert.equal(
      (await column(config)).extra,
      'skipped: not compared: it is never logged (predictions.drop of mlops.yaml)',
    )
  })
})
