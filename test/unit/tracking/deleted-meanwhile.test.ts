/** A run that others delete while it goes on, as they may where its machine was asleep. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { verifyStore } from '../../../src/store/verify.ts'
import { workshop } from './support.ts'

describe('A run that is deleted while it goes on', () => {
  for (const isPurged of [false, true]) {
    it(
      isPurged ? 'for good is recorded again, and says what is lost' : 'is taken out of the trash whole, and says so',
      async () => {
        const shop = await workshop()
        const tracking = shop.track([
          ...['sh', '-c', 'echo "auc: 0.5"; until [ -e go ]; do sleep 0.05; done; echo "auc: 0.9"'],
        ])
        let id: string | undefined
        while (id === undefined || (await shop.store.runs.stream(id, 'metrics')).length === 0) {
          await sleep(20)
          id = (await shop.store.runs.list())[0]
        }
        const { actor, tool } = shop.context()
        await shop.store.trash.put({ format: 1, run: id, actor, tool, time: new Date().toISOString() })
        if (isPurged) await shop.store.trash.purge(id)
        writeFileSync(join(shop.root, 'go'), '')
        const tracked = await tracking
        assert.equal(tracked.exitCode, 0)
        const said = isPurged ? /deleted for good while it went on/ : /deleted while it went on; it was taken out/
        assert.match(tracked.warnings.join('\n'), said)
        const { end } = await shop.store.runs.read(id)
        assert.match(end?.warnings.join('\n') ?? '', said)
        if (!isPurged) {
          assert.equal(end?.metrics.auc, 0.9)
          assert.equal(shop.output(tracked), 'auc: 0.5\nauc: 0.9\n')
        }
        assert.deepEqual(await shop.store.trash.ids(), [])
        assert.deepEqual((await verifyStore(shop.store.root)).damages, [])
        shop.remove()
      },
    )
  }
})
