/** What a reproduction must not reach: the user's files through links, folders by a record that somebody else wrote. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { openSealed, seal } from '../../../src/store/sealed.ts'
import { tempProject } from '../harness.ts'
import { leftOvers, type World, world } from './world.ts'

const SH = ['sh', 'train.sh']
const WRITES = { '.gitignore': 'data/\n', 'train.sh': 'echo "n: 1"; echo "$WORD" > out/model.txt\n' }

/** The record of a run, changed by somebody who knows the format. */
function forge(place: World, run: string, change: (start: Record<string, unknown>) => void): void {
  const file = place.path(`.mlops/runs/${run}/run.json`)
  const start = { ...openSealed(readFileSync(file)) }
  change(start)
  chmodSync(file, 0o600)
  writeFileSync(file, seal(start))
}

describe('a reproduction stays in its folder', () => {
  for (const how of ['committed', 'uncommitted'] as const) {
    it(`refuses a ${how} link out of the worktree, names it in the plan, and follows it only when told to`, async () => {
      const results = tempProject({ 'model.txt': 'precious\n' })
      const place = await world(WRITES)
      if (how === 'uncommitted') {
        symlinkSync('here', place.path('out'))
        place.git('add', '--all')
        place.git('commit', '--quiet', '--message', 'a link within')
        rmSync(place.path('out'))
      }
      symlinkSync(results.dir, place.path('out'))
      if (how === 'committed') {
        place.git('add', '--all')
        place.git('commit', '--quiet', '--message', 'link')
      }
      const flags = ['--artifact', 'out/sub/model.txt', '--artifact', 'out/model.txt']
      const run = await place.track(flags, SH, { env: { WORD: 'then' } })
      results.write('model.txt', 'precious\n')
      const dry = await place.reproduce([run, '--dry-run'])
      assert.match(dry.data.plan.risks.join(' '), /A link of the code leads out of the worktree: out -> /)
      const { error } = await place.reproduce([run], { code: 2 })
      assert.equal(error?.code, 'LINKS_LEAD_OUT')
      assert.equal(error?.details.links[0].path, 'out')
      assert.equal(readFileSync(results.path('model.txt'), 'utf8'), 'precious\n')
      assert.ok(!existsSync(results.path('sub')))
      assert.deepEqual(leftOvers(), [])
      await place.reproduce([run, '--allow-outside'], { env: { WORD: 'then' } })
      assert.equal(readFileSync(results.path('model.txt'), 'utf8'), 'then\n')
      assert.ok(!existsSync(results.path('sub')))
    })
  }

  it('refuses records that would have it write elsewhere, while it plans', async () => {
    const place = await world({ 'train.sh': 'echo "n: 1"\n', 'data.csv': 'a\n1\n' })
    const run = await place.track(['--data', 'd=data.csv'], SH)
    forge(place, run, (start) => {
      start.data = (start.data as object[]).map((each) => ({ ...each, path: '../'.repeat(3000) }))
    })
    const far = await place.reproduce([run, '--dry-run'], { code: 1 })
    assert.match(far.error?.message ?? '', /its data d have the path/)
    assert.ok((far.error?.message.length ?? 0) < 400)
    forge(place, run, (start) => {
      start.data = []
      start.git = {
        ...(start.git as object),
        submodules: [{ path: '../elsewhere', commit: 'a'.repeat(40), url: null, dirty: false }],
      }
    })
    const { error } = await place.reproduce([run, '--dry-run'], { code: 1 })
    assert.equal(error?.code, 'RECORD_UNSAFE')
  })
  it('runs the command of somebody else, or of another machine, only when told to', async () => {
    const place = await world({ 'train.sh': 'echo "n: 1"\n' })
    const run = await place.track([], SH)
    forge(place, run, (start) => {
      start.actor = { name: 'eve@elsewhere', origin: 'local' }
      start.host = { ...(start.host as object), name: 'elsewhere' }
    })
    const { error } = await place.reproduce([run], { code: 2 })
    assert.equal(error?.code, 'INPUT_NEEDED')
    assert.match(`${error?.message} ${error?.hint}`, /--yes/)
    const { data } = await place.reproduce([run, '--dry-run'])
    assert.equal(data.plan.origin.foreign.length, 2)
    const { stderr } = await place.mlops(['run', 'reproduce', run, '--yes'])
    assert.match(stderr, /it is a run of eve@elsewhere, and you are .*it ran on elsewhere/s)
    assert.match(stderr, /command +sh train\.sh/)
  })
})
