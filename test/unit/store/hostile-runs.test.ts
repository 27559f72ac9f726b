/** Runs in a shared store that somebody damaged, or wrote to do harm: none of them hides the others or hangs a reader. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MlopsError } from '../../../src/core/errors.ts'
import { seal } from '../../../src/store/sealed.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { listRuns } from '../../../src/tracking/records/list-runs.ts'
import { resolveRun } from '../../../src/tracking/records/resolve-run.ts'
import { showRun } from '../../../src/tracking/records/run-summary.ts'
import { applyDelete, planDelete } from '../../../src/tracking/trash/delete-runs.ts'
import { skipBecause } from '../../support/skip.ts'
import { type Shelf, shelf } from '../tracking/list-store.ts'

type Members = Record<string, unknown>

const fileOf = ({ root }: Shelf, id: string, name: string): string => join(root, 'runs', id, name)

/** As a program would write it that means harm: the seal is right. */
function forge(runs: Shelf, id: string, name: 'run.json' | 'end.json', change: (record: Members) => void): void {
  const { self: _, ...record } = JSON.parse(readFileSync(fileOf(runs, id, name), 'utf8')) as Members
  change(record)
  writeFileSync(fileOf(runs, id, name), seal(record))
}

const set =
  (key: string, value: unknown) =>
  (record: Members): void => {
    record[key] = value
  }
const without =
  (key: string) =>
  (record: Members): void => {
    delete record[key]
  }

const deep = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown

const MALFORMED: readonly [string, 'run.json' | 'end.json', (record: Members) => void, RegExp][] = [
  ['its command is a text', 'run.json', set('command', 'ls -la'), /run\.json is damaged: command is not a list/],
  ['its command holds no texts', 'run.json', set('command', [1, null]), /command\[0\] is not a text/],
  ['it has no host', 'run.json', without('host'), /it has no host/],
  ['it has no actor', 'run.json', without('actor'), /it has no actor/],
  ['it began at a number', 'run.json', set('started', 5), /started is no time/],
  ['its code is null', 'run.json', set('git', null), /git is not an object/],
  ['its data is null', 'run.json', set('data', [null]), /data\[0\] is not an object/],
  ['its seed is from nowhere', 'run.json', set('seedFrom', 'moon'), /seedFrom is not one of/],
  ['it names another run', 'run.json', set('id', '01M80Z00000000000000000001'), /it is the record of run 01M80Z/],
  ['its metrics are null', 'end.json', set('metrics', null), /end\.json is damaged: metrics is not an object/],
  ['a metric is an object', 'end.json', set('metrics', { auc: { a: 1 } }), /metrics\.auc is not a number/],
  ['its artifacts are null', 'end.json', set('artifacts', null), /artifacts is not a list/],
  ['an artifact is null', 'end.json', set('artifacts', [null]), /artifacts\[0\] is not an object/],
  ['its status is an object', 'end.json', set('status', { a: 1 }), /status is not one of/],
  ['what came late is a number', 'end.json', set('late', { git: 5 }), /late\.git is not an object/],
]

async function threeRuns(): Promise<{ runs: Shelf; ids: readonly string[]; bad: string }> {
  const runs = await shelf()
  const ids = [
    await runs.run({ model: 'churn', metrics: { auc: 0.7 } }),
    await runs.run({ model: 'churn', metrics: { auc: 0.99 } }),
    await runs.run({ model: 'churn', metrics: { auc: 0.8 } }),
  ]
  return { runs, ids, bad: ids[1] ?? '' }
}

/** Every way to list: the other two are there, and what is wrong with this one was said with its file. */
async function assertListed(runs: Shelf, bad: string, said: RegExp): Promise<void> {
  const all = { limit: 0 }
  const ways = [
    all,
    { limit: 2 },
    { ...all, where: 'status != running' },
    { ...all, where: 'host ~ b and command ~ train' },
    { ...all, sort: ['auc'] },
    { ...all, sort: ['started'] },
    { ...all, columns: ['git.commit', 'data', 'tags'] },
    { ...all, model: 'churn' },
  ]
  for (const way of ways) {
    runs.ctx.warnings.length = 0
    const listed = (await listRuns(runs.ctx, runs.store, way)).runs.map(({ run }) => run)
    assert.ok(!listed.includes(bad), JSON.stringify(way))
    assert.equal(listed.length, 'limit' in way && way.limit === 2 ? 1 : 2, JSON.stringify(way))
    assert.match(runs.ctx.warnings.join('\n'), said, JSON.stringify(way))
  }
  const best = await resolveRun(runs.ctx, runs.store, '@best:auc')
  assert.equal((await runs.store.runs.read(best)).end?.metrics.auc, 0.8)
}

describe('A run in a shared store', () => {
  for (const [what, name, change, said] of MALFORMED) {
    it(`of which ${what} is named as damaged, and hides no other`, async () => {
      const { runs, bad } = await threeRuns()
      forge(runs, bad, name, change)
      await assert.rejects(showRun(runs.ctx, runs.store, bad), (error: unknown) => {
        assert.ok(error instanceof MlopsError)
        assert.equal(error.code, 'RECORD_DAMAGED')
        assert.match(error.message, said)
        return true
      })
      await assertListed(runs, bad, said)
      const { damages } = await verifyStore(runs.root)
      assert.ok(
        damages.some(({ file, why }) => file === `runs/${bad}/${name}` && said.test(`${file} is damaged: ${why}`)),
      )
      runs.remove()
    })
  }

  it('that is nested 100,000 deep is named as damaged, and hides no other', async () => {
    const { runs, bad } = await threeRuns()
    const text = readFileSync(fileOf(runs, bad, 'run.json'), 'utf8')
    writeFileSync(fileOf(runs, bad, 'run.json'), text.replace('{', `{"a":${JSON.stringify(deep(1000))},`))
    await assert.rejects(runs.store.runs.read(bad), { code: 'RECORD_DAMAGED' })
    const depth = 100_000
    writeFileSync(fileOf(runs, bad, 'run.json'), text.replace('{', `{"a":${'['.repeat(depth)}${']'.repeat(depth)},`))
    await assert.rejects(runs.store.runs.read(bad), { code: 'RECORD_DAMAGED' })
    assert.ok((await verifyStore(runs.root)).damages.length > 0)
    runs.remove()
  })

  it('of which was said what no writer of ours says is listed and shown without that', async () => {
    const { runs, bad } = await threeRuns()
    const common = { format: 1, run: bad, actor: { name: 'eve', origin: 'local' }, time: '2026-11-20T12:00:00.000Z' }
    mkdirSync(fileOf(runs, bad, 'annotations'))
    mkdirSync(fileOf(runs, bad, 'clients'))
    const odd = [
      { kind: 'tags', add: 5, remove: {} },
      { kind: 'tags', add: [null], remove: [] },
      { kind: 'note', text: 5 },
      { kind: 'note', text: 'x', actor: null },
      { kind: 'moon' },
      { kind: 'reproduced', by: {}, verdict: 'equal' },
    ]
    for (const [at, each] of odd.entries()) {
      const id = `01M80Z0000000000000000000${at}`
      writeFileSync(fileOf(runs, bad, `annotations/${id}.json`), seal({ ...common, id, ...each }))
    }
    writeFileSync(fileOf(runs, bad, 'clients/x.json'), seal({ format: 1, writer: 'x', pid: null }))
    const { runs: listed } = await listRuns(runs.ctx, runs.store, {
      limit: 0,
      where: 'run != none and not (tags has x)',
    })
    assert.equal(listed.length, 3)
    const shown = await showRun(runs.ctx, runs.store, bad)
    assert.deepEqual([shown.tags, shown.notes, shown.clients], [[], [], []])
    runs.remove()
  })

  it('with a wish or evidence that is none is named with its file', async () => {
    for (const [folder, record] of [
      ['intents', { format: 1, kind: 'register', model: null, tags: [] }],
      ['evidence', { format: 1, kind: 'test', time: 5 }],
    ] as const) {
      const { runs, bad } = await threeRuns()
      mkdirSync(fileOf(runs, bad, folder))
      writeFileSync(fileOf(runs, bad, `${folder}/x-1.json`), seal(record))
      const said = new RegExp(`${folder}/x-1\\.json is damaged: (?:model|time) is not a text`)
      await assert.rejects(showRun(runs.ctx, runs.store, bad), said)
      const { damages } = await verifyStore(runs.root)
      assert.ok(damages.some(({ file }) => file.endsWith(`${folder}/x-1.json`)))
      runs.remove()
    }
  })

  it('keeps nobody from deleting another run, and can be deleted itself', async () => {
    const { runs, ids, bad } = await threeRuns()
    for (const name of ['run.json', 'end.json']) {
      rmSync(fileOf(runs, bad, name))
      mkdirSync(fileOf(runs, bad, name))
    }
    const plan = await planDelete(runs.ctx, runs.store, { runs: [ids[0] ?? '', bad] })
    const { runs: gone } = await applyDelete(runs.ctx, runs.store, plan, undefined)
    assert.equal(gone.length, 2)
    assert.equal((await runs.store.trash.list()).length, 2)
    assert.equal((await listRuns(runs.ctx, runs.store, { limit: 0 })).runs.length, 1)
    runs.remove()
  })

  it('is named beside nine others; of more only how many there are is said', async () => {
    const runs = await shelf()
    const ids: string[] = []
    for (let n = 0; n < 14; n++) ids.push(await runs.run({ metrics: { auc: n } }))
    for (const id of ids.slice(0, 12)) forge(runs, id, 'run.json', set('host', 5))
    const listed = await listRuns(runs.ctx, runs.store, { limit: 0, sort: ['host'] })
    assert.equal(listed.runs.length, 2)
    assert.equal(runs.ctx.warnings.length, 11)
    assert.equal(runs.ctx.warnings.at(-1), '2 more runs are damaged and not listed: mlops store verify')
    runs.remove()
  })

  it('that was edited without its seal is damaged wherever it alone is read', async () => {
    const { runs, bad } = await threeRuns()
    const file = fileOf(runs, bad, 'end.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace('0.99', '0.98'))
    await assert.rejects(showRun(runs.ctx, runs.store, bad), /"self" does not match/)
    runs.remove()
  })

  it('of a writer that left its variables, parameters and tags out is read as having none', async () => {
    const { runs, bad } = await threeRuns()
    for (const key of ['env', 'params', 'tags']) forge(runs, bad, 'run.json', without(key))
    const shown = await showRun(runs.ctx, runs.store, bad)
    assert.deepEqual(shown.env, {})
    assert.equal((await listRuns(runs.ctx, runs.store, { limit: 0 })).runs.length, 3)
    assert.deepEqual(runs.ctx.warnings, [])
    runs.remove()
  })

  for (const name of ['run.json', 'end.json']) {
    it(`with a folder as its ${name} is named as damaged, and hides no other`, async () => {
      const { runs, bad } = await threeRuns()
      rmSync(fileOf(runs, bad, name))
      mkdirSync(fileOf(runs, bad, name))
      await assertListed(runs, bad, new RegExp(`${bad}/${name} is damaged: it is no regular file`))
      assert.ok((await verifyStore(runs.root)).damages.some(({ file }) => file === `runs/${bad}/${name}`))
      runs.remove()
    })

    it(`with a pipe or a link as its ${name} is named as damaged, and nobody waits for it`, async function () {
      if (process.platform === 'win32')
        skipBecause(this, 'Windows has neither pipes in folders nor links for everybody')
      const { runs, bad } = await threeRuns()
      rmSync(fileOf(runs, bad, name))
      execFileSync('mkfifo', [fileOf(runs, bad, name)])
      await assertListed(runs, bad, new RegExp(`${bad}/${name} is damaged: it is no regular file`))
      assert.ok((await verifyStore(runs.root)).damages.some(({ file }) => file === `runs/${bad}/${name}`))
      rmSync(fileOf(runs, bad, name))
      symlinkSync('/dev/zero', fileOf(runs, bad, name))
      await assertListed(runs, bad, new RegExp(`${bad}/${name} is damaged: it is no regular file`))
      runs.remove()
    })
  }
})

describe('Lines that a run logged', () => {
  it('are not read through links and pipes', async function () {
    if (process.platform === 'win32') skipBecause(this, 'Windows has neither pipes in folders nor links for everybody')
    const { runs, bad } = await threeRuns()
    const folder = fileOf(runs, bad, 'metrics')
    mkdirSync(folder)
    symlinkSync('/dev/zero', join(folder, 'a.jsonl'))
    execFileSync('mkfifo', [join(folder, 'b.jsonl')])
    writeFileSync(join(folder, 'c.jsonl'), '{"t":"2026-11-20T12:00:00.000Z","key":"auc","value":1}\n')
    assert.equal((await runs.store.runs.stream(bad, 'metrics')).length, 1)
    const { warnings } = await verifyStore(runs.root)
    assert.ok(warnings.some(({ file }) => file.endsWith('metrics/b.jsonl')))
    rmSync(folder, { recursive: true })
    symlinkSync('/etc', folder)
    assert.deepEqual(await runs.store.runs.stream(bad, 'metrics'), [])
    runs.remove()
  })

  it('are read past a line that is longer than any of ours, which is told', async () => {
    const { runs, bad } = await threeRuns()
    const folder = fileOf(runs, bad, 'metrics')
    mkdirSync(folder)
    const line = (value: number) => `{"t":"2026-11-20T12:00:00.000Z","key":"auc","value":${value}}\n`
    writeFileSync(join(folder, 'a.jsonl'), `${line(1)}{"key":"${'x'.repeat(5 << 20)}"}\n${line(2)}`)
    const values = (await runs.store.runs.stream(bad, 'metrics')).map(({ value }) => value)
    assert.deepEqual(values, [1, 2])
    const shown = await showRun(runs.ctx, runs.store, bad)
    assert.match(shown.warnings.join('\n'), /metrics\/a\.jsonl.* longer than 1 MiB/)
    runs.remove()
  })

  it('of a file that is one line of 300 MB are looked through in time that grows with its size alone', async () => {
    const { runs, bad } = await threeRuns()
    const folder = fileOf(runs, bad, 'metrics')
    mkdirSync(folder)
    writeFileSync(join(folder, 'a.jsonl'), '{"t":"2026-11-20T12:00:00.000Z","key":"auc","value":1}\n')
    truncateSync(join(folder, 'a.jsonl'), 300 << 20)
    const before = process.memoryUsage().rss
    assert.equal((await runs.store.runs.stream(bad, 'metrics')).length, 1)
    await sleep(0)
    assert.ok(process.memoryUsage().rss - before < 200 << 20, 'it was not kept')
    runs.remove()
  })
})
