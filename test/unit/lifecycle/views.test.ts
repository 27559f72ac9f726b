/** Show, diff, history, list, verify: answered from immutable objects alone. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../../src/core/digest.ts'
import { parseModelRef } from '../../../src/core/names.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { rollback } from '../../../src/lifecycle/rollback/rollback.ts'
import { codeDiff } from '../../../src/lifecycle/versions/code-diff.ts'
import { diffVersions, loadLock } from '../../../src/lifecycle/versions/diff.ts'
import { history } from '../../../src/lifecycle/versions/history.ts'
import { verifyVersion } from '../../../src/lifecycle/versions/integrity.ts'
import { listModels } from '../../../src/lifecycle/versions/list.ts'
import { loadVersion } from '../../../src/lifecycle/versions/version.ts'
import { createStyle } from '../../../src/ui/style.ts'
import { createUi } from '../../../src/ui/ui.ts'
import { renderDiff } from '../../../src/ui/views/diff.ts'
import { ADA, addVersion, BOB, damage, MODEL, type World, world } from './fixture.ts'

const COMMIT = 'a'.repeat(40)
const git = (commit: string, dirty = false) => ({ commit, branch: 'main', remote: null, dirty })

describe('what the store knows of a version', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
  })
  afterEach(() => w.remove())

  const show = async (version: number) => {
    const state = await w.store.models.state(MODEL)
    const found = state.versions[version - 1]
    assert.ok(found)
    return loadVersion(w.store, state, found)
  }
  const diff = async (a: number, b: number) => {
    const [from, to] = [await show(a), await show(b)]
    return diffVersions(from, to, { from: await loadLock(w.store, from), to: await loadLock(w.store, to) })
  }
  const up = (version: number, more: object = {}) =>
    promote(w.ctx, w.project(), w.store, {
      ref: parseModelRef(`${MODEL}@${version}`),
      stage: 'production',
      approve: ['ada'],
      ...more,
    })

  it('comes from pinned records, also when the folder of the run is gone', async () => {
    await addVersion(w, {
      metrics: { auc: 0.84 },
      baseline: true,
      message: 'first',
      data: [{ name: 'train', sha256: sha256('rows'), rows: 3500 }],
      run: {
        seed: 7,
        git: git(COMMIT),
        lock: 'numpy==1.26\n',
        data: [{ name: 'train', path: 'data/train.csv', kind: 'file', sha256: sha256('rows'), size: 4, rows: 3500 }],
      },
    })
    rmSync(join(w.store.root, 'runs'), { recursive: true })
    const detail = await show(1)
    assert.deepEqual(detail.run?.command, ['python', 'train.py'])
    assert.equal(detail.run?.seed, 7)
    assert.equal(detail.code?.commit, COMMIT)
    assert.equal(detail.python?.lock?.packages, 1)
    assert.deepEqual(detail.data[0], { name: 'train', sha256: sha256('rows'), rows: 3500, path: 'data/train.csv' })
    assert.equal(detail.baseline?.data.rows, 3500)
    assert.equal(detail.message, 'first')
    assert.deepEqual(detail.problems, [])
  })

  it('takes facts that came late from the end of the run', async () => {
    await addVersion(w, { run: { end: { late: { git: git(COMMIT, true) } } } })
    assert.equal((await show(1)).code?.dirty, true)
  })

  it('says which record is damaged instead of hiding the version', async () => {
    await addVersion(w, { metrics: { auc: 0.8 }, run: {} })
    const state = await w.store.models.state(MODEL)
    damage(w, state.versions[0]?.run?.run.sha256 ?? '')
    const detail = await show(1)
    assert.equal(detail.run, null)
    assert.equal(detail.metrics.auc, 0.8)
    assert.match(detail.problems.join(), /run\.json/)
  })

  it('is compared: metrics with their difference, parameters, data, code, packages, files', async () => {
    await addVersion(w, {
      metrics: { auc: 0.82, loss: 'NaN' },
      params: { C: 1, solver: 'lbfgs', old: true },
      data: [{ name: 'train', sha256: sha256('may'), rows: 10 }],
      test: 'holdout',
      files: { 'model.joblib': 'one', 'old.txt': 'x' },
      run: { git: git(COMMIT), lock: 'numpy==1.26\nscipy==1.0\n' },
    })
    await addVersion(w, {
      metrics: { auc: 0.84, loss: 0.3 },
      params: { C: 2, solver: 'lbfgs', fresh: 'yes' },
      data: [{ name: 'train', sha256: sha256('june'), rows: 12 }],
      test: 'holdout',
      files: { 'model.joblib': 'two' },
      run: { git: git('b'.repeat(40)), lock: 'joblib==1.4\nnumpy==2.0\n' },
    })
    const found = await diff(1, 2)
    assert.deepEqual(found.metrics, [
      { name: 'auc', from: 0.82, to: 0.84, kind: 'changed', comparable: true, delta: 0.02 },
      { name: 'loss', from: 'NaN', to: 0.3, kind: 'changed', comparable: true },
    ])
    assert.deepEqual(
      found.params.map(({ name, kind }) => [name, kind]),
      [
        ['C', 'changed'],
        ['fresh', 'added'],
        ['old', 'removed'],
      ],
    )
    assert.deepEqual(found.data[0]?.to, { sha256: sha256('june'), rows: 12 })
    assert.deepEqual([found.code.verdict, found.code.to?.commit], ['changed', 'b'.repeat(40)])
    assert.deepEqual(
      found.packages.changes.map(({ name, from, to }) => [name, from, to]),
      [
        ['joblib', null, '1.4'],
        ['numpy', '1.26', '2.0'],
        ['scipy', '1.0', null],
      ],
    )
    assert.deepEqual(
      found.files.map(({ path, kind }) => [path, kind]),
      [
        ['model.joblib', 'changed'],
        ['old.txt', 'removed'],
      ],
    )
    assert.equal(found.identical, false)
  })

  it('names the hash of a file and a digest of rows for what they are', async () => {
    await addVersion(w, { test: 'a file' })
    await addVersion(w, { data: [{ name: 'test', sha256: sha256('rows'), rows: 9, of: 'rows' }] })
    const found = await diff(1, 2)
    const short = (text: string) => sha256(text).slice(0, 12)
    const said = `test file ${short('a file')}, 100 rows → ${short('rows')} (digest of rows), 9 rows`
    const style = createStyle({ color: false, unicode: true })
    const shown = renderDiff(createUi({ style, width: 200, now: w.ctx.now(), quiet: false }), found, null)
    assert.ok(shown.includes(said), shown)
  })

  it('does not claim the same code or packages where nothing was recorded', async () => {
    await addVersion(w, { run: { git: git(COMMIT), lock: 'numpy==1\n' } })
    await addVersion(w)
    await addVersion(w, { run: { git: git(COMMIT, true), lock: 'numpy==1\n' } })
    const [none, dirty] = [await diff(1, 2), await diff(3, 3)]
    assert.deepEqual([none.code.verdict, none.packages.verdict], ['unknown', 'unknown'])
    assert.match(none.packages.note ?? '', /churn-model@2 records no package lock/)
    assert.equal(dirty.code.verdict, 'unknown', 'uncommitted changes without a patch')
    assert.equal((await diff(1, 1)).code.verdict, 'same')
  })

  it('prints a real git diff when both commits are here, and says why not otherwise', async () => {
    const run = (...args: string[]) =>
      execFileSync('git', ['-C', w.dir, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
        encoding: 'utf8',
      })
    run('init', '-q', '-b', 'main')
    const commits = ['C = 1\n', 'C = 2\n'].map((text) => {
      writeFileSync(join(w.dir, 'train.py'), text)
      run('add', 'train.py')
      run('commit', '-q', '-m', 'train')
      return run('rev-parse', 'HEAD').trim()
    })
    for (const commit of [...commits, COMMIT]) await addVersion(w, { run: { git: git(commit) } })
    const code = async (a: number, b: number) => codeDiff(w.ctx, w.store, w.dir, await show(a), await show(b))
    assert.match((await code(1, 2)).commits ?? '', /-C = 1\n\+C = 2/)
    const unknown = await code(1, 3)
    assert.equal(unknown.commits, null)
    assert.match(unknown.note ?? '', /git fetch/)
  })

  it('has a history, newest first, with reasons, approvals and the evidence of the gate', async () => {
    await addVersion(w, { message: 'first' })
    await addVersion(w)
    await up(1, { reason: 'launch' })
    await up(2)
    await promote(w.ctx, w.project(), w.store, { ref: parseModelRef(`${MODEL}@2`), stage: 'staging' })
    await rollback(w.as(BOB), w.project(), w.store, { model: MODEL, stage: 'production', reason: 'odd' })
    const state = await w.store.models.state(MODEL)
    const all = history(state)
    assert.deepEqual(
      all.map(({ type }) => type),
      ['rollback', 'promote', 'promote', 'promote', 'register', 'register'],
    )
    assert.deepEqual([all[0]?.by.name, all[0]?.reason, all[0]?.from, all[0]?.version], [BOB.name, 'odd', 2, 1])
    assert.deepEqual(all[3]?.approvals, [{ name: 'ada', origin: 'claimed' }])
    assert.equal(all[3]?.reason, 'launch')
    assert.equal(all[3]?.gate?.verdict, 'pass')
    assert.equal(history(state, { stage: 'production' }).length, 3)
    assert.equal(history(state, { version: 2 }).length, 4, 'also where version 2 had to go')
    assert.equal(history(state, { limit: 2 }).length, 2)
  })

  it('is hashed again byte for byte, and damage has a name', async () => {
    await addVersion(w, { baseline: true, run: {}, files: { 'a.bin': 'aaa', 'sub/b.bin': 'bbb' } })
    const state = await w.store.models.state(MODEL)
    const [version] = state.versions
    assert.ok(version)
    const sound = await verifyVersion(w.ctx, w.store, MODEL, version)
    assert.deepEqual([sound.damage.length, sound.parts], [0, 6])
    damage(w, sha256('bbb'))
    const found = await verifyVersion(w.ctx, w.store, MODEL, version)
    assert.deepEqual(
      found.damage.map(({ name }) => name),
      ['sub/b.bin'],
    )
    damage(w, version.manifest)
    const manifest = await verifyVersion(w.ctx, w.store, MODEL, version)
    assert.deepEqual(
      manifest.damage.map(({ name }) => name),
      ['manifest'],
    )
  })

  it('is listed with its stages; a damaged model hides no other', async () => {
    await addVersion(w)
    await addVersion(w, { model: 'fraud' })
    await up(1)
    const [churn, fraud] = await listModels(w.store)
    assert.deepEqual(
      [churn?.model, churn?.stages.production?.version, churn?.stages.production?.by],
      [MODEL, 1, ADA.name],
    )
    assert.deepEqual([fraud?.model, fraud?.versions, fraud?.stages], ['fraud', 1, {}])
    writeFileSync(join(w.store.root, 'models/fraud/log/0000000002.json'), '{"torn')
    const [sound, broken] = await listModels(w.store)
    assert.equal(sound?.problem, null)
    assert.match(broken?.problem ?? '', /0000000002\.json is damaged/)
  })
})
