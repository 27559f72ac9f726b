/** A team with a repository on a server of its own: the code, the shared store, a model in production, the workflows. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { type FakeGitHub, fakeGitHub, TOKEN } from '../../support/github.ts'
import { type Conversations, conversations } from '../../support/workflow-runner/hub.ts'
import { type RunnerOptions, type RunOutcome, runWorkflow } from '../../support/workflow-runner/run.ts'
import { BINARY, mlops, type RunOptions, type RunResult } from '../harness.ts'

export const TRAIN = `import pathlib, sys
rows = pathlib.Path(sys.argv[1]).read_text().split()[1:]
pathlib.Path("model.txt").write_text(f"mean {sum(float(row.split(',')[0]) for row in rows) / len(rows)}\\n")
print("auc: 0.91")
`
const CONFIG = `models:
  churn-model:
    artifact: model.txt
    train: python3 train.py data/train.csv
    schema: { columns: { usage: numeric, churned: numeric }, target: churned }
    notify: [github]
    gates:
      staging: { min_auc: 0.8 }
      production: { min_auc: 0.85, approval: 1 }
`
const POLICY = `policy:
  model: churn-model
  trigger: { type: drift, threshold: 0.15 }
  job: { type: github_actions, workflow: retrain.yml, ref: main, inputs: { days: "90" } }
  validation: { min_auc: 0.85 }
  promote_on_pass: staging
`
const rows = (shift: number): string =>
  [
    'usage,churned',
    ...Array.from({ length: 400 }, (_, i) => `${((i * 37) % 100) + shift},${i % 3 === 0 ? 1 : 0}`),
  ].join('\n')

export interface Team {
  /** A clone in which a person works. */
  readonly dir: string
  readonly bare: string
  readonly hub: FakeGitHub
  readonly talk: Conversations
  /** PATH with mlops on it, and where GitHub is. */
  readonly machine: Readonly<Record<string, string>>
  git(...words: readonly string[]): string
  mlops(words: readonly string[], options?: RunOptions & { readonly code?: number }): Promise<RunResult>
  read(path: string): string
  write(path: string, text: string): void
  /** Runs a workflow as it is on `main`. */
  run(workflow: string, options: Pick<RunnerOptions, 'event'> & Partial<RunnerOptions>): Promise<RunOutcome>
  /** What the team's store says. */
  stages(): Promise<Record<string, number>>
  close(): Promise<void>
}

export async function team(): Promise<Team> {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'mlops-team-')))
  const [bare, dir, bin] = [join(home, 'churn.git'), join(home, 'ada'), join(home, 'bin')]
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', bare])
  execFileSync('git', ['clone', '-q', `file://${bare}`, dir], { stdio: 'ignore' })
  mkdirSync(bin)
  // As on a runner of one's own on which mlops is installed.
  writeFileSync(join(bin, 'mlops'), `#!/bin/sh\nexec '${process.execPath}' '${BINARY}' "$@"\n`)
  chmodSync(join(bin, 'mlops'), 0o755)
  const git = (...words: readonly string[]): string =>
    execFileSync('git', ['-C', dir, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...words], {
      encoding: 'utf8',
    }).trim()
  const talk = conversations('acme/churn')
  const workflows: Record<string, string> = {}
  const hub = await fakeGitHub({ name: 'churn', workflows, fault: talk.answer })
  const read = (path: string): string => readFileSync(join(dir, path), 'utf8')
  const self: Team = {
    dir,
    bare,
    hub,
    talk,
    machine: { PATH: `${bin}${delimiter}${process.env.PATH}`, GITHUB_API_URL: hub.api },
    git,
    mlops: (words, options) => mlops(words, { cwd: dir, ...options }),
    read,
    write(path, text) {
      mkdirSync(dirname(join(dir, path)), { recursive: true })
      writeFileSync(join(dir, path), text)
    },
    run: (workflow, { event, ...more }) =>
      runWorkflow({
        workflow: execFileSync('git', ['-C', bare, 'show', `main:.github/workflows/${workflow}`], { encoding: 'utf8' }),
        event,
        repository: bare,
        ref: 'main',
        token: TOKEN,
        env: self.machine,
        github: { repository: 'acme/churn', actor: 'grace', server_url: 'https://github.example', run_id: 1 },
        ...more,
      }),
    async stages() {
      const { json } = await self.mlops(['model', 'list', '--json'])
      const stages = json.data.models[0].stages as Record<string, { version: number }>
      return Object.fromEntries(Object.entries(stages).map(([name, { version }]) => [name, version]))
    },
    async close() {
      await hub.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
  await begin(self, join(home, 'lake'))
  workflows['retrain.yml'] = read('.github/workflows/retrain.yml')
  return self
}

/** Version 1 in production; June outside of the repository; the workflows merged. */
async function begin(self: Team, lake: string): Promise<void> {
  self.write('mlops.yaml', CONFIG)
  self.write('retraining-policy.yaml', POLICY)
  self.write('train.py', TRAIN)
  self.write('data/train.csv', rows(0))
  self.write('data/test.csv', rows(20))
  mkdirSync(lake)
  writeFileSync(join(lake, 'churn-model.csv'), rows(60))
  self.git('add', '.')
  self.git('commit', '-q', '-m', 'The model')
  self.git('push', '-q', 'origin', 'HEAD:main')
  await self.mlops(['init', '--yes', '--remote', 'origin'])
  const data = ['--data', 'train=data/train.csv', '--data', 'test=data/test.csv']
  await self.mlops(['track', '--model', 'churn-model', ...data, '--', 'python3', 'train.py', 'data/train.csv'])
  await self.mlops(['register', 'churn-model', '--run', '@last', '--stage', 'staging'])
  await self.mlops(['promote', 'churn-model@1', '--to', 'production', '--approve', 'ada'])
  const where = ['--current', join(lake, '{model}.csv')]
  await self.mlops(['scaffold', 'github-actions', '--unlocked', ...where])
  // What was trained on changes: the retrained version is another one.
  self.write('data/train.csv', rows(60))
  self.git('add', '.')
  self.git('commit', '-q', '-m', 'Workflows, July')
  self.git('push', '-q', 'origin', 'HEAD:main')
}
