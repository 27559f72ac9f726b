/** What people say of a run later: tags, notes, who and when; and what `verify` makes of it. */
import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { verifyStore } from '../../../src/store/verify.ts'
import { noteRun, tagRun, tagRuns } from '../../../src/tracking/records/annotate.ts'
import { noteFrom } from '../../../src/tracking/records/note-text.ts'
import { showRun } from '../../../src/tracking/records/run-summary.ts'
import { type Shelf, shelf } from './list-store.ts'

describe('What is said of a run later', () => {
  let runs: Shelf
  let id: string
  beforeEach(async () => {
    runs = await shelf()
    id = await runs.run({ tags: ['draft'] })
  })
  afterEach(() => runs.remove())
  const tag = (add: readonly string[], remove: readonly string[] = [], ctx = runs.ctx) =>
    tagRun(ctx, runs.store, '@last', { add, remove })
  const files = () => readdirSync(join(runs.root, 'runs', id, 'annotations')).sort()

  it("puts tags on and takes them off, the run's own among them; the record of the run stays", async () => {
    const before = readFileSync(join(runs.root, 'runs', id, 'end.json'))
    assert.deepEqual((await tag(['gold', ' gold ', 'q4'], ['draft'])).tags, ['gold', 'q4'])
    assert.deepEqual((await tag([], ['q4'])).tags, ['gold'])
    assert.deepEqual((await tag(['draft'])).tags, ['gold', 'draft'])
    assert.deepEqual((await showRun(runs.ctx, runs.store, id)).tags, ['gold', 'draft'])
    assert.deepEqual(readFileSync(join(runs.root, 'runs', id, 'end.json')), before)
  })

  it('puts tags on several runs, on none where one of them is not there', async () => {
    const other = await runs.run({})
    const all = (...references: string[]) => tagRuns(runs.ctx, runs.store, references, { add: ['x'], remove: [] })
    await assert.rejects(all('@last', 'gold'), {
      code: 'TAG_NOT_ADDED',
      hint: 'Write mlops run tag @last --add gold',
    })
    await assert.rejects(all('gold'), { code: 'RUN_NOT_FOUND' })
    assert.deepEqual((await showRun(runs.ctx, runs.store, other)).tags, [])
    const tagged = await all('@last', id, '@last~1')
    assert.deepEqual(
      tagged.map(({ run, tags }) => [run, tags]),
      [
        [other, ['x']],
        [id, ['draft', 'x']],
      ],
    )
  })

  it('says who said what, and when', async () => {
    await tag(['gold'])
    const bob = { ...runs.ctx, actor: { name: 'bob@test', origin: 'local' } as const }
    const { history } = await tag([], ['gold'], bob)
    assert.deepEqual(
      history.map(({ add, remove, by }) => [add, remove, by]),
      [
        [['gold'], [], 'ada@test'],
        [[], ['gold'], 'bob@test'],
      ],
    )
  })

  it('writes nothing for what is so already', async () => {
    assert.deepEqual((await tag(['draft'], ['gone'])).history, [])
    assert.equal((await tag(['gold'])).added.length, 1)
    assert.equal((await tag(['gold'])).added.length, 0)
    assert.equal(files().length, 1)
  })

  it('takes the last word for the last though its clock was behind', async () => {
    await tag(['gold'])
    const early = { ...runs.ctx, now: () => new Date(runs.ctx.now().getTime() - 3_600_000) }
    assert.deepEqual((await tag([], ['gold'], early)).tags, ['draft'])
    assert.deepEqual((await showRun(runs.ctx, runs.store, id)).tags, ['draft'])
  })

  it('refuses what is no tag, and both at once', async () => {
    await assert.rejects(tag(['']), { code: 'TAG_INVALID' })
    await assert.rejects(tag(['ghp_0123456789abcdefghijklmnopqrstuvwxyz']), {
      code: 'TAG_INVALID',
      message: /looks like a secret/,
    })
    await assert.rejects(tag(['a'], ['a']), { code: 'TAG_TWICE' })
    await assert.rejects(tag(Array.from({ length: 201 }, (_, at) => `t${at}`)), { code: 'TAGS_TOO_MANY' })
    await assert.rejects(tagRun(runs.ctx, runs.store, '01ZZZ', { add: ['a'], remove: [] }), { code: 'RUN_NOT_FOUND' })
  })

  it('works while the run goes on', async () => {
    const going = await runs.run({ isRunning: true, tags: ['live'] })
    assert.deepEqual((await tag(['watch'])).tags, ['live', 'watch'])
    assert.deepEqual(
      (await noteRun(runs.ctx, runs.store, going, 'too slow')).notes.map(({ text }) => text),
      ['too slow'],
    )
  })

  it('keeps every note, its lines, and no secret', async () => {
    const first = await noteRun(runs.ctx, runs.store, id, 'with the June data\r\npassword=hunter2secret \n')
    assert.equal(first.added, 'with the June data\npassword=[redacted]')
    const { notes } = await noteRun(runs.ctx, runs.store, id, 'second')
    assert.deepEqual(
      notes.map(({ text, by }) => [text, by]),
      [
        ['with the June data\npassword=[redacted]', 'ada@test'],
        ['second', 'ada@test'],
      ],
    )
    assert.deepEqual((await showRun(runs.ctx, runs.store, id)).notes, notes)
    await assert.rejects(noteRun(runs.ctx, runs.store, id, ' \n '), { code: 'NOTE_EMPTY' })
    await assert.rejects(noteRun(runs.ctx, runs.store, id, 'x'.repeat(10_001)), { code: 'NOTE_TOO_LONG' })
    assert.equal((await noteRun(runs.ctx, runs.store, id, undefined)).notes.length, 2)
  })

  it('reads a note from standard input, but not without end', async () => {
    const from = (text: string) => noteFrom({ ...runs.ctx, stdin: Readable.from([Buffer.from(text)]) }, '-')
    assert.equal(await from('größe\nzwei'), 'größe\nzwei')
    assert.equal(await noteFrom(runs.ctx, 'typed'), 'typed')
    await assert.rejects(from('x'.repeat(100_000)), { code: 'NOTE_TOO_LONG' })
  })

  describe('and store verify', () => {
    it('finds nothing wrong with it', async () => {
      await tag(['gold'])
      await noteRun(runs.ctx, runs.store, id, 'fine')
      const { damages } = await verifyStore(runs.root)
      assert.deepEqual(damages, [])
    })

    it('names a flipped bit; readers go on without that word', async () => {
      await tag(['gold'])
      await tag(['silver'])
      const [first = ''] = files()
      const file = join(runs.root, 'runs', id, 'annotations', first)
      chmodSync(file, 0o644)
      writeFileSync(file, readFileSync(file, 'utf8').replace('gold', 'bold'))
      assert.deepEqual((await showRun(runs.ctx, runs.store, id)).tags, ['draft', 'silver'])
      const { damages } = await verifyStore(runs.root)
      assert.deepEqual(
        damages.map((each) => each.file),
        [`runs/${id}/annotations/${first}`],
      )
    })

    it('names what was said of another run', async () => {
      await tag(['gold'])
      const other = await runs.run({})
      await tag(['silver'])
      const [first = ''] = files()
      renameSync(
        join(runs.root, 'runs', id, 'annotations', first),
        join(runs.root, 'runs', other, 'annotations', first),
      )
      const { damages } = await verifyStore(runs.root)
      assert.deepEqual(
        damages.map((each) => each.file),
        [`runs/${other}/annotations/${first}`],
      )
    })
  })
})
