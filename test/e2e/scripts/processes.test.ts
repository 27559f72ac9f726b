/** Scripts that fork, leave something behind, become another program, move, ask, and are told to stop. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { cleanEnv } from '../harness.ts'
import { assertWhole, needsPython, PYTHON, scriptWorld, trackCommand, until } from './support.ts'

describe('The processes of real scripts', function () {
  this.timeout(120_000)
  before(function () {
    needsPython(this)
  })
  const ran = async (...args: string[]) => {
    const world = await scriptWorld('processes.py')
    const flags = args[0] === 'chdir' ? ['--artifact', 'out/deep/model.bin'] : []
    return { world, tracked: await world.track(['python', 'processes.py', ...args], { flags }) }
  }

  it('os.fork: what both print is read, and the run is one', async () => {
    const { world, tracked } = await ran('fork')
    assertWhole(world, tracked)
    assert.deepEqual(tracked.run.metrics, { child_loss: 0.5, loss: 0.25 })
  })

  for (const method of ['fork', 'spawn', 'forkserver']) {
    it(`multiprocessing (${method}): workers are part of the run, and none is left`, async () => {
      const { world, tracked } = await ran('pool', method)
      assertWhole(world, tracked)
      assert.equal(tracked.run.metrics.total, 14)
      assert.equal(tracked.run.metrics.worker_3, 9)
    })
  }

  it('joblib: its workers end with the run', async function () {
    needsPython(this, 'joblib')
    const { world, tracked } = await ran('joblib')
    await sleep(500)
    assertWhole(world, tracked)
    assert.equal(tracked.run.metrics.total, 14)
  })

  it('a daemon that keeps the output open holds nobody up, is said, and lives on', async () => {
    const { world, tracked } = await ran('daemon')
    const pid = Number(world.project.read('daemon.pid'))
    try {
      assert.deepEqual([tracked.code, tracked.run.status, tracked.run.metrics], [0, 'finished', { auc: 0.9 }])
      assert.doesNotThrow(() => process.kill(pid, 0), 'it is none of our business')
      assert.ok(tracked.run.warnings.length > 0)
    } finally {
      process.kill(pid, 'SIGKILL')
    }
  })

  it('a script that executes itself anew: both halves are read, the exit code is the last one', async () => {
    const { world, tracked } = await ran('exec')
    assert.deepEqual([tracked.code, tracked.run.status, tracked.run.exit], [7, 'failed', 7])
    assert.deepEqual(tracked.run.metrics, { stage_one: 1, stage_two: 2 })
    assert.deepEqual(world.left(), [])
  })

  it('a script that changes its folder: metrics.json of the folder it was started in counts', async () => {
    const { world, tracked } = await ran('chdir')
    assertWhole(world, tracked)
    assert.deepEqual(tracked.run.metrics, { auc: 0.6, f1: 0.5 })
    assert.deepEqual(
      tracked.run.artifacts.map(({ path }: { path: string }) => path),
      ['out/deep/model.bin'],
    )
  })

  it('reads a pipe to its end', async () => {
    const world = await scriptWorld('asks.py')
    const tracked = await world.track(['python', 'asks.py'], { input: 'a b c\n'.repeat(100_000) })
    assertWhole(world, tracked)
    assert.equal(tracked.run.metrics.rows, 300_000)
  })

  it('is asked at a terminal', async () => {
    const world = await scriptWorld('asks.py')
    const code = `import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
said = b""
while True:
    try:
        part = os.read(fd, 65536)
    except OSError:
        break
    if not part:
        break
    said += part
    if b"depth? " in said and b"answered" not in said:
        os.write(fd, b"6\\n")
        said += b"answered"
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`
    const command = ['-c', code, ...trackCommand(['--', 'python', 'asks.py'])]
    const ended = spawnSync(PYTHON, command, {
      cwd: world.project.dir,
      env: cleanEnv({ PATH: `${PYTHON.replace(/\/python$/, '')}:${process.env.PATH}`, TERM: 'xterm' }),
      encoding: 'utf8',
      timeout: 60_000,
    })
    assert.equal(ended.status, 0, ended.stderr)
    const { data } = (await world.project.mlops(['run', 'show', '@last', '--json'])).json
    assert.deepEqual([data.status, data.metrics], ['finished', { depth_given: 6 }])
  })

  it('that catches Ctrl-C and ends well has finished, with its checkpoint', async () => {
    const world = await scriptWorld('signals.py')
    const started = world.start(['python', 'signals.py', 'graceful'], { flags: ['--artifact', 'checkpoint.json'] })
    await until(started.child, '"step": 3')
    started.child.kill('SIGINT')
    const tracked = await started.finish()
    assertWhole(world, tracked)
    assert.ok(tracked.run.metrics.loss <= 1 / 3)
    assert.equal(tracked.run.metrics.saved, 1)
    assert.equal(tracked.run.artifacts.length, 1)
  })

  it('that is deaf to SIGTERM is killed at the third one, and what it said until then is kept', async () => {
    const world = await scriptWorld('signals.py')
    const started = world.start(['python', 'signals.py', 'deaf'])
    await until(started.child, '"step": 3')
    for (let signal = 0; signal < 3; signal++) {
      started.child.kill('SIGTERM')
      await sleep(100)
    }
    const tracked = await started.finish()
    assert.deepEqual([tracked.code, tracked.run.status, tracked.run.signal], [137, 'interrupted', 'SIGKILL'])
    assert.ok(tracked.run.metrics.loss <= 1 / 3)
    assert.match(tracked.log.toString(), /"step": 3/)
    assert.deepEqual(world.left(), [])
  })
})
