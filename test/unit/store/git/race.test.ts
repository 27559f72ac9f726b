/** Many clones write at once into one branch of a real bare repository. */
import assert from 'node:assert/strict'
import { sha256 } from '../../../../src/core/digest.ts'
import type { Store } from '../../../../src/store/store.ts'
import { promote, register } from '../../../crash/scenario.ts'
import { BRANCH, damage, git, MODEL, newTeam, type Team } from './support.ts'

const NAMES = Array.from({ length: 8 }, (_, n) => `clone-${n}`)

/** Every file of the branch and its blob, and what a clone has under the same names. */
function bothSides(team: Team, name: string): [there: string[], here: string[]] {
  const lines = git(team.remote, 'ls-tree', '-r', BRANCH).trim().split('\n')
  const keys = lines.map((line) => line.split('\t')[1] ?? '')
  const hashed = git(team.root(name), 'hash-object', '--no-filters', ...keys)
  return [lines.map((line) => line.split(/\s/)[2] ?? ''), hashed.trim().split('\n')]
}

describe('Eight clones of one shared store', function () {
  this.timeout(300_000)
  let team: Team
  let stores: Store[]

  before(async () => {
    team = await newTeam()
    stores = await Promise.all(NAMES.map((name) => team.open(name)))
  })

  it('register at the same moment: every version has a number of its own, and none is lost or there twice', async () => {
    const ops = NAMES.flatMap((name) => [`${name}/a`, `${name}/b`])
    const work = stores.map(async (store, n) => {
      const results = []
      for (const op of ops.slice(2 * n, 2 * n + 2)) results.push(await register(store, op))
      return results
    })
    const results = (await Promise.all(work)).flat()
    assert.deepEqual([...new Set(results.map(({ kind }) => kind))], ['committed'])

    const { events, versions } = await (await team.open('reader')).models.state(MODEL)
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, n) => n + 1),
      'no hole',
    )
    assert.deepEqual(events.map(({ op_id }) => op_id).sort(), ops.sort(), 'each once')
    assert.deepEqual(
      versions.map(({ version }) => version),
      ops.map((_, n) => n + 1),
    )
    // What each was told is what everybody sees.
    for (const result of results) {
      assert.ok(result.kind === 'committed')
      assert.deepEqual(events[result.event.seq - 1], result.event)
    }
  })

  it('promote at the same moment: one moves the stage, the others are told that they lost', async () => {
    stores = await Promise.all(NAMES.map((name) => team.open(name)))
    const results = await Promise.all(stores.map((store, n) => promote(store, `promote-${n}`, n + 1)))
    assert.equal(results.filter(({ kind }) => kind === 'committed').length, 1)
    const state = await (await team.open('reader')).models.state(MODEL)
    for (const result of results) {
      if (result.kind === 'lost')
        assert.equal(result.state.stages.production?.version, state.stages.production?.version)
    }
  })

  it('claim the same number at the same moment: one of them has it', async () => {
    const claims = stores.map((store, n) => store.claims.take(MODEL, 'jobs/drift', 1, { by: NAMES[n] ?? '' }))
    const taken = await Promise.all(claims)
    assert.equal(taken.filter(Boolean).length, 1)
    const claim = await (await team.open('reader')).claims.newest(MODEL, 'jobs/drift')
    assert.deepEqual(claim, { number: 1, record: { by: NAMES[taken.indexOf(true)] ?? '' } })
  })

  it('store checks at the same moment: all are there, and the log of checks names each', async () => {
    const time = '2025-11-21T09:00:00.000Z'
    const keys = NAMES.map((name) => sha256(name))
    await Promise.all(stores.map((store, n) => store.checks.put(MODEL, keys[n] ?? '', { time, by: n })))
    const checks = await (await team.open('reader')).checks.list(MODEL)
    assert.deepEqual(checks.map(({ key }) => key).sort(), keys.sort())
  })

  it('registered a new model with one push, and store a check with one', () => {
    const subjects = git(team.remote, 'log', '--reverse', '--format=%s', BRANCH).split('\n')
    assert.match(subjects.join('\n'), /^log 1: model, churn-model 1: register, log 2: head$/m)
    const checks = subjects.filter((subject) => subject.includes(': checks/'))
    assert.equal(checks.length, NAMES.length)
    for (const subject of checks)
      assert.match(subject, /^churn-model: checks\/[0-9a-f]{64}\.json, churn-model: checks\/log\/\d{10}\.json$/)
  })

  it('are each whole afterwards, and hold the same bytes as the branch', async () => {
    for (const name of NAMES) {
      await team.open(name)
      assert.deepEqual(await damage(team.root(name)), [])
      const [there, here] = bothSides(team, name)
      assert.deepEqual(here, there)
    }
    assert.equal(git(team.remote, 'log', '--merges', '--oneline', BRANCH), '', 'nothing was ever merged')
  })
})

describe('Two processes in one folder of a shared store', function () {
  this.timeout(120_000)

  it('write at the same moment as two clones do', async () => {
    const team = await newTeam()
    const stores = await Promise.all([team.open('ada'), team.open('ada'), team.open('ada')])
    const results = await Promise.all(stores.map((store, n) => register(store, `op-${n}`)))
    assert.deepEqual(
      results.map(({ kind }) => kind),
      ['committed', 'committed', 'committed'],
    )
    assert.deepEqual(await damage(team.root('ada')), [])
    assert.equal((await (await team.open('bob')).models.state(MODEL)).versions.length, 3)
  })
})
