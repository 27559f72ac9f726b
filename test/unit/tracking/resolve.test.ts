/** How a person names a run: ids, beginnings, @last, @best. */
import assert from 'node:assert/strict'
import { resolveRun } from '../../../src/tracking/records/resolve-run.ts'
import { FIRST, type Shelf, shelf } from './list-store.ts'

describe('A run is named by', () => {
  let runs: Shelf
  beforeEach(async () => {
    runs = await shelf()
  })
  afterEach(() => runs.remove())
  const resolve = (reference: string, options = {}) => resolveRun(runs.ctx, runs.store, reference, options)

  it('its id or the beginning of it, in any case', async () => {
    const [a, b] = [await runs.run({}), await runs.run({})]
    assert.equal(await resolve(a), a)
    assert.equal(await resolve(b.slice(0, 10).toLowerCase()), b)
    await assert.rejects(resolve(a.slice(0, 4)), { code: 'RUN_AMBIGUOUS', exit: 'usage' })
    await assert.rejects(resolve('01ZZZ'), { code: 'RUN_NOT_FOUND', exit: 'notFound' })
    await assert.rejects(resolve(''), { code: 'EMPTY_VALUE', message: /is a variable unset/ })
  })

  it('its place among the newest', async () => {
    await assert.rejects(resolve('@last'), { code: 'RUN_NOT_FOUND', message: /no runs in this store yet/ })
    const [a, b, c] = [
      await runs.run({ model: 'm' }),
      await runs.run({ status: 'failed' }),
      await runs.run({ isRunning: true }),
    ]
    assert.deepEqual(await Promise.all(['@last', '@last~0', '@last~', '@LAST~2'].map((each) => resolve(each))), [
      c,
      c,
      b,
      a,
    ])
    assert.equal(await resolve('@last', { model: 'm' }), a)
    assert.equal(await resolve('@last~1', { model: 'm', orNone: true }), b)
    await assert.rejects(resolve('@last~3'), {
      code: 'RUN_NOT_FOUND',
      message: '@last~3 names no run: there are only 3 runs in this store.',
    })
    await assert.rejects(resolve('@last~1', { model: 'm' }), {
      message: '@last~1 names no run: there is only 1 run of m.',
    })
  })

  it('the best value of a metric, by what the name says or by what is said', async () => {
    const [a, b] = [
      await runs.run({ metrics: { auc: 0.9, loss: 3 } }),
      await runs.run({ metrics: { auc: 0.8, loss: 1, 'a:min': 1 } }),
    ]
    await runs.run({ metrics: { auc: 0.99, loss: 0 }, status: 'failed' })
    await runs.run({ metrics: { auc: 0.99 }, isRunning: true })
    await runs.run({ metrics: { auc: 'Infinity', loss: '-Infinity' } })
    assert.equal(await resolve('@best:auc'), a)
    assert.equal(await resolve('@best:loss'), b)
    assert.equal(await resolve('@best:loss:max'), a)
    assert.equal(await resolve('@BEST:auc:MIN'), b)
    assert.equal(await resolve('@best:a:min'), b)
  })

  it('the best of one model, where a command has one', async () => {
    const [a, b, c] = [
      await runs.run({ model: 'churn', metrics: { auc: 0.7 } }),
      await runs.run({ model: 'fraud', metrics: { auc: 0.9 } }),
      await runs.run({ metrics: { auc: 0.8 } }),
    ]
    assert.equal(await resolve('@best:auc', { model: 'churn' }), a)
    assert.equal(await resolve('@best:auc', { model: 'churn', orNone: true }), c)
    assert.equal(await resolve('@best:auc'), b)
    await assert.rejects(resolve('@best:auc', { model: 'none' }), { message: 'No run of none has finished yet.' })
  })

  it('the best: of equals the newest, but no repetition of another', async () => {
    await runs.run({ metrics: { auc: 0.9 } })
    const original = await runs.run({ metrics: { auc: 0.9 } })
    await runs.run({ metrics: { auc: 0.9 }, start: { reproduces: original } })
    assert.equal(await resolve('@best:auc'), original)
  })

  it('nothing else, and is told what it may be', async () => {
    await runs.run({ metrics: { auc: 0.9, rmse: 'NaN' } })
    await assert.rejects(resolve('@best:acu'), { code: 'RUN_NOT_FOUND', hint: 'Did you mean @best:auc?' })
    await assert.rejects(resolve('@best:zzz'), { hint: 'They have: auc, rmse' })
    await assert.rejects(resolve('@best'), { code: 'RUN_REFERENCE_INVALID', exit: 'usage', message: /by which metric/ })
    await assert.rejects(resolve('churn@2'), { code: 'RUN_REFERENCE_INVALID', hint: /mlops model show churn@2/ })
    await assert.rejects(resolve('@first'), { code: 'RUN_REFERENCE_INVALID', hint: /@last~2/ })
    await assert.rejects(resolve('@last~x'), { code: 'RUN_REFERENCE_INVALID' })
  })

  it('an id that holds its time', async () => {
    const id = await runs.run({})
    const { ulidTime } = await import('../../../src/core/ulid.ts')
    assert.equal(ulidTime(id), FIRST)
  })
})
