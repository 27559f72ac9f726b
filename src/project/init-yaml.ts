/** The text of a new `mlops.yaml`: what is known is set, what a newcomer may want next stands there as a comment. */
import type { SharingChoice } from './init-sharing.ts'

export interface NewConfig {
  readonly model: string
  readonly store: string
  /** Makes `store:` a map. */
  readonly sharing?: SharingChoice | undefined
  readonly train: string | undefined
  readonly evaluate: string | undefined
  readonly artifact: string | undefined
  readonly target: string | undefined
  /** How Python is called here, for the examples. */
  readonly python: string
}

export function renderConfig(config: NewConfig): string {
  const { model, store, sharing, train, evaluate, artifact, target, python } = config
  const setting = sharing === undefined ? yamlText(store) : storeLine(store, sharing)
  const line = (key: string, value: string | undefined, example: string, what: string, indent = 4): string => {
    const entry = value === undefined ? `# ${key}: ${example}` : `${key}: ${yamlText(value)}`
    return `${`${' '.repeat(indent)}${entry}`.padEnd(50)} # ${what}`
  }
  return `# Settings of mlops for this project; paths are relative to this file. Commit it: it holds no secrets.
# What is not here has a default. Lines that begin with "#" are examples.
store: ${setting.padEnd(43)} # everything mlops records, in plain files; git ignores it

models:
  ${yamlText(model)}:
${line('artifact', artifact, 'model.joblib', 'what training produces: a path or pattern')}
${line('train', train, `${python} train.py`, 'what mlops retrain runs')}
${line('evaluate', evaluate, `${python} evaluate.py {model} {data}`, 'measures a model on a data file')}
    schema:
${line('target', target, 'churned', 'the column the model predicts', 6)}
${line('columns', undefined, '{customer_id: id, zip: categorical}', 'types that cannot be seen in the data', 6)}
    drift: {metric: psi, threshold: 0.10}
    gates:                                         # what must hold before a version enters a stage
      # staging: {min_auc: 0.80}
      production: {approval: 1, baseline: required, run: required}
      # production: {min_auc: 0.82, compare_to: production, approval: 1, baseline: required, run: required}
`
}

/** A YAML scalar: plain where that is safe, else quoted. A JSON string is a YAML double-quoted one. */
export function yamlText(value: string): string {
  const plain = /^[A-Za-z0-9_./][A-Za-z0-9_./ {}=+@-]*$/.test(value) && !/\s$/.test(value)
  const otherwise = /^(?:true|false|null|~|[-+.\d][\d.eExo_+-]*|\.(?:inf|nan))$/i.test(value)
  return plain && !otherwise ? value : JSON.stringify(value)
}

/** `{path: .mlops, remote: origin, branch: mlops-store}` */
export const storeLine = (path: string, { remote, branch }: SharingChoice): string =>
  `{path: ${flow(path)}, remote: ${flow(remote)}, branch: ${flow(branch)}}`

/** Inside of braces some plain texts would end the value. */
const flow = (text: string): string => (/[{}[\],:#]/.test(text) ? JSON.stringify(text) : yamlText(text))
