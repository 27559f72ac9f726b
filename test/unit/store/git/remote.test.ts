/** The remote refuses, is away, dies in the middle, was rewritten, or holds what is no store. Real git throughout. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { seal } from '../../../../src/store/sealed.ts'
import { promote, register, rollback } from '../../../crash/scenario.ts'
import { BRANCH, damage, env, git, MODEL, newTeam, rejectsWith, type Team } from './support.ts'

const LOG = `models/${MODEL}/log`

function hook(team: Team, name: string, script: string): void {
  const file = join(team.remote, 'hooks', name)
  mkdirSync(join(team.remote, 'hooks'), { recursive: true })
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
}

/** A commit upon the branch by somebody with a checkout and no manners. */
function commitByHand(team: Team, change: (folder: string) => void, push: readonly string[] = []): void {
  const folder = join(team.folder, 'by-hand')
  if (!existsSync(folder)) git(team.folder, 'clone', '--quiet', '--branch', BRANCH, team.remote, folder)
  git(folder, 'pull', '--quiet', '--ff-only')
  change(folder)
  git(folder, 'add', '--all', '--force')
  git(folder, 'commit', '--quiet', '-m', 'by hand')
  git(folder, 'push', '--quiet', ...push, 'origin', `HEAD:${BRANCH}`)
}

const withModel = async (): Promise<Team> => {
  const team = await newTeam()
  await register(await team.open('ada'), 'first')
  await team.open('bob')
  return team
}

const events = (team: Team, name: string): string[] => readdirSync(join(team.root(name), LOG)).sort()

describe('A push that the remote does not take', function () {
  this.timeout(120_000)

  it('by a rule of the server is an error that says the rule, and nothing was changed', async () => {
    const team = await withModel()
    const store = await team.open('ada')
    hook(team, 'pre-receive', 'echo "error: GH006: Protected branch update failed" >&2; exit 1')
    await rejectsWith(register(store, 'second'), 'STORE_PUSH_REFUSED', /pre-receive hook declined.*GH006/s)
    assert.deepEqual(events(team, 'ada'), ['0000000001.json'])
    hook(team, 'pre-receive', 'exit 0')
    assert.equal((await register(store, 'second')).kind, 'committed')
    assert.deepEqual(await damage(team.root('ada')), [])
  })

  it('and whose answer was lost stands once: the writer is told that it stands', async () => {
    const team = await withModel()
    const store = await team.open('ada')
    // The branch has moved, and the server dies before it can say so.
    hook(team, 'post-receive', 'kill -9 $PPID')
    const claimed = await store.claims.take(MODEL, 'jobs/retrain', 1, { by: 'ada' })
    assert.equal(claimed, true)
    const result = await register(store, 'second')
    assert.notEqual(result.kind, 'lost')
    hook(team, 'post-receive', 'exit 0')
    const { events: all } = await (await team.open('bob')).models.state(MODEL)
    assert.deepEqual(
      all.map(({ op_id }) => op_id),
      ['first', 'second'],
    )
  })

  it('and whose answer was lost with the remote is said to be one or the other', async () => {
    const team = await withModel()
    const store = await team.open('ada')
    hook(team, 'post-receive', `mv '${team.remote}' '${team.remote}.away'; kill -9 $PPID`)
    await rejectsWith(register(store, 'second'), 'STORE_REMOTE_UNSURE', /Either it stands as a whole or nothing/)
    renameSync(`${team.remote}.away`, team.remote)
    hook(team, 'post-receive', 'exit 0')
    assert.equal((await register(await team.open('ada'), 'second')).kind, 'already')
    assert.deepEqual(await damage(team.root('ada')), [])
  })
})

describe('A remote that is away', function () {
  this.timeout(120_000)
  let team: Team

  before(async () => {
    team = await withModel()
    await promote(await team.open('ada'), 'p1', 1)
    await register(await team.open('ada'), 'second')
    await promote(await team.open('ada'), 'p2', 2)
    renameSync(team.remote, `${team.remote}.away`)
  })

  it('does not keep anybody from reading, who is told how old it is', async () => {
    const warnings: string[] = []
    const later = (): Date => new Date(Date.now() + 3 * 3600_000)
    const store = await team.open('ada', { write: false, warn: (text) => warnings.push(text), now: later })
    assert.equal((await store.models.state(MODEL)).stages.production?.version, 2)
    assert.match(warnings.join('\n'), /does not answer \(.*does not appear to be a git repository.*\).*UTC, 3 h ago/)
  })

  it('is not waited for again by commands that only look', async () => {
    const warnings: string[] = []
    await team.open('ada', {
      write: false,
      warn: (text) => warnings.push(text),
      now: () => new Date(Date.now() + 3 * 3600_000 + 5000),
    })
    assert.match(warnings.join('\n'), /did not answer a moment ago/)
  })

  it('refuses a rollback, and says that nothing was changed', async () => {
    const store = await team.open('ada')
    await rejectsWith(rollback(store, 'r1'), 'STORE_REMOTE_DOWN', /decided by a push.*so nothing was changed/)
    assert.equal(events(team, 'ada').length, 4)
  })

  it('refuses it early where git is not installed', async () => {
    const store = await team.open('ada', { env: { ...env, PATH: '/nonexistent' } })
    await rejectsWith(rollback(store, 'r1'), 'STORE_REMOTE_DOWN', /git is not installed/)
  })

  it('keeps what was stored for later: the next command goes on', async () => {
    const offline = await team.open('ada')
    await assert.rejects(register(offline, 'third'))
    renameSync(`${team.remote}.away`, team.remote)
    assert.equal((await register(await team.open('ada'), 'third')).kind, 'committed')
    assert.equal((await rollback(await team.open('bob'), 'r1')).kind, 'committed')
    assert.deepEqual(await damage(team.root('bob')), [])
  })
})

describe('A branch that somebody tampered with', function () {
  this.timeout(120_000)

  const refused = async (team: Team, name: string, code: string, message: RegExp): Promise<void> => {
    const before = events(team, name)
    const warnings: string[] = []
    const store = await team.open(name, { warn: (text) => warnings.push(text) })
    assert.match(warnings.join('\n'), message)
    await rejectsWith(register(store, 'never'), code, message)
    assert.deepEqual(events(team, name), before)
    assert.deepEqual(await damage(team.root(name)), [])
  }

  it('by cutting off its end is refused, and nothing is written to it', async () => {
    const team = await withModel()
    git(team.remote, 'update-ref', `refs/heads/${BRANCH}`, `${team.head()}~1`)
    const head = team.head()
    await refused(team, 'ada', 'STORE_REMOTE_REWRITTEN', /no longer contains [0-9a-f]{12}/)
    assert.equal(team.head(), head)
  })

  it('by a new history is refused', async () => {
    const team = await withModel()
    git(team.remote, 'branch', 'old', BRANCH)
    const other = await newTeam()
    git(team.remote, 'fetch', '--quiet', '--force', other.remote, `+${BRANCH}:${BRANCH}`)
    await refused(team, 'ada', 'STORE_REMOTE_REWRITTEN', /no longer contains/)
  })

  it('by deleting it is refused, and it is not made anew by a command', async () => {
    const team = await withModel()
    git(team.remote, 'update-ref', '-d', `refs/heads/${BRANCH}`)
    await refused(team, 'ada', 'STORE_BRANCH_MISSING', /has no branch mlops-store/)
    assert.throws(() => team.head())
  })

  it('by changing an event is refused', async () => {
    const team = await withModel()
    commitByHand(team, (folder) => {
      const file = join(folder, LOG, '0000000001.json')
      writeFileSync(file, readFileSync(file, 'utf8').replace('ada@laptop', 'eve@laptop'))
    })
    await refused(
      team,
      'ada',
      'STORE_REMOTE_REWRITTEN',
      /commit [0-9a-f]{12} by eve <eve@x> of [\d-]+ changed models\/churn-model\/log\/0000000001\.json/,
    )
  })

  it('by deleting a file is refused', async () => {
    const team = await withModel()
    commitByHand(team, (folder) => git(folder, 'rm', '--quiet', `${LOG}/0000000001.json`))
    await refused(team, 'ada', 'STORE_REMOTE_REWRITTEN', /deleted models\/churn-model/)
  })

  it('by a merge is refused', async () => {
    const team = await withModel()
    commitByHand(team, (folder) => {
      git(folder, 'checkout', '--quiet', '-b', 'side', 'HEAD~1')
      git(folder, 'commit', '--quiet', '--allow-empty', '-m', 'side')
      git(folder, 'checkout', '--quiet', BRANCH)
      git(folder, 'merge', '--quiet', '--no-edit', 'side')
      writeFileSync(join(folder, 'note'), 'x')
    })
    await refused(team, 'ada', 'STORE_REMOTE_REWRITTEN', /histories were merged/)
  })

  it('by an event that does not follow the one before it is refused', async () => {
    const team = await withModel()
    commitByHand(team, (folder) => {
      const record = { seq: 2, prev: '0'.repeat(64), op_id: 'forged', model: MODEL, type: 'tag' }
      writeFileSync(join(folder, LOG, '0000000002.json'), seal(record))
    })
    await refused(
      team,
      'ada',
      'STORE_REMOTE_DAMAGED',
      /"prev" is not the digest.* came with commit [0-9a-f]{12} by eve <eve@x> of \d{4}-/,
    )
  })

  it('by a torn file, a link or a foreign object is refused', async () => {
    for (const [change, message] of [
      [
        (folder: string) => writeFileSync(join(folder, LOG, '0000000002.json'), '{"seq":2'),
        /does not end with a newline.* by eve <eve@x>/,
      ],
      [
        (folder: string) => {
          mkdirSync(join(folder, 'models', MODEL, 'checks'), { recursive: true })
          git(
            folder,
            'update-index',
            '--add',
            '--cacheinfo',
            `120000,${git(folder, 'rev-parse', 'HEAD:registry.json').trim()},models/x/log/0000000001.json`,
          )
          git(folder, 'commit', '--quiet', '-m', 'link')
          git(folder, 'push', '--quiet', 'origin', `HEAD:${BRANCH}`)
        },
        /its mode is 120000.* by eve <eve@x>/,
      ],
      [
        (folder: string) => {
          mkdirSync(join(folder, 'objects/sha256/aa'), { recursive: true })
          writeFileSync(join(folder, 'objects/sha256/aa', 'b'.repeat(62)), 'not that')
        },
        /do not have the sha256 of its name/,
      ],
    ] as const) {
      const team = await withModel()
      try {
        commitByHand(team, change)
      } catch {
        // The one that commits by itself has nothing left to commit.
      }
      await refused(team, 'ada', 'STORE_REMOTE_DAMAGED', message)
    }
  })

  it('by files that are none of a store is used without them', async () => {
    const team = await withModel()
    commitByHand(team, (folder) => {
      writeFileSync(join(folder, 'README.md'), 'hello')
      mkdirSync(join(folder, 'models', MODEL, 'cache'))
      writeFileSync(join(folder, 'models', MODEL, 'cache', 'x.json'), '{}')
      mkdirSync(join(folder, 'runs'))
      writeFileSync(join(folder, 'runs', 'x'), '')
    })
    assert.equal((await register(await team.open('ada'), 'second')).kind, 'committed')
    assert.equal(existsSync(join(team.root('ada'), 'README.md')), false)
    assert.equal(existsSync(join(team.root('ada'), 'models', MODEL, 'cache')), false)
    // Nor does a commit of ours take them away.
    assert.match(git(team.remote, 'ls-tree', '--name-only', BRANCH), /README\.md/)
  })
})

describe('A folder that somebody wrote into without the branch', function () {
  this.timeout(60_000)

  it('is refused where the branch has another file in that place', async () => {
    const team = await withModel()
    await team.open('bob')
    await register(await team.open('ada'), 'second')
    writeFileSync(join(team.root('bob'), LOG, '0000000002.json'), seal({ seq: 2, prev: 'x' }))
    const store = await team.open('bob')
    await assert.rejects(register(store, 'third'))
    await rejectsWith(store.claims.take(MODEL, 'jobs/retrain', 1, {}), 'STORE_DIVERGED', /0000000002\.json/)
  })
})
