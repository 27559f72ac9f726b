/**
 * The schema of the policy file, `retraining-policy.yaml`: every key with its description and default. The one source
 * of validation, docs and the committed JSON Schema; `policy.ts` reads a file with it.
 */
import { channel, duration, gateWith, stageName } from './config-schema.ts'
import {
  emptyMap,
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
    'The stage a candidate enters when every check passes (`staging` when nothing is said). Never `production`: that takes a human.',
    'staging',
  ),
  notify_on_fail: optional(channels, 'Whom to tell when the candidate is refused.', '[slack: "#ml-ops-alerts"]'),
}

const trigger = record({
  type: required(
    oneOf(TRIGGERS),
    'What starts a retraining: `drift` of the inputs, a `schedule`, `new_data`, or `manual`, which asks for `--reason`. `metric` is not built yet.',
  ),
  metric: optional(
    text({ label: 'the name of a measure' }),
    'Of `drift`: the measure, `psi` when nothing is said.',
    'psi',
  ),
  threshold: optional(
    number({ above: 0 }),
    'Of `drift`: the effect from which a column counts. Without it the threshold of the check that is looked at.',
    '0.15',
  ),
  column: optional(text({ label: 'the name of a column' }), 'Of `drift`: only this column counts; otherwise any does.'),
  every: optional(duration, 'Of `schedule`: how old the version in production may become.', '30d'),
  data: optional(
    text({ label: 'a path' }),
    'Of `new_data`: the file that is compared, by hash, with the data the version in production was trained on.',
    'data/train.csv',
  ),
})

const job = record({
  type: required(
    oneOf(['command', 'github_actions']),
    'Where the training runs: a local `command`; dispatching `github_actions` is read, but not built yet.',
  ),
  command: optional(
    text({ label: 'a command line' }),
    "Of `command`: what is run, as `mlops track` would. Without it the model's `train:` of mlops.yaml.",
    'python train.py',
  ),
  data: optional(
    mapOf(text({ label: 'a path' })),
    'The data of the job by name, as `--data NAME=PATH` of `mlops track`. `train` becomes the baseline, `test` the held-out rows. Without it: what the run behind the version in production declared.',
    '{train: data/train.csv, test: data/test.csv}',
  ),
  workflow: optional(
    text({ label: 'the file name of a workflow' }),
    'Of `github_actions`: the workflow.',
    'retrain.yml',
  ),
})

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
export const noValidation: RawGateInPolicy = {
  compare_to: undefined,
  approval: 0,
  baseline: 'optional',
  run: 'optional',
  data_hash: 'optional',
  promote_on_pass: undefined,
  notify_on_fail: undefined,
  rest: emptyMap(),
}

export const policyJsonSchema = (): JsonSchema => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'retraining-policy.yaml',
  description: 'When to retrain a model, how to validate the result, where to promote it to, whom to tell.',
  ...policyShape.json,
})
