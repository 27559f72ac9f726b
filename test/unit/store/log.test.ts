/** The event log of a model: numbers without holes, the chain, compare-and-swap, idempotency, and damage by name. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalBytes } from '../../../src/core/canonical-json.ts'
import { sha256 } from '../../../src/core/digest.ts'
import { type Files, nodeFiles } from '../../../src/store/files.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Store } from '../../../src/store/store.ts'
import { draft, manifest, promote, refusal, register, rollback, temporaryStore } from './support.ts'

const logOf = (store: Store, model = 'churn-model'): string => join(store.root, 'models', model, 'log')

const eventFile = (store: Store, n: number): string => join(logOf(store), `${String(n).padStart(10, '0')}.json`)

function rewrite(path: string, change: (text: string) => string): void {
  const text = readFileSync(path, 'utf8')
  chmodSync(path, 0o644)
  writeFileSync(path, change(text))
}

async function threePromoted(): Promise<Store> {
  const store = await temporaryStore()
  for (const text of ['one', 'two', 'three']) await register(store, text)
  for (const version of [1, 2, 3]) await promote(store, version)
  return store
}

describe('the log of a model', () => {
  it('numbers events without holes and chains them by the digest of their bytes', async () => {
    const store = await threePromoted()
    let prev = sha256(readFileSync(join(store.root, 'registry.json')))
    for (const [index, name] of readdirSync(logOf(store)).sort().entries()) {
      const bytes = readFileSync(join(logOf(store), name))
      const event = JSON.parse(bytes.toString())
      assert.equal(event.seq, index + 1)
      assert.equal(event.prev, prev)
      assert.deepEqual(canonicalBytes(event), bytes, 'not canonical JSON')
      const { self, ...rest } = event
      assert.equal(self, sha256(canonicalBytes(rest)))
      prev = sha256(bytes)
    }
    assert.equal(readdirSync(logOf(store)).length, 6)
  })

  it('gives back on reading what the commit returned', async () => {
    const store = await temporaryStore()
    const result = await register(store, 'one')
    assert.ok(result.kind === 'committed')
    assert.deepEqual((await store.models.state('churn-model')).events, [result.event])
  })

  it('lets promote push and rollback pop: 1, 2, 3, then 2, then 1; promote 4, then 1 again', async () => {
    const store = await threePromoted()
    const inProduction = async (): Promise<number | undefined> =>
      (await store.models.state('churn-model')).stages.production?.version
    assert.equal(await inProduction(), 3)
    await rollback(store)
    assert.equal(await inProduction(), 2)
    await rollback(store)
    assert.equal(await inProduction(), 1)
    await register(store, 'four')
    await promote(store, 4)
    await rollback(store)
    assert.equal(await inProduction(), 1)
    assert.equal((await store.models.state('churn-model')).stages.production?.back, null)
  })

  it('answers an operation that was done with its first event, and writes nothing', async () => {
    const store = await temporaryStore()
    const first = await register(store, 'one', { op_id: 'ci-42' })
    const again = await register(store, 'one', { op_id: 'ci-42' })
    assert.ok(first.kind === 'committed' && again.kind === 'already')
    assert.deepEqual(again.event, first.event)
    assert.equal(readdirSync(logOf(store)).length, 1)
  })

  it('recognises its own event also when it learns of it only by losing', async () => {
    const store = await temporaryStore()
    const before = await store.models.stateOrEmpty('churn-model')
    const { sha256: digest } = await manifest(store, 'one')
    const same = draft('register', { version: 1, manifest: digest, tags: [] })
    assert.equal((await store.models.commit(before, same)).kind, 'committed')
    assert.equal((await store.models.commit(before, same)).kind, 'already')
  })

  it('refuses an idempotency key that was used for another request', async () => {
    const store = await temporaryStore()
    await register(store, 'one', { op_id: 'ci-42' })
    const other = { op_id: 'ci-42', request: sha256('another') }
    const error = await refusal(() => register(store, 'two', other), 'conflict', 'IDEMPOTENCY_MISMATCH')
    assert.match(error.message, /ci-42.*event 1 of churn-model/)
  })

  it('tells the loser of a race what the model is now', async () => {
    const store = await temporaryStore()
    const before = await store.models.stateOrEmpty('churn-model')
    await register(store, 'one')
    const { sha256: digest } = await manifest(store, 'two')
    const lost = await store.models.commit(before, draft('register', { version: 1, manifest: digest, tags: [] }))
    assert.ok(lost.kind === 'lost')
    assert.equal(lost.state.versions.length, 1)
  })

  it('does not move a stage that is not what the event expects, not even there and back again', async () => {
    const store = await threePromoted()
    const seen = (await store.models.state('churn-model')).stages.production?.seq ?? 0
    assert.equal((await promote(store, 1, { expect: { production: seen } })).kind, 'committed')
    await rollback(store)
    const now = (await store.models.state('churn-model')).stages.production
    assert.equal(now?.version, 3, 'the same version is there again')
    const result = await promote(store, 2, { expect: { production: seen } })
    assert.ok(result.kind === 'lost')
    assert.equal(result.state.stages.production?.version, 3)
    assert.equal((await promote(store, 2, { expect: { staging: null } })).kind, 'committed')
  })

  it('refuses events that would be false: a wrong version number, a version or entry that does not exist', async () => {
    const store = await threePromoted()
    const state = await store.models.state('churn-model')
    const { sha256: digest } = await manifest(store, 'x')
    const bound = { manifest: digest, policy: sha256('p') }
    const gate = { verdict: 'pass' as const, checks: [], bound }
    for (const wrong of [
      draft('register', { version: 9, manifest: digest, tags: [] }),
      draft('promote', { stage: 'production', version: 9, from: null, gate }),
      draft('rollback', { stage: 'production', version: 1, from: 3, restores: 1, fit: 'skipped' }),
      draft('tag', { version: 9, add: ['x'], remove: [] }),
    ]) {
      await refusal(() => store.models.commit(state, wrong), 'failed', 'EVENT_INVALID')
    }
    assert.equal(readdirSync(logOf(store)).length, 6)
  })

  it('refuses a version whose files are not in the store', async () => {
    const store = await temporaryStore()
    const { sha256: digest } = await manifest(store, 'one')
    const file = sha256('one')
    rmSync(join(store.root, 'objects/sha256', file.slice(0, 2), file.slice(2)))
    const state = await store.models.stateOrEmpty('churn-model')
    const body = { version: 1, manifest: digest, tags: [] }
    const error = await refusal(() => store.models.commit(state, draft('register', body)), 'failed', 'OBJECT_MISSING')
    assert.match(error.message, /file model\.bin/)
    assert.deepEqual(await store.models.list(), [])
  })

  it('refuses an event of more than 64 KiB and says what to shorten', async () => {
    const store = await temporaryStore()
    const state = await store.models.stateOrEmpty('churn-model')
    const { sha256: digest } = await manifest(store, 'one')
    const body = { version: 1, manifest: digest, tags: [], message: 'x'.repeat(70_000) }
    await refusal(() => store.models.commit(state, draft('register', body)), 'usage', 'EVENT_TOO_LARGE')
    assert.deepEqual(await store.models.list(), [])
  })

  it('names the model one may have meant', async () => {
    const store = await temporaryStore()
    await register(store, 'one')
    const error = await refusal(() => store.models.state('chrun-model'), 'notFound', 'MODEL_NOT_FOUND')
    assert.equal(error.hint, 'Did you mean churn-model?')
    await refusal(() => store.models.state('../x'), 'usage', 'NAME_INVALID')
    assert.equal((await store.models.stateOrEmpty('new-model')).head, 0)
  })

  it('refuses a name that some file systems cannot tell from one that is there', async () => {
    const store = await temporaryStore()
    mkdirSync(join(store.root, 'models/Churn-Model'))
    await refusal(() => register(store, 'one'), 'usage', 'NAME_TAKEN')
  })

  it('lists models by name, without those that have no event', async () => {
    const store = await temporaryStore()
    await register(store, 'one', { model: 'zebra' })
    await register(store, 'one', { model: 'ant' })
    mkdirSync(join(store.root, 'models/empty'))
    assert.deepEqual(await store.models.list(), ['ant', 'zebra'])
  })
})

describe('a damaged log', () => {
  const damages: readonly [string, (store: Store) => void, number][] = [
    ['an event is gone', (store) => rmSync(eventFile(store, 2)), 2],
    ['an event is empty', (store) => rewrite(eventFile(store, 3), () => ''), 3],
    ['the newest event is cut short', (store) => rewrite(eventFile(store, 6), (text) => text.slice(0, -30)), 6],
    [
      'a letter of the newest event was changed',
      (store) => rewrite(eventFile(store, 6), (t) => t.replace('ada', 'bob')),
      6,
    ],
    [
      'a letter of an older event was changed',
      (store) => rewrite(eventFile(store, 3), (t) => t.replace('ada', 'bob')),
      3,
    ],
    [
      'an event is another one',
      (store) => rewrite(eventFile(store, 3), () => readFileSync(eventFile(store, 2), 'utf8')),
      3,
    ],
  ]
  for (const [what, damage, culprit] of damages) {
    it(`is refused with the name of the file when ${what}`, async () => {
      const store = await threePromoted()
      damage(store)
      const error = await refusal(() => store.models.state('churn-model'), 'failed', 'LOG_DAMAGED')
      assert.equal(error.details?.file, eventFile(store, culprit))
      await refusal(() => register(store, 'x'), 'failed', 'LOG_DAMAGED')
    })
  }

  it('of one model does not hinder another', async () => {
    const store = await threePromoted()
    rmSync(eventFile(store, 2))
    assert.equal((await register(store, 'one', { model: 'other' })).kind, 'committed')
  })

  it('whose folder does not list what is in it ends in one error, not in trying for ever', async () => {
    const store = await temporaryStore()
    await register(store, 'one')
    await register(store, 'two')
    const list: Files['list'] = (path) => nodeFiles.list(path).filter(({ name }) => name !== '0000000002.json')
    const blind = await openStore(store.root, { write: true, files: { ...nodeFiles, list } })
    const forEver = async (): Promise<void> => {
      for (;;) if ((await register(blind, 'three')).kind !== 'lost') return
    }
    const error = await refusal(forEver, 'failed', 'LOG_HIDDEN')
    assert.match(error.message, /0000000002\.json exists/)
  }).timeout(60_000)

  it('is not one that has files of other programs in it', async () => {
    const store = await threePromoted()
    for (const name of ['.DS_Store', '0000000009.json~', '0000000003 (copy).json']) {
      writeFileSync(join(logOf(store), name), 'x')
    }
    assert.equal((await store.models.state('churn-model')).head, 6)
  })
})
