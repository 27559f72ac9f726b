/**
 * The schema of `mlops.yaml`: every key with its description and default, in the file's own spelling. The one source
 * of validation, of docs/configuration.md and of the committed JSON Schema. `config-read.ts` turns what it reads into
 * the types of `config.ts`.
 */
import { nearest } from '../core/nearest.ts'
import { placeholderProblem } from '../core/shell.ts'
import type { PredictionsConfig } from './config.ts'
import { DURATION } from './duration.ts'
import { gateShape, nameOf, stageName, timeLimit } from './gate-schema.ts'
import {
  emptyMap,
  type JsonSchema,
  listOf,
  mapOf,
  number,
  oneOf,
  optional,
  type Place,
  record,
  type Shape,
  text,
  withDefault,
  yesOrNo,
} from './schema.ts'
import { DEFAULT_STORE, storeShape } from './store-setting.ts'
import type { YamlNode } from './yaml.ts'

export { gateWith, stageName } from './gate-schema.ts'

export const METRICS = ['psi', 'js', 'ks', 'wasserstein', 'chi2', 'linf'] as const
const COLUMN_TYPES = ['numeric', 'categorical', 'text', 'timestamp', 'id', 'ignore'] as const

export const duration = text({ label: 'a duration such as 24h or 7d', pattern: DURATION })
const command = text({ label: 'a command line' })

const CHANNEL = /^(?:slack:#?\S+|email:\S+@\S+|webhook:https?:\/\/\S+|pagerduty(?::\S+)?|github|file:.+|stdout)$/
const CHANNEL_LABEL = 'a channel such as slack:#ml-alerts or email:ml@example.com'

/** `"slack:#ml-alerts"`, or the same as a map: `slack: "#ml-alerts"`. */
export const channel: Shape<string> = {
  label: CHANNEL_LABEL,
  json: {
    anyOf: [
      { type: 'string', pattern: CHANNEL.source },
      { type: 'object', maxProperties: 1 },
    ],
  },
  read: (node: YamlNode, at: Place) => {
    const pair = node.kind === 'map' && node.entries.length === 1 ? node.entries[0] : undefined
    const target = pair?.value.kind === 'scalar' ? pair.value.text : undefined
    const written =
      node.kind === 'scalar' ? node.text : pair === undefined || target === undefined ? '' : `${pair.key}:${target}`
    if (CHANNEL.test(written)) return written
    const kind = written.split(':')[0] ?? ''
    // `- slack: #ml-alerts` without quotes is a key with a comment behind it: the commonest mistake here.
    const quoting = pair !== undefined && target === '' ? '; put the value in quotes: # begins a comment' : ''
    const close = nearest(kind, ['slack', 'email', 'webhook', 'pagerduty', 'github', 'file', 'stdout'])
    const guess = quoting === '' && close !== undefined && close !== kind ? `; did you mean ${close}?` : ''
    at.report(node.line, at.path, `expected ${CHANNEL_LABEL}${quoting}${guess}`)
    return undefined
  },
}

const schemaShape = record({
  columns: withDefault(
    mapOf(oneOf(COLUMN_TYPES)),
    emptyMap(),
    'Types of columns where the data would be read otherwise. `ignore` leaves a column out of everything.',
    '{customer_id: id, plan: categorical}',
  ),
  target: optional(text({ label: 'the name of a column' }), 'The column that holds the truth the model predicts.'),
  prediction: optional(text({ label: 'the name of a column' }), "The column that holds the model's answer."),
})

const driftShape = record({
  window: optional(
    duration,
    'How much of the prediction log a check looks at when no data is named; 7d when nothing is said.',
    '7d',
  ),
  metric: withDefault(oneOf(METRICS), 'psi', 'The measure of the effect.'),
  threshold: optional(
    number({ above: 0 }),
    'The effect from which a column counts as drifted. Without it: the default of the metric (PSI 0.10).',
    '0.10',
  ),
  columns: withDefault(
    mapOf(record({ threshold: optional(number({ above: 0 }), 'The threshold of this column.') })),
    emptyMap(),
    'Overrides per column.',
    '{tenure: {threshold: 0.2}}',
  ),
  by: optional(
    text({ label: 'the name of a column' }),
    'Look at each value of this column by itself too, where `--by` names no other. `register` then keeps the counts of each value with the baseline.',
    'region',
  ),
  every: optional(duration, 'How often a check is meant to be made. `status` says when the checks have stopped.', '1d'),
  alert_after: optional(
    text({ label: 'two numbers such as 2 of 3', pattern: /^[1-9]\d* of [1-9]\d*$/, problem: kOfN }),
    'How many of the last windows must drift before an alert is sent.',
    '2 of 3',
  ),
  cool_down: optional(duration, 'How long an alert that was sent is not repeated.', '24h'),
})

const healthShape = record({
  max_error_rate: optional(
    number({ above: 0 }),
    'The largest share of requests of a window that may fail. Without it: judged against an earlier window.',
    '0.01',
  ),
  max_p95_ms: optional(
    number({ above: 0 }),
    'The latency in milliseconds that 95 % of the requests of a window must keep. Without it: judged against an earlier window.',
    '200',
  ),
  min_requests: optional(
    number({ whole: true, atLeast: 0 }),
    'The fewest requests a window may have. Without it: judged against an earlier window.',
    '1000',
  ),
})

const rolloutShape = record({
  min_requests: withDefault(
    number({ whole: true, atLeast: 1 }),
    100,
    'The requests that each of the two versions must have answered before a step counts as well.',
  ),
  min_time: optional(duration, 'How long a step takes at least.', '1h'),
  max_error_increase: withDefault(
    number({ above: 0, atMost: 1 }),
    0.01,
    'By how much the share of failed requests may be above that of the version in the stage.',
  ),
  max_latency_ratio: withDefault(
    number({ above: 1 }),
    1.5,
    'By which factor the p95 latency may be above that of the version in the stage.',
  ),
  max_prediction_psi: withDefault(
    number({ above: 0 }),
    0.25,
    'How far its answers may be from those of the version in the stage (PSI). A model that is meant to answer differently needs more.',
  ),
  max_quality_loss: withDefault(
    number({ above: 0 }),
    0.05,
    'By how much its accuracy may be below, or by which share its mean absolute error above, that of the version in the stage.',
  ),
  min_labels: withDefault(
    number({ whole: true, atLeast: 1 }),
    50,
    'The labels that each of the two versions must have before they are compared by them.',
  ),
  labels: withDefault(oneOf(['required', 'optional']), 'optional', 'Whether a step counts as well only with labels.'),
})

const predictionsMap = record({
  at: optional(
    text({ label: 'a path or a postgres:// address' }),
    'Where: a path relative to this file, or postgres://….',
  ),
  keep: optional(duration, 'How long predictions are kept before `mlops predictions prune` takes them.', '90d'),
  drop: withDefault(listOf(text({ label: 'the name of a column' })), [], 'Columns that are never logged.', '[email]'),
  sample: withDefault(
    number({ above: 0, atMost: 1 }),
    1,
    'Which share of the requests is logged. Failed ones are logged always.',
    '0.1',
  ),
})

/** `predictions: PATH`, or a map with more to say. */
const predictionsShape: Shape<PredictionsConfig> = {
  label: 'a path, a postgres:// address or a map with at, keep, drop, sample',
  fields: predictionsMap.fields,
  json: { anyOf: [{ type: 'string' }, predictionsMap.json] },
  read: (node: YamlNode, at: Place) => {
    if (node.kind === 'scalar') {
      const path = text({ label: 'a path, a postgres:// address or a map' }).read(node, at)
      return path === undefined ? undefined : { at: path, drop: [], sample: 1 }
    }
    const read = predictionsMap.read(node, at)
    if (read === undefined) return undefined
    const { at: path, keep, drop, sample } = read
    return { ...(path === undefined ? {} : { at: path }), ...(keep === undefined ? {} : { keep }), drop, sample }
  },
}

export const modelShape = record({
  risk: withDefault(oneOf(['low', 'standard', 'high']), 'standard', 'Decides which gates are mandatory.'),
  artifact: optional(
    text({ label: 'a path or pattern' }),
    'What a training run produces: a path or pattern relative to this file.',
    'model.joblib',
  ),
  train: optional(command, 'The command that trains the model, run in the folder of this file.', 'python train.py'),
  snapshot: optional(
    yesOrNo,
    'Whether runs that train the model keep the bytes of the data that they declare, as `mlops track --snapshot` does: then they can be reproduced when the data is gone. No when nothing is said.',
    'true',
  ),
  evaluate: optional(
    text({ label: 'a command line with {model} and {data}', problem: placeholders }),
    'The command that measures a model file on a data file and prints its metrics. With `{predictions}`, a path, it also writes its answers row by row, as `--test-predictions` takes them: then two versions are compared on the same rows.',
    'python evaluate.py {model} {data} {predictions}',
  ),
  evaluate_timeout: optional(
    timeLimit,
    'Of `evaluate`: after how long it is ended, and the version counts as not measured (`30m` when nothing is said).',
    '2h',
  ),
  schema: withDefault(schemaShape, emptyOf(schemaShape), 'What the columns mean.'),
  drift: withDefault(driftShape, emptyOf(driftShape), 'How drift is judged.'),
  health: withDefault(
    healthShape,
    emptyOf(healthShape),
    'What the service must keep in the window of a check, by the prediction log.',
    '{max_error_rate: 0.01, max_p95_ms: 200, min_requests: 1000}',
  ),
  rollout: withDefault(
    rolloutShape,
    emptyOf(rolloutShape),
    'When a version that is rolled out by steps counts as worse (docs/rollout.md).',
    '{min_requests: 500, max_error_increase: 0.005}',
  ),
  predictions: optional(
    predictionsShape,
    'Where the predictions of the running service are logged: a path or a `postgres://` address, or a map with more to say. Without it: `predictions` in the store.',
    '.mlops/predictions',
  ),
  notify: withDefault(
    listOf(channel),
    [],
    'Whom `mlops drift --alert` tells: `slack:#channel`, `email:a@b`, `webhook:URL`, `pagerduty:NAME`, `github`, `file:PATH`, `stdout`. Their secrets stand in environment variables; try them with `mlops notify test`.',
    '["slack:#ml-alerts", "email:ml@example.com"]',
  ),
  gates: withDefault(
    mapOf(gateShape, nameOf('stage')),
    emptyMap(),
    'What must hold before a version may enter a stage, by stage.',
    'production: {min_auc: 0.82, compare_to: production, approval: 1}',
  ),
})

export const configShape = record({
  store: withDefault(
    storeShape,
    DEFAULT_STORE,
    'The store, a folder relative to this file; or a map that says the branch of a git remote that a team shares it as (docs/git-store.md).',
    '{path: .mlops, remote: origin, branch: mlops-store}',
  ),
  stages: withDefault(listOf(stageName), ['staging', 'production'], 'The stages of every model, in order.'),
  git_tags: withDefault(
    yesOrNo,
    false,
    'Whether every move of a stage leaves git tags that GTO reads, on the commit that the version was trained from. They are never pushed (docs/transfer.md).',
    'true',
  ),
  models: withDefault(mapOf(modelShape, nameOf('model')), emptyMap(), 'The models, by name.'),
})

export type RawModel = Raw<typeof modelShape>
export type RawConfig = Raw<typeof configShape>
type Raw<S> = S extends Shape<infer T> ? T : never

export const configJsonSchema = (): JsonSchema => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'mlops.yaml',
  description: 'The configuration of an mlops project.',
  ...configShape.json,
})

/** The value of a shape when nothing is written: all its defaults. */
export function emptyOf<T>(shape: Shape<T>): T {
  const value = shape.read({ kind: 'map', line: 0, entries: [] }, { path: '', report: () => undefined })
  if (value === undefined) throw new TypeError('this shape has no empty value')
  return value
}

function kOfN(value: string): string | undefined {
  const [k = 0, n = 0] = value.split(' of ').map(Number)
  return k <= n ? undefined : `${k} of ${n} can never be reached`
}

function placeholders(value: string): string | undefined {
  const missing = ['{model}', '{data}'].filter((word) => !value.includes(word))
  return missing.length === 0 ? placeholderProblem(value) : `the command must contain ${missing.join(' and ')}`
}
