/**
 * A promotion that is ended while it measures the champion: nothing that it started goes on, nothing that it wrote stays,
 * nothing has moved. The built program is really ended by signals; the command it runs waits for ever.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { BINARY, cleanEnv, type TempProject, tempProject } from '../harness.ts'

const MODEL = 'loans'
/** Says who it is, starts a process of its own, and neither ends. */
const WAIT = `
const { spawn } = require('node:child_process')
const { renameSync, writeFileSync } = require('node:fs')
const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
writeFileSync('pids.part', process.pid + ' ' + child.pid)
renameSync('pids.part', 'pids')
setInterval(() => {}, 1000)
`

describe('a promotion that is ended while it scores the champion', function () {
  this.timeout(120_000)
  let project: TempProject
  const config = (more = ''): void =>
    project.write(
      'mlops.yaml',
      `models:
  ${MODEL}:
    evaluate: node wait.cjs {model} {data}
${more}    gates: {production: {min_auc: 0.5, compare_to: production}}
`,
    )
  const promotion = ['promote', MODEL, '--to', 'production', '--approve', 'ada', '--test', 'june.csv']
  const left = (): readonly string[] => readdirSync(project.path('tmp')).filter((name) => name.startsWith('mlops-'))
  const log = (): readonly string[] => readdirSync(project.path('.mlops/models', MODEL, 'log'))

  before(async () => {
    project = tempProject({ 'wait.cjs': WAIT, 'may.csv': 'x\n1\n', 'june.csv': 'x\n2\n' })
    mkdirSync(project.path('tmp'))
    config()
    await project.mlops(['init', '--yes'])
    for (const [month, auc] of [
      ['may', '0.8'],
      ['june', '0.9'],
    ]) {
      project.write('model.bin', `of ${month}`)
      const known = ['--artifact', 'model.bin', '--metric', `auc=${auc}`, '--test', `${month}.csv`]
      await project.mlops(['register', MODEL, ...known])
      if (month === 'may') await project.mlops(['promote', MODEL, '--to', 'production', '--approve', 'ada'])
    }
  })

  /** Signals of the same kind, one right after the other, as soon as the command runs. */
  async function endedBy(signals: readonly NodeJS.Signals[]) {
    project.write('pids', '')
    const child = spawn(process.execPath, [BINARY, ...promotion], {
      cwd: project.dir,
      env: cleanEnv({ TMPDIR: project.path('tmp') }),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const said: Buffer[] = []
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve))
    const ended = closed.then(() => assert.fail(`it ended by itself: ${Buffer.concat(said)}`))
    const pids = await Promise.race([ended, started()])
    const during = left()
    for (const signal of signals) {
      child.kill(signal)
      // Two signals that are not heard yet are one.
      await pause(5)
    }
    ended.catch(() => {})
    return { code: await closed, pids, during }
  }

  async function started(): Promise<readonly number[]> {
    for (;;) {
      const pids = readFileSync(project.path('pids'), 'utf8')
      if (pids !== '') return pids.split(' ').map(Number)
      await pause(20)
    }
  }

  /** Whoever was killed may still have to be taken from the list of processes by its parent. */
  async function assertGone(pids: readonly number[]): Promise<void> {
    for (const pid of pids) {
      while (isRunning(pid)) await pause(20)
    }
  }

  const isRunning = (pid: number): boolean => {
    const stat = `/proc/${pid}/stat`
    try {
      process.kill(pid, 0)
      return !existsSync(stat) || !/\) [ZX] /.test(readFileSync(stat, 'utf8'))
    } catch {
      return false
    }
  }

  for (const [what, code, signals] of [
    ['SIGTERM', 143, ['SIGTERM']],
    ['Ctrl-C', 130, ['SIGINT']],
    ['a second SIGTERM at once', 143, ['SIGTERM', 'SIGTERM']],
  ] as const) {
    it(`by ${what}: exit ${code}, the command and what it started are ended, its files are gone`, async () => {
      const before = log()
      const found = await endedBy(signals)
      assert.equal(found.during.filter((name) => name.startsWith('mlops-evaluate-')).length, 1)
      assert.equal(found.code, code)
      await assertGone(found.pids)
      assert.deepEqual(left(), [])
      assert.deepEqual(log(), before)
      const { data } = (await project.mlops(['model', 'list', '--json'])).json
      assert.match(JSON.stringify(data.models[0]), /"production"/)
    })
  }

  it('by evaluate_timeout: the champion counts as not measured, and the key is named', async () => {
    config('    evaluate_timeout: 1s\n')
    project.write('pids', '')
    const { json } = await project.mlops(
      ['gate', 'check', MODEL, '--to', 'production', '--without-approval', '--test', 'june.csv', '--json'],
      { code: 6, env: { TMPDIR: project.path('tmp') } },
    )
    const checks: readonly { readonly name: string; readonly note?: string }[] = json.data.gate.checks
    const note = checks.find(({ name }) => name === 'compare_to')?.note ?? ''
    assert.match(note, /had not ended after 1 second and was stopped \(evaluate_timeout in mlops\.yaml\)/)
    await assertGone(await started())
    assert.deepEqual(left(), [])
  })
})
