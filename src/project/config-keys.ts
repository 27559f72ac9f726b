/**
 * Every key of `mlops.yaml` and of the policy file with its meaning, read off the schemas: what `mlops help
 * configuration` prints and docs/configuration.md is made of.
 */
import { configShape } from './config-schema.ts'
import { policyShape } from './policy-schema.ts'
import type { Field, Shape } from './schema.ts'

export interface ConfigKey {
  readonly file: 'mlops.yaml' | 'retraining-policy.yaml'
  /** The record it stands in, dotted; `models.<name>` where the user chooses the key; '' for the top. */
  readonly section: string
  /** Several names for one rule are joined: `min_<metric>, max_<metric>`. */
  readonly key: string
  readonly is: string
  readonly meaning: string
  readonly example: string | null
  /** As written in YAML; null without one. */
  readonly default: string | null
  readonly required: boolean
}

/** In the order of the files. */
export const configKeys = (): readonly ConfigKey[] => [
  ...keysOf('mlops.yaml', '', configShape),
  ...keysOf('retraining-policy.yaml', '', policyShape),
]

function keysOf(file: ConfigKey['file'], section: string, shape: Shape<unknown>): ConfigKey[] {
  if (shape.each !== undefined) return keysOf(file, `${section}.<name>`, shape.each)
  if (shape.item !== undefined) return keysOf(file, `${section}[]`, shape.item)
  const { fields, pattern } = shape
  if (fields === undefined) return []
  const own = Object.entries(fields).map(([key, field]) => ({ file, section, key, ...described(field) }))
  const ruled =
    pattern === undefined
      ? []
      : [
          {
            ...{ file, section, key: pattern.name, is: pattern.shape.label, meaning: pattern.description },
            ...{ example: null, default: null, required: false },
          },
        ]
  const below = Object.entries(fields).flatMap(([key, field]) =>
    keysOf(file, section === '' ? key : `${section}.${key}`, field.shape),
  )
  return [...own, ...ruled, ...below]
}

function described({ shape, description, example, fallback, required }: Field<unknown>) {
  return { is: shape.label, meaning: description, example: example ?? null, default: inYaml(fallback), required }
}

function inYaml(value: unknown): string | null {
  if (value === undefined) return null
  if (Array.isArray(value)) return `[${value.join(', ')}]`
  return typeof value === 'object' ? null : String(value)
}
