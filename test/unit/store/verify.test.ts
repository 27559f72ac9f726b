/** `verify` names every file of a real store that was flipped, cut short, swapped or deleted, and whom that hurts. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { sha256 } from '../../../src/core/digest.ts'
import { createStore } from '../../../src/store/create.ts'
import { objectKey } from '../../../src/store/layout.ts'
import { openStore } from '../../../src/store/open.ts'
import { seal } from '../../../src/store/sealed.ts'
import type { Store } from '../../../src/store/store.ts'
import { type VerifyReport, verifyStore } from '../../../src/store/verify.ts'
import {
  draft,
  now,
  promote,
  register,
  rollback,
  runEnd,
  runStart,
  TIME,
  temporaryFolder,
  temporaryStore,
} from './support.ts'

/** A store with at least two of everything, inside a git repository. */
async function furnishedStore(): Promise<Store> {
  const project = temporaryFolder()
  execFileSync('git', ['init', '-q'], { cwd: project })
  const root = join(project, '.mlops')
  await createStore(root)
  const store = await openStore(root, { write: true, now })
  const runs = [await aRun(store), await aRun(store)]
  for (const [index, run] of runs.entries()) await register(store, `model ${index}`, { run })
  await promote(store, 1)
  await promote(store, 2)
  await rollback(store)
  const profile = await store.objects.put(Buffer.from('a profile'))
  const state = await store.models.state('churn-model')
  const data = { sha256: sha256('data'), rows: 10, columns: 2 }
  await store.models.commit(state, draft('baseline', { profile, data }))
  await register(store, 'other model', { model: 'other-model' })
  for (const week of ['week 1', 'week 2']) {
    const reference = { name: 'baseline', profile: profile.sha256, rows: 10 }
    await store.checks.put('churn-model', sha256(week), { time: TIME, week, reference })
  }
  for (const scope of ['jobs/drift-x', 'alerts/drift-y'])
    for (const n of [1, 2]) await store.claims.take('churn-model', scope, n, { n })
  await store.claims.beat('churn-model', 'jobs/drift-x')
  return store
}

async function aRun(store: Store): Promise<string> {
  const artifact = await store.objects.put(Buffer.from('an artifact'))
  const run = await store.runs.create(runStart())
  await run.append('metrics', [{ t: TIME, key: 'auc', value: 0.9 }])
  await run.append('params', [{ t: TIME, key: 'id', value: run.id }])
  await run.append('tags', [{ t: TIME, tag: run.id }])
  await run.append('artifacts', [{ t: TIME, path: 'model.bin', ...artifact }])
  for (const folder of ['intents', 'clients']) mkdirSync(join(run.dir, folder))
  writeFileSync(join(run.dir, 'clients/python-1.json'), seal({ format: 1, writer: 'python-1', run: run.id, pid: 1 }))
  const wish = { format: 1, kind: 'register', model: 'churn-model', tags: [], message: run.id }
  writeFileSync(join(run.dir, 'intents/python-1-1.json'), seal(wish))
  writeFileSync(run.outputPath, `output of ${run.id}\n`)
  await run.end(runEnd({ artifacts: [{ path: 'model.bin', ...artifact }] }))
  return run.id
}

/** Every file, but those that are documented as hints or as nobody's business (docs/store-format.md, section 7). */
function filesOf(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !/^(?:\.git|tmp|quarantine)\/|^reserve$|\/alive$/.test(file))
    .sort()
}

/** The newest of a chain or of a scope of claims, unless something remembers it. */
function mayVanish(file: string, all: readonly string[]): boolean {
  if (!/(?:^|\/)(?:log|(?:jobs|alerts)\/[^/]+)\/\d{10}\.json$/.test(file)) return false
  const newest = all.filter((other) => dirname(other) === dirname(file)).at(-1)
  const remembered = /^models\/[^/]+\/log\/0000000001\.json$/.test(file)
  return file === newest && !remembered
}

function overwrite(path: string, bytes: Buffer): void {
  chmodSync(path, 0o644)
  writeFileSync(path, bytes)
}

const named = ({ damages }: VerifyReport): string[] => damages.map(({ file }) => file)

describe('verify', () => {
  let store: Store
  let files: string[] = []
  const contents = new Map<string, Buffer>()
  before(async () => {
    store = await furnishedStore()
    files = filesOf(store.root)
    for (const file of files) contents.set(file, readFileSync(join(store.root, file)))
  })

  const bytesOf = (file: string): Buffer => contents.get(file) ?? Buffer.alloc(0)

  /** Does `harm`, verifies, undoes it. */
  async function harmed(harm: Readonly<Record<string, Buffer | undefined>>): Promise<VerifyReport> {
    for (const [file, bytes] of Object.entries(harm)) {
      if (bytes === undefined) rmSync(join(store.root, file))
      else overwrite(join(store.root, file), bytes)
    }
    try {
      return await verifyStore(store.root)
    } finally {
      for (const file of Object.keys(harm)) {
        rmSync(join(store.root, file), { force: true })
        writeFileSync(join(store.root, file), bytesOf(file), { mode: 0o444 })
      }
    }
  }

  it('finds nothing wrong with a store that is whole', async () => {
    const report = await verifyStore(store.root)
    assert.deepEqual([report.damages, report.warnings, report.ok], [[], [], true])
    assert.equal(report.files, files.length)
    assert.deepEqual([report.models, report.events, report.runs], [2, 7, 2])
    assert.ok(files.length > 40, 'the store has too little in it to prove anything')
  })

  it('names every file in which one bit was flipped', async () => {
    for (const file of files) {
      const { length } = bytesOf(file)
      for (const at of new Set([0, Math.floor(length / 2), length - 1])) {
        const bytes = Buffer.from(bytesOf(file))
        bytes[at] = (bytes[at] ?? 0) ^ 1
        const report = await harmed({ [file]: bytes })
        assert.ok(named(report).includes(file), `bit in byte ${at} of ${file}: ${JSON.stringify(report.damages)}`)
      }
    }
  })

  it('names every file that was cut short', async () => {
    for (const file of files) {
      const bytes = bytesOf(file)
      for (const length of new Set([0, Math.floor(bytes.length / 2), bytes.length - 1])) {
        const report = await harmed({ [file]: bytes.subarray(0, length) })
        assert.ok(named(report).includes(file), `${file} cut to ${length}: ${JSON.stringify(report.damages)}`)
      }
    }
  })

  it('names every file that was deleted, but for the tail of a log', async () => {
    const excused: string[] = []
    for (const file of files) {
      const report = await harmed({ [file]: undefined })
      if (mayVanish(file, files)) excused.push(file)
      else assert.ok(named(report).includes(file), `${file}: ${JSON.stringify(report.damages)}`)
    }
    assert.ok(excused.length < files.length / 6, `too many excuses: ${excused.join(' ')}`)
  })

  it('names both of two files that were swapped', async () => {
    for (const [index, file] of files.entries()) {
      // Those that are the likeliest to fool it: a sibling, one of the same name, one from somewhere else.
      const sibling = files[index + 1]
      const stranger = files[(index + Math.floor(files.length / 2)) % files.length]
      const namesake = files.find((other) => other > file && other.split('/').at(-1) === file.split('/').at(-1))
      for (const other of [sibling, stranger, namesake]) {
        if (other === undefined || bytesOf(file).equals(bytesOf(other))) continue
        const report = await harmed({ [file]: bytesOf(other), [other]: bytesOf(file) })
        for (const one of [file, other]) {
          assert.ok(named(report).includes(one), `${file} <-> ${other}: ${JSON.stringify(report.damages)}`)
        }
      }
    }
  })

  it('says which version, and in which stage, a lost file belongs to', async () => {
    const report = await harmed({ [objectKey(sha256('model 0'))]: undefined })
    assert.deepEqual(report.damages, [
      {
        file: objectKey(sha256('model 0')),
        problem: 'missing',
        why: 'the object is gone',
        affects: ['churn-model@1 (production): file model.bin'],
      },
    ])
  })

  it('names an event that somebody rewrote with a valid seal: the chain does not fit', async () => {
    const file = 'models/churn-model/log/0000000003.json'
    const { self, ...event } = JSON.parse(bytesOf(file).toString())
    const report = await harmed({ [file]: seal({ ...event, actor: { name: 'mallory', origin: 'local' } }) })
    assert.ok(self.length === 64 && named(report).includes(file))
  })

  it('names an event whose stages are not what the history gives', async () => {
    const file = 'models/churn-model/log/0000000006.json'
    const { self, ...event } = JSON.parse(bytesOf(file).toString())
    const held = event.stages.production
    const report = await harmed({ [file]: seal({ ...event, stages: { production: { ...held, version: 2 } } }) })
    assert.ok(self.length === 64)
    assert.deepEqual(
      report.damages.map(({ why }) => why),
      ['its map of stages is not what the events up to it give'],
    )
  })

  it('misses a model whose whole folder is gone', async () => {
    const lost = Object.fromEntries(files.filter((f) => f.startsWith('models/other-model/')).map((f) => [f, undefined]))
    assert.deepEqual(named(await harmed(lost)), ['models/other-model/log/0000000001.json'])
  })

  it('takes leftovers of killed writers for what they are, and only warns of strangers', async () => {
    const strangers = [
      'notes.txt',
      'models/churn-model/log/0000000001.json~',
      'objects/sha256/zz',
      'runs/x',
      'models/X',
    ]
    const leftovers = ['tmp/0123456789abcdef', 'trash/x', 'quarantine/x', 'models/churn-model/cache/x']
    mkdirSync(join(store.root, 'models/churn-model/cache'), { recursive: true })
    for (const file of [...strangers, ...leftovers]) writeFileSync(join(store.root, file), 'x')
    symlinkSync('nowhere', join(store.root, 'a-link'))
    const report = await verifyStore(store.root)
    for (const file of [...strangers, ...leftovers, 'a-link']) rmSync(join(store.root, file))
    assert.deepEqual(report.damages, [])
    assert.deepEqual(report.warnings.map(({ file }) => file).sort(), [...strangers, 'a-link'].sort())
  })

  it('only warns when a run was removed as a whole: its records are kept as objects', async () => {
    const other = await temporaryStore()
    const run = await aRun(other)
    await register(other, 'one', { run })
    rmSync(join(other.root, 'runs', run), { recursive: true })
    const report = await verifyStore(other.root)
    assert.deepEqual([report.ok, report.warnings.map(({ file }) => file)], [true, [`runs/${run}`]])
  })

  it('says that the reserve was changed or used, though nothing is lost with it', async () => {
    const path = join(store.root, 'reserve')
    const bytes = readFileSync(path)
    const changed = Buffer.from(bytes)
    changed[1000] = (changed[1000] ?? 0) ^ 1
    for (const harm of [changed, bytes.subarray(0, 10), undefined]) {
      rmSync(path)
      if (harm !== undefined) writeFileSync(path, harm)
      const report = await verifyStore(store.root)
      assert.deepEqual([report.ok, report.warnings.map(({ file }) => file)], [true, ['reserve']])
    }
    writeFileSync(path, bytes)
  })

  it('does not take a run whose writer was killed at its very end for a damaged one', async () => {
    const other = await temporaryStore()
    const run = await aRun(other)
    rmSync(join(other.root, 'runs', run, 'ended'))
    assert.deepEqual(named(await verifyStore(other.root)), [`runs/${run}/ended`])
    // The heartbeat is taken away last, so with it the writer did not come to that.
    writeFileSync(join(other.root, 'runs', run, 'alive'), '')
    assert.deepEqual(named(await verifyStore(other.root)), [])
  })

  it('reports how far it is, by the bytes of the objects', async () => {
    const seen: number[] = []
    await verifyStore(store.root, { progress: (_, fraction) => seen.push(fraction ?? -1) })
    assert.equal(seen.at(-1), 1)
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => a - b),
    )
  })

  it('says, as every command does, when there is no store at all', async () => {
    await assert.rejects(() => verifyStore(join(temporaryFolder(), 'none')), { code: 'STORE_NOT_FOUND' })
  })
})
