/** A rollback whose old version is evaluated again, with scikit-learn, on the rows of today whose truth has come. */
import assert from 'node:assert/strict'
import { assertMatchesSchema } from '../harness.ts'
import { openTerminal, skipWithoutTmux } from '../terminal.ts'
import { MODEL, type RollbackWorld, rollbackWorld } from './world.ts'

describe('A rollback on a day with labels', function () {
  this.timeout(240_000)

  describe('back to a model of the season that has come again', () => {
    let world: RollbackWorld
    before(async function () {
      const gate = '{min_auc: 0.75, approval: 1}'
      world = await rollbackWorld(this, { seasons: ['summer', 'winter'], gate })
      await world.serve(2, 'summer', 900, 7)
    })

    it('says that it fits, by its inputs and its AUC, and what production is worth', async () => {
      const { json } = await world.mlops(['rollback', MODEL, '--dry-run', '--json'])
      assertMatchesSchema('rollback', json)
      const { fit } = json.data
      assert.deepEqual([fit.verdict, fit.evaluation.verdict], ['fits', 'holds'])
      assert.match(
        fit.summary,
        /^@1 still fits today's data: no column drifted on 900 rows; auc 0\.8\d+ on 900 labelled rows of the last 7 days, 0\.8\d+ when it was registered; production now \(@2\): auc 0\.1\d+ on 900 labelled answers of its own$/,
      )
    })

    it('goes back and keeps the figures in the history', async () => {
      const { stdout } = await world.mlops(['rollback', MODEL, '--reason', 'scores upside down'])
      assert.match(stdout, /production is back from churn-model@2 to churn-model@1/)
      assert.match(stdout, /@1 still fits today's data/)
      const history = await world.mlops(['model', 'history', MODEL, '--limit', '1'])
      assert.match(history.stdout, /fit to the data of the day: fits/)
      assert.match(history.stdout, /evaluated again on 900 rows: auc 0\.8\d+ \(0\.8\d+ when it was registered\)/)
    })
  })

  describe('back to a model that is no longer true', () => {
    let world: RollbackWorld
    before(async function () {
      world = await rollbackWorld(this, { seasons: ['winter', 'summer'], test: 'parquet' })
      await world.serve(2, 'summer', 600, 8)
    })
    const current = async () =>
      (await world.mlops(['status', '--json'])).json.data.models[0].production.version as number

    it('is refused without a terminal, and names both figures and the way to insist', async () => {
      const { json } = await world.mlops(['rollback', MODEL, '--json'], { code: 3 })
      assert.equal(json.error?.code, 'ROLLBACK_UNFIT')
      assert.match(
        json.error?.message ?? '',
        /@1 does not fit today's data: no column drifted on 600 rows; auc 0\.1\d+ on 600/,
      )
      assert.match(json.error?.message ?? '', /a clear loss/)
      assert.match(json.error?.message ?? '', /production now \(@2\): fits: no column drifted on 600 rows, auc 0\.8\d+/)
      assert.match(json.error?.hint ?? '', /mlops rollback churn-model --yes$/)
      assert.equal(await current(), 2)
    })

    it('asks on a terminal, default no', async function () {
      skipWithoutTmux(this)
      const terminal = openTerminal({ cwd: world.project.dir, env: world.env })
      try {
        terminal.type('mlops() { node "$MLOPS_BINARY" "$@"; }; clear; mlops rollback churn-model')
        terminal.press('Enter')
        const asked = await terminal.waitFor(/all the same\?/)
        assert.match(asked, /@1 does not fit today's data/)
        terminal.press('Enter')
        await terminal.waitFor(/Not rolled back: production of churn-model stays at churn-model@2/)
      } finally {
        terminal.close()
      }
      assert.equal(await current(), 2)
    })

    it('goes back with --yes, or unseen with --no-verify, and the history says which', async () => {
      await world.mlops(['rollback', MODEL, '--yes'])
      const worse = await world.mlops(['model', 'history', MODEL, '--limit', '1', '--json'])
      assert.equal(worse.json.data.events[0].fit, 'worse')
      await world.mlops(['promote', `${MODEL}@2`, '--to', 'production', '--approve', 'ada'])
      await world.mlops(['rollback', MODEL, '--no-verify'])
      const unseen = await world.mlops(['model', 'history', MODEL, '--limit', '1', '--json'])
      assert.equal(unseen.json.data.events[0].fit, 'skipped')
    })
  })
})
