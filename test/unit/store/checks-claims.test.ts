/** Checks are written once, claims are taken once. */
import assert from 'node:assert/strict'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../../src/core/digest.ts'
import type { CheckRecord } from '../../../src/store/store.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { refusal, temporaryStore } from './support.ts'

describe('checks', () => {
  it('are written once: a second one with the same key changes nothing', async () => {
    const store = await temporaryStore()
    const key = sha256('week 1')
    assert.equal(await store.checks.put('churn-model', key, { time: '1', verdict: 'stable' }), true)
    assert.equal(await store.checks.put('churn-model', key, { time: '2', verdict: 'drift' }), false)
    assert.deepEqual(await store.checks.get('churn-model', key), { time: '1', verdict: 'stable' })
    assert.equal(await store.checks.get('churn-model', sha256('week 2')), undefined)
    assert.equal(await store.checks.get('other-model', key), undefined)
  })

  it('are listed newest first by their time', async () => {
    const store = await temporaryStore()
    for (const time of ['2025-01-02', '2025-01-01', '2025-01-03']) {
      await store.checks.put('churn-model', sha256(time), { time })
    }
    const times = (await store.checks.list('churn-model')).map(({ record }) => (record as { time: string }).time)
    assert.deepEqual(times, ['2025-01-03', '2025-01-02', '2025-01-01'])
    assert.deepEqual(await store.checks.list('other-model'), [])
  })

  it('that are made again are the newest again, with the time of the last', async () => {
    const store = await temporaryStore()
    const key = sha256('later')
    await store.checks.put('churn-model', key, { time: '2025-01-01', verdict: 'drift' })
    await store.checks.put('churn-model', sha256('good'), { time: '2025-01-02', verdict: 'stable' })
    await store.checks.put('churn-model', key, { time: '2025-01-03', verdict: 'drift' })
    const last = await store.checks.newest('churn-model', () => true)
    assert.deepEqual([last?.key, last?.time], [key, '2025-01-03'])
    const all = await store.checks.list('churn-model')
    assert.deepEqual(
      all.map(({ time }) => time),
      ['2025-01-03', '2025-01-02'],
    )
    const { damages, warnings } = await verifyStore(store.root)
    assert.deepEqual([damages, warnings], [[], []])
  })

  it('give the newest that matches, without reading the older ones', async () => {
    const store = await temporaryStore()
    for (let n = 1; n <= 6; n++) {
      await store.checks.put('churn-model', sha256(`week ${n}`), { time: `2025-01-0${n}`, version: n % 2 })
    }
    // To read an older one would fail.
    writeFileSync(join(store.root, `models/churn-model/checks/${sha256('week 1')}.json`), 'damaged', { flag: 'r+' })
    const versionIs =
      (version: number) =>
      ({ record }: CheckRecord): boolean =>
        (record as { version: number }).version === version
    assert.equal((await store.checks.newest('churn-model', versionIs(0)))?.key, sha256('week 6'))
    assert.equal((await store.checks.newest('churn-model', versionIs(1)))?.key, sha256('week 5'))
    await refusal(() => store.checks.newest('churn-model', versionIs(2)), 'failed', 'RECORD_DAMAGED')
    assert.equal(await store.checks.newest('other-model', versionIs(0)), undefined)
  })

  it('give the newest also when its writer was killed before it listed it', async () => {
    const store = await temporaryStore()
    for (const time of ['2025-01-01', '2025-01-02']) {
      await store.checks.put('churn-model', sha256(time), { time })
    }
    rmSync(join(store.root, 'models/churn-model/checks/log/0000000002.json'))
    assert.equal((await store.checks.newest('churn-model', () => true))?.key, sha256('2025-01-02'))
  })

  it('keep numbers that JSON cannot hold', async () => {
    const store = await temporaryStore()
    await store.checks.put('churn-model', sha256('x'), { time: '1', effect: Number.NaN })
    assert.deepEqual(await store.checks.get('churn-model', sha256('x')), { time: '1', effect: 'NaN' })
  })

  it('are refused when a letter of them was changed', async () => {
    const store = await temporaryStore()
    const key = sha256('week 1')
    await store.checks.put('churn-model', key, { time: '1', verdict: 'stable' })
    const file = join(store.root, 'models/churn-model/checks', `${key}.json`)
    const text = readFileSync(file, 'utf8').replace('stable', 'stuble')
    chmodSync(file, 0o644)
    writeFileSync(file, text)
    const error = await refusal(() => store.checks.get('churn-model', key), 'failed', 'RECORD_DAMAGED')
    assert.ok(error.message.includes(file))
  })
})

describe('claims', () => {
  it('are taken by one only, and the next number supersedes', async () => {
    const store = await temporaryStore()
    const scope = 'jobs/drift-abc'
    assert.equal(await store.claims.newest('churn-model', scope), undefined)
    const takers = await Promise.all(
      ['a', 'b', 'c', 'd'].map((by) => store.claims.take('churn-model', scope, 1, { by })),
    )
    assert.equal(takers.filter((taken) => taken).length, 1)
    assert.equal(await store.claims.take('churn-model', scope, 2, { by: 'e' }), true)
    assert.deepEqual(await store.claims.newest('churn-model', scope), { number: 2, record: { by: 'e' } })
    assert.equal(await store.claims.newest('churn-model', 'jobs/other'), undefined)
  })

  it('cannot leave the folder of their model', async () => {
    const store = await temporaryStore()
    for (const scope of ['log', '../x', 'jobs/../../log', 'jobs//x', 'jobs/0000000001.json', '']) {
      await assert.rejects(() => store.claims.take('churn-model', scope, 1, {}), RangeError, scope)
    }
  })
})
