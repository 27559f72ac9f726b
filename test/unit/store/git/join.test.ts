/** How a folder becomes the clone of a shared store, and who may not interfere with it. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createStore } from '../../../../src/store/create.ts'
import { shownAddress } from '../../../../src/store/git-address.ts'
import { joinStore } from '../../../../src/store/git-join.ts'
import { branchProblem, remoteProblem } from '../../../../src/store/git-names.ts'
import { gitEnvironment } from '../../../../src/store/git-run.ts'
import { openStore } from '../../../../src/store/open.ts'
import { verifyStore } from '../../../../src/store/verify.ts'
import { promote, register } from '../../../crash/scenario.ts'
import { noGitHttp, serveGit } from '../../../support/git-http.ts'
import { skipBecause } from '../../../support/skip.ts'
import { temporaryFolder } from '../support.ts'
import { actorOf, BRANCH, damage, env, git, MODEL, newTeam, rejectsWith, type Team, team } from './support.ts'

const now = (): Date => new Date()
const joinAs = (here: Team, name: string, remote: string, more: Partial<Parameters<typeof joinStore>[2]> = {}) =>
  joinStore(
    here.root(name),
    { remote, branch: BRANCH, at: here.folder },
    { env, actor: actorOf(name), now, mayCreate: true, ...more },
  )

describe('A store that was one folder', function () {
  this.timeout(60_000)

  it('is shared with all that it has, and goes on as the same store', async () => {
    const here = team()
    const { id } = await createStore(here.root('ada'), { env })
    const alone = await openStore(here.root('ada'), { write: true, now })
    for (const op of ['a', 'b']) await register(alone, op)
    assert.equal((await here.join('ada')).what, 'branch')
    const bob = await here.open('bob')
    assert.equal(bob.id, id)
    assert.equal((await bob.models.state(MODEL)).versions.length, 2)
    assert.equal((await register(await here.open('ada'), 'c')).kind, 'committed')
    assert.deepEqual(await damage(here.root('bob')), [])
  })

  it('is not joined to the store of another team', async () => {
    const here = await newTeam()
    await createStore(here.root('bob'), { env })
    await rejectsWith(here.join('bob'), 'STORE_OTHER', /two stores cannot be made one/)
    // It is what it was: a store of one folder.
    assert.equal(existsSync(join(here.root('bob'), '.git/mlops-store.json')), false)
    assert.equal((await register(await openStore(here.root('bob'), { write: true, now }), 'x')).kind, 'committed')
  })

  it('is not written past the branch that mlops.yaml names', async () => {
    const here = await newTeam()
    await createStore(here.root('bob'), { env })
    await rejectsWith(here.open('bob'), 'STORE_NOT_JOINED', /store of its own/)
  })
})

describe('A clone of a shared store', function () {
  this.timeout(120_000)

  it('knows by itself that it is one, without mlops.yaml', async () => {
    const here = await newTeam()
    const store = await here.open('ada', { wish: false })
    await register(store, 'first')
    assert.equal((await (await here.open('bob')).models.state(MODEL)).versions.length, 1)
  })

  it('that git clone made by hand, and shallow, is joined by init', async () => {
    const here = await newTeam()
    await register(await here.open('ada'), 'first')
    mkdirSync(join(here.folder, 'bob'))
    git(here.folder, 'clone', '--quiet', '--depth', '1', '--branch', BRANCH, `file://${here.remote}`, here.root('bob'))
    await rejectsWith(here.open('bob'), 'STORE_NOT_JOINED')
    assert.equal((await here.join('bob')).what, 'folder')
    assert.equal((await register(await here.open('bob'), 'second')).kind, 'committed')
    assert.equal((await register(await here.open('ada'), 'third')).kind, 'committed')
    assert.deepEqual(await damage(here.root('bob')), [])
  })

  it('that no longer says how it is shared is refused, and joined again', async () => {
    const here = await newTeam()
    await register(await here.open('ada'), 'first')
    const file = join(here.root('ada'), '.git/mlops-store.json')
    writeFileSync(file, '{"remote":')
    await rejectsWith(here.open('ada'), 'STORE_SHARING_DAMAGED')
    rmSync(file)
    assert.equal((await here.join('ada')).what, 'folder')
    assert.equal((await register(await here.open('ada'), 'second')).kind, 'committed')
  })

  it('is made by the first command, and by none where there is no branch', async () => {
    const here = team()
    await rejectsWith(here.open('ada'), 'STORE_BRANCH_MISSING', /has no branch mlops-store/)
    assert.throws(() => here.head())
  })

  it('survives git clean -fdx in the code, and switching the branch of the code', async () => {
    const here = await newTeam()
    const code = join(here.folder, 'bob')
    git(here.folder, 'init', '--quiet', code)
    writeFileSync(join(code, 'train.py'), '')
    writeFileSync(join(code, '.gitignore'), '/.mlops/\n')
    git(code, 'add', '.')
    git(code, 'commit', '--quiet', '-m', '1')
    await register(await here.open('bob'), 'first')
    git(code, 'clean', '-fdxq')
    git(code, 'checkout', '--quiet', '-b', 'other')
    git(code, 'stash', '--all', '--quiet')
    assert.equal((await (await here.open('bob')).models.state(MODEL)).versions.length, 1)
    assert.deepEqual(await damage(here.root('bob')), [])
  })

  it('works where git gc ran in it, and where its objects of git are gone', async () => {
    const here = await newTeam()
    await register(await here.open('ada'), 'first')
    git(here.root('ada'), 'gc', '--quiet', '--prune=now')
    assert.equal((await register(await here.open('ada'), 'second')).kind, 'committed')
    git(here.root('ada'), 'config', 'core.logAllRefUpdates', 'false')
    const objects = join(here.root('ada'), '.git/objects')
    rmSync(objects, { recursive: true })
    mkdirSync(join(objects, 'pack'), { recursive: true })
    assert.equal((await register(await here.open('ada'), 'third')).kind, 'committed')
    assert.deepEqual(await damage(here.root('ada')), [])
  })
})

describe('A file above 50 MB', function () {
  this.timeout(120_000)

  it('stays where it was registered; elsewhere the version says so and who has it', async () => {
    const here = await newTeam()
    const warnings: string[] = []
    const ada = await here.open('ada', { warn: (text) => warnings.push(text) })
    const path = join(here.folder, 'large.bin')
    writeFileSync(path, 'x')
    truncateSync(path, (50 << 20) + 1)
    const file = await ada.objects.putFile(path)
    const record = {
      format: 1,
      model: MODEL,
      files: [{ path: 'large.bin', ...file, scan: {} }],
      metrics: {},
      params: {},
      data: [],
    }
    const manifest = await ada.objects.put(Buffer.from(`${JSON.stringify(record)}\n`))
    const common = { actor: actorOf('ada'), tool: 'mlops test', time: now().toISOString() }
    const state = await ada.models.stateOrEmpty(MODEL)
    const body = { version: 1, manifest: manifest.sha256, tags: [] }
    await ada.models.commit(state, { ...common, op_id: 'x', request: 'x', type: 'register', body })
    assert.match(warnings.join('\n'), /^file large\.bin is larger than 50 MB and does not travel/)
    assert.doesNotMatch(git(here.remote, 'ls-tree', '-r', '--name-only', BRANCH), new RegExp(file.sha256.slice(2)))

    const bob = await here.open('bob')
    assert.equal((await bob.models.manifest(manifest.sha256)).files[0]?.size, file.size)
    await rejectsWith(
      bob.objects.read(file.sha256),
      'VERSION_NOT_HERE',
      /large\.bin of churn-model@1 is not here.*51 MB.*registered by ada@laptop/,
    )
    const report = await verifyStore(here.root('bob'))
    assert.deepEqual(
      [report.ok, report.warnings.map(({ why }) => why)],
      [true, ['it is not in this folder: files above 50 MB stay where they were registered']],
    )
    // A stage may point to it: the move is decided by the log, and by who has the bytes.
    assert.equal((await promote(bob, 'p', 1)).kind, 'committed')
  })
})

describe('The heartbeat of a retraining', function () {
  this.timeout(60_000)

  it('that another clone holds counts as alive for six hours, and then no longer', async () => {
    const here = await newTeam()
    const ada = await here.open('ada')
    const time = new Date().toISOString()
    await ada.claims.take(MODEL, 'jobs/retrain', 1, { kind: 'begin', time })
    await ada.claims.beat(MODEL, 'jobs/retrain')
    const later = (hours: number) => here.open('bob', { now: () => new Date(Date.parse(time) + hours * 3600_000) })
    assert.equal(await (await later(5)).claims.silent(MODEL, 'jobs/retrain'), 0)
    assert.equal(await (await later(7)).claims.silent(MODEL, 'jobs/retrain'), 3600)
    assert.ok(((await ada.claims.silent(MODEL, 'jobs/retrain')) ?? 99) < 60, 'its own is what it is')
  })
})

describe('Settings, hooks and names', function () {
  this.timeout(60_000)

  it("of the user's git do not interfere: no hook runs, nothing is signed, nothing is asked", async () => {
    const here = await newTeam()
    const home = temporaryFolder()
    mkdirSync(join(home, 'hooks'))
    for (const name of ['pre-push', 'post-commit', 'pre-commit', 'post-index-change']) {
      writeFileSync(join(home, 'hooks', name), `#!/bin/sh\ntouch '${home}/ran'\nexit 1\n`)
      chmodSync(join(home, 'hooks', name), 0o755)
    }
    const settings = `[core]\n\thooksPath = ${home}/hooks\n\tautocrlf = true\n\tfsmonitor = ${home}/hooks/pre-push\n[commit]\n\tgpgSign = true\n[push]\n\tgpgSign = true\n\tfollowTags = true\n[user]\n\tuseConfigOnly = true\n[gpg]\n\tprogram = false\n[transfer]\n\thideRefs = refs/heads/none\n`
    writeFileSync(join(home, '.gitconfig'), settings)
    const odd = {
      ...env,
      HOME: home,
      GIT_DIR: '/nonexistent',
      GIT_WORK_TREE: '/nonexistent',
      GIT_INDEX_FILE: '/nonexistent',
    }
    assert.equal((await register(await here.open('ada', { env: odd }), 'first')).kind, 'committed')
    assert.equal(existsSync(join(home, 'ran')), false)
    assert.equal(git(here.remote, 'log', '-1', '--format=%an %ae', BRANCH), 'ada@laptop ada@laptop\n')
  })

  it('that git would take for something else are refused', () => {
    for (const remote of ['--upload-pack=x', 'ext::sh -c x', '-x', 'a b', 'fd::7', 'x\ny'])
      assert.ok(remoteProblem(remote), remote)
    for (const remote of ['origin', 'https://host/a.git', 'git@host:team/a.git', '../a.git', '/srv/a.git']) {
      assert.equal(remoteProblem(remote), undefined, remote)
    }
    for (const branch of ['-x', 'a..b', 'a b', 'a.lock', 'x/', 'HEAD', 'a~1', 'a:b', 'a//b', 'a/.b'])
      assert.ok(branchProblem(branch), branch)
    for (const branch of ['mlops-store', 'team/mlops', 'v1.2']) assert.equal(branchProblem(branch), undefined, branch)
  })

  it('of a branch that holds code are refused: nothing is written to it', async () => {
    const here = team()
    const code = join(here.folder, 'code')
    git(here.folder, 'init', '--quiet', code)
    git(code, 'commit', '--quiet', '--allow-empty', '-m', 'code')
    git(code, 'push', '--quiet', here.remote, `HEAD:${BRANCH}`)
    const head = here.head()
    await rejectsWith(here.join('ada'), 'STORE_BRANCH_TAKEN', /holds no store/)
    assert.equal(here.head(), head)
  })

  it('of a remote that the repository does not know are refused', async () => {
    const here = team()
    git(here.folder, 'init', '--quiet')
    await rejectsWith(joinAs(here, 'ada', 'upstream'), 'REMOTE_UNKNOWN', /has no remote upstream/)
    git(here.folder, 'remote', 'add', 'upstream', here.remote)
    assert.equal((await joinAs(here, 'ada', 'upstream')).sharing.url, here.remote)
  })
})

describe('A remote that wants to know who asks', function () {
  this.timeout(60_000)

  it('is shown the token of MLOPS_STORE_TOKEN, which stands in no file and no error', async function () {
    const why = noGitHttp()
    if (why !== undefined) skipBecause(this, why)
    const here = team()
    const server = await serveGit(here.folder, 'tok-3n-of-the-job')
    try {
      const url = `${server.url}/remote.git`
      const token = 'tok-3n-of-the-job'
      const withToken = { env: { ...env, MLOPS_STORE_TOKEN: token } }
      const withWrong = { env: { ...env, MLOPS_STORE_TOKEN: 'wr0ng-s3cret' } }
      await assert.rejects(joinAs(here, 'bob', url, withWrong), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'STORE_REMOTE_DOWN')
        assert.doesNotMatch(JSON.stringify(error) + error.message, /wr0ng|eC1hY2Nlc3M/)
        return true
      })
      assert.equal((await joinAs(here, 'ada', url, withToken)).what, 'branch')
      const store = await here.open('ada', { url, env: withToken.env })
      assert.equal((await register(store, 'first')).kind, 'committed')
      assert.equal((await (await here.open('bob', { url, env: withToken.env })).models.state(MODEL)).versions.length, 1)
      assert.ok(server.seen.length > 3)
      for (const file of ['mlops-store.json', 'config']) {
        assert.doesNotMatch(readFileSync(join(here.root('ada'), '.git', file), 'utf8'), /tok-3n|Basic/)
      }
    } finally {
      await server.close()
    }
  })

  it('and is another server than that of the workflow is not shown its token', () => {
    const headers = (url: string, more: Record<string, string> = {}): string[] =>
      Object.values(gitEnvironment({ MLOPS_STORE_TOKEN: 't', ...more }, url)).filter((value) =>
        value.startsWith('Authorization'),
      )
    const github = { GITHUB_SERVER_URL: 'https://github.com' }
    assert.equal(headers('https://github.com/team/code.git', github).length, 1)
    assert.equal(headers('https://github.com.evil.example/team/code.git', github).length, 0)
    assert.equal(headers('https://git.example/team/code.git').length, 1)
    // Nobody on the way may read it, and ssh has no use for it.
    for (const url of ['http://git.example/a.git', 'git@github.com:a/b.git', '/srv/a.git'])
      assert.equal(headers(url).length, 0)
  })

  it('has an address that is shown without a password or a token, whatever its scheme and wherever it stands', () => {
    const token = `ghp_${'a1B2'.repeat(9)}`
    for (const [address, shown] of [
      ['https://ada:s3cret@host/a.git', 'https://host/a.git'],
      [`https://${token}@host/a.git`, 'https://host/a.git'],
      ['ftp://ada:s3cret@host/a.git', 'ftp://host/a.git'],
      ['ssh://git:s3cret@host:22/a.git', 'ssh://git@host:22/a.git'],
      ['ssh://git@host/a.git', 'ssh://git@host/a.git'],
      ['git+ssh://git:p@ss@host/a.git', 'git+ssh://git@host/a.git'],
      ['https://host/a.git?private_token=s3cret', 'https://host/a.git?private_token=[redacted]'],
      [`https://host/${token}/a.git`, 'https://host/[redacted]/a.git'],
      ['git@host:team/a.git', 'git@host:team/a.git'],
      ['/srv/team@home/a.git', '/srv/team@home/a.git'],
    ] as const) {
      assert.equal(shownAddress(address), shown)
    }
  })

  it('and whose address holds a token is refused where it would be written down, and shown nowhere', async () => {
    const here = team()
    const url = 'https://127.0.0.1:9/store.git?private_token=s3cret'
    const clean = (error: Error & { code?: string; hint?: string; details?: unknown }, code: string) => {
      assert.equal(error.code, code)
      assert.doesNotMatch(`${error.message}${error.hint}${JSON.stringify(error.details)}`, /s3cret/)
      return true
    }
    await assert.rejects(joinAs(here, 'ada', url), (error: Error) => clean(error, 'REMOTE_INVALID'))
    const spaced = 'ssh://git:s3cret@127.0.0.1:9/a b'
    await assert.rejects(joinAs(here, 'ada', spaced), (error: Error) => clean(error, 'REMOTE_INVALID'))
    // A remote that the code's repository knows by name: git goes on using it.
    git(here.folder, 'init', '--quiet')
    git(here.folder, 'remote', 'add', 'upstream', url)
    await assert.rejects(joinAs(here, 'ada', 'upstream'), (error: Error) => clean(error, 'STORE_REMOTE_DOWN'))
  })

  it('and whose address holds a password is written down without it', async () => {
    const here = team()
    const remote = 'https://ada:s3cret@127.0.0.1:9/team/store.git'
    await assert.rejects(joinAs(here, 'ada', remote), (error: Error & { code?: string; hint?: string }) => {
      assert.equal(error.code, 'STORE_REMOTE_DOWN')
      assert.doesNotMatch(`${error.message}${error.hint}`, /s3cret/)
      return true
    })
  })
})
