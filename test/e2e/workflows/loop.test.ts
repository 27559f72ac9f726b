/** The generated workflows, run for real on a repository of their own: drift, retraining, gate, pull request, promotion. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { TOKEN } from '../../support/github.ts'
import { startPostgres } from '../../support/postgres.ts'
import { skipBecause } from '../../support/skip.ts'
import { hasPython } from '../../unit/retrain/workshop.ts'
import { cleanEnv, ROOT } from '../harness.ts'
import { type Team, TRAIN, team } from './team.ts'

const FILE = '.github/mlops/promotions/churn-model.production.json'
const BRANCH = 'mlops/promote-churn-model-production-v2'

/** Programs of that name that write down what they were asked, and answer as Docker and AWS do. */
function machines(folder: string, health: string): { readonly bin: string; readonly said: () => readonly string[] } {
  mkdirSync(folder, { recursive: true })
  const log = join(folder, 'said')
  const program = (name: string, answers: string): void => {
    const note = `printf '%s\\n' "${name} $*" >> '${log}'`
    writeFileSync(join(folder, name), `#!/bin/bash\n${note}\ncase "$*" in\n${answers}\nesac\n`, { mode: 0o755 })
  }
  program(
    'docker',
    `run*) echo container ;;\n*Health*) echo ${health} ;;\n*RepoDigests*) echo registry/churn@sha256:${'0'.repeat(64)} ;;\nlogin*) cat > /dev/null ;;`,
  )
  const task = JSON.stringify({ taskDefinitionArn: 'arn:churn:7', containerDefinitions: [{ image: 'old' }] })
  const show = `for last; do :; done; while [ $# -gt 0 ]; do case $1 in file://*) printf 'task.json %s\\n' "$(cat "\${1#file://}")" >> '${log}' ;; esac; shift; done`
  program(
    'aws',
    `*describe-services*) echo arn:churn:7 ;;\n*describe-task*) echo '${task}' ;;\n*register-task*) ${show}; echo arn:churn:8 ;;\n*get-login*) echo password ;;`,
  )
  return { bin: folder, said: () => readFileSync(log, 'utf8').split('\n') }
}

describe('Workflows of GitHub Actions, from drift to production', function () {
  this.timeout(240_000)
  let self: Team
  before(async function () {
    if (process.platform === 'win32') skipBecause(this, 'the runner needs bash')
    if (!hasPython()) skipBecause(this, 'python3 is not installed')
    self = await team()
  })
  after(async () => self?.close())

  const pull = (more: Record<string, unknown> = {}) => ({
    number: 1,
    html_url: 'https://github.example/acme/churn/pull/1',
    merged: true,
    merged_by: { login: 'grace', type: 'User' },
    merge_commit_sha: self.git('rev-parse', 'origin/main'),
    head: { repo: { full_name: 'acme/churn' } },
    ...more,
  })
  const closed = (more: Record<string, unknown> = {}, branch = BRANCH) =>
    self.run('mlops-promote.yml', {
      event: { name: 'pull_request', payload: { action: 'closed', pull_request: pull(more) } },
      github: { repository: 'acme/churn', actor: 'grace', head_ref: branch, server_url: 'https://github.example' },
    })
  /** Merges what a branch changes, as the button does. */
  function merge(ref: string): void {
    self.git('fetch', '-q', 'origin')
    self.git('checkout', '-q', '-B', 'main', 'origin/main')
    self.git('merge', '-q', '--no-ff', '-m', 'Merge', ref)
    self.git('push', '-q', 'origin', 'HEAD:main')
    self.git('fetch', '-q', 'origin')
  }

  it('on schedule: finds the drift, keeps one issue for the model, and dispatches the retraining', async () => {
    const run = await self.run('mlops-drift-churn-model.yml', { event: { name: 'schedule' } })
    assert.equal(run.conclusion, 'success', run.log)
    assert.match(run.log, /::warning title=churn-model::drift/)
    assert.match(run.jobs.check?.summary ?? '', /usage/)
    assert.ok(existsSync(join(run.jobs.check?.artifacts ?? '', 'drift-churn-model/drift.html')))
    assert.deepEqual(
      self.talk.issues.map(({ title }) => title),
      ['[mlops] churn-model: an alert'],
    )
    assert.equal(self.hub.runs.length, 1, run.log)
    assert.equal(self.hub.runs[0]?.inputs.days, '90')
    assert.ok(!run.log.includes(TOKEN), 'the token is in the log')
    // A day later it is still there: the same issue, the same retraining.
    const again = await self.run('mlops-drift-churn-model.yml', { event: { name: 'schedule' } })
    assert.equal(again.conclusion, 'success', again.log)
    assert.deepEqual([self.talk.issues.length, self.hub.runs.length], [1, 1])
  })

  it('when dispatched: trains, registers, validates, stages, and opens a pull request with the table of the gate', async () => {
    const [dispatched] = self.hub.runs
    assert.ok(dispatched !== undefined)
    dispatched.status = 'in_progress'
    const run = await self.run('retrain.yml', {
      event: { name: 'workflow_dispatch' },
      inputs: dispatched.inputs,
      github: { repository: 'acme/churn', actor: 'bot', server_url: 'https://github.example', run_id: dispatched.id },
    })
    assert.equal(run.conclusion, 'success', run.log)
    dispatched.status = 'completed'
    dispatched.conclusion = 'success'
    assert.deepEqual(run.jobs.retrain?.outputs, { version: '2', staged: 'true' })
    assert.match(run.jobs.retrain?.summary ?? '', /min_auc/)
    assert.deepEqual(await self.stages(), { production: 1, staging: 2 })
    const [request] = self.talk.pulls
    assert.deepEqual(
      [request?.title, request?.head, request?.base],
      ['Promote churn-model@2 to production', BRANCH, 'main'],
    )
    assert.match(request?.body ?? '', /min_auc[\s\S]*0\.91/)
    self.git('fetch', '-q', 'origin')
    assert.equal(self.git('diff', '--name-only', 'origin/main', `origin/${BRANCH}`), FILE)
  })

  it('retrains with the Python that the run of the version in production recorded', () => {
    const minor = execFileSync('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], {
      encoding: 'utf8',
    })
    assert.ok(self.read('.github/workflows/retrain.yml').includes(`python-version: "${minor.trim()}"`))
  })

  it('whoever dispatched it reads what came of it, and moves nothing a second time', async () => {
    const env = { GITHUB_API_URL: self.hub.api, GITHUB_REPOSITORY: 'acme/churn', MLOPS_GITHUB_TOKEN: TOKEN }
    const { json } = await self.mlops(['retrain', 'churn-model', '--json'], { env })
    assert.deepEqual([json.data.outcome, json.data.version], ['promoted', 2])
    assert.deepEqual([await self.stages(), self.hub.runs.length], [{ production: 1, staging: 2 }, 1])
  })

  it('the open pull request is checked by the code that promotes', async () => {
    self.git('checkout', '-q', '-B', 'merged', 'origin/main')
    self.git('merge', '-q', '--no-ff', '-m', 'Merge', `origin/${BRANCH}`)
    self.git('push', '-q', '--force', 'origin', 'HEAD:refs/pull/1/merge')
    const run = await self.run('mlops-promote.yml', {
      event: { name: 'pull_request', payload: { action: 'synchronize', pull_request: pull({ merged: false }) } },
      ref: 'refs/pull/1/merge',
      github: { repository: 'acme/churn', head_ref: BRANCH, server_url: 'https://github.example' },
    })
    assert.equal(run.conclusion, 'success', run.log)
    assert.deepEqual([run.jobs.check?.result, run.jobs.promote?.result], ['success', 'skipped'])
    assert.match(run.jobs.check?.summary ?? '', /The gate lets it in/)
  })

  it('what is not the file that was proposed promotes nothing: another version, another digest, more files, a fork, a bot', async () => {
    const proposal = JSON.parse(self.git('show', `origin/${BRANCH}:${FILE}`))
    const tried = async (title: string, files: Record<string, unknown>, branch = BRANCH) => {
      self.git('checkout', '-q', '-B', 'tampered', 'origin/main')
      for (const [path, content] of Object.entries(files))
        self.write(path, `${JSON.stringify(content, undefined, 2)}\n`)
      self.git('add', '--all', '.')
      self.git('commit', '-q', '-m', title)
      self.git('push', '-q', '--force', 'origin', 'HEAD:refs/heads/tampered')
      const run = await closed({ merge_commit_sha: self.git('rev-parse', 'HEAD') }, branch)
      assert.equal(run.jobs.promote?.result, 'failure', `${title}: ${run.log}`)
      return run.log
    }
    assert.match(
      await tried('another version', { [FILE]: { ...proposal, version: 1 } }),
      /is not the one that was proposed/,
    )
    const renamed = BRANCH.replace('v2', 'v1')
    const first = await tried('another version and branch', { [FILE]: { ...proposal, version: 1 } }, renamed)
    assert.match(first, /is not promoted/)
    assert.match(await tried('another digest', { [FILE]: { ...proposal, gate: '0'.repeat(64) } }), /is not promoted/)
    const more = await tried('more files', { [FILE]: proposal, 'mlops.yaml': { models: {} } })
    assert.match(more, /changes one file .* and nothing else/)
    const other = { ...proposal, extra: '$(touch pwned)' }
    assert.match(await tried('more members', { [FILE]: other }), /is no proposal of a promotion/)
    for (const [more, who] of [
      [{ head: { repo: { full_name: 'mallory/churn' } } }, 'a fork'],
      [{ merged_by: { login: 'robot', type: 'Bot' } }, 'a bot'],
      [{ merged: false }, 'closed, not merged'],
    ] as const) {
      const run = await closed(more)
      assert.equal(run.jobs.promote?.result, 'skipped', who)
    }
    assert.deepEqual(await self.stages(), { production: 1, staging: 2 })
  })

  it('when a person merges it: production moves, approved by who merged; a second run moves nothing', async () => {
    merge(`origin/${BRANCH}`)
    const run = await closed()
    assert.equal(run.conclusion, 'success', run.log)
    assert.deepEqual(await self.stages(), { production: 2, staging: 2 })
    const history = await self.mlops(['model', 'history', 'churn-model', '--json'])
    const text = JSON.stringify(history.json.data)
    assert.match(text, /grace/)
    assert.match(text, /pull request https:\/\/github\.example\/acme\/churn\/pull\/1/)
    const again = await closed()
    assert.equal(again.conclusion, 'success', again.log)
    await self.mlops(['store', 'verify'])
  })

  it('proposes any version by hand, and runs the tests', async () => {
    const proposed = await self.run('mlops-propose.yml', {
      event: { name: 'workflow_dispatch' },
      inputs: { model: 'churn-model', version: '1', stage: 'staging' },
    })
    assert.equal(proposed.conclusion, 'success', proposed.log)
    assert.equal(self.talk.pulls.at(-1)?.head, 'mlops/promote-churn-model-staging-v1')
    for (const [version, said] of [
      ['1; touch pwned', /is no number of a version/],
      ['99', /churn-model@99|version 99/],
    ] as const) {
      const inputs = { model: 'churn-model', version, stage: 'staging' }
      const refused = await self.run('mlops-propose.yml', { event: { name: 'workflow_dispatch' }, inputs })
      assert.equal(refused.conclusion, 'failure', version)
      assert.match(refused.log, said)
    }
    const tested = await self.run('mlops-test.yml', { event: { name: 'push' } })
    assert.equal(tested.conclusion, 'success', tested.log)
    assert.match(tested.jobs.test?.summary ?? '', /github-actions/)
  })

  it('the same steps run here: a script for each, on the terminal', async () => {
    const here = async (...words: readonly string[]) => {
      const env = { ...cleanEnv(), ...self.machine, MLOPS_GITHUB_TOKEN: TOKEN, GITHUB_REPOSITORY: 'acme/churn' }
      const child = spawn('.github/mlops/drift.sh', words, { cwd: self.dir, env })
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => (said += piece))
      const [code] = await once(child, 'close')
      return { code, said }
    }
    const checked = await here('churn-model')
    assert.equal(checked.code, 0, checked.said)
    assert.match(checked.said, /usage/)
    const other = await here('no-such')
    assert.deepEqual([other.code, /There is no model no-such/.test(other.said)], [1, true], other.said)
  })

  it('the image: what production holds, with its labels, only when healthy, deployed by digest', async () => {
    self.write('service/Dockerfile', 'FROM scratch\n')
    self.write('service/service.json', JSON.stringify({ model: 'churn-model' }))
    self.write('service/docker/model.py', readFileSync(join(ROOT, 'templates/docker/docker/model.py'), 'utf8'))
    const image = ['--image', '1.dkr.ecr.eu-west-1.amazonaws.com/churn', '--cloud', 'aws', '--service', 'service']
    await self.mlops(['scaffold', 'github-actions', ...image])
    const built = async (health: string, ...stage: readonly string[]) => {
      const { bin, said } = machines(join(self.dir, `machines-${health}${stage.join()}`), health)
      const env = { ...cleanEnv(), ...self.machine, DEPLOY_CLUSTER: 'ml', DEPLOY_SERVICE: 'churn', HEALTH: health }
      const child = spawn('.github/mlops/image.sh', ['churn-model', ...stage], {
        cwd: self.dir,
        env: { ...env, PATH: `${bin}${delimiter}${self.machine.PATH}` },
      })
      let text = ''
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (piece: Buffer) => {
          text += piece
        })
      const [code] = await once(child, 'close')
      return { code, text, said: said() }
    }
    const well = await built('healthy')
    assert.equal(well.code, 0, well.text)
    const find = (start: string): string => well.said.find((line) => line.startsWith(start)) ?? ''
    assert.match(find('docker build'), /--build-arg MODEL_MANIFEST=[0-9a-f]{64} --build-arg MODEL_VERSION=2 /)
    assert.match(find('docker push'), /churn:churn-model-v2-[0-9a-f]{12}$/)
    assert.match(find('aws ecs register-task-definition'), /--cli-input-json file:/)
    assert.match(find('task.json'), /"image":"registry\/churn@sha256:0+"[^}]*}]}$/)
    assert.match(find('aws ecs update-service'), /--task-definition arn:churn:8/)
    const staged = await built('healthy', 'staging')
    assert.equal(staged.code, 0, staged.text)
    assert.ok(staged.said.some((line) => line.startsWith('docker push')))
    assert.ok(!staged.said.some((line) => /update-service/.test(line)), staged.text)
    assert.match(staged.text, /not deployed: the service of `aws` runs what `production` holds/)
    const ill = await built('unhealthy')
    assert.equal(ill.code, 1)
    assert.ok(!ill.said.some((line) => /docker push|update-service/.test(line)), ill.text)
  })

  it('a version that the gate refuses stays registered: no stage, no pull request, and whoever dispatched it is told', async () => {
    self.git('checkout', '-q', '-B', 'main', 'origin/main')
    self.write('train.py', TRAIN.replace('0.91', '0.71'))
    self.git('commit', '-q', '-a', '-m', 'Worse')
    self.git('push', '-q', 'origin', 'HEAD:main')
    const env = { GITHUB_API_URL: self.hub.api, GITHUB_REPOSITORY: 'acme/churn', MLOPS_GITHUB_TOKEN: TOKEN }
    const again = ['retrain', 'churn-model', '--force', '--reason', 'again']
    await self.mlops([...again, '--no-wait'], { env })
    const dispatched = self.hub.runs.at(-1)
    assert.ok(dispatched !== undefined && self.hub.runs.length === 2)
    const pulls = self.talk.pulls.length
    const run = await self.run('retrain.yml', {
      event: { name: 'workflow_dispatch' },
      inputs: dispatched.inputs,
      github: { repository: 'acme/churn', actor: 'bot', server_url: 'https://github.example', run_id: dispatched.id },
    })
    assert.equal(run.conclusion, 'success', run.log)
    assert.deepEqual([run.jobs.retrain?.outputs, run.jobs.propose?.result], [{ version: '3', staged: '' }, 'skipped'])
    assert.match(run.jobs.retrain?.summary ?? '', /❌[\s\S]*min_auc/)
    dispatched.status = 'completed'
    dispatched.conclusion = 'success'
    const told = await self.mlops([...again, '--json'], { env, code: 3 })
    assert.deepEqual([told.json.data.outcome, told.json.data.version], ['refused', 3])
    assert.deepEqual([await self.stages(), self.talk.pulls.length], [{ production: 2, staging: 2 }, pulls])
  })

  it('rolls back by hand: the version before, with the reason in the history, and never without one', async () => {
    const inputs = { model: 'churn-model', stage: 'production', reason: 'odd scores; $(touch pwned)' }
    const event = { name: 'workflow_dispatch' }
    const without = await self.run('mlops-rollback.yml', { event, inputs: { ...inputs, reason: '' } })
    assert.equal(without.conclusion, 'failure')
    assert.match(without.log, /REASON is empty/)
    const run = await self.run('mlops-rollback.yml', { event, inputs })
    assert.equal(run.conclusion, 'success', run.log)
    assert.match(run.jobs.rollback?.summary ?? '', /\*\*production\*\* is now `churn-model@1`/)
    assert.deepEqual(await self.stages(), { production: 1, staging: 2 })
    const history = await self.mlops(['model', 'history', 'churn-model', '--json'])
    assert.ok(JSON.stringify(history.json.data).includes(inputs.reason))
  })

  it('what was approved long ago does not promote any more: the champion is another one', async () => {
    self.git('checkout', '-q', '-B', 'main', 'origin/main')
    const old = JSON.parse(self.read(FILE))
    self.write('mlops.yaml', self.read('mlops.yaml').replace('min_auc: 0.85, approval', 'min_auc: 0.9, approval'))
    const checked = await self.mlops(['gate', 'confirm', FILE, '--json'], { code: 3 })
    assert.deepEqual([old.version, checked.json.data.holds], [2, false])
    assert.match(checked.json.data.problems.join(), /reads differently/)
  })

  it('reads PostgreSQL with the password that is a secret of the repository, and shows it to nobody', async function () {
    const server = await startPostgres(this)
    try {
      const { Client } = await import('pg')
      const client = new Client({ connectionString: server.url })
      await client.connect()
      await client.query(
        'CREATE TABLE june AS SELECT (i * 37) % 100 + 300 AS usage, (i % 3 = 0)::int AS churned FROM generate_series(1, 500) i',
      )
      await client.end()
      self.git('checkout', '-q', '-B', 'main', 'origin/main')
      const address = `postgres://${server.user}@127.0.0.1:${server.port}/postgres?table=june`
      await self.mlops(['scaffold', 'github-actions', '--current', address])
      self.git('commit', '-q', '-a', '-m', 'Drift reads PostgreSQL')
      self.git('push', '-q', 'origin', 'HEAD:main')
      // Nothing is given to it by the machine but by the secret.
      const drift = (secrets: Record<string, string>) =>
        self.run('mlops-drift-churn-model.yml', { event: { name: 'schedule' }, secrets })
      const run = await drift({ MLOPS_PGPASSWORD: server.password })
      assert.match(run.log, /::warning title=churn-model::drift/)
      assert.match(run.jobs.check?.summary ?? '', /500 rows/)
      assert.ok(!run.log.includes(server.password))
      assert.equal((await drift({ MLOPS_PGPASSWORD: 'wrong' })).jobs.check?.result, 'failure')
    } finally {
      await server.stop()
    }
  })
})
