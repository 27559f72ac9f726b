/** Registering versions from runs and from files, on a real store, with real files, and from many processes at once. */
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { isMlopsError, type MlopsError } from '../../../src/core/errors.ts'
import { ulid } from '../../../src/core/ulid.ts'
import { parseMetricFlags } from '../../../src/lifecycle/register/flags.ts'
import { type RegisterRequest, registerVersion } from '../../../src/lifecycle/register/register.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { hashDeclaredData } from '../../../src/tracking/capture/declared-data.ts'
import { gate, MODEL, type World, world } from './fixture.ts'
import { addRun } from './run-fixture.ts'

const run = promisify(execFile)

let w: World
beforeEach(async () => {
  w = await world()
  writeFileSync(join(w.dir, 'model.json'), '{"weights": [1, 2, 3]}')
  writeFileSync(
    join(w.dir, 'train.csv'),
    `age,plan,churned\n${Array.from({ length: 200 }, (_, i) => `${i % 60},${i % 3 ? 'a' : 'b'},${i % 2}`).join('\n')}\n`,
  )
})
afterEach(() => w.remove())

const register = (request: Partial<RegisterRequest> = {}, config = {}) =>
  registerVersion(w.ctx, w.project(config), w.store, { model: MODEL, ...request })
const fromFile = (more: Partial<RegisterRequest> = {}) => register({ artifacts: ['model.json'], ...more })

async function refusal(work: Promise<unknown>, code: string, exit: number): Promise<MlopsError> {
  const error = await work.then(
    () => assert.fail('it was accepted'),
    (thrown: unknown) => thrown,
  )
  assert.ok(isMlopsError(error), String(error))
  assert.equal(error.code, code, error.message)
  assert.equal(error.exitCode, exit)
  return error
}

const isWhole = async () => assert.deepEqual((await verifyStore(w.store.root)).damages, [])
const versions = async () => (await w.store.models.stateOrEmpty(MODEL)).versions.length

describe('registering from files', () => {
  it('makes version 1 of the bytes, with metrics, parameters, tags and a message', async () => {
    const result = await fromFile({
      metrics: { auc: 0.84 },
      params: { depth: 4 },
      tags: ['candidate', 'candidate'],
      message: 'first',
    })
    assert.equal(result.version, 1)
    assert.equal(result.created, true)
    assert.deepEqual(result.tags, ['candidate'])
    assert.deepEqual(
      result.files.map(({ path, scan }) => [path, scan.verdict]),
      [['model.json', 'inert']],
    )
    const manifest = await w.store.models.manifest(result.manifest)
    assert.deepEqual(manifest.metrics, { auc: 0.84 })
    assert.deepEqual(manifest.params, { depth: 4 })
    assert.match(result.notes.join(), /no baseline/)
    await isWhole()
  })

  it('says which tags and words a second try did not write, and how to put a tag on', async () => {
    await fromFile({ tags: ['draft'], message: 'first' })
    const again = await fromFile({ tags: ['draft', 'june data'], message: 'second' })
    assert.deepEqual([again.created, again.tags, again.message], [false, ['draft'], 'first'])
    const said = again.notes.filter((note) => /was not kept/.test(note))
    assert.match(said[0] ?? '', /^--tag was not kept.*: mlops model tag churn-model@1 --add 'june data'$/)
    assert.match(said[1] ?? '', /^--message was not kept.*mlops model tag churn-model@1/)
    const same = await fromFile({ tags: ['draft'], message: 'first' })
    assert.deepEqual(
      same.notes.filter((note) => /was not kept/.test(note)),
      [],
    )
  })

  it('says so instead of making a second version of the same content', async () => {
    await fromFile({ metrics: { auc: 0.84 } })
    const again = await fromFile({ metrics: { auc: 0.84 }, message: 'again' })
    assert.deepEqual([again.version, again.created, again.existing?.why], [1, false, 'same content'])
    assert.equal((await fromFile({ metrics: { auc: 0.85 } })).version, 2)
    assert.equal(await versions(), 2)
  })

  it('keeps NaN and the infinities as metrics', async () => {
    const metrics = parseMetricFlags(['loss=nan', 'a=inf', 'b=-Infinity', 'c=1e-3'])
    const { manifest } = await fromFile({ metrics })
    assert.deepEqual((await w.store.models.manifest(manifest)).metrics, {
      loss: 'NaN',
      a: 'Infinity',
      b: '-Infinity',
      c: 0.001,
    })
  })

  it('refuses metrics that are no numbers, and one name with two values', () => {
    for (const bad of ['auc', '=1', 'auc=', 'auc=high', 'auc=0x10', 'auc=1e999', 'a\u0007b=1']) {
      assert.throws(() => parseMetricFlags([bad]), { code: 'METRIC_INVALID' }, bad)
    }
    assert.throws(() => parseMetricFlags(['auc=1', 'auc=2']), { code: 'METRIC_INVALID' })
  })

  it('refuses names that a file system could confuse, before anything is written', async () => {
    for (const model of [
      'a/b',
      '..',
      'a..b',
      'Churn',
      'con',
      'nul.txt',
      'a\u0000b',
      'a\nb',
      '',
      '-x',
      'x'.repeat(65),
      'ä',
    ]) {
      await refusal(register({ model, artifacts: ['model.json'] }), 'NAME_INVALID', 2)
    }
    assert.deepEqual(await w.store.models.list(), [])
    assert.deepEqual(readdirSync(join(w.store.root, 'models')), [])
  })

  it('asks for a run or a file when there is neither', async () => {
    const error = await refusal(register(), 'REGISTER_NOTHING', 2)
    assert.match(error.hint ?? '', /--run @last/)
  })

  it('takes a folder with everything below it, and links to files of it as the files, with a word', async () => {
    mkdirSync(join(w.dir, 'out/deep'), { recursive: true })
    writeFileSync(join(w.dir, 'out/deep/b.txt'), 'b')
    symlinkSync('deep/b.txt', join(w.dir, 'out/a.json'))
    const { files } = await register({ artifacts: ['out'] })
    assert.equal(files[0]?.sha256, files[1]?.sha256)
    assert.match(w.warnings.join(), /out\/a\.json is a link; the content of .*b\.txt is stored/)
    assert.deepEqual(
      files.map(({ path }) => path),
      ['out/a.json', 'out/deep/b.txt'],
    )
    assert.deepEqual(
      (await register({ artifacts: ['out/**/*.txt', 'model.json'] })).files.map(({ path }) => path),
      ['model.json', 'out/deep/b.txt'],
    )
  })

  it('refuses a link out of the folder, or one named directly out of the project, naming it and its target', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'mlops-elsewhere-'))
    try {
      const secret = join(elsewhere, 'shadow')
      writeFileSync(secret, 'root:hash')
      mkdirSync(join(w.dir, 'd2'))
      symlinkSync(secret, join(w.dir, 'd2/s'))
      symlinkSync(secret, join(w.dir, 'lnk'))
      symlinkSync(elsewhere, join(w.dir, 'folder'))
      symlinkSync('model.json', join(w.dir, 'latest.json'))
      const cases: Partial<RegisterRequest>[] = [
        { artifacts: ['d2'] },
        { artifacts: ['d2/*'] },
        { artifacts: ['lnk'] },
        { artifacts: ['folder'] },
        { artifacts: ['folder/shadow'] },
        { artifacts: ['model.json'], examples: 'lnk' },
        { artifacts: ['model.json'], testPredictions: 'd2/s' },
      ]
      for (const request of cases) {
        const { message, details } = await refusal(register(request), 'ARTIFACT_LINK_LEAVES', 2)
        assert.ok(message.includes(elsewhere), message)
        assert.ok(String(details?.target).startsWith(elsewhere))
      }
      assert.equal(await versions(), 0)
      assert.deepEqual(readdirSync(join(w.store.root, 'objects/sha256')), [])
      assert.equal((await register({ artifacts: ['latest.json'] })).files[0]?.path, 'latest.json')
      assert.match(w.warnings.join(), /latest\.json is a link/)
    } finally {
      rmSync(elsewhere, { recursive: true })
    }
  })

  it('stores no secret among parameters, in the message, or in the evaluation command', async () => {
    const result = await fromFile({
      params: { api_token: 'hunter2', db: 'postgres://u:hunter2@h/d', pad_token: '<pad>', max_tokens: 5 },
      message: 'read from https://ada:hunter2@h/p with password=hunter2',
    })
    assert.deepEqual(result.params, {
      api_token: '[redacted]',
      db: 'postgres://h/d',
      pad_token: '<pad>',
      max_tokens: 5,
    })
    assert.match(w.warnings.join(), /api_token, db look like a secret/)
    assert.ok(!String(result.message).includes('hunter2'), String(result.message))
    const evaluate = 'PGPASSWORD=hunter2 python e.py {model} {data}'
    await refusal(fromFile({ evaluate }), 'EVALUATE_SECRET', 2)
    const configured = await register({ artifacts: ['model.json'], metrics: { auc: 1 } }, { evaluate })
    assert.equal((await w.store.models.manifest(configured.manifest)).evaluate, undefined)
  })

  it('knows a file that lies elsewhere by its name alone', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'mlops-elsewhere-'))
    try {
      writeFileSync(join(elsewhere, 'model.json'), '[1]')
      const { files } = await register({ artifacts: [join(elsewhere, 'model.json')] })
      assert.deepEqual(
        files.map(({ path }) => path),
        ['model.json'],
      )
      await refusal(register({ artifacts: ['model.json', join(elsewhere, 'model.json')] }), 'ARTIFACT_NAME_TWICE', 2)
    } finally {
      rmSync(elsewhere, { recursive: true })
    }
  })

  it('refuses what is missing, empty, a device, a pipe or a link to nowhere, and leaves no version', async () => {
    mkdirSync(join(w.dir, 'empty/sub'), { recursive: true })
    symlinkSync('nowhere', join(w.dir, 'dangling'))
    mkdirSync(join(w.dir, 'loop'))
    symlinkSync('..', join(w.dir, 'loop/up'))
    execFileSync('mkfifo', [join(w.dir, 'pipe')])
    await refusal(register({ artifacts: ['nothing.bin'] }), 'ARTIFACT_NOT_FOUND', 4)
    await refusal(register({ artifacts: ['*.bin'] }), 'ARTIFACT_NOT_FOUND', 4)
    await refusal(register({ artifacts: ['loop'] }), 'ARTIFACT_LINK_LEAVES', 2)
    for (const path of ['empty', 'dangling', 'pipe', '/dev/null', '']) {
      await refusal(register({ artifacts: [path] }), 'ARTIFACT_INVALID', 2)
    }
    assert.equal(await versions(), 0)
    await isWhole()
  })

  it('refuses a file that changes while it is copied', async () => {
    const path = join(w.dir, 'large.bin')
    writeFileSync(path, Buffer.alloc(8 << 20))
    const progress = (_step: string, fraction?: number) => {
      if (fraction === 0.5) utimesSync(path, 1, 1)
    }
    const ctx = { ...w.ctx, progress }
    await refusal(
      registerVersion(ctx, w.project(), w.store, { model: MODEL, artifacts: ['large.bin'] }),
      'FILE_CHANGED',
      1,
    )
    assert.equal(await versions(), 0)
  })

  it('refuses a file that grows while it is copied', async () => {
    const path = join(w.dir, 'large.bin')
    writeFileSync(path, Buffer.alloc(8 << 20))
    const ctx = { ...w.ctx, progress: (step: string) => step.startsWith('storing') && appendFileSync(path, 'more') }
    await refusal(
      registerVersion(ctx, w.project(), w.store, { model: MODEL, artifacts: ['large.bin'] }),
      'FILE_CHANGED',
      1,
    )
  })

  it('profiles the baseline, and registers nothing when it cannot be read', async () => {
    const { baseline, manifest } = await fromFile({ baseline: 'train.csv', target: 'churned' })
    assert.deepEqual([baseline?.data.rows, baseline?.data.columns], [200, 3])
    const stored = await w.store.models.manifest(manifest)
    assert.equal(stored.target, 'churned')
    assert.ok(await w.store.objects.has(stored.baseline?.profile ?? ''))

    writeFileSync(join(w.dir, 'broken.parquet'), 'PAR1 and then nothing')
    writeFileSync(join(w.dir, 'empty.csv'), '')
    writeFileSync(join(w.dir, 'header.csv'), 'a,b\n')
    for (const data of ['missing.csv', 'broken.parquet', 'empty.csv', 'header.csv']) {
      await assert.rejects(fromFile({ metrics: { auc: 1 }, baseline: data }), { name: 'MlopsError' }, data)
    }
    const error = await refusal(
      fromFile({ metrics: { auc: 1 }, baseline: 'train.csv', target: 'churnd' }),
      'COLUMN_NOT_FOUND',
      2,
    )
    assert.match(error.hint ?? '', /churned/)
    assert.equal(await versions(), 1)
    await isWhole()
  })

  it('records test set, test predictions, examples and the evaluation command', async () => {
    writeFileSync(join(w.dir, 'predictions.csv'), `truth,answer\n${'1,1\n0,1\n'.repeat(100)}`)
    const { manifest } = await fromFile({
      test: 'train.csv',
      testPredictions: 'predictions.csv',
      examples: 'predictions.csv',
      evaluate: 'python evaluate.py {model} {data}',
    })
    const stored = await w.store.models.manifest(manifest)
    assert.deepEqual(
      stored.data.map(({ name, rows, columns }) => [name, rows, columns]),
      [['test', 200, 3]],
    )
    assert.ok(await w.store.objects.has(stored.testPredictions?.sha256 ?? ''))
    assert.equal(stored.evaluate, 'python evaluate.py {model} {data}')
    await refusal(fromFile({ evaluate: 'python evaluate.py {data}' }), 'EVALUATE_INVALID', 2)
    await refusal(fromFile({ evaluate: 'python evaluate.py "{model}" {data}' }), 'EVALUATE_INVALID', 2)
    await refusal(fromFile({ test: 'missing.csv' }), 'FILE_NOT_FOUND', 4)
  })
})

describe('registering twice', () => {
  it('gives the first result for the same idempotency key, and a conflict for another request', async () => {
    const first = await fromFile({ idempotencyKey: 'job-7', tags: ['a'] })
    const again = await fromFile({ idempotencyKey: 'job-7', tags: ['a'] })
    assert.deepEqual([again.version, again.created, again.existing?.why], [first.version, false, 'same operation'])
    await refusal(fromFile({ idempotencyKey: 'job-7', metrics: { auc: 1 } }), 'IDEMPOTENCY_MISMATCH', 5)
    assert.equal(await versions(), 1)
  })

  it('adds nothing when a CI job is run again, and a version when its content changed', async () => {
    const ciJob = 'github-actions:team/repo/17/train'
    await fromFile({ ciJob })
    assert.equal((await fromFile({ ciJob })).existing?.why, 'same operation')
    assert.equal((await fromFile({ ciJob, metrics: { auc: 2 } })).version, 2)
  })

  it('gives 20 processes that register at once 20 consecutive versions', async function () {
    this.timeout(120_000)
    const bundle = join(w.dir, 'worker.mjs')
    await build({
      entryPoints: [join(import.meta.dirname, 'register-worker.ts')],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['@duckdb/*'],
      logLevel: 'silent',
    })
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => run(process.execPath, [bundle, w.dir, MODEL, String(i)])),
    )
    const numbers = outcomes.map(({ stdout }) => JSON.parse(stdout) as { version: number; created: boolean })
    assert.ok(numbers.every(({ created }) => created))
    assert.deepEqual(
      numbers.map(({ version }) => version).sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i + 1),
    )
    await isWhole()
  })

  it('makes one version when processes race with the same content', async () => {
    const results = await Promise.all(Array.from({ length: 8 }, () => fromFile()))
    assert.equal(results.filter(({ created }) => created).length, 1)
    assert.equal(await versions(), 1)
  })
})

describe('registering from a run', () => {
  it('takes artifacts, metrics, parameters and data of the run, and pins its records', async () => {
    const id = await addRun(w, {
      artifacts: { 'model.json': '[1]' },
      start: { data: [await hashDeclaredData({ name: 'train', path: 'train.csv' }, w.dir)] },
      end: { metrics: { auc: 0.8, loss: 0.5 }, params: { depth: 3 } },
    })
    const result = await register({ run: '@last', metrics: { loss: 0.4 } })
    assert.equal(result.run, id)
    assert.deepEqual(result.metrics, { auc: 0.8, loss: 0.4 })
    assert.deepEqual(result.params, { depth: 3 })
    assert.equal(result.baseline?.data.rows, 200, 'the train data of the run is the baseline')
    const [version] = (await w.store.models.state(MODEL)).versions
    assert.equal(version?.run?.id, id)
    assert.ok(version?.run?.end !== undefined)
    await isWhole()
  })

  it('does without a baseline, and says why, when the train data is not what the run read', async () => {
    const data = [await hashDeclaredData({ name: 'train', path: 'train.csv' }, w.dir)]
    await addRun(w, { artifacts: { 'model.json': '[1]' }, start: { data } })
    appendFileSync(join(w.dir, 'train.csv'), '1,a,1\n')
    const result = await register({ run: '@last' })
    assert.equal(result.baseline, null)
    assert.match(result.notes.join(), /not the file that the run read/)
  })

  it('takes a folder of parts that the run declared as train for the baseline, when it is what the run read', async () => {
    mkdirSync(join(w.dir, 'parts'))
    const text = readFileSync(join(w.dir, 'train.csv'), 'utf8')
    for (const name of ['a.csv', 'b.csv']) writeFileSync(join(w.dir, 'parts', name), text)
    const declared = async () => [await hashDeclaredData({ name: 'train', path: 'parts' }, w.dir)]
    await addRun(w, { artifacts: { 'model.json': '[1]' }, start: { data: await declared() } })
    assert.equal((await register({ run: '@last' })).baseline?.data.rows, 2 * (text.trim().split('\n').length - 1))
    writeFileSync(join(w.dir, 'parts/README.md'), 'what the columns mean')
    await addRun(w, { artifacts: { 'model.json': '[2]' }, start: { data: await declared() } })
    const result = await register({ run: '@last' })
    assert.equal(result.baseline, null)
    assert.match(result.notes.join(), /or holds more than data files/)
  })

  it('gives a run with the same content the version that exists, and says from which run that is', async () => {
    const first = await addRun(w, { artifacts: { 'model.json': '[1]' } })
    await addRun(w, { artifacts: { 'model.json': '[1]' } })
    await register({ run: first })
    const again = await register({ run: '@last' })
    assert.deepEqual([again.created, again.existing?.run], [false, first])
  })

  it('takes those artifacts that mlops.yaml or --artifact name', async () => {
    await addRun(w, { artifacts: { 'out/model.json': '[1]', 'notes.txt': 'hello' } })
    const paths = async (request: object, config = {}) =>
      (await register({ run: '@last', ...request }, config)).files.map(({ path }) => path)
    assert.deepEqual(await paths({}), ['notes.txt', 'out/model.json'])
    assert.deepEqual(await paths({}, { artifact: 'out/*.json' }), ['out/model.json'])
    assert.deepEqual(await paths({ artifacts: ['notes.txt'] }), ['notes.txt'])
    await refusal(register({ run: '@last', artifacts: ['other.bin'] }), 'ARTIFACT_NOT_FOUND', 4)
  })

  it('marks a version without artifact, which says that it cannot enter production', async () => {
    await addRun(w, { artifacts: { 'notes.txt': 'hello' } })
    const result = await register({ run: '@last' }, { artifact: 'model.joblib' })
    assert.deepEqual(result.files, [])
    assert.match(result.notes.join(), /no artifact.*cannot enter production/)
  })

  it('refuses a run that failed or is still running, unless forced', async () => {
    const failed = await addRun(w, { artifacts: { 'model.json': '[1]' }, end: { status: 'failed', exit: 3 } })
    const error = await refusal(register({ run: failed }), 'RUN_NOT_FINISHED', 1)
    assert.match(`${error.message} ${error.hint}`, /exit 3.*--force/)
    const running = await addRun(w, { running: true })
    await refusal(register({ run: running }), 'RUN_STILL_RUNNING', 1)
    assert.equal((await register({ run: failed, force: true })).version, 1)
    await refusal(register({ run: ulid(0) }), 'RUN_NOT_FOUND', 4)
  })

  it('refuses bytes that are damaged in the store', async () => {
    const id = await addRun(w, { artifacts: { 'model.json': '[1]' } })
    const [artifact] = (await w.store.runs.read(id)).end?.artifacts ?? []
    const { chmodSync } = await import('node:fs')
    const object = join(
      w.store.root,
      'objects/sha256',
      (artifact?.sha256 ?? '').slice(0, 2),
      (artifact?.sha256 ?? '').slice(2),
    )
    chmodSync(object, 0o644)
    writeFileSync(object, '[2]')
    await refusal(register({ run: id }), 'OBJECT_DAMAGED', 1)
    assert.equal(await versions(), 0)
  })
})

describe('registering into a stage', () => {
  it('moves the stage through its gate', async () => {
    const result = await fromFile({ stage: 'staging', metrics: { auc: 0.9 } })
    assert.equal(result.stage?.outcome, 'promoted')
    assert.equal((await w.store.models.state(MODEL)).stages.staging?.version, 1)
    assert.match(result.next, /--to production/)
  })

  it('keeps the version and says which check failed when the gate refuses', async () => {
    const config = { gates: { staging: gate({ min: { auc: 0.9 } }) } }
    const result = await register({ artifacts: ['model.json'], stage: 'staging', metrics: { auc: 0.5 } }, config)
    assert.equal(result.created, true)
    assert.equal(result.stage?.outcome, 'refused')
    assert.match(result.stage?.failing.join() ?? '', /min_auc.*0\.9.*0\.5/)
    assert.deepEqual((await w.store.models.state(MODEL)).stages, {})
  })

  it('never reaches production', async () => {
    const error = await refusal(fromFile({ stage: 'production' }), 'STAGE_NOT_HERE', 2)
    assert.match(error.hint ?? '', /mlops promote/)
    await refusal(fromFile({ stage: 'stagin' }), 'STAGE_UNKNOWN', 2)
    assert.equal(await versions(), 0)
  })
})
