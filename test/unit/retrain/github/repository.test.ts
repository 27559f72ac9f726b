/** Which repository, at which GitHub, with whose token: from the policy, the environment, and real git remotes. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MlopsError } from '../../../../src/core/errors.ts'
import { defaultConfig } from '../../../../src/project/config-read.ts'
import { parseRemote } from '../../../../src/project/git-remote.ts'
import { findRepository } from '../../../../src/retrain/github/repository.ts'

describe('The repository of a workflow', () => {
  let root: string
  const git = (...args: string[]): void => void execFileSync('git', args, { cwd: root, stdio: 'ignore' })
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'mlops-remote-')))
    git('init', '-q')
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const find = (env: Record<string, string>, named?: string) =>
    findRepository(
      {
        cwd: root,
        env: { PATH: process.env.PATH, HOME: root, GIT_CONFIG_NOSYSTEM: '1', ...env },
        actor: { name: 'ada', origin: 'local' },
        tool: 'mlops 0.0.0',
        now: () => new Date(0),
        warn: () => {},
      },
      { root, storeRoot: join(root, '.mlops'), config: defaultConfig() },
      named,
    )
  const refusal = async (work: Promise<unknown>): Promise<MlopsError> =>
    (await work.then(
      () => assert.fail('it should have been refused'),
      (error: unknown) => error,
    )) as MlopsError
  const own = { MLOPS_GITHUB_TOKEN: 'own-token' }

  it('is read off every kind of remote', () => {
    const churn = { host: 'github.com', port: null, owner: 'acme', name: 'churn' }
    for (const address of [
      'git@github.com:acme/churn.git',
      'org-12345@github.com:acme/churn.git',
      'github.com:acme/churn',
      'ssh://git@github.com/acme/churn.git',
      'ssh://git@ssh.github.com:443/acme/churn.git',
      'https://github.com/acme/churn.git/',
      'https://www.github.com/acme/churn',
      'https://ada:hunter2@GitHub.com/acme/churn.git',
      'git://github.com/acme/churn.git',
    ]) {
      assert.deepEqual(parseRemote(address), churn, address)
    }
    assert.deepEqual(parseRemote('https://git.corp.example:8443/team.ml/my_churn.js.git'), {
      host: 'git.corp.example',
      port: 8443,
      owner: 'team.ml',
      name: 'my_churn.js',
    })
    assert.equal(parseRemote('ssh://git@git.corp.example:7999/team/churn.git')?.port, null)
    for (const address of [
      '/srv/git/churn.git',
      '../churn',
      'file:///srv/git/churn.git',
      'C:\\git\\churn',
      'C:/a/b',
      '',
      'https://github.com/acme',
      'https://gitlab.com/group/sub/churn',
    ]) {
      assert.equal(parseRemote(address), undefined, address)
    }
  })

  it('is that of the remote, as the user rewrites it, at github.com', async () => {
    git('remote', 'add', 'origin', 'gh:acme/churn.git')
    git('config', 'url.git@github.com:.insteadOf', 'gh:')
    const { api, owner, name, tokenVariable, isHere } = await find({ GITHUB_TOKEN: 'common-token' })
    assert.deepEqual(
      [api, owner, name, tokenVariable, isHere],
      ['https://api.github.com', 'acme', 'churn', 'GITHUB_TOKEN', true],
    )
  })

  it('is found through an alias of the SSH configuration', async () => {
    git('remote', 'add', 'origin', 'git@github-work:acme/churn.git')
    assert.equal((await find(own)).api, 'https://api.github.com')
  })

  it('is at the GitHub of the remote: Enterprise Server, GHE.com, or what the environment says', async () => {
    git('remote', 'add', 'upstream', 'https://git.corp.example:8443/acme/churn.git')
    assert.equal((await find(own)).api, 'https://git.corp.example:8443/api/v3')
    git('remote', 'set-url', 'upstream', 'git@octo.ghe.com:acme/churn.git')
    assert.equal((await find({ GH_TOKEN: 'x' })).api, 'https://api.octo.ghe.com')
    const named = { GITHUB_API_URL: 'https://a.example/api/v3', MLOPS_GITHUB_API_URL: 'https://b.example/api/v3/' }
    assert.equal((await find({ ...own, ...named })).api, 'https://b.example/api/v3')
  })

  it('is the one of the policy before that of the environment; only of its own remote the checkout counts', async () => {
    git('remote', 'add', 'origin', 'git@github.com:acme/churn.git')
    const env = { ...own, GITHUB_REPOSITORY: 'acme/other' }
    assert.equal((await find(env)).name, 'other')
    const elsewhere = await find(env, 'acme/training')
    assert.deepEqual([elsewhere.name, elsewhere.isHere], ['training', false])
    assert.equal((await find(env, 'Acme/Churn')).isHere, true)
  })

  it('is not guessed: without a remote on GitHub it has to be named', async () => {
    const error = await refusal(find(own))
    assert.deepEqual([error.code, error.exitCode], ['GITHUB_REPOSITORY_UNKNOWN', 2])
    git('remote', 'add', 'origin', 'git@gitlab.com:acme/churn.git')
    assert.equal((await refusal(find(own))).code, 'GITHUB_REPOSITORY_UNKNOWN')
    assert.equal((await find(own, 'acme/churn')).api, 'https://api.github.com')
    for (const wrong of ['acme', 'acme/churn/x', 'https://github.com/acme/churn', '../..', 'acme/..']) {
      assert.equal((await refusal(find(own, wrong))).code, 'GITHUB_REPOSITORY_INVALID', wrong)
    }
  })

  it('needs a token, and says where it comes from and what it must be allowed', async () => {
    const error = await refusal(find({ GITHUB_TOKEN: ' ' }, 'acme/churn'))
    assert.deepEqual([error.code, error.exitCode], ['GITHUB_TOKEN_MISSING', 2])
    assert.match(error.message, /None of MLOPS_GITHUB_TOKEN, GITHUB_TOKEN, GH_TOKEN is set/)
    assert.match(error.hint ?? '', /Actions: read and write.*permissions: \{actions: write\}/)
    const bad = await refusal(find({ MLOPS_GITHUB_TOKEN: 'two words' }, 'acme/churn'))
    assert.equal(bad.code, 'GITHUB_TOKEN_INVALID')
    assert.doesNotMatch(bad.message, /two words/)
  })

  it('gets a token that lies around for GitHub only if it is at GitHub, or at the address that was named', async () => {
    git('remote', 'add', 'origin', 'git@git.corp.example:acme/churn.git')
    const error = await refusal(find({ GITHUB_TOKEN: 'common-token', GH_TOKEN: 'x' }))
    assert.equal(error.code, 'GITHUB_TOKEN_MISSING')
    assert.match(error.message, /GITHUB_TOKEN and GH_TOKEN go to GitHub itself only, not to git\.corp\.example/)
    const named = { GITHUB_TOKEN: 'common-token', GITHUB_API_URL: 'https://git.corp.example/api/v3' }
    assert.equal((await find(named)).tokenVariable, 'GITHUB_TOKEN')
  })

  it('is reached by TLS alone, but for this machine', async () => {
    for (const wrong of [
      'http://git.corp.example/api/v3',
      'ftp://x',
      'nonsense',
      'https://ada:hunter2@git.corp.example',
    ]) {
      const error = await refusal(find({ ...own, MLOPS_GITHUB_API_URL: wrong }, 'acme/churn'))
      assert.equal(error.code, 'GITHUB_API_INVALID', wrong)
      assert.doesNotMatch(error.message, /hunter2/)
    }
    for (const right of ['http://127.0.0.1:8080', 'http://localhost:1/api/v3', 'http://[::1]:80']) {
      assert.equal((await find({ ...own, MLOPS_GITHUB_API_URL: right }, 'acme/churn')).api, right)
    }
  })
})
