/** What surrounds a command goes wrong: stdout that cannot be written, a deleted folder, unset variables in a script. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { skipBecause } from '../../support/skip.ts'
import { BINARY, buildOnce, cleanEnv, type TempProject, tempProject } from '../harness.ts'
import { churnProject } from './fixture/churn.ts'

/** @param script in bash, where `mlops` is the built program */
function shell(script: string, cwd: string) {
  buildOnce()
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['-c', `mlops() { "${process.execPath}" "${BINARY}" "$@"; }\n${script}`],
    { cwd, encoding: 'utf8', env: cleanEnv() },
  )
  return { code: status, stdout, stderr }
}

describe('stdout that cannot be written', function () {
  this.timeout(60_000)
  let project: TempProject
  before(async function () {
    if (!existsSync('/dev/full')) skipBecause(this, '/dev/full is not there')
    project = await churnProject()
  })

  it('loses the result of a promotion, and it is said that the promotion was made', async () => {
    const { code, stderr } = shell('mlops promote churn-model@2 --to production --approve ada >/dev/full', project.dir)
    assert.equal(code, 1)
    assert.equal(
      stderr,
      '✖ mlops promote did its work, but its result could not be printed on stdout: no space is left there (ENOSPC).\n' +
        '  → See mlops status, mlops model history MODEL or mlops run list before running it again\n',
    )
    const { json } = await project.mlops(['model', 'show', 'churn-model@production', '--json'])
    assert.equal(json.data.version, 2)
  })

  it('is one message with --json, too, and for a command that only reads', () => {
    for (const words of ['status --json', 'status', 'model list']) {
      const { code, stderr } = shell(`mlops ${words} >/dev/full`, project.dir)
      assert.equal(code, 1)
      assert.match(stderr, /^✖ mlops (status|model list) did its work, .* \(ENOSPC\)\.\n {2}→ Send stdout somewhere/)
      assert.equal(stderr.trimEnd().split('\n').length, 2)
    }
  })

  it('does not lose an error: it is printed on stderr, with its exit code', () => {
    const { code, stderr } = shell('mlops status no-such-model --json >/dev/full', project.dir)
    assert.equal(code, 4)
    assert.match(stderr, /could not be printed on stdout.*\n.*no-such-model/)
  })

  it('is named for help and the version', () => {
    for (const words of ['--help', '--help --json', 'status --help', '--version', '--version --json']) {
      const { code, stderr } = shell(`mlops ${words} >/dev/full`, project.dir)
      assert.deepEqual([words, code], [words, 1])
      assert.match(stderr, /stdout cannot be written.*ENOSPC/)
      assert.equal(stderr.trimEnd().split('\n').length, 1)
    }
  })

  it('does not matter to a command that has nothing to print there', () => {
    const { code, stderr } = shell('mlops statsu >/dev/full', project.dir)
    assert.deepEqual([code, stderr], [2, '✖ There is no command "statsu".\n  → Did you mean mlops status?\n'])
  })

  it('and stderr that cannot be written leave the result and the exit code as they are', () => {
    assert.equal(shell('mlops statsu 2>/dev/full', project.dir).code, 2)
    assert.equal(shell('mlops model list 2>/dev/full', project.dir).code, 0)
  })

  it('may be open for reading only', () => {
    const { code, stderr } = shell('mlops model list 1</dev/null', project.dir)
    assert.equal(code, 1)
    assert.match(stderr, /it is not open for writing \(EBADF\)/)
  })
})

describe('A working directory that was deleted', () => {
  const inDeleted = (words: string) =>
    shell(`mkdir gone && cd gone && rmdir ../gone && mlops ${words}`, tempProject().dir)

  it('is said, and no bug', () => {
    const { code, stderr } = inDeleted('status')
    assert.equal(code, 1)
    assert.match(stderr, /^✖ The folder that this shell is in cannot be found any more/)
    assert.equal(JSON.parse(inDeleted('model list --json').stdout).error.code, 'FOLDER_GONE')
  })

  it('is a failure of track itself, not of the command behind --', () => {
    assert.equal(inDeleted('track -- true').code, 125)
  })

  it('does not keep help and the version from being shown', () => {
    for (const words of ['--help', '--version', 'status --help']) assert.equal(inDeleted(words).code, 0)
  })
})

describe('An empty value, as an unset variable of a script gives it,', () => {
  const EMPTY: readonly (readonly string[])[] = [
    ['status', '--store', ''],
    ['--store', '', 'status'],
    ['status', '--store='],
    ['promote', 'm@1', '--to', 'staging', '--idempotency-key', ''],
    ['promote', 'm@1', '--to', 'production', '--approve', ''],
    ['promote', 'm@1', '--to', 'production', '--approve', 'ada', '--approve', ' '],
    ['rollback', 'm', '--to', ''],
    ['drift', 'm', '--current', ''],
    ['register', 'm', '--run', ''],
  ]
  for (const words of EMPTY) {
    it(`is refused: mlops ${words.map((word) => word || "''").join(' ')}`, async () => {
      const project = tempProject()
      await project.mlops(['init', '--yes'])
      const { json } = await project.mlops([...words, '--json'], { code: 2 })
      assert.equal(json.error?.code, 'EMPTY_VALUE')
      assert.match(json.error?.message ?? '', /^--[a-z-]+ was given an empty value \(is a variable unset\?\)\.$/)
    })
  }

  it('is as good as none in the environment, and for free text', async () => {
    const project = tempProject({ 'model.bin': 'weights' })
    await project.mlops(['init', '--yes', '--name', 'm'])
    await project.mlops(['status'], { env: { MLOPS_STORE: '' } })
    await project.mlops(['register', 'm', '--artifact', 'model.bin', '--message', ''])
  })
})

describe('--idempotency-key', () => {
  it('is refused by a command that would ignore it', async () => {
    const project = tempProject()
    await project.mlops(['init', '--yes'])
    for (const [words, code] of [
      [['status', '--idempotency-key', 'k'], 2],
      [['--idempotency-key', 'k', 'model', 'list'], 2],
      [['track', '--idempotency-key', 'k', '--', 'true'], 125],
    ] as const) {
      const { json } = await project.mlops(['--json', ...words], { code })
      assert.equal(json.error?.code, 'UNKNOWN_FLAG')
    }
    assert.equal((await project.mlops(['run', 'list', '--json'])).json.data.runs.length, 0)
  })

  it('has a longest length', async () => {
    const project = tempProject({ 'model.bin': 'weights' })
    await project.mlops(['init', '--yes', '--name', 'm'])
    const register = ['register', 'm', '--artifact', 'model.bin', '--json', '--idempotency-key']
    const { json } = await project.mlops([...register, 'k'.repeat(513)], { code: 2 })
    assert.equal(json.error?.code, 'KEY_TOO_LONG')
    await project.mlops([...register, 'k'.repeat(512)])
  })

  it('is in the help of the commands that have it, and of no other', async () => {
    for (const command of ['register', 'promote', 'rollback', 'retrain'])
      assert.match((await tempProject().mlops([command, '--help'])).stdout, /--idempotency-key/)
    for (const command of ['status', 'track', 'drift', 'init'])
      assert.doesNotMatch((await tempProject().mlops([command, '--help'])).stdout, /--idempotency-key/)
  })
})
