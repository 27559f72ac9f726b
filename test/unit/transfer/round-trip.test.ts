/** Versions that go from one store to another and back: what is kept, what is made anew, what is refused. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseModelRef } from '../../../src/core/names.ts'
import { promote } from '../../../src/lifecycle/promote/promote.ts'
import { loadVersion } from '../../../src/lifecycle/versions/version.ts'
import type { RegisterBody } from '../../../src/store/events.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { exportVersion } from '../../../src/transfer/export.ts'
import { importVersion } from '../../../src/transfer/import.ts'
import { addVersion, BOB, damage, gate, movesOf, rejection, type World, world } from '../lifecycle/fixture.ts'
import { archiveOf, digestOf, entriesOf, fullVersion, partsOf, tarOf, treeOf } from './archives.ts'

const M = 'churn-model'
const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

describe('A version that is exported and imported', () => {
  const worlds: World[] = []
  const made = async (): Promise<World> => {
    const one = await world()
    worlds.push(one)
    return one
  }
  afterEach(() => {
    for (const one of worlds.splice(0)) one.remove()
  })

  const exported = async (from: World, ref = `${M}@1`, output = 'version.tar') => {
    const result = await exportVersion(from.ctx, from.store, { ref: parseModelRef(ref), output })
    return { ...result, path: join(from.dir, output), bytes: readFileSync(join(from.dir, output)) }
  }
  const imported = (into: World, path: string, more: object = {}) =>
    importVersion(into.ctx, into.project(), into.store, { file: path, ...more })
  const bodyOf = async (from: World, model = M, version = 1): Promise<RegisterBody> =>
    (await from.store.models.state(model)).versions[version - 1]?.registered.body as RegisterBody

  const toStaging = (one: World) =>
    promote(one.ctx, one.project(), one.store, { ref: parseModelRef(`${M}@1`), stage: 'staging' })

  it('is the same version: the same digest, and all of its evidence', async () => {
    const [a, b] = [await made(), await made()]
    await fullVersion(a)
    const archive = await exported(a)
    const result = await imported(b, archive.path)
    assert.equal(result.outcome, 'imported')
    assert.equal(result.version, 1)
    assert.deepEqual(result.changes, [])
    assert.equal(result.manifest, archive.manifest)
    const [there, here] = await Promise.all(
      [a, b].map(async ({ store }) => {
        const state = await store.models.state(M)
        const [version] = state.versions
        assert.ok(version)
        return loadVersion(store, state, version)
      }),
    )
    for (const key of [
      'manifest',
      'files',
      'metrics',
      'params',
      'baseline',
      'run',
      'code',
      'python',
      'message',
    ] as const) {
      assert.deepEqual(here?.[key], there?.[key], key)
    }
    assert.deepEqual(here?.problems, [])
    for (const { store } of [a, b]) {
      const report = await verifyStore(store.root)
      assert.deepEqual([report.damages, report.warnings], [[], []])
    }
  })

  it('says where it comes from, for ever', async () => {
    const [a, b] = [await made(), await made()]
    await addVersion(a)
    await fullVersion(a)
    const archive = await exported(a, `${M}@2`)
    await importVersion(b.as(BOB), b.project(), b.store, { file: archive.path })
    const { imported: from, run, tags } = await bodyOf(b)
    const [, there] = (await a.store.models.state(M)).versions
    assert.ok(from && there)
    assert.equal(from.archive, archive.archive.sha256)
    assert.deepEqual([from.store, from.model, from.version, from.manifest], [a.store.id, M, 2, there.manifest])
    assert.deepEqual(from.registered, { time: there.registered.time, by: there.registered.actor })
    assert.equal(run?.id, there.run?.id)
    assert.deepEqual(tags, [])
    const origin = await b.store.objects.readJson<{ event: { seq: number; prev: string; op_id: string } }>(
      from.origin.sha256,
    )
    assert.equal(origin.event.op_id, there.registered.op_id)
    assert.deepEqual((await b.store.models.state(M)).events[0]?.actor, BOB)
  })

  it('gives the same bytes twice, whatever happened in between', async () => {
    const a = await made()
    await fullVersion(a)
    const first = await exported(a)
    await toStaging(a)
    await addVersion(a)
    const later = await exported(a, `${M}@1`, 'later.tar')
    assert.equal(later.archive.sha256, first.archive.sha256)
    assert.ok(first.bytes.equals(later.bytes))
  })

  it('gives the bytes that docs/transfer.md describes, written by hand', async () => {
    const a = await made()
    await fullVersion(a)
    const { bytes } = await exported(a)
    assert.ok(tarOf(entriesOf(bytes)).equals(bytes))
    assert.ok(archiveOf(partsOf(bytes)).equals(bytes))
  })

  it('is read by any tar: every entry has the bytes of its digest', async () => {
    const a = await made()
    await fullVersion(a)
    const { path, bytes } = await exported(a)
    const { list } = await import('tar')
    const seen: string[] = []
    await list({ file: path, strict: true, onReadEntry: (entry) => void seen.push(entry.path) })
    assert.deepEqual(
      seen,
      entriesOf(bytes).map((entry) => entry.path),
    )
    const page = readFileSync(join(ROOT, 'docs/transfer.md'), 'utf8')
    const script = /```python\n(.*?)```/s.exec(page)?.[1]
    assert.ok(script, 'docs/transfer.md has no Python reader')
    assert.ok(script.trim().split('\n').length <= 16)
    const python = (file: string) => execFileSync('python3', ['-c', script, file], { encoding: 'utf8', stdio: 'pipe' })
    assert.match(python(path), /^churn-model@1: 10 objects, model\/config.json, model\/weights.bin$/m)
    const flipped = Buffer.from(bytes)
    const at = flipped.indexOf('"layers"')
    flipped[at] = 0x27
    writeFileSync(join(a.dir, 'flipped.tar'), flipped)
    assert.throws(() => python(join(a.dir, 'flipped.tar')))
  })

  it('is there already when it is imported again, and nothing is written', async () => {
    const [a, b] = [await made(), await made()]
    await fullVersion(a)
    const { path } = await exported(a)
    await imported(b, path)
    const before = treeOf(b.store.root)
    const again = await imported(b, path)
    assert.deepEqual([again.outcome, again.version], ['already there', 1])
    const home = await imported(a, path)
    assert.deepEqual([home.outcome, home.version], ['already there', 1])
    assert.equal(treeOf(b.store.root), before)
  })

  it('brings back what was damaged here: an archive is a backup', async () => {
    const a = await made()
    await fullVersion(a)
    const { path } = await exported(a)
    const manifest = await a.store.models.manifest((await bodyOf(a)).manifest)
    const [file] = manifest.files
    assert.ok(file)
    damage(a, file.sha256)
    assert.equal((await verifyStore(a.store.root)).damages.length, 1)
    assert.equal((await imported(a, path)).outcome, 'already there')
    assert.equal((await verifyStore(a.store.root)).damages.length, 0)
  })

  it('becomes a version of another model with --as, under another digest', async () => {
    const [a, b] = [await made(), await made()]
    await fullVersion(a)
    const archive = await exported(a)
    const result = await imported(b, archive.path, { as: 'churn-eu' })
    assert.equal(result.model, 'churn-eu')
    assert.notEqual(result.manifest, archive.manifest)
    assert.deepEqual(result.changes, ['it was a version of churn-model; here it is one of churn-eu'])
    assert.equal((await b.store.models.manifest(String(result.manifest))).model, 'churn-eu')
    assert.equal((await imported(b, archive.path, { as: 'churn-eu' })).outcome, 'already there')
    assert.equal((await imported(b, archive.path)).model, M)
    const error = await rejection(imported(b, archive.path, { as: '../churn' }))
    assert.deepEqual([error.code, error.exitCode], ['NAME_INVALID', 2])
  })

  it('is checked and not written with --dry-run', async () => {
    const [a, b] = [await made(), await made()]
    await fullVersion(a)
    const { path } = await exported(a)
    const before = treeOf(b.store.root)
    const result = await imported(b, path, { dryRun: true })
    assert.deepEqual([result.outcome, result.version, result.manifest], ['checked', null, null])
    assert.equal(treeOf(b.store.root), before)
  })

  it('is scanned anew: what the archive says of a file is not believed', async () => {
    const [a, b] = [await made(), await made()]
    // A pickle that runs a command when it is loaded, called inert by whoever exported it.
    await addVersion(a, {
      files: { 'model.pkl': 'cposix\nsystem\n(Vid\ntR.' },
      scan: { verdict: 'inert', findings: [] },
    })
    const archive = await exported(a)
    const result = await imported(b, archive.path)
    assert.equal(result.scan, 'can execute code')
    assert.notEqual(result.manifest, archive.manifest)
    assert.match(
      String(result.changes[0]),
      /^model\.pkl: the archive said inert, the scan made here says can execute code/,
    )
    const [file] = (await b.store.models.manifest(String(result.manifest))).files
    assert.equal(file?.scan.verdict, 'can execute code')
    assert.equal((await bodyOf(b)).imported?.manifest, archive.manifest)
  })

  it('loses an evaluation command that this project does not have: a promotion would run it', async () => {
    const [a, b, c] = [await made(), await made(), await made()]
    const evaluate = 'touch /tmp/pwned {model} {data}'
    await addVersion(a, { evaluate, files: { 'model.json': '{"w": 1}' } })
    const archive = await exported(a)
    const result = await imported(b, archive.path)
    assert.equal((await b.store.models.manifest(String(result.manifest))).evaluate, undefined)
    assert.match(result.changes.join(), /its evaluation command is not kept, for it would be run here: touch/)
    const same = await importVersion(c.ctx, c.project({ evaluate }), c.store, { file: archive.path })
    assert.equal(same.manifest, archive.manifest)
    assert.deepEqual(same.changes, [])
  })

  it('has none of the paths that its run recorded opened here, though such a file exists', async () => {
    const [a, b] = [await made(), await made()]
    const rows = 'x,y\n1,0\n'
    const fact = { name: 'test', sha256: digestOf(Buffer.from(rows)), rows: 1, columns: 2 }
    const declared = { ...fact, path: 'test.csv', kind: 'file' as const, size: rows.length }
    const spec = { files: { 'model.json': '{"w": 1}' }, metrics: { auc: 0.9 }, data: [fact], run: { data: [declared] } }
    await addVersion(a, spec)
    const { path } = await exported(a)
    await addVersion(b, { files: { 'model.json': '{"w": 2}' }, metrics: { auc: 0.8 }, test: 'other rows' })
    await toStaging(b)
    writeFileSync(join(b.dir, 'test.csv'), rows)
    await imported(b, path)
    const native = await addVersion(b, { ...spec, params: { depth: 2 } })
    const asked = async (version: number) => {
      const evaluate = 'echo auc: 0.7; : {model} {data}'
      const gates = { staging: gate({ min: { auc: 0.1 }, compareTo: 'staging' }) }
      const ref = parseModelRef(`${M}@${version}`)
      const { gate: judged } = await promote(b.ctx, b.project({ evaluate, gates }), b.store, {
        ref,
        stage: 'staging',
        dryRun: true,
      })
      return JSON.stringify(judged?.checks.filter(({ name }) => name.startsWith('compare_to')))
    }
    assert.match(await asked(2), /"inconclusive".*pass the test set of this version: --test DATA/)
    assert.match(await asked(native), /"verdict":"pass"/)
  })

  it('moves no stage, and can be promoted where it arrived', async () => {
    const [a, b] = [await made(), await made()]
    await fullVersion(a)
    await toStaging(a)
    const { path } = await exported(a)
    await imported(b, path)
    assert.deepEqual((await b.store.models.state(M)).stages, {})
    await toStaging(b)
    assert.deepEqual(movesOf((await b.store.models.state(M)).events, 'staging'), [1])
  })

  it('goes on to a third store with the origin of the first', async () => {
    const [a, b, c] = [await made(), await made(), await made()]
    await fullVersion(a)
    await imported(b, (await exported(a)).path, { as: 'churn-eu' })
    const second = await exported(b, 'churn-eu@1')
    await imported(c, second.path)
    const { imported: from, run } = await bodyOf(c, 'churn-eu')
    assert.equal(from?.store, b.store.id)
    const first = (await bodyOf(b, 'churn-eu')).imported
    assert.ok(first && from)
    // Patch, lock and the origin of the first store.
    assert.equal(from.kept.length, 3)
    assert.ok(from.kept.some(({ sha256 }) => sha256 === first.origin.sha256))
    assert.equal(run?.id, (await bodyOf(a)).run?.id)
    const report = await verifyStore(c.store.root)
    assert.deepEqual([report.damages, report.warnings], [[], []])
  })

  it('is refused when a byte of it is damaged, and no file is left', async () => {
    const a = await made()
    await fullVersion(a)
    const manifest = await a.store.models.manifest((await bodyOf(a)).manifest)
    damage(a, String(manifest.baseline?.profile))
    const error = await rejection(exported(a))
    assert.deepEqual([error.code, error.exitCode], ['VERSION_DAMAGED', 1])
    assert.match(error.message, /churn-model@1 is damaged; nothing was exported/)
    assert.doesNotMatch(treeOf(a.dir), /version\.tar/)
  })

  it('goes without a lost patch of its run, and says so', async () => {
    const [a, b] = [await made(), await made()]
    await fullVersion(a)
    const body = await bodyOf(a)
    const start = await a.store.objects.readJson<{ git: { patch: { sha256: string } } }>(String(body.run?.run.sha256))
    damage(a, start.git.patch.sha256)
    const archive = await exported(a)
    assert.deepEqual(archive.missing, ['uncommitted changes'])
    assert.match(a.warnings.join(), /the archive goes without the uncommitted changes of the run/)
    assert.equal((await imported(b, archive.path)).outcome, 'imported')
    assert.deepEqual((await verifyStore(b.store.root)).damages, [])
  })

  it('overwrites no file', async () => {
    const a = await made()
    await fullVersion(a)
    const { path, bytes } = await exported(a)
    const error = await rejection(exported(a))
    assert.deepEqual([error.code, error.exitCode], ['DESTINATION_EXISTS', 2])
    assert.ok(readFileSync(path).equals(bytes))
    const nowhere = await rejection(exported(a, `${M}@1`, 'no/such/folder/version.tar'))
    assert.equal(nowhere.exitCode, 1)
  })
})
