/** What a move of a stage leaves in a real git repository, and when it leaves nothing. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from '../../../src/core/context.ts'
import { parseModelRef } from '../../../src/core/names.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import { defaultConfig } from '../../../src/project/config-read.ts'
import { type MoveToTag, tagPromotion } from '../../../src/project/git-tags.ts'
import { skipBecause } from '../../support/skip.ts'
import { addVersion, type World, world } from '../lifecycle/fixture.ts'

/** The names that GTO 1.10 reads, put together from what it documents. */
const GTO_NAME =
  /^[A-Za-z0-9](?:[A-Za-z0-9/_-]*[A-Za-z0-9])?(?:@v(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}|#[A-Za-z0-9](?:[A-Za-z0-9/_-]*[A-Za-z0-9])?#\d+)$/

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function repository() {
  const dir = mkdtempSync(join(tmpdir(), 'mlops-git-tags-'))
  folders.push(dir)
  return repositoryAt(dir)
}

function repositoryAt(dir: string) {
  const home = join(dir, '.home')
  const env = { PATH: process.env.PATH, HOME: home, LC_ALL: 'C' }
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: dir, env, encoding: 'utf8', stdio: 'pipe' }).trim()
  git('init', '-q')
  git('config', 'user.name', 'Ada')
  git('config', 'user.email', 'ada@example.com')
  const ctx: Context = {
    cwd: dir,
    env,
    actor: { name: 'ada', origin: 'local' },
    tool: 'mlops 0.1.0',
    now: () => new Date(0),
    warn: () => undefined,
  }
  const project = { root: dir, storeRoot: join(dir, '.mlops'), config: { ...defaultConfig(), gitTags: true } }
  let files = 0
  return {
    dir,
    env,
    git,
    project,
    commit(): string {
      files += 1
      writeFileSync(join(dir, 'train.py'), `print(${files})\n`)
      git('add', 'train.py')
      git('commit', '-q', '-m', `change ${files}`)
      return git('rev-parse', 'HEAD')
    },
    tag: (move: Partial<MoveToTag>) => tagPromotion(ctx, project, { ...MOVE, ...move }),
    /** Tag to the commit it leads to. */
    commits: () =>
      Object.fromEntries(
        git('for-each-ref', '--format=%(refname:strip=2) %(*objectname)', 'refs/tags')
          .split('\n')
          .map((line) => line.split(' ') as [string, string]),
      ),
    times: () =>
      git('for-each-ref', '--sort=taggerdate', '--format=%(taggerdate:unix) %(refname:strip=2)', 'refs/tags')
        .split('\n')
        .map((line) => line.split(' ') as [string, string]),
  }
}

const MOVE: MoveToTag = {
  model: 'churn-model',
  version: 1,
  manifest: 'a'.repeat(64),
  registered: '2026-01-01T10:00:00.100Z',
  commit: null,
  stage: 'staging',
  seq: 2,
  time: '2026-01-01T10:00:00.700Z',
  kind: 'promote',
  by: 'ada@laptop',
  reason: undefined,
}

describe('Git tags of a move', () => {
  it('name the version and the move, on the commit of the training, in words that GTO reads', async () => {
    const { commit, commits, git, tag } = repository()
    const trained = commit()
    commit()
    const outcome = await tag({ commit: trained, reason: '--force; $(id)\n\u001b[2Jsecond line' })
    assert.deepEqual(outcome, { kind: 'tagged', tags: ['churn-model@v1.0.0', 'churn-model#staging#2'] })
    assert.deepEqual(commits(), { 'churn-model@v1.0.0': trained, 'churn-model#staging#2': trained })
    for (const name of Object.keys(commits())) assert.match(name, GTO_NAME)
    assert.match(git('tag', '-l', '-n9', 'churn-model@v1.0.0'), /manifest a{64}/)
    const message = git('for-each-ref', '--format=%(contents)', 'refs/tags/churn-model#staging#2')
    assert.match(
      message,
      /^Promote churn-model@1 to staging, event 2\n\nby ada@laptop: --force; \$\(id\) \[2Jsecond line$/,
    )
  })

  it('give every version a commit of its own, with the same code, where two come from one', async () => {
    const { commit, commits, git, tag } = repository()
    const trained = commit()
    await tag({ commit: trained })
    await tag({ commit: trained, version: 2, manifest: 'b'.repeat(64), seq: 4 })
    await tag({ commit: trained, version: 3, manifest: 'c'.repeat(64), seq: 6 })
    const all = commits()
    const versions = [1, 2, 3].map((version) => all[`churn-model@v${version}.0.0`])
    assert.equal(new Set(versions).size, 3)
    assert.equal(versions[0], trained)
    for (const each of versions) assert.equal(git('rev-parse', `${each}^{tree}`), git('rev-parse', `${trained}^{tree}`))
    assert.equal(git('rev-parse', `${versions[2]}^`), trained)
    assert.equal(all['churn-model#staging#6'], versions[2])
    assert.equal(git('rev-parse', 'HEAD'), trained)
    assert.equal(git('status', '--porcelain', '--untracked-files=no'), '')
  })

  it('never share a second, for GTO orders by it', async () => {
    const { commit, tag, times } = repository()
    const trained = commit()
    for (const seq of [2, 3, 4, 5]) await tag({ commit: trained, seq, kind: seq === 5 ? 'rollback' : 'promote' })
    assert.deepEqual(
      times().map(([, name]) => name),
      [
        'churn-model@v1.0.0',
        'churn-model#staging#2',
        'churn-model#staging#3',
        'churn-model#staging#4',
        'churn-model#staging#5',
      ],
    )
    assert.equal(new Set(times().map(([time]) => time)).size, 5)
  })

  it('are made once', async () => {
    const { commit, tag } = repository()
    const trained = commit()
    await tag({ commit: trained })
    assert.deepEqual(await tag({ commit: trained }), { kind: 'tagged', tags: [] })
  })

  it('are not made, with the reason, where they would not be true', async () => {
    const { commit, dir, git, tag } = repository()
    const trained = commit()
    const reason = async (move: Partial<MoveToTag>): Promise<string> => {
      const outcome = await tag(move)
      return outcome.kind === 'none' ? outcome.reason : outcome.tags.join()
    }
    assert.match(await reason({}), /the run of churn-model@1 recorded no commit/)
    assert.match(await reason({ commit: 'd'.repeat(40) }), /commit dddddddddddd, .* is not in this repository/)
    assert.match(await reason({ commit: `--output=${dir}/evil` }), /is not in this repository/)
    git('tag', '-a', '-m', 'somebody else', 'churn-model@v1.0.0', trained)
    assert.match(
      await reason({ commit: trained }),
      /there is a tag churn-model@v1.0.0 already that is not of this version/,
    )
    git('tag', 'churn-model@v2.0.0', trained)
    assert.match(await reason({ commit: trained, version: 2 }), /there is a tag churn-model@v2.0.0 already/)
    git('tag', '-a', '-m', 'x', 'churn-model#staging#9', trained)
    const other = commit()
    assert.match(
      await reason({ commit: other, version: 3, seq: 9 }),
      /there is a tag churn-model#staging#9 already, on another commit/,
    )
  })

  it('are not made without git, a repository, or somebody who makes them', async () => {
    const { commit, git, env, project } = repository()
    const trained = commit()
    const at = (more: Partial<Context>, root = project.root) =>
      tagPromotion({ ...CTX, cwd: root, env, ...more }, { ...project, root }, { ...MOVE, commit: trained })
    const nowhere = mkdtempSync(join(tmpdir(), 'mlops-no-git-'))
    folders.push(nowhere)
    assert.match(JSON.stringify(await at({}, nowhere)), /in no git repository/)
    assert.match(JSON.stringify(await at({ env: { PATH: nowhere } })), /git is not installed/)
    git('config', '--unset', 'user.name')
    git('config', '--unset', 'user.email')
    git('config', 'user.useConfigOnly', 'true')
    assert.match(JSON.stringify(await at({})), /git does not know who you are/)
    const ci = { GIT_COMMITTER_NAME: 'CI', GIT_COMMITTER_EMAIL: 'ci@example.com' }
    assert.equal((await at({ env: { ...env, ...ci } })).kind, 'tagged')
  })

  describe('that promote and rollback make', () => {
    let w: World
    beforeEach(async () => {
      w = await world()
    })
    afterEach(() => w.remove())

    const moves = async (gitTags: boolean) => {
      const { commit, commits, env, git } = repositoryAt(w.dir)
      const [first, second] = [commit(), commit()]
      const facts = (id: string) => ({ git: { commit: id, branch: 'main', remote: null, dirty: false } })
      await addVersion(w, { run: facts(first) })
      await addVersion(w, { run: facts(second) })
      await addVersion(w)
      const project = { ...w.project(), config: { ...w.project().config, gitTags } }
      const ctx = { ...w.ctx, env }
      const to = (version: number) =>
        promote(ctx, project, w.store, { ref: parseModelRef(`churn-model@${version}`), stage: 'staging' })
      const back = () => rollback(ctx, project, w.store, { model: 'churn-model', stage: 'staging', verify: false })
      return { to, back, commits, first, second, env, git }
    }

    it('follow every move, and a failure is a warning', async () => {
      const { to, back, commits, first, second } = await moves(true)
      assert.deepEqual((await to(1)).gitTags, ['churn-model@v1.0.0', 'churn-model#staging#4'])
      await to(2)
      assert.deepEqual((await back()).gitTags, ['churn-model#staging#6'])
      assert.deepEqual(commits(), {
        'churn-model@v1.0.0': first,
        'churn-model@v2.0.0': second,
        'churn-model#staging#4': first,
        'churn-model#staging#5': second,
        'churn-model#staging#6': first,
      })
      assert.deepEqual(
        w.warnings.filter((each) => /git tag/.test(each)),
        [],
      )
      const moved = await to(3)
      assert.deepEqual([moved.outcome, moved.gitTags], ['promoted', []])
      assert.match(
        w.warnings.join(),
        /staging is at churn-model@3, but no git tag says so: the run of churn-model@3 recorded no commit/,
      )
      assert.equal((await w.store.models.state('churn-model')).stages.staging?.version, 3)
    })

    it('are not made where nobody asked for them', async () => {
      const { to, git } = await moves(false)
      assert.deepEqual((await to(1)).gitTags, [])
      assert.equal(git('tag'), '')
    })

    it('are read by GTO itself', async function () {
      // `npm test` has made it before it runs this file.
      const made = join(import.meta.dirname, '../../../.cache/workflow-tools/venv/bin/gto')
      const program = existsSync(made) ? made : 'gto'
      if (spawnSync(program, ['--version']).status !== 0) skipBecause(this, 'gto is not installed')
      const { to, back, env, first } = await moves(true)
      // One commit for two versions, which GTO would refuse.
      const facts = { git: { commit: first, branch: 'main', remote: null, dirty: false } }
      await addVersion(w, { run: facts })
      await to(1)
      await to(2)
      await to(4)
      await back()
      const gto = (...args: string[]) =>
        JSON.parse(execFileSync(program, [...args, '--json'], { cwd: w.dir, env, encoding: 'utf8' }))
      const shown = gto('show')['churn-model']
      assert.deepEqual(shown.version, 'v4.0.0')
      assert.match(JSON.stringify(shown.stage ?? shown), /"staging":"v2.0.0"/)
      assert.equal(gto('history', 'churn-model').length, 7)
    })
  })
})

const CTX: Context = {
  cwd: '/',
  env: {},
  actor: { name: 'ada', origin: 'local' },
  tool: 'mlops 0.1.0',
  now: () => new Date(0),
  warn: () => undefined,
}
