/**
 * One of many processes on one store: a clean-up, one that lays old objects about, or a writer that registers, tracks,
 * promotes, deletes and restores what the others are at. Says on stdout what it was promised. Killed by its test.
 *
 *   node gc-worker.mjs ROOT KIND NAME SEED SECONDS
 */
import { linkSync, mkdirSync, unlinkSync, utimesSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../src/core/digest.ts'
import { MlopsError } from '../../src/core/errors.ts'
import { ulid } from '../../src/core/ulid.ts'
import { collectGarbage } from '../../src/store/gc.ts'
import { objectKey } from '../../src/store/layout.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { applyDelete, planDelete } from '../../src/tracking/trash/delete-runs.ts'
import { restoreRuns } from '../../src/tracking/trash/deleted-runs.ts'
import { applyPurge, planPurge } from '../../src/tracking/trash/purge-runs.ts'
import { numbers } from './luck.ts'
import { beginRun, MODEL, model, promote } from './scenario.ts'

export type Ack =
  | { readonly kind: 'version'; readonly op: string; readonly run?: string }
  | { readonly kind: 'run'; readonly run: string }
  | { readonly kind: 'gc'; readonly aside: number; readonly expired: number; readonly back: number }
  | { readonly kind: 'deleted' | 'restored' | 'purged'; readonly run: string }

const [root = '', kind = '', name = '', seed = '0', seconds = '1'] = process.argv.slice(2)
const next = numbers(Number(seed))
const DAY = 86_400e3
const now = (): Date => new Date()
const ctx = { env: {}, now, cwd: root, actor: { name, origin: 'local' as const }, tool: 'test', warn: () => {} }
const until = Date.now() + 1000 * Number(seconds)
/** What is laid about; everybody knows the same names. */
const litter = (): string => `litter ${next(60)}`

const store = await openStore(root, { write: true, now })
while (Date.now() < until) {
  if (kind === 'gc') await cleanUp()
  else if (kind === 'litter') await lay()
  else await write(store).catch(unlessExpected)
}

async function cleanUp(): Promise<void> {
  const { aside, expired, back } = await collectGarbage(ctx, root, { remove: true, grace: 14 * DAY })
  say({ kind: 'gc', aside: aside.objects, expired: expired.objects, back: back.objects })
}

/** As somebody stored it long ago, and as a clean-up put it aside long ago. */
async function lay(): Promise<void> {
  const bytes = model(litter())
  const then = new Date(Date.now() - 40 * DAY)
  const made = join(root, '..', `litter-${process.pid}`)
  const isAside = next(3) === 0
  const folder = join(root, 'trash/objects', ulid(then.getTime()))
  const target = isAside ? join(folder, sha256(bytes)) : join(root, objectKey(sha256(bytes)))
  mkdirSync(join(target, '..'), { recursive: true })
  writeFileSync(made, bytes)
  utimesSync(made, then, then)
  try {
    linkSync(made, target)
  } catch {
    // It is there, and a writer may rely on it.
  }
  unlinkSync(made)
  if (isAside) utimesSync(folder, then, then)
  await new Promise((resolve) => setTimeout(resolve, 2))
}

async function write(on: Store): Promise<void> {
  const op = ulid(Date.now())
  const choice = next(10)
  if (choice < 3) {
    await registered(on, litter(), `${op}`)
  } else if (choice < 4) {
    const { versions } = await on.models.stateOrEmpty(MODEL)
    if (versions.length > 0) await promote(on, op, 1 + next(versions.length))
  } else if (choice < 6) {
    const run = await beginRun(on, op)
    const pin = await on.objects.put(model(litter()))
    const artifact = { path: 'model.bin', ...pin }
    await run.append('artifacts', [{ t: '2025-11-21T09:00:00.000Z', ...artifact }])
    const rest = { metrics: {}, params: {}, tags: [], artifacts: [artifact], warnings: [] }
    await run.end({
      format: 1,
      status: 'finished',
      exit: 0,
      signal: null,
      ended: '2025-11-21T09:00:00.000Z',
      duration: 1,
      ...rest,
    })
    say({ kind: 'run', run: op })
  } else if (choice < 8) {
    const runs = await on.runs.list()
    const run = runs[next(Math.min(8, runs.length || 1))]
    if (run !== undefined) await registered(on, litter(), op, run)
  } else if (choice < 9) {
    const runs = await on.runs.list()
    const run = runs[next(Math.min(8, runs.length || 1))]
    if (run === undefined) return
    const plan = await planDelete(ctx, on, { runs: [run] })
    for (const each of (await applyDelete(ctx, on, plan, 'test')).runs) say({ kind: 'deleted', run: each.run })
  } else {
    const deleted = await on.trash.ids()
    const run = deleted[next(deleted.length || 1)]
    if (run === undefined) return
    if (next(2) === 0) for (const id of (await restoreRuns(ctx, on, [run])).restored) say({ kind: 'restored', run: id })
    else {
      const plan = await planPurge(ctx, on, { runs: [run], olderThan: 1500 })
      for (const each of (await applyPurge(ctx, on, plan)).runs) say({ kind: 'purged', run: each.run })
    }
  }
}

/** As `lifecycle/register/commit.ts`: what a clean-up took between the first look and the commit is stored again. */
async function registered(on: Store, text: string, op: string, run?: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      const file = await on.objects.put(model(text))
      const manifest = await on.objects.put(
        Buffer.from(
          `{"format":1,"model":"${MODEL}","files":[{"path":"m","sha256":"${file.sha256}","size":${file.size},"scan":{"verdict":"inert","findings":[]}}],"metrics":{},"params":{"op":"${op}"},"data":[]}\n`,
        ),
      )
      const pin = run === undefined ? {} : { run: await on.runs.pin(run) }
      for (;;) {
        const state = await on.models.stateOrEmpty(MODEL)
        const body = { version: state.versions.length + 1, manifest: manifest.sha256, tags: [], ...pin }
        const draft = {
          op_id: op,
          request: sha256(op),
          type: 'register' as const,
          body,
          actor: ctx.actor,
          tool: 'test',
          time: '',
        }
        const result = await on.models.commit(state, draft)
        if (result.kind !== 'lost') return say({ kind: 'version', op, ...(run === undefined ? {} : { run }) })
      }
    } catch (error) {
      if (!(error instanceof MlopsError) || error.code !== 'OBJECT_MISSING' || tries > 3) throw error
    }
  }
}

/** Answers, not failures: somebody else was faster. */
function unlessExpected(error: unknown): void {
  const expected = [
    'RUN_REFERENCED',
    'RUN_REGISTERED_MEANWHILE',
    'RUN_NOT_FOUND',
    'RUN_NOT_DELETED',
    'RUN_IN_TRASH',
    'RUN_EXISTS',
    'RUN_JUST_DELETED',
    'RUN_PUT_BACK',
    'RUN_RUNNING',
  ]
  if (!(error instanceof MlopsError) || !expected.includes(error.code)) throw error
}

function say(ack: Ack): void {
  writeSync(1, `${JSON.stringify(ack)}\n`)
}
