/** What a person is told to do next: after a run, and about one that is still running. */
import assert from 'node:assert/strict'
import { nextCommand, type RunRow } from '../../../src/tracking/records/run-row.ts'
import { planDelete } from '../../../src/tracking/trash/delete-runs.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderTracked } from '../../../src/ui/views/run.ts'
import { type Workshop, workshop } from './support.ts'

const ID = '01JD3Z0000000000000000TEST'
const ROW: RunRow = {
  ...{ run: ID, model: null, status: 'finished', started: '2026-11-21T09:00:00.000Z', duration: 1, command: ['true'] },
  ...{ metrics: {}, params: {}, tags: [], exit: 0, signal: null, parent: null },
  artifacts: [{ path: 'model.joblib', sha256: 'a'.repeat(64), size: 3 }],
}

describe('After a run', () => {
  it('the next step is to register what it left, as the one model there is', () => {
    assert.equal(nextCommand(ROW, true, { churn: {} }), `mlops register churn --run ${ID}`)
    assert.equal(nextCommand(ROW, true, { churn: {}, other: {} }), `mlops register MODEL --run ${ID}`)
    assert.equal(nextCommand({ ...ROW, model: 'own' }, true, { churn: {} }), `mlops register own --run ${ID}`)
    assert.equal(nextCommand({ ...ROW, artifacts: [] }, true, { churn: {} }), null, 'there is nothing to register')
    assert.equal(nextCommand(ROW, false, { churn: {} }), null)
  })

  it('it is said when nothing was recognised, or no data was declared', () => {
    const style = createStyle({ color: false, unicode: true })
    const ui = createUi({ style, width: 80, now: new Date(), quiet: false })
    const said = (row: Partial<RunRow>, hasData: boolean): string =>
      renderTracked(ui, style, { ...ROW, ...row, intents: null, snapshot: null, next: null }, hasData)
    assert.match(said({}, true), /no metric was recognised: print `name: number`/)
    assert.doesNotMatch(said({ metrics: { auc: 1 } }, true), /recognised|declared/)
    assert.match(said({ metrics: { auc: 1 } }, false), /no data was declared: --data NAME=PATH/)
    assert.doesNotMatch(said({ status: 'failed' }, false), /recognised|declared/)
  })
})

describe('A run that goes on', () => {
  let shop: Workshop
  before(async () => {
    shop = await workshop()
  })
  after(() => shop?.remove())

  it('is not deleted, and it is said how to end it', async () => {
    const running = shop.track(['sh', '-c', 'until [ -e done ]; do sleep 0.05; done'])
    while ((await shop.store.runs.list()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    const refused = planDelete(shop.context(), shop.store, { runs: ['@last'] })
    await assert.rejects(refused, { code: 'RUN_RUNNING', hint: `End it first: kill ${process.pid}` })
    shop.write('done', '')
    await running
  })
})
