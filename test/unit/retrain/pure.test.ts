import assert from 'node:assert/strict'
import type { MlopsError } from '../../../src/core/errors.ts'
import type { CheckResult, ColumnResult } from '../../../src/drift/types.ts'
import { defaultModel } from '../../../src/project/config-read.ts'
import { NO_GATE } from '../../../src/project/gate-config.ts'
import { manualPolicy, type Policy } from '../../../src/project/policy.ts'
import { commandWords } from '../../../src/retrain/command-line.ts'
import type { JobEnd } from '../../../src/retrain/job-records.ts'
import { planRetrain, type RetrainFacts } from '../../../src/retrain/plan.ts'
import { resultOf } from '../../../src/retrain/result.ts'
import { blockedBy, type StormFacts } from '../../../src/retrain/storm.ts'
import { type Finding, judgeDrift, judgeNewData, judgeSchedule } from '../../../src/retrain/trigger.ts'
import type { ModelEvent } from '../../../src/store/events.ts'
import { fold } from '../../../src/store/fold.ts'

const column = (name: string, more: Partial<ColumnResult>): ColumnResult => ({
  column: name,
  type: 'numeric',
  role: 'feature',
  verdict: 'stable',
  metric: 'psi',
  effect: 0,
  threshold: 0.1,
  noise: 0.01,
  pAdjusted: 1,
  measures: {},
  summary: `${name} moved`,
  causes: [],
  informs: [],
  groups: [],
  ...more,
})
const check = (...columns: ColumnResult[]): CheckResult => ({
  format: 1,
  model: 'm',
  version: 3,
  verdict: 'drift',
  metric: 'psi',
  time: '2026-06-01T00:00:00.000Z',
  reference: { name: 'baseline of m@3', profile: 'p', rows: 1000 },
  current: { source: 'june.csv', sha256: 'c', rows: 1000, columns: columns.length },
  columns,
  unresolved: [],
  notes: [],
  summary: '',
  configuration: 'x',
})
const drift = { type: 'drift', metric: 'psi', threshold: 0.15 } as const

describe('a drift trigger', () => {
  const fires = (result: ColumnResult, trigger: Parameters<typeof judgeDrift>[0] = drift) =>
    judgeDrift(trigger, check(column('other', {}), result)).fires

  it('fires for any column whose effect reaches the threshold of the policy, beyond noise', () => {
    const found = judgeDrift(drift, check(column('a', { verdict: 'drift', effect: 0.31, pAdjusted: 0.001 })))
    assert.equal(found.fires, true)
    assert.deepEqual(found.columns, [{ column: 'a', metric: 'psi', threshold: 0.15, effect: 0.31, summary: 'a moved' }])
    assert.equal(found.summary, 'inputs of m@3 drifted at 0.15: a (psi 0.31)')
    assert.equal(found.check?.data, 'june.csv')
  })
  it('does not fire for what drifted at the lower threshold of the check alone', () => {
    assert.equal(fires(column('a', { verdict: 'drift', effect: 0.12, pAdjusted: 0.001 })), false)
  })
  it('fires for what was negligible at the higher threshold of the check, when it is real', () => {
    assert.equal(fires(column('a', { verdict: 'negligible', effect: 0.2, threshold: 0.3, pAdjusted: 0.001 })), true)
  })
  it('does not fire for an effect that may be noise, and says that it could not be judged', () => {
    const found = judgeDrift(drift, check(column('a', { verdict: 'inconclusive', effect: 0.4, pAdjusted: 0.2 })))
    assert.equal(found.fires, false)
    assert.match(found.summary, /too few rows/)
  })
  it('fires for a broken column, whose effect cannot be computed', () => {
    assert.equal(fires(column('a', { verdict: 'broken', effect: null, causes: ['column is missing'] })), true)
  })
  it('ignores a skipped column', () => {
    assert.equal(fires(column('a', { verdict: 'skipped', effect: 9, pAdjusted: 0 })), false)
  })
  it('looks at one column alone when the policy names it', () => {
    const drifted = column('a', { verdict: 'drift', effect: 0.31, pAdjusted: 0.001 })
    assert.equal(fires(drifted, { ...drift, column: 'a' }), true)
    assert.equal(fires(drifted, { ...drift, column: 'other' }), false)
    const missing = judgeDrift({ ...drift, column: 'zip' }, check(drifted))
    assert.equal(missing.fires, false)
    assert.match(missing.summary, /has no column zip/)
  })
  it('reads another measure than that of the check from its measures', () => {
    const shifted = column('a', { effect: 0.01, pAdjusted: 0.001, measures: { ks_lower: 0.3, ks_upper: 0.5 } })
    assert.equal(fires(shifted, { type: 'drift', metric: 'ks', threshold: 0.29 }), true)
    assert.equal(fires(shifted, { type: 'drift', metric: 'ks', threshold: 0.31 }), false)
    assert.equal(fires(shifted, { type: 'drift', metric: 'js', threshold: 0.1 }), false, 'not measured')
  })
  it('trusts the verdict of the check where the measure of the policy is not defined for the column', () => {
    const plan = column('plan', { verdict: 'drift', effect: 0.5, measures: { ks_lower: null } })
    assert.equal(fires(plan, { type: 'drift', metric: 'ks', threshold: 0.2 }), true)
  })
  it('takes the threshold of the check when the policy has none', () => {
    const result = column('a', { verdict: 'drift', effect: 0.12, threshold: 0.1, pAdjusted: 0.001 })
    assert.equal(fires(result, { type: 'drift', metric: 'psi' }), true)
  })
})

const champion = { version: 3, manifest: 'cc', registered: '2026-06-01T00:00:00Z', dataHashes: ['d1'], baselines: [] }

describe('other triggers', () => {
  it('a schedule fires when the version in production is old enough', () => {
    const at = (time: string) => judgeSchedule(30 * 86_400_000, champion, 'm', new Date(time))
    assert.equal(at('2026-06-30T23:59:59Z').fires, false)
    assert.equal(at('2026-07-01T00:00:00Z').fires, true)
    assert.equal(at('2026-07-02T12:00:00Z').summary, 'm@3 is 31 days old; the policy retrains after 30 days')
  })
  it('new data fires when the file is not what production was trained on', () => {
    assert.equal(judgeNewData('t.csv', ['d1'], champion, 'm').fires, false)
    const fresh = judgeNewData('t.csv', ['d2'], champion, 'm')
    assert.equal(fresh.fires, true)
    assert.notEqual(fresh.cause, judgeNewData('t.csv', ['d3'], champion, 'm').cause, 'other data is another cause')
  })
})

const now = new Date('2026-06-10T00:00:00Z')
const ended = (more: Partial<JobEnd>): JobEnd => ({
  kind: 'end',
  attempt: 'a',
  outcome: 'promoted',
  cause: 'drift',
  champion: 'cc',
  run: 'RUN',
  version: 4,
  stage: 'staging',
  gate: null,
  awaitsApproval: false,
  message: '',
  key: null,
  request: 'r',
  time: '2026-06-09T00:00:00Z',
  ...more,
})

describe('the rule against retraining storms', () => {
  const facts: StormFacts = {
    model: 'm',
    champion: 'cc',
    stages: { staging: { version: 4 } },
    events: [],
    coolDown: 7 * 864e5,
    now,
    force: 'mlops retrain m --force --reason "what was changed"',
  }
  const kind = (jobs: JobEnd[], more: Partial<StormFacts> = {}, cause: string | null = 'drift') =>
    blockedBy(cause, jobs, { ...facts, ...more })?.kind ?? null

  it('lets the first retraining go', () => assert.equal(kind([]), null))
  it('waits while the candidate waits for a person', () => {
    const blocked = blockedBy('drift', [ended({})], facts)
    assert.equal(blocked?.kind, 'awaits a decision')
    assert.equal(blocked?.hint, 'mlops promote m@4 --to production --approve NAME')
  })
  it('waits while the candidate waits for approval to enter its stage', () => {
    assert.equal(kind([ended({ outcome: 'refused', awaitsApproval: true })]), 'awaits a decision')
  })
  it('does not repeat what the gate refused while production is the same', () => {
    assert.equal(kind([ended({ outcome: 'refused' })]), 'rejected')
    assert.equal(kind([ended({ outcome: 'unchanged' })]), 'rejected')
  })
  it('takes a candidate that was removed from its stage for rejected', () => {
    assert.equal(kind([ended({})], { stages: { staging: { version: 2 } } }), 'rejected')
    assert.equal(kind([ended({})], { stages: {} }), 'rejected')
  })
  describe('when a person let the candidate into production and took it out again', () => {
    const move = (type: 'promote' | 'rollback', version: number, from: number | null, reason?: string) =>
      ({
        type,
        body: { stage: 'production', version, from, ...(reason === undefined ? {} : { reason }) },
        actor: { name: 'eve@laptop', origin: 'local' },
        time: '2026-06-09T23:00:00Z',
      }) as unknown as ModelEvent
    const events = [move('promote', 3, null), move('promote', 4, 3), move('rollback', 3, 4, 'latency doubled')]

    it('takes it for rejected, though it still stands in staging, and says who, when and why', () => {
      const blocked = blockedBy('drift', [ended({})], { ...facts, events })
      assert.equal(blocked?.kind, 'rejected')
      assert.equal(
        blocked?.why,
        'm@4 was retrained for the same cause, entered production and was rolled back to m@3 by eve@laptop 1 hour ago (reason: latency doubled)',
      )
      assert.equal(blocked?.hint, 'mlops retrain m --force --reason "what was changed"')
      assert.match(blocked?.advice ?? '', /Change the code or the data first\..* mlops promote m@4 --to production/)
      assert.equal(blocked?.since, '2026-06-09T23:00:00Z')
    })
    it('also when staging had refused it, and when it was replaced by promoting the old one', () => {
      assert.equal(kind([ended({ outcome: 'refused', awaitsApproval: true })], { events }), 'rejected')
      const replaced = blockedBy('drift', [ended({})], { ...facts, events: [move('promote', 3, 4)] })
      assert.match(replaced?.why ?? '', /was replaced by m@3 by eve@laptop 1 hour ago \(no reason was given\)/)
    })
    it('does not mistake the moves of other versions and stages for it', () => {
      const other = [
        move('rollback', 2, 3),
        { ...move('rollback', 3, 4), body: { stage: 'staging', version: 3, from: 4 } },
      ]
      assert.equal(kind([ended({})], { events: other as ModelEvent[] }), 'awaits a decision')
    })
  })
  it('takes a candidate for rejected that the gate of production certainly refuses: no word of a person lets it in', () => {
    const refusal = { version: 4, why: 'min_auc fails: required >= 0.9, actual 0.84' }
    const blocked = blockedBy('drift', [ended({})], { ...facts, refusal })
    assert.equal(blocked?.kind, 'rejected')
    assert.match(blocked?.why ?? '', /m@4 .* is in staging, but the gate of production refuses it \(min_auc fails/)
    assert.doesNotMatch(`${blocked?.hint} ${blocked?.advice}`, /promote/)
    assert.equal(kind([ended({})], { refusal: { ...refusal, version: 3 } }), 'awaits a decision')
  })
  it('says of a failure what failed: exit code, last line and run, also of one that an older program recorded', () => {
    const failure = { exitCode: 1, lastLine: "ModuleNotFoundError: No module named 'sklearn'" }
    const blocked = blockedBy('drift', [ended({ outcome: 'failed', failure })], facts)
    assert.deepEqual(blocked?.failure, { run: 'RUN', ...failure })
    const old = blockedBy('drift', [ended({ outcome: 'failed', message: 'Training ended badly\n  x' })], facts)
    assert.deepEqual(old?.failure, { run: 'RUN', exitCode: null, lastLine: 'Training ended badly' })
  })
  it('begins anew once production has changed', () => {
    for (const outcome of ['promoted', 'refused', 'failed', 'unchanged'] as const) {
      assert.equal(kind([ended({ outcome })], { champion: 'dd' }), null)
    }
  })
  it('rests for the cool-down after a failure, and no longer', () => {
    assert.equal(kind([ended({ outcome: 'failed' })]), 'cool-down')
    assert.equal(kind([ended({ outcome: 'failed', time: '2026-06-03T00:00:00Z' })]), null)
    assert.equal(kind([ended({ outcome: 'failed' })], { coolDown: 3600_000 }), null)
  })
  it('does not forget a rejection because a forced attempt failed later', () => {
    const later = ended({ outcome: 'failed', time: '2026-06-01T00:00:00Z' })
    assert.equal(kind([ended({ outcome: 'refused' }), later]), 'rejected')
  })
  it('forgets what was interrupted or never began', () => {
    assert.equal(kind([ended({ outcome: 'interrupted' })]), null)
    assert.equal(kind([ended({ outcome: 'not started' })]), null)
  })
  it('looks at the same cause alone, and never holds a person back', () => {
    assert.equal(kind([ended({ cause: 'schedule' })]), null)
    assert.equal(kind([ended({ cause: null })], {}, null), null)
  })
})

describe('the plan of a retraining', () => {
  const finding: Finding = {
    type: 'drift',
    fires: true,
    cause: 'drift',
    summary: 'it drifted',
    columns: [],
    check: null,
  }
  const policy: Policy = {
    ...manualPolicy('m'),
    file: 'retraining-policy.yaml',
    trigger: drift,
    validation: { ...NO_GATE, min: { auc: 0.8 } },
    job: { type: 'command', command: 'python t.py', data: { train: 'a.csv', test: 'b.csv' } },
  }
  const facts: RetrainFacts = {
    champion,
    finding,
    jobs: [],
    declaredData: { train: 'old.csv' },
    dataProblems: [],
    known: {
      version: 3,
      manifest: {
        format: 1,
        model: 'm',
        files: [],
        metrics: { auc: 0.85 },
        params: {},
        data: [],
        baseline: { profile: 'pp', data: { name: 'baseline', sha256: 'd1', rows: 10, columns: 2 } },
      },
    },
    open: null,
    runState: null,
    atWork: false,
    config: defaultModel(),
    stages: ['staging', 'production'],
    now,
    platform: 'linux',
  }
  const state = fold('m', [])
  const plan = (p: Policy, f: Partial<RetrainFacts> = {}, request: { reason?: string; force?: boolean } = {}) =>
    planRetrain(state, p, { ...facts, ...f }, { reason: request.reason, force: request.force === true })
  const code = (act: () => unknown): string => {
    try {
      act()
    } catch (error) {
      return `${(error as MlopsError).code} ${(error as MlopsError).exitCode}`
    }
    return 'went through'
  }

  it('retrains when the trigger fires, with train as the baseline and test as the held-out rows', () => {
    const made = plan(policy)
    assert.equal(made.decision, 'retrain')
    assert.equal(made.cause, 'drift')
    assert.deepEqual(made.register, { baseline: 'a.csv', test: 'b.csv', target: null })
    assert.deepEqual(made.job.type === 'command' && made.job.words, ['python', 't.py'])
    assert.equal(made.stage, 'staging')
  })
  it('has nothing to do when it does not fire', () => {
    const made = plan(policy, { finding: { ...finding, fires: false, summary: 'all quiet' } })
    assert.deepEqual([made.decision, made.why], ['nothing to do', 'all quiet'])
  })
  it('is blocked while a candidate for the same cause was refused, and --force overrides', () => {
    const jobs = [ended({ outcome: 'refused' })]
    assert.equal(plan(policy, { jobs }).decision, 'blocked')
    const forced = plan(policy, { jobs }, { force: true })
    assert.deepEqual([forced.decision, forced.forced, forced.cause], ['retrain', true, 'drift'])
  })
  it('has nothing to do while a candidate waits for a person to approve its stage', () => {
    const jobs = [ended({ outcome: 'refused', awaitsApproval: true })]
    assert.equal(plan(policy, { jobs }).decision, 'nothing to do')
  })
  it('names the policy file in the command that forces when one was named', () => {
    const jobs = [ended({ outcome: 'failed' })]
    const request = { reason: undefined, force: false, policyFile: 'my policies/a.yaml' }
    const made = planRetrain(state, policy, { ...facts, jobs }, request)
    assert.equal(
      made.blocked?.force,
      `mlops retrain m --policy 'my policies/a.yaml' --force --reason "what was changed"`,
    )
  })
  it('names it in what is typed to carry the plan out, too', () => {
    const request = { reason: undefined, force: false, policyFile: 'my policies/a.yaml' }
    const made = planRetrain(state, policy, facts, request)
    const next = resultOf(made, { outcome: 'planned', message: '' }).next
    assert.equal(next, "mlops retrain m --policy 'my policies/a.yaml'")
  })
  it('does not call it forced when the trigger fires anyway', () => {
    assert.equal(plan(policy, {}, { force: true }).forced, false)
  })
  it('counts a forced retraining without a firing trigger as a human decision', () => {
    const made = plan(policy, { finding: { ...finding, fires: false } }, { force: true })
    assert.deepEqual([made.decision, made.cause], ['retrain', null])
  })
  it('takes the command of mlops.yaml and the data of the last run when the job names none', () => {
    const made = plan({ ...policy, job: { type: 'command' } }, { config: { ...defaultModel(), train: 'make train' } })
    assert.ok(made.job.type === 'command')
    assert.equal(made.job.command, 'make train')
    assert.deepEqual(made.job.data, [{ name: 'train', path: 'old.csv' }])
  })
  it('shows a GitHub workflow as it is', () => {
    const job = { type: 'github_actions', workflow: 'w.yml', inputs: {}, timeout: 1000 } as const
    assert.deepEqual(plan({ ...policy, job }).job, job)
  })
  it('says how to say how a model is trained', () => {
    assert.equal(
      code(() => plan({ ...policy, job: { type: 'command' } })),
      'TRAIN_COMMAND_MISSING 2',
    )
  })
  it('asks for a reason when a person is the trigger', () => {
    const config = { ...defaultModel(), train: 'make' }
    const manual: Finding = { ...finding, type: 'manual', fires: false, cause: null }
    assert.equal(
      code(() => plan(manualPolicy('m'), { finding: manual, config })),
      'REASON_MISSING 2',
    )
    const given = plan(manualPolicy('m'), { finding: { ...manual, fires: true }, config }, { reason: 'new labels' })
    assert.deepEqual([given.decision, given.reason, given.policy], ['retrain', 'new labels', null])
  })
  it('without a policy goes to the first stage that is not production', () => {
    const config = { ...defaultModel(), train: 'make' }
    const manual: Finding = { ...finding, type: 'manual', cause: null }
    const stages = ['canary', 'production']
    const made = plan(manualPolicy('m'), { finding: manual, config, stages }, { reason: 'x' })
    assert.equal(made.stage, 'canary')
    const alone = { finding: manual, config, stages: ['production'] }
    assert.equal(
      code(() => plan(manualPolicy('m'), alone, { reason: 'x' })),
      'STAGE_UNKNOWN 2',
    )
  })
})

describe('a command line', () => {
  const shell = (line: string) => ['sh', '-c', line]
  for (const [line, words] of [
    ['python train.py --lr 0.1', ['python', 'train.py', '--lr', '0.1']],
    ['  python   "my train.py" --name=\'a b\'c ', ['python', 'my train.py', '--name=a bc']],
    ["echo ''", ['echo', '']],
    ['python train.py && echo ok', shell('python train.py && echo ok')],
    ['python train.py > log', shell('python train.py > log')],
    ['SEED=1 python train.py', shell('SEED=1 python train.py')],
    ['python "$HOME/train.py"', shell('python "$HOME/train.py"')],
    ['python "unclosed', shell('python "unclosed')],
    ['python data/*.csv', shell('python data/*.csv')],
  ] as const) {
    it(`${line.trim()} is ${words[0] === 'sh' ? 'a matter for a shell' : 'split into its words'}`, () =>
      assert.deepEqual(commandWords(line, 'linux'), words))
  }
  it('goes to cmd on Windows', () => assert.equal(commandWords('a && b', 'win32')[0], 'cmd'))
})
