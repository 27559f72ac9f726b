/** An audit export proves itself to a program that is not ours, and shows what a store hides about its own past. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sha256 } from '../../../src/core/digest.ts'
import { type AuditRequest, auditLines } from '../../../src/store/audit.ts'
import { readAudit } from '../../../src/store/audit-compare.ts'
import { eachPiece, writeAudit } from '../../../src/store/audit-file.ts'
import { numbered, objectKey } from '../../../src/store/layout.ts'
import { seal } from '../../../src/store/sealed.ts'
import type { Store } from '../../../src/store/store.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { needsPython, PYTHON } from '../../support/python.ts'
import {
  draft,
  promote,
  refusal,
  register,
  rollback,
  runEnd,
  runStart,
  TIME,
  temporaryFolder,
  temporaryStore,
} from './support.ts'

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
const REQUEST: AuditRequest = { models: [], time: TIME, tool: 'mlops test' }

/** Two models with runs, moves, a check, an alert; a reason with every character that ends a line somewhere. */
async function furnished(): Promise<Store> {
  const store = await temporaryStore()
  const run = await store.runs.create(runStart())
  await run.end(runEnd())
  await register(store, 'model 1', { run: run.id })
  await register(store, 'model 2', {})
  await promote(store, 1)
  await promote(store, 2)
  await rollback(store)
  const state = await store.models.state('churn-model')
  const tag = { version: 1, add: ['odd\u2028\u2029\u0085 "record": \\"'], remove: [] }
  await store.models.commit(state, draft('tag', tag))
  await register(store, 'another', { model: 'other-model' })
  await store.checks.put('churn-model', sha256('week'), { time: TIME, version: 1, verdict: 'drift', summary: 'x' })
  await store.claims.take('churn-model', 'alerts/drift-y', 1, { kind: 'fired', time: TIME })
  return store
}

async function exported(store: Store, request: Partial<AuditRequest> = {}): Promise<string> {
  const file = join(temporaryFolder(), 'audit.jsonl')
  await writeAudit(store.root, file, { ...REQUEST, ...request })
  return file
}

const rowsOf = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))

function overwrite(path: string, bytes: Buffer | string): void {
  chmodSync(path, 0o644)
  writeFileSync(path, bytes)
}

describe('An audit export', () => {
  it('holds every event byte for byte, the records that they pin, checks, alerts, and the heads of all logs', async () => {
    const store = await furnished()
    const file = await exported(store)
    const rows = rowsOf(file)
    const kinds = (kind: string) => rows.filter((row) => row.kind === kind)
    assert.deepEqual([rows[0].kind, rows.at(-1).kind, rows[0].store], ['header', 'trailer', store.id])
    assert.deepEqual(rows[0].models, ['churn-model', 'other-model'])
    for (const { log, seq, record } of kinds('event')) {
      const bytes = readFileSync(join(store.root, log, numbered(seq)), 'utf8')
      assert.deepEqual(record, JSON.parse(bytes))
      assert.ok(readFileSync(file, 'utf8').includes(bytes.trimEnd()))
    }
    const ofModel = kinds('event').filter(({ log }) => log === 'models/churn-model/log')
    assert.deepEqual(
      ofModel.map(({ record }) => record.type),
      ['register', 'register', 'promote', 'promote', 'rollback', 'tag'],
    )
    assert.equal(kinds('object').length, 5, 'three manifests, run.json, end.json')
    assert.deepEqual(
      kinds('check').map(({ verdict }) => verdict),
      ['drift'],
    )
    assert.deepEqual(
      kinds('claim').map(({ record }) => record.record.kind),
      ['fired'],
    )
    const { counts, lines } = rows.at(-1)
    assert.deepEqual([counts.event, lines], [kinds('event').length, rows.length - 1])
    assert.equal((await readAudit(file)).events.get('models/churn-model/log')?.size, 6)
  })

  it('of one model, or since a day, has the heads of all logs, and chains that begin where they are cut', async () => {
    const store = await furnished()
    const one = rowsOf(await exported(store, { models: ['other-model'] }))
    assert.deepEqual([one[0].models, one[0].logs.length], [['other-model'], 4])
    assert.ok(one.every(({ log }) => log !== 'models/churn-model/log'))
    const later = rowsOf(await exported(store, { since: Date.parse(TIME) + 1 }))
    assert.deepEqual([later.length, later[0].logs.length], [2, 4], 'an anchor and nothing else')
    await refusal(() => exported(store, { models: ['chrun-model'] }), 'notFound', 'MODEL_NOT_FOUND')
  })

  it('is refused of a log that does not hold together, and says what is lost of the rest', async () => {
    const store = await furnished()
    const { manifest } = (await store.models.state('churn-model')).versions[1] ?? { manifest: '' }
    rmSync(join(store.root, objectKey(manifest)))
    const missing = rowsOf(await exported(store)).filter(({ kind }) => kind === 'missing')
    assert.deepEqual(
      missing.map(({ what, why }) => [what, why]),
      [['manifest of churn-model@2', 'it is gone']],
    )
    overwrite(join(store.root, 'models/churn-model/log', numbered(3)), '{}\n')
    const file = join(temporaryFolder(), 'audit.jsonl')
    await refusal(() => writeAudit(store.root, file, REQUEST), 'failed', 'LOG_DAMAGED')
    assert.deepEqual(readdirSync(dirname(file)), [])
  })

  it('is never half a file, and takes the place of nothing but an older export', async () => {
    const store = await furnished()
    const file = await exported(store)
    const before = readFileSync(file)
    const stop = new AbortController()
    stop.abort()
    await assert.rejects(writeAudit(store.root, file, { ...REQUEST, signal: stop.signal }))
    assert.deepEqual([readFileSync(file), readdirSync(dirname(file)).length], [before, 1])
    await register(store, 'model 3')
    await writeAudit(store.root, file, REQUEST)
    assert.ok(readFileSync(file).length > before.length)
    const model = join(temporaryFolder(), 'model.joblib')
    writeFileSync(model, 'weights')
    await refusal(() => writeAudit(store.root, model, REQUEST), 'usage', 'FILE_EXISTS')
    assert.equal(readFileSync(model, 'utf8'), 'weights')
    rmSync(join(store.root, 'models/churn-model/log', numbered(7)))
    await refusal(() => writeAudit(store.root, file, REQUEST), 'failed', 'HISTORY_CONTRADICTED')
    await refusal(() => writeAudit(store.root, join(file, 'x'), REQUEST), 'failed', 'FILE_UNWRITABLE')
  })

  it('is read with flat memory and in good time, also with thousands of events', async () => {
    const store = await temporaryStore()
    for (let n = 0; n < 300; n++) await register(store, `model ${n}`)
    let largest = 0
    const summary = await eachPiece(auditLines(store.root, REQUEST), async (piece) => {
      largest = Math.max(largest, piece.length)
    })
    assert.equal(summary.counts.event, 300 + 1 + 19, 'the root log names the model, its first and every 16th head')
    assert.ok(largest < 1 << 19)
  })
})

describe('The program of docs/audit.md', () => {
  const verifier = /```python\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'docs/audit.md'), 'utf8'))?.[1] ?? ''
  const verify = (file: string) => spawnSync(PYTHON, ['-c', verifier, file], { encoding: 'utf8' })
  let store: Store
  let file: string
  before(async function () {
    needsPython(this)
    store = await furnished()
    file = await exported(store)
  })

  it('finds an export whole: all of it, of one model, since a day', async () => {
    const { status, stdout, stderr } = verify(file)
    assert.equal(status, 0, stderr)
    assert.match(stdout, /^4 chains, \d+ lines: whole$/m)
    assert.equal(verify(await exported(store, { models: ['other-model'] })).status, 0)
    assert.equal(verify(await exported(store, { since: Date.parse(TIME) })).status, 0)
  })

  it('finds every line that was changed, removed, doubled or moved, as our own reader does', async () => {
    const lines = readFileSync(file, 'utf8').split(/(?<=\n)/)
    const changed = join(temporaryFolder(), 'changed.jsonl')
    for (const [at, line] of lines.entries()) {
      const others = (...now: string[]) => [...lines.slice(0, at), ...now, ...lines.slice(at + 1)].join('')
      const edits = {
        changed: others(line.replace(/[0-9a-f](?="[^"]*$)/, (digit) => (digit === '0' ? '1' : '0'))),
        removed: others(),
        doubled: others(line, line),
        cut: lines.slice(0, at).join(''),
      }
      for (const [edit, text] of Object.entries(edits)) {
        if (text === lines.join('')) continue
        writeFileSync(changed, text)
        assert.notEqual(verify(changed).status, 0, `line ${at + 1} ${edit}: ${line.slice(0, 120)}`)
        await refusal(() => readAudit(changed), 'failed', 'AUDIT_DAMAGED')
      }
    }
  }).timeout(120_000)
})

describe('An export that somebody made fit again', () => {
  const verifier = /```python\n([\s\S]*?)```/.exec(readFileSync(join(ROOT, 'docs/audit.md'), 'utf8'))?.[1] ?? ''
  type Rows = { kind: string; [name: string]: unknown }[]
  const isOf = (model: string) => (row: Rows[number]) => String(row.log ?? '').startsWith(`models/${model}/log`)
  const forgeries: Record<string, (lines: string[]) => string[]> = {
    'all events of a model are gone, and the header names none': (lines) => {
      const header = JSON.parse(lines[0] ?? '')
      for (const each of header.logs) if (isOf('churn-model')(each)) Object.assign(each, { from: null, prev: null })
      return [`${JSON.stringify(header)}\n`, ...lines.slice(1).filter((line) => !isOf('churn-model')(JSON.parse(line)))]
    },
    'an object is another one, with its digest': (lines) =>
      lines.map((line) => {
        const { kind, what } = JSON.parse(line)
        if (kind !== 'object' || !what.startsWith('manifest of churn-model@1')) return line
        const record = '{"format":1}'
        return `${JSON.stringify({ kind, sha256: sha256(`${record}\n`), what }).slice(0, -1)},"record":${record}}\n`
      }),
    'an object is gone': (lines) => lines.filter((line) => !line.startsWith('{"kind":"object"')),
    'the last event of a log is gone': (lines) => {
      const at = lines.findLastIndex((line) => line.startsWith('{"kind":"event","log":"models/churn-model/log"'))
      return lines.filter((_, index) => index !== at)
    },
  }
  for (const [what, forgery] of Object.entries(forgeries)) {
    it(`is found out: ${what}`, async function () {
      const lines = readFileSync(await exported(await furnished()), 'utf8').split(/(?<=\n)/)
      const body = forgery(lines.slice(0, -1))
      const counts: Record<string, number> = { event: 0, object: 0, check: 0, claim: 0, missing: 0 }
      for (const line of body.slice(1)) counts[JSON.parse(line).kind] = (counts[JSON.parse(line).kind] ?? 0) + 1
      const trailer = { kind: 'trailer', lines: body.length, counts, sha256: sha256(body.join('')) }
      const file = join(temporaryFolder(), 'forged.jsonl')
      writeFileSync(file, [...body, `${JSON.stringify(trailer)}\n`].join(''))
      await refusal(() => readAudit(file), 'failed', 'AUDIT_DAMAGED')
      needsPython(this)
      const { status, stderr } = spawnSync(PYTHON, ['-c', verifier, file], { encoding: 'utf8' })
      assert.equal(status, 1)
      assert.match(stderr, /^line \d+: /, 'a sentence, no traceback')
    })
  }

  it('is found out: it goes on after its end, with something that is no line', async function () {
    needsPython(this)
    const file = await exported(await furnished())
    overwrite(file, `${readFileSync(file, 'utf8')}{}\n`)
    assert.match(spawnSync(PYTHON, ['-c', verifier, file], { encoding: 'utf8' }).stderr, /goes on after its end/)
  })
})

describe('store verify --against an export', () => {
  it('finds an alert that was removed, and one that was written anew', async () => {
    const store = await furnished()
    const audit = await readAudit(await exported(store))
    const [file] = [...audit.claims.keys()]
    assert.ok(file !== undefined)
    const path = join(store.root, file)
    const { self: _, ...claim } = JSON.parse(readFileSync(path, 'utf8'))
    overwrite(path, seal({ ...claim, record: { ...claim.record, kind: 'other' } }))
    assert.match((await against(store, audit.file)).join('\n'), /alerts\/.* changed: it is not the one/)
    rmSync(path)
    assert.match((await against(store, audit.file)).join('\n'), /alerts\/.* missing: the export of .* has it/)
  })

  const place = (store: Store, seq: number) => join(store.root, 'models/churn-model/log', numbered(seq))
  const against = async (store: Store, file: string) => {
    const { damages } = await verifyStore(store.root, { against: await readAudit(file) })
    return damages.map((each) => `${each.file} ${each.problem}: ${each.why}`)
  }

  it('finds nothing while the history only grows', async () => {
    const store = await furnished()
    const file = await exported(store)
    await register(store, 'model 3')
    await rollback(store).catch(() => {})
    const report = await verifyStore(store.root, { against: await readAudit(file) })
    assert.deepEqual([report.ok, report.against?.time], [true, TIME])
    assert.ok((report.against?.events ?? 0) > 8)
  })

  it('an edited event is found without it, a lost tail and a history written anew only with it', async () => {
    const store = await furnished()
    const file = await exported(store)
    const edited = place(store, 4)
    const original = readFileSync(edited)
    overwrite(edited, original.toString().replace('ada@laptop', 'bob@laptop'))
    assert.notDeepEqual((await verifyStore(store.root)).damages, [], 'edited')
    assert.notDeepEqual(await against(store, file), [])
    overwrite(edited, original)

    const last = readFileSync(place(store, 6))
    rmSync(place(store, 6))
    assert.deepEqual((await verifyStore(store.root)).damages, [], 'a lost tail cannot be seen from inside')
    assert.deepEqual(await against(store, file), [
      'models/churn-model/log/0000000006.json missing: the export of 2025-11-21T09:00:00.000Z has 6 events of it, and the log ends with 5: its tail is gone',
    ])
    writeFileSync(place(store, 6), last)

    forge(store, 4)
    assert.deepEqual((await verifyStore(store.root)).damages, [], 'a consistent forgery cannot be seen from inside')
    assert.deepEqual(await against(store, file), [
      'models/churn-model/log/0000000004.json changed: it is not the event that the export of 2025-11-21T09:00:00.000Z has: history was written anew',
    ])
  })

  it('says that a store is another one', async () => {
    const file = await exported(await furnished())
    const [found] = await against(await furnished(), file)
    assert.match(found ?? '', /registry\.json changed: this is another store/)
  })
})

/** Somebody who can write into the store names another person in event `seq`, and makes everything after it fit again. */
function forge(store: Store, seq: number): void {
  const log = join(store.root, 'models/churn-model/log')
  let prev = ''
  for (const name of readdirSync(log).sort()) {
    const path = join(log, name)
    const { self, ...event } = JSON.parse(readFileSync(path, 'utf8'))
    if (event.seq >= seq) {
      const changed = { ...event, prev, ...(event.seq === seq ? { actor: { name: 'mallory', origin: 'local' } } : {}) }
      overwrite(path, seal(changed))
    }
    assert.equal(self.length, 64)
    prev = sha256(readFileSync(path))
  }
}
