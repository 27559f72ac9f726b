/**
 * From a parsed `mlops.yaml` to the `Config` the program works with: the file's spelling (`compare_to`) becomes ours,
 * and the rules that need the whole file are checked. What each key may be is in `config-schema.ts`.
 */
import { nearest } from '../core/nearest.ts'
import type { Config, ModelConfig } from './config.ts'
import { configShape, emptyOf, modelShape, type RawConfig, type RawModel } from './config-schema.ts'
import { parseDuration } from './duration.ts'
import { toGate } from './gate-read.ts'
import type { Problem } from './problems.ts'
import { emptyMap, type Place } from './schema.ts'
import { lineAt, type YamlNode } from './yaml.ts'

export { toGate } from './gate-read.ts'

/** Reads a parsed `mlops.yaml`. Problems go to `report`; the result is meaningful only when there were none. */
export function readConfig(node: YamlNode, file: string): { config: Config; problems: readonly Problem[] } {
  const problems: Problem[] = []
  const report = (line: number, path: string, message: string): void => {
    problems.push({ file, line, path, message })
  }
  const raw = configShape.read(node, { path: '', report })
  if (raw === undefined) return { config: defaultConfig(), problems }
  // With wrong stages every gate would be wrong too: that would only repeat the one mistake.
  if (!problems.some((problem) => problem.path.startsWith('stages'))) checkStages(raw, node, report)
  const { store, stages, git_tags: gitTags } = raw
  const shared = store.remote === undefined ? {} : { sharing: { remote: store.remote, branch: store.branch } }
  return { config: { store: store.path, ...shared, stages, gitTags, models: mapValues(raw.models, toModel) }, problems }
}

/** What a project without `mlops.yaml` has. */
export function defaultConfig(): Config {
  const { store, stages } = emptyOf(configShape)
  return { store: store.path, stages, models: emptyMap() }
}

/** What a model has that `mlops.yaml` does not name. */
export const defaultModel = (): ModelConfig => toModel(emptyOf(modelShape))

function toModel(raw: RawModel): ModelConfig {
  const { schema, drift, health, rollout } = raw
  return {
    risk: raw.risk,
    ...given({ artifact: raw.artifact, train: raw.train, evaluate: raw.evaluate, predictions: raw.predictions }),
    ...given({ snapshot: raw.snapshot }),
    ...given({ evaluateTimeout: raw.evaluate_timeout === undefined ? undefined : parseDuration(raw.evaluate_timeout) }),
    schema: { columns: schema.columns, ...given({ target: schema.target, prediction: schema.prediction }) },
    drift: {
      metric: drift.metric,
      columns: mapValues(drift.columns, ({ threshold }) => given({ threshold })),
      ...given({
        window: drift.window,
        threshold: drift.threshold,
        alertAfter: drift.alert_after,
        coolDown: drift.cool_down,
        every: drift.every,
        by: drift.by,
      }),
    },
    health: given({
      maxErrorRate: health.max_error_rate,
      maxP95Ms: health.max_p95_ms,
      minRequests: health.min_requests,
    }),
    rollout: {
      minRequests: rollout.min_requests,
      maxErrorIncrease: rollout.max_error_increase,
      maxLatencyRatio: rollout.max_latency_ratio,
      maxPredictionPsi: rollout.max_prediction_psi,
      maxQualityLoss: rollout.max_quality_loss,
      minLabels: rollout.min_labels,
      labels: rollout.labels,
      ...given({ minTime: rollout.min_time === undefined ? undefined : parseDuration(rollout.min_time) }),
    },
    notify: raw.notify,
    gates: mapValues(raw.gates, toGate),
  }
}

function mapValues<A, B>(map: Readonly<Record<string, A>>, change: (value: A) => B): Readonly<Record<string, B>> {
  const result = emptyMap<B>()
  for (const [key, value] of Object.entries(map)) result[key] = change(value)
  return result
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }
/** Without the members that are undefined. */
const given = <T extends object>(members: T): Given<T> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T>

/** Rules that need the whole file: stages named in gates must exist, and there is always a production. */
function checkStages(raw: RawConfig, node: YamlNode, report: Place['report']): void {
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
