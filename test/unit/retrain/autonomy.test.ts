/** The three levels of autonomy: it reports, it stages, it promotes once that was earned. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { loadProject } from '../../../src/project/load.ts'
import { skipBecause } from '../../support/skip.ts'
import { hasPython, MODEL, POLICY, type Workshop, workshop } from './workshop.ts'

const CHANNELS = POLICY.replace(
  'notify_on_fail: [slack: "#ml-ops-alerts"]',
  'notify_on_fail: [file: fail.jsonl]\n  notify_on_pass: [file: pass.jsonl]',
)
const at = (autonomy: string): string =>
  CHANNELS.replace('  promote_on_pass', `  autonomy: ${autonomy}\n  promote_on_pass`)
const DAY = 864e5

describe('Autonomy of a retraining', function () {
  this.timeout(60_000)
  let shop: Workshop
  before(function () {
    if (!hasPython()) skipBecause(this, 'python3 is not installed')
  })
  afterEach(() => shop?.remove())
  const begin = async (policy: string): Promise<void> => {
    shop = await workshop(policy)
    await shop.firstVersion()
    await shop.check('data/june.csv')
  }
  // biome-ignore lint/suspicious/noExplicitAny: a message as the channel wrote it
  const lines = (file: string): any[] =>
    existsSync(join(shop.dir, file))
      ? readFileSync(join(shop.dir, file), 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      : []
  const toProduction = (version: number) =>
    promote(shop.ctx, shop.project, shop.store, {
      ref: { model: MODEL, selector: { version } },
      stage: 'production',
      approve: ['ada'],
    })

  describe('level 1', () => {
    beforeEach(() => begin(at('1')))

    it('trains nothing when the trigger fires, and tells what it would do, once per cool-down', async () => {
      const result = await shop.retrain()
      assert.equal(result.outcome, 'due')
      assert.equal(result.next, `mlops retrain ${MODEL} --reason TEXT`)
      assert.deepEqual([await shop.runs(), (await shop.jobs()).length], [1, 0])
      await shop.retrain()
      assert.equal(lines('fail.jsonl').length, 1, 'every night would be noise')
      const [told] = lines('fail.jsonl')
      assert.match(told.title, /churn-model: retraining is due/)
      assert.match(
        told.findings.join('\n'),
        /would train: python3 train.py data\/june.csv.*would promote: it to staging/s,
      )
      shop.clock.ahead += 7 * DAY
      await shop.retrain()
      assert.equal(lines('fail.jsonl').length, 2)
    })

    it('says when none is due any more', async () => {
      await shop.retrain()
      await shop.check('data/same.csv')
      shop.clock.ahead += 60_000
      assert.equal((await shop.retrain()).outcome, 'nothing to do')
      assert.deepEqual(
        lines('fail.jsonl').map(({ state }) => state),
        ['firing', 'recovered'],
      )
    })

    it('trains when a person gives a reason', async () => {
      const result = await shop.retrain({ reason: 'ada looked at it' })
      assert.deepEqual([result.outcome, result.version], ['promoted', 2])
      assert.equal((await shop.retrain()).outcome, 'nothing to do', 'its candidate waits')
    })
  })

  it('at level 2 tells on pass, with the checks and their values, and on fail', async () => {
    await begin(CHANNELS)
    await shop.retrain()
    const [pass] = lines('pass.jsonl')
    assert.match(pass.title, /churn-model@2: retraining went through/)
    assert.match(pass.findings.join('\n'), /min_auc: auc >= 0.8, is 0.9 \(pass\)/)
    assert.equal(pass.next, 'mlops promote churn-model@2 --to production --approve NAME')
    assert.deepEqual(lines('fail.jsonl'), [], 'nobody was told of trouble, so nobody is told of its end')
    await toProduction(2)
    await shop.check('data/same.csv')
    shop.write('quality.txt', '0.7')
    assert.equal((await shop.retrain()).outcome, 'refused')
    assert.match(lines('fail.jsonl')[0]?.findings.join('\n'), /min_auc: auc >= 0.8, is 0.7 \(fail\)/)
    assert.equal(lines('pass.jsonl').length, 1)
  })

  describe('level 3', () => {
    const EARNED = '{level: 3, min_age: 1d, min_clean_promotions: 1}'
    const GATES = `    gates:
      staging: {min_auc: 0.5}
      production: {min_auc: 0.8, compare_to: production, margin: {auc: 0.05}, external: [{name: tests, command: python3 -c pass}]}
`
    const gated = async (): Promise<void> => {
      const config = readFileSync(join(shop.dir, 'mlops.yaml'), 'utf8')
      shop.write('mlops.yaml', config.replace(/ {4}gates:\n.*\n/, GATES))
      shop.project = await loadProject({ cwd: shop.dir, env: {} })
    }

    it('leaves the candidate in staging until it was earned, says what is missing, and that is no failure', async () => {
      await begin(at(EARNED))
      await gated()
      const result = await shop.retrain()
      assert.deepEqual([result.outcome, result.production?.outcome], ['promoted', 'not earned'], result.message)
      assert.deepEqual(await shop.stages(), { production: 1, staging: 2 })
      assert.match(result.production?.missing.join('\n') ?? '', /0 of 1 clean staged promotions/)
      assert.equal(result.next, 'mlops promote churn-model@2 --to production --approve NAME')
      assert.equal((await shop.retrain()).plan.blocked?.kind, 'awaits a decision')
    })

    it('promotes to production once it was earned, also where promote_on_pass says production', async () => {
      await begin(at(EARNED).replace('promote_on_pass: staging', 'promote_on_pass: production'))
      await gated()
      await shop.retrain()
      await toProduction(2)
      shop.clock.ahead += 2 * DAY
      await shop.check('data/same.csv')
      shop.write('quality.txt', '0.95')
      const { plan } = await shop.retrain({ planOnly: true })
      assert.deepEqual(
        plan.steps.map(({ name }) => name),
        ['train', 'register', 'validate', 'promote', 'promote', 'tell'],
      )
      const result = await shop.retrain()
      assert.deepEqual(
        [result.outcome, result.production?.outcome],
        ['promoted', 'promoted'],
        JSON.stringify(result.production),
      )
      assert.deepEqual(await shop.stages(), { production: 3, staging: 3 })
      const state = await shop.store.models.state(MODEL)
      const event = state.events.at(-1)
      assert.equal(event?.type === 'promote' && event.body.approval?.origin, 'policy')
      assert.deepEqual(
        (await shop.jobs()).flatMap((each) => (each.kind === 'step' && each.name === 'promoted' ? [each.stage] : [])),
        ['staging', 'staging', 'production'],
      )
    })

    for (const goal of ['staging', 'production']) {
      it(`does not promote to production under --force, however much was earned (promote_on_pass: ${goal})`, async () => {
        await begin(at(EARNED).replace('promote_on_pass: staging', `promote_on_pass: ${goal}`))
        await gated()
        await shop.retrain()
        await toProduction(2)
        shop.clock.ahead += 2 * DAY
        await shop.check('data/same.csv')
        shop.write('quality.txt', '0.95')
        const result = await shop.retrain({ force: true, reason: 'a person wants it' })
        assert.equal(result.plan.autonomy.level, 2)
        assert.equal((await shop.stages()).production, 2, result.message)
        assert.deepEqual([result.outcome, result.production], ['promoted', null])
      })
    }

    it('stays in staging where the gate of production refuses it, and tells', async () => {
      await begin(at(EARNED))
      await gated()
      await shop.retrain()
      await toProduction(2)
      shop.clock.ahead += 2 * DAY
      await shop.check('data/same.csv')
      shop.write('quality.txt', '0.82')
      const result = await shop.retrain()
      assert.deepEqual(
        [result.outcome, result.production?.outcome],
        ['promoted', 'refused'],
        JSON.stringify(result.production),
      )
      assert.deepEqual(await shop.stages(), { production: 2, staging: 3 })
      assert.equal(lines('fail.jsonl').length, 1)
      assert.match(lines('fail.jsonl')[0].summary, /The gate of production refuses it/)
    })
  })
})
