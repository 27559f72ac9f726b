/** A clone on a disk that is full, a real one of a few megabytes: a rollback works, and a register leaves nothing. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promote, register, rollback } from '../../../crash/scenario.ts'
import { skipBecause } from '../../../support/skip.ts'
import { damage, MODEL, newTeam, rejectsWith, type Team } from './support.ts'

describe('A clone of a shared store on a full disk', function () {
  this.timeout(60_000)
  let [team, disk, mounted]: [Team | undefined, string, boolean] = [undefined, '', false]

  before(async function () {
    team = await newTeam()
    disk = join(team.folder, 'small')
    mkdirSync(disk)
    mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'none', disk]).status === 0
    if (!mounted) skipBecause(this, 'no disk can be mounted here')
  })

  after(() => {
    if (mounted) spawnSync('umount', [disk])
  })

  it('rolls back with the room that was set aside, and takes over what the others did', async () => {
    assert.ok(team !== undefined)
    const name = 'small/clone'
    const store = await team.open(name)
    for (const op of ['a', 'b']) await register(store, op)
    for (const [n, op] of ['p1', 'p2'].entries()) await promote(store, op, n + 1)
    await register(await team.open('ada'), 'elsewhere')
    fill(disk)

    const warnings: string[] = []
    const full = await team.open(name, { warn: (text) => warnings.push(text) })
    assert.match(warnings.join('\n'), /is full/)
    await rejectsWith(register(full, 'c'), 'STORE_FULL', /Nothing was changed/)
    const first = await rollback(full, 'r')
    // What it was decided on was old: the plan is made again, as after any lost race.
    assert.equal(first.kind, 'lost')
    assert.equal((await rollback(await team.open(name), 'r')).kind, 'committed')
    assert.match(warnings.join('\n'), /the reserve of the store was used/)
    const { events, stages } = await (await team.open('ada')).models.state(MODEL)
    assert.deepEqual(
      [stages.production?.version, events.map(({ op_id }) => op_id)],
      [1, ['a', 'b', 'p1', 'p2', 'elsewhere', 'r']],
    )
    assert.deepEqual(await damage(team.root(name)), [])
    for (const size of SIZES) rmSync(join(disk, `filled-${size}`), { force: true })
  })
})

const SIZES = [1 << 22, 1 << 20, 1 << 18, 1 << 16, 1 << 14, 1 << 12]

/** Until not a page is left. */
function fill(folder: string): void {
  for (const size of SIZES) {
    for (let n = 0; n < 64; n++) {
      try {
        writeFileSync(join(folder, `filled-${size}`), Buffer.alloc(size), { flag: 'a' })
      } catch {
        break
      }
    }
  }
}
