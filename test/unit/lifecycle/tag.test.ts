/** Tags on versions: what is written, what is not, and many at once. */
import assert from 'node:assert/strict'
import { parseModelRef } from '../../../src/core/names.ts'
import { history } from '../../../src/lifecycle/versions/history.ts'
import { listModels } from '../../../src/lifecycle/versions/list.ts'
import { tagVersion } from '../../../src/lifecycle/versions/tag.ts'
import { addVersion, BOB, MODEL, rejection, type World, world } from './fixture.ts'

describe('Tags of a version', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    await addVersion(w, { tags: ['candidate'] })
  })
  afterEach(() => w.remove())

  const tag = (add: readonly string[], remove: readonly string[] = [], more: object = {}) =>
    tagVersion(w.ctx, w.store, { ref: parseModelRef(`${MODEL}@1`), add, remove, ...more })
  const events = async () => (await w.store.models.state(MODEL)).events

  it('are put on and taken off, each change an event with its author', async () => {
    const first = await tag(['gold', ' for emea ', 'gold'])
    assert.deepEqual(
      [first.tags, first.added],
      [
        ['candidate', 'gold', 'for emea'],
        ['gold', 'for emea'],
      ],
    )
    const second = await tagVersion(w.as(BOB), w.store, {
      ref: parseModelRef(MODEL),
      add: ['candidate', 'silver'],
      remove: ['gold', 'never there'],
    })
    assert.deepEqual(
      [second.tags, second.added, second.removed],
      [['candidate', 'for emea', 'silver'], ['silver'], ['gold']],
    )
    const [newest] = history(await w.store.models.state(MODEL))
    assert.deepEqual([newest?.type, newest?.by, newest?.tags], ['tag', BOB, { add: ['silver'], remove: ['gold'] }])
    const [summary] = await listModels(w.store)
    assert.deepEqual(summary?.tagged, [{ version: 1, tags: ['candidate', 'for emea', 'silver'] }])
  })

  it('are not written again when they are so already', async () => {
    const result = await tag(['candidate'], ['never there'])
    assert.deepEqual([result.event, result.added, result.removed, result.tags], [null, [], [], ['candidate']])
    assert.equal((await tag([])).event, null)
    assert.equal((await events()).length, 1)
  })

  it('give the first result to a job that is repeated with its key', async () => {
    const first = await tag(['gold'], [], { idempotencyKey: 'job-1' })
    await tag([], ['gold'])
    const again = await tag(['gold'], [], { idempotencyKey: 'job-1' })
    assert.deepEqual([again.event, again.added], [first.event, ['gold']])
    assert.equal((await events()).length, 3)
    const other = await rejection(tag(['silver'], [], { idempotencyKey: 'job-1' }))
    assert.deepEqual([other.code, other.exitCode], ['IDEMPOTENCY_MISMATCH', 5])
  })

  it('of many people at once are all there, and the same one once', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, () => w.reopen()))
    await Promise.all(
      stores.map((store, n) =>
        tagVersion(w.ctx, store, { ref: parseModelRef(`${MODEL}@1`), add: [`t${n}`, 'all'], remove: [] }),
      ),
    )
    const { tags } = await tag([])
    assert.deepEqual([...tags].sort(), ['all', 'candidate', 't0', 't1', 't2', 't3', 't4', 't5', 't6', 't7'])
    const added = (await events()).flatMap((event) => (event.type === 'tag' ? event.body.add : []))
    assert.equal(added.filter((each) => each === 'all').length, 1)
  })

  it('are refused when they are no words, too many, or both at once', async () => {
    for (const [add, remove, code] of [
      [[''], [], 'TAG_INVALID'],
      [['a\nb'], [], 'TAG_INVALID'],
      [['x'.repeat(129)], [], 'TAG_INVALID'],
      [['a'], ['a'], 'TAG_TWICE'],
      [Array.from({ length: 200 }, (_, n) => `t${n}`), [], 'TAGS_TOO_MANY'],
    ] as const) {
      const error = await rejection(tag(add, remove))
      assert.deepEqual([error.code, error.exitCode], [code, 2])
    }
    assert.equal((await events()).length, 1)
  })
})
