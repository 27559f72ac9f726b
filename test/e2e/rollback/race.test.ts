/** Two people roll back at once, each a real `mlops` process, many times: what both mean is one step. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type RunResult, type TempProject, tempProject } from '../harness.ts'

const ROUNDS = 10
const TOGETHER = `--import ${pathToFileURL(join(import.meta.dirname, 'together.mjs')).href}`
const STAGE = ['--stage', 'staging']

describe('two people who roll back at once', function () {
  this.timeout(300_000)

  it(`in ${ROUNDS} rounds: the stage goes one step back, and the other hears who, what and when`, async () => {
    const project = await withThree()
    for (let round = 0; round < ROUNDS; round++) {
      // Half of the rounds are one person at two terminals.
      const [ada, bob] = round % 2 === 0 ? ['ada', 'bob'] : ['ada', 'ada']
      const both = { NODE_OPTIONS: TOGETHER, BARRIER: project.path(`round-${round}`) }
      const results = await Promise.all([ada, bob].map((name) => back(project, name, both)))
      await assertOneStep(project, results)
      await forward(project)
    }
    const { json } = await project.mlops(['model', 'history', 'm', '--json'])
    const moves = json.data.events.filter(({ type }: { type: string }) => type === 'rollback')
    assert.equal(moves.length, ROUNDS)
    await project.mlops(['store', 'verify'])
  })

  it('also where one of them comes to the store only when the other has gone back', async () => {
    const project = await withThree()
    for (const [first, second] of [
      ['ada', 'bob'],
      ['ada', 'ada'],
    ] as const) {
      const { json } = await project.mlops(['model', 'history', 'm', '--limit', '1', '--json'])
      const next = String(json.data.events[0].seq + 1).padStart(10, '0')
      const gone = project.path(`.mlops/models/m/log/${next}.json`)
      const both = { NODE_OPTIONS: TOGETHER, BARRIER: project.path(`late-${second}`) }
      const results = await Promise.all([
        back(project, first, both),
        // It was started before, and reads the log after.
        back(project, second, { ...both, AFTER: gone }),
      ])
      assert.deepEqual(
        results.map(({ code }) => code),
        [0, 5],
      )
      await assertOneStep(project, results)
      await forward(project)
    }
  })

  it('who begins a moment after a colleague is asked to look first, and told how to insist', async () => {
    const project = await withThree()
    await back(project, 'ada')
    const planned = await back(project, 'bob', {}, ['--dry-run'])
    assert.equal(planned.json.data.version, 1)
    assert.match(planned.json.warnings.join(), /^Without --dry-run this is refused: ada rolled staging/)
    const refused = await back(project, 'bob')
    assert.equal(refused.code, 5, refused.stdout)
    assert.equal(refused.json.error?.details.found.by, 'ada')
    assert.match(refused.json.error?.hint ?? '', /: mlops rollback m --stage staging --to 1$/)
    const insisted = await back(project, 'bob', {}, ['--to', '1'])
    assert.deepEqual([insisted.code, insisted.json.data.version], [0, 1])
  })

  it('one person who rolls back twice, one after the other, goes two steps back', async () => {
    const project = await withThree()
    assert.equal((await back(project, 'ada')).json.data.version, 2)
    assert.equal((await back(project, 'ada')).json.data.version, 1)
  })
})

async function assertOneStep(project: TempProject, results: readonly RunResult[]): Promise<void> {
  const shown = results.map(({ stdout, stderr }) => stdout + stderr).join('\n')
  assert.deepEqual(results.map(({ code }) => code).sort(), [0, 5], shown)
  const loser = results.find(({ code }) => code === 5)
  assert.equal(loser?.json.error?.code, 'STAGE_MOVED')
  const told = /^(?:ada|bob) (?:moved|rolled) staging of m (?:back )?from m@3 to m@2 at \d{4}-\d\d-\d\dT[\d:.]+Z, while/
  assert.match(loser?.json.error?.message ?? '', told)
  const { json } = await project.mlops(['model', 'show', 'm@staging', '--json'])
  assert.equal(json.data.version, 2)
}

const forward = (project: TempProject) => project.mlops(['promote', 'm@3', '--to', 'staging'])

function back(project: TempProject, actor: string, more: Record<string, string> = {}, words: readonly string[] = []) {
  // A name of its own for each, as two machines have it.
  const env = { CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_ACTOR: actor, ...more }
  return project.run(['rollback', 'm', ...STAGE, '--no-verify', '--json', ...words], { env })
}

async function withThree(): Promise<TempProject> {
  const project = tempProject({ 'mlops.yaml': 'models:\n  m: {}\n' })
  await project.mlops(['init', '--yes', '--name', 'm'])
  for (const n of [1, 2, 3]) {
    project.write(`model-${n}.bin`, `weights ${n}`)
    await project.mlops(['register', 'm', '--artifact', `model-${n}.bin`])
    await project.mlops(['promote', `m@${n}`, '--to', 'staging'])
  }
  return project
}
