/** Real processes on a real disk: 50 at once, and killed ones. Tens of thousands of kills: `npm run crash`. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createStore } from '../../src/store/create.ts'
import { openStore } from '../../src/store/open.ts'
import { verifyStore } from '../../src/store/verify.ts'
import { bundleWorker } from './bundle.ts'
import { killLoop } from './kill-loop.ts'

const KILLS = Number(process.env.MLOPS_TEST_KILLS ?? 200)

describe('many processes and one store', () => {
  let worker = ''
  before(async () => {
    worker = await bundleWorker()
  })

  it('gives 50 processes that register at once 50 consecutive versions', async () => {
    const root = join(mkdtempSync(join(tmpdir(), 'mlops-parallel-')), '.mlops')
    await createStore(root)
    const run = promisify(execFile)
    await Promise.all(
      Array.from({ length: 50 }, (_, n) => run(process.execPath, [worker, root, `p${n}`, String(n), '1'])),
    )
    const state = await (await openStore(root, { write: false })).models.state('churn-model')
    assert.deepEqual(
      state.versions.map(({ version }) => version),
      Array.from({ length: 50 }, (_, index) => index + 1),
    )
    assert.equal(new Set(state.events.map(({ op_id }) => op_id)).size, 50)
    assert.deepEqual((await verifyStore(root)).damages, [])
  })

  it(`keeps every promise to ${KILLS} processes that are killed at random instants`, async () => {
    const { promises } = await killLoop({ worker, kills: KILLS, parallel: 4, seed: 1 })
    assert.ok(promises > KILLS / 2, `only ${promises} promises were made: nothing was tested`)
  }).timeout(600_000)
})
