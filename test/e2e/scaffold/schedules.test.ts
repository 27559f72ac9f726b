/** `mlops scaffold cron | airflow | prefect`: what they write is run, by a shell always, by the real Airflow and Prefect where one is named. */
import assert from 'node:assert/strict'
import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { chmodSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { skipBecause } from '../../support/skip.ts'
import { assertMatchesSchema, ROOT, type TempProject, tempProject } from '../harness.ts'

const PYTHON = join(ROOT, '.cache/venv/bin/python')
const HERE = join(ROOT, 'test/e2e/scaffold')
/** What each exit code of `mlops retrain` becomes. */
const CODES = [0, 1, 3, 5, 6]

describe('A retraining schedule', function () {
  this.timeout(300_000)
  let project: TempProject
  const fake = (): string => project.path('fake-mlops')
  before(async () => {
    project = tempProject({
      'mlops.yaml': 'models: {churn-model: {train: python train.py}, other.model: {train: python train.py}}\n',
      'retraining-policy.yaml':
        'policy: {model: churn-model, trigger: {type: manual}, job: {type: command, command: "true"}}\n',
      // Says where it stands and what it was asked, and ends as it is told.
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the shell
      'fake-mlops': '#!/bin/sh\necho "$(pwd): $*" | tee -a "$ASKED"\nexit "${CODE:-0}"\n',
    })
    chmodSync(fake(), 0o755)
    await project.mlops(['init', '--yes'])
    for (const kind of ['cron', 'airflow', 'prefect']) {
      const { json } = await project.mlops(['scaffold', kind, '--json'])
      assertMatchesSchema(`scaffold ${kind}`, json)
      assert.deepEqual(json.data.warnings, [])
    }
  })
  const asked = (): string => (existsSync(project.path('asked')) ? project.read('asked') : '')
  const environment = (code: number) => {
    project.write('asked', '')
    return { ...process.env, MLOPS_BIN: fake(), ASKED: project.path('asked'), CODE: String(code) }
  }

  it('of cron asks for every model where mlops.yaml is, and says something only when somebody has something to do', () => {
    for (const code of CODES) {
      const done: SpawnSyncReturns<string> = spawnSync('sh', [project.path('schedule/cron/retrain.sh')], {
        env: environment(code),
        encoding: 'utf8',
        cwd: '/',
      })
      assert.equal(done.status, code === 5 ? 0 : code)
      assert.equal(done.stderr === '', code === 0, `${code}: ${done.stderr}`)
      assert.deepEqual(
        asked().trim().split('\n'),
        ['churn-model', 'other.model'].map((model) => `${project.dir}: retrain ${model} --no-input --no-color`),
      )
    }
    execFileSync(project.path('schedule/cron/retrain.sh'), ['one-model'], { env: environment(0) })
    assert.match(asked(), /^\S+: retrain one-model /)
  })

  it('of cron is a line that names the script, at a minute of its own, and the file is a person’s', async () => {
    const line = project
      .read('schedule/cron/crontab')
      .split('\n')
      .find((each) => /^\d/.test(each))
    assert.match(line ?? '', /^\d+ [2-5] \* \* \* '.*\/schedule\/cron\/retrain\.sh'$/)
    project.write('schedule/cron/crontab', '# ours\n')
    await project.mlops(['scaffold', 'cron', '--schedule', '17 3 * * 1'])
    assert.equal(project.read('schedule/cron/crontab'), '# ours\n')
    await project.mlops(['scaffold', 'status', '--check'])
  })

  it('of cron passes shellcheck', function () {
    // `npm test` has made it before it runs this file.
    const made = join(ROOT, '.cache/workflow-tools/venv/bin/shellcheck')
    const program = existsSync(made) ? made : 'shellcheck'
    if (spawnSync(program, ['--version']).error !== undefined) skipBecause(this, 'shellcheck is not installed')
    execFileSync(program, [project.path('schedule/cron/retrain.sh')], { stdio: 'pipe' })
  })

  it('takes no schedule and no model that nobody knows', async () => {
    for (const schedule of ['sometimes', '* * * *', '17 3 * * 1; rm -rf /', '17 3 * * 1\n* * * * * x']) {
      assert.match(
        (await project.mlops(['scaffold', 'cron', '--schedule', schedule], { code: 2 })).stderr,
        /five fields/,
      )
    }
    assert.match(
      (await project.mlops(['scaffold', 'prefect', 'churn-mode'], { code: 2 })).stderr,
      /Did you mean churn-model\?/,
    )
  })

  it('of Airflow and of Prefect is Python with these models and no other', function () {
    if (!existsSync(PYTHON)) skipBecause(this, 'there is no .cache/venv: node .ci/setup-python.js')
    for (const kind of ['airflow', 'prefect']) {
      const program = `import ast, json, sys
tree = ast.parse(open(sys.argv[1]).read())
print(json.dumps([ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "MODELS"][0]))`
      const found = JSON.parse(
        execFileSync(PYTHON, ['-c', program, project.path(`schedule/${kind}/mlops_retrain.py`)], { encoding: 'utf8' }),
      )
      assert.deepEqual(Object.keys(found), ['churn-model', 'other.model'])
    }
  })

  it('is run by the real Prefect', function () {
    const python = process.env.MLOPS_TEST_PREFECT_PYTHON
    if (python === undefined) return skipBecause(this, 'MLOPS_TEST_PREFECT_PYTHON names no Python with Prefect')
    for (const code of CODES) {
      const env = {
        ...environment(code),
        MLOPS_RETRY_SECONDS: '0',
        PREFECT_HOME: project.path('prefect-home'),
        DO_NOT_TRACK: '1',
        PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: '180',
        PREFECT_SERVER_ANALYTICS_ENABLED: 'false',
      }
      const done: SpawnSyncReturns<string> = spawnSync(
        python,
        [project.path('schedule/prefect/mlops_retrain.py'), 'churn-model'],
        {
          env,
          encoding: 'utf8',
        },
      )
      assert.equal(done.status, [1, 3].includes(code) ? 1 : 0, `${code}: ${done.stdout}${done.stderr}`)
      const times = asked().trim().split('\n').length
      assert.equal(times, code === 1 ? 2 : 1, `exit code ${code} is ${code === 1 ? '' : 'not '}worth another try`)
    }
  })

  it('is run by the real Airflow', function () {
    const python = process.env.MLOPS_TEST_AIRFLOW_PYTHON
    if (python === undefined) return skipBecause(this, 'MLOPS_TEST_AIRFLOW_PYTHON names no Python with Airflow')
    for (const code of CODES) {
      const env = {
        ...environment(code),
        AIRFLOW_HOME: project.path('airflow-home'),
        AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
        AIRFLOW__CORE__UNIT_TEST_MODE: 'True',
      }
      const done: SpawnSyncReturns<string> = spawnSync(
        python,
        [join(HERE, 'run_airflow.py'), project.path('schedule/airflow/mlops_retrain.py')],
        { env, encoding: 'utf8' },
      )
      assert.equal(done.status, 0, done.stderr)
      const found = JSON.parse(done.stdout.trim().split('\n').at(-1) ?? '')
      assert.deepEqual(Object.keys(found.dags).sort(), ['mlops_retrain_churn-model', 'mlops_retrain_other.model'])
      assert.equal(
        found.outcome,
        {
          0: 'success',
          1: 'RuntimeError',
          3: 'AirflowFailException',
          5: 'AirflowSkipException',
          6: 'AirflowSkipException',
        }[code],
      )
    }
  })
})
