/** A real project with a real store and a training script in plain Python, for the tests of retraining. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from '../../../src/core/context.ts'
import { checkDrift } from '../../../src/drift/check.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { registerVersion } from '../../../src/lifecycle/register/register.ts'
import type { Project } from '../../../src/project/config.ts'
import { loadProject } from '../../../src/project/load.ts'
import { readJobs } from '../../../src/retrain/job-log.ts'
import type { JobRecord } from '../../../src/retrain/job-records.ts'
import { type RetrainRequest, retrain } from '../../../src/retrain/retrain.ts'
import { type RetrainSteps, realSteps } from '../../../src/retrain/steps.ts'
import { createStore } from '../../../src/store/create.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Store } from '../../../src/store/store.ts'
import { trackCommand } from '../../../src/tracking/execute/track.ts'

export const MODEL = 'churn-model'

/** "Trains": the model is the mean of the training data, the metric stands in quality.txt. */
const TRAIN = `import pathlib, sys
rows = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "data/train.csv").read_text().split()[1:]
mean = sum(float(row.split(",")[0]) for row in rows) / len(rows)
quality = pathlib.Path("quality.txt").read_text().strip()
if quality == "broken":
    print("cannot converge", file=sys.stderr)
    sys.exit(3)
print("training on", len(rows), "rows")
pathlib.Path("model.bin").write_text(f"mean {mean} quality {quality}\\n")
print("auc:", quality)
`

const CONFIG = `models:
  ${MODEL}:
    artifact: model.bin
    train: python3 train.py
    gates:
      staging: {min_auc: 0.5}
`

export const POLICY = `policy:
  model: ${MODEL}
  trigger: {type: drift, metric: psi, threshold: 0.15}
  job: {type: command, command: python3 train.py data/june.csv, data: {train: data/june.csv, test: data/test.csv}}
  validation: {min_auc: 0.8}
  promote_on_pass: staging
  notify_on_fail: [slack: "#ml-ops-alerts"]
`

export interface Workshop {
  readonly dir: string
  readonly ctx: Context
  readonly warnings: string[]
  /** Milliseconds by which the clock of the context and of the store is ahead. */
  readonly clock: { ahead: number }
  /** The real steps, with the output of the script swallowed. */
  readonly steps: RetrainSteps
  store: Store
  project: Project
  write(path: string, content: string): void
  /** Version 1: trained, registered with its baseline, in production. */
  firstVersion(): Promise<void>
  check(data: string): Promise<void>
  retrain(request?: Partial<RetrainRequest>, steps?: Partial<RetrainSteps>, store?: Store): ReturnType<typeof retrain>
  /** The log of retrainings, as it is kept. */
  jobs(): Promise<readonly JobRecord[]>
  /** Version by stage. */
  stages(): Promise<Record<string, number>>
  versions(): Promise<number>
  runs(): Promise<number>
  remove(): void
}

export const hasPython = (): boolean => {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export async function workshop(policy: string | undefined = POLICY): Promise<Workshop> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'mlops-retrain-')))
  const write = (path: string, content: string): void => {
    mkdirSync(join(dir, path, '..'), { recursive: true })
    writeFileSync(join(dir, path), content)
  }
  write('mlops.yaml', CONFIG)
  if (policy !== '') write('retraining-policy.yaml', policy)
  write('train.py', TRAIN)
  write('quality.txt', '0.9')
  write('data/train.csv', table(0, 1))
  write('data/same.csv', table(0, 2))
  write('data/june.csv', table(3, 3))
  write('data/test.csv', table(0, 4))
  await createStore(join(dir, '.mlops'))
  const warnings: string[] = []
  const clock = { ahead: 0 }
  const ctx: Context = {
    cwd: dir,
    env: { ...process.env, MLOPS_RUN_ID: undefined, MLOPS_STORE: undefined },
    actor: { name: 'ada@laptop', origin: 'local' },
    tool: 'mlops test',
    now: () => new Date(Date.now() + clock.ahead),
    warn: (message) => warnings.push(message),
  }
  const nowhere = openSync('/dev/null', 'w')
  const quiet: RetrainSteps = {
    ...realSteps,
    train: (c, p, s, request) => trackCommand(c, p, s, { ...request, fds: { stdout: nowhere, stderr: nowhere } }),
  }
  const shop: Workshop = {
    dir,
    ctx,
    warnings,
    clock,
    steps: quiet,
    write,
    store: await openStore(join(dir, '.mlops'), { write: true, now: ctx.now }),
    project: await loadProject({ cwd: dir, env: {} }),
    async firstVersion() {
      const data = [
        { name: 'train', path: 'data/train.csv' },
        { name: 'test', path: 'data/test.csv' },
      ]
      const request = { command: ['python3', 'train.py'], model: MODEL, data, params: {}, tags: [], artifacts: [] }
      const run = await quiet.train(ctx, shop.project, shop.store, { ...request, stdoutTo: 'stderr' })
      await registerVersion(ctx, shop.project, shop.store, {
        model: MODEL,
        run: run.runId,
        baseline: 'data/train.csv',
        test: 'data/test.csv',
      })
      const ref = { model: MODEL, selector: { version: 1 } }
      await promote(ctx, shop.project, shop.store, { ref, stage: 'production', approve: ['ada'] })
    },
    async check(current) {
      await checkDrift(ctx, shop.project, shop.store, { ref: MODEL, current })
    },
    retrain: (request = {}, steps = {}, store = shop.store) =>
      retrain(ctx, shop.project, store, { model: MODEL, ...request }, { ...quiet, ...steps }),
    jobs: async () => (await readJobs(shop.store, MODEL)).records,
    async stages() {
      const { stages } = await shop.store.models.stateOrEmpty(MODEL)
      return Object.fromEntries(Object.entries(stages).map(([stage, { version }]) => [stage, version]))
    },
    versions: async () => (await shop.store.models.stateOrEmpty(MODEL)).versions.length,
    runs: async () => (await shop.store.runs.list()).length,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
  return shop
}

/** 2,000 rows of two columns around `mean`, from a small generator with a seed. */
function table(mean: number, seed: number): string {
  let state = seed
  const random = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
  const lines = Array.from({ length: 2_000 }, () => {
    const spread = random() + random() + random() - 1.5
    return `${(mean + 2 * spread).toFixed(3)},${Math.floor(random() * 4)}`
  })
  return `tenure,plan\n${lines.join('\n')}\n`
}
