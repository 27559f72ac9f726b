/** The job on GitHub Actions, against a receiver that keeps GitHub's published contract. */
import assert from 'node:assert/strict'
import type { MlopsError } from '../../../../src/core/errors.ts'
import { dispatch, resume } from '../../../../src/retrain/github/dispatch.ts'
import { pageOf } from '../../../../src/retrain/github/runs.ts'
import type { ResumeRequest } from '../../../../src/retrain/github/types.ts'
import { type FakeRun, TOKEN, WORKFLOW } from '../../../support/github.ts'
import { CORRELATION, type World, type WorldOptions, world } from './support.ts'

const ends = (conclusion: string) => (run: FakeRun) => {
  run.status = 'completed'
  run.conclusion = conclusion
}
const SECOND = 1_000
const MINUTE = 60 * SECOND

describe('A workflow on GitHub Actions', () => {
  let w: World
  const begin = async (options: WorldOptions = {}): Promise<World> => {
    w = await world(options)
    return w
  }
  afterEach(async () => {
    const { violations } = w.hub
    await w.close()
    assert.deepEqual(violations, [], 'the client keeps to the contract')
  })
  const start = (part: Parameters<World['request']>[0] = {}) => dispatch(w.ctx, w.project, w.request(part), w.wire)
  const again = (part: Partial<ResumeRequest> = {}) => {
    const { reason: _, ...request } = w.request()
    const dispatchedAt = '2026-06-10T08:00:00.000Z'
    return resume(w.ctx, w.project, { ...request, runId: null, dispatchedAt, ...part }, w.wire)
  }
  const refusal = async (work: Promise<unknown>): Promise<MlopsError> => {
    const error = await work.then(
      () => assert.fail('it should not have gone well'),
      (thrown: unknown) => thrown,
    )
    assert.equal((error as Error).name, 'MlopsError', String(error))
    assert.doesNotMatch(JSON.stringify(error) + String(error), new RegExp(TOKEN))
    return error as MlopsError
  }
  const posts = () => w.hub.asked.filter(({ method }) => method === 'POST')

  it('is started with its inputs, and waited for until it ended well', async () => {
    await begin({ local: WORKFLOW })
    w.at(20 * SECOND, () => Object.assign(w.hub.runs[0] ?? {}, { status: 'in_progress' }))
    w.at(10 * MINUTE, () => w.hub.runs.forEach(ends('success')))
    const outcome = await start({ job: { ref: 'main', inputs: { days: '90', full: 'true', size: 'large' } } })
    const [run] = w.hub.runs
    assert.deepEqual(run?.inputs, {
      model: 'churn-model',
      reason: 'inputs drifted',
      correlation_id: CORRELATION,
      days: '90',
      full: 'true',
      size: 'large',
    })
    assert.deepEqual(outcome, {
      kind: 'ended',
      conclusion: 'success',
      runId: run?.id,
      runUrl: run?.url,
      failedJobs: [],
      message: `Run ${run?.id} ended well: ${run?.url}`,
    })
    assert.deepEqual(w.seen, [{ runId: run?.id, runUrl: run?.url }])
    assert.deepEqual(w.said, [
      'retrain.yml was dispatched at main of acme/ml',
      `run ${run?.id}: ${run?.url}`,
      `run ${run?.id}: waiting for a runner`,
      `run ${run?.id}: at work`,
      `run ${run?.id}: ended`,
    ])
    assert.ok(Math.min(...w.pauses) >= 5 * SECOND && Math.max(...w.pauses) === 30 * SECOND, String(w.pauses))
    assert.equal(
      w.hub.cost.charged,
      5,
      'the dispatch, whether it is that run, and three states; looking at an unchanged run is free',
    )
  })

  it('of the default branch is started when the policy names no ref, and is found by its name where GitHub does not tell it', async () => {
    await begin({ details: 'ignored', unlisted: 3, branches: ['trunk'], onRun: ends('success') })
    const outcome = await start()
    assert.equal(outcome.kind, 'ended')
    assert.equal(w.hub.runs[0]?.ref, 'trunk')
    assert.equal(posts().length, 1)
    assert.deepEqual(w.pauses, [1_000, 2_000, 3_000])
    const list = new URL(w.hub.asked.find(({ path }) => path.includes('/runs?'))?.path ?? '', 'http://x').searchParams
    assert.deepEqual([list.get('event'), list.get('created')], ['workflow_dispatch', '>=2026-06-10T07:59:00Z'])
  })

  it('is started on an Enterprise Server that knows no run details and has its API under a path', async () => {
    await begin({ details: 'refused', prefix: '/api/v3', onRun: ends('success') })
    const outcome = await start()
    assert.deepEqual([outcome.kind, w.hub.runs.length, posts().length], ['ended', 1, 2])
    assert.ok(posts().every(({ path }) => path === '/api/v3/repos/acme/ml/actions/workflows/retrain.yml/dispatches'))
  })

  it('is found on the second page of a busy workflow', async () => {
    await begin({ details: 'ignored', pageSize: 2, onRun: ends('success') })
    const others = ['1', '2', '3'].map((id) => `01JZ000000000000000000${id.repeat(4)}`)
    await start({ correlation: others[0] ?? '' })
    const mine = await start()
    for (const other of others.slice(1)) await start({ correlation: other })
    const found = await again()
    assert.deepEqual([found.kind, found.runId], ['ended', mine.runId])
  })

  it('is left to itself without --wait', async () => {
    await begin({ local: WORKFLOW })
    const outcome = await start({ wait: false })
    const [run] = w.hub.runs
    assert.deepEqual(outcome, {
      kind: 'left',
      why: 'asked',
      accepted: true,
      runId: run?.id,
      runUrl: run?.url,
      status: 'queued',
      message: `Run ${run?.id} goes on by itself (waiting for a runner): ${run?.url}`,
    })
  })

  it('that has not ended in time goes on, and is found again later', async () => {
    await begin({ local: WORKFLOW })
    const late = await start({ job: { timeout: 20 * MINUTE } })
    assert.ok(late.kind === 'left' && late.why === 'timeout')
    assert.match(late.message, /has not ended within 20 minutes \(waiting for a runner\) and goes on by itself: https:/)
    assert.equal(w.time.now, Date.parse('2026-06-10T08:20:00.000Z'))
    w.hub.runs.forEach(ends('success'))
    for (const runId of [late.runId, null]) {
      const found = await again({ runId, wait: false })
      assert.deepEqual([found.kind, found.runId], ['ended', late.runId])
    }
    assert.equal(posts().length, 1)
  })

  it('goes on when somebody presses Ctrl-C', async () => {
    const stop = new AbortController()
    await begin({ local: WORKFLOW, signal: stop.signal })
    w.at(MINUTE, () => stop.abort())
    const outcome = await start()
    assert.ok(outcome.kind === 'left' && outcome.why === 'interrupted')
    assert.match(outcome.message, /is not waited for any longer and goes on by itself \(waiting for a runner\): https:/)
  })

  it('that failed says which step of which job, and where to read it', async () => {
    await begin({
      local: WORKFLOW,
      onRun: (run) => {
        ends('failure')(run)
        run.jobs = [
          { name: 'lint', conclusion: 'success', steps: [] },
          {
            name: 'train',
            conclusion: 'failure',
            steps: [
              { name: 'checkout', number: 1, conclusion: 'success' },
              { name: 'python train.py', number: 2, conclusion: 'failure' },
              { name: 'upload', number: 3, conclusion: 'skipped' },
            ],
          },
        ]
      },
    })
    const outcome = await start()
    const url = `${w.hub.runs[0]?.url}/job/2#step:2:1`
    assert.ok(outcome.kind === 'ended')
    assert.deepEqual(outcome.failedJobs, [{ name: 'train', conclusion: 'failure', step: 'python train.py', url }])
    assert.equal(
      outcome.message,
      `Run ${outcome.runId} failed: ${outcome.runUrl}\njob train, step python train.py: failure ${url}`,
    )
  })

  for (const [conclusion, words] of [
    ['cancelled', 'was cancelled'],
    ['timed_out', 'was stopped by its own time limit'],
    ['skipped', 'nothing was trained'],
    ['action_required', 'before somebody approves it'],
    ['startup_failure', 'GitHub cannot read the workflow'],
  ] as const) {
    it(`that ended as ${conclusion} says so in words`, async () => {
      await begin({ local: WORKFLOW, onRun: ends(conclusion) })
      const outcome = await start()
      assert.ok(outcome.kind === 'ended' && outcome.conclusion === conclusion)
      assert.ok(outcome.message.includes(words), outcome.message)
    })
  }

  it('that ended as nothing known has failed', async () => {
    await begin({ local: WORKFLOW, onRun: ends('exploded') })
    const outcome = await start()
    assert.ok(outcome.kind === 'ended' && outcome.conclusion === 'failure')
    assert.match(outcome.message, /ended as exploded/)
  })

  describe('whose dispatch is answered by nothing', () => {
    it('is not dispatched again when its run shows up: the connection was cut after GitHub had taken it', async () => {
      let cuts = 0
      await begin({
        unlisted: 2,
        onRun: ends('success'),
        fault: ({ method }) =>
          method === 'POST' && cuts++ === 0 ? { status: 0, instead: 'cut', after: true } : undefined,
      })
      assert.equal((await start()).kind, 'ended')
      assert.deepEqual([posts().length, w.hub.runs.length], [1, 1])
    })

    it('is dispatched again when it is certain that there is no such run', async () => {
      let faults = 0
      await begin({
        onRun: ends('success'),
        fault: ({ method }) => (method === 'POST' && faults++ === 0 ? { status: 502, body: 'Bad gateway' } : undefined),
      })
      assert.equal((await start()).kind, 'ended')
      assert.deepEqual([posts().length, w.hub.runs.length], [2, 1])
      assert.ok(w.pauses.reduce((sum, each) => sum + each) >= 40 * SECOND, 'after looking for it for a while')
    })

    it('is left uncertain when GitHub does not say whether there is such a run, and is found again later', async () => {
      let down = true
      await begin({
        local: WORKFLOW,
        onRun: ends('success'),
        fault: ({ method }) => {
          if (!down) return undefined
          return method === 'POST' ? { status: 500, body: {}, after: true } : { status: 503, body: {} }
        },
      })
      const outcome = await start({ job: { ref: 'main' } })
      assert.ok(outcome.kind === 'left' && outcome.why === 'uncertain' && !outcome.accepted)
      assert.match(outcome.message, /may or may not have accepted the dispatch/)
      assert.equal(posts().length, 1)
      down = false
      assert.equal((await again()).kind, 'ended')
    })

    it('is given up after three lost answers', async () => {
      await begin({
        local: WORKFLOW,
        fault: ({ method }) => (method === 'POST' ? { status: 500, body: {} } : undefined),
      })
      const outcome = await start({ job: { ref: 'main' } })
      assert.ok(outcome.kind === 'left' && outcome.why === 'uncertain' && !outcome.accepted)
      assert.equal(posts().length, 3)
      assert.equal((await again()).kind, 'missing')
    })
  })

  it('waits where GitHub limits the rate, as long as it says, and dispatches once', async () => {
    const limits = [
      { status: 429, headers: { 'retry-after': '7' } },
      { status: 403, body: { message: 'You have exceeded a secondary rate limit' } },
    ]
    await begin({
      local: WORKFLOW,
      onRun: ends('success'),
      fault: ({ method }) => (method === 'POST' ? limits.shift() : undefined),
    })
    assert.equal((await start({ job: { ref: 'main' } })).kind, 'ended')
    assert.deepEqual([w.pauses, w.hub.runs.length], [[7 * SECOND, 2 * MINUTE], 1])
  })

  it('is not dispatched when the limit would last too long', async () => {
    await begin({
      local: WORKFLOW,
      fault: () => ({
        status: 403,
        body: { message: 'API rate limit exceeded for user ID 1.' },
        headers: {
          'x-ratelimit-remaining': '0',
          'x-ratelimit-reset': String(Date.parse('2026-06-10T08:45:00Z') / 1000),
        },
      }),
    })
    const error = await refusal(start({ job: { ref: 'main' } }))
    assert.deepEqual([error.code, error.exit, w.hub.asked.length], ['GITHUB_RATE_LIMITED', 'failed', 1])
    assert.match(error.message, /No workflow was dispatched.*asks to wait 45 minutes.*rate limit exceeded/)
    assert.match(error.hint ?? '', /MLOPS_GITHUB_TOKEN was used/)
  })

  it('is waited for through an outage and a limit of the rate, without asking during the limit', async () => {
    const limited: { until: number; asked: number } = { until: 0, asked: 0 }
    await begin({
      local: WORKFLOW,
      fault: ({ method }) => {
        const after = w.time.now - Date.parse('2026-06-10T08:00:00Z')
        if (method === 'POST') return undefined
        if (after > MINUTE && after < 8 * MINUTE) return { status: 503, body: {} }
        if (after < 10 * MINUTE) return undefined
        if (limited.until === 0) {
          limited.until = w.time.now + 30 * MINUTE
          const reset = String(limited.until / 1000)
          return { status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset } }
        }
        if (w.time.now < limited.until) limited.asked++
        return undefined
      },
    })
    w.at(50 * MINUTE, () => w.hub.runs.forEach(ends('success')))
    assert.equal((await start()).kind, 'ended')
    assert.deepEqual(limited.asked, 0)
  })

  it('is left when GitHub gives no answer for a quarter of an hour', async () => {
    await begin({
      local: WORKFLOW,
      fault: ({ method }) => (method === 'POST' || w.pauses.length < 3 ? undefined : { status: 503, body: {} }),
    })
    const outcome = await start()
    assert.ok(outcome.kind === 'left' && outcome.why === 'unreachable')
    assert.match(outcome.message, /could not be looked at any longer: https:.*503/)
    assert.equal(outcome.runId, w.hub.runs[0]?.id)
  })

  for (const [what, part] of [
    ['of another workflow', { path: '.github/workflows/other.yml@main' }],
    ['begun by a push', { event: 'push' }],
    ['with another name', { display_title: 'retrain', name: 'Retrain' }],
  ] as const) {
    it(`that GitHub names is not believed where it is ${what}: it is looked for by its name`, async () => {
      await begin({
        local: WORKFLOW,
        details: 'given',
        onRun: (run) => Object.assign(run, { status: 'completed', conclusion: 'success' }),
        fault: ({ path }) =>
          path.includes('/actions/runs/7?')
            ? {
                status: 200,
                body: {
                  id: 7,
                  html_url: 'https://github.example/7',
                  event: 'workflow_dispatch',
                  display_title: CORRELATION,
                  status: 'completed',
                  conclusion: 'success',
                  ...part,
                },
              }
            : path.endsWith('/dispatches')
              ? { status: 200, after: true, body: { workflow_run_id: 7, html_url: 'https://github.example/7' } }
              : undefined,
      })
      const outcome = await start()
      assert.deepEqual([outcome.kind, outcome.runId], ['ended', w.hub.runs[0]?.id])
      assert.match(w.warnings.join(), /Run 7 is not the one that was dispatched: /)
    })
  }

  it('takes only a page of the web for the page of a run', async () => {
    await begin()
    assert.equal(
      pageOf('https://github.example/acme/ml/actions/runs/1'),
      'https://github.example/acme/ml/actions/runs/1',
    )
    for (const bad of [
      'javascript:alert(1)',
      'https://a.example/\u001b[2J',
      'https://a.example/\n',
      'file:///etc',
      7,
    ]) {
      assert.equal(pageOf(bad), null)
    }
  })

  it('says why it could not be looked at', async () => {
    await begin({
      local: WORKFLOW,
      details: 'ignored',
      fault: ({ method, path }) =>
        method === 'GET' && path.includes('/runs?')
          ? { status: 403, body: { message: 'Resource not accessible' } }
          : undefined,
    })
    const outcome = await start()
    assert.ok(outcome.kind === 'left' && outcome.why === 'unreachable')
    assert.match(outcome.message, /could not be looked at any longer\. .*Resource not accessible/)
  })

  it('that does not show up is left, with what its name lacks', async () => {
    await begin({ details: 'ignored', unlisted: 10_000, local: WORKFLOW })
    const outcome = await start()
    assert.ok(outcome.kind === 'left' && outcome.why === 'unlisted')
    assert.match(
      outcome.message,
      new RegExp(`carries ${CORRELATION} yet\\. The run-name: of retrain\\.yml must carry it`),
    )
    assert.ok(w.time.now - Date.parse('2026-06-10T08:00:00Z') <= 2 * MINUTE)
  })

  it('that was never dispatched is missing, but only once it would have shown up', async () => {
    await begin()
    const missing = await again({ dispatchedAt: '2026-06-10T07:59:30.000Z' })
    assert.equal(missing.kind, 'missing')
    assert.ok(w.time.now > Date.parse('2026-06-10T08:01:00Z'), 'it may have been dispatched half a minute ago')
    const before = w.pauses.length
    assert.equal((await again({ dispatchedAt: '2026-06-09T08:00:00.000Z', runId: 7 })).kind, 'missing')
    assert.equal(w.pauses.length, before, 'what is a day old shows up at once or never')
    assert.equal(posts().length, 0)
  })

  it('is found though the clock of this machine is an hour ahead', async () => {
    await begin({ details: 'ignored', local: WORKFLOW, onRun: ends('success') })
    const ctx = { ...w.ctx, now: () => new Date(w.time.now + 60 * MINUTE) }
    assert.equal((await dispatch(ctx, w.project, w.request(), w.wire)).kind, 'ended')
  })

  describe('is not dispatched', () => {
    const refusedWith = async (status: number, message: string, headers = {}): Promise<MlopsError> => {
      await begin({
        local: WORKFLOW,
        fault: ({ method }) => (method === 'POST' ? { status, body: { message }, headers } : undefined),
      })
      const error = await refusal(start({ job: { ref: 'main' } }))
      assert.equal(posts().length, 1)
      return error
    }

    it('with a token that is no good', async () => {
      await begin({ local: WORKFLOW, env: { MLOPS_GITHUB_TOKEN: 'another' } })
      const error = await refusal(start({ job: { ref: 'main' } }))
      assert.deepEqual([error.code, error.exitCode], ['GITHUB_TOKEN_REFUSED', 2])
      assert.match(error.message, /^No workflow was dispatched\. GitHub answered 401: Bad credentials\.$/)
      assert.match(
        error.hint ?? '',
        /MLOPS_GITHUB_TOKEN is wrong, expired or revoked.*"Actions: read and write" of acme\/ml/,
      )
    })

    it('without a permission, which is named', async () => {
      const error = await refusedWith(403, 'Resource not accessible by personal access token', {
        'x-accepted-github-permissions': 'actions=write',
      })
      assert.match(
        error.hint ?? '',
        /permission "actions=write" of acme\/ml; in a workflow: permissions: \{actions: write\}/,
      )
      await w.close()
      const sso = await refusedWith(403, 'Resource protected by organization SAML enforcement.', {
        'x-github-sso': 'required; url=https://github.com/orgs/acme/sso',
      })
      assert.match(sso.hint ?? '', /authorised for its single sign-on/)
    })

    it('when there is no such workflow', async () => {
      await begin({ workflows: {}, local: WORKFLOW })
      const error = await refusal(start())
      assert.deepEqual([error.code, error.exitCode], ['WORKFLOW_NOT_FOUND', 2])
      assert.match(error.message, /no acme\/ml with \.github\/workflows\/retrain\.yml on its default branch/)
    })

    it('at a branch that was not pushed, or while it is disabled', async () => {
      await begin({ local: WORKFLOW })
      const error = await refusal(start({ job: { ref: 'experiment' } }))
      assert.match(error.message, /GitHub answered 422: No ref found for: experiment/)
      assert.equal(error.hint, "Push the branch or tag experiment, or correct ref: of the policy's job")
      await w.close()
      const disabled = await refusedWith(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow")
      assert.equal(disabled.hint, 'Switch it on again: gh workflow enable retrain.yml')
    })

    it('when nobody listens there', async () => {
      await begin({ local: WORKFLOW, env: { MLOPS_GITHUB_API_URL: 'http://127.0.0.1:1' } })
      const error = await refusal(start({ job: { ref: 'main' } }))
      assert.deepEqual([error.code, error.exitCode], ['GITHUB_UNREACHABLE', 1])
      assert.match(error.message, /^No workflow was dispatched\. 127\.0\.0\.1:1: the connection was refused/)
      assert.deepEqual(w.pauses, [1_000, 2_000, 4_000, 8_000])
    })

    it('when what answers is something else', async () => {
      await begin({ fault: () => ({ status: 200, body: '<html>Sign in to the guest network</html>' }) })
      const error = await refusal(start())
      assert.deepEqual([error.code, error.exitCode], ['GITHUB_API_INVALID', 2])
      assert.match(error.message, /What http:\/\/127\.0\.0\.1:\d+ answers is not what GitHub would/)
    })

    it('when the workflow would not take the inputs: every problem at once, with its line', async () => {
      const local = WORKFLOW.replace('days: { type: number, default: 30 }', 'days: { type: number, required: true }')
      await begin({ local })
      const error = await refusal(start({ job: { inputs: { full: 'yes', size: 'medium', dais: '90' } } }))
      assert.deepEqual([error.code, error.exitCode, w.hub.asked.length], ['WORKFLOW_UNFIT', 2, 0])
      assert.deepEqual(error.details?.problems, [
        '.github/workflows/retrain.yml:9: input days: required, has no default, and the policy does not fill it',
        '.github/workflows/retrain.yml:10: input full: boolean takes true or false, not "yes"',
        '.github/workflows/retrain.yml:11: input size: choice takes small, large, not "medium"',
        '.github/workflows/retrain.yml:5: there is no input dais, which the policy fills; did you mean days?',
      ])
    })

    it('when the run could not be found again: the lines to add are printed', async () => {
      const local = 'name: Retrain\non:\n  workflow_dispatch:\njobs: {}\n'
      await begin({ local })
      const error = await refusal(start())
      assert.deepEqual(error.details?.problems, [
        '.github/workflows/retrain.yml:3: there is no input correlation_id, which the run is found by',
        '.github/workflows/retrain.yml:1: run-name: does not carry the correlation_id, by which the run is found again',
      ])
      assert.match(
        error.hint ?? '',
        /^Add to \.github\/workflows\/retrain\.yml:\nrun-name: retrain \$\{\{ inputs\.correlation_id \}\}\non:\n/,
      )
    })

    it('when the file at the ref would not take them, where the checkout has none', async () => {
      await begin({ workflows: { 'retrain.yml': 'on: push\n' } })
      const error = await refusal(start())
      assert.deepEqual(error.details?.problems, [
        '.github/workflows/retrain.yml (main):1: on: has no workflow_dispatch, so it cannot be started from outside',
      ])
    })
  })

  it('that may not be read beforehand is dispatched, and GitHub judges the inputs', async () => {
    await begin({
      onRun: ends('success'),
      fault: ({ path }) =>
        path.includes('/contents/') ? { status: 403, body: { message: 'Resource not accessible' } } : undefined,
    })
    assert.equal((await start()).kind, 'ended')
    assert.match(w.warnings.join(), /could not be read before it was dispatched .*GitHub judges the inputs/)
    const error = await refusal(start({ job: { inputs: { dais: '90' } } }))
    assert.match(error.message, /GitHub answered 422: Unexpected inputs provided: \["dais"\]/)
    assert.match(error.hint ?? '', /Compare on\.workflow_dispatch\.inputs/)
  })

  it('of a repository that was renamed is found by following GitHub, but never to another place', async () => {
    await begin({
      local: WORKFLOW,
      onRun: ends('success'),
      fault: ({ path }) =>
        path.includes('/repos/old/ml')
          ? { status: 307, headers: { location: path.replace('/repos/old/ml', '/repos/acme/ml') } }
          : undefined,
      env: { GITHUB_REPOSITORY: 'old/ml' },
    })
    assert.equal((await start({ job: { ref: 'main' } })).kind, 'ended')
    await w.close()
    const thief = await world()
    await begin({ local: WORKFLOW, fault: () => ({ status: 307, headers: { location: `${thief.hub.api}/x` } }) })
    await refusal(start({ job: { ref: 'main' } }))
    assert.equal(thief.hub.asked.length, 0)
    await thief.close()
  })
})
