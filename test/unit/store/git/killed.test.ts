/**
 * A command on a clone is killed (SIGKILL, a real process) at each step of the protocol in turn. Whatever is left, what
 * was announced stands, everybody else goes on at once, and so does the folder in which it happened.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promote, register } from '../../../crash/scenario.ts'
import { temporaryFolder } from '../support.ts'
import { BRANCH, damage, env, git, MODEL, newTeam, type Team, team } from './support.ts'
import type { WorkerJob } from './worker.ts'

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url))

interface Lived {
  readonly steps: readonly string[]
  /** What it was told; undefined when it was killed before. */
  readonly told: unknown
  readonly killed: boolean
}

async function live(job: WorkerJob): Promise<Lived> {
  const child = spawn(process.execPath, ['--import', 'tsx', WORKER, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, errors] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8')
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8')
  })
  const signal = await new Promise<string | null>((resolve) => child.on('close', (_, name) => resolve(name)))
  const lines = out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]))
  assert.equal(errors, '')
  const last = lines.at(-1)
  assert.equal(last?.error, undefined)
  return {
    steps: lines.flatMap(({ step }) => (typeof step === 'string' ? [step] : [])),
    told: last?.told,
    killed: signal === 'SIGKILL',
  }
}

/** Kills at step 1, 2, 3 … until one run comes to its end; `check` looks at what each left behind. */
async function atEveryStep(
  template: Team,
  job: (here: Team) => Omit<WorkerJob, 'killAt' | 'remote' | 'branch' | 'env'>,
  check: (here: Team, lived: Lived) => Promise<void>,
): Promise<string[]> {
  for (let killAt = 1; ; killAt += 2) {
    // Two at a time: most of the time is spent waiting for git.
    const lives = await Promise.all(
      [killAt, killAt + 1].map(async (at) => {
        const folder = join(temporaryFolder(), 'team')
        cpSync(template.folder, folder, { recursive: true, preserveTimestamps: true })
        const here = team(folder)
        // The clones were copied with the address of the other remote.
        for (const name of ['ada', 'bob']) moved(here, name)
        const lived = await live({ ...job(here), killAt: at, remote: here.remote, branch: BRANCH, env })
        await check(here, lived)
        return lived
      }),
    )
    const finished = lives.find(({ killed }) => !killed)
    if (finished !== undefined) return [...finished.steps]
  }
}

function moved(here: Team, name: string): void {
  const file = join(here.root(name), '.git/mlops-store.json')
  if (existsSync(file))
    writeFileSync(file, `${JSON.stringify({ remote: here.remote, branch: BRANCH, url: here.remote })}\n`)
}

/** Somebody else, and the same folder again: both can go on at once, and nothing is there twice. */
async function assertGoesOn(here: Team, op: string, lived: Lived, names: readonly string[]): Promise<void> {
  const when = `killed at ${lived.steps.at(-1)} (step ${lived.steps.length})`
  for (const name of names) {
    const store = await here.open(name, { wish: true })
    const again = await register(store, op)
    assert.ok(again.kind === 'committed' || again.kind === 'already', `${when}: ${name}`)
    // What was announced is not done again.
    if (lived.told === 'committed') assert.equal(again.kind, 'already', when)
    const { events } = await store.models.state(MODEL)
    assert.equal(events.filter(({ op_id }) => op_id === op).length, 1, when)
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, n) => n + 1),
      when,
    )
    assert.deepEqual(await damage(here.root(name)), [], `${when}: ${name}`)
  }
}

describe('A command on a shared store that is killed at any step', function () {
  this.timeout(600_000)
  let template: Team

  before(async () => {
    template = await newTeam()
    await register(await template.open('ada'), 'first')
    await template.open('bob')
  })

  it('loses nothing that was announced and blocks nobody: register', async () => {
    const steps = await atEveryStep(
      template,
      (here) => ({ root: here.root('ada'), what: 'register', op: 'second' }),
      (here, lived) => assertGoesOn(here, 'second', lived, ['bob', 'ada', 'carol']),
    )
    assert.deepEqual(steps, ['fetched', 'taken over', 'looked', 'committed', 'accepted', 'linked', 'remembered'])
  })

  it('also when it is the first version of a model, which comes with what the root log says', async () => {
    const fresh = await newTeam()
    const steps = await atEveryStep(
      fresh,
      (here) => ({ root: here.root('ada'), what: 'register', op: 'first' }),
      async (here, lived) => {
        // What stands here before anybody catches up is whole as well.
        assert.deepEqual(await damage(here.root('ada')), [])
        await assertGoesOn(here, 'first', lived, ['bob', 'ada'])
      },
    )
    assert.deepEqual(steps.slice(2), ['looked', 'committed', 'accepted', 'linked', 'linked', 'linked', 'remembered'])
  })

  it('also when somebody else was faster', async () => {
    const before = template.head()
    await register(await template.open('bob'), 'faster')
    const competitor = template.head()
    git(template.remote, 'update-ref', 'refs/heads/kept', competitor)
    git(template.remote, 'update-ref', `refs/heads/${BRANCH}`, before)
    const steps = await atEveryStep(
      template,
      (here) => ({ root: here.root('ada'), what: 'register', op: 'second', overtakenBy: competitor }),
      (here, lived) => assertGoesOn(here, 'second', lived, ['ada', 'carol']),
    )
    assert.deepEqual(
      steps.filter((name) => name === 'refused' || name === 'accepted'),
      ['refused', 'accepted'],
    )
    git(template.remote, 'update-ref', `refs/heads/${BRANCH}`, competitor)
  })

  it('loses nothing that was announced and blocks nobody: promote', async () => {
    await atEveryStep(
      template,
      (here) => ({ root: here.root('ada'), what: 'promote', op: 'p' }),
      async (here, lived) => {
        const store = await here.open('bob')
        const stands = (await store.models.state(MODEL)).stages.production
        if (lived.told === 'committed') assert.equal(stands?.version, 1)
        const again = await promote(store, 'p', 1)
        assert.equal(again.kind, stands === undefined ? 'committed' : 'already')
        for (const name of ['ada', 'bob']) {
          await here.open(name)
          assert.deepEqual(await damage(here.root(name)), [])
        }
      },
    )
  })

  it('leaves a fresh clone that the next command completes', async () => {
    const steps = await atEveryStep(
      template,
      (here) => ({ root: here.root('carol'), what: 'join', op: '' }),
      async (here) => {
        const store = await here.open('carol')
        assert.equal((await store.models.state(MODEL)).versions.length, 2)
        assert.deepEqual(await damage(here.root('carol')), [])
      },
    )
    assert.deepEqual([...new Set(steps)], ['folder prepared', 'fetched', 'file taken over', 'taken over'])
  })

  it('leaves a new team without a branch, or with a whole one', async () => {
    const empty = team()
    const steps = await atEveryStep(
      empty,
      (here) => ({ root: here.root('ada'), what: 'join', op: '' }),
      async (here) => {
        // Somebody else's init first: what was announced to nobody may be lost, two stores may not come of it.
        const other = await here.join('bob')
        const mine = await here.join('ada').catch((error: { code?: string }) => error)
        const ids = await Promise.all(['bob', 'carol'].map(async (name) => (await here.open(name)).id))
        assert.equal(ids[0], ids[1])
        if ('code' in mine) assert.equal(mine.code, 'STORE_OTHER')
        else assert.equal((await here.open('ada')).id, ids[0])
        assert.ok(['branch', 'folder'].includes(other.what))
      },
    )
    assert.deepEqual(steps, ['folder prepared', 'fetched', 'committed', 'accepted'])
  })
})
