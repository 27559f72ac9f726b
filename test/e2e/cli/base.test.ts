/** What the base of every command promises: interruption, warnings, bugs, hostile names, raw arguments. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { cleanEnv, ROOT, type TempProject, tempProject } from '../harness.ts'
import { openTerminal, skipWithoutTmux } from '../terminal.ts'

const PROGRAM = [
  '--import',
  join(ROOT, 'node_modules/tsx/dist/esm/index.mjs'),
  join(ROOT, 'test/e2e/cli/fixture/program.ts'),
]

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const start = (...words: readonly string[]): ChildProcess =>
  spawn(process.execPath, [...PROGRAM, ...words], { env: cleanEnv(), stdio: ['ignore', 'pipe', 'pipe'] })

/** @param onStderr called with all of stderr whenever more arrives */
async function ended(child: ChildProcess, onStderr: (text: string) => void = () => {}): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
    onStderr(stderr)
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

const fixture = (...words: readonly string[]): Promise<Ended> => ended(start(...words))

/** Sends SIGINT once the command says that it waits. */
async function interrupted(...words: readonly string[]): Promise<Ended> {
  const child = start(...words)
  let sent = false
  return ended(child, (stderr) => {
    if (!sent && stderr.includes('waiting')) sent = child.kill('SIGINT')
  })
}

describe('Ctrl-C', () => {
  it('ends a command that listens with 130 and one sentence', async () => {
    const { code, stdout, stderr } = await interrupted('polite')
    assert.equal(code, 130)
    assert.equal(stdout, '')
    assert.equal(stderr, 'waiting\n✖ Interrupted; nothing further was done.\n')
  })

  it('ends a command that does not listen, too', async () => {
    const { code, stderr } = await interrupted('stubborn')
    assert.equal(code, 130)
    assert.match(stderr, /Interrupted/)
  })

  it('is an envelope with --json', async () => {
    const { code, stdout } = await interrupted('stubborn', '--json')
    assert.equal(code, 130)
    assert.equal(JSON.parse(stdout).error.code, 'INTERRUPTED')
  })
})

describe('The base of every command', () => {
  it('prints warnings once on stderr and puts them into the envelope', async () => {
    const shown = await fixture('warn')
    assert.equal(shown.stderr, '▲ the clock is wrong\na remark\n')
    const { warnings, data } = JSON.parse((await fixture('warn', '--json')).stdout)
    assert.deepEqual(warnings, ['the clock is wrong'])
    assert.deepEqual(data, { auc: 'NaN', best: 'Infinity' })
  })

  it('keeps quiet with --quiet, but for the result', async () => {
    const { stdout, stderr } = await fixture('warn', '--quiet')
    assert.deepEqual([stdout, stderr], ['auc NaN\n', ''])
  })

  it('can answer no: exit 3, status ok', async () => {
    const { code, stdout } = await fixture('no', '--json')
    assert.deepEqual([code, JSON.parse(stdout).status], [3, 'ok'])
  })

  it('calls a bug a bug, without a stack, and with one under --debug', async () => {
    const { code, stderr } = await fixture('bug')
    assert.equal(code, 1)
    assert.match(stderr, /This is a bug of mlops/)
    assert.doesNotMatch(stderr, /\n\s+at /)
    assert.match((await fixture('bug', '--debug')).stderr, /\n\s+at /)
    assert.equal(JSON.parse((await fixture('bug', '--json')).stdout).error.code, 'BUG')
  })

  it('lets no control character of user data reach the terminal, in results and errors', async () => {
    assert.equal((await fixture('evil')).stdout, 'metric auc\\x1b]0;owned\\x07\n')
    assert.match((await fixture('evil', '--fail')).stderr, /auc\\x1b\]0;owned\\x07/)
  })

  it('gives a repeatable flag one word only', async () => {
    const { stdout } = await fixture('many', '--json', '--tag', 'a', 'b', '--tag', 'c', '--', '-x', '--', 'd')
    const { data } = JSON.parse(stdout)
    assert.deepEqual(data.tags, ['a', 'c'])
    assert.ok(data.rest.includes('b') && data.rest.includes('-x'))
  })

  it('asks before it destroys, and no is the default', async function () {
    skipWithoutTmux(this)
    const terminal = openTerminal({ cwd: tempProject().dir })
    try {
      terminal.type(`${process.execPath} ${PROGRAM.join(' ')} remove`)
      terminal.press('Enter')
      await terminal.waitFor(/Remove everything\?.*y\/N/)
      terminal.press('Enter')
      await terminal.waitFor(/^kept$/m)
    } finally {
      terminal.close()
    }
  })
})

describe('A command behind --', () => {
  let project: TempProject
  before(async () => {
    project = tempProject({ 'show.js': 'console.log(JSON.stringify(process.argv.slice(2)))' })
    await project.mlops(['init', '--yes'])
  })

  it('gets its arguments unchanged, also a second -- and our own flags', async () => {
    const words = ['a', '--', '--json', '-q', '--help', '', 'b c', '--model=x']
    const { stdout } = await project.mlops(['track', '--', process.execPath, 'show.js', ...words])
    assert.ok(stdout.includes(JSON.stringify(words)), stdout)
  })

  it('ends track with its own exit code', async () => {
    await project.mlops(['track', '--', process.execPath, '-e', 'process.exit(42)'], { code: 42 })
    await project.mlops(['track', '--', 'no-such-command-anywhere'], { code: 127 })
  })
})
