/** Every hostile archive of `hostile.ts` in process; `test/e2e/transfer/` does the same with the built program. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseModelRef } from '../../../src/core/names.ts'
import { exportVersion } from '../../../src/transfer/export.ts'
import { importVersion } from '../../../src/transfer/import.ts'
import { rejection, type World, world } from '../lifecycle/fixture.ts'
import { archiveOf, fullVersion, partsOf, treeOf } from './archives.ts'
import { HOSTILE } from './hostile.ts'

describe('A hostile archive is refused, and nothing is written:', () => {
  let from: World
  let into: World
  let sound: Buffer
  let tree: string
  before(async () => {
    from = await world()
    into = await world()
    await fullVersion(from)
    await exportVersion(from.ctx, from.store, { ref: parseModelRef('churn-model'), output: 'sound.tar' })
    sound = readFileSync(join(from.dir, 'sound.tar'))
    tree = treeOf(into.store.root)
  })
  after(() => {
    from.remove()
    into.remove()
  })

  for (const { what, make, says, code = 'ARCHIVE_' } of HOSTILE) {
    it(what, async () => {
      const bytes = make(sound)
      assert.ok(!bytes.equals(sound), 'the change did not change anything')
      writeFileSync(join(into.dir, 'hostile.tar'), bytes)
      const error = await rejection(importVersion(into.ctx, into.project(), into.store, { file: 'hostile.tar' }))
      assert.match(error.message, says)
      assert.ok(error.code.startsWith(code), error.code)
      assert.equal(error.exitCode, 1)
      assert.ok(error.hint)
      assert.equal(treeOf(into.store.root), tree)
    })
  }

  it('and the sound one, taken apart and put together again, is not', async () => {
    const again = archiveOf(partsOf(sound))
    assert.ok(again.equals(sound))
    writeFileSync(join(into.dir, 'sound.tar'), again)
    assert.equal((await importVersion(into.ctx, into.project(), into.store, { file: 'sound.tar' })).outcome, 'imported')
  })
})
