/** What a merged pull request may bring with it, however it was merged, and which tokens what nobody reviewed gets. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { skipBecause } from '../../support/skip.ts'
import { hasPython } from '../../unit/retrain/workshop.ts'
import { type Team, team } from './team.ts'
import { generate, VARIANTS, workflowsIn } from './variants.ts'

const FILE = '.github/mlops/promotions/churn-model.production.json'
const BRANCH = 'mlops/promote-churn-model-production-v2'

describe('A promotion that was merged', function () {
  this.timeout(240_000)
  let self: Team
  let base = ''
  before(async function () {
    if (process.platform === 'win32') skipBecause(this, 'the runner needs bash')
    if (!hasPython()) skipBecause(this, 'python3 is not installed')
    self = await team()
    const data = ['--data', 'train=data/train.csv', '--data', 'test=data/test.csv']
    await self.mlops(['track', '--model', 'churn-model', ...data, '--', 'python3', 'train.py', 'data/train.csv'])
    await self.mlops(['register', 'churn-model', '--run', '@last', '--stage', 'staging'])
    base = self.git('rev-parse', 'HEAD')
  })
  after(async () => self?.close())

  const write = async (): Promise<void> => {
    mkdirSync(join(self.dir, FILE, '..'), { recursive: true })
    await self.mlops(['gate', 'propose', 'churn-model@2', '--to', 'production', '--output', FILE])
  }
  const commit = (message: string): void => {
    self.git('add', '--all', '.github', 'mlops.yaml')
    self.git('commit', '-q', '-m', message)
  }
  /** The branch as it is after GitHub's button, and the job that follows. */
  const closed = (commits: number, from = base) => {
    self.git('push', '-q', '--force', 'origin', 'HEAD:refs/heads/main')
    const pull = {
      number: 7,
      html_url: 'https://github.example/acme/churn/pull/7',
      merged: true,
      merged_by: { login: 'grace', type: 'User' },
      merge_commit_sha: self.git('rev-parse', 'HEAD'),
      head: { repo: { full_name: 'acme/churn' } },
      base: { sha: from },
      commits,
    }
    return self.run('mlops-promote.yml', {
      event: { name: 'pull_request', payload: { action: 'closed', pull_request: pull } },
      github: { repository: 'acme/churn', actor: 'grace', head_ref: BRANCH, server_url: 'https://github.example' },
    })
  }

  it('by a rebase of several commits, the earlier of which loosens the rules: nothing is promoted', async () => {
    self.git('checkout', '-q', '-B', 'main', base)
    self.write('mlops.yaml', self.read('mlops.yaml').replace('min_auc: 0.85', 'min_auc: 0.1'))
    commit('Looser')
    await write()
    commit('Promote churn-model@2')
    const run = await closed(2)
    assert.equal(run.jobs.promote?.result, 'failure', run.log)
    assert.match(run.log, /changes one file [\s\S]*mlops\.yaml/)
    const unknown = await closed(2, 'f'.repeat(40))
    assert.match(unknown.log, /that this was proposed upon is not in its history/)
    assert.deepEqual(await self.stages(), { production: 1, staging: 2 })
  })

  it('by a rebase of one commit, or of several that change the file alone: production moves', async () => {
    self.git('checkout', '-q', '-B', 'main', base)
    self.write('train.py', `${self.read('train.py')}\n`)
    self.git('commit', '-q', '-a', '-m', 'Somebody else, meanwhile')
    const meanwhile = self.git('rev-parse', 'HEAD')
    self.write(FILE, '{}\n')
    commit('A first try')
    await write()
    commit('Promote churn-model@2')
    const run = await closed(2, meanwhile)
    assert.equal(run.conclusion, 'success', run.log)
    assert.deepEqual(await self.stages(), { production: 2, staging: 2 })
  })

  it('and was rolled back since: the job that is run again promotes nothing in the name of who merged', async () => {
    await self.mlops(['rollback', 'churn-model', '--reason', 'odd scores', '--no-verify'])
    const again = await closed(1)
    assert.equal(again.jobs.promote?.result, 'failure', again.log)
    assert.match(again.log, /is not promoted; propose it anew/)
    assert.match(again.jobs.promote?.summary ?? '', /what is in production have changed/)
    assert.deepEqual(await self.stages(), { production: 1, staging: 2 })
  })
})

describe('The tokens of a store in another repository', () => {
  type Steps = readonly { readonly run?: string; readonly env?: Readonly<Record<string, string>> }[]

  it('are given to nothing that a pull request brings unreviewed: tests get none, its check one that reads', async () => {
    const variant = VARIANTS.find(({ title }) => title.startsWith('a store in another repository'))
    assert.ok(variant !== undefined)
    const { folder } = await generate(variant)
    try {
      const workflows = new Map(workflowsIn(folder))
      const steps = (name: string, job: string): Steps => parse(workflows.get(name) ?? '').jobs[job].steps
      const token = (list: Steps, script: string) => {
        const step = list.find(({ run }) => run?.startsWith(`.github/mlops/${script}`))
        assert.ok(step !== undefined, script)
        return step.env?.MLOPS_STORE_TOKEN
      }
      assert.doesNotMatch(workflows.get('mlops-test.yml') ?? '', /TOKEN/)
      const check = token(steps('mlops-promote.yml', 'check'), 'check-promotion.sh')
      assert.equal(check, '$' + '{{ secrets.MLOPS_STORE_READ_TOKEN }}')
      const promote = token(steps('mlops-promote.yml', 'promote'), 'promote.sh')
      assert.equal(promote, '$' + '{{ secrets.MLOPS_STORE_TOKEN }}')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
