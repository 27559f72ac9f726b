/**
 * `mlops retrain` with a job on GitHub Actions, through the built binary: GitHub is a receiver that keeps the published
 * contract, and behind it a runner that shares the store really trains and registers.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificates } from '../../support/certificates.ts'
import { type FakeGitHub, type FakeOptions, type FakeRun, fakeGitHub, TOKEN, WORKFLOW } from '../../support/github.ts'
import { proxy } from '../../support/proxy.ts'
import { skipBecause } from '../../support/skip.ts'
import { hasPython } from '../../unit/retrain/workshop.ts'
import { assertMatchesSchema, BINARY, cleanEnv, type RunResult, type TempProject, tempProject } from '../harness.ts'

const TRAIN = `import pathlib, sys
rows = pathlib.Path(sys.argv[1]).read_text().split()[1:]
if pathlib.Path("broken").exists():
    print("cannot converge", file=sys.stderr)
    sys.exit(3)
pathlib.Path("model.txt").write_text(f"mean {sum(float(row.split(',')[0]) for row in rows) / len(rows)}\\n")
print("auc: 0.91")
`
const CONFIG = `models:
  churn-model:
    artifact: model.txt
    schema: { columns: { usage: numeric, churned: numeric }, target: churned }
    gates:
      staging: { min_auc: 0.8 }
      production: { min_auc: 0.8, approval: 1 }
`
const policy = (timeout: string): string => `policy:
  model: churn-model
  trigger: { type: new_data, data: data/july.csv }
  job:
    type: github_actions
    workflow: retrain.yml
    ref: main
    inputs: { days: "90", full: "true" }
    timeout: ${timeout}
  validation: { min_auc: 0.85 }
  promote_on_pass: staging
`
const rows = (shift: number): string =>
  [
    'usage,churned',
    ...Array.from({ length: 400 }, (_, i) => `${((i * 37) % 100) + shift},${i % 3 === 0 ? 1 : 0}`),
  ].join('\n')

describe('mlops retrain with a workflow on GitHub Actions', function () {
  this.timeout(180_000)
  let project: TempProject
  let hub: FakeGitHub
  const trainings: Promise<unknown>[] = []
  let release = (): void => {}
  /** Training begins when `release` is called, at the latest when the test is over. */
  const gate = (): Promise<void> =>
    new Promise((resolve) => {
      release = resolve
    })

  let model: TempProject
  before(async function () {
    if (!hasPython()) skipBecause(this, 'python3 is not installed')
    model = await withVersion()
  })
  afterEach(async () => {
    release()
    await Promise.all(trainings.splice(0))
    await hub?.close()
    assert.deepEqual(hub?.violations ?? [], [])
  })

  /** Version 1 in production, and a GitHub whose runs train at once. */
  async function begin(options: FakeOptions = {}, timeout = '1h'): Promise<void> {
    project = tempProject()
    cpSync(model.dir, project.dir, { recursive: true })
    project.write('retraining-policy.yaml', policy(timeout))
    hub = await fakeGitHub({ onRun: (run) => void trainings.push(runner(run)), ...options })
  }

  /** A self-hosted runner: the steps of the workflow, in the environment that GitHub Actions sets. */
  async function runner(run: FakeRun): Promise<void> {
    const env = {
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_SERVER_URL: 'https://github.example',
      GITHUB_REPOSITORY: 'acme/ml',
      GITHUB_RUN_ID: String(run.id),
      GITHUB_ACTOR: 'retrain-bot',
      GITHUB_JOB: 'train',
    }
    run.status = 'in_progress'
    const data = ['--data', 'train=data/july.csv', '--data', 'test=data/test.csv']
    const training = ['track', '--model', 'churn-model', ...data, '--', 'python3', 'train.py', 'data/july.csv']
    const trained = await project.run(training, { env })
    const evidence = ['--baseline', 'data/july.csv', '--test', 'data/test.csv', '--tag', 'retrain']
    const registered =
      trained.code === 0
        ? await project.run(['register', 'churn-model', '--run', '@last', ...evidence], { env })
        : undefined
    const isWell = registered?.code === 0
    const step = { name: 'mlops track', number: 3, conclusion: isWell ? 'success' : 'failure' }
    run.jobs = [{ name: 'train', conclusion: step.conclusion, steps: [step] }]
    run.conclusion = step.conclusion
    run.status = 'completed'
  }

  const env = (more: Record<string, string> = {}) => ({
    GITHUB_API_URL: hub.api,
    GITHUB_REPOSITORY: 'acme/ml',
    MLOPS_GITHUB_TOKEN: TOKEN,
    ...more,
  })
  const retrain = (words: readonly string[] = [], more: Record<string, string> = {}): Promise<RunResult> =>
    project.run(['retrain', 'churn-model', '--policy', 'retraining-policy.yaml', ...words], { env: env(more) })
  const stages = async (): Promise<Record<string, number>> => {
    const listed = await project.mlops(['model', 'list', '--json'])
    return Object.fromEntries(
      Object.entries(listed.json.data.models[0].stages as Record<string, { version: number }>).map(([name, each]) => [
        name,
        each.version,
      ]),
    )
  }
  const versions = async (): Promise<number> =>
    (await project.mlops(['model', 'list', '--json'])).json.data.models[0].versions

  it('dispatches, waits, finds the version that the workflow registered, validates it, and stages it', async () => {
    await begin({ details: 'ignored', unlisted: 2 })
    const result = await retrain(['--wait', '--json'])
    assert.equal(result.code, 0, result.stdout + result.stderr)
    assertMatchesSchema('retrain', result.json)
    const [run] = hub.runs
    assert.deepEqual([result.json.data.outcome, result.json.data.version], ['promoted', 2])
    assert.equal(result.json.data.workflow.runUrl, run?.url)
    assert.deepEqual(await stages(), { production: 1, staging: 2 })
    assert.deepEqual([run?.inputs.days, run?.inputs.full, run?.inputs.model], ['90', 'true', 'churn-model'])
    assert.match(run?.inputs.reason ?? '', /july\.csv is not what churn-model@1 was trained on/)
    assert.ok(result.stderr.includes(run?.url ?? '?'), result.stderr)
    const history = await project.mlops(['model', 'history', 'churn-model', '--json'])
    assert.ok(JSON.stringify(history.json).includes(run?.url ?? '?'), 'who registered it, with the page of the run')
    await project.mlops(['store', 'verify'])
    for (const file of [result.stdout, result.stderr, JSON.stringify(history.json)]) assert.ok(!file.includes(TOKEN))
    const again = await retrain(['--json'])
    assert.deepEqual([again.code, again.json.data.outcome, hub.runs.length], [0, 'nothing to do', 1])
  })

  it('says which step failed and where, moves nothing, and rests', async () => {
    await begin()
    project.write('broken', '')
    const result = await retrain()
    assert.equal(result.code, 1, result.stdout)
    const [run] = hub.runs
    assert.match(result.stderr, /The workflow of churn-model ended as failure; nothing was moved\./)
    assert.ok(result.stderr.includes(`job train, step mlops track: failure ${run?.url}/job/1#step:3:1`), result.stderr)
    assert.deepEqual([await stages(), await versions()], [{ production: 1 }, 1])
    const rest = await retrain(['--json'])
    assert.deepEqual([rest.code, rest.json.data.outcome, hub.runs.length], [3, 'blocked', 1])
  })

  it('is left with --no-wait; the next retrain goes on with the same run, and never dispatches twice', async () => {
    const mayTrain = gate()
    await begin({ onRun: (run) => void trainings.push(mayTrain.then(() => runner(run))) })
    const left = await retrain(['--no-wait', '--json'])
    assert.equal(left.code, 0, left.stderr)
    assertMatchesSchema('retrain', left.json)
    const [run] = hub.runs
    assert.deepEqual(
      [left.json.data.outcome, left.json.data.workflow],
      ['dispatched', { runId: run?.id, runUrl: run?.url }],
    )
    const still = await retrain(['--no-wait', '--json'])
    assert.deepEqual([still.code, still.json.data.outcome, hub.runs.length], [0, 'dispatched', 1])
    release()
    await Promise.all(trainings)
    const done = await retrain(['--json'])
    assert.deepEqual(
      [done.code, done.json.data.outcome, done.json.data.version],
      [0, 'promoted', 2],
      done.stdout + done.stderr,
    )
    assert.deepEqual([hub.runs.length, await stages()], [1, { production: 1, staging: 2 }])
  })

  it('that takes longer than the policy waits goes on; so it does after Ctrl-C and after a kill', async () => {
    const mayTrain = gate()
    await begin({ onRun: (run) => void trainings.push(mayTrain.then(() => runner(run))) }, '2s')
    const late = await retrain()
    assert.equal(late.code, 1, late.stdout)
    assert.match(late.stderr, /has not ended within 2 seconds \(waiting for a runner\) and goes on by itself: https:/)
    assert.match(late.stderr, /→ .*mlops retrain churn-model/)
    project.write('retraining-policy.yaml', policy('1h'))

    const words = ['retrain', 'churn-model', '--policy', 'retraining-policy.yaml']
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const before = hub.asked.length
      const child = spawn(process.execPath, [BINARY, ...words], {
        cwd: project.dir,
        env: cleanEnv(env()),
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let text = ''
      child.stderr.on('data', (chunk: Buffer) => {
        text += chunk
      })
      // It has looked at the run: it waits.
      while (
        !hub.asked.slice(before).some(({ path }) => /\/actions\/runs\/\d+\?/.test(path)) ||
        !/at work|waiting/.test(text)
      ) {
        assert.equal(child.exitCode, null, text)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      child.kill(signal)
      const [code] = await once(child, 'close')
      if (signal === 'SIGINT') {
        assert.equal(code, 130, text)
        assert.match(text, /is not waited for any longer and goes on by itself/)
      }
    }
    release()
    await Promise.all(trainings)
    // What was killed on this machine gives way at once where that can be told (Linux), elsewhere after 90 s of silence.
    const done = await retrain(['--json'])
    assert.equal(done.code, process.platform === 'linux' ? 0 : 5, done.stdout + done.stderr)
    assert.deepEqual([hub.runs.length, await versions()], [1, 2])
  })

  it('is refused before anything is sent when the workflow does not fit: all problems with their lines', async () => {
    await begin()
    const unfit = WORKFLOW.replace(/^run-name:.*\n/m, '').replace(
      'size: { type: choice',
      'speed: { required: true }\n      size: { type: choice',
    )
    project.write('.github/workflows/retrain.yml', unfit)
    const result = await retrain()
    assert.equal(result.code, 2, result.stderr)
    assert.match(result.stderr, /\.github\/workflows\/retrain\.yml:10: input speed: required, has no default/)
    assert.match(result.stderr, /\.github\/workflows\/retrain\.yml:1: run-name: does not carry the correlation_id/)
    assert.match(result.stderr, /run-name: retrain \$\{\{ inputs\.correlation_id \}\}/)
    assert.equal(hub.asked.length, 0)
    project.write('.github/workflows/retrain.yml', WORKFLOW)
    const missing = await retrain(['--json'], { MLOPS_GITHUB_TOKEN: '' })
    assert.deepEqual([missing.code, missing.json.error?.code], [2, 'GITHUB_TOKEN_MISSING'])
    assert.equal((await retrain()).code, 0, 'what was never dispatched does not rest')
  })

  it('reaches an Enterprise Server behind a proxy, with an authority of its own', async function () {
    const folder = mkdtempSync(join(tmpdir(), 'mlops-tls-'))
    const { authority, tls } = certificates(this, folder, ['git.corp.test'])
    await begin({ tls, prefix: '/api/v3', details: 'refused', host: 'git.corp.test' })
    const between = await proxy({ hosts: { 'git.corp.test': hub.port }, account: 'ada:secret-of-proxy' })
    try {
      // The remote alone says where the API is.
      execFileSync('git', ['init', '-q'], { cwd: project.dir })
      execFileSync('git', ['remote', 'add', 'origin', 'git@git.corp.test:acme/ml.git'], { cwd: project.dir })
      const result = await project.run(['retrain', 'churn-model'], {
        env: {
          MLOPS_GITHUB_TOKEN: TOKEN,
          HTTPS_PROXY: between.url.replace('//', '//ada:secret-of-proxy@'),
          NODE_EXTRA_CA_CERTS: authority,
        },
      })
      assert.equal(result.code, 0, result.stderr)
      assert.ok(hub.asked.length > 0 && between.asked.every((each) => each === 'CONNECT git.corp.test:443'))
      assert.deepEqual(await stages(), { production: 1, staging: 2 })
      assert.doesNotMatch(result.stdout + result.stderr, /secret-of-proxy/)
    } finally {
      await between.close()
      rmSync(folder, { recursive: true })
    }
  })
})

/** Version 1, trained on June and in production. */
async function withVersion(): Promise<TempProject> {
  const project = tempProject({
    'mlops.yaml': CONFIG,
    'train.py': TRAIN,
    '.github/workflows/retrain.yml': WORKFLOW,
    'data/june.csv': rows(0),
    'data/july.csv': rows(40),
    'data/test.csv': rows(20),
  })
  await project.mlops(['init', '--yes', '--name', 'churn-model'])
  const data = ['--data', 'train=data/june.csv', '--data', 'test=data/test.csv']
  await project.mlops(['track', '--model', 'churn-model', ...data, '--', 'python3', 'train.py', 'data/june.csv'])
  const evidence = ['--baseline', 'data/june.csv', '--test', 'data/test.csv']
  await project.mlops(['register', 'churn-model', '--run', '@last', ...evidence])
  await project.mlops(['promote', 'churn-model@1', '--to', 'production', '--approve', 'ada'])
  return project
}
