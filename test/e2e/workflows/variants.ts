/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are GitHub's */
/** Every kind of workflows that `mlops scaffold github-actions` writes, generated in this process; also with hostile names. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { failed } from '../../../src/core/errors.ts'
import { loadProject } from '../../../src/project/load.ts'
import type { Option } from '../../../src/scaffold/generators.ts'
import { type ScaffoldResult, scaffold } from '../../../src/scaffold/scaffold.ts'

/** What would become code wherever somebody forgot to encode it. */
export const HOSTILE = '${{ github.token }}"\'`$(touch pwned)`\n- run: touch pwned #{{ x }} *a &b'

const SHARED = 'store: { path: .mlops, remote: origin, branch: mlops-store }'
const OTHER = 'store: { path: .mlops, remote: "https://git.example/acme/store.git", branch: mlops-store }'
const PG = 'predictions: "postgres://mlops@db.example:5432/logs"'
const policy = (inputs: Readonly<Record<string, string>>): string =>
  JSON.stringify({
    policy: {
      model: 'churn-model',
      trigger: { type: 'drift', threshold: 0.15 },
      job: { type: 'github_actions', workflow: 'retrain.churn.yml', inputs },
      validation: { min_auc: 0.82 },
    },
  })

export interface Variant {
  readonly title: string
  readonly files: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, Option>>
}

const own = { runner: ['self-hosted', 'mlops'], 'runner-store': '/srv/mlops/.mlops' }

export const VARIANTS: readonly Variant[] = [
  {
    title: 'on runners of GitHub, PostgreSQL, a policy',
    files: {
      'mlops.yaml': `${SHARED}\nmodels:\n  churn-model: { ${PG}, notify: [github, "slack:#ml-alerts", "email:a@example.com", "pagerduty:ML"], train: python train.py }\n`,
      'retraining-policy.yaml': policy({ days: '90', 'full-run': 'true' }),
    },
    options: {},
  },
  {
    title: 'two models, the log is a secret, an image for ghcr.io',
    files: { 'mlops.yaml': `${SHARED}\nmodels: { a.b_c-d: {}, '0': {} }\n` },
    options: { predictions: 'secret', schedule: 'hourly', image: 'ghcr.io/acme/churn', service: 'service' },
  },
  {
    title: 'runners of our own, Google Cloud',
    files: { 'mlops.yaml': 'models: { churn-model: {} }\n' },
    options: { ...own, current: '/data/{model}/*.parquet', image: 'eu-docker.pkg.dev/acme/ml/churn', cloud: 'gcp' },
  },
  {
    title: 'a store in another repository, AWS',
    files: { 'mlops.yaml': `${OTHER}\nmodels: { churn-model: {} }\n` },
    options: {
      current: 'postgres://db.example/logs?table=june',
      image: '1.dkr.ecr.eu-west-1.amazonaws.com/churn',
      cloud: 'aws',
      schedule: 'weekly',
    },
  },
  {
    title: 'Azure, packages with digests, another branch',
    files: {
      'mlops.yaml': `${SHARED}\nmodels: { churn-model: { ${PG} } }\n`,
      'requirements.lock': 'numpy==2.3.5 --hash=sha256:00\n',
    },
    options: { image: 'acme.azurecr.io/churn', cloud: 'azure', branch: 'release/2026.11', python: '3.11' },
  },
  {
    title: 'hostile names everywhere',
    files: {
      'mlops.yaml': `${SHARED}\nmodels: { churn-model: { ${PG}, train: ${JSON.stringify(HOSTILE)} } }\n`,
      'retraining-policy.yaml': policy({ days: HOSTILE }),
      "lock'$(id).txt": 'numpy==2.3.5 --hash=sha256:00\n',
    },
    options: {
      runner: [HOSTILE, 'self-hosted'],
      'runner-store': `/srv/${HOSTILE}`,
      current: HOSTILE,
      service: HOSTILE,
      requirements: "lock'$(id).txt",
      mlops: HOSTILE,
    },
  },
]

/** @returns the folder, a git repository, and what scaffolding said */
export async function generate({
  files,
  options,
}: Variant): Promise<{ readonly folder: string; readonly result: ScaffoldResult }> {
  const folder = mkdtempSync(join(tmpdir(), 'mlops-workflows-'))
  execFileSync('git', ['init', '-q', '-b', 'main', folder])
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const project = await loadProject({ cwd: folder, env: {} })
  const ctx = {
    cwd: folder,
    env: { PATH: process.env.PATH },
    actor: { name: 'ada', origin: 'local' as const },
    tool: 'mlops 0.1.0',
    now: () => new Date(),
    warn: () => {},
  }
  const openStore = (): Promise<never> => Promise.reject(failed({ code: 'STORE_IO', message: 'there is none here' }))
  const world = { ctx, project, openStore }
  const result = await scaffold(world, {
    kind: 'github-actions',
    mode: 'apply',
    options: { unlocked: true, ...options },
  })
  return { folder, result }
}

/** Path and text of every workflow. */
export const workflowsIn = (folder: string): readonly (readonly [name: string, text: string])[] =>
  readdirSync(join(folder, '.github/workflows')).map((name) => [
    name,
    readFileSync(join(folder, '.github/workflows', name), 'utf8'),
  ])
