/** A reproduction that is stopped: nothing of it stays behind, or the next one takes it away. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipBecause } from '../../support/skip.ts'
import { BINARY, buildOnce, cleanEnv } from '../harness.ts'
import { leftOvers, type World, world } from './world.ts'

/** Waits where a file is named to say that it does. */
const FILES = { 'train.sh': 'echo "n: 1"; if [ -n "$STARTED" ]; then echo x > "$STARTED"; sleep 60; fi\n' }
const SH = ['sh', 'train.sh']

/** Starts a command of mlops that waits in the middle of its script. */
async function waiting(place: World, words: readonly string[]): Promise<ChildProcess> {
  buildOnce()
  const started = place.path('started')
  const child = spawn(process.execPath, [BINARY, ...words], {
    cwd: place.dir,
    env: cleanEnv({ STARTED: started }),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  while (!existsSync(started) && child.exitCode === null) await sleep(20)
  return child
}

const leftOverRoot = (): string => join(tmpdir(), leftOvers()[0] ?? '')

const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null ? Promise.resolve(child.exitCode) : new Promise((resolve) => child.once('close', resolve))

const worktrees = (place: World): number =>
  place.git('worktree', 'list', '--porcelain').split('\n\n').filter(Boolean).length

describe('a reproduction that is stopped', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`leaves nothing behind after ${signal}, and is no verdict`, async () => {
      const place = await world(FILES)
      const run = await place.track([], SH)
      const child = await waiting(place, ['run', 'reproduce', run])
      child.kill(signal)
      const code = await ended(child)
      assert.equal(code, signal === 'SIGINT' ? 130 : 143)
      assert.deepEqual(leftOvers(), [])
      assert.equal(worktrees(place), 1)
      assert.equal(existsSync(place.path('.git/worktrees')), false)
      const { json } = await place.mlops(['run', 'show', run, '--json'])
      assert.deepEqual(json.data.reproductions, [])
    })
  }

  it('is of a stopped run, and fails: that is no proof of anything, and exit 1', async () => {
    const place = await world({
      'train.sh':
        'echo "n: 1"; if [ -n "$FAIL" ]; then exit 9; fi; if [ -n "$STARTED" ]; then echo x > "$STARTED"; sleep 60; fi\n',
    })
    const child = await waiting(place, ['track', '--', ...SH])
    child.kill('SIGINT')
    await ended(child)
    const { data } = await place.reproduce(['@last'], { code: 1, env: { FAIL: 'yes' } })
    assert.equal(data.plan.status, 'interrupted')
    assert.equal(data.outcome.verdict, 'failed')
    assert.equal(data.outcome.reproduction.exit, 9)
  })

  it('alone was killed: the next one ends its command, and leaves worktrees of other machines and locked ones', async function () {
    if (!existsSync('/proc/self/environ')) skipBecause(this, 'only Linux says where a process stands')
    const place = await world({
      'train.sh': 'if [ -n "$STARTED" ]; then echo $$ > "$STARTED"; exec sleep 600; fi; echo "n: 1"\n',
    })
    const run = await place.track([], SH)
    const child = await waiting(place, ['run', 'reproduce', run])
    child.kill('SIGKILL')
    await ended(child)
    const pid = Number(readFileSync(place.path('started'), 'utf8'))
    assert.ok(readlinkSync(`/proc/${pid}/cwd`).includes('mlops-reproduce-'))
    const entries = place.path('.git/worktrees')
    const [own = ''] = readdirSync(entries)
    const gone = join(dirname(leftOverRoot()), 'mlops-reproduce-gone', 'tree1', 'x', '.git')
    for (const [name, host, locked] of [
      ['elsewhere', 'another-machine', false],
      ['locked', hostname(), true],
      ['ours', hostname(), false],
    ] as const) {
      cpSync(join(entries, own), join(entries, name), { recursive: true })
      writeFileSync(join(entries, name, 'gitdir'), `${gone}\n`)
      writeFileSync(join(entries, name, 'mlops-reproduce.json'), JSON.stringify({ host }))
      if (locked) writeFileSync(join(entries, name, 'locked'), 'mine\n')
    }
    const { warnings } = await place.reproduce([run])
    assert.match(warnings.join(' '), /was killed was still running \(1 process\); it was ended/)
    // Where nobody waits for it, its number stays.
    assert.throws(() => readlinkSync(`/proc/${pid}/cwd`))
    assert.deepEqual(readdirSync(entries).sort(), ['elsewhere', 'locked'])
    assert.deepEqual(leftOvers(), [])
  })

  it('that was killed is taken away by the next one', async () => {
    const place = await world(FILES)
    const run = await place.track([], SH)
    const child = await waiting(place, ['run', 'reproduce', run])
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    await ended(child)
    assert.equal(leftOvers().length, 1)
    assert.equal(worktrees(place), 2)
    await place.reproduce([run])
    assert.deepEqual(leftOvers(), [])
    assert.equal(worktrees(place), 1)
    assert.equal(readdirSync(place.path('.git')).includes('worktrees'), false)
  })
})
