/** Completion in the shells themselves: the sourced script, the real Tab key, models and stages from the store. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { skipBecause } from '../../support/skip.ts'
import { BINARY, cleanEnv, type TempProject, tempProject } from '../harness.ts'
import { openTerminal, skipWithoutTmux, type Terminal } from '../terminal.ts'

/** A project with one model, and a folder with an executable `mlops` in front of PATH. */
let project: TempProject
let env: Record<string, string>

describe('Completion', () => {
  before(async () => {
    project = tempProject({
      'model.bin': 'a model',
      'bin/mlops': `#!/bin/sh\nexec "${process.execPath}" "${BINARY}" "$@"\n`,
    })
    chmodSync(project.path('bin/mlops'), 0o755)
    env = { PATH: `${project.path('bin')}:${process.env.PATH}`, HOME: project.dir, LANG: 'C.UTF-8' }
    await project.mlops(['init', '--yes', '--name', 'churn-model'])
    await project.mlops(['register', 'churn-model', '--artifact', 'model.bin'])
  })

  it('offers first words, the words that follow, and flags', async () => {
    const [first, second, flags] = await Promise.all(
      [['mod'], ['model', 'l'], ['model', 'list', '--js']].map(candidates),
    )
    assert.deepEqual([first, second, flags], [['model'], ['list'], ['--json']])
  })

  it('offers models, and after @ their stages and versions', async () => {
    assert.deepEqual(await candidates(['promote', 'ch']), ['churn-model'])
    assert.deepEqual(await candidates(['promote', 'churn-model@']), [
      'churn-model@staging',
      'churn-model@production',
      'churn-model@1',
    ])
  })

  it('offers stages where a stage belongs', async () => {
    assert.deepEqual(await candidates(['promote', 'churn-model', '--to', '']), ['staging', 'production'])
    assert.deepEqual(await candidates(['promote', '--to', 'staging', 'churn-model', '--rea']), ['--reason'])
  })

  it('offers nothing of ours behind --, where another command stands', async () => {
    assert.deepEqual(await candidates(['track', '--', 'py']), [])
  })

  it('never offers a hidden command', async () => {
    assert.deepEqual(await candidates(['comple']), ['completion'])
  })

  it('is silent where there is no store', async () => {
    const { stdout, stderr } = await tempProject().mlops(['complete', '--', 'promote', ''])
    assert.deepEqual([stdout, stderr], ['', ''])
  })

  describe('in bash', () => {
    const complete = (line: string): string[] => {
      const script = `source <(mlops completion bash)
        COMP_LINE=${quote(line)}; COMP_POINT=\${#COMP_LINE}; _mlops; printf '%s\\n' "\${COMPREPLY[@]}"`
      const { stdout, stderr } = spawnSync('bash', ['-c', script], {
        cwd: project.dir,
        env: cleanEnv(env),
        encoding: 'utf8',
      })
      assert.equal(stderr, '')
      return stdout.trim().split('\n')
    }

    it('completes commands and models', () => {
      assert.deepEqual(complete('mlops prom'), ['promote'])
      assert.deepEqual(complete('mlops promote '), ['churn-model'])
    })

    it('hands back what begins with the @ at which bash breaks words', () => {
      assert.deepEqual(complete('mlops promote churn-model@prod'), ['@production'])
    })

    it('completes on the Tab key', async function () {
      skipWithoutTmux(this)
      await pressTab(['bash', '--norc', '--noprofile'], 'source <(mlops completion bash)')
    })
  })

  describe('in zsh', () => {
    it('completes on the Tab key', async function () {
      skipWithoutTmux(this)
      skipWithout(this, 'zsh')
      const start = 'autoload -Uz compinit && compinit -u && source <(mlops completion zsh)'
      await pressTab(['zsh', '-f'], start)
    })
  })

  describe('in fish', () => {
    it('completes commands, models and stages', function () {
      skipWithout(this, 'fish')
      const script = 'mlops completion fish | source; complete -C $argv[1]'
      const complete = (line: string): string[] => {
        const { stdout } = spawnSync('fish', ['--no-config', '-c', script, line], {
          cwd: project.dir,
          env: cleanEnv(env),
          encoding: 'utf8',
        })
        return stdout
          .trim()
          .split('\n')
          .map((each) => each.split('\t')[0] ?? '')
      }
      assert.deepEqual(complete('mlops prom'), ['promote'])
      assert.deepEqual(complete('mlops promote ch'), ['churn-model'])
      assert.deepEqual(complete('mlops promote churn-model --to prod'), ['production'])
    })
  })
})

async function candidates(words: readonly string[]): Promise<string[]> {
  const { stdout } = await project.mlops(['complete', '--', ...words])
  return stdout === ''
    ? []
    : stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t')[0] ?? '')
}

/** Types `mlops promote ch<Tab>@prod<Tab>` and reads what the shell made of it. */
async function pressTab(shell: readonly string[], start: string): Promise<void> {
  const terminal: Terminal = openTerminal({ cwd: project.dir, env, shell })
  try {
    terminal.type(`${start}; echo rea"dy"`)
    terminal.press('Enter')
    await terminal.waitFor(/^ready/m)
    terminal.type('mlops promo')
    terminal.press('Tab')
    await terminal.waitFor(/mlops promote $|mlops promote$/m)
    terminal.type('ch')
    terminal.press('Tab')
    await terminal.waitFor(/mlops promote churn-model/)
    terminal.press('BSpace')
    terminal.type(/churn-model$/m.test(terminal.screen()) ? '@prod' : 'l@prod')
    terminal.press('Tab')
    await terminal.waitFor(/churn-model@production/)
  } finally {
    terminal.close()
  }
}

function skipWithout(context: Mocha.Context, program: string): void {
  if (spawnSync(program, ['--version']).error !== undefined) skipBecause(context, `${program} is not installed`)
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
