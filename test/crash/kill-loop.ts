/**
 * Processes that write into one store and are killed with SIGKILL at random instants. What each of them was promised
 * (and could say before it died) must be there afterwards, whole, and the next process must be able to work.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStore } from '../../src/store/create.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { verifyStore } from '../../src/store/verify.ts'
import { numbers } from './luck.ts'
import { register } from './scenario.ts'
import type { Ack } from './worker.ts'

export interface KillOptions {
  readonly worker: string
  readonly kills: number
  /** Processes at a time. */
  readonly parallel: number
  readonly seed: number
  /** Kills per store: logs stay short, so that the time goes into writing and not into reading. */
  readonly perStore?: number
  readonly progress?: (kills: number, promises: number) => void
}

/** @returns how many promises were made and kept */
export async function killLoop(options: KillOptions): Promise<{ readonly kills: number; readonly promises: number }> {
  const { kills, perStore = 150, progress } = options
  let promises = 0
  for (let done = 0; done < kills; ) {
    const round = Math.min(perStore, kills - done)
    promises += await killRound({ ...options, kills: round, seed: options.seed + done })
    done += round
    progress?.(done, promises)
  }
  return { kills, promises }
}

async function killRound({ worker, kills, parallel, seed }: KillOptions): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'mlops-crash-'))
  const root = join(folder, '.mlops')
  await createStore(root)
  const next = numbers(seed)
  const acks: Ack[] = []
  let started = 0
  const lane = async (): Promise<void> => {
    while (started < kills) {
      const n = started++
      acks.push(...(await runAndKill(worker, [root, `s${seed}n${n}`, String(seed + n)], () => next(60))))
    }
  }
  await Promise.all(Array.from({ length: parallel }, lane))
  await judge(root, acks, `seed ${seed}`)
  // Kept on failure, for looking at.
  rmSync(folder, { recursive: true, force: true })
  return acks.length
}

/**
 * The clock of a life begins with its first promise, or most would be over before node has started; every third one
 * begins at once, for the first things a process does.
 */
async function runAndKill(worker: string, args: readonly string[], life: () => number): Promise<Ack[]> {
  const child = spawn(process.execPath, [worker, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err, armed] = ['', '', life() % 3 === 0]
  if (armed) setTimeout(() => child.kill('SIGKILL'), 40 + 2 * life())
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
    if (!armed) setTimeout(() => child.kill('SIGKILL'), life())
    armed = true
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk
  })
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (...how) => resolve(how))
  })
  assert.equal(signal, 'SIGKILL', `a worker ended by itself with ${code}: ${err}`)
  // The last line may be cut off by the kill; then it was not heard, and nothing is owed.
  return out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Ack)
}

async function judge(root: string, acks: readonly Ack[], when: string): Promise<void> {
  const report = await verifyStore(root)
  assert.deepEqual(report.damages, [], `${when}, store ${root}`)
  const store = await openStore(root, { write: true })
  await assertKept(store, acks, `${when}, store ${root}`)
  for (const name of ['model-0', 'model-1', 'model-2']) {
    assert.equal((await register(store, `after-${name}`, name)).kind, 'committed', `${when}: blocked`)
  }
}

export async function assertKept(store: Store, acks: readonly Ack[], when: string): Promise<void> {
  const operations = new Map<string, Set<string>>()
  for (const name of await store.models.list()) {
    const { events } = await store.models.state(name)
    operations.set(name, new Set(events.map(({ op_id }) => op_id)))
    assert.equal(operations.get(name)?.size, events.length, `${when}: an operation of ${name} was done twice`)
  }
  for (const ack of acks) assert.ok(await isKept(store, ack, operations), `${when}: lost ${JSON.stringify(ack)}`)
}

async function isKept(store: Store, ack: Ack, operations: ReadonlyMap<string, ReadonlySet<string>>): Promise<boolean> {
  switch (ack.kind) {
    case 'event':
      return operations.get(ack.model)?.has(ack.op) === true
    case 'object':
      return (await store.objects.verify(ack.sha256)).sha256 === ack.sha256
    case 'check':
      return (await store.checks.get(ack.model, ack.key)) !== undefined
    case 'run':
      return (await store.runs.read(ack.id)).end !== undefined
  }
}
