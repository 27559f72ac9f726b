/** What the doctor says of running services: one that does not serve what its stage points to is something broken. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseModelRef } from '../../../src/core/names.ts'
import { examine } from '../../../src/doctor/doctor.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderDoctor } from '../../../src/ui/views/doctor.ts'
import { addVersion, MODEL, type World, world } from '../lifecycle/fixture.ts'

describe('the doctor and running services', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    for (const version of [1, 2]) {
      await addVersion(w)
      const ref = parseModelRef(`${MODEL}@${version}`)
      await promote(w.ctx, w.project(), w.store, { ref, stage: 'production', approve: ['ada'] })
    }
  })
  afterEach(() => w.remove())

  const ui = createUi({
    style: createStyle({ color: false, unicode: true }),
    width: Number.POSITIVE_INFINITY,
    now: new Date(),
    quiet: false,
  })
  /** The service pod-1, as it says of itself. @param of the version that answers; 0: none */
  async function says(of: number, state: string, why: string | null): Promise<void> {
    const { versions, stages } = await w.store.models.state(MODEL)
    const { version, manifest, seq } = stages.production ?? assert.fail()
    const time = new Date().toISOString()
    const folder = join(w.store.root, 'models', MODEL, 'serving')
    mkdirSync(folder, { recursive: true })
    const hint = {
      ...{ v: 1, instance: 'pod-1', model: MODEL, stage: 'production', wanted: { version, manifest, seq } },
      serving: of === 0 ? null : { version: of, manifest: versions[of - 1]?.manifest },
      ...{ rollout: null, state, why, host: 'box', pid: 1, started: time, time },
    }
    writeFileSync(join(folder, 'pod-1.json'), JSON.stringify(hint))
  }
  const examined = async () => {
    const report = await examine({ ...w.ctx, now: () => new Date() }, w.project(), w.store, { offline: true })
    return { report, found: report.findings.find(({ area }) => area === 'services'), text: renderDoctor(ui, report) }
  }

  it('says nothing where no service says anything', async () => {
    assert.equal((await examined()).found, undefined)
  })

  it('is content with one that follows', async () => {
    await says(2, 'serving', null)
    const { found } = await examined()
    assert.equal(found?.severity, 'good')
    assert.equal(found?.summary, `${MODEL}@2 is served in production by 1 service`)
  })

  it('calls broken what keeps another version, and names it', async () => {
    await says(1, 'keeping', 'version 2 is kept out: it wants another column')
    const { found, text } = await examined()
    assert.equal(found?.severity, 'bad')
    assert.doesNotMatch(text, /Nothing is broken/)
    assert.match(text, /✖ production points to .*@2.*pod-1 on box keeps serving .*@1 \(version 2 is kept out/)
    assert.equal(found?.next, `mlops scaffold fastapi ${MODEL}@2`)
  })

  it('calls broken what answers nothing, with what mends it', async () => {
    await says(0, 'starting', 'version 2 cannot be loaded: object 3f0c… is damaged: its bytes are others')
    const { found, text, report } = await examined()
    assert.equal(found?.severity, 'bad')
    assert.match(text, /✖ nobody serves .*@2, to which production points: pod-1 on box serves nothing/)
    assert.equal(report.next?.command, 'mlops store verify')
  })
})
