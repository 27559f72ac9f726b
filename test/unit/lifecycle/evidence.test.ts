/** What a gate and a rollback measure for themselves: the champion on new rows, an old version on today's data. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../../src/core/digest.ts'
import { parseModelRef } from '../../../src/core/names.ts'
import { profileBaseline } from '../../../src/drift/baseline.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { determineFit } from '../../../src/lifecycle/rollback/fit.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import type { ModelConfig } from '../../../src/project/config.ts'
import { addVersion, gate, MODEL, rejection, type World, world } from './fixture.ts'

/** Prints the first number of the model file, less the first number of the data: a score that depends on both. */
const SCORER = `
const [model, data] = process.argv.slice(2).map((path) => Number(require('node:fs').readFileSync(path, 'utf8')))
console.log('loading ...')
console.log('auc: ' + (model - data).toFixed(2))
`

describe('re-scoring the champion', () => {
  let w: World
  const evaluate = `"${process.execPath}" score.cjs {model} {data}`
  const production = { production: gate({ min: { auc: 0.5 }, compareTo: 'production' }) }

  beforeEach(async () => {
    w = await world()
    writeFileSync(join(w.dir, 'score.cjs'), SCORER)
    writeFileSync(join(w.dir, "june's data.txt"), '0.2')
    await addVersion(w, { files: { 'model.txt': '0.9' }, metrics: { auc: 0.9 }, test: 'may' })
  })
  afterEach(() => w.remove())

  const up = (version: number, more: { evaluate?: string; test?: string } = {}) =>
    promote(w.ctx, w.project({ gates: production, ...(more.evaluate ? { evaluate: more.evaluate } : {}) }), w.store, {
      ref: parseModelRef(`${MODEL}@${version}`),
      stage: 'production',
      approve: ['ada'],
      ...(more.test === undefined ? {} : { test: more.test }),
    })
  const june = { test: '0.2', data: [] }
  const declared = {
    run: { data: [{ name: 'test', path: "june's data.txt", kind: 'file' as const, sha256: sha256('0.2'), size: 3 }] },
  }

  it('compares both on the same rows: the champion of May is worth less in June', async () => {
    await up(1)
    await addVersion(w, { ...june, ...declared, metrics: { auc: 0.75 }, files: { 'model.txt': '0.95' } })
    const result = await up(2, { evaluate })
    const compared = result.gate?.checks.find(({ name }) => name === 'compare_to')
    assert.equal(compared?.required, 'auc >= 0.7 of churn-model@1')
    assert.equal(compared?.verdict, 'pass')
  })

  it('refuses a challenger that only looks better', async () => {
    await up(1)
    await addVersion(w, { ...june, ...declared, metrics: { auc: 0.65 }, evaluate })
    const error = await rejection(up(2))
    assert.match(JSON.stringify(error.details?.failed), /auc >= 0\.7 of churn-model@1/)
  })

  it('does not let the challenger bring the ruler: by its own command both are measured, and that counts', async () => {
    await up(1)
    const rigged = 'echo auc: 0.1 # {model} {data}'
    const files = { 'model.txt': '0.85' }
    await addVersion(w, { ...june, ...declared, files, metrics: { auc: 0.65 }, evaluate: rigged })
    const error = await rejection(up(2, { evaluate }))
    assert.match(JSON.stringify(error.details?.failed), /auc >= 0\.7 of churn-model/, 'that of mlops.yaml comes first')
    const compared = (await up(2)).gate?.checks.find(({ name }) => name === 'compare_to')
    assert.deepEqual([compared?.actual, compared?.required], ['0.1', 'auc >= 0.1 of churn-model@1'])
    assert.match(
      compared?.note ?? '',
      /both versions were measured with "echo auc: 0\.1 .*recorded as 0\.65, is 0\.1, which counts/,
    )
  })

  it('takes the test set from --test where no run says where it lies, and only the right one', async () => {
    await up(1)
    await addVersion(w, { ...june, metrics: { auc: 0.75 }, files: { 'model.txt': '0.95' } })
    const unnamed = await rejection(up(2, { evaluate }))
    assert.match(JSON.stringify(unnamed.details?.failed), /--test DATA/)
    writeFileSync(join(w.dir, 'other.txt'), '0.9')
    const wrong = await rejection(up(2, { evaluate, test: 'other.txt' }))
    assert.match(
      JSON.stringify(wrong.details?.failed),
      /other\.txt is not the test set that @2 was measured on \(its hash/,
    )
    assert.doesNotMatch(JSON.stringify(wrong.details?.failed), /any more/, 'it never was')
    assert.match(w.warnings.join('\n'), /^--test other\.txt is not used: it is not the test set that @2/m)
    w.warnings.length = 0
    assert.equal((await up(2, { evaluate, test: "june's data.txt" })).outcome, 'promoted')
    assert.doesNotMatch(w.warnings.join('\n'), /--test/)
  })

  it('says of every file named with --test that it is not used, also where no champion has to be scored', async () => {
    writeFileSync(join(w.dir, 'other.txt'), '0.9')
    const dry = async (config: Partial<ModelConfig>, test: string) => {
      w.warnings.length = 0
      const request = { ref: parseModelRef(MODEL), stage: 'staging', dryRun: true, test }
      await promote(w.ctx, w.project(config), w.store, request)
      return w.warnings.filter((text) => text.startsWith('--test')).join('\n')
    }
    assert.match(await dry({}, 'other.txt'), /other\.txt is not used: it is not the test set that @1 was measured on/)
    await addVersion(w, { metrics: { auc: 0.75 } })
    const again =
      /--test other\.txt is not used: churn-model@2 records no test set; register it again with --test other\.txt/
    assert.match(await dry({}, 'other.txt'), again)
    await addVersion(w, { data: [{ name: 'test', sha256: sha256('rows'), rows: 1, of: 'rows' }] })
    const logged = /known by the rows that its script logged with log_test, and a file cannot be compared with them/
    assert.match(await dry({ evaluate }, 'other.txt'), logged)
    const error = await rejection(dry({}, 'gone.txt'))
    assert.deepEqual([error.exit, error.code], ['notFound', 'FILE_NOT_FOUND'])
    assert.match(error.message, /^--test gone\.txt: there is no such file in /)
  })

  it('is inconclusive, with the reason, when the command fails or prints no metric', async () => {
    await up(1)
    await addVersion(w, { ...june, ...declared, metrics: { auc: 0.75 } })
    const reason = async (command: string) =>
      JSON.stringify((await rejection(up(2, { evaluate: command }))).details?.failed)
    assert.match(
      await reason('echo no such module >&2; exit 3 # {model} {data}'),
      /inconclusive.*ended with 3: no such module/,
    )
    assert.match(await reason('echo fine # {model} {data}'), /printed no metric/)
    assert.match(await reason('no-such-program {model} {data}'), /ended with 127/)
  })
})

describe("a rollback and today's data", function () {
  this.timeout(60_000)
  let w: World
  const rows = (value: (index: number) => number) =>
    `x\n${Array.from({ length: 2000 }, (_, index) => value(index)).join('\n')}\n`

  beforeEach(async () => {
    w = await world()
    writeFileSync(
      join(w.dir, 'train.csv'),
      rows((index) => index % 100),
    )
    writeFileSync(
      join(w.dir, 'same.csv'),
      rows((index) => (index * 7) % 100),
    )
    writeFileSync(
      join(w.dir, 'moved.csv'),
      rows((index) => 60 + (index % 100)),
    )
    const { bytes, data } = await profileBaseline('train.csv', { cwd: w.dir, schema: { columns: {} } })
    const profile = await w.store.objects.put(bytes)
    const fact = { name: 'baseline', sha256: data.sha256, rows: data.rows }
    await addVersion(w, { profile: { profile: profile.sha256, data: fact } })
    await addVersion(w)
    for (const version of [1, 2]) {
      const request = { ref: parseModelRef(`${MODEL}@${version}`), stage: 'production', approve: ['ada'] }
      await promote(w.ctx, w.project(), w.store, request)
    }
  })
  afterEach(() => w.remove())

  const back = (current: string, confirmUnfit?: () => Promise<boolean>) =>
    rollback(w.ctx, w.project(), w.store, {
      model: MODEL,
      stage: 'production',
      current,
      ...(confirmUnfit === undefined ? {} : { confirmUnfit }),
    })

  it('says that the old version fits, and records it', async () => {
    const result = await back('same.csv', () => Promise.reject(new Error('asked')))
    assert.equal(result.fit.verdict, 'fits')
    const event = (await w.store.models.state(MODEL)).events.at(-1)
    assert.ok(event?.type === 'rollback' && event.body.fit === 'fits')
  })

  it('asks when it does not fit, moves nothing on a no, and goes on without anybody to ask', async () => {
    const error = await rejection(back('moved.csv', async () => false))
    assert.deepEqual([error.code, error.exitCode], ['ROLLBACK_DECLINED', 3], 'a no is a no, not a Ctrl-C')
    assert.equal((await w.store.models.state(MODEL)).stages.production?.version, 2)
    assert.equal((await back('moved.csv')).fit.verdict, 'drifted')
    assert.equal((await w.store.models.state(MODEL)).stages.production?.version, 1)
  })

  it('stops at a mistyped file before anything moves', async () => {
    const error = await rejection(back('smae.csv'))
    assert.equal(error.exit, 'notFound')
    assert.equal((await w.store.models.state(MODEL)).stages.production?.version, 2)
  })

  it('waits no longer than it may: not determined, and the clock is stopped', async () => {
    const request = {
      model: MODEL,
      stage: 'production',
      version: 1,
      from: 2,
      current: 'same.csv',
      verify: true,
      limit: 0,
    }
    const fit = await determineFit(w.ctx, w.project(), w.store, request)
    assert.equal(fit.verdict, 'not determined')
    assert.match(fit.summary, /took more than/)
  })

  it('goes on, not determined, for a version without a baseline', async () => {
    await promote(w.ctx, w.project(), w.store, {
      ref: parseModelRef(`${MODEL}@1`),
      stage: 'production',
      approve: ['ada'],
    })
    const result = await back('same.csv')
    assert.deepEqual([result.version, result.fit.verdict], [2, 'not determined'])
    assert.match(result.fit.summary, /without a baseline/)
  })
})
