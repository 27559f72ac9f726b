/** The rule against retraining storms, over a month of nights: drift that stays, two machines that both retrain every night. */
import assert from 'node:assert/strict'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { registerVersion } from '../../../src/lifecycle/register/register.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import type { RetrainResult } from '../../../src/retrain/retrain.ts'
import type { TrackRequest } from '../../../src/tracking/execute/track.ts'
import { skipBecause } from '../../support/skip.ts'
import { dyingStore } from './dying.ts'
import { hasPython, MODEL, POLICY, type Workshop, workshop } from './workshop.ts'

const DAY = 864e5

describe('A month of nightly retrainings', function () {
  this.timeout(120_000)
  let shop: Workshop
  before(async function () {
    if (!hasPython()) skipBecause(this, 'python3 is not installed')
    shop = await workshop(POLICY.replace('notify_on_fail: [slack: "#ml-ops-alerts"]', ''))
    await shop.firstVersion()
    await shop.check('data/june.csv')
  })
  after(() => shop?.remove())

  const trainings: number[] = []
  let night = 0
  const train =
    (killed?: () => never) =>
    async (...args: Parameters<Workshop['steps']['train']>) => {
      trainings.push(night)
      if (killed !== undefined) killed()
      const request: TrackRequest = args[3]
      return shop.steps.train(args[0], args[1], args[2], request)
    }
  /** Two machines at the same minute; at least one of them is answered. @returns what came of it, in words */
  const tonight = async (): Promise<string[]> => {
    night += 1
    shop.clock.ahead += DAY
    const both = await Promise.allSettled([shop.retrain({}, { train: train() }), shop.retrain({}, { train: train() })])
    return both.map((each) => {
      if (each.status === 'rejected') return (each.reason as { code?: string }).code ?? String(each.reason)
      const { outcome, plan }: RetrainResult = each.value
      return plan.blocked === null ? outcome : plan.blocked.kind
    })
  }
  const nights = async (count: number, expected: string): Promise<void> => {
    for (let i = 0; i < count; i++) assert.deepEqual(await tonight(), [expected, expected], `night ${night}`)
  }
  const toProduction = (version: number) =>
    promote(shop.ctx, shop.project, shop.store, {
      ref: { model: MODEL, selector: { version } },
      stage: 'production',
      approve: ['ada'],
    })

  it('trains once for the drift that began it, though two machines ask', async () => {
    const [first, second] = (await tonight()).sort()
    assert.deepEqual([first, second], ['RETRAIN_RUNNING', 'promoted'])
    assert.deepEqual(trainings, [1])
  })

  it('waits a week while the candidate waits for a person', async () => {
    await nights(7, 'awaits a decision')
    assert.deepEqual(trainings, [1])
  })

  it('trains for the new version in production when that drifts, and not again once its gate refused', async () => {
    await toProduction(2)
    await shop.check('data/same.csv')
    shop.write('quality.txt', '0.7')
    assert.ok((await tonight()).includes('refused'))
    await nights(4, 'rejected')
    assert.deepEqual(trainings, [1, 9])
  })

  it('does not begin anew after a rollback to the version whose candidate was taken back', async () => {
    await rollback(shop.ctx, shop.project, shop.store, { model: MODEL, stage: 'production', reason: 'odd scores' })
    await nights(3, 'rejected')
    await toProduction(2)
    await nights(1, 'rejected')
    assert.deepEqual(trainings, [1, 9])
  })

  it('rests for the cool-down after a failure, and then tries once more', async () => {
    shop.write('model.bin', 'by hand')
    await registerVersion(shop.ctx, shop.project, shop.store, {
      model: MODEL,
      artifacts: ['model.bin'],
      baseline: 'data/train.csv',
      test: 'data/test.csv',
      metrics: { auc: 0.8 },
    })
    await toProduction(4)
    await shop.check('data/june.csv')
    shop.write('quality.txt', 'broken')
    assert.ok((await tonight()).includes('JOB_FAILED'))
    await nights(6, 'cool-down')
    assert.deepEqual(trainings, [1, 9, 18])
  })

  it('trains again the night after it was killed, goes on with the same attempt, and waits for a person again', async () => {
    shop.write('quality.txt', '0.95')
    night += 1
    shop.clock.ahead += DAY
    const { store, kill } = dyingStore(shop.store)
    await assert.rejects(shop.retrain({}, { train: train(kill) }, store))
    const after = await tonight()
    assert.ok(after.includes('promoted'), after.join())
    await nights(4, 'awaits a decision')
    assert.equal(night, 30)
    assert.deepEqual(trainings, [1, 9, 18, 25, 26], 'five trainings in thirty nights of two machines')
    assert.equal(await shop.versions(), 5)
  })
})
