/** The next step that status suggests is one that works. */
import assert from 'node:assert/strict'
import type { Json } from '../../../src/core/canonical-json.ts'
import { sha256 } from '../../../src/core/digest.ts'
import { parseModelRef } from '../../../src/core/names.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import { stageAfter } from '../../../src/lifecycle/status/next-step.ts'
import { fleetStatus } from '../../../src/lifecycle/status/status.ts'
import type { ModelConfig } from '../../../src/project/config.ts'
import { resolveVersion } from '../../../src/store/resolve.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderStatus } from '../../../src/ui/views/status.ts'
import { addVersion, BOB, gate, MODEL, rejection, type World, world } from './fixture.ts'
import { addRun } from './run-fixture.ts'

describe('The next step', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
  })
  afterEach(() => w.remove())

  const status = (config: Partial<ModelConfig> = {}) => fleetStatus(w.ctx, w.project(config), w.store)
  const shown = async (config: Partial<ModelConfig> = {}) => {
    const style = createStyle({ color: false, unicode: true })
    const ui = createUi({ style, width: Number.POSITIVE_INFINITY, now: w.ctx.now(), quiet: false })
    return renderStatus(ui, await status(config))
  }
  const up = (version: number, stage = 'production') =>
    promote(w.ctx, w.project(), w.store, {
      ref: parseModelRef(`${MODEL}@${version}`),
      stage,
      approve: ['ada'],
    })
  let minute = 0
  const check = (version: number, verdict: string, rows = 20_000, source = 'june.csv') =>
    w.store.checks.put(MODEL, sha256(`${version}${verdict}${rows}${source}`), {
      model: MODEL,
      version,
      verdict,
      time: new Date(w.ctx.now().getTime() + minute++ * 1000).toISOString(),
      summary: `it is ${verdict}`,
      reference: { name: `baseline of ${MODEL}@${version}`, rows: 17_000 },
      current: { source, rows },
    } as Json)

  it('goes from stage to stage, production last, and asks for a name there', async () => {
    assert.equal(stageAfter(['staging', 'production'], []), 'staging')
    assert.equal(stageAfter(['production', 'staging', 'canary'], ['staging']), 'canary')
    assert.equal(stageAfter(['staging', 'production'], ['staging', 'production']), null)
    await addVersion(w)
    assert.equal((await status()).next?.command, `mlops promote ${MODEL}@1 --to staging`)
    await up(1, 'staging')
    assert.equal((await status()).next?.command, `mlops promote ${MODEL}@1 --to production --approve NAME`)
  })

  it('is no promotion that the gate certainly refuses; it says why', async () => {
    const config = { gates: { production: gate({ min: { auc: 0.8 } }) } }
    await addVersion(w, { baseline: true })
    await up(1)
    await check(1, 'drift')
    await addVersion(w, { metrics: { auc: 0.7 } })
    await up(2, 'staging')
    const { next, models } = await status(config)
    assert.equal(next?.command, `mlops retrain ${MODEL} --reason "drift in june.csv"`)
    assert.equal(models[0]?.pending[0]?.outlook.verdict, 'refuses')
    assert.match(await shown(config), /refuses it: min_auc fails: required auc >= 0\.8, actual 0\.7/)
  })

  it('is a look first, where the champion has to be scored to know', async () => {
    const config = {
      evaluate: 'false {model} {data}',
      gates: { production: gate({ min: { auc: 0.5 }, compareTo: 'production' }) },
    }
    await addVersion(w, { baseline: true, metrics: { auc: 0.9 }, test: 'may' })
    await up(1)
    await check(1, 'stable')
    await addVersion(w, { metrics: { auc: 0.8 }, test: 'june' })
    await up(2, 'staging')
    assert.equal((await status(config)).next?.command, `mlops promote ${MODEL}@2 --to production --dry-run`)
    // Without a way to score it the gate refuses for certain: then the next gap of the fleet is what there is to do.
    const { next, models } = await status({ gates: config.gates })
    assert.equal(models[0]?.pending[0]?.outlook.verdict, 'refuses')
    assert.match(next?.why ?? '', /^monitoring of churn-model: nobody is told/)
  })

  it('after a rollback says from what, and is the retraining that is not held back', async () => {
    await addVersion(w, { baseline: true })
    await addVersion(w)
    await up(1)
    await up(2)
    await rollback(w.as(BOB), w.project(), w.store, { model: MODEL, stage: 'production', reason: 'odd' })
    await check(1, 'drift')
    const { next, models } = await status()
    assert.equal(models[0]?.production?.from, 2)
    assert.equal(next?.command, `mlops retrain ${MODEL} --force --reason "what was changed"`)
    assert.match(next?.why ?? '', /drifts, and was rolled back from @2/)
    assert.match(await shown(), /since 2026-01-01 \d\d:\d\d UTC .*bob@desk rolled back to it from @2: "odd"/)
  })

  it('after a retraining that failed is a look at it; one that runs needs none', async () => {
    await addVersion(w, { baseline: true })
    await up(1)
    await check(1, 'drift')
    const champion = (await w.store.models.state(MODEL)).stages.production?.manifest ?? ''
    const begin = { kind: 'begin', cause: 'drift', champion, time: w.ctx.now().toISOString() }
    await w.store.claims.take(MODEL, 'jobs/retrain', 1, begin as Json)
    await w.store.claims.beat(MODEL, 'jobs/retrain')
    assert.equal((await status()).models[0]?.retraining?.outcome, 'running')
    assert.equal((await status()).next, null)
    const failure = { exitCode: 1, lastLine: 'KeyError: tenure' }
    const end = { ...begin, kind: 'end', outcome: 'failed', run: 'RUN1', version: null, message: 'x', failure }
    await w.store.claims.take(MODEL, 'jobs/retrain', 2, end as Json)
    const { next } = await status()
    assert.equal(next?.command, 'mlops run show RUN1')
    assert.match(next?.why ?? '', /mlops retrain churn-model --force --reason/)
    assert.match(await shown(), /the last retraining failed .*exit code 1: KeyError: tenure \(run RUN1\)/)
    // Interrupted afterwards: the failure still stands. Under another production version it says nothing.
    const stopped = { ...end, outcome: 'interrupted' }
    await w.store.claims.take(MODEL, 'jobs/retrain', 3, stopped as Json)
    assert.equal((await status()).next?.command, 'mlops run show RUN1')
    await addVersion(w, { baseline: true })
    await up(2)
    assert.equal((await status()).models[0]?.retraining, null)
  })

  it('puts a production model that nobody checked before the wish of another run', async () => {
    await addVersion(w, { baseline: true })
    await up(1)
    await addRun(w, { intents: [{ format: 1, kind: 'register', model: 'other', tags: [] }] })
    const report = await status()
    assert.equal(report.intents.length, 1, 'the wish waits')
    assert.equal(report.next?.command, `mlops drift ${MODEL} --current DATA`)
    await check(1, 'stable')
    assert.match((await status()).next?.command ?? '', /^mlops register other/)
  })

  it('is judged by a check whose size is said: 19 rows do not hide 20,000', async () => {
    await addVersion(w, { baseline: true })
    await up(1)
    await check(1, 'drift')
    await check(1, 'inconclusive', 19, 'slice.csv')
    const { health } = (await status()).models[0] ?? {}
    assert.deepEqual([health?.rows, health?.small, health?.before?.verdict], [19, true, 'drift'])
    assert.match(await shown(), /on slice\.csv \(19 rows\), a small check[\s\S]*before that: drift.* on 20,000 rows/)
  })

  it('is the same wherever it is printed, and points to a list of versions', async () => {
    await addVersion(w)
    const state = await w.store.models.state(MODEL)
    const missing = (ref: string) =>
      rejection(Promise.resolve().then(() => resolveVersion(state, parseModelRef(ref), 'newest')))
    assert.equal((await missing(`${MODEL}@9`)).hint, `See them: mlops model history ${MODEL}`)
    assert.equal((await missing(`${MODEL}@production`)).hint, `See what is where: mlops status ${MODEL}`)
    await up(1)
    const nothing = await rejection(rollback(w.ctx, w.project(), w.store, { model: MODEL, stage: 'production' }))
    assert.match(nothing.hint ?? '', /--to production --approve NAME --reason TEXT$/)
  })

  it('for a stage that was cut short is the whole word', async () => {
    await addVersion(w)
    assert.equal((await rejection(up(1, 'prod'))).hint, 'Did you mean production?')
    assert.ok(!(await rejection(up(1, 'qa'))).hint?.includes('are listed'))
  })
})
