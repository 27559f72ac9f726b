/**
 * A process that writes into a store as fast as it can and says on stdout, one JSON line each, what it was promised.
 * Bundled by `bundle.ts` and killed by `kill-loop.ts`; with a count it ends by itself.
 *
 *   node worker.mjs ROOT NAME SEED [COUNT]
 */
import { writeSync } from 'node:fs'
import { sha256 } from '../../src/core/digest.ts'
import { ulid } from '../../src/core/ulid.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { numbers } from './luck.ts'
import { beginRun, endRun, model, promote, register, rollback } from './scenario.ts'

export type Ack =
  | { readonly kind: 'event'; readonly model: string; readonly op: string }
  | { readonly kind: 'object'; readonly sha256: string }
  | { readonly kind: 'check'; readonly model: string; readonly key: string }
  | { readonly kind: 'run'; readonly id: string }

const [root = '', name = '', seed = '0', count] = process.argv.slice(2)
const next = numbers(Number(seed))
const store = await openStore(root, { write: true })

if (count !== undefined) {
  await store.claims.beat('churn-model', 'jobs')
  for (let i = 0; i < Number(count); i++) await registerOne(`${name}-${i}`, 'churn-model')
} else for (let i = 0; ; i++) await anything(store, `${name}-${i}`)

async function anything(store: Store, op: string): Promise<void> {
  const on = `model-${next(3)}`
  const state = await store.models.stateOrEmpty(on)
  const choice = next(10)
  if (choice < 4 || state.versions.length === 0) return registerOne(op, on)
  if (choice < 6) return event(await promote(store, op, 1 + next(state.versions.length), on), op, on)
  if (choice < 7 && typeof state.stages.production?.back === 'number')
    return event(await rollback(store, op, on), op, on)
  if (choice < 8) return say({ kind: 'object', sha256: (await store.objects.put(model(op))).sha256 })
  if (choice < 9) {
    const key = sha256(op)
    await store.checks.put(on, key, { time: op })
    return say({ kind: 'check', model: on, key })
  }
  const run = await beginRun(store, ulid(Date.now()))
  await endRun(run)
  say({ kind: 'run', id: run.id })
}

async function registerOne(op: string, on: string): Promise<void> {
  event(await register(store, op, on), op, on)
}

function event(result: { readonly kind: string }, op: string, on: string): void {
  if (result.kind !== 'lost') say({ kind: 'event', model: on, op })
}

function say(ack: Ack): void {
  writeSync(1, `${JSON.stringify(ack)}\n`)
}
