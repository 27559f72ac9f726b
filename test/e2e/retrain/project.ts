import { delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PYTHON } from '../../support/python.ts'
import { type TempProject, tempProject } from '../harness.ts'

export const MODEL = 'churn-model'
/** The kills of `killed-at.mjs` in the built binary. */
export const preloaded = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PATH: [dirname(PYTHON), process.env.PATH].join(delimiter),
  NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'killed-at.mjs')).href}`,
  ...more,
})
export const env = { PATH: [dirname(PYTHON), process.env.PATH].join(delimiter) }

/** `wait.txt` makes it write its process id there, and wait to be killed. */
const TRAIN = `import os, pathlib, sys, time
import joblib
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

if pathlib.Path("wait.txt").exists():
    pathlib.Path("pid.txt").write_text(str(os.getpid()))
    time.sleep(600)
train, test = pd.read_csv(sys.argv[1]), pd.read_csv(sys.argv[2])
features = [c for c in train.columns if c != "churned"]
model = LogisticRegression().fit(train[features], train["churned"])
print(f"auc: {roc_auc_score(test['churned'], model.predict_proba(test[features])[:, 1]):.4f}")
joblib.dump(model, "model.joblib")
`

const CONFIG = `models:
  ${MODEL}:
    artifact: model.joblib
    train: python train.py data/train.csv data/test.csv
    schema: {target: churned, prediction: score}
`

export const POLICY = `policy:
  model: ${MODEL}
  trigger:
    type: drift
    metric: psi
    threshold: 0.15
  job:
    type: command
    command: python train.py data/june.csv data/june-test.csv
    data: {train: data/june.csv, test: data/june-test.csv}
  validation:
    min_auc: 0.70
  promote_on_pass: staging   # human reviews before production
  notify_on_fail:
    - file: told.jsonl
  notify_on_pass:
    - file: told.jsonl
`

/** Rows of two features and the truth, which depends on the first; the same for the same seed. */
export function customers(seed: number, count: number, middle = 30): string {
  const rows = people(seed, count, middle).map(({ tenure, calls, churned }) => `${tenure},${calls},${churned}`)
  return `${['tenure,calls,churned', ...rows].join('\n')}\n`
}

export function people(seed: number, count: number, middle = 30) {
  let state = seed
  const next = (): number => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  return Array.from({ length: count }, () => {
    const tenure = Math.round(middle + 40 * (next() - 0.5))
    const calls = Math.floor(next() * 6)
    const churned = next() < 1 / (1 + Math.exp((tenure - middle) / 6)) ? 1 : 0
    return { tenure, calls, churned }
  })
}

/** @param policy the content of retraining-policy.yaml */
export async function trainedProject(policy = POLICY): Promise<TempProject> {
  const project = tempProject({
    'mlops.yaml': CONFIG,
    'train.py': TRAIN,
    'retraining-policy.yaml': policy,
    'data/train.csv': customers(1, 1_000),
    'data/test.csv': customers(2, 500),
    'data/june.csv': customers(3, 1_000, 60),
    'data/june-test.csv': customers(4, 500, 60),
  })
  await project.mlops(['init', '--yes'], { env })
  const data = ['--data', 'train=data/train.csv', '--data', 'test=data/test.csv']
  const train = ['python', 'train.py', 'data/train.csv', 'data/test.csv']
  await project.mlops(['track', '--model', MODEL, ...data, '--', ...train], { env })
  await project.mlops(['register', MODEL, '--run', '@last'], { env })
  await project.mlops(['promote', `${MODEL}@1`, '--to', 'production', '--approve', 'ada'], { env })
  return project
}
