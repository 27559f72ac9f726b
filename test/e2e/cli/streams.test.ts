/** What goes to which stream, in which form, with which exit code: true for every command, shown on a few. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { assertMatchesSchema, BINARY, buildOnce, cleanEnv, mlops, run, tempProject } from '../harness.ts'

const ESCAPE = '\u001b'

describe('The command line', () => {
  it('prints its version', async () => {
    const { stdout, stderr } = await mlops(['--version'])
    assert.match(stdout, /^mlops \d+\.\d+\.\d+\n$/)
    assert.equal(stderr, '')
  })

  it('prints results on stdout and nothing on stderr', async () => {
    const { stdout, stderr } = await mlops(['help', 'exit-codes'])
    assert.match(stdout, /^ +130 {2}Interrupted\.$/m)
    assert.equal(stderr, '')
  })

  it('prints errors on stderr and nothing on stdout', async () => {
    const { stdout, stderr } = await mlops(['statsu'], { code: 2 })
    assert.equal(stdout, '')
    assert.equal(stderr, '✖ There is no command "statsu".\n  → Did you mean mlops status?\n')
  })

  it('prints ASCII where the locale is not UTF-8', async () => {
    const { stderr } = await mlops(['statsu'], { code: 2, env: { LANG: 'C' } })
    assert.equal(stderr, 'x There is no command "statsu".\n  -> Did you mean mlops status?\n')
  })

  it('suggests the flag that was meant', async () => {
    const { stderr } = await mlops(['help', 'exit-codes', '--jsno'], { code: 2 })
    assert.match(stderr, /has no flag --jsno\.\n.*Did you mean --json\?/)
  })

  it('names a missing and a surplus argument', async () => {
    assert.match((await mlops(['completion'], { code: 2 })).stderr, /SHELL is missing\.\n.*mlops completion --help/)
    assert.match((await mlops(['completion', 'bash', 'x'], { code: 2 })).stderr, /"x" is not expected here/)
    assert.match((await mlops(['completion', 'tcsh'], { code: 2 })).stderr, /bash, zsh, fish/)
  })

  it('never takes a missing argument from a pipe', async () => {
    await mlops(['completion'], { input: 'bash\n', code: 2 })
  })

  it('shows no stack trace unless --debug asks for it', async () => {
    assert.doesNotMatch((await mlops(['statsu'], { code: 2 })).stderr, / at .*:\d+/)
    assert.match((await mlops(['statsu', '--debug'], { code: 2 })).stderr, / at .*:\d+/)
  })

  it('lets flags of its own stand before the command', async () => {
    const { json } = await mlops(['--json', 'help', 'exit-codes'])
    assert.equal(json.command, 'help exit-codes')
  })
})

describe('--json', () => {
  it('prints one envelope that matches its schema', async () => {
    const { json, stdout, stderr } = await mlops(['help', 'exit-codes', '--json'])
    assertMatchesSchema('help exit-codes', json)
    assert.equal(json.status, 'ok')
    assert.equal(stdout.trimEnd().split('\n').length, 1)
    assert.equal(stderr, '')
    assert.deepEqual(Object.keys(json), ['schemaVersion', 'command', 'status', 'data', 'warnings'])
  })

  it('prints errors as an envelope on stdout, with the exit code of the error', async () => {
    const { json, stderr } = await mlops(['completion', 'tcsh', '--json'], { code: 2 })
    assertMatchesSchema('completion', json)
    assert.equal(json.status, 'error')
    assert.equal(json.error?.code, 'USAGE')
    assert.equal(stderr, '')
  })

  it('also answers an unknown command and an unknown flag', async () => {
    const unknown = await mlops(['statsu', '--json'], { code: 2 })
    assertMatchesSchema('', unknown.json)
    assert.equal(unknown.json.error?.code, 'UNKNOWN_COMMAND')
    assert.equal(unknown.json.error?.details.suggestion, 'status')
    const flag = await mlops(['help', 'exit-codes', '--json', '--nope'], { code: 2 })
    assert.equal(flag.json.error?.code, 'UNKNOWN_FLAG')
  })

  it('can be asked for by MLOPS_JSON=1', async () => {
    assert.equal((await mlops(['help', 'exit-codes'], { env: { MLOPS_JSON: '1' } })).json.status, 'ok')
  })

  it('reports a project that cannot be read as an error with a hint', async () => {
    const project = tempProject({ 'mlops.yaml': 'models: [' })
    const result = await project.run(['status', '--json'])
    assertMatchesSchema('status', result.json)
    assert.equal(result.code, 2)
    assert.equal(result.json.status, 'error')
    assert.match(JSON.stringify(result.json.error), /mlops\.yaml/)
  })
})

describe('Colour', () => {
  for (const [title, env, args] of [
    ['NO_COLOR=1', { NO_COLOR: '1', FORCE_COLOR: '1' }, []],
    ['TERM=dumb', { TERM: 'dumb', FORCE_COLOR: '1' }, []],
    ['--no-color', { FORCE_COLOR: '1' }, ['--no-color']],
    ['a pipe', {}, []],
  ] as const) {
    it(`is off with ${title}`, async () => {
      const shown = await mlops(['help', 'exit-codes', ...args], { env })
      const refused = await mlops(['statsu', ...args], { env, code: 2 })
      const help = await mlops(['help', 'exit-codes', '--help', ...args], { env })
      for (const text of [shown.stdout, refused.stderr, help.stdout]) assert.ok(!text.includes(ESCAPE), text)
    })
  }

  it('can be forced into a log', async () => {
    const { stdout } = await mlops(['help', 'exit-codes'], { env: { FORCE_COLOR: '1' } })
    assert.ok(stdout.includes(ESCAPE))
  })
})

describe('A reader that goes away', () => {
  it('is no error', () => {
    buildOnce()
    // The reader closes its end before anything is written.
    const script = `"${process.execPath}" "${BINARY}" completion bash | true; echo "code \${PIPESTATUS[0]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', env: cleanEnv() })
    assert.equal(stdout, 'code 0\n')
    assert.equal(stderr, '')
  })

  it('gets the first line with head -1', () => {
    const script = `"${process.execPath}" "${BINARY}" help exit-codes | head -1; echo "code \${PIPESTATUS[0]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8', env: cleanEnv() })
    assert.equal(stdout, 'code  meaning\ncode 0\n')
    assert.equal(stderr, '')
  })
})

describe('Help', () => {
  it('is printed on stdout for --help, help and no words at all', async () => {
    const asked = await mlops(['--help'])
    assert.match(asked.stdout, /THE LOOP/)
    assert.equal((await mlops(['help'])).stdout, asked.stdout)
    assert.equal((await mlops([])).stdout, asked.stdout)
  })

  it('shows usage, flags and examples of a command, by --help and by help', async () => {
    const asked = await mlops(['completion', '--help'])
    for (const section of ['USAGE', 'ARGUMENTS', 'EXAMPLES', '--json'])
      assert.ok(asked.stdout.includes(section), section)
    assert.equal((await mlops(['help', 'completion'])).stdout, asked.stdout)
  })

  it('lists the commands of a topic', async () => {
    const { stdout } = await mlops(['model'])
    assert.match(stdout, /mlops model list|model list/)
    assert.equal((await mlops(['model', '--help'])).stdout, stdout)
  })

  it('of something unknown is an error with a suggestion', async () => {
    assert.match((await mlops(['help', 'statsu'], { code: 2 })).stderr, /Did you mean mlops status\?/)
    assert.match((await mlops(['model', 'lsit', '--help'], { code: 2 })).stderr, /Did you mean mlops model list\?/)
  })

  it('belongs to the command behind -- when it stands there', async () => {
    const { stdout } = await run(['complete', '--', '--help'])
    assert.ok(!stdout.includes('USAGE'))
  })
})
