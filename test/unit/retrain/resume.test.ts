/** A retraining whose process dies between any two steps is gone on with, and nothing is done twice. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasGone } from '../../../src/core/process-place.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { lastRetraining } from '../../../src/lifecycle/status/last-retraining.ts'
import { DEAD_AFTER } from '../../../src/retrain/job-log.ts'
import type { RetrainResult } from '../../../src/retrain/retrain.ts'
import { skipBecause } from '../../support/skip.ts'
import { type Death, dyingStore, Killed } from './dying.ts'
import { hasPython, MODEL, POLICY, type Workshop, workshop } from './workshop.ts'

const TOLD = POLICY.replace(
  'notify_on_fail: [slack: "#ml-ops-alerts"]',
  'notify_on_fail: [file: told.jsonl]\n  notify_on_pass: [file: told.jsonl]',
)

describe('A retraining that is killed', function () {
  this.timeout(60_000)
  let shop: Workshop
  before(function () {
    if (!hasPython()) skipBecause(this, 'python3 is not installed')
  })
  beforeEach(async () => {
    shop = await workshop(TOLD)
    await shop.firstVersion()
    await shop.check('data/june.csv')
  })
  afterEach(() => shop.remove())

  const die = async (death: Death): Promise<void> => {
    const { store, isDead } = dyingStore(shop.store, death)
    await assert.rejects(shop.retrain({}, {}, store))
    assert.ok(isDead(), 'it was not killed')
  }
  const goOn = async (): Promise<RetrainResult> => {
    shop.clock.ahead += DEAD_AFTER
    return shop.retrain()
  }
  const told = (): string[] =>
    existsSync(join(shop.dir, 'told.jsonl'))
      ? readFileSync(join(shop.dir, 'told.jsonl'), 'utf8').trim().split('\n')
      : []
  const names = async () => (await shop.jobs()).map((record) => (record.kind === 'step' ? record.name : record.kind))

  const WELL = ['begin', 'training', 'trained', 'registered', 'promoted', 'told', 'end']

  it('gives way at once where its process is known to have gone', async () => {
    const { spawnSync } = await import('node:child_process')
    await die({ at: 2, when: 'after' })
    const [begin] = await shop.jobs()
    const place = begin?.kind === 'begin' ? begin.process : undefined
    assert.equal(hasGone(place), false, 'this process is at work')
    if (place === undefined) return
    assert.equal(place.pid, process.pid)
    const { pid } = spawnSync('true')
    assert.equal(hasGone({ ...place, pid }), true)
    assert.equal(hasGone({ place: 'another machine', pid }), false, 'of other machines nothing is known')
    assert.equal(hasGone(undefined), false)
  })

  it('says of one that it does not go on with where it stopped, and does not suggest what cannot work', async () => {
    await die({ at: 2, when: 'after' })
    shop.clock.ahead += DEAD_AFTER
    shop.write('retraining-policy.yaml', TOLD.replace('command: python3 train.py', 'command: python3 -u train.py'))
    await shop.retrain()
    const said = shop.warnings.find((warning) => warning.includes('An earlier retraining stopped while training'))
    assert.ok(said, shop.warnings.join('\n'))
    assert.doesNotMatch(said, /register/)
  })

  it('records its steps one by one', async () => {
    await shop.retrain()
    assert.deepEqual(await names(), WELL)
    const [begin] = await shop.jobs()
    assert.ok(
      begin?.kind === 'begin' && begin.trigger?.columns.some(({ column }) => column === 'tenure'),
      'the evidence',
    )
  })

  const stops: readonly [Death, string | null][] = [
    [{ at: 1, when: 'after' }, 'before the training began'],
    [{ at: 2, when: 'after' }, 'while training'],
    [{ at: 3, when: 'before' }, 'after training'],
    [{ at: 3, when: 'after' }, 'after training'],
    [{ at: 4, when: 'before' }, 'after training'],
    [{ at: 4, when: 'after' }, `after registering ${MODEL}@2`],
    [{ at: 5, when: 'before' }, `after registering ${MODEL}@2`],
    [{ at: 5, when: 'after' }, `after ${MODEL}@2 entered staging`],
    [{ at: 6, when: 'before' }, `after ${MODEL}@2 entered staging`],
    [{ at: 6, when: 'after' }, 'after everybody was told'],
  ]
  for (const [death, stopped] of stops) {
    it(`${death.when} record ${death.at}, ${WELL[death.at - 1]}, goes on, trains once, registers once, tells once`, async () => {
      await die(death)
      const planned = await shop.retrain({ planOnly: true }).then(({ plan }) => plan)
      assert.ok(planned.running !== null, 'for a while it may still be at work')
      shop.clock.ahead += DEAD_AFTER
      const { resume, steps } = (await shop.retrain({ planOnly: true })).plan
      assert.equal(resume?.stopped, stopped)
      assert.equal((await lastRetraining(shop.store, MODEL, shop.ctx.now()))?.outcome, 'stopped')
      const doneBefore = steps.filter(({ done }) => done).length
      const result = await shop.retrain()
      assert.deepEqual([result.outcome, result.version], ['promoted', 2], result.message)
      assert.deepEqual(await shop.stages(), { production: 1, staging: 2 })
      assert.deepEqual([await shop.runs(), await shop.versions()], [2, 2])
      assert.equal(told().length, 1, told().join('\n'))
      assert.equal(doneBefore, [0, 0, 1, 1, 1, 2, 2, 4, 4, 5][stops.findIndex(([each]) => each === death)])
      const ends = (await shop.jobs()).filter(({ kind }) => kind === 'end')
      assert.equal(ends.length, 1)
      assert.equal(new Set((await shop.jobs()).map(({ attempt }) => attempt)).size, 1, 'one attempt')
      assert.ok(shop.warnings.some((warning) => warning.includes(`stopped ${stopped}; this goes on from there`)))
      assert.equal((await shop.retrain()).outcome, 'nothing to do', 'and nothing trains again')
    })
  }

  it('after the gate refused goes on with telling, and judges nothing again', async () => {
    shop.write('quality.txt', '0.7')
    await die({ at: 6, when: 'before' })
    shop.write('quality.txt', '0.95')
    const result = await goOn()
    assert.deepEqual([result.outcome, result.version], ['refused', 2])
    assert.equal(told().length, 1)
    assert.match(told().join(), /auc >= 0.8, is 0.7/)
    assert.deepEqual([await shop.runs(), (await shop.retrain()).plan.blocked?.kind], [2, 'rejected'])
  })

  it('after a training that failed says so and rests, without training again', async () => {
    shop.write('quality.txt', 'broken')
    await die({ at: 3, when: 'before' })
    shop.clock.ahead += DEAD_AFTER
    await assert.rejects(shop.retrain(), /exit code 3.*cannot converge/s)
    assert.equal(await shop.runs(), 2)
    assert.equal((await shop.retrain()).plan.blocked?.kind, 'cool-down')
    assert.equal(told().length, 1)
  })

  it('is finished though its cause has gone since: the gate still holds', async () => {
    await die({ at: 4, when: 'before' })
    shop.clock.ahead += DEAD_AFTER
    await shop.check('data/same.csv')
    assert.equal((await shop.retrain()).outcome, 'promoted')
    assert.equal(await shop.runs(), 2)
  })

  it('is left alone when its cause has gone before it trained, and that is said', async () => {
    await die({ at: 2, when: 'after' })
    shop.clock.ahead += DEAD_AFTER
    await shop.check('data/same.csv')
    const result = await shop.retrain()
    assert.equal(result.outcome, 'nothing to do')
    assert.equal(result.plan.unfinished?.stopped, 'while training')
  })

  it('is not gone on with under another version in production, and what it trained is named', async () => {
    await die({ at: 4, when: 'before' })
    await promote(shop.ctx, shop.project, shop.store, {
      ref: { model: MODEL, selector: { version: 2 } },
      stage: 'production',
      approve: ['ada'],
    })
    shop.clock.ahead += DEAD_AFTER
    shop.write('data/july.csv', readFileSync(join(shop.dir, 'data/train.csv'), 'utf8'))
    await shop.check('data/july.csv')
    shop.write('quality.txt', '0.95')
    const result = await shop.retrain()
    assert.equal(result.outcome, 'promoted')
    assert.equal(result.version, 3)
    assert.match(
      shop.warnings.join('\n'),
      /An earlier retraining stopped after training .* mlops register churn-model --run/,
    )
  })

  it('by a person with --force is gone on with when the same is typed again', async () => {
    await shop.check('data/same.csv')
    const request = { force: true, reason: 'labels of June' }
    const { store } = dyingStore(shop.store, { at: 4, when: 'before' })
    await assert.rejects(shop.retrain(request, {}, store))
    shop.clock.ahead += DEAD_AFTER
    const again = await shop.retrain(request)
    assert.deepEqual([again.outcome, again.version, await shop.runs()], ['promoted', 2, 2])
    const state = await shop.store.models.state(MODEL)
    assert.equal(state.versions[1]?.message, 'labels of June')
    assert.equal((await shop.retrain({ force: true, reason: 'labels of July' })).outcome, 'promoted')
    assert.equal(await shop.runs(), 3)
  })

  it('during training trains again, at most twice, then is a failure that rests', async () => {
    const killInTraining = async (): Promise<void> => {
      const { store, kill } = dyingStore(shop.store)
      const train = async (): Promise<never> => kill()
      await assert.rejects(shop.retrain({}, { train }, store), (error) => error instanceof Killed)
      shop.clock.ahead += DEAD_AFTER
    }
    await killInTraining()
    await killInTraining()
    assert.match(shop.warnings.join('\n'), /stopped while training; this goes on from there/)
    await killInTraining()
    assert.equal((await shop.retrain({ planOnly: true })).plan.resume?.next, 'give up')
    await assert.rejects(shop.retrain(), /Training was killed 3 times within the cool-down/)
    assert.equal(told().length, 1)
    const blocked = await shop.retrain()
    assert.deepEqual([blocked.outcome, blocked.plan.blocked?.kind], ['blocked', 'cool-down'])
    assert.equal((await shop.jobs()).filter((each) => each.kind === 'step' && each.name === 'training').length, 3)
    shop.clock.ahead += 7 * 864e5
    assert.equal((await shop.retrain()).outcome, 'promoted', 'after the cool-down it trains')
  })

  it('by Ctrl-C three times within the cool-down rests too: a time limit must not train every night', async () => {
    const train = async (...args: Parameters<typeof shop.steps.train>) => {
      const outcome = await shop.steps.train(...args)
      return { ...outcome, end: { ...outcome.end, status: 'interrupted' as const } }
    }
    for (let night = 0; night < 3; night++) await assert.rejects(shop.retrain({}, { train }), /was interrupted/)
    const blocked = await shop.retrain()
    assert.deepEqual([blocked.outcome, blocked.plan.blocked?.kind], ['blocked', 'cool-down'])
    assert.match(blocked.plan.why, /interrupted 3 times within the cool-down of 7 days/)
  })

  it('is taken for alive as long as it shows signs of life, and names its run', async () => {
    await die({ at: 2, when: 'after' })
    shop.clock.ahead += DEAD_AFTER - 1_000
    await assert.rejects(shop.retrain(), (error: Error & { code?: string; exitCode?: number }) => {
      assert.deepEqual([error.code, error.exitCode], ['RETRAIN_RUNNING', 5])
      assert.match(error.message, /by ada@laptop on .*, for 1 minute \(run 01/)
      return true
    })
  })

  it('stays open when somebody else moved the stage meanwhile, and is finished the next time at once', async () => {
    let moved = false
    const { conflict } = await import('../../../src/core/errors.ts')
    const busy = async (...args: Parameters<typeof shop.steps.promote>) => {
      if (moved) return shop.steps.promote(...args)
      moved = true
      throw conflict({ code: 'STAGE_MOVED', message: 'eve moved staging', hint: 'look' })
    }
    await assert.rejects(shop.retrain({}, { promote: busy }), /eve moved staging/)
    const result = await shop.retrain({}, { promote: busy })
    assert.deepEqual([result.outcome, await shop.runs()], ['promoted', 2])
  })
})
