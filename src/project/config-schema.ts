/**
 * The schema of `mlops.yaml`: every key with its description and default, and the step from the file's own spelling
 * (`compare_to`) to the types of `config.ts`. The one source of validation, docs and the committed JSON Schema.
 */
import { nameProblem } from '../core/names.ts'
import { nearest } from '../core/nearest.ts'
import type { Config, ModelConfig } from './config.ts'
import { DURATION } from './duration.ts'
import type { Gate } from './gate-config.ts'
import type { Problem } from './problems.ts'
import {
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
} from './schema.ts'
import type { MapEntry, YamlNode } from './yaml.ts'

export const METRICS = ['psi', 'js', 'ks', 'wasserstein', 'chi2', 'linf'] as const
const COLUMN_TYPES = ['numeric', 'categorical', 'text', 'timestamp', 'id', 'ignore'] as const
const NEED = ['required', 'optional'] as const

export const duration = text({ label: 'a duration such as 24h or 7d', pattern: DURATION })
const command = text({ label: 'a command line' })
const nameOf = (kind: string) => (key: string) => {
  const problem = nameProblem(key)
  return problem === undefined ? undefined : `cannot be the name of a ${kind}: ${problem}`
}
export const stageName = text({ label: 'the name of a stage', problem: nameOf('stage') })

const CHANNEL = /^(?:slack:#?\S+|email:\S+@\S+|webhook:https?:\/\/\S+|pagerduty:\S+|file:.+)$/
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
    const close = nearest(kind, ['slack', 'email', 'webhook', 'pagerduty', 'file'])
    const guess = quoting === '' && close !== undefined && close !== kind ? `; did you mean ${close}?` : ''
    at.report(node.line, at.path, `expected ${CHANNEL_LABEL}${quoting}${guess}`)
    return undefined
  },
}

const gateFields = {
  compare_to: optional(
    stageName,
    'The stage whose version must not be better, on every metric that a `min_` or `max_` key names. Ties pass.',
    'production',
  ),
  approval: withDefault(number({ whole: true, atLeast: 0 }), 0, 'How many people must approve.'),
  baseline: withDefault(oneOf(NEED), 'optional', 'Whether the version must have a baseline to detect drift against.'),
  run: withDefault(oneOf(NEED), 'optional', 'Whether the version must come from a recorded run.'),
  data_hash: withDefault(oneOf(NEED), 'optional', 'Whether the hash of the training data must be known.'),
}

const gatePattern = {
  keys: /^(?:min|max)_.+$/,
  name: 'min_<metric>, max_<metric>',
  shape: number(),
  description: 'The bound a recorded metric must keep. A missing metric, or one that is no finite number, fails.',
}

export const gateShape = record(gateFields, gatePattern)

/** A gate's keys together with more, for the policy's `validation`. */
export const gateWith = <F extends Parameters<typeof record>[0]>(more: F) =>
  record({ ...gateFields, ...more }, gatePattern)

const schemaShape = record({
  columns: withDefault(
    mapOf(oneOf(COLUMN_TYPES)),
    {},
    'Types of columns where the data would be read otherwise. `ignore` leaves a column out of everything.',
    '{customer_id: id, plan: categorical}',
  ),
  target: optional(text({ label: 'the name of a column' }), 'The column that holds the truth the model predicts.'),
  prediction: optional(text({ label: 'the name of a column' }), "The column that holds the model's answer."),
})

const driftShape = record({
  window: optional(duration, 'How much logged production data a check looks at when no data is named.', '7d'),
  metric: withDefault(oneOf(METRICS), 'psi', 'The measure of the effect.'),
  threshold: optional(
    number({ above: 0 }),
    'The effect from which a column counts as drifted. Without it: the default of the metric (PSI 0.10).',
    '0.10',
  ),
  columns: withDefault(
    mapOf(record({ threshold: optional(number({ above: 0 }), 'The threshold of this column.') })),
    {},
    'Overrides per column.',
    '{tenure: {threshold: 0.2}}',
  ),
  alert_after: optional(
    text({ label: 'two numbers such as 2 of 3', pattern: /^[1-9]\d* of [1-9]\d*$/, problem: kOfN }),
    'How many of the last windows must drift before an alert is sent.',
    '2 of 3',
  ),
  cool_down: optional(duration, 'How long an alert that was sent is not repeated.', '24h'),
})

const modelShape = record({
  risk: withDefault(oneOf(['low', 'standard', 'high']), 'standard', 'Decides which gates are mandatory.'),
  artifact: optional(
    text({ label: 'a path or pattern' }),
    'What a training run produces: a path or pattern relative to this file.',
    'model.joblib',
  ),
  train: optional(command, 'The command that trains the model, run in the folder of this file.', 'python train.py'),
  evaluate: optional(
    text({ label: 'a command line with {model} and {data}', problem: placeholders }),
    'The command that measures a model file on a data file and prints its metrics.',
    'python evaluate.py {model} {data}',
  ),
  schema: withDefault(schemaShape, emptyOf(schemaShape), 'What the columns mean.'),
  drift: withDefault(driftShape, emptyOf(driftShape), 'How drift is judged.'),
  predictions: optional(
    text({ label: 'a path or a postgres:// address' }),
    'Where the predictions of the running service are logged.',
    '.mlops/predictions',
  ),
  notify: withDefault(listOf(channel), [], 'Whom to tell.', '["slack:#ml-alerts", "email:ml@example.com"]'),
  gates: withDefault(
    mapOf(gateShape, nameOf('stage')),
    {},
    'What must hold before a version may enter a stage, by stage.',
    'production: {min_auc: 0.82, compare_to: production, approval: 1}',
  ),
})

export const configShape = record({
  store: withDefault(text({ label: 'a folder' }), '.mlops', 'The store, relative to this file.'),
  stages: withDefault(listOf(stageName), ['staging', 'production'], 'The stages of every model, in order.'),
  models: withDefault(mapOf(modelShape, nameOf('model')), {}, 'The models, by name.'),
})

type Raw<S> = S extends Shape<infer T> ? T : never

/** Reads a parsed `mlops.yaml`. Problems go to `report`; the result is meaningful only when there were none. */
export function readConfig(node: YamlNode, file: string): { config: Config; problems: readonly Problem[] } {
  const problems: Problem[] = []
  const report = (line: number, path: string, message: string): void => {
    problems.push({ file, line, path, message })
  }
  const raw = configShape.read(node, { path: '', report })
  if (raw === undefined || problems.length > 0) return { config: defaultConfig, problems }
  checkStages(raw, node, report)
  const models = Object.assign(
    Object.create(null) as Record<string, ModelConfig>,
    Object.fromEntries(Object.entries(raw.models).map(([name, model]) => [name, toModel(model)])),
  )
  return { config: { store: raw.store, stages: raw.stages, models }, problems }
}

/** What a project without `mlops.yaml` has. */
export const defaultConfig: Config = { store: '.mlops', stages: ['staging', 'production'], models: {} }
/** What a model has that `mlops.yaml` does not name. */
export const defaultModel: ModelConfig = toModel(emptyOf(modelShape))

export const configJsonSchema = (): JsonSchema => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'mlops.yaml',
  description: 'The configuration of an mlops project.',
  ...configShape.json,
})

export function toGate(raw: Omit<Raw<typeof gateShape>, never>): Gate {
  const bounds = (prefix: string): Record<string, number> => {
    const chosen = Object.create(null) as Record<string, number>
    for (const [key, value] of Object.entries(raw.rest)) if (key.startsWith(prefix)) chosen[key.slice(4)] = value
    return chosen
  }
  return {
    min: bounds('min_'),
    max: bounds('max_'),
    ...(raw.compare_to === undefined ? {} : { compareTo: raw.compare_to }),
    approval: raw.approval,
    baseline: raw.baseline,
    run: raw.run,
    dataHash: raw.data_hash,
  }
}

function toModel(raw: Raw<typeof modelShape>): ModelConfig {
  const { schema, drift } = raw
  return {
    risk: raw.risk,
    ...given({ artifact: raw.artifact, train: raw.train, evaluate: raw.evaluate, predictions: raw.predictions }),
    schema: { columns: schema.columns, ...given({ target: schema.target, prediction: schema.prediction }) },
    drift: {
      metric: drift.metric,
      columns: Object.assign(
        Object.create(null),
        Object.fromEntries(Object.entries(drift.columns).map(([k, v]) => [k, given({ threshold: v.threshold })])),
      ),
      ...given({
        window: drift.window,
        threshold: drift.threshold,
        alertAfter: drift.alert_after,
        coolDown: drift.cool_down,
      }),
    },
    notify: raw.notify,
    gates: Object.assign(
      Object.create(null),
      Object.fromEntries(Object.entries(raw.gates).map(([stage, gate]) => [stage, toGate(gate)])),
    ),
  }
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }
/** Without the members that are undefined. */
const given = <T extends object>(members: T): Given<T> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T>

/** The value of a shape when nothing is written: all its defaults. */
function emptyOf<T>(shape: Shape<T>): T {
  const value = shape.read({ kind: 'map', line: 0, entries: [] }, { path: '', report: () => undefined })
  if (value === undefined) throw new TypeError('this shape has no empty value')
  return value
}

/** Rules that need the whole file: stages named in gates must exist, and there is always a production. */
function checkStages(raw: Raw<typeof configShape>, node: YamlNode, report: Place['report']): void {
  const { stages } = raw
  const lineOf = (...path: string[]): number => lineAt(node, path)
  if (!stages.includes('production')) report(lineOf('stages'), 'stages', 'production must be one of the stages')
  if (new Set(stages).size < stages.length) report(lineOf('stages'), 'stages', 'a stage is named twice')
  const wrongStage = (stage: string): string => {
    const close = nearest(stage, stages)
    return `${stage} is not one of the stages (${stages.join(', ')})${close === undefined ? '' : `; did you mean ${close}?`}`
  }
  for (const [name, model] of Object.entries(raw.models)) {
    for (const [stage, gate] of Object.entries(model.gates)) {
      const path = ['models', name, 'gates', stage]
      if (!stages.includes(stage)) report(lineOf(...path), path.join('.'), wrongStage(stage))
      const other = gate.compare_to
      if (other === undefined || stages.includes(other)) continue
      report(lineOf(...path, 'compare_to'), `${path.join('.')}.compare_to`, wrongStage(other))
    }
  }
}

/** The line of the deepest key of `path` that is written. */
function lineAt(node: YamlNode, path: readonly string[]): number {
  let line = node.line
  let here: YamlNode | undefined = node
  for (const key of path) {
    const entries: readonly MapEntry[] = here?.kind === 'map' ? here.entries : []
    const entry = entries.find((candidate) => candidate.key === key)
    if (entry === undefined) return line
    line = entry.line
    here = entry.value
  }
  return line
}

function kOfN(value: string): string | undefined {
  const [k = 0, n = 0] = value.split(' of ').map(Number)
  return k <= n ? undefined : `${k} of ${n} can never be reached`
}

function placeholders(value: string): string | undefined {
  const missing = ['{model}', '{data}'].filter((word) => !value.includes(word))
  return missing.length === 0 ? undefined : `the command must contain ${missing.join(' and ')}`
}
