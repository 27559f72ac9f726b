/** A retraining by a workflow: dispatched once, followed, its version found in the store, against a receiver that is GitHub. */
import assert from 'node:assert/strict'
import type { MlopsError } from '../../../src/core/errors.ts'
import { registerVersion } from '../../../src/lifecycle/register/register.ts'
import { lastRetraining } from '../../../src/lifecycle/status/last-retraining.ts'
import { dispatch, resume } from '../../../src/retrain/github/dispatch.ts'
import { DEAD_AFTER } from '../../../src/retrain/job-log.ts'
import type { RetrainSteps } from '../../../src/retrain/steps.ts'
import { type FakeGitHub, type FakeOptions, type FakeRun, fakeGitHub, TOKEN } from '../../support/github.ts'
import { skipBecause } from '../../support/skip.ts'
import { dyingStore } from './dying.ts'
import { hasPython, MODEL, type Workshop, workshop } from './workshop.ts'

const POLICY = `policy:
  model: ${MODEL}
  trigger: {type: drift, metric: psi, threshold: 0.15}
  job: {type: github_actions, workflow: retrain.yml, timeout: 1h}
  validation: {min_auc: 0.8}
  promote_on_pass: staging
`

describe('A retraining by a workflow of GitHub Actions', function () {
  this.timeout(60_000)
  let shop: Workshop
  let hub: FakeGitHub
  /** What the runner of the workflow is doing. */
  let atWork: Promise<void> = Promise.resolve()
  before(function () {
    if (!hasPython()) skipBecause(this, 'python3 is not installed')
  })
  afterEach(async () => {
    await atWork
    await hub?.close()
    shop?.remove()
  })

  const begin = async (options: FakeOptions = {}): Promise<void> => {
    shop = await workshop(POLICY)
    hub = await fakeGitHub({ ...options, now: shop.ctx.now })
    Object.assign(shop.ctx.env, { GITHUB_API_URL: hub.api, GITHUB_REPOSITORY: 'acme/ml', MLOPS_GITHUB_TOKEN: TOKEN })
    await shop.firstVersion()
    await shop.check('data/june.csv')
  }
  /** The real steps; time passes only where they wait. */
  const wire = {
    timeout: 2_000,
    random: () => 0,
    sleep: async (milliseconds: number) => {
      await atWork
      shop.clock.ahead += milliseconds
    },
  }
  const steps: Partial<RetrainSteps> = {
    dispatch: (ctx, project, request) => dispatch(ctx, project, request, wire as never),
    resume: (ctx, project, request) => resume(ctx, project, request, wire as never),
  }
  /** What the workflow does on its runner, on the same store. */
  const train = async (run: FakeRun, auc: number, more: { url?: string; tags?: string[] } = {}): Promise<void> => {
    shop.write('model.bin', `weights of ${run.id}`)
    const url = more.url ?? run.url
    const runner = { ...shop.ctx, actor: { name: 'octocat', origin: 'ci' as const, ...(url === '' ? {} : { url }) } }
    await registerVersion(runner, shop.project, shop.store, {
      model: MODEL,
      artifacts: ['model.bin'],
      baseline: 'data/june.csv',
      test: 'data/test.csv',
      metrics: { auc },
      tags: ['retrain', ...(more.tags ?? [])],
    })
  }
  const end = (run: FakeRun, conclusion = 'success'): void => {
    run.status = 'completed'
    run.conclusion = conclusion
  }
  const works = (run: FakeRun): void => {
    atWork = train(run, 0.9).then(() => end(run))
  }
  const retrain = (request: Parameters<Workshop['retrain']>[0] = {}) => shop.retrain(request, steps)
  const refusal = (act: Promise<unknown>): Promise<MlopsError> =>
    act.then(
      () => assert.fail('it went through'),
      (error: MlopsError) => error,
    )
  const names = async () => (await shop.jobs()).map((record) => (record.kind === 'step' ? record.name : record.kind))
  const only = (): FakeRun => hub.runs[0] ?? assert.fail('nothing was dispatched')

  it('waits, finds the version by the page of the run, judges it and promotes it to staging', async () => {
    await begin({ onRun: works })
    const said: string[] = []
    const result = await retrain({ onStep: ({ what }) => said.push(what) })
    assert.deepEqual([result.outcome, result.version], ['promoted', 2], result.message)
    assert.deepEqual(await shop.stages(), { production: 1, staging: 2 })
    assert.equal(result.workflow?.runUrl, only().url)
    assert.equal(said[0], 'dispatch retrain.yml')
    assert.deepEqual(said.slice(-2), [
      'find the version that the workflow registered',
      `validate ${MODEL}@2 for staging`,
    ])
    assert.ok(
      said.some((line) => line.includes(only().url)),
      said.join('\n'),
    )
    assert.deepEqual(await names(), ['begin', 'dispatching', 'dispatched', 'registered', 'promoted', 'told', 'end'])
    const [first] = await shop.jobs()
    assert.equal(only().inputs.correlation_id, first?.attempt)
    assert.match(only().inputs.reason ?? '', /inputs of churn-model@1 drifted/)
    assert.deepEqual([hub.violations, hub.runs.length, await shop.runs()], [[], 1, 1])
    assert.equal((await retrain()).plan.blocked?.kind, 'awaits a decision')
  })

  it('finds it by its tag too, where the registration names no page', async () => {
    await begin()
    await retrain({ wait: false })
    const [first] = await shop.jobs()
    await train(only(), 0.9, { url: '', tags: [`retrain-${first?.attempt.toLowerCase()}`] })
    end(only())
    assert.equal((await retrain()).version, 2)
  })

  it('is left with --no-wait, asked after every night without a trace, and gone on with once it has ended', async () => {
    await begin()
    const left = await retrain({ wait: false })
    assert.equal(left.outcome, 'dispatched')
    assert.equal(left.next, `mlops retrain ${MODEL}`)
    const records = (await names()).length
    const status = await lastRetraining(shop.store, MODEL, shop.ctx.now())
    assert.deepEqual([status?.outcome, status?.workflow], ['stopped', only().url])
    only().status = 'in_progress'
    for (let night = 0; night < 3; night++) assert.equal((await retrain({ wait: false })).outcome, 'dispatched')
    assert.deepEqual([hub.runs.length, (await names()).length], [1, records])
    await train(only(), 0.7)
    end(only())
    const result = await retrain({ wait: false })
    assert.deepEqual([result.outcome, result.version], ['refused', 2])
    assert.equal((await retrain()).plan.blocked?.kind, 'rejected')
    assert.equal(hub.runs.length, 1)
  })

  it('says that another one is at work when a person wants to train for another reason, and lets --force go', async () => {
    await begin()
    await retrain({ wait: false })
    only().status = 'in_progress'
    shop.write(
      'retraining-policy.yaml',
      POLICY.replace('{type: drift, metric: psi, threshold: 0.15}', '{type: manual}'),
    )
    const error = await refusal(retrain({ reason: 'new labels' }))
    assert.deepEqual([error.code, error.exitCode], ['RETRAIN_RUNNING', 5])
    assert.ok(error.message.includes(only().url))
    assert.equal((await retrain({ reason: 'new labels', force: true, wait: false })).outcome, 'dispatched')
    assert.equal(hub.runs.length, 2)
  })

  const deaths = [
    ['before it dispatched', { at: 2, when: 'after' }],
    ['between dispatching and writing it down', { at: 3, when: 'before' }],
    ['while it waited', { at: 3, when: 'after' }],
    ['before it wrote down the version', { at: 4, when: 'before' }],
    ['before it promoted', { at: 4, when: 'after' }],
    ['after it promoted', { at: 5, when: 'before' }],
  ] as const
  for (const [when, death] of deaths) {
    it(`killed ${when}, never dispatches twice`, async () => {
      await begin({ onRun: works })
      const { store, isDead } = dyingStore(shop.store, death)
      await assert.rejects(shop.retrain({}, steps, store))
      assert.ok(isDead())
      shop.clock.ahead += DEAD_AFTER
      const result = await retrain()
      assert.deepEqual([result.outcome, result.version], ['promoted', 2], result.message)
      assert.deepEqual([hub.runs.length, await shop.versions()], [1, 2])
    })
  }

  it('says plainly that the workflow ended well and its version is in another store, and rests', async () => {
    await begin({ onRun: (run) => end(run) })
    const error = await refusal(retrain())
    assert.deepEqual([error.code, error.exitCode], ['VERSION_NOT_HERE', 1])
    assert.match(error.message, /ended well \(https.*\), and no version of churn-model in this store comes from it/)
    assert.match(error.hint ?? '', /--tag retrain --tag retrain-01/)
    assert.equal((await retrain()).plan.blocked?.kind, 'cool-down')
  })

  it('says what failed where, and rests', async () => {
    await begin({
      onRun: (run) => {
        run.jobs = [
          { name: 'train', conclusion: 'failure', steps: [{ name: 'Fit', number: 3, conclusion: 'failure' }] },
        ]
        end(run, 'failure')
      },
    })
    const error = await refusal(retrain())
    assert.deepEqual([error.code, error.exitCode], ['JOB_FAILED', 1])
    assert.match(error.message, /ended as failure.*Fit/s)
    const { plan } = await retrain()
    assert.equal(plan.blocked?.kind, 'cool-down')
    assert.match(plan.blocked?.failure?.lastLine ?? '', /^failure: https/)
  })

  it('waits no longer than the policy says, stays open, and is gone on with', async () => {
    await begin()
    const error = await refusal(retrain())
    assert.deepEqual([error.code, error.exitCode], ['WORKFLOW_STILL_RUNNING', 1])
    assert.match(error.message, /has not ended within 1 hour/)
    await train(only(), 0.9)
    end(only())
    assert.equal((await retrain()).outcome, 'promoted')
    assert.equal(hub.runs.length, 1)
  })

  it('dispatches nothing and costs nothing for a plan, nor for a workflow that does not fit', async () => {
    await begin({ workflows: { 'retrain.yml': 'on: push\njobs: {}\n' } })
    const { plan } = await retrain({ planOnly: true })
    assert.deepEqual(
      plan.steps.map(({ name }) => name),
      ['dispatch', 'find', 'validate', 'promote'],
    )
    assert.equal(hub.asked.length, 0)
    const error = await refusal(retrain())
    assert.equal(error.exitCode, 2, error.message)
    assert.equal(hub.runs.length, 0)
    assert.equal((await shop.jobs()).at(-1)?.kind, 'end')
    assert.equal((await retrain({ planOnly: true })).plan.decision, 'retrain', 'nothing was trained, so nothing rests')
  })
})
