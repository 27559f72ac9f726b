/** Questions: asked on a real terminal only, answered by keys; everywhere else the flag to pass is named. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { BINARY, tempProject } from '../harness.ts'
import { openTerminal, skipWithoutTmux, type Terminal } from '../terminal.ts'

const MLOPS = `${process.execPath} ${BINARY}`

describe('Without a terminal', () => {
  it('a question is an error that names the flag', async () => {
    const project = tempProject()
    const { stderr, stdout } = await project.mlops(['init'], { code: 2 })
    assert.match(stderr, /nobody to ask.*\n.*Pass --name NAME or --yes/)
    assert.equal(stdout, '')
    assert.ok(!existsSync(project.path('mlops.yaml')))
  })

  it('the error is an envelope with --json', async () => {
    const { json } = await tempProject().mlops(['init', '--json'], { code: 2 })
    assert.equal(json.error?.code, 'INPUT_NEEDED')
    assert.match(json.error?.details.flag, /--name/)
  })

  it('a dry run asks nothing and takes the name of the folder', async () => {
    const project = tempProject()
    const { stdout } = await project.mlops(['init', '--dry-run'])
    assert.match(stdout, /Nothing was changed/)
    assert.ok(!existsSync(project.path('mlops.yaml')))
  })

  it('--yes answers', async () => {
    const project = tempProject()
    await project.mlops(['init', '--yes'])
    assert.ok(existsSync(project.path('mlops.yaml')))
  })
})

describe('On a terminal', () => {
  let terminal: Terminal | undefined
  before(function () {
    skipWithoutTmux(this)
  })
  afterEach(() => terminal?.close())

  it('a question is asked on stderr and answered by keys', async () => {
    const project = tempProject()
    terminal = openTerminal({ cwd: project.dir })
    terminal.type(`${MLOPS} init > out.txt; echo "code $?"`)
    terminal.press('Enter')
    await terminal.waitFor(/Name of the model\?/)
    terminal.type('fraud-model')
    terminal.press('Enter')
    await terminal.waitFor(/Command that trains it/)
    terminal.press('Enter')
    await terminal.waitFor(/code 0/)
    assert.match(project.read('mlops.yaml'), /fraud-model/)
    const out = project.read('out.txt')
    assert.match(out, /Ready/)
    assert.ok(!out.includes('\u001b'), 'stdout is a file: no colour, no prompt')
  })

  it('init asks for the target column when there is data and nothing tells which it is', async () => {
    const project = tempProject({ 'data/train.csv': 'tenure,churned\n1,0\n' })
    terminal = openTerminal({ cwd: project.dir })
    terminal.type(`${MLOPS} init; echo "code $?"`)
    terminal.press('Enter')
    await terminal.waitFor(/Name of the model\?/)
    terminal.press('Enter')
    await terminal.waitFor(/Command that trains it/)
    terminal.press('Enter')
    await terminal.waitFor(/Column it predicts, in data\/train\.csv\? \(empty: skip\)/)
    terminal.type('chruned')
    terminal.press('Enter')
    await terminal.waitFor(/did you mean churned\?/)
    terminal.press(...Array.from('chruned', () => 'BSpace'))
    terminal.type('churned')
    terminal.press('Enter')
    await terminal.waitFor(/code 0/)
    assert.match(project.read('mlops.yaml'), /^ {6}target: churned/m)
  })

  it('a yes or no is taken in the letters that the question shows, and what is neither is said kindly', async () => {
    const project = tempProject({ 'model.json': '{}', 'mlops.yaml': 'models:\n  churn-model: {}\n' })
    await project.mlops(['init', '--yes'])
    await project.mlops(['register', 'churn-model', '--artifact', 'model.json'])
    const promote = async (answer: string): Promise<void> => {
      terminal = openTerminal({ cwd: project.dir })
      terminal.type(`${MLOPS} promote churn-model@1 --to production --reason because; echo "code $?"`)
      terminal.press('Enter')
      await terminal.waitFor(/\(y\/N\)/)
      terminal.type(answer)
      terminal.press('Enter')
    }
    for (const no of ['', 'n', 'NO']) {
      await promote(no)
      assert.doesNotMatch((await terminal?.waitFor(/code 3/)) ?? '', /must answer|Please type/)
      terminal?.close()
    }
    await promote('perhaps')
    const screen = await terminal?.waitFor(/Please type y or n \(Enter alone: n\)/)
    assert.doesNotMatch(screen ?? '', /must answer/)
    terminal?.press(...Array.from('perhaps', () => 'BSpace'))
    terminal?.type('y')
    terminal?.press('Enter')
    await terminal?.waitFor(/code 0/)
  })

  it('Ctrl-C at a question ends with 130 and changes nothing', async () => {
    const project = tempProject()
    terminal = openTerminal({ cwd: project.dir })
    terminal.type(`${MLOPS} init; echo "code $?"`)
    terminal.press('Enter')
    await terminal.waitFor(/Name of the model\?/)
    terminal.press('C-c')
    const screen = await terminal.waitFor(/code 130/)
    assert.match(screen, /Interrupted/)
    assert.ok(!existsSync(project.path('mlops.yaml')))
  })

  for (const [title, prefix, flag] of [
    ['CI=1', 'CI=1 ', ''],
    ['--no-input', '', ' --no-input'],
  ] as const) {
    it(`nothing is asked with ${title}`, async () => {
      const project = tempProject()
      terminal = openTerminal({ cwd: project.dir })
      terminal.type(`${prefix}${MLOPS} init${flag}; echo "code $?"`)
      terminal.press('Enter')
      assert.match(await terminal.waitFor(/code 2/), /Pass --name NAME or --yes/)
    })
  }

  it('output is coloured, and plain with NO_COLOR=1', async () => {
    terminal = openTerminal({ cwd: tempProject().dir })
    terminal.type(`clear; ${MLOPS} statsu`)
    terminal.press('Enter')
    await terminal.waitFor(/Did you mean/)
    assert.match(terminal.screenWithColors(), /\[31m✖/)
    terminal.type(`clear; NO_COLOR=1 ${MLOPS} statsu; echo done`)
    terminal.press('Enter')
    await terminal.waitFor(/\ndone/)
    assert.ok(!terminal.screenWithColors().includes('[31m'))
  })
})
