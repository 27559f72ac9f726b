/** Held-out answers, examples and the overlap with the training data, when a version is registered. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { isMlopsError, type MlopsError } from '../../../src/core/errors.ts'
import { type TestSetFacts, testSetsOf } from '../../../src/lifecycle/gate/test-set.ts'
import { agrees } from '../../../src/lifecycle/register/held-out-evidence.ts'
import { overlapText } from '../../../src/lifecycle/register/overlap-evidence.ts'
import { type RegisterRequest, registerVersion } from '../../../src/lifecycle/register/register.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { hashDeclaredData } from '../../../src/tracking/capture/declared-data.ts'
import { damage, MODEL, type World, world } from './fixture.ts'
import { addRun } from './run-fixture.ts'

let w: World
beforeEach(async () => {
  w = await world()
  writeFileSync(join(w.dir, 'model.json'), '{"weights": [1, 2, 3]}')
})
afterEach(() => w.remove())

const register = (request: Partial<RegisterRequest>) =>
  registerVersion(w.ctx, w.project({}), w.store, { model: MODEL, ...request })
const fromFile = (more: Partial<RegisterRequest> = {}) => register({ artifacts: ['model.json'], ...more })
const manifestOf = async ({ manifest }: { readonly manifest: string }) => w.store.models.manifest(manifest)
const versions = async () => (await w.store.models.stateOrEmpty(MODEL)).versions.length

async function refusal(work: Promise<unknown>): Promise<MlopsError> {
  const error = await work.then(
    () => assert.fail('it was accepted'),
    (thrown: unknown) => thrown,
  )
  assert.ok(isMlopsError(error), String(error))
  return error
}

/** Of four answers three are right; the area under the curve is 0.75. */
const ANSWERS = 'truth,score\n1,0.9\n0,0.2\n1,0.4\n0,0.45\n'
const LINES = ANSWERS.trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(','))
  .map(([truth, score]) => `{"truth":${truth},"score":${score},"region":"north"}\n`)
  .join('')
const DIGEST = 'ab'.repeat(32)

describe('held-out answers of a file', () => {
  it('are read and measured when the version is registered, and kept with their format', async () => {
    writeFileSync(join(w.dir, 'answers.csv'), ANSWERS)
    const result = await fromFile({ testPredictions: 'answers.csv', metrics: { auc: 0.75, accuracy: 0.75 } })
    assert.deepEqual([result.heldOut?.from, result.heldOut?.rows, result.heldOut?.task], ['file', 4, 'binary'])
    assert.deepEqual([result.heldOut?.metrics.auc, result.heldOut?.metrics.accuracy], [0.75, 0.75])
    assert.deepEqual(result.heldOut?.differing, [])
    assert.equal((await manifestOf(result)).testPredictions?.format, 'csv')

    writeFileSync(join(w.dir, 'answers'), gzipSync(LINES))
    const other = await fromFile({ testPredictions: 'answers' })
    assert.equal(other.heldOut?.metrics.auc, 0.75)
    assert.equal((await manifestOf(other)).testPredictions?.format, 'jsonl')
  })

  it('that cannot be read are refused now, and nothing is registered', async () => {
    const broken = {
      'no-truth.csv': 'y,answer\n1,1\n',
      'no-answer.csv': 'truth,region\n1,north\n',
      'header.csv': 'truth,answer\n',
      'empty.csv': '',
      'cut.parquet': 'PAR1 and then nothing',
      'torn.jsonl': '{"truth":1,"answer":1}\n{"truth":',
      'binary.bin': '\0\x01\0\x02'.repeat(50),
    }
    for (const [name, text] of Object.entries(broken)) {
      writeFileSync(join(w.dir, name), text)
      const error = await refusal(fromFile({ testPredictions: name }))
      assert.ok(['usage', 'failed'].includes(error.exit) && error.message.includes(name), `${name}: ${error.message}`)
    }
    assert.equal(await versions(), 0)
  })

  it('are compared with the metrics that were recorded, which stay as they are', async () => {
    writeFileSync(join(w.dir, 'answers.csv'), ANSWERS)
    const metrics = { auc: 0.91, roc_auc: 0.75, accuracy: 0.8, brier: 'NaN', loss: 3 }
    const result = await fromFile({ testPredictions: 'answers.csv', metrics })
    assert.deepEqual(
      result.heldOut?.differing.map(({ metric, recorded }) => [metric, recorded]),
      [
        ['auc', 0.91],
        ['accuracy', 0.8],
        ['brier', 'NaN'],
      ],
    )
    assert.ok(result.notes.includes('auc was recorded as 0.91, and the 4 held-out answers give 0.75'))
    assert.deepEqual((await manifestOf(result)).metrics, metrics)
    // Those that nobody recorded are shown, and not made part of what the version claims.
    assert.ok('f1' in (result.heldOut?.metrics ?? {}))
    assert.equal('f1' in result.metrics, false)
  })

  it('agree with a metric that was rounded, and with no other', () => {
    const cases: [number, number, boolean][] = [
      [0.84, 0.8412, true],
      [0.84, 0.8451, false],
      [0.8412, 0.84123, true],
      [0.8412, 0.84126, false],
      [0.8, 0.804, true],
      [0.8, 0.81, false],
      [1, 0.996, true],
      [1, 0.99, false],
      [0, 0.001, true],
      [12.3, 12.34, true],
      [12, 12.34, false],
      [-0.25, -0.2519, true],
      [0.1 + 0.2, 0.3, true],
      [Number.NaN, 0.5, false],
      [Number.POSITIVE_INFINITY, 0.5, false],
    ]
    for (const [recorded, computed, expected] of cases) {
      assert.equal(agrees(recorded, computed), expected, `${recorded} and ${computed}`)
    }
  })
})

describe('held-out answers that a script logged', () => {
  const evidence = [{ kind: 'test' as const, text: LINES, rowsDigest: DIGEST }]

  it('become those of the version, and their rows its test set', async () => {
    const id = await addRun(w, { artifacts: { 'model.bin': 'x' }, evidence, end: { metrics: { auc: 0.5 } } })
    const result = await register({ run: id })
    assert.deepEqual([result.heldOut?.from, result.heldOut?.metrics.auc], ['run', 0.75])
    assert.match(result.notes.join('\n'), /auc was recorded as 0\.5/)
    const { testPredictions, data } = await manifestOf(result)
    assert.deepEqual([testPredictions?.format, testPredictions?.rowsDigest], ['jsonl', DIGEST])
    assert.deepEqual(data, [{ name: 'test', sha256: DIGEST, rows: 4, columns: 2, of: 'rows' }])
    assert.deepEqual((await verifyStore(w.store.root)).damages, [])
  })

  it('leave the test set to the file where one is declared, and give way to a file of answers', async () => {
    writeFileSync(join(w.dir, 'test.csv'), 'a,b\n1,2\n3,4\n5,6\n7,8\n')
    writeFileSync(join(w.dir, 'answers.csv'), ANSWERS)
    const test = await hashDeclaredData({ name: 'test', path: 'test.csv' }, w.dir)
    const id = await addRun(w, { artifacts: { 'model.bin': 'x' }, evidence, start: { data: [test] } })
    const declared = await manifestOf(await register({ run: id }))
    assert.deepEqual(declared.data, [{ name: 'test', sha256: test.sha256, rows: 4, columns: 2 }])
    assert.equal(declared.testPredictions?.rowsDigest, DIGEST)

    const named = await register({ run: id, testPredictions: 'answers.csv', test: 'answers.csv' })
    assert.equal(named.heldOut?.from, 'file')
    const { testPredictions, data } = await manifestOf(named)
    assert.deepEqual([testPredictions?.format, testPredictions?.rowsDigest], ['csv', undefined])
    assert.deepEqual(
      data.map(({ of, rows }) => [of, rows]),
      [[undefined, 4]],
    )
  })

  it('count as the script logged them last', async () => {
    const earlier = { kind: 'test' as const, text: '{"truth":0,"answer":1}\n', time: '2020-01-01T00:00:00.000Z' }
    const id = await addRun(w, { artifacts: { 'model.bin': 'x' }, evidence: [...evidence, earlier] })
    assert.equal((await register({ run: id })).heldOut?.rows, 4)
  })

  it('that cannot be used do not keep the version out, and are kept so that a gate says what ails them', async () => {
    const id = await addRun(w, {
      artifacts: { 'model.bin': 'x' },
      evidence: [{ kind: 'test', text: '{"truth":null,"answer":1}\n' }],
    })
    const result = await register({ run: id })
    assert.equal(result.heldOut, null)
    assert.match(
      result.notes.join('\n'),
      /logged with log_test cannot be used, and a gate that looks at a metric will not pass: .*"truth" is missing in 1 of 1 row;/,
    )
    const [record] = await w.store.runs.evidence(id)
    assert.equal((await manifestOf(result)).testPredictions?.sha256, record?.data.sha256)
  })

  it('that were damaged in the store are left out and missed by verify', async () => {
    const id = await addRun(w, { artifacts: { 'model.bin': 'x' }, evidence })
    const [record] = await w.store.runs.evidence(id)
    damage(w, record?.data.sha256 ?? '')
    assert.equal((await register({ run: id })).heldOut, null)
    const { damages } = await verifyStore(w.store.root)
    assert.ok(damages.some(({ affects }) => affects.some((each) => each.includes('test predictions'))))
  })

  it('come with examples, unless a file of these is named', async () => {
    const examples = { kind: 'examples' as const, text: '{"features":{"a":1},"output":0.5}\n' }
    const id = await addRun(w, { artifacts: { 'model.bin': 'x' }, evidence: [examples] })
    const result = await register({ run: id })
    assert.equal(result.examples?.format, 'jsonl')
    assert.deepEqual((await manifestOf(result)).examples, result.examples)
    writeFileSync(join(w.dir, 'examples.json'), '[]')
    assert.equal((await register({ run: id, examples: 'examples.json' })).examples?.size, 2)
    damage(w, result.examples?.sha256 ?? '')
    const without = await register({ run: id })
    assert.equal(without.examples, null)
    assert.match(without.notes.join('\n'), /no examples: what the script logged with log_examples cannot be read/)
  })
})

describe('test sets of two versions', () => {
  const file = (sha256: string, rowsDigest?: string): TestSetFacts => ({
    data: [{ name: 'test', sha256 }],
    ...(rowsDigest === undefined ? {} : { testPredictions: { sha256: 'p', size: 1, rowsDigest } }),
  })
  const rows = (sha256: string): TestSetFacts => ({ data: [{ name: 'test', sha256, of: 'rows' }] })

  it('are the same by one digest, and a file and its rows are never compared', () => {
    const cases: [TestSetFacts, TestSetFacts, string][] = [
      [file('a'), file('a'), 'same'],
      [file('a'), file('b'), 'different'],
      [rows('a'), rows('a'), 'same'],
      [rows('a'), rows('b'), 'different'],
      [file('a'), rows('a'), 'unknown'],
      [file('a'), rows('b'), 'unknown'],
      [file('a', 'r'), rows('r'), 'same'],
      [file('a', 'r'), rows('s'), 'different'],
      // The same rows as CSV and as Parquet; the same file, whose rows were scaled by two scripts.
      [file('a', 'r'), file('b', 'r'), 'same'],
      [file('a', 'r'), file('a', 's'), 'same'],
      [file('a', 'r'), file('b', 's'), 'different'],
      [file('a', 'r'), file('b'), 'different'],
      [file('a'), { data: [] }, 'unknown'],
      [{ data: [] }, { data: [] }, 'unknown'],
    ]
    for (const [one, other, expected] of cases) {
      assert.equal(testSetsOf(one, other), expected, JSON.stringify([one, other]))
      assert.equal(testSetsOf(other, one), expected)
    }
  })
})

describe('held-out rows in the training data', () => {
  const line = (at: number): string => `${at * 1.5},${at % 3 ? 'a' : 'b'},${at % 2}`
  const table = (from: number, to: number): string =>
    `age,plan,churned\n${Array.from({ length: to - from }, (_, at) => line(from + at)).join('\n')}\n`

  beforeEach(() => {
    writeFileSync(join(w.dir, 'train.csv'), table(0, 200))
    writeFileSync(join(w.dir, 'test.csv'), table(190, 250))
  })

  it('are counted when both are tables that the flags name', async () => {
    const result = await fromFile({ baseline: 'train.csv', test: 'test.csv' })
    assert.deepEqual([result.overlap?.rows, result.overlap?.shared], [60, 10])
    assert.deepEqual((await manifestOf(result)).overlap, { rows: 60, shared: 10, expected: 0 })
    assert.ok(result.notes.includes('10 of 60 held-out rows stand in the training data too'))

    writeFileSync(join(w.dir, 'fresh.csv'), table(200, 260))
    const clean = await fromFile({ baseline: 'train.csv', test: 'fresh.csv' })
    assert.deepEqual((await manifestOf(clean)).overlap, { rows: 60, shared: 0, expected: 0 })
    assert.doesNotMatch(clean.notes.join('\n'), /stand/)
  })

  it('are counted in what the run declared, as long as it is what the run read', async () => {
    const data = await Promise.all(
      ['train', 'test'].map((name) => hashDeclaredData({ name, path: `${name}.csv` }, w.dir)),
    )
    const id = await addRun(w, { artifacts: { 'model.bin': 'x' }, start: { data } })
    assert.equal((await register({ run: id })).overlap?.shared, 10)
    // Whoever wants no baseline still trained on these rows.
    assert.equal((await register({ run: id, baseline: false })).overlap?.shared, 10)

    writeFileSync(join(w.dir, 'test.csv'), table(100, 250))
    const changed = await register({ run: id })
    assert.equal(changed.overlap, null)
    assert.match(changed.notes.join('\n'), /is not known: test\.csv is not what the run read any more/)
    rmSync(join(w.dir, 'test.csv'))
    assert.match((await register({ run: id })).notes.join('\n'), /is not known: There is no file/)
    assert.equal((await manifestOf(changed)).overlap, undefined)
  })

  it('are counted in folders of parts', async () => {
    mkdirSync(join(w.dir, 'parts'))
    writeFileSync(join(w.dir, 'parts/a.csv'), table(0, 100))
    writeFileSync(join(w.dir, 'parts/b.csv'), table(100, 195))
    assert.equal((await fromFile({ baseline: 'parts', test: 'test.csv' })).overlap?.shared, 5)
  })

  it('are unknown, which is said once, when the test set is no table or has other columns', async () => {
    writeFileSync(join(w.dir, 'images.bin'), '\0\x01\0\x02'.repeat(50))
    writeFileSync(join(w.dir, 'other.csv'), 'x,y\n1,2\n')
    for (const test of ['images.bin', 'other.csv']) {
      const result = await fromFile({ baseline: 'train.csv', test })
      assert.equal(result.overlap, null)
      assert.equal(result.notes.filter((note) => note.includes('is not known')).length, 1, result.notes.join('\n'))
    }
    // Without held-out rows there is no question.
    assert.doesNotMatch((await fromFile({ baseline: 'train.csv' })).notes.join('\n'), /held-out/)
  })

  it('are unknown, and register says so, when there is no file of one of the two', async () => {
    const said = async (request: Partial<RegisterRequest>): Promise<string> => {
      const { overlap, notes } = await register({ artifacts: ['model.json'], ...request })
      assert.equal(overlap, null)
      const found = notes.filter((note) =>
        note.startsWith('whether held-out rows stand in the training data is not known'),
      )
      assert.equal(found.length, 1, notes.join('\n'))
      return found[0] ?? ''
    }
    assert.match(
      await said({ test: 'test.csv' }),
      /: no training data was named \(--baseline FILE, or mlops track --data/,
    )
    assert.match(await said({ test: 'test.csv', baseline: false }), /: no training data was named/)
    writeFileSync(join(w.dir, 'answers.csv'), ANSWERS)
    const answered = { testPredictions: 'answers.csv', baseline: 'train.csv' }
    assert.match(
      await said(answered),
      /: there are answers on them, and no file of the rows was named \(--test FILE\)$/,
    )
    const evidence = [{ kind: 'test' as const, text: LINES, rowsDigest: DIGEST }]
    const logged = await addRun(w, { artifacts: { 'model.bin': 'x' }, evidence })
    assert.match(await said({ artifacts: [], run: logged, baseline: 'train.csv' }), /no file of the rows was named/)
    const test = await hashDeclaredData({ name: 'test', path: 'test.csv' }, w.dir)
    const declared = await addRun(w, { artifacts: { 'model.bin': 'x' }, start: { data: [test] } })
    assert.match(await said({ artifacts: [], run: declared }), /: no training data was named/)
  })

  it('are told apart from what can be chance', () => {
    assert.equal(
      overlapText({ rows: 1200, shared: 37, expected: 0.2 }),
      '37 of 1,200 held-out rows stand in the training data too',
    )
    assert.equal(
      overlapText({ rows: 1200, shared: 1, expected: 12.4 }),
      '1 of 1,200 held-out rows stands in the training data too; training rows repeat, so about 12 can be chance',
    )
  })
})
