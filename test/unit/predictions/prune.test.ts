/** Pruning takes whole days that are over, with their labels, and nothing else. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keepFor } from '../../../src/predictions/home.ts'
import { applyPrune, planPrune } from '../../../src/predictions/prune.ts'
import type { Project } from '../../../src/project/config.ts'
import { defaultModel } from '../../../src/project/config-read.ts'
import { MODEL, many, NOW, type TestLog, testLog } from './support.ts'

let test: TestLog
beforeEach(() => {
  test = testLog()
})
afterEach(() => test.remove())

const project = (keep?: string): Project => ({
  root: test.path,
  storeRoot: join(test.path, '.mlops'),
  config: {
    ...{ store: '.mlops', stages: ['staging', 'production'] },
    models: keep === undefined ? {} : { [MODEL]: { ...defaultModel(), predictions: { keep, drop: [], sample: 1 } } },
  },
})
const plan = (flag?: string, configured?: string) =>
  planPrune(test.ctx, test.home, MODEL, keepFor(project(configured), MODEL, flag))

describe('Pruning', () => {
  it('keeps 90 days unless mlops.yaml or a flag says otherwise', async () => {
    for (const day of ['2026-08-22', '2026-08-23', '2026-11-10', '2026-11-21']) test.write(many(day, 3))
    const dates = async (...args: Parameters<typeof plan>) => (await plan(...args)).days.map(({ date }) => date)
    assert.deepEqual(await dates(), ['2026-08-22'])
    assert.deepEqual(await dates(undefined, '20d'), ['2026-08-22', '2026-08-23'])
    assert.deepEqual(await dates('7d', '20d'), ['2026-08-22', '2026-08-23', '2026-11-10'])
    // Today is never pruned.
    assert.deepEqual(await dates('1s'), ['2026-08-22', '2026-08-23', '2026-11-10'])
    await assert.rejects(async () => plan('soon'), { code: 'KEEP_INVALID', exit: 'usage' })
  })

  it('plans without changing anything, then removes what was planned with its labels', async () => {
    test.write(many('2026-08-01', 3))
    test.raw(
      '2026-08-01',
      'labels/label.jsonl',
      '{"v":1,"id":"2026-08-01-0","time":"2026-09-01T00:00:00Z","label":1}\n',
    )
    test.write(many('2026-11-10', 3))
    const unmatched = join(test.home.folder, 'unmatched')
    mkdirSync(unmatched)
    for (const [name, days] of [
      ['old', 100],
      ['young', 1],
    ] as const) {
      writeFileSync(join(unmatched, `${name}.jsonl`), '{"v":1,"id":"?","time":"2026-08-01T00:00:00Z","label":1}\n')
      const time = new Date(NOW.getTime() - days * 864e5)
      utimesSync(join(unmatched, `${name}.jsonl`), time, time)
    }
    // A pruning that was killed between its rename and the end.
    mkdirSync(join(test.home.folder, '.pruned-2026-07-01-abc'))
    const planned = await plan()
    assert.deepEqual([planned.days.length, planned.unmatched, planned.before], [1, 1, '2026-08-23'])
    assert.ok(existsSync(join(test.home.folder, 'date=2026-08-01')))
    const done = await applyPrune(test.ctx, test.home, planned)
    assert.equal(done.removed, true)
    assert.deepEqual(readdirSync(test.home.folder).sort(), ['date=2026-11-10', 'unmatched'])
    assert.deepEqual(readdirSync(unmatched), ['young.jsonl'])
    assert.deepEqual((await plan()).days, [])
  })
})
