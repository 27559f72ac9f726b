import assert from 'node:assert/strict'
import { chmodSync, chownSync, readFileSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { MlopsError } from '../../../src/core/errors.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { registerVersion } from '../../../src/lifecycle/register/register.ts'
import { loadProject } from '../../../src/project/load.ts'
import { DEAD_AFTER } from '../../../src/retrain/job-log.ts'
import { skipBecause } from '../../support/skip.ts'
import { hasPython, MODEL, POLICY, type Workshop, workshop } from './workshop.ts'

describe('mlops retrain', () => {
  let shop: Workshop
  before(function () {
    if (!hasPython()) skipBecause(this, 'python3 is not installed')
  })
  const begin = async (policy?: string): Promise<void> => {
    shop = await workshop(policy)
    await shop.firstVersion()
  }
  afterEach(() => shop.remove())

  const refusal = async (act: Promise<unknown>): Promise<MlopsError> => {
    const error = await act.then(
      () => assert.fail('it went through'),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof MlopsError, String(error))
    assert.ok(error.hint, error.message)
    return error
  }

  describe('with a policy that watches drift', () => {
    beforeEach(async () => {
      await begin()
      await shop.check('data/june.csv')
    })

    it('trains, registers, validates and stops at staging', async () => {
      const steps: string[] = []
      const result = await shop.retrain({ onStep: ({ number, of, what }) => steps.push(`${number}/${of} ${what}`) })
      assert.equal(result.outcome, 'promoted')
      assert.equal(result.version, 2)
      assert.match(result.plan.why, /^inputs of churn-model@1 drifted at 0.15: tenure \(psi /)
      assert.equal(result.run?.metrics.auc, 0.9)
      assert.deepEqual(await shop.stages(), { production: 1, staging: 2 })
      assert.equal(result.next, 'mlops promote churn-model@2 --to production --approve NAME')
      assert.deepEqual(
        steps.map((step) => step.split(':')[0]?.slice(0, 12)),
        ['1/3 train', '2/3 register', '3/3 validate'],
      )
      const state = await shop.store.models.state(MODEL)
      const made = state.versions[1]
      assert.equal(made?.run?.id, result.run?.id)
      assert.ok(made?.tags.includes('retrain'))
      const manifest = await shop.store.models.manifest(made?.manifest ?? '')
      assert.equal(manifest.baseline?.data.rows, 2000)
      assert.notEqual(manifest.baseline?.data.sha256, undefined)
      assert.ok(manifest.data.some(({ name }) => name === 'test'))
      assert.doesNotMatch(shop.warnings.join(), /the same data/)
    })

    it('keeps the target of the version in production, and says that golden predictions are missing', async () => {
      shop.write('golden.jsonl', '{"features": {"tenure": 0.5}, "output": 1}\n')
      await registerVersion(shop.ctx, shop.project, shop.store, {
        model: MODEL,
        artifacts: ['model.bin'],
        baseline: 'data/train.csv',
        target: 'plan',
        examples: 'golden.jsonl',
      })
      const ref = { model: MODEL, selector: { version: 2 } }
      await promote(shop.ctx, shop.project, shop.store, { ref, stage: 'production', approve: ['ada'] })
      const { version } = await shop.retrain({ force: true, reason: 'again' })
      const state = await shop.store.models.state(MODEL)
      const manifest = await shop.store.models.manifest(state.versions[(version ?? 0) - 1]?.manifest ?? '')
      assert.equal(manifest.target, 'plan')
      assert.equal(manifest.examples, undefined)
      assert.match(shop.warnings.join('\n'), /the target, plan, is that of churn-model@2, as nothing else says it/)
      assert.match(shop.warnings.join('\n'), /no golden predictions: the run logged none, and those of churn-model@2/)
    })

    it('leaves its candidate registered where a version is being rolled out in its stage', async () => {
      await shop.retrain()
      const ref = { model: MODEL, selector: { version: 1 } }
      await promote(shop.ctx, shop.project, shop.store, { ref, stage: 'staging', rollout: [50, 100] })
      const result = await shop.retrain({ force: true, reason: 'again' })
      assert.equal(result.outcome, 'refused')
      assert.match(
        result.message,
        /churn-model@1 is being rolled out in staging beside churn-model@2.*stays registered/,
      )
      assert.deepEqual(await shop.stages(), { production: 1, staging: 2 })
    })

    it('does not train again for the same cause while the candidate waits, and again once production has changed', async () => {
      await shop.retrain()
      const again = await shop.retrain()
      assert.equal(again.outcome, 'nothing to do')
      assert.equal(again.plan.blocked?.kind, 'awaits a decision')
      assert.equal(again.next, 'mlops promote churn-model@2 --to production --approve NAME')
      assert.equal(await shop.runs(), 2)

      const ref = { model: MODEL, selector: { version: 2 } }
      await promote(shop.ctx, shop.project, shop.store, { ref, stage: 'production', approve: ['ada'] })
      const unseen = await refusal(shop.retrain())
      assert.equal(unseen.code, 'CHECK_MISSING', 'the new version has not been checked yet')
      await shop.check('data/same.csv')
      shop.write('quality.txt', '0.95')
      assert.equal((await shop.retrain()).outcome, 'promoted')
      assert.deepEqual(await shop.stages(), { production: 2, staging: 3 })
    })

    it('keeps a candidate that fails the policy out, with required and actual values, and does not repeat it', async () => {
      shop.write('quality.txt', '0.7')
      const result = await shop.retrain()
      assert.equal(result.outcome, 'refused')
      assert.deepEqual(
        result.gate?.checks.map(({ name, required, actual, verdict }) => [name, required, actual, verdict])[0],
        ['min_auc', 'auc >= 0.8', '0.7', 'fail'],
      )
      assert.deepEqual(await shop.stages(), { production: 1 })
      assert.equal(await shop.versions(), 2, 'the candidate stays registered')
      const [told, ...more] = result.notifications
      assert.deepEqual([told?.channel, told?.sent, more.length], ['slack:#ml-ops-alerts', false, 0])
      assert.match(told?.why ?? '', /^MLOPS_SLACK_WEBHOOK_ML_OPS_ALERTS is not set/)
      assert.ok(shop.warnings.some((warning) => /slack:#ml-ops-alerts was NOT told/.test(warning)))

      assert.equal((await shop.retrain()).plan.blocked?.kind, 'rejected')
      shop.write('quality.txt', '0.85')
      const forced = await shop.retrain({ force: true })
      assert.equal(forced.outcome, 'promoted')
      assert.equal(forced.plan.forced, true)
      assert.deepEqual(await shop.stages(), { production: 1, staging: 3 })
    })

    it('holds the candidate to the gate of the stage too', async () => {
      shop.write(
        'mlops.yaml',
        readFileSync(join(shop.dir, 'mlops.yaml'), 'utf8').replace('min_auc: 0.5', 'min_auc: 0.95'),
      )
      shop.project = await loadProject({ cwd: shop.dir, env: {} })
      assert.equal((await shop.retrain()).outcome, 'refused')
    })

    it('waits for a person where the gate of staging asks for one', async () => {
      shop.write(
        'mlops.yaml',
        readFileSync(join(shop.dir, 'mlops.yaml'), 'utf8').replace('min_auc: 0.5', 'approval: 1'),
      )
      shop.project = await loadProject({ cwd: shop.dir, env: {} })
      assert.equal((await shop.retrain()).outcome, 'refused')
      const again = await shop.retrain()
      assert.equal(again.plan.blocked?.kind, 'awaits a decision')
      assert.match(again.next, /--to staging --approve NAME/)
    })

    it('says what the script printed last when training fails, moves nothing, and rests', async () => {
      shop.write('quality.txt', 'broken')
      const error = await refusal(shop.retrain())
      assert.equal(error.code, 'JOB_FAILED')
      assert.equal(error.exitCode, 1)
      assert.match(error.message, /exit code 3/)
      assert.match(error.message, /cannot converge/)
      const [run] = await shop.store.runs.list()
      assert.ok(error.hint?.includes(run ?? 'no run'))
      assert.equal(await shop.versions(), 1)
      assert.ok(shop.warnings.some((warning) => /NOT told/.test(warning)))
      const again = await shop.retrain()
      assert.deepEqual([again.outcome, again.plan.blocked?.kind], ['blocked', 'cool-down'])
      assert.deepEqual(again.plan.blocked?.failure, { run, exitCode: 3, lastLine: 'cannot converge' })
    })

    it('says that the command does not exist, and does not rest for that', async () => {
      shop.write('retraining-policy.yaml', POLICY.replace('command: python3 train.py', 'command: pyhton train.py'))
      const error = await refusal(shop.retrain())
      assert.equal(error.exitCode, 1)
      assert.match(error.message, /"pyhton"/)
      assert.match(error.hint ?? '', /retraining-policy\.yaml/)
      shop.write('retraining-policy.yaml', POLICY)
      assert.equal((await shop.retrain()).outcome, 'promoted')
    })

    it('says that the data of the job is not there, and trains nothing', async () => {
      shop.write('retraining-policy.yaml', POLICY.replace('train: data/june.csv', 'train: data/july.csv'))
      const error = await refusal(shop.retrain())
      assert.deepEqual([error.code, error.exitCode], ['PREFLIGHT_REFUSED', 3])
      assert.match(error.message, /train=data\/july\.csv: there is no such file/)
      assert.deepEqual([await shop.runs(), (await shop.jobs()).length], [1, 0])
    })

    it('tells when training gave the very version that is in production', async () => {
      // The same bytes, metrics, baseline and test set: nothing was learnt.
      shop.write(
        'retraining-policy.yaml',
        POLICY.replaceAll('data/june.csv', 'data/train.csv').replace('train.py data/train.csv', 'train.py'),
      )
      const result = await shop.retrain()
      assert.equal(result.outcome, 'unchanged', result.message)
      assert.equal(await shop.versions(), 1)
      assert.equal((await shop.retrain()).plan.blocked?.kind, 'rejected')
    })

    it('lets one of two train, and tells the other', async () => {
      const both = await Promise.allSettled([shop.retrain(), shop.retrain()])
      const done = both.filter((each) => each.status === 'fulfilled')
      const refused = both.flatMap((each) => (each.status === 'rejected' ? [each.reason as MlopsError] : []))
      assert.equal(done.length, 1)
      assert.equal(refused[0]?.code, 'RETRAIN_RUNNING', refused[0]?.stack)
      assert.equal(refused[0]?.exitCode, 5)
      assert.match(refused[0]?.message ?? '', /ada@laptop/)
      assert.equal(await shop.runs(), 2)
      assert.equal(await shop.versions(), 2)
    })

    const claim = (time: Date) =>
      shop.store.claims.take(MODEL, 'jobs/retrain', 1, {
        kind: 'begin',
        attempt: 'x',
        cause: 'drift',
        reason: null,
        champion: null,
        key: null,
        request: 'r',
        actor: 'bob@desk',
        host: 'desk',
        time: time.toISOString(),
      })

    it('gives way to one that shows signs of life, and supersedes one that was killed', async () => {
      const long = new Date(Date.now() - DEAD_AFTER - 60_000)
      await claim(long)
      await shop.store.claims.beat(MODEL, 'jobs/retrain')
      const error = await refusal(shop.retrain())
      assert.equal(error.code, 'RETRAIN_RUNNING')
      assert.match(error.message, /bob@desk on desk/)
      assert.equal(
        (await shop.retrain({ force: true }).catch((reason: MlopsError) => reason.code)) as string,
        'RETRAIN_RUNNING',
      )
      utimesSync(join(shop.dir, `.mlops/models/${MODEL}/jobs/retrain/alive`), long, long)
      assert.equal((await shop.retrain()).outcome, 'promoted')
    })

    it('gives way to one that has just begun and not shown a sign of life yet', async () => {
      await claim(new Date())
      assert.equal((await refusal(shop.retrain())).code, 'RETRAIN_RUNNING')
    })

    it('registers nothing when another one took its place while it trained', async () => {
      const error = await refusal(
        shop.retrain(
          {},
          {
            train: async (...args) => {
              const outcome = await shop.steps.train(...args)
              await shop.store.claims.take(MODEL, 'jobs/retrain', 3, { kind: 'begin', time: new Date().toISOString() })
              return outcome
            },
          },
        ),
      )
      assert.equal(error.code, 'RETRAIN_SUPERSEDED')
      assert.equal(error.exitCode, 5)
      assert.equal(await shop.versions(), 1)
    })

    it('returns the first result for the same idempotency key', async () => {
      const first = await shop.retrain({ idempotencyKey: 'job-7' })
      const again = await shop.retrain({ idempotencyKey: 'job-7' })
      assert.deepEqual([first.repeated, again.repeated], [false, true])
      assert.deepEqual([again.outcome, again.version, again.run?.id], ['promoted', 2, first.run?.id])
      assert.equal(await shop.runs(), 2)
      const other = await refusal(shop.retrain({ idempotencyKey: 'job-7', force: true, reason: 'another wish' }))
      assert.equal(other.code, 'IDEMPOTENCY_MISMATCH')
    })

    it('in CI a job that is run again gets the result of the first run', async () => {
      await shop.retrain({ ciJob: 'github:1/train' })
      assert.equal((await shop.retrain({ ciJob: 'github:1/train' })).repeated, true)
      assert.equal((await shop.retrain({ ciJob: 'github:2/train' })).outcome, 'nothing to do')
    })

    it('shows the plan and does nothing of it', async () => {
      const result = await shop.retrain({ planOnly: true })
      assert.deepEqual([result.outcome, result.plan.decision], ['planned', 'retrain'])
      assert.equal(await shop.runs(), 1)
      assert.equal(await shop.store.claims.newest(MODEL, 'jobs/retrain'), undefined)
    })

    it('compares with production on the metrics of the policy', async () => {
      shop.write('retraining-policy.yaml', POLICY.replace('{min_auc: 0.8}', '{min_auc: 0.8, compare_to: production}'))
      shop.write('quality.txt', '0.85')
      const result = await shop.retrain()
      assert.equal(result.outcome, 'refused')
      const compared = result.gate?.checks.find(({ verdict }) => verdict !== 'pass')
      assert.match(`${compared?.required} ${compared?.actual}`, /0\.9.*0\.85|0\.85.*0\.9/)
    })
  })

  it('has nothing to do when the last check shows no drift', async () => {
    await begin()
    await shop.check('data/june.csv')
    await shop.check('data/same.csv')
    const result = await shop.retrain()
    assert.equal(result.outcome, 'nothing to do')
    assert.equal(result.plan.why, 'no column of churn-model@1 is in drift at 0.15 (psi)')
    assert.equal(await shop.runs(), 1)
  })

  it('does not take a production that was never checked for healthy', async () => {
    await begin()
    const error = await refusal(shop.retrain())
    assert.deepEqual([error.code, error.exitCode], ['CHECK_MISSING', 6])
    assert.match(error.hint ?? '', /--current DATA/)
    const { plan, next } = await shop.retrain({ planOnly: true })
    assert.equal(plan.decision, 'not judged')
    assert.match(plan.why, /was never checked for drift, so the trigger of the policy cannot be judged$/)
    assert.equal(next, 'mlops retrain churn-model --current DATA')
  })

  it('checks the batch of --current and decides by it', async () => {
    await begin()
    assert.equal((await shop.retrain({ current: 'data/same.csv' })).outcome, 'nothing to do')
    assert.equal((await shop.retrain({ current: 'data/june.csv' })).outcome, 'promoted')
    assert.equal((await shop.store.checks.list(MODEL)).length, 2, 'both checks are stored')
  })

  it('has nothing to watch without a version in production, and says how to train all the same', async () => {
    shop = await workshop()
    const error = await refusal(shop.retrain())
    assert.deepEqual([error.code, error.exitCode], ['PREFLIGHT_REFUSED', 3])
    const forced = await shop.retrain({ force: true, reason: 'the first one' })
    assert.deepEqual([forced.outcome, forced.version], ['promoted', 1])
    assert.deepEqual(await shop.stages(), { staging: 1 })
  })

  it('without a policy asks a person for a reason, and uses the command and data of before', async () => {
    await begin('')
    const error = await refusal(shop.retrain())
    assert.deepEqual([error.code, error.exitCode], ['REASON_MISSING', 2])
    shop.write('quality.txt', '0.6')
    const result = await shop.retrain({ reason: 'new labels' })
    assert.equal(result.outcome, 'promoted')
    const state = await shop.store.models.state(MODEL)
    assert.equal(state.versions[1]?.message, 'new labels')
    const manifest = await shop.store.models.manifest(state.versions[1]?.manifest ?? '')
    assert.equal(manifest.baseline?.data.rows, 2000, 'the data that the first run declared')
    assert.match(shop.warnings.join(), /churn-model@2 was trained on the same data as churn-model@1 in production/)
  })

  it('retrains when the file of the policy is new, once', async () => {
    await begin(POLICY.replace('{type: drift, metric: psi, threshold: 0.15}', '{type: new_data, data: data/train.csv}'))
    assert.equal((await shop.retrain()).outcome, 'nothing to do')
    shop.write('data/train.csv', 'tenure,plan\n1,2\n2,3\n')
    assert.equal((await shop.retrain()).outcome, 'promoted')
    assert.equal((await shop.retrain()).plan.blocked?.kind, 'awaits a decision')
    const gone = POLICY.replace('{type: drift, metric: psi, threshold: 0.15}', '{type: new_data, data: data/nope.csv}')
    shop.write('retraining-policy.yaml', gone)
    assert.equal((await refusal(shop.retrain())).exitCode, 4)
  })

  it('retrains when a folder or a pattern has new files, and knows what it was trained on', async () => {
    const trigger = (data: string) =>
      POLICY.replace('{type: drift, metric: psi, threshold: 0.15}', `{type: new_data, data: '${data}'}`).replace(
        'train: data/june.csv',
        'train: parts',
      )
    await begin(trigger('parts'))
    shop.write('parts/a.csv', readFileSync(join(shop.dir, 'data/june.csv'), 'utf8'))
    shop.write('parts/README', 'not a data file, but a file of the folder')
    assert.equal((await shop.retrain()).outcome, 'promoted')
    const ref = { model: MODEL, selector: { version: 2 } }
    await promote(shop.ctx, shop.project, shop.store, { ref, stage: 'production', approve: ['ada'] })
    assert.equal((await shop.retrain()).plan.why, 'churn-model@2 was trained on parts as it is now')
    shop.write('parts/b.csv', 'tenure,plan\n1,2\n')
    assert.equal((await shop.retrain({ planOnly: true })).plan.decision, 'retrain')
    shop.write('retraining-policy.yaml', trigger('parts/*.csv'))
    const { plan } = await shop.retrain({ planOnly: true })
    assert.equal(plan.why, 'parts/*.csv is not what churn-model@2 was trained on')
  })

  it('refuses the policy of another model', async () => {
    await begin()
    shop.write('retraining-policy.yaml', POLICY.replace(`model: ${MODEL}`, 'model: other'))
    const error = await refusal(shop.retrain())
    assert.deepEqual([error.code, error.exitCode], ['POLICY_OF_ANOTHER_MODEL', 2])
  })

  it('runs no command of a policy that another user put where everybody may write', async function () {
    if (process.getuid?.() !== 0) skipBecause(this, 'only root can give a file to another user')
    await begin()
    chownSync(join(shop.dir, 'retraining-policy.yaml'), 12_345, 12_345)
    chmodSync(shop.dir, 0o1777)
    assert.equal((await refusal(shop.retrain({ force: true }))).code, 'CONFIG_NOT_TRUSTED')
    const named = await shop.retrain({ force: true, policyFile: 'retraining-policy.yaml' })
    assert.equal(named.outcome, 'promoted', 'a file that is named is meant')
  })

  it('names the line of an unknown key of the policy', async () => {
    await begin(POLICY.replace('validation', 'validaton'))
    const error = await refusal(shop.retrain())
    assert.equal(error.exitCode, 2)
    assert.equal(error.message, 'retraining-policy.yaml:5: policy.validaton: unknown key; did you mean validation?')
  })

  it("the script's own register is the registration of the job, and its stage is left to the policy", async () => {
    await begin()
    await shop.check('data/june.csv')
    const script = readFileSync(join(shop.dir, 'train.py'), 'utf8')
    shop.write(
      'train.py',
      `import mlops\n${script}\nwith mlops.track("${MODEL}") as run:\n    run.log_artifact("model.bin")\n    run.register(stage="staging", tags=["candidate"])\n`,
    )
    shop.write('quality.txt', '0.7')
    const result = await shop.retrain()
    assert.equal(result.outcome, 'refused', result.message)
    assert.equal(await shop.versions(), 2, 'one version, not two')
    assert.deepEqual(await shop.stages(), { production: 1 }, 'the policy refused it, whatever the script asked for')
    const state = await shop.store.models.state(MODEL)
    assert.deepEqual([...(state.versions[1]?.tags ?? [])].sort(), ['candidate', 'retrain'])
    const { pendingIntents } = await import('../../../src/lifecycle/register/pending-intents.ts')
    assert.deepEqual(await pendingIntents(shop.store, await shop.store.runs.list()), [])
  })
})
