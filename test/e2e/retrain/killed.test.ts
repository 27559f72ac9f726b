/** The built binary is killed with SIGKILL between any two steps of a retraining with scikit-learn; the next one goes on. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { needsPython } from '../../support/python.ts'
import { BINARY, cleanEnv, type TempProject, tempProject } from '../harness.ts'
import { env, MODEL, preloaded, trainedProject } from './project.ts'

const LATER = '120000'

describe('A retraining that is killed with SIGKILL', function () {
  this.timeout(240_000)
  let origin: TempProject
  before(async function () {
    needsPython(this)
    origin = await trainedProject()
    await origin.mlops(['drift', MODEL, '--current', 'data/june.csv'], { env, code: 3 })
  })

  const copy = (): TempProject => {
    const project = tempProject()
    rmSync(project.dir, { recursive: true })
    cpSync(origin.dir, project.dir, { recursive: true, verbatimSymlinks: true })
    return project
  }
  const runs = (project: TempProject): number => readdirSync(project.path('.mlops/runs')).length
  const told = (project: TempProject): number =>
    existsSync(project.path('told.jsonl')) ? project.read('told.jsonl').trim().split('\n').length : 0

  // What follows a record is done when the next one is about to be written; the others are in test/unit/retrain/resume.test.ts.
  const points = ['1:before', '2:before', '2:after', '3:before', '4:before', '5:before', '6:before', '7:before']
  for (const point of points) {
    it(`at record ${point.replace(':', ', ')} the link: trains once, registers once, tells once`, async () => {
      const project = copy()
      const killed = await project.run(['retrain', MODEL], { env: preloaded({ KILLED_AT: point }) })
      assert.ok(killed.code >= 128, `it was not killed: ${killed.stdout}${killed.stderr}`)
      const again = await project.run(['retrain', MODEL, '--json'], { env: preloaded({ LATER }) })
      assert.equal(again.code, 0, again.stdout + again.stderr)
      const { outcome, version, plan } = again.json.data
      assert.deepEqual([outcome, version], ['promoted', 2])
      assert.equal(plan.resume === null, point === '1:before', 'nothing was begun before the first record')
      assert.deepEqual([runs(project), told(project)], [2, 1])
      const { json } = await project.mlops(['status', MODEL, '--json'], { env })
      assert.deepEqual(json.data.models[0].stages, { production: 1, staging: 2 })
      assert.equal(json.data.models[0].versions, 2)
      await project.mlops(['store', 'verify'], { env })
    })
  }

  it('in the middle of the training: the next one says so, and trains again', async () => {
    const project = copy()
    project.write('wait.txt', '')
    const child = spawn(process.execPath, [BINARY, 'retrain', MODEL], {
      cwd: project.dir,
      env: cleanEnv(env),
      stdio: 'ignore',
    })
    const ended = new Promise((resolve) => child.on('exit', resolve))
    while (!existsSync(project.path('pid.txt')) || project.read('pid.txt') === '') await pause(50)
    child.kill('SIGKILL')
    await ended
    process.kill(Number(project.read('pid.txt')), 'SIGKILL')
    rmSync(project.path('wait.txt'))

    const status = await project.mlops(['status', MODEL], { env: preloaded({ LATER }) })
    assert.match(status.stdout, /its retraining of .* stopped while training/)
    const again = await project.mlops(['retrain', MODEL], { env: preloaded({ LATER }) })
    assert.match(again.stderr, /stopped while training; this goes on from there/)
    assert.match(again.stderr, /Run 01\w+ of this retraining was killed; it trains again/)
    assert.match(again.stdout, /churn-model@2 passed its gate and is in staging/)
    assert.equal(runs(project), 3)
  })

  it('of two at once one trains, and the other says who, since when and which run, and trains nothing', async () => {
    const project = copy()
    project.write('wait.txt', '')
    const child = spawn(process.execPath, [BINARY, 'retrain', MODEL], {
      cwd: project.dir,
      env: cleanEnv(env),
      stdio: 'ignore',
    })
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
    while (!existsSync(project.path('pid.txt')) || project.read('pid.txt') === '') await pause(50)
    const second = await project.mlops(['retrain', MODEL, '--json'], { env, code: 5 })
    const { code, message, details } = second.json.error ?? assert.fail()
    assert.equal(code, 'RETRAIN_RUNNING')
    assert.match(message, /already, by \S+@\S+ on \S+, for \d+ seconds? \(run 01\w+\)/)
    assert.ok(readdirSync(project.path('.mlops/runs')).includes(details.run), 'the run exists')
    const plan = await project.mlops(['retrain', MODEL, '--plan'], { env })
    assert.match(plan.stdout, /It would not retrain now[\s\S]*at work/)
    process.kill(Number(project.read('pid.txt')), 'SIGKILL')
    assert.equal(await ended, 1, 'its training was killed, it was not')
    assert.equal(runs(project), 2)
  })
})
