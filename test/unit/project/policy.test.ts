import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MlopsError } from '../../../src/core/errors.ts'
import { NO_GATE } from '../../../src/project/gate-config.ts'
import { loadPolicy } from '../../../src/project/policy.ts'

const DESIGN_EXAMPLE = `policy:
  model: churn-model
  trigger:
    type: drift
    metric: psi
    threshold: 0.15
  job:
    type: github_actions
    workflow: retrain_churn.yml
  validation:
    min_auc: 0.82
    compare_to: production
  promote_on_pass: staging   # human reviews before production
  notify_on_fail:
    - slack: "#ml-ops-alerts"
`
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe('retraining-policy.yaml', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mlops-policy-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const load = (content: string) => {
    const file = join(folder, 'retraining-policy.yaml')
    writeFileSync(file, content)
    return loadPolicy(file, { cwd: folder, stages: ['canary', 'staging', 'production'] })
  }
  const problems = async (content: string): Promise<string[]> => {
    const error = await load(content).then(
      () => assert.fail('the file was accepted'),
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof MlopsError, String(error))
    assert.equal(error.exitCode, 2)
    return error.message.split('\n')
  }

  it('means exactly what the policy of the design says', async () => {
    const { validation, ...policy } = await load(DESIGN_EXAMPLE)
    assert.deepEqual(plain(policy), {
      file: 'retraining-policy.yaml',
      model: 'churn-model',
      trigger: { type: 'drift', metric: 'psi', threshold: 0.15 },
      job: { type: 'github_actions', workflow: 'retrain_churn.yml', inputs: {}, timeout: 6 * 3_600_000 },
      promoteOnPass: 'staging',
      notifyOnFail: ['slack:#ml-ops-alerts'],
      notifyOnPass: [],
      coolDown: 7 * 86_400_000,
      autonomy: { level: 2, minAge: 90 * 86_400_000, minCleanPromotions: 5 },
    })
    assert.deepEqual(plain(validation), plain({ ...NO_GATE, min: { auc: 0.82 }, compareTo: 'production' }))
  })

  it('takes promote_on_pass and notify_on_fail under validation too, with the same meaning', async () => {
    const lines = DESIGN_EXAMPLE.split('\n')
    const moved = [...lines.slice(0, 12), ...lines.slice(12).map((line) => (line === '' ? '' : `  ${line}`))].join('\n')
    assert.match(moved, /^ {4}promote_on_pass/m)
    assert.deepEqual(plain(await load(moved)), plain(await load(DESIGN_EXAMPLE)))
  })

  it('runs the train command of the model when the job says nothing', async () => {
    const { job, promoteOnPass } = await load('policy: {model: m, trigger: {type: manual}}')
    assert.deepEqual([job, promoteOnPass], [{ type: 'command' }, 'staging'])
  })

  it('reads a command with its data', async () => {
    const { job } = await load(
      'policy: {model: m, trigger: {type: manual}, job: {type: command, command: python t.py, data: {train: a.csv}}}',
    )
    assert.deepEqual(plain(job), { type: 'command', command: 'python t.py', data: { train: 'a.csv' } })
  })

  it('reads a trigger on a realised metric, by whichever of its names, with its window', async () => {
    const { trigger } = await load(
      'policy: {model: m, trigger: {type: metric, metric: roc_auc, threshold: 0.8, window: 30d}}',
    )
    assert.deepEqual(plain(trigger), { type: 'metric', metric: 'auc', threshold: 0.8, window: '30d' })
    const r2 = await load('policy: {model: m, trigger: {type: metric, metric: r2, threshold: 0}}')
    assert.deepEqual(plain(r2.trigger), { type: 'metric', metric: 'r2', threshold: 0 })
  })

  it('reads everything that a workflow can be given', async () => {
    const { job } = await load(
      'policy: {model: m, trigger: {type: manual}, job: {type: github_actions, workflow: w.yml, repository: acme/churn, ref: main, inputs: {epochs: 20}, timeout: 2h}}',
    )
    assert.deepEqual(plain(job), {
      type: 'github_actions',
      workflow: 'w.yml',
      repository: 'acme/churn',
      ref: 'main',
      inputs: { epochs: '20' },
      timeout: 7_200_000,
    })
  })

  it('reads autonomy as a number or as a map, and lets level 3 name production as the goal', async () => {
    const at = async (autonomy: string) =>
      plain((await load(`policy: {model: m, trigger: {type: manual}, ${autonomy}}`)).autonomy)
    assert.deepEqual(await at('autonomy: 1'), { level: 1, minAge: 90 * 86_400_000, minCleanPromotions: 5 })
    assert.deepEqual(await at('autonomy: {level: 3, min_age: 30d, min_clean_promotions: 2}'), {
      level: 3,
      minAge: 30 * 86_400_000,
      minCleanPromotions: 2,
    })
    const { promoteOnPass } = await load(
      'policy: {model: m, trigger: {type: manual}, autonomy: 3, promote_on_pass: production}',
    )
    assert.equal(promoteOnPass, 'production')
  })

  it('names file and line of an unknown key', async () => {
    const [line] = await problems(DESIGN_EXAMPLE.replace('threshold', 'treshold'))
    assert.equal(line, 'retraining-policy.yaml:6: policy.trigger.treshold: unknown key; did you mean threshold?')
  })

  for (const [what, content, expected] of [
    ['an empty file', '', ['retraining-policy.yaml:1: policy: missing; expected a map']],
    [
      'production as the goal, wherever it stands',
      'policy:\n  model: m\n  trigger: {type: manual}\n  validation:\n    promote_on_pass: production\n',
      [
        'retraining-policy.yaml:5: policy.validation.promote_on_pass: nothing enters production by itself; promote to staging, then: mlops promote m --to production --approve NAME',
      ],
    ],
    [
      'two goals',
      'policy:\n  model: m\n  trigger: {type: manual}\n  validation: {promote_on_pass: staging}\n  promote_on_pass: canary\n',
      [
        'retraining-policy.yaml:5: policy.promote_on_pass: says canary, but validation.promote_on_pass says staging; keep one',
      ],
    ],
    [
      'a stage that does not exist and a measure that does not',
      'policy:\n  model: m\n  trigger: {type: drift, metric: psy}\n  validation: {compare_to: live}\n  promote_on_pass: stagin\n',
      [
        'retraining-policy.yaml:3: policy.trigger.metric: expected psi, js, ks, wasserstein, chi2, linf, found "psy"; did you mean psi?',
        'retraining-policy.yaml:4: policy.validation.compare_to: live is not one of the stages (canary, staging, production)',
        'retraining-policy.yaml:5: policy.promote_on_pass: stagin is not one of the stages (canary, staging, production); did you mean staging?',
      ],
    ],
    [
      'keys of another trigger, and a schedule without a time',
      'policy:\n  model: m\n  trigger:\n    type: schedule\n    threshold: 0.1\n',
      [
        'retraining-policy.yaml:3: policy.trigger: a trigger of type schedule needs every, for example every: 30d',
        'retraining-policy.yaml:5: policy.trigger.threshold: a trigger of type schedule has no threshold',
      ],
    ],
    [
      'a workflow without a name',
      'policy:\n  model: m\n  trigger: {type: manual}\n  job: {type: github_actions}\n',
      [
        'retraining-policy.yaml:4: policy.job: a job of type github_actions needs workflow, the file name of the workflow',
      ],
    ],
    [
      'a channel whose # became a comment',
      'policy:\n  model: m\n  trigger: {type: manual}\n  notify_on_fail:\n    - slack: #ml-ops\n',
      [
        'retraining-policy.yaml:5: policy.notify_on_fail[0]: expected a channel such as slack:#ml-alerts or email:ml@example.com; put the value in quotes: # begins a comment',
      ],
    ],
    [
      'an unknown trigger and no model',
      'policy:\n  trigger: {type: drfit}\n',
      [
        'retraining-policy.yaml:2: policy.trigger.type: expected drift, metric, schedule, new_data or manual, found "drfit"; did you mean drift?',
        'retraining-policy.yaml:2: policy.model: missing; expected the name of a model',
      ],
    ],
    [
      'everything at once: a wrong word, a goal that is not allowed, a stage that does not exist, a name that is none',
      'policy:\n  model: Bi/kes\n  trigger:\n    type: drfit\n  validation: {compare_to: live}\n  promote_on_pass: production\n',
      [
        'retraining-policy.yaml:2: policy.model: cannot be the name of a model: it has upper-case letters, which some file systems cannot tell apart',
        'retraining-policy.yaml:4: policy.trigger.type: expected drift, metric, schedule, new_data or manual, found "drfit"; did you mean drift?',
        'retraining-policy.yaml:5: policy.validation.compare_to: live is not one of the stages (canary, staging, production)',
        'retraining-policy.yaml:6: policy.promote_on_pass: nothing enters production by itself; promote to staging, then: mlops promote Bi/kes --to production --approve NAME',
      ],
    ],
    [
      'a wrong value once, and does not call it missing besides',
      'policy:\n  model: m\n  trigger: {type: schedule, every: soon}\n  job: {type: comand, workflow: w.yml}\n',
      [
        'retraining-policy.yaml:3: policy.trigger.every: expected a duration such as 24h or 7d, found "soon"',
        'retraining-policy.yaml:4: policy.job.type: expected command or github_actions, found "comand"; did you mean command?',
      ],
    ],
    [
      'a metric trigger without its two keys, with one of drift',
      'policy:\n  model: m\n  trigger:\n    type: metric\n    column: tenure\n',
      [
        'retraining-policy.yaml:3: policy.trigger: a trigger of type metric needs metric, for example metric: auc',
        'retraining-policy.yaml:3: policy.trigger: a trigger of type metric needs threshold, for example threshold: 0.80',
        'retraining-policy.yaml:5: policy.trigger.column: a trigger of type metric has no column',
      ],
    ],
    [
      'a metric that labels do not give, as nobody could say which way it is better',
      'policy:\n  model: m\n  trigger: {type: metric, metric: acuracy, threshold: 0.8}\n',
      [
        'retraining-policy.yaml:3: policy.trigger.metric: expected accuracy, precision, recall, f1, auc, log_loss, precision_macro, recall_macro, f1_macro, mae, rmse, r2, found "acuracy"; did you mean accuracy?',
      ],
    ],
    [
      'a threshold of drift that everything reaches, keys of another job, a path to a workflow, a level that is none',
      'policy:\n  model: m\n  trigger: {type: drift, threshold: 0}\n  job:\n    type: github_actions\n    workflow: .github/workflows/w.yml\n    command: python t.py\n  autonomy: 4\n',
      [
        'retraining-policy.yaml:3: policy.trigger.threshold: expected a number above 0, found "0"',
        'retraining-policy.yaml:6: policy.job.workflow: only the file name: w.yml',
        'retraining-policy.yaml:7: policy.job.command: a job of type github_actions has no command',
        'retraining-policy.yaml:8: policy.autonomy: expected 1, 2 or 3, found "4"',
      ],
    ],
    [
      'a bar for autonomy that is none',
      'policy:\n  model: m\n  trigger: {type: manual}\n  autonomy:\n    level: 3\n    min_age: 23h\n    min_clean_promotions: 0\n',
      [
        'retraining-policy.yaml:6: policy.autonomy.min_age: expected 1d or more, found "23h"',
        'retraining-policy.yaml:7: policy.autonomy.min_clean_promotions: expected a whole number of at least 1, found "0"',
      ],
    ],
    [
      'production as the goal with a person at level 2',
      'policy:\n  model: m\n  trigger: {type: manual}\n  autonomy: 2\n  promote_on_pass: production\n',
      [
        'retraining-policy.yaml:5: policy.promote_on_pass: nothing enters production by itself; promote to staging, then: mlops promote m --to production --approve NAME',
      ],
    ],
    [
      'keys outside of policy',
      'model: m\n',
      [
        'retraining-policy.yaml:1: model: unknown key; known are policy',
        'retraining-policy.yaml:1: policy: missing; expected a map',
      ],
    ],
  ] as const) {
    it(`refuses ${what}`, async () => assert.deepEqual(await problems(content), expected))
  }

  it('says that there is no such file', async () => {
    await assert.rejects(
      loadPolicy(join(folder, 'nope.yaml'), { cwd: folder }),
      (error: MlopsError) => error.exitCode === 4 && error.message === 'There is no file nope.yaml.',
    )
  })
})
