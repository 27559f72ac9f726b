/**
 * Two people promote at once, each a real `mlops` process, many times. An external check of the gate holds both until
 * both have looked at the stage, so that every round is a race for one place and not one after the other.
 */
import assert from 'node:assert/strict'
import { type TempProject, tempProject } from '../harness.ts'

const ROUNDS = 12
/** Ends when two have come in the round that `round` names; a round that only one comes to must not hang for ever. */
const BARRIER = `
const fs = require('node:fs')
const round = 'round-' + fs.readFileSync('round', 'utf8')
fs.mkdirSync(round, { recursive: true })
fs.writeFileSync(round + '/' + process.pid, '')
for (let tries = 0; tries < 3000 && fs.readdirSync(round).length < 2; tries++) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
}
process.exit(fs.readdirSync(round).length < 2 ? 1 : 0)
`

describe('two people who promote at once', function () {
  this.timeout(300_000)

  it(`in ${ROUNDS} rounds: one wins, the other ends with 5 and is told who, what and when`, async () => {
    const project = await withVersions(3)
    let moves = 0
    let held = 0
    for (let round = 0; round < ROUNDS; round++) {
      project.write('round', String(round))
      const rivals = [1, 2, 3].filter((version) => version !== held).slice(0, 2)
      const results = await Promise.all(
        rivals.map((version, at) => promote(project, version, at === 0 ? 'ada' : 'bob')),
      )
      const codes = results.map(({ code }) => code).sort()
      assert.deepEqual(codes, [0, 5], results.map(({ stdout, stderr }) => stdout + stderr).join('\n'))
      const winner = results.find(({ code }) => code === 0)
      const loser = results.find(({ code }) => code === 5)
      const by = results.indexOf(winner as (typeof results)[number]) === 0 ? 'ada' : 'bob'
      const was = held === 0 ? 'empty' : `m@${held}`
      held = winner?.json.data.version
      moves += 1
      assert.equal(loser?.json.error?.code, 'STAGE_MOVED')
      const told = new RegExp(
        `^${by} moved production of m from ${was} to m@${held} at \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z, while`,
      )
      assert.match(loser?.json.error?.message ?? '', told)
      assert.equal(loser?.json.error?.details.found.version, held)
    }
    const { json } = await project.mlops(['model', 'history', 'm', '--stage', 'production', '--json'])
    assert.equal(json.data.events.length, moves, 'what was not acknowledged did not happen')
    assert.equal(json.data.events[0].version, held)
    await project.mlops(['store', 'verify'])
  })
})

function promote(project: TempProject, version: number, actor: string) {
  // A name of its own for each, as two machines have it.
  const env = { CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_ACTOR: actor }
  return project.run(['promote', `m@${version}`, '--to', 'production', '--approve', actor, '--json'], { env })
}

async function withVersions(count: number): Promise<TempProject> {
  const check = `{name: both looked, command: '"${process.execPath}" barrier.cjs'}`
  const project = tempProject({
    'mlops.yaml': `models:\n  m:\n    gates:\n      production: {approval: 1, external: [${check}]}\n`,
    'barrier.cjs': BARRIER,
  })
  await project.mlops(['init', '--yes', '--name', 'm'])
  for (let n = 1; n <= count; n++) {
    project.write(`model-${n}.bin`, `weights ${n}`)
    await project.mlops(['register', 'm', '--artifact', `model-${n}.bin`])
  }
  return project
}
