/** `listRuns` on stores: which runs, in which order, with which values. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ListRequest, listRuns } from '../../../src/tracking/records/list-runs.ts'
import { listedNames } from '../../../src/tracking/records/order.ts'
import { renderRunCsv } from '../../../src/ui/views/run-csv.ts'
import { type Shelf, shelf } from './list-store.ts'

describe('A list of runs', () => {
  let runs: Shelf
  beforeEach(async () => {
    runs = await shelf()
  })
  afterEach(() => runs.remove())
  const list = (request: Partial<ListRequest> = {}) => listRuns(runs.ctx, runs.store, { limit: 0, ...request })
  const ids = async (request: Partial<ListRequest>) => (await list(request)).runs.map(({ run }) => run)

  it('is newest first, says how many there are, and needs no run', async () => {
    assert.deepEqual(await list({ where: 'auc > 0.5', sort: ['auc'] }).then(({ runs: none, total }) => [none, total]), [
      [],
      0,
    ])
    const [a, b, c] = [await runs.run({}), await runs.run({}), await runs.run({})]
    const { runs: shown, total, matched, sort } = await list({ limit: 2 })
    assert.deepEqual(
      shown.map(({ run }) => run),
      [c, b],
    )
    assert.deepEqual([total, matched, sort], [3, 3, []])
    assert.deepEqual(await ids({}), [c, b, a])
  })

  it('sorts by a metric best first: upwards for a loss, what is missing or not finite last, equals newest first', async () => {
    const [a, b, c, d, e, f] = [
      await runs.run({ metrics: { auc: 0.7, loss: 2 } }),
      await runs.run({ metrics: { auc: 0.9, loss: 1 } }),
      await runs.run({ metrics: { auc: 'NaN' } }),
      await runs.run({}),
      await runs.run({ metrics: { auc: 0.7, loss: 'Infinity' } }),
      await runs.run({ metrics: { auc: 0.8 }, status: 'failed' }),
    ]
    assert.deepEqual(await ids({ sort: ['auc'] }), [b, f, e, a, d, c])
    assert.deepEqual(await ids({ sort: ['auc:asc'] }), [e, a, f, b, d, c])
    assert.deepEqual(await ids({ sort: ['metrics.loss'] }), [b, a, f, e, d, c])
    assert.deepEqual(await ids({ sort: ['auc', 'loss:desc'], where: 'auc = 0.7' }), [a, e])
    const { sort } = await list({ sort: ['loss', 'started', 'status:desc'] })
    assert.deepEqual(
      sort.map(({ field, means }) => `${field} ${means}`),
      ['metrics.loss best first', 'started newest first', 'status descending'],
    )
  })

  it('sorts parameters as numbers where they are some, before text; releases by their parts', async () => {
    const python = (version: string) => ({ python: { executable: 'python', version } })
    const [a, b, c, d] = [
      await runs.run({ params: { depth: '10' }, start: python('3.9.1') }),
      await runs.run({ params: { depth: 9 }, start: python('3.10.0') }),
      await runs.run({ params: { depth: 'auto' }, start: python('3.8.20') }),
      await runs.run({ params: { depth: 2 } }),
    ]
    assert.deepEqual(await ids({ sort: ['depth'] }), [d, b, a, c])
    assert.deepEqual(await ids({ sort: ['python.version'] }), [c, a, b, d])
  })

  it('gives the values that a filter and an order name, or those that are chosen', async () => {
    await runs.run({ metrics: { auc: 0.9 }, params: { depth: 6 } })
    const named = await list({ where: 'depth = 6 and seed = none', sort: ['auc'] })
    assert.deepEqual(named.columns, ['metrics.auc', 'params.depth', 'seed'])
    assert.deepEqual(named.runs[0]?.values, { 'metrics.auc': 0.9, 'params.depth': 6, seed: null })
    const chosen = await list({ where: 'depth = 6', columns: ['auc', 'status'] })
    assert.deepEqual(chosen.runs[0]?.values, { 'metrics.auc': 0.9, status: 'finished' })
    await assert.rejects(list({ columns: ['acu'] }), { code: 'COLUMN_INVALID', hint: 'Did you mean auc?' })
    await assert.rejects(list({ sort: ['acu'] }), { code: 'SORT_INVALID', hint: 'Did you mean auc?' })
  })

  it('sees what a run that goes on has logged, and what was said of runs later', async () => {
    const ended = await runs.run({ tags: ['draft'] })
    const going = await runs.run({ metrics: { loss: 0.5 }, isRunning: true })
    const time = new Date().toISOString()
    const actor = runs.ctx.actor
    const said = { format: 1, id: `${ended.slice(0, 25)}Z`, run: ended, actor, time } as const
    await runs.store.runs.annotate({ ...said, kind: 'tags', add: ['gold'], remove: ['draft'] })
    assert.deepEqual(await ids({ where: 'loss < 1 and status = running' }), [going])
    assert.deepEqual(await ids({ where: 'tags has gold' }), [ended])
    assert.deepEqual(await ids({ where: 'tags has draft' }), [])
    assert.deepEqual(
      (await list()).runs.map(({ tags }) => tags),
      [[], ['gold']],
    )
  })

  it('takes several filters, all of which must hold, each with its own mistakes', async () => {
    const [a] = [
      await runs.run({ params: { depth: 6 }, tags: ['x'] }),
      await runs.run({ params: { depth: 6 } }),
      await runs.run({ params: { depth: 7 }, tags: ['x'] }),
    ]
    const both = await list({ where: ['depth = 6', 'tags has x or tags has y'] })
    assert.deepEqual([both.runs.map(({ run }) => run), both.where], [[a], '(depth = 6) and (tags has x or tags has y)'])
    await assert.rejects(list({ where: ['depth = 6', 'tags >'] }), (error: Error) =>
      /\n {2}tags >\n/.test(error.message),
    )
  })

  it('knows the metrics of runs that are not shown', async () => {
    await runs.run({ metrics: { trees: 1 } })
    const newest = await runs.run({})
    const { runs: shown, columns, matched } = await list({ columns: ['trees'], limit: 1 })
    assert.deepEqual([shown.map(({ run }) => run), columns, matched], [[newest], ['metrics.trees'], 2])
    assert.deepEqual((await list({ columns: ['metrics.trees'], limit: 1 })).columns, ['metrics.trees'])
    assert.deepEqual(runs.ctx.warnings, [])
  })

  it('says what may have been meant where nothing matches', async () => {
    await runs.run({ model: 'credit' })
    assert.deepEqual((await list({ model: 'credt' })).hints, ['Did you mean credit?'])
    assert.deepEqual((await list({ model: 'churn' })).hints, ['There are runs of credit.'])
    await runs.run({})
    const hints = async (where: string) => (await list({ where })).hints
    assert.deepEqual((await list({ where: ['model != credit', 'command != x'], model: 'credit' })).hints, [])
    const missing = 'A run without model does not match != either: write not model = credit'
    assert.deepEqual(await hints('model != credit'), [missing])
    assert.deepEqual(await hints('exit != 0'), [])
    assert.deepEqual(await hints('started > 2026-11-20'), [
      'started > 2026-11-20 begins when 2026-11-20 is over: write started >= 2026-11-20',
    ])
    for (const plain of ['model = x', 'model != none and exit = 9', 'started > 1m'])
      assert.deepEqual(await hints(plain), [], plain)
    assert.deepEqual((await list({ where: 'status != failed' })).hints, [])
  })

  it('is sorted by names in one word, and says how where another way is typed', async () => {
    assert.deepEqual(listedNames('auc, "val,auc":desc,params.depth'), ['auc', '"val,auc":desc', 'params.depth'])
    const hint = (key: string) =>
      list({ sort: [key] }).then(
        () => '',
        ({ hint: said }: { hint: string }) => said,
      )
    assert.equal(await hint('-auc'), 'Write --sort auc:desc')
    assert.equal(await hint('auc DESC'), 'Write --sort auc:desc')
    assert.equal(await hint('+auc'), 'Write --sort auc:asc')
  })

  it('looks among the runs of a model alone', async () => {
    const [a] = [
      await runs.run({ model: 'churn', metrics: { auc: 0.5 } }),
      await runs.run({ model: 'fraud', metrics: { f1: 1 } }),
    ]
    const { runs: shown, total, matched } = await list({ model: 'churn' })
    assert.deepEqual([shown.map(({ run }) => run), total, matched], [[a], 2, 1])
    // A name that only runs of other models have is none here.
    await assert.rejects(list({ model: 'churn', where: 'f1 > 0' }), { code: 'FILTER_INVALID' })
  })

  it('passes over a damaged run with a word', async () => {
    const [good, bad] = [await runs.run({ metrics: { auc: 1 } }), await runs.run({ metrics: { auc: 2 } })]
    writeFileSync(join(runs.root, 'runs', bad, 'run.json'), '{"format":1')
    assert.deepEqual(await ids({ where: 'auc > 0' }), [good])
    assert.ok(runs.ctx.warnings.some((warning) => warning.includes(bad)))
  })

  it('says nothing is wrong before a run was read: a typo costs no time', async () => {
    await assert.rejects(listRuns(runs.ctx, {} as never, { limit: 0, where: 'auc >' }), { code: 'FILTER_INVALID' })
  })

  describe('as CSV', () => {
    it('has a column for every metric and parameter of any run, and quotes what needs it', async () => {
      await runs.run({ metrics: { b: 1, 'a,"x"': 'NaN' }, params: { note: 'two\nlines', depth: 6 } })
      await runs.run({ metrics: { c: -0.5 }, params: { depth: null } })
      const [head, second, ...first] = renderRunCsv(await list(), false).split('\n')
      assert.equal(
        head,
        'run,model,status,started,duration,exit,signal,host,parent,reproduces,tags,notes,command,git.commit,git.dirty,seed,"metrics.a,""x""",metrics.b,metrics.c,params.depth,params.note',
      )
      assert.match(second ?? '', /,python train\.py,,,,,,-0\.5,,$/)
      assert.match(first.join('\n'), /,python train\.py,,,,NaN,1,,6,"two\nlines"$/)
    })

    it('says of what code, seed and data each is', async () => {
      const data = [{ name: 'train', path: 'a.csv', kind: 'file', sha256: 'ab'.repeat(32), size: 3, rows: 2 }] as const
      const git = { commit: 'cd'.repeat(20), branch: null, remote: null, dirty: true }
      await runs.run({ start: { data, git, seed: 7 } as never })
      await runs.run({})
      const [head, none, one] = renderRunCsv(await list(), false).split('\n')
      assert.match(head ?? '', /,command,git\.commit,git\.dirty,seed,data\.train\.sha256,data\.train\.rows$/)
      assert.ok(one?.endsWith(`,${git.commit},true,7,${data[0].sha256},2`), one)
      assert.match(none ?? '', /train\.py,,,,,$/)
    })

    it('keeps apart tags that hold commas', async () => {
      await runs.run({ tags: ['a', 'b, c', 'say "x"'] })
      const [, line = ''] = renderRunCsv(await list({ columns: ['tags'] }), true).split('\n')
      assert.equal(line.slice(line.indexOf(',') + 1), '"a, ""b, c"", ""say """"x"""""""')
    })

    it('hands a spreadsheet no formula, and leaves numbers alone', async () => {
      const params = { a: '=1+1', b: '@SUM(A1)', c: '-5', d: '+x', e: '-Infinity', f: -3 }
      await runs.run({ params })
      const line = renderRunCsv(await list({ columns: Object.keys(params) }), true).split('\n')[1] ?? ''
      assert.equal(line.slice(line.indexOf(',') + 1), "'=1+1,'@SUM(A1),-5,'+x,-Infinity,-3")
    })
  })
})
