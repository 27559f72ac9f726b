/** Deleting, restoring and purging runs: what is refused, what comes back, and who is told. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../../src/core/digest.ts'
import { ulid } from '../../../src/core/ulid.ts'
import { openStore } from '../../../src/store/open.ts'
import { seal } from '../../../src/store/sealed.ts'
import type { Store } from '../../../src/store/store.ts'
import { verifyStore } from '../../../src/store/verify.ts'
import { tagRun } from '../../../src/tracking/records/annotate.ts'
import { applyDelete, type DeleteRequest, planDelete } from '../../../src/tracking/trash/delete-runs.ts'
import { deletedRuns, resolveDeleted, restoreRuns } from '../../../src/tracking/trash/deleted-runs.ts'
import { matchingDeleted } from '../../../src/tracking/trash/matching-deleted.ts'
import { applyPurge, type PurgeRequest, planPurge } from '../../../src/tracking/trash/purge-runs.ts'
import { beginRun, endRun } from '../../crash/scenario.ts'
import { draft, register, temporaryStore } from '../store/support.ts'

const said: string[] = []
const ctx = {
  ...{ cwd: '/', env: {}, tool: 'mlops test', actor: { name: 'ada@laptop', origin: 'local' as const } },
  now: () => new Date(),
  warn: (message: string) => void said.push(message),
}

const remove = async (store: Store, request: DeleteRequest) =>
  applyDelete(ctx, store, await planDelete(ctx, store, request), request.reason)
const purge = async (store: Store, request: PurgeRequest) =>
  applyPurge(ctx, store, await planPurge(ctx, store, request))

let made = 0
async function run(store: Store, more: Record<string, unknown> = {}, isEnded = true): Promise<string> {
  const id = ulid(Date.now() - 1e6 + 1000 * ++made)
  const writer = await beginRun(store, id)
  if (isEnded) await endRun(writer)
  if (Object.keys(more).length > 0) {
    const file = join(store.root, 'runs', id, 'run.json')
    const { self: _, ...record } = JSON.parse(readFileSync(file, 'utf8'))
    rmSync(file)
    writeFileSync(file, seal({ ...record, ...more }))
  }
  return id
}

/** Every file of a run with its bytes. */
function contents(store: Store, folder: string): Record<string, string> {
  const files: Record<string, string> = {}
  for (const path of readdirSync(join(store.root, folder), { recursive: true, encoding: 'utf8' })) {
    const full = join(store.root, folder, path)
    if (statSync(full).isFile()) files[path] = readFileSync(full, 'base64')
  }
  return files
}

/** As if it had been deleted so many days ago. */
function ageDeletion(store: Store, id: string, days: number): void {
  const folder = join(store.root, 'trash/runs')
  for (const name of readdirSync(folder).filter((each) => each.startsWith(`${id}.`))) {
    const { self: _, ...record } = JSON.parse(readFileSync(join(folder, name), 'utf8'))
    rmSync(join(folder, name))
    writeFileSync(join(folder, name), seal({ ...record, time: new Date(Date.now() - days * 86_400e3).toISOString() }))
  }
}

describe('A run that is deleted', () => {
  it('is in no list any more, and in the trash with who, when and why', async () => {
    const store = await temporaryStore()
    const [id, other] = [await run(store), await run(store)]
    const result = await remove(store, {
      runs: [id.slice(0, 14).toLowerCase() + id.slice(14)],
      reason: 'wrong data, token ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    })
    assert.deepEqual(
      result.runs.map((each) => each.run),
      [id],
    )
    assert.deepEqual(await store.runs.list(), [other])
    const [row] = await deletedRuns(store)
    assert.deepEqual([row?.run, row?.deleted?.by.name, row?.files], [id, 'ada@laptop', 4])
    assert.match(row?.deleted?.reason ?? '', /^wrong data/)
    assert.ok(!JSON.stringify(row).includes('ghp_a'), 'a secret was written down')
    const { damages, warnings } = await verifyStore(store.root)
    assert.deepEqual([damages, warnings], [[], []])
  })

  it('comes back as it was, with its notes', async () => {
    const store = await temporaryStore()
    const id = await run(store)
    const note = {
      format: 1 as const,
      id: ulid(Date.now()),
      run: id,
      actor: ctx.actor,
      time: '',
      kind: 'note' as const,
      text: 'odd',
    }
    await store.runs.annotate(note)
    const before = contents(store, `runs/${id}`)
    await remove(store, { runs: [id] })
    await assert.rejects(store.runs.read(id), { code: 'RUN_NOT_FOUND' })
    assert.deepEqual((await restoreRuns(ctx, store, ['@last'])).restored, [id])
    assert.deepEqual(contents(store, `runs/${id}`), before)
    assert.deepEqual(readdirSync(join(store.root, 'trash/runs')), [])
  })

  it('is found in the trash by a filter, also by what was said of it, and comes back so', async () => {
    const store = await temporaryStore()
    const [gold, plain] = [await run(store, { seed: 7 }), await run(store)]
    await tagRun(ctx, store, gold, { add: ['gold'], remove: [] })
    await remove(store, { runs: [gold, plain] })
    const matching = (...where: string[]) => matchingDeleted(ctx, store, where)
    assert.deepEqual(await matching('tags has gold'), [gold])
    assert.deepEqual(await matching('status = finished'), [plain, gold])
    assert.deepEqual(await matching('status = finished', 'seed = none'), [plain])
    await assert.rejects(matching('stauts = finished'), { code: 'FILTER_INVALID', hint: 'Did you mean status?' })
    assert.deepEqual((await restoreRuns(ctx, store, await matching('tags has gold'))).restored, [gold])
    assert.deepEqual(await matching('tags has gold'), [])
  })

  it('twice says that it is in the trash', async () => {
    const store = await temporaryStore()
    const id = await run(store)
    await remove(store, { runs: [id] })
    await assert.rejects(remove(store, { runs: [id] }), { code: 'RUN_IN_TRASH' })
    await assert.rejects(remove(store, { runs: ['01AAAAAAAAAAAAAAAAAAAAAAAA'] }), { code: 'RUN_NOT_FOUND' })
  })

  it('by two at once is deleted once', async () => {
    const store = await temporaryStore()
    const id = await run(store)
    const plan = await planDelete(ctx, store, { runs: [id] })
    const both = await Promise.all([applyDelete(ctx, store, plan, 'a'), applyDelete(ctx, store, plan, 'b')])
    assert.equal(both.flatMap(({ runs }) => runs).length, 1)
    assert.equal(readdirSync(join(store.root, 'trash/runs')).length, 2, 'the folder, and one record')
  })

  it('leaves the runs alone that it started, and says so', async () => {
    const store = await temporaryStore()
    const parent = await run(store)
    const child = await run(store, { parent })
    const { runs } = await remove(store, { runs: [parent] })
    assert.deepEqual(runs[0]?.children, [child])
    assert.deepEqual(await store.runs.list(), [child])
  })

  it('does not come back over another one of its id', async () => {
    const store = await temporaryStore()
    const id = await run(store)
    await remove(store, { runs: [id] })
    await endRun(await beginRun(store, id))
    await assert.rejects(restoreRuns(ctx, store, [id]), { code: 'RUN_EXISTS', exit: 'conflict' })
    await remove(store, { runs: [id] })
    assert.ok(
      said.some((words) => words.includes('another one of this id in the trash')),
      said.join('\n'),
    )
    assert.deepEqual(await store.runs.list(), [id], 'one of the two was lost')
  })

  it('comes back with a note that was written at the moment at which it went', async () => {
    const store = await temporaryStore()
    const id = await run(store)
    await remove(store, { runs: [id] })
    const stray = join(store.root, `runs/${id}/annotations`)
    mkdirSync(stray, { recursive: true })
    const note = {
      format: 1,
      id: ulid(Date.now()),
      run: id,
      actor: ctx.actor,
      time: '2026-11-21T09:00:00.000Z',
      kind: 'note',
      text: 'late',
    }
    writeFileSync(join(stray, `${note.id}.json`), seal(note))
    await restoreRuns(ctx, store, [id])
    assert.equal((await store.runs.annotations(id)).length, 1)
    assert.equal((await store.runs.read(id)).end?.status, 'finished')
  })
})

describe('Not deleted', () => {
  it('is a run that a version was made of; the version is named', async () => {
    const store = await temporaryStore()
    const [id, free] = [await run(store), await run(store)]
    await register(store, 'one', { run: id })
    await assert.rejects(remove(store, { runs: [free, id] }), (error: Error) => {
      assert.deepEqual([(error as { code?: string }).code, (error as { exit?: string }).exit], ['RUN_REFERENCED', 'no'])
      assert.match(error.message, /churn-model@1/)
      return true
    })
    assert.equal((await store.runs.list()).length, 2, 'the other one went all the same')
  })

  for (const [what, refer] of Object.entries({
    'that a retraining made': (store: Store, id: string) =>
      store.claims.take('churn-model', 'jobs/retrain', 1, { kind: 'step', run: id }),
    'whose wish was granted': (store: Store, id: string) =>
      store.claims.take('churn-model', `jobs/intent-baseline-${id.toLowerCase()}`, 1, {}),
    'that a check names': (store: Store, id: string) => store.checks.put('churn-model', sha256('k'), { run: id }),
    'that an event of any kind names': async (store: Store, id: string) => {
      await register(store, 'one')
      const state = await store.models.state('churn-model')
      await store.models.commit(state, draft('tag', { version: 1, add: [id], remove: [] }))
    },
  })) {
    it(`is a run ${what}`, async () => {
      const store = await temporaryStore()
      const id = await run(store)
      await refer(store, id)
      await assert.rejects(remove(store, { runs: [id] }), { code: 'RUN_REFERENCED' })
    })
  }

  it('is a run that is running; one that was killed is', async () => {
    const store = await openStore((await temporaryStore()).root, { write: true, now: ctx.now })
    const id = await run(store, {}, false)
    const alive = join(store.root, 'runs', id, 'alive')
    const at = (seconds: number): void => utimesSync(alive, Date.now() / 1000 - seconds, Date.now() / 1000 - seconds)
    at(1)
    await assert.rejects(remove(store, { runs: [id] }), { code: 'RUN_RUNNING' })
    at(120)
    await assert.rejects(remove(store, { runs: [id] }), { code: 'RUN_RUNNING' }, 'it may be asleep on another host')
    at(700)
    assert.equal((await remove(store, { runs: [id] })).runs.length, 1)
  })

  it('are, of those that a filter chooses, the ones that may not be: they are named', async () => {
    const store = await temporaryStore()
    const [id, free] = [await run(store), await run(store)]
    await register(store, 'one', { run: id })
    const plan = await planDelete(ctx, store, { runs: [], where: 'status = finished' })
    assert.deepEqual([plan.runs.map((each) => each.run), plan.kept.map((each) => each.run)], [[free], [id]])
  })

  it('is a run of which a version is made while it is deleted: it comes back, whoever is first', async () => {
    const store = await temporaryStore()
    const id = await run(store)
    const plan = await planDelete(ctx, store, { runs: [id] })
    await register(store, 'one', { run: id })
    await assert.rejects(applyDelete(ctx, store, plan, undefined), {
      code: 'RUN_REGISTERED_MEANWHILE',
      exit: 'conflict',
    })
    assert.equal((await store.runs.read(id)).start.id, id)
    const other = await run(store)
    const pin = await store.runs.pin(other)
    const manifest = (await store.models.state('churn-model')).versions[0]?.manifest ?? ''
    await remove(store, { runs: [other] })
    const state = await store.models.state('churn-model')
    await store.models.commit(state, draft('register', { version: 2, manifest, tags: [], run: pin }))
    assert.equal((await store.runs.read(other)).start.id, other, 'the writer of the version did not take it out')
    assert.deepEqual((await verifyStore(store.root)).warnings, [])
  })

  it('is a run that somebody puts back at that moment, before what needs it is written', async () => {
    const store = await temporaryStore()
    const id = await run(store)
    const plan = await planDelete(ctx, store, { runs: [id] })
    const racing = {
      ...store,
      trash: {
        ...store.trash,
        put: async (deletion: Parameters<typeof store.trash.put>[0]) => {
          const moved = await store.trash.put(deletion)
          await store.trash.restore(id)
          return moved
        },
      },
    }
    await assert.rejects(applyDelete(ctx, racing, plan, undefined), { code: 'RUN_PUT_BACK', exit: 'conflict' })
    assert.equal((await store.runs.read(id)).start.id, id)
  })
})

describe('A run that is purged', () => {
  it('is gone for good, a while after it was deleted', async () => {
    const store = await temporaryStore()
    const id = await run(store)
    await remove(store, { runs: [id] })
    await assert.rejects(purge(store, { runs: [id] }), { code: 'RUN_JUST_DELETED' })
    assert.equal((await purge(store, { runs: [] })).kept.length, 1)
    ageDeletion(store, id, 1)
    const { bytes, runs } = await purge(store, { runs: [id] })
    assert.ok(bytes > 500 && runs.length === 1)
    assert.deepEqual(
      [readdirSync(join(store.root, 'trash/runs')), readdirSync(join(store.root, 'trash/purged'))],
      [[], []],
    )
    await assert.rejects(restoreRuns(ctx, store, [id]), { code: 'RUN_NOT_DELETED' })
  })

  it('is by default older than 30 days in the trash', async () => {
    const store = await temporaryStore()
    const [old, young] = [await run(store), await run(store)]
    await remove(store, { runs: [old, young] })
    ageDeletion(store, old, 31)
    ageDeletion(store, young, 29)
    assert.deepEqual(
      (await planPurge(ctx, store, { runs: [] })).runs.map((each) => each.run),
      [old],
    )
    assert.equal((await planPurge(ctx, store, { runs: [], olderThan: 0 })).runs.length, 2)
  })

  it('is not one that another run names, unless that one goes as well', async () => {
    const store = await temporaryStore()
    const original = await run(store)
    const repeat = await run(store, { reproduces: original, parent: original })
    const third = await run(store, { parent: repeat })
    await remove(store, { runs: [original, repeat] })
    await assert.rejects(purge(store, { runs: [original], olderThan: 0 }), {
      code: 'RUN_REFERENCED',
      message: `Run ${original} is not purged: run ${repeat} (which it started); run ${repeat} (which repeats it) names it. Nothing was purged.`,
    })
    assert.deepEqual(
      (await purge(store, { runs: [], olderThan: 0 })).runs,
      [],
      'the third, which is not deleted, names one of them',
    )
    await remove(store, { runs: [third] })
    assert.equal((await purge(store, { runs: [original, repeat, third], olderThan: 0 })).runs.length, 3)
  })

  it('may be a repetition whose original stays and says so, which no version needs', async () => {
    const store = await temporaryStore()
    const original = await run(store)
    const repeat = await run(store, { reproduces: original })
    const time = new Date().toISOString()
    await store.runs.annotate({
      ...{ format: 1, id: ulid(Date.now()), run: original, actor: ctx.actor, time },
      ...{ kind: 'reproduced', by: repeat, verdict: 'equal' },
    })
    await store.claims.take('churn-model', 'jobs/retrain', 1, { run: original })
    await remove(store, { runs: [repeat] })
    assert.equal((await purge(store, { runs: [repeat], olderThan: 0 })).runs.length, 1)
    const said = await store.runs.annotations(original)
    assert.deepEqual(
      said.map((each) => each.kind === 'reproduced' && each.by),
      [repeat],
    )
    const { damages, warnings } = await verifyStore(store.root)
    assert.deepEqual([damages, warnings], [[], []])
  })

  it('is not one that came to be needed in the trash', async () => {
    const store = await temporaryStore()
    const id = await run(store)
    await remove(store, { runs: [id] })
    await store.claims.take('churn-model', 'jobs/retrain', 1, { run: id })
    await assert.rejects(purge(store, { runs: [id], olderThan: 0 }), { code: 'RUN_REFERENCED' })
    const plan = { runs: await deletedRuns(store), kept: [], olderThan: 0, bytes: 1 }
    assert.deepEqual((await applyPurge(ctx, store, plan)).runs, [], 'it is not looked at again')
  })

  it('is found by the beginning of its id among those in the trash alone', async () => {
    const store = await temporaryStore()
    const [id, other] = [await run(store), await run(store)]
    await assert.rejects(resolveDeleted(store, id), (error: Error) => /was not deleted/.test(error.message))
    await remove(store, { runs: [id] })
    assert.equal(await resolveDeleted(store, id.slice(0, 4).toLowerCase()), id)
    await remove(store, { runs: [other] })
    await assert.rejects(resolveDeleted(store, id.slice(0, 4)), { code: 'RUN_AMBIGUOUS' })
    await assert.rejects(resolveDeleted(store, ''), { code: 'EMPTY_VALUE' })
  })

  it('whose record of deletion is lost goes only when it is named', async () => {
    const store = await temporaryStore()
    const id = await run(store)
    mkdirSync(join(store.root, 'trash/runs'), { recursive: true })
    renameSync(join(store.root, 'runs', id), join(store.root, 'trash/runs', id))
    assert.equal((await planPurge(ctx, store, { runs: [], olderThan: 0 })).runs.length, 0)
    assert.equal((await purge(store, { runs: [id] })).runs.length, 1)
  })
})
