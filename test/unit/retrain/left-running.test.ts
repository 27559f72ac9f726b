/** A training that outlived its killed `mlops retrain`: real processes, found by the run in their environment. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { DEAD_AFTER } from '../../../src/retrain/job-log.ts'
import { processesOfRun } from '../../../src/retrain/left-running.ts'
import { skipBecause } from '../../support/skip.ts'
import { rejection } from '../lifecycle/fixture.ts'
import { dyingStore } from './dying.ts'
import { hasPython, MODEL, type Workshop, workshop } from './workshop.ts'

describe('A training that outlived its retraining', function () {
  this.timeout(60_000)
  let shop: Workshop
  before(function () {
    if (!hasPython()) skipBecause(this, 'python3 is not installed')
    if (process.platform !== 'linux') skipBecause(this, 'only Linux shows the environment of a process')
  })
  beforeEach(async () => {
    shop = await workshop()
    await shop.firstVersion()
    await shop.check('data/june.csv')
  })
  afterEach(() => shop.remove())

  for (const force of [false, true]) {
    it(`is not trained beside${force ? ', also not by --force' : ''}; once it has ended, the next one goes on`, async () => {
      const { store } = dyingStore(shop.store, { at: 2, when: 'after' })
      await assert.rejects(shop.retrain({}, {}, store))
      const step = (await shop.jobs()).at(-1)
      assert.ok(step?.kind === 'step' && step.name === 'training')
      const child = spawn('sleep', ['300'], { env: { ...process.env, MLOPS_RUN_ID: step.run }, stdio: 'ignore' })
      const ended = new Promise((resolve) => child.on('exit', resolve))
      await new Promise((resolve) => child.once('spawn', resolve))
      const pid = child.pid ?? 0
      try {
        while ((await processesOfRun(step.run)).length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
        shop.clock.ahead += DEAD_AFTER
        const asked = force ? { force, reason: 'now' } : {}
        const error = await rejection(shop.retrain(asked))
        assert.deepEqual([error.code, error.exitCode], ['TRAINING_STILL_RUNNING', 5])
        assert.ok(
          error.message.includes(`still running: pid ${pid}, since ${step.time} (run ${step.run})`),
          error.message,
        )
        assert.match(error.hint ?? '', new RegExp(`: kill ${pid}$`))
        assert.equal((await shop.jobs()).length, 2, 'nothing was begun')
      } finally {
        child.kill('SIGKILL')
        await ended
      }
      const result = await shop.retrain()
      assert.deepEqual([result.outcome, result.model, result.version], ['promoted', MODEL, 2])
    })
  }

  it('is found by its own run alone', async () => {
    assert.deepEqual(await processesOfRun('01JNOSUCHRUN00000000000000'), [])
  })
})
