/** What running services say that they serve: who followed a move, who keeps another version, and how status ranks that. */
import assert from 'node:assert/strict'
import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseModelRef } from '../../../src/core/names.ts'
import { type PromoteRequest, promote } from '../../../src/lifecycle/promote/promote.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import { fleetStatus } from '../../../src/lifecycle/status/status.ts'
import { rolloutStatus } from '../../../src/rollout/status.ts'
import type { StageEntry } from '../../../src/store/events.ts'
import type { ServingHint } from '../../../src/store/serving.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderPromotion } from '../../../src/ui/views/promote.ts'
import { renderRollback } from '../../../src/ui/views/rollback.ts'
import { renderStatus } from '../../../src/ui/views/status.ts'
import { addVersion, MODEL, type World, world } from './fixture.ts'

describe('running services', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    for (const _ of [1, 2, 3]) await addVersion(w)
    await up(1)
  })
  afterEach(() => w.remove())

  const up = (version: number, more: Partial<PromoteRequest> = {}) =>
    promote(w.ctx, w.project(), w.store, {
      ref: parseModelRef(`${MODEL}@${version}`),
      stage: 'production',
      approve: ['ada'],
      ...more,
    })
  const state = () => w.store.models.state(MODEL)
  const entry = async (): Promise<StageEntry> => {
    const found = (await state()).stages.production
    assert.ok(found)
    return found
  }
  const onceThere = async (version: number): Promise<StageEntry> => {
    for (;;) {
      const now = await entry()
      if (now.version === version) return now
      await setTimeout(10)
    }
  }
  const ui = createUi({
    style: createStyle({ color: false, unicode: true }),
    width: Number.POSITIVE_INFINITY,
    now: new Date(),
    quiet: false,
  })

  /** As a service writes it: under a name with a dot first. Times are of this machine, not of the test's clock. */
  function hint(instance: string, of: StageEntry, more: Partial<ServingHint> = {}): void {
    const folder = join(w.store.root, 'models', MODEL, 'serving')
    mkdirSync(folder, { recursive: true })
    const { version, manifest, seq, rollout } = of
    const time = new Date().toISOString()
    const full: ServingHint & { v: 1 } = {
      v: 1,
      instance,
      model: MODEL,
      stage: 'production',
      wanted: { version, manifest, seq },
      serving: { version, manifest },
      rollout:
        rollout === undefined
          ? null
          : { version: rollout.version, manifest: rollout.manifest, seq: rollout.seq, weight: rollout.weight },
      state: 'serving',
      why: null,
      host: 'box',
      pid: 1,
      started: time,
      time,
      ...more,
    }
    writeFileSync(join(folder, `.${instance}`), JSON.stringify(full))
    renameSync(join(folder, `.${instance}`), join(folder, `${instance}.json`))
  }

  it('are not waited for where none says anything', async () => {
    const result = await up(2, { wait: 60_000 })
    assert.equal(result.services, undefined)
  })

  it('that follow are counted, as soon as they do', async () => {
    hint('web-1', await entry())
    hint('web-2', await entry())
    const moved = up(2, { wait: 60_000 })
    const now = await onceThere(2)
    hint('web-1', now)
    hint('web-2', now)
    const { services, ...result } = await moved
    assert.ok(services)
    assert.deepEqual([services.following, services.services.map(({ verdict }) => verdict)], [2, ['follows', 'follows']])
    assert.match(renderPromotion(ui, { ...result, services }), /All 2 running services followed/)
  })

  it('that keep another version are named with their reason', async () => {
    hint('web-1', await entry())
    const old = await entry()
    const moved = up(2, { wait: 60_000 })
    hint('web-1', await onceThere(2), {
      serving: { version: 1, manifest: old.manifest },
      state: 'keeping',
      why: 'the new version takes another column',
    })
    const result = await moved
    assert.deepEqual(
      result.services?.services.map(({ verdict, version, why }) => [verdict, version, why]),
      [['keeps', 1, 'the new version takes another column']],
    )
    assert.match(
      renderPromotion(ui, result),
      /0 of 1 running service followed.*\n.*web-1 on box keeps churn-model@1: the new/,
    )
  })

  it('that do not follow take the tick from the headline, and the next command stands there', async () => {
    const old = await entry()
    const kept = { serving: { version: 1, manifest: old.manifest }, state: 'keeping' as const, why: 'another column' }
    await up(2)
    hint('web-1', await entry(), kept)
    const moved = up(3, { wait: 60_000 })
    hint('web-1', await onceThere(3), kept)
    const result = await moved
    assert.deepEqual([result.services?.followed, result.services?.running], ['none', 1])
    assert.equal(result.services?.remedy?.command, `mlops scaffold fastapi ${MODEL}@3`)
    const text = renderPromotion(ui, result, true)
    assert.match(text, /^▲ churn-model@3 is in production now \(was churn-model@2\), but no running service follows/)
    assert.match(text, /Next: mlops scaffold fastapi churn-model@3\n.*web-1 on box: another column/)

    const going = rollback(w.ctx, w.project(), w.store, {
      model: MODEL,
      stage: 'production',
      verify: false,
      wait: 60_000,
    })
    // Followers first: once every one of them has said its word nothing is waited for.
    hint('web-2', await onceThere(2))
    hint('web-1', await entry(), kept)
    const back = await going
    assert.equal(back.services?.followed, 'some')
    assert.match(renderRollback(ui, back), /^▲ production is back from .*, but only 1 of 2 running services follows/)
  })

  it('that were killed do not count as running, and are not waited for', async () => {
    const old = await entry()
    await up(2)
    hint('web-1', await entry())
    hint('web-2', old, { time: new Date(Date.now() - 20_000).toISOString() })
    const { services } = await up(3, { wait: 100 }).then(async () => {
      hint('web-1', await entry())
      return rollback(w.ctx, w.project(), w.store, { model: MODEL, stage: 'production', verify: false, wait: 100 })
    })
    assert.deepEqual(
      services?.services.map(({ instance, verdict }) => [instance, verdict]),
      [
        ['web-1', 'behind'],
        ['web-2', 'silent'],
      ],
    )
    assert.equal(services?.running, 1)
  })

  it('that say nothing new are told as behind, once the time is over', async () => {
    hint('web-1', await entry())
    const result = await rollbackAfter()
    assert.deepEqual(
      result.services?.services.map(({ verdict }) => verdict),
      ['behind'],
    )
  })
  const rollbackAfter = async () => {
    await up(2)
    return rollback(w.ctx, w.project(), w.store, { model: MODEL, stage: 'production', verify: false, wait: 150 })
  }

  it('follow a rollout when they give it its share', async () => {
    hint('web-1', await entry())
    await up(2, { rollout: [5, 100] })
    const now = await entry()
    const served = async () => {
      const model = (await fleetStatus({ ...w.ctx, now: () => new Date() }, w.project(), w.store)).models[0]
      return model?.served.flatMap(({ services }) => services.map(({ verdict, rollout }) => [verdict, rollout]))
    }
    assert.deepEqual(await served(), [['behind', null]])
    hint('web-1', now)
    assert.deepEqual(await served(), [['follows', { version: 2, weight: 5 }]])
  })

  it('that serve another version than production are the worst that status knows', async () => {
    const first = await entry()
    await up(2)
    hint('web-1', await entry(), { serving: { version: 1, manifest: first.manifest }, state: 'keeping', why: 'golden' })
    const report = await fleetStatus({ ...w.ctx, now: () => new Date() }, w.project(), w.store)
    const [model] = report.models
    assert.equal(model?.rank, 'serves another version')
    assert.equal(model?.next?.command, `mlops model diff ${MODEL}@1 ${MODEL}@2`)
    const text = renderStatus(ui, report)
    assert.match(text, /a service serves another version than production/)
    assert.match(text, /web-1 on box keeps churn-model@1: golden/)
  })

  it('that are of another contract are made anew, which no comparison of versions does', async () => {
    const first = await entry()
    await up(2)
    const why = 'version 2 is kept out: another contract: it wants Dependents, and the service does not know it'
    hint('web-1', await entry(), { serving: { version: 1, manifest: first.manifest }, state: 'keeping', why })
    const report = await fleetStatus({ ...w.ctx, now: () => new Date() }, w.project(), w.store)
    const next = report.models[0]?.next
    assert.equal(next?.command, `mlops scaffold fastapi ${MODEL}@2`)
    assert.match(next?.why ?? '', /it wants Dependents.*makes the service's code for churn-model@2: deploy it/)
  })

  it('that answer nothing are an outage: the worst of all, before drift, with what mends it', async () => {
    await up(2)
    const now = await entry()
    const why = 'version 2 cannot be loaded: object 3f0c… is damaged: its bytes are others'
    hint('web-1', now, { serving: null, state: 'starting', why })
    hint('web-2', now, { time: new Date(Date.now() - 20_000).toISOString() })
    const look = () => fleetStatus({ ...w.ctx, now: () => new Date() }, w.project(), w.store)
    const report = await look()
    assert.equal(report.models[0]?.rank, 'served by nobody')
    assert.equal(report.next?.command, 'mlops store verify')
    assert.match(report.next?.why ?? '', /mlops rollback churn-model/)
    const text = renderStatus(ui, report)
    assert.match(text, /^✖ churn-model@2 {2}nobody serves it: production gives no answers/)
    assert.match(text, /production \(@2\): 0 of 1 running service serves it/)
    assert.match(text, /web-1 on box serves nothing: version 2 cannot be loaded: object 3f0c… is damaged/)
    assert.match(text, /web-2 on box has stopped saying that it runs/)

    hint('web-1', now)
    assert.notEqual((await look()).models[0]?.rank, 'served by nobody', 'one that answers is no outage')
    hint('web-1', now, { serving: null, state: 'starting' })
    assert.notEqual((await look()).models[0]?.rank, 'served by nobody', 'one that has only just started is none')
  })

  it('that serve the right version, and cannot give a rollout its share, are told of and no more', async () => {
    await up(2, { rollout: [5, 100] })
    hint('web-1', await entry(), { rollout: null, state: 'keeping', why: 'golden predictions differ' })
    const report = await fleetStatus({ ...w.ctx, now: () => new Date() }, w.project(), w.store)
    assert.equal(report.models[0]?.rank, 'never checked')
    assert.match(renderStatus(ui, report), /web-1 on box keeps churn-model@1: golden predictions differ/)
    hint('web-1', await entry(), { rollout: null, state: 'keeping', why: 'version 2 is kept out: another contract' })
    const { rollouts } = await rolloutStatus(w.ctx, w.project(), w.store, { model: MODEL })
    assert.equal(rollouts[0]?.services?.remedy?.command, `mlops scaffold fastapi ${MODEL}@2`, 'not of the stable one')
    const ended = await rollback(w.ctx, w.project(), w.store, { model: MODEL, stage: 'production', wait: 0 })
    assert.equal(ended.services?.followed, 'all', 'with the rollout ended it does what it should')
  })

  it('that have gone, or say nothing that can be read, are left out', async () => {
    hint('web-1', await entry(), { time: new Date(Date.now() - 60_000).toISOString() })
    const torn = join(w.store.root, 'models', MODEL, 'serving', 'web-2.json')
    writeFileSync(torn, '{"v":1,')
    utimesSync(torn, new Date(), new Date())
    assert.equal((await up(2, { wait: 60_000 })).services, undefined)
  })

  it('are shown a rollout by status, with what to look at', async () => {
    await up(2, { rollout: [5, 100] })
    const [model] = (await fleetStatus(w.ctx, w.project(), w.store)).models
    assert.deepEqual(
      model?.rollouts.map(({ stage, version, stable, weight }) => [stage, version, stable, weight]),
      [['production', 2, 1, 5]],
    )
    assert.equal(model?.next?.command, `mlops rollout status ${MODEL}`)
    assert.deepEqual(
      model?.pending.map(({ version }) => version),
      [3],
    )
  })
})
