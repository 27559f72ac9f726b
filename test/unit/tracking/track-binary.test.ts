/** The built `mlops track`, `run list`, `run show`, `run apply`: exit codes, streams, signals, a real terminal. */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { assertMatchesSchema, BINARY, cleanEnv, type TempProject, tempProject } from '../../e2e/harness.ts'
import { openTerminal, skipWithoutTmux } from '../../e2e/terminal.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import { CLIENT } from './support.ts'

describe('mlops track', () => {
  let project: TempProject
  beforeEach(async () => {
    project = tempProject({ 'mlops.yaml': 'models:\n  churn-model:\n    artifact: model.bin\n' })
    await project.mlops(['init', '--yes', '--no-input'])
  })

  it('prints what the command prints, and its own words on stderr', async () => {
    const { code, stdout, stderr } = await project.run([
      'track',
      '--',
      'sh',
      '-c',
      'echo "auc: 0.91"; echo "a b"; exit 3',
    ])
    assert.deepEqual([code, stdout], [3, 'auc: 0.91\na b\n'])
    assert.match(stderr, /failed in .* \(exit code 3\)/)
    assert.match(stderr, /auc 0\.91/)
    assert.match(stderr, /mlops run show/)
  })

  it('takes everything after the first two dashes as it is', async () => {
    const { stdout } = await project.mlops([
      'track',
      '--param',
      'a=1',
      '--',
      'printf',
      '%s|',
      '--json',
      '--',
      '-x',
      '--help',
    ])
    assert.equal(stdout, '--json|--|-x|--help|')
  })

  it('keeps stdout for one JSON object with --json', async () => {
    const run = await project.mlops([
      'track',
      '--json',
      '--model',
      'churn-model',
      '--',
      'sh',
      '-c',
      'echo "auc: nan"; echo 1 > model.bin',
    ])
    assertMatchesSchema('track', run.json)
    assert.match(run.stderr, /auc: nan/)
    const { data } = run.json
    assert.deepEqual([data.status, data.metrics, data.artifacts[0].path], ['finished', { auc: 'NaN' }, 'model.bin'])
    assert.equal(data.next, `mlops register churn-model --run ${data.run}`)
    for (const args of [
      ['run', 'list'],
      ['run', 'show', '@last'],
    ]) {
      const shown = await project.mlops([...args, '--json'])
      assertMatchesSchema(args.slice(0, 2).join(' '), shown.json)
    }
  })

  it('uses 125 for its own failures, 126 and 127 as shells do', async () => {
    project.write('plain.sh', 'true\n')
    chmodSync(project.path('plain.sh'), 0o644)
    const cases: [string[], number, string][] = [
      [['track', '--', 'no-such-program'], 127, 'COMMAND_NOT_FOUND'],
      [['track', '--', './plain.sh'], 126, 'COMMAND_NOT_EXECUTABLE'],
      [['track', '--data', 'train=nope.csv', '--', 'touch', 'ran'], 125, 'DATA_NOT_FOUND'],
      [['track', '--data', 'nope.csv', '--', 'touch', 'ran'], 125, 'DATA_INVALID'],
      [['track', '--model', 'A B', '--', 'touch', 'ran'], 125, 'NAME_INVALID'],
      [['track', '--sead', '1', '--', 'touch', 'ran'], 125, 'FLAG_UNKNOWN'],
      [['track'], 125, 'COMMAND_MISSING'],
      [['track', '--store', 'elsewhere', '--', 'touch', 'ran'], 125, 'STORE_NOT_FOUND'],
    ]
    for (const [args, expected, code] of cases) {
      const run = await project.run([args[0] ?? '', '--json', ...args.slice(1)])
      assert.equal(run.code, expected, `${args.join(' ')}\n${run.stderr}`)
      if (code !== 'FLAG_UNKNOWN') assert.equal(run.json.error?.code, code)
      assert.ok((run.json.error?.hint ?? '') !== '', args.join(' '))
    }
    assert.ok(!existsSync(project.path('ran')))
    assert.equal((await project.mlops(['run', 'list', '--json'])).json.data.total, 0)
  })

  it('lets the command read stdin', async () => {
    const { stdout } = await project.mlops(['track', '--', 'cat'], { input: 'three\nlines\nof text' })
    assert.equal(stdout, 'three\nlines\nof text')
  })

  it('ends when nobody reads its output any more, as the command alone would', () => {
    const script = `"${process.execPath}" "${BINARY}" track -q -- yes | head -1; echo "\${PIPESTATUS[0]}"`
    const { stdout } = spawnSync('bash', ['-c', script], { cwd: project.dir, env: cleanEnv(), encoding: 'utf8' })
    assert.equal(stdout, 'y\n141\n')
  })

  it('survives a gigabyte on stdout in flat memory', async function () {
    this.timeout(300_000)
    const child = spawn(
      process.execPath,
      [BINARY, 'track', '--', 'sh', '-c', 'head -c 1000000000 /dev/zero; echo; echo "auc: 0.5"'],
      {
        cwd: project.dir,
        env: cleanEnv(),
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    let bytes = 0
    let most = 0
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes % 16 === 0 && existsSync(`/proc/${child.pid}/status`)) {
        const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]
        most = Math.max(most, Number(rss ?? 0))
      }
    })
    child.stderr.resume()
    assert.equal(await new Promise((resolve) => child.once('close', resolve)), 0)
    assert.equal(bytes, 1_000_000_010)
    assert.ok(most < 250_000, `${most} kB`)
    assert.deepEqual((await project.mlops(['run', 'show', '--json'])).json.data.metrics, { auc: 0.5 })
  })

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`passes ${signal} on, records the run as interrupted and ends with ${code}`, async () => {
      // Not a shell: dash loses a SIGINT that comes just before it executes its last command.
      const waiting = [process.execPath, '-e', 'console.log("ready"); setTimeout(() => {}, 60_000)']
      const child = spawn(process.execPath, [BINARY, 'track', '--', ...waiting], {
        cwd: project.dir,
        env: cleanEnv(),
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      await new Promise((resolve) => child.stdout.once('data', resolve))
      child.kill(signal)
      assert.equal(await new Promise((resolve) => child.once('close', resolve)), code)
      const { data } = (await project.mlops(['run', 'show', '--json'])).json
      assert.deepEqual([data.status, data.signal], ['interrupted', signal])
    })
  }

  it('keeps the record when Ctrl-C comes once more after the command has ended', async () => {
    // What it leaves behind keeps its output open, so mlops is still reading when the second signal comes.
    const child = spawn(process.execPath, [BINARY, 'track', '--', 'sh', '-c', 'sleep 20 & echo $!; exit 3'], {
      cwd: project.dir,
      env: cleanEnv(),
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const pid = Number(await new Promise((resolve) => child.stdout.once('data', resolve)))
    await new Promise((resolve) => setTimeout(resolve, 100))
    child.kill('SIGINT')
    assert.equal(await new Promise((resolve) => child.once('close', resolve)), 3)
    process.kill(pid)
    assert.equal((await project.mlops(['run', 'show', '--json'])).json.data.exit, 3)
  })

  it('that is killed leaves a run that shows as interrupted, and a whole store', async () => {
    const child = spawn(process.execPath, [BINARY, 'track', '--', 'sh', '-c', 'echo ready; sleep 3; echo late'], {
      cwd: project.dir,
      env: cleanEnv(),
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    // run.json is there as soon as the facts are.
    const list = async () => (await project.mlops(['run', 'list', '--json'])).json.data.runs
    while ((await list()).length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('close', resolve))
    const [run] = await list()
    assert.equal(run.status, 'interrupted')
    await project.mlops(['store', 'verify'])
  })

  it('on a terminal leaves Ctrl-C to the terminal, so that the command meets it once', async function () {
    skipWithoutTmux(this)
    project.write(
      'count.sh',
      'n=0; trap "n=\\$((n+1)); echo caught \\$n" INT; echo rea"dy"; sleep 1; sleep 1; echo ended with $n; exit 5',
    )
    const terminal = openTerminal({ cwd: project.dir })
    try {
      terminal.type(`'${process.execPath}' '${BINARY}' track -- bash count.sh; echo "code $?"`)
      terminal.press('Enter')
      await terminal.waitFor(/^ready/m)
      terminal.press('C-c')
      const screen = await terminal.waitFor(/code \d+/)
      assert.match(screen, /ended with 1\b/)
      assert.match(screen, /code 5/)
    } finally {
      terminal.close()
    }
  })

  it('gives the command the terminal as its stdin', async function () {
    skipWithoutTmux(this)
    const terminal = openTerminal({ cwd: project.dir })
    try {
      terminal.type(
        `'${process.execPath}' '${BINARY}' track -q -- sh -c 'test -t 0 && read x < /dev/tty && echo "got <$x>"'`,
      )
      terminal.press('Enter')
      await new Promise((resolve) => setTimeout(resolve, 500))
      terminal.type('hello')
      terminal.press('Enter')
      await terminal.waitFor(/got <hello>/)
    } finally {
      terminal.close()
    }
  })

  describe('of a script that asks to be registered', () => {
    const SCRIPT = [
      'import mlops',
      'with mlops.track("churn-model") as run:',
      '    open("model.bin", "w").write("weights")',
      '    run.log_metric("auc", 0.9)',
      '    run.register(tags=["candidate"])',
      '',
    ].join('\n')

    beforeEach(function () {
      needsPython(this)
      project.write('train.py', SCRIPT)
    })
    const versions = async () => (await project.mlops(['model', 'show', 'churn-model', '--json'])).json.data

    it('registers the version when the run has ended well', async () => {
      const run = await project.mlops(['track', '--json', '--', PYTHON, 'train.py'])
      assertMatchesSchema('track', run.json)
      assert.equal(run.json.data.intents.registered[0].version, 1)
      assert.ok(await versions())
    })

    it('is registered by the client through the program when nobody tracks it', async () => {
      project.write('mlops', `#!/bin/sh\nexec "${process.execPath}" "${BINARY}" "$@"\n`)
      chmodSync(project.path('mlops'), 0o755)
      const done = spawnSync(PYTHON, ['train.py'], {
        cwd: project.dir,
        env: cleanEnv({ PYTHONPATH: CLIENT, MLOPS_BIN: project.path('mlops') }),
        encoding: 'utf8',
      })
      assert.deepEqual([done.status, done.stdout], [0, ''], done.stderr)
      assert.ok(await versions())
      await project.mlops(['store', 'verify'])
    })

    it('stays pending on a host without the program, and run apply does it later, once', async () => {
      const done = spawnSync(PYTHON, ['train.py'], {
        cwd: project.dir,
        env: cleanEnv({ PYTHONPATH: CLIENT, PATH: '/usr/bin:/bin' }),
        encoding: 'utf8',
      })
      assert.match(done.stderr, /mlops register churn-model --run/)
      const first = await project.mlops(['run', 'apply', '--json'])
      assertMatchesSchema('run apply', first.json)
      assert.equal(first.json.data.registered.length, 1)
      assert.equal((await project.mlops(['run', 'apply', '--json'])).json.data.registered.length, 0)
    })
  })

  it('shows a run in words, with everything recorded', async () => {
    project.write('train.csv', 'a,b\n1,2\n')
    await project.mlops([
      'track',
      '--data',
      'train=train.csv',
      '--tag',
      'nightly',
      '--seed',
      '7',
      '--',
      'sh',
      '-c',
      'for i in 1 2 3; do echo "loss: 0.$i"; done',
    ])
    const { stdout } = await project.mlops(['run', 'show'])
    for (const part of [
      /finished/,
      /seed +7/,
      /nightly/,
      /train +train\.csv +1 row x 2 columns/,
      /loss {2}3 values/,
      /loss +0\.3 .* 3\n/,
      /output\.log/,
    ]) {
      assert.match(stdout, part)
    }
    assert.match((await project.mlops(['run', 'list'])).stdout, /RUN +WHEN +STATUS/)
    const unknown = await project.run(['run', 'show', '01ZZ'])
    assert.equal(unknown.code, 4)
  })
})
