/** Two versions of a real scikit-learn model, of which production should go back to the first; a log with real labels. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { skipBecause } from '../../support/skip.ts'
import { BINARY, ROOT, type RunOptions, type TempProject, tempProject } from '../harness.ts'

export const MODEL = 'churn-model'
const PYTHON = join(ROOT, '.cache/venv/bin/python')

export interface RollbackWorld {
  readonly project: TempProject
  /** With the Python of the tests, and MLOPS_BINARY for a shell. */
  readonly env: Readonly<Record<string, string>>
  /** Fails the test on another exit code than `code` (default 0). Python is that of the tests. */
  mlops(args: readonly string[], options?: RunOptions & { readonly code?: number }): ReturnType<TempProject['mlops']>
  python(args: readonly string[]): void
  /** The production version answers `rows` customers of a season; the truth comes for all of them. */
  serve(version: number, season: Season, rows: number, seed: number): Promise<void>
}

type Season = 'summer' | 'winter'

export interface WorldOptions {
  /** Of the versions, in order; the last one is in production. */
  readonly seasons: readonly Season[]
  readonly gate?: string
  /** Form of the test set. */
  readonly test?: 'csv' | 'parquet'
  readonly evaluate?: string
}

export async function rollbackWorld(context: Mocha.Context, options: WorldOptions): Promise<RollbackWorld> {
  if (!existsSync(PYTHON)) skipBecause(context, 'the Python environment of the tests is not set up')
  const { seasons, gate = '{approval: 1}', test = 'csv', evaluate = 'python evaluate.py {model} {data}' } = options
  const project = tempProject({
    'mlops.yaml': `models:\n  ${MODEL}:\n    schema: {target: churned}\n    gates: {production: ${gate}}\n`,
  })
  const env = {
    PATH: [join(PYTHON, '..'), process.env.PATH].join(delimiter),
    PYTHONPATH: join(ROOT, 'templates/python'),
    PYTHONDONTWRITEBYTECODE: '1',
    MLOPS_BINARY: BINARY,
    // What is found out is tested here, not how fast the machine is.
    MLOPS_FIT_SECONDS: '300',
  }
  for (const file of ['service.py', 'evaluate.py']) copyFileSync(join(import.meta.dirname, file), project.path(file))
  const world: RollbackWorld = {
    project,
    env,
    mlops: (args, more) => project.mlops(args, { ...more, env: { ...env, ...more?.env } }),
    python(args) {
      const ran = spawnSync(PYTHON, args, { cwd: project.dir, env: { ...process.env, ...env }, encoding: 'utf8' })
      if (ran.status !== 0) throw new Error(ran.stderr)
    },
    async serve(version, season, rows, seed) {
      const labels = `labels-${version}-${seed}.csv`
      world.python([
        'service.py',
        'serve',
        `v${version}.joblib`,
        String(version),
        season,
        String(rows),
        String(seed),
        labels,
      ])
      await world.mlops(['predictions', 'label', MODEL, labels])
    },
  }
  await world.mlops(['init', '--yes', '--name', MODEL])
  for (const [at, season] of seasons.entries()) {
    const version = at + 1
    world.python(['service.py', 'data', season, '2000', String(version), `train-${version}.csv`])
    world.python(['service.py', 'data', season, '1000', String(100 + version), `test-${version}.${test}`])
    const data = ['--data', `train=train-${version}.csv`, '--data', `test=test-${version}.${test}`]
    const train = [
      'python',
      'service.py',
      'train',
      `train-${version}.csv`,
      `v${version}.joblib`,
      `test-${version}.${test}`,
    ]
    await world.mlops(['track', '--model', MODEL, ...data, '--artifact', `v${version}.joblib`, '--', ...train])
    const known = ['--baseline', `train-${version}.csv`, '--evaluate', evaluate]
    await world.mlops(['register', MODEL, '--run', '@last', ...known])
    await world.mlops(['promote', `${MODEL}@${version}`, '--to', 'production', '--approve', 'ada'])
  }
  return world
}
