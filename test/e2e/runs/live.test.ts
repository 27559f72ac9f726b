/** Runs while they go on, and runs whose processes were killed: what another terminal sees of them. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, readdirSync, rmSync, utimesSync } from 'node:fs'
import { needsPython, PYTHON } from '../../support/python.ts'
import { skipBecause } from '../../support/skip.ts'
import { assertMatchesSchema, BINARY, buildOnce, cleanEnv, ROOT, type TempProject, tempProject } from '../harness.ts'
import { openTerminal, skipWithoutTmux } from '../terminal.ts'

const CLIENT = `${ROOT}/templates/python`
/** Logs until the file `stop` appears. */
const ENDLESS = `
import os, sys, time, mlops
run = mlops.track("churn-model")
open("pid.txt", "w").write(str(os.getpid()))
n = 0
while not os.path.exists("stop"):
    run.log_metric("loss", 1 / (n + 1), step=n)
    n += 1
    time.sleep(0.02)
run.log_metric("last", 1)
run.end()
`
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

describe('A run, seen from another terminal', () => {
  let project: TempProject
  const started: ChildProcess[] = []
  const env = { PYTHONPATH: CLIENT, PYTHONDONTWRITEBYTECODE: '1' }

  before(function () {
    needsPython(this)
    buildOnce()
  })
  beforeEach(async () => {
    project = tempProject({ 'mlops.yaml': 'models:\n  churn-model:\n    artifact: model.bin\n', 'train.py': ENDLESS })
    await project.mlops(['init', '--yes', '--no-input'])
  })
  afterEach(async () => {
    project.write('stop', '')
    for (const child of started.splice(0))
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    const pid = existsSync(project.path('pid.txt')) ? Number(project.read('pid.txt')) : 0
    if (pid > 0) await gone(pid)
  })

  function begin(program: string, words: readonly string[]): ChildProcess {
    const child = spawn(program, words, { cwd: project.dir, env: cleanEnv(env), stdio: 'ignore' })
    started.push(child)
    return child
  }
  const track = (...command: readonly string[]) => begin(process.execPath, [BINARY, 'track', '--', ...command])
  const show = async (run = '@last') => (await project.mlops(['run', 'show', run, '--json'])).json.data
  /** Waits for what a person would wait for; a hang is the test's time limit. */
  async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
    for (;;) {
      const found = await look()
      if (found !== undefined) return found
      await pause(50)
    }
  }
  const running = () =>
    until(async () => {
      const { stdout, code } = await project.run(['run', 'show', '--json'])
      const { data } = code === 0 ? JSON.parse(stdout) : { data: undefined }
      return data?.metrics?.loss === undefined ? undefined : data
    })
  async function gone(pid: number): Promise<void> {
    await until(() => {
      const { status, stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
      return status !== 0 || stdout.startsWith('Z') ? true : undefined
    })
  }
  async function kill(child: ChildProcess): Promise<void> {
    const ended = new Promise((resolve) => child.on('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  it('shows its metrics while it goes on, and more of them a moment later', async () => {
    track(PYTHON, 'train.py')
    const first = await running()
    assert.equal(first.status, 'running')
    assert.equal(first.life.process, 'alive')
    const second = await until(async () => {
      const run = await show()
      return run.series[0]?.count > (first.series[0]?.count ?? 0) ? run : undefined
    })
    assert.equal(second.series[0].hasSteps, true)
    assertMatchesSchema('run show', (await project.mlops(['run', 'show', '--json'])).json)
  })

  it('shows what the command prints while it goes on', async () => {
    track('sh', '-c', 'echo "loss: 0.5"; echo "loss: 0.25"; while [ ! -e stop ]; do sleep 0.05; done')
    const run = await until(async () => ((await running()).series.length > 0 ? show() : undefined))
    assert.deepEqual([run.status, run.metrics], ['running', { loss: 0.25 }])
  })

  it('is interrupted at once when mlops track is killed, and says that the script goes on', async () => {
    const child = track(PYTHON, 'train.py')
    await running()
    await kill(child)
    const run = await show()
    assert.equal(run.status, 'interrupted')
    assert.equal(run.life.process, 'gone')
    assert.deepEqual(run.life.orphans, [Number(project.read('pid.txt'))])
    const text = (await project.mlops(['run', 'show'])).stdout
    assert.match(text, /mlops track \(process \d+\) is gone and wrote no end/)
    assert.match(text, /The script is still at work \(process \d+\)/)
    const more = await until(async () => {
      const later = await show()
      return later.series[0].count > run.series[0].count ? later : undefined
    })
    assert.equal(more.status, 'interrupted', 'what it logs is kept, the run has no end')
    project.write('stop', '')
    await gone(Number(project.read('pid.txt')))
    const last = await show()
    assert.deepEqual([last.metrics.last, last.life.orphans], [1, []])
    await project.mlops(['store', 'verify'])
  })

  it('is failed when the command is killed', async () => {
    const child = track(PYTHON, 'train.py')
    const ended = new Promise((resolve) => child.on('exit', resolve))
    await running()
    process.kill(Number(project.read('pid.txt')), 'SIGKILL')
    assert.equal(await ended, 137)
    const run = await show()
    assert.deepEqual([run.status, run.signal], ['failed', 'SIGKILL'])
    assert.ok(run.metrics.loss > 0)
  })

  it('of a plain script is interrupted at once when that is killed', async () => {
    const child = begin(PYTHON, ['train.py'])
    const before = await running()
    assert.deepEqual([before.status, before.life], ['running', { ...before.life, pid: child.pid, process: 'alive' }])
    await kill(child)
    const run = await show()
    assert.deepEqual([run.status, run.life.process], ['interrupted', 'gone'])
    assert.match((await project.mlops(['run', 'show'])).stdout, /the script \(process \d+\) is gone and wrote no end/)
  })

  it('survives what a power cut leaves of a stream: a torn line, a line of zeros', async () => {
    const child = track(PYTHON, 'train.py')
    await running()
    await kill(child)
    project.write('stop', '')
    await gone(Number(project.read('pid.txt')))
    const whole = await show()
    const folder = project.path('.mlops/runs', whole.run, 'metrics')
    const file = `${folder}/${readdirSync(folder)[0]}`
    appendFileSync(file, `${'\0'.repeat(4096)}\n{"key":"loss","step":1,"t":"2026-11-21T09:0`)
    const torn = await show()
    assert.deepEqual([torn.metrics, torn.series], [whole.metrics, whole.series])
  })

  it('that another one started is shown with its parent, also when that was killed', async () => {
    project.write(
      'outer.sh',
      `"${process.execPath}" "${BINARY}" track -- "${PYTHON}" train.py\nwhile [ ! -e stop ]; do sleep 0.05; done\n`,
    )
    const child = track('sh', 'outer.sh')
    const inner = await until(async () => {
      const { data } = (await project.mlops(['run', 'list', '--json'])).json
      return data.runs.find(
        (each: { parent: string | null; metrics: object }) => each.parent !== null && 'loss' in each.metrics,
      )
    })
    const outer = await show(inner.parent)
    assert.deepEqual(
      outer.children.map(({ run, status }: { run: string; status: string }) => [run, status]),
      [[inner.run, 'running']],
    )
    assert.equal(outer.metrics.loss, undefined, 'the client logs into the run that is nearest')
    await kill(child)
    assert.equal((await show(inner.parent)).status, 'interrupted')
    assert.equal((await show(inner.run)).status, 'running', 'the one inside goes on and will write its end')
    assert.match(
      (await project.mlops(['run', 'show', inner.parent])).stdout,
      new RegExp(`Runs it started\\n.* ${inner.run} running`),
    )
    project.write('stop', '')
    const ended = await until(async () => {
      const run = await show(inner.run)
      return run.status === 'running' ? undefined : run
    })
    assert.equal(ended.status, 'finished')
  })

  it('of another host is known by its heartbeat alone', async function () {
    if (process.getuid?.() !== 0) skipBecause(this, 'only root can be another host (unshare)')
    if (spawnSync('unshare', ['--uts', '--pid', '--fork', '--mount-proc', 'true']).status !== 0) {
      skipBecause(this, 'unshare cannot make another host here')
    }
    const words = ['--uts', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c']
    const host = begin('unshare', [
      ...words,
      `hostname faraway; exec "${process.execPath}" "${BINARY}" track -- "${PYTHON}" train.py`,
    ])
    const run = await running()
    assert.deepEqual([run.status, run.host.name, run.life.process], ['running', 'faraway', 'unknown'])
    await kill(host)
    // Counted over there, where it was killed with all others.
    rmSync(project.path('pid.txt'))
    assert.equal((await show()).status, 'running', 'here nobody can know yet')
    const beat = new Date(Date.now() - 120_000)
    utimesSync(project.path('.mlops/runs', run.run, 'alive'), beat, beat)
    const late = await show()
    assert.equal(late.status, 'interrupted')
    assert.ok(Math.abs(Date.parse(late.life.heard) - beat.getTime()) < 1000, late.life.heard)
    const text = (await project.mlops(['run', 'show'])).stdout
    assert.match(text, /heard of +2 minutes ago, from faraway/)
    assert.match(text, /Nothing has been heard of mlops track/)
    const ahead = new Date(Date.now() + 45_000)
    utimesSync(project.path('.mlops/runs', run.run, 'alive'), ahead, ahead)
    assert.match(
      (await project.mlops(['run', 'show'])).stdout,
      /running[\s\S]*heard of +0 s ago/,
      'its clock is ahead of ours',
    )
  })

  it('is followed until it ends: without a terminal only its final state is printed', async () => {
    track(PYTHON, 'train.py')
    const { run } = await running()
    const follower = project.mlops(['run', 'show', '--follow'])
    await pause(1500)
    project.write('stop', '')
    const { stdout } = await follower
    assert.equal(stdout.split(run).length - 1 >= 1, true)
    assert.match(stdout, /^✔ run \S+ finished\n/)
    assert.equal(stdout.split('Metrics').length, 2, 'it is printed once')
  })

  it('is drawn anew on a terminal until it ends; Ctrl-C stops looking, not the run', async function () {
    skipWithoutTmux(this)
    track(PYTHON, 'train.py')
    await running()
    const terminal = openTerminal({ cwd: project.dir })
    try {
      terminal.type(`"${process.execPath}" "${BINARY}" run show --follow; echo "code $?"`)
      terminal.press('Enter')
      await terminal.waitFor(/running for[\s\S]*loss[\s\S]*┤[\s\S]*Ctrl-C stops looking/)
      terminal.press('C-c')
      await terminal.waitFor(/No longer following[\s\S]*code 130/)
      assert.equal((await show()).status, 'running')
      terminal.type(`clear; "${process.execPath}" "${BINARY}" run show --follow --metric loss; echo "code $?"`)
      terminal.press('Enter')
      await terminal.waitFor(/running for/)
      project.write('stop', '')
      await terminal.waitFor(/METRIC[\s\S]*code 0/)
    } finally {
      terminal.close()
    }
  })

  it('with a metric that it has not names the one that is meant', async () => {
    project.write('stop', '')
    await project.mlops(['track', '--', PYTHON, 'train.py'], { env })
    const { json } = await project.mlops(['run', 'show', '--metric', 'lasst', '--json'], { code: 4 })
    assert.deepEqual([json.error?.code, json.error?.hint], ['METRIC_NOT_FOUND', 'Did you mean --metric last?'])
  })

  it('is drawn in ASCII where the terminal has no more', async () => {
    track(
      'sh',
      '-c',
      'for n in 1 2 3 4 5; do echo "loss: $n"; done; touch done; while [ ! -e stop ]; do sleep 0.05; done',
    )
    await until(async () => ((await running()).series[0]?.count === 5 ? true : undefined))
    const { stdout } = await project.mlops(['run', 'show'], { env: { LANG: 'C' } })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII alone is what is asked for
    assert.match(stdout, /^[\x00-\x7f]*$/)
    assert.match(stdout, /5 \+ +\*/)
  })
})
