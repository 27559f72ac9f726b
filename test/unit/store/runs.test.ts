/** Runs: written by several processes, ended once, pinned, found by prefix, readable after any kill. */
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../../src/core/digest.ts'
import { openStore } from '../../../src/store/open.ts'
import { seal } from '../../../src/store/sealed.ts'
import { now, refusal, runEnd, runStart, TIME, temporaryStore } from './support.ts'

describe('runs', () => {
  it('are read as they were written, with every file pinned at the end', async () => {
    const store = await temporaryStore()
    const start = runStart({ model: 'churn-model' })
    const run = await store.runs.create(start)
    await run.append('metrics', [
      { t: TIME, key: 'auc', value: 0.8, step: 1 },
      { t: TIME, key: 'auc', value: Number.NaN, step: 2 },
    ])
    await run.append('metrics', [{ t: TIME, key: 'auc', value: 0.9, step: 3 }])
    await run.append('params', [{ t: TIME, key: 'depth', value: 3 }])
    await run.append('tags', [])
    writeFileSync(run.outputPath, 'epoch 1\n')
    const end = await run.end(runEnd({ metrics: { auc: 0.9 } }))

    assert.deepEqual(await store.runs.read(run.id), { start, end, silent: undefined })
    assert.deepEqual(await store.runs.stream(run.id, 'metrics'), [
      { t: TIME, key: 'auc', value: 0.8, step: 1 },
      { t: TIME, key: 'auc', value: 'NaN', step: 2 },
      { t: TIME, key: 'auc', value: 0.9, step: 3 },
    ])
    assert.deepEqual(await store.runs.stream(run.id, 'tags'), [])
    const paths = Object.keys(end.files).map((path) => path.replace(/[^/]+\.jsonl$/, '*'))
    assert.deepEqual(paths, ['metrics/*', 'output.log', 'params/*', 'run.json'])
    assert.deepEqual(end.files['output.log'], { sha256: sha256('epoch 1\n'), size: 8 })
  })

  it('cannot be begun or ended twice', async () => {
    const store = await temporaryStore()
    const start = runStart()
    const run = await store.runs.create(start)
    await refusal(() => store.runs.create(start), 'conflict', 'RUN_EXISTS')
    await run.end(runEnd())
    const before = readFileSync(join(run.dir, 'end.json'))
    await refusal(() => run.end(runEnd({ status: 'failed', exit: 1 })), 'conflict', 'RUN_ENDED')
    assert.deepEqual(readFileSync(join(run.dir, 'end.json')), before)
  })

  it('may find their folder there: the command was started first and its client has written', async () => {
    const store = await temporaryStore()
    const start = runStart()
    mkdirSync(join(store.root, 'runs', start.id, 'metrics'), { recursive: true })
    appendFileSync(join(store.root, 'runs', start.id, 'metrics/python-1.jsonl'), `{"key":"a","t":"x","value":1}\n`)
    assert.deepEqual(await store.runs.list(), [])
    const run = await store.runs.create(start)
    assert.deepEqual(await store.runs.list(), [run.id])
    assert.equal((await store.runs.stream(run.id, 'metrics')).length, 1)
    assert.ok('metrics/python-1.jsonl' in (await run.end(runEnd())).files)
  })

  it('lose a torn last line to a kill, and no other', async () => {
    const store = await temporaryStore()
    const run = await store.runs.create(runStart())
    mkdirSync(join(run.dir, 'metrics'))
    const whole = `{"key":"a","t":"x","value":1}\n`
    writeFileSync(join(run.dir, 'metrics/a.jsonl'), `${whole}${whole}{"key":"a","t":"x","val`)
    writeFileSync(join(run.dir, 'metrics/b.jsonl'), `${whole}\0\0\0\n[1]\n${whole}`)
    assert.equal((await store.runs.stream(run.id, 'metrics')).length, 4)
  })

  it('add at their end what was still being computed when they began', async () => {
    const store = await temporaryStore()
    const run = await store.runs.create(runStart())
    const data = [{ name: 'train', path: 'a.csv', kind: 'file' as const, sha256: sha256('a'), size: 1 }]
    await run.end(runEnd({ late: { data }, model: 'churn-model' }))
    const { start } = await store.runs.read(run.id)
    assert.deepEqual(start.data, data)
    assert.equal(start.model, 'churn-model')
  })

  it('tell how long one has been silent while it has no end', async () => {
    const store = await temporaryStore()
    const run = await store.runs.create(runStart())
    await run.beat()
    assert.equal((await store.runs.read(run.id)).silent, 0)
    const past = new Date(now().getTime() - 90_000)
    utimesSync(join(run.dir, 'alive'), past, past)
    assert.equal((await store.runs.read(run.id)).silent, 90)
    assert.equal((await store.runs.read(run.id)).end, undefined)
  })

  it('are found by @last, by a prefix in either case, or not at all', async () => {
    const store = await temporaryStore()
    await refusal(() => store.runs.resolve('@last'), 'notFound', 'RUN_NOT_FOUND')
    const ids: string[] = []
    for (let i = 0; i < 3; i++) ids.push((await store.runs.create(runStart())).id)
    const [first = '', , last = ''] = ids
    assert.deepEqual(await store.runs.list(), [...ids].reverse())
    assert.equal(await store.runs.resolve('@last'), last)
    assert.equal(await store.runs.resolve(first.toLowerCase().slice(0, 14)), first)
    const error = await refusal(() => store.runs.resolve(first.slice(0, 4)), 'usage', 'RUN_AMBIGUOUS')
    assert.deepEqual(error.details?.matches, [...ids].reverse())
    for (const none of ['ZZZ', '', '../x']) await refusal(() => store.runs.resolve(none), 'notFound', 'RUN_NOT_FOUND')
    await refusal(() => store.runs.read('01ARZ3NDEKTSV4RRFFQ69G5FAV'), 'notFound', 'RUN_NOT_FOUND')
  })

  it('keep the wishes and the clients of their script', async () => {
    const store = await temporaryStore()
    const run = await store.runs.create(runStart())
    const wish = { format: 1, kind: 'register', model: 'churn-model', tags: ['candidate'] }
    const client = {
      format: 1,
      writer: 'python-7',
      pid: 7,
      python: { executable: 'p', version: '3' },
      tool: 't',
      time: TIME,
    }
    mkdirSync(join(run.dir, 'intents'))
    mkdirSync(join(run.dir, 'clients'))
    writeFileSync(join(run.dir, 'intents/python-7-1.json'), seal(wish))
    writeFileSync(join(run.dir, 'clients/python-7.json'), seal(client))
    writeFileSync(join(run.dir, 'clients/torn.json'), '{"forma')
    assert.deepEqual(await store.runs.intents(run.id), [wish])
    assert.deepEqual(await store.runs.clients(run.id), [client])
    writeFileSync(join(run.dir, 'intents/python-7-1.json'), seal(wish).toString().replace('churn', 'chorn'))
    await refusal(() => store.runs.intents(run.id), 'failed', 'RECORD_DAMAGED')
  })

  it('are pinned as objects, so that a version keeps its evidence', async () => {
    const store = await temporaryStore()
    const run = await store.runs.create(runStart())
    const early = await store.runs.pin(run.id)
    assert.equal(early.end, undefined)
    await run.end(runEnd())
    const pin = await store.runs.pin(run.id)
    assert.deepEqual(await store.objects.read(pin.run.sha256), readFileSync(join(run.dir, 'run.json')))
    assert.deepEqual(await store.objects.read(pin.end?.sha256 ?? ''), readFileSync(join(run.dir, 'end.json')))
  })

  it('write nothing through a store that was opened for reading', async () => {
    const { root } = await temporaryStore()
    const store = await openStore(root, { write: false })
    const start = runStart()
    await refusal(() => store.runs.create(start), 'failed', 'STORE_OPENED_FOR_READING')
    await refusal(() => store.objects.put(Buffer.from('x')), 'failed', 'STORE_OPENED_FOR_READING')
    assert.equal(existsSync(join(root, 'runs', start.id)), false)
  })
})
