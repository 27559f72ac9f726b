/** What must be there before a retraining may go without a person, and that all of it is named at once. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { conflict, type MlopsError } from '../../../src/core/errors.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { registerVersion } from '../../../src/lifecycle/register/register.ts'
import { loadProject } from '../../../src/project/load.ts'
import { skipBecause } from '../../support/skip.ts'
import { hasPython, MODEL, POLICY, type Workshop, workshop } from './workshop.ts'

const BARE = POLICY.replace('validation: {min_auc: 0.8}', '').replace(', test: data/test.csv', '')

const interruptedBy = () => conflict({ code: 'STAGE_MOVED', message: 'somebody else was faster' })

describe('The preflight of a retraining', function () {
  this.timeout(60_000)
  let shop: Workshop
  before(function () {
    if (!hasPython()) skipBecause(this, 'python3 is not installed')
  })
  afterEach(() => shop?.remove())

  const bare = async (policy = BARE): Promise<void> => {
    shop = await workshop(policy)
    shop.write(
      'mlops.yaml',
      readFileSync(join(shop.dir, 'mlops.yaml'), 'utf8')
        .replace('gates:', '')
        .replace(/ +staging: .*\n/, ''),
    )
    shop.project = await loadProject({ cwd: shop.dir, env: {} })
  }
  const refusal = async (): Promise<MlopsError> =>
    shop.retrain().then(
      () => assert.fail('it went through'),
      (error: MlopsError) => error,
    )
  const missing = (error: MlopsError) =>
    (error.details as { missing: readonly { what: string; mend: string }[] }).missing.map(
      ({ what, mend }) => `${what}: ${mend}`,
    )

  it('names everything that is missing at once, with what to type or to write for each', async () => {
    await bare()
    const error = await refusal()
    assert.deepEqual([error.code, error.exitCode], ['PREFLIGHT_REFUSED', 3])
    assert.deepEqual(missing(error), [
      `version in production: mlops retrain ${MODEL} --force --reason "the first version", or register one: mlops register ${MODEL} --artifact FILE --baseline DATA`,
      `baseline: mlops register ${MODEL} --run RUN --baseline DATA, then promote that version`,
      'metric: write in retraining-policy.yaml, under policy: the line  validation: {min_auc: 0.8}',
      `labelled data: write in mlops.yaml, under models: ${MODEL}: the line  schema: {target: COLUMN}, or under policy.job:  data: {test: PATH}`,
    ])
    for (const line of missing(error)) assert.ok(error.message.includes(line.split(': ').slice(1).join(': ')), line)
    assert.match(error.hint ?? '', /--force --reason/)
    assert.equal(await shop.runs(), 0)
  })

  it('names what is left once some of it is there, with the metric that the version has', async () => {
    await bare()
    shop.write('model.bin', 'weights')
    await registerVersion(shop.ctx, shop.project, shop.store, {
      model: MODEL,
      artifacts: ['model.bin'],
      metrics: { log_loss: 0.4 },
    })
    assert.match(
      missing(await refusal())[0] ?? '',
      /^version in production: mlops promote churn-model@1 --to production/,
    )
    const ref = { model: MODEL, selector: { version: 1 } }
    await promote(shop.ctx, shop.project, shop.store, { ref, stage: 'production', approve: ['ada'] })
    const left = missing(await refusal())
    assert.deepEqual(
      left.map((line) => line.split(':')[0]),
      ['baseline', 'metric', 'labelled data'],
    )
    assert.match(left[1] ?? '', /validation: \{max_log_loss: 0.4\}/)
  })

  it('lets a person go on with a reason, and says what could not go without one', async () => {
    await bare()
    const result = await shop.retrain({ force: true, reason: 'the first version' })
    assert.equal(result.outcome, 'promoted', result.message)
    const said = shop.warnings.join('\n')
    assert.match(said, /This could not go without a person; no version in production: .*no metric: .*no labelled data:/)
  })

  it('shows in the plan what is there and what is not, and costs nothing', async () => {
    await bare()
    const { plan, next } = await shop.retrain({ planOnly: true })
    assert.equal(plan.decision, 'not ready')
    assert.deepEqual(
      plan.preflight.map(({ what, ok }) => [what, ok]),
      [
        ['version in production', false],
        ['baseline', false],
        ['metric', false],
        ['labelled data', false],
        ['data to train on', true],
      ],
    )
    assert.match(next, /^mlops retrain churn-model --force --reason "the first version"$/)
    assert.deepEqual([await shop.runs(), (await shop.jobs()).length], [0, 0])
  })

  it('is content with a target, a bound of the stage, a baseline of the model, and asks a manual policy for none of it', async () => {
    shop = await workshop(BARE.replace('{type: drift, metric: psi, threshold: 0.15}', '{type: manual}'))
    await shop.firstVersion()
    const { plan } = await shop.retrain({ planOnly: true, reason: 'new labels' })
    assert.deepEqual(
      plan.preflight.map(({ ok }) => ok),
      [true, true, true, true, true],
    )
    assert.equal(plan.decision, 'retrain')
    await bare(BARE.replace('{type: drift, metric: psi, threshold: 0.15}', '{type: manual}'))
    assert.equal((await shop.retrain({ planOnly: true, reason: 'x' })).plan.decision, 'retrain')
  })

  describe('looks at the data of the job before it trains', () => {
    const DATA =
      'job: {type: command, command: python3 train.py data/june.csv, data: {train: data/june.csv, test: data/test.csv}}'
    const begin = async (): Promise<void> => {
      shop = await workshop()
      await shop.firstVersion()
      await shop.check('data/june.csv')
    }
    const refusedFor = async (request: Parameters<Workshop['retrain']>[0] = {}): Promise<MlopsError> => {
      const runs = await shop.runs()
      const error = await shop.retrain(request).then(
        () => assert.fail('it went through'),
        (problem: MlopsError) => problem,
      )
      assert.deepEqual([error.code, error.exitCode], ['PREFLIGHT_REFUSED', 3])
      assert.deepEqual([await shop.runs(), (await shop.jobs()).length], [runs, 0], 'nothing was begun')
      return error
    }
    const found = (error: MlopsError): string =>
      (error.details as { missing: readonly { found: string }[] }).missing.map((each) => each.found).join('\n')

    it('and names all that is not there, also to a person who insists', async () => {
      await begin()
      rmSync(join(shop.dir, 'data/june.csv'))
      shop.write('data/test.csv', '')
      const said = 'train=data/june.csv: there is no such file or folder; test=data/test.csv: it is empty'
      const error = await refusedFor()
      assert.equal(found(error), said)
      assert.match(error.message, /under policy\.job: {2}data: \{train: PATH, test: PATH\}/)
      assert.match(error.hint ?? '', /^Nothing was trained\. When it is there: mlops retrain churn-model$/)
      const insisted = await refusedFor({ force: true, reason: 'now' })
      assert.equal(found(insisted), said)
      assert.match(insisted.message, /^churn-model cannot be retrained\. One thing is missing:/)
      const { plan, next } = await shop.retrain({ planOnly: true })
      assert.deepEqual([plan.decision, next], ['not ready', 'mlops retrain churn-model --plan'])
      const asked = await shop.retrain({ planOnly: true, force: true, reason: 'new labels' })
      assert.deepEqual([asked.plan.decision, asked.plan.why], ['not ready', said])
      assert.equal(asked.next, "mlops retrain churn-model --reason 'new labels' --plan")
    })

    it('which has a header and no rows, is no table, or is a folder without a file', async () => {
      await begin()
      shop.write('data/june.csv', 'tenure,plan\n')
      assert.equal(found(await refusedFor()), 'train=data/june.csv: it has a header but no rows')
      shop.write('data/june.csv', 'PAR1 and no table PAR1')
      assert.match(found(await refusedFor()), /^train=data\/june\.csv: it cannot be profiled: /)
      mkdirSync(join(shop.dir, 'data/empty'))
      shop.write(
        'retraining-policy.yaml',
        POLICY.replace(/job: .*/, DATA.replace('test: data/test.csv', 'test: data/empty')),
      )
      shop.write('data/june.csv', 'tenure,plan\n1,2\n')
      assert.equal(found(await refusedFor()), 'test=data/empty: the folder holds no data')
    })

    it('which cannot be opened', async () => {
      await begin()
      rmSync(join(shop.dir, 'data/june.csv'))
      symlinkSync('june.csv', join(shop.dir, 'data/june.csv'))
      assert.equal(found(await refusedFor()), 'train=data/june.csv: it cannot be read (ELOOP)')
    })

    it('and needs none of it where the training has been done', async () => {
      await begin()
      const died = await shop.retrain({}, { register: () => Promise.reject(interruptedBy()) }).catch((e: Error) => e)
      assert.match(String(died), /somebody else/)
      rmSync(join(shop.dir, 'data/test.csv'))
      const { plan } = await shop.retrain({ planOnly: true })
      assert.deepEqual([plan.decision, plan.resume?.next], ['retrain', 'register'])
    })
  })
})
