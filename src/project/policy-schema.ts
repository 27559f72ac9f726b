/**
 * The schema of the policy file, `retraining-policy.yaml`: every key with its description and default. The one source
 * of validation, docs and the committed JSON Schema; `policy.ts` reads a file with it.
 */
import { channel, duration, emptyOf, gateWith, stageName } from './config-schema.ts'
import {
  type JsonSchema,
  listOf,
  mapOf,
  number,
  oneOf,
  optional,
  record,
  required,
  type Shape,
  text,
} from './schema.ts'

const AUTONOMY_LEVELS =
  '`1`: a trigger that fires trains nothing; it is reported, and the channels are told. `2`: it trains and stages, a human promotes. `3`: it promotes to production too, once the track record below exists.'
const TRIGGERS = ['drift', 'metric', 'schedule', 'new_data', 'manual'] as const

/** One channel or a list of them. */
const channels: Shape<readonly string[]> = {
  label: 'a list of channels',
  json: { anyOf: [channel.json, listOf(channel).json] },
  read: (node, at) => {
    if (node.kind === 'list') return listOf(channel).read(node, at)
    const only = channel.read(node, at)
    return only === undefined ? undefined : [only]
  },
}

const outcome = {
  promote_on_pass: optional(
    stageName,
    'The stage a candidate enters when every check passes (`staging` when nothing is said). `production` only with `autonomy: 3`: otherwise that takes a human.',
    'staging',
  ),
  notify_on_fail: optional(channels, 'Whom to tell when it failed or was refused.', '[slack: "#ml-ops-alerts"]'),
  notify_on_pass: optional(
    channels,
    'Whom to tell when a candidate has passed and waits for a person.',
    '[slack: "#ml"]',
  ),
}

const trigger = record({
  type: required(
    oneOf(TRIGGERS),
    'What starts a retraining: `drift` of the inputs, a realised `metric`, a `schedule`, `new_data`, or `manual`, which asks for `--reason`.',
  ),
  metric: optional(
    text({ label: 'the name of a measure or of a metric' }),
    'Of `drift`: the measure, `psi` when nothing is said. Of `metric`: the realised metric, from the labels that have arrived: `auc`, `accuracy`, `log_loss`, `rmse` and others.',
    'psi',
  ),
  threshold: optional(
    number(),
    'Of `drift`: the effect from which a column counts; it fires at it. Without it the threshold of the check that is looked at. Of `metric`: it fires when the metric is worse, not when it is at it.',
    '0.15',
  ),
  column: optional(text({ label: 'the name of a column' }), 'Of `drift`: only this column counts; otherwise any does.'),
  window: optional(
    duration,
    'Of `drift` and `metric`: how much of the prediction log is looked at. Without it: `drift.window` of the model.',
    '14d',
  ),
  every: optional(duration, 'Of `schedule`: how old the version in production may become.', '30d'),
  data: optional(
    text({ label: 'a path or pattern' }),
    'Of `new_data`: the file, folder or pattern that is compared, by hash, with the data the version in production was trained on.',
    'data/train.csv',
  ),
})

const job = record({
  type: required(
    oneOf(['command', 'github_actions']),
    'Where the training runs: a `command` here, or a workflow of `github_actions` that is dispatched.',
  ),
  command: optional(
    text({ label: 'a command line' }),
    "Of `command`: what is run, as `mlops track` would. Without it the model's `train:` of mlops.yaml.",
    'python train.py',
  ),
  data: optional(
    mapOf(text({ label: 'a path' })),
    'Of `command`: its data by name, as `--data NAME=PATH` of `mlops track`. `train` becomes the baseline, `test` the held-out rows. Without it: what the run behind the version in production declared.',
    '{train: data/train.csv, test: data/test.csv}',
  ),
  workflow: optional(
    text({ label: 'the file name of a workflow', problem: fileName }),
    'Of `github_actions`: the file name of the workflow. It must have a `workflow_dispatch` trigger.',
    'retrain.yml',
  ),
  repository: optional(
    text({ label: 'owner/name', pattern: /^[\w.-]+\/[\w.-]+$/ }),
    'Of `github_actions`: where the workflow is. Without it: the repository of the git remote.',
    'acme/churn',
  ),
  ref: optional(
    text({ label: 'a branch or tag' }),
    "Of `github_actions`: what is checked out. Without it: the repository's default branch.",
    'main',
  ),
  inputs: optional(
    mapOf(text({ label: 'a text' })),
    'Of `github_actions`: inputs of the workflow, besides those that `mlops` gives it.',
    '{epochs: "20"}',
  ),
  timeout: optional(
    duration,
    'Of `github_actions`: how long the workflow is waited for (`6h` when nothing is said). It is not stopped then.',
    '2h',
  ),
})

/** A path to it is the commonest slip; GitHub takes the name alone. */
function fileName(value: string): string | undefined {
  return value.includes('/') ? `only the file name: ${value.slice(value.lastIndexOf('/') + 1)}` : undefined
}

const autonomyMap = record({
  level: required(level(), AUTONOMY_LEVELS, '2'),
  min_age: optional(
    duration,
    'Of level 3: how long promotions have been made before one needs nobody (`90d` when nothing is said).',
    '90d',
  ),
  min_clean_promotions: optional(
    number({ whole: true, atLeast: 1 }),
    'Of level 3: how many of them nobody had to take back (5 when nothing is said).',
    '5',
  ),
})

/** `autonomy: 3`, or a map with more to say. */
const autonomy: Shape<RawAutonomy> = {
  label: '1, 2, 3 or a map with level, min_age, min_clean_promotions',
  fields: autonomyMap.fields,
  json: { anyOf: [{ enum: [1, 2, 3] }, autonomyMap.json] },
  read: (node, at) => {
    if (node.kind === 'map') return autonomyMap.read(node, at)
    const only = level().read(node, at)
    return only === undefined ? undefined : { level: only, min_age: undefined, min_clean_promotions: undefined }
  },
}

interface RawAutonomy {
  readonly level: 1 | 2 | 3
  readonly min_age: string | undefined
  readonly min_clean_promotions: number | undefined
}

function level(): Shape<1 | 2 | 3> {
  const label = '1, 2 or 3'
  return {
    label,
    json: { enum: [1, 2, 3] },
    read: (node, at) => {
      const found = ([1, 2, 3] as const).find((each) => node.kind === 'scalar' && node.value === each)
      if (found !== undefined) return found
      const what = node.kind === 'scalar' ? JSON.stringify(node.text) : `a ${node.kind}`
      at.report(node.line, at.path, `expected ${label}, found ${what}`)
      return undefined
    },
  }
}

export const policyShape = record({
  policy: required(
    record({
      model: required(text({ label: 'the name of a model' }), 'The model this policy is about.', 'churn-model'),
      trigger: required(trigger, 'When to retrain.'),
      job: optional(job, "How to retrain. Without it the model's `train:` of mlops.yaml is run here."),
      validation: optional(
        gateWith(outcome),
        'What the candidate must pass, together with the gate of the stage in mlops.yaml. `promote_on_pass` and `notify_on_fail` may stand here or beside it.',
      ),
      ...outcome,
      autonomy: optional(
        autonomy,
        `How much goes without a person. ${AUTONOMY_LEVELS}`,
        '{level: 3, min_age: 90d, min_clean_promotions: 5}',
      ),
      cool_down: optional(
        duration,
        'After a retraining failed, how long the same cause does not start another (`7d` when nothing is said).',
        '7d',
      ),
    }),
    'The policy.',
  ),
})

export type RawPolicyFile = typeof policyShape extends Shape<infer T> ? T : never
export type RawGateInPolicy = NonNullable<RawPolicyFile['policy']['validation']>

/** A gate that asks for nothing. */
export const noValidation: RawGateInPolicy = emptyOf(gateWith(outcome))

export const policyJsonSchema = (): JsonSchema => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'retraining-policy.yaml',
  description: 'When to retrain a model, how to validate the result, where to promote it to, whom to tell.',
  ...policyShape.json,
})
