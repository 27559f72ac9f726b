/** Approvals through the built binary: on a terminal, in CI, ahead of the move and with it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { userInfo } from 'node:os'
import { skipBecause } from '../../support/skip.ts'
import { assertMatchesSchema, BINARY, ROOT, type TempProject, tempProject } from '../harness.ts'
import { openTerminal, skipWithoutTmux, type Terminal } from '../terminal.ts'

const MLOPS = `${process.execPath} ${BINARY}`
const M = 'churn-model'

/** Two versions, the first in production; the gate of production asks for `approval` people. */
async function shop(approval: number, more = ''): Promise<TempProject> {
  const project = tempProject({
    'mlops.yaml': `models:\n  ${M}:\n    gates:\n      production: {min_auc: 0.8, approval: ${approval}${more}}\n`,
    'one.bin': 'weights one',
    'two.bin': 'weights two',
  })
  await project.mlops(['init', '--yes', '--name', M])
  await project.mlops(['register', M, '--artifact', 'one.bin', '--metric', 'auc=0.84', '--param', 'lr=0.1'])
  await project.mlops(['register', M, '--artifact', 'two.bin', '--metric', 'auc=0.86', '--param', 'lr=0.2'])
  await project.mlops(['promote', `${M}@1`, '--to', 'production', '--approve', 'zoe', '--approve', 'yan'])
  return project
}

/** What GitHub Actions sets. */
const github = (actor: string, run: string): Record<string, string> => ({
  CI: 'true',
  GITHUB_ACTIONS: 'true',
  GITHUB_ACTOR: actor,
  GITHUB_SERVER_URL: 'https://github.example',
  GITHUB_REPOSITORY: 'acme/churn',
  GITHUB_RUN_ID: run,
  GITHUB_JOB: 'promote',
})

describe('mlops approve', function () {
  this.timeout(120_000)

  it('ada approves, bob promotes with his: a gate that asks for two lets it in', async () => {
    const project = await shop(2)
    const said = await project.mlops([
      'approve',
      `${M}@2`,
      '--to',
      'production',
      '--as',
      'ada',
      '--reason',
      'better on June data',
      '--json',
    ])
    assertMatchesSchema('approve', said.json)
    assert.deepEqual([said.json.data.outcome, said.json.data.approvalsMissing], ['approved', 1])
    const status = await project.mlops(['status'])
    assert.match(status.stdout, /@2 was registered .*approved for production by ada .*1 more person must approve/)
    const alone = await project.mlops(['promote', `${M}@2`, '--to', 'production'], { code: 3 })
    assert.match(alone.stderr, /not approved by 2 people \(so far: ada\)/)
    const moved = await project.mlops(['promote', `${M}@2`, '--to', 'production', '--approve', 'bob', '--json'])
    assertMatchesSchema('promote', moved.json)
    assert.deepEqual(
      moved.json.data.approvals.map(({ name, reason }: { name: string; reason?: string }) => [name, reason]),
      [
        ['ada', 'better on June data'],
        ['bob', undefined],
      ],
    )
    const history = await project.mlops(['model', 'history', `${M}@2`])
    assert.match(history.stdout, /promote {2}churn-model@2 → production \(was @1\)/)
    assert.match(
      history.stdout,
      /approved by ada \(claimed, just now\): "better on June data"\n +approved by bob \(claimed\)/,
    )
    assert.match(history.stdout, /gate: \d passed: min_auc 0\.86/)
    assert.match(history.stdout, /approve {2}churn-model@2 for production/)
    await project.mlops(['store', 'verify'])
  })

  it('in GitHub Actions both words carry the page of their run, and so do the events', async () => {
    const project = await shop(2)
    const approve = ['approve', `${M}@2`, '--to', 'production', '--as', 'ada', '--reason', 'looks good']
    await project.mlops(approve, { env: github('ada', '71') })
    const promote = ['promote', `${M}@2`, '--to', 'production', '--approve', 'bob', '--reason', 'release']
    await project.mlops(promote, { env: github('bob', '72') })
    const { json } = await project.mlops(['model', 'history', M, '--json'])
    assertMatchesSchema('model history', json)
    const [moved, approved] = json.data.events
    const page = (run: string): string => `https://github.example/acme/churn/actions/runs/${run}`
    assert.deepEqual(approved.by, { name: 'ada', origin: 'ci', url: page('71') })
    assert.deepEqual(approved.approvals, [{ name: 'ada', origin: 'ci', url: page('71'), reason: 'looks good' }])
    assert.deepEqual(moved.by, { name: 'bob', origin: 'ci', url: page('72') })
    assert.deepEqual(
      moved.approvals.map(({ name, origin, url }: Record<string, string>) => [name, origin, url]),
      [
        ['ada', 'ci', page('71')],
        ['bob', 'ci', page('72')],
      ],
    )
    assert.deepEqual(moved.checks, { passed: moved.gate.checks.length, waived: 0, failed: 0, inconclusive: 0 })
  })

  it('needs a name and a reason where nobody can be asked, and names the flags', async () => {
    const project = await shop(1)
    const nameless = await project.mlops(['approve', M, '--to', 'production'], { code: 2 })
    assert.match(nameless.stderr, /nobody to ask.*\n.*mlops approve churn-model --to production --as NAME --reason/)
    const mute = await project.mlops(['approve', M, '--to', 'production', '--as', 'ada', '--yes'], { code: 2 })
    assert.match(mute.stderr, /needs a reason/)
  })

  it('lapses when somebody edits the gate, and the refusal says whose word and why', async () => {
    const project = await shop(1)
    await project.mlops(['approve', M, '--to', 'production', '--as', 'ada', '--reason', 'fine'])
    project.write('mlops.yaml', project.read('mlops.yaml').replace('0.8,', '0.7,'))
    const { stderr } = await project.mlops(['promote', M, '--to', 'production'], { code: 3 })
    assert.match(
      stderr,
      /The approval of ada, given at .* does not count: the gate of production has been changed since/,
    )
  })

  it('of an author is refused with exit 3 where the gate says self_approval: refused', async () => {
    const project = await shop(1, ', self_approval: refused')
    const me = userInfo().username
    for (const words of [
      ['approve', M, '--to', 'production', '--as', me, '--reason', 'mine'],
      ['promote', M, '--to', 'production', '--approve', me],
    ]) {
      const { stderr } = await project.mlops(words, { code: 3 })
      assert.match(stderr, /registered it, and the gate of production refuses an author's own approval/)
    }
    await project.mlops(['promote', M, '--to', 'production', '--approve', 'somebody-else'])
  })

  it('leaves a log that the Python client reads: the service still knows what is in production', async function () {
    const python = ['python3', 'python'].find((name) => spawnSync(name, ['--version']).status === 0)
    if (python === undefined) skipBecause(this, 'Python is not installed')
    const project = await shop(1)
    await project.mlops(['approve', M, '--to', 'production', '--as', 'ada', '--reason', 'fine'])
    const script = `
import sys; sys.path.insert(0, ${JSON.stringify(`${ROOT}/templates/python`)})
from mlops._place import ServedVersion
print(ServedVersion(${JSON.stringify(project.path('.mlops'))}, "${M}", {})())
`
    const { stdout, stderr } = spawnSync(python, ['-c', script], { encoding: 'utf8' })
    assert.equal(stdout.trim(), '1', stderr)
    const next = await project.mlops(['promote', M, '--to', 'production'])
    assert.match(next.stdout, /is in production now/)
    assert.equal(spawnSync(python, ['-c', script], { encoding: 'utf8' }).stdout.trim(), '2')
  })
})

describe('At a terminal of 80 columns', function () {
  this.timeout(120_000)
  let terminal: Terminal
  before(function () {
    skipWithoutTmux(this)
  })
  afterEach(() => terminal?.close())

  const open = async (project: TempProject): Promise<void> => {
    terminal = openTerminal({ cwd: project.dir })
    terminal.type('stty cols 80; clear')
    terminal.press('Enter')
    await terminal.waitFor(/^\$ *$/m)
  }
  const type = (line: string): void => {
    terminal.type(line)
    terminal.press('Enter')
  }

  it('promote shows the plan, asks, takes a reason, and records the person with it', async () => {
    const project = await shop(1)
    await open(project)
    type(`${MLOPS} promote ${M}@2 --to production > out.txt; echo "code $?"`)
    const shown = await terminal.waitFor(/Approve churn-model@2 for production as .*\?/)
    assert.match(shown, /churn-model@2 → production \(now churn-model@1, since/)
    assert.match(shown, /✔ min_auc .* 0\.86 +pass/)
    assert.match(shown, /\? approval .* waiting/)
    assert.match(shown, /@1, in production now: never checked\n +@2: never checked/)
    assert.match(shown, /Against churn-model@1: 1 parameter, 2 files changed/)
    assert.match(shown, /1 person must approve/)
    assert.deepEqual(
      shown.split('\n').filter((line) => line.length > 80 && !line.startsWith('$')),
      [],
    )
    terminal.type('y')
    terminal.press('Enter')
    await terminal.waitFor(/Why\?/)
    terminal.type('better on June data')
    terminal.press('Enter')
    await terminal.waitFor(/code 0/)
    const [moved] = (await project.mlops(['model', 'history', M, '--json'])).json.data.events
    assert.equal(moved.reason, 'better on June data')
    assert.deepEqual(moved.approvals, [{ name: moved.by.name, origin: 'prompt', reason: 'better on June data' }])
    assert.ok(!project.read('out.txt').includes('Why?'), 'questions are no result')
  })

  it('Enter at the question is a no: exit 3, nothing moves, --yes changes nothing about it', async () => {
    const project = await shop(1)
    await open(project)
    type(`${MLOPS} promote ${M}@2 --to production --yes; echo "code $?"`)
    await terminal.waitFor(/Approve churn-model@2/)
    terminal.press('Enter')
    assert.match(await terminal.waitFor(/code 3/), /Not approved: production of churn-model stays as it is/)
    const { json } = await project.mlops(['model', 'history', M, '--json'])
    assert.equal(json.data.events.length, 3)
  })

  it('approve asks the same, Enter skips the reason, and the same person is not asked twice', async () => {
    const project = await shop(2)
    await open(project)
    type(`${MLOPS} approve ${M}@2 --to production; echo "code $?"`)
    await terminal.waitFor(/Approve churn-model@2 for production as .*\?/)
    terminal.type('y')
    terminal.press('Enter')
    await terminal.waitFor(/Why\?/)
    terminal.press('Enter')
    const done = await terminal.waitFor(/code 0/)
    assert.match(done, /1 more person must approve: mlops approve churn-model@2 --to production/)
    const [approved] = (await project.mlops(['model', 'history', M, '--json'])).json.data.events
    assert.deepEqual([approved.type, approved.reason, approved.approvals[0].origin], ['approve', null, 'prompt'])
    type(`clear; ${MLOPS} approve ${M}@2 --to production; echo "again $?"`)
    assert.match(await terminal.waitFor(/again 0/), /is approved for production already by .*\(at a terminal/)
  })

  it('Ctrl-C at the reason approves nothing', async () => {
    const project = await shop(1)
    await open(project)
    type(`${MLOPS} approve ${M}@2 --to production; echo "code $?"`)
    await terminal.waitFor(/Approve churn-model@2/)
    terminal.type('y')
    terminal.press('Enter')
    await terminal.waitFor(/Why\?/)
    terminal.press('C-c')
    await terminal.waitFor(/code 130/)
    assert.equal((await project.mlops(['model', 'history', M, '--json'])).json.data.events.length, 3)
  })
})
