/** Eight writers, two clean-ups and one who lays old objects about, as real processes on one real store, some of them killed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStore } from '../../src/store/create.ts'
import { collectGarbage } from '../../src/store/gc.ts'
import { openStore } from '../../src/store/open.ts'
import { verifyStore } from '../../src/store/verify.ts'
import { bundleWorker } from './bundle.ts'
import type { Ack } from './gc-worker.ts'
import { numbers } from './luck.ts'
import { MODEL } from './scenario.ts'

const SECONDS = Number(process.env.MLOPS_TEST_GC_SECONDS ?? 4)

describe('eight writers, clean-ups and deletions at once', () => {
  let worker = ''
  before(async () => {
    worker = await bundleWorker('./gc-worker.ts')
  })

  it('keep every byte of every version and run, and every run that a version was made of', async () => {
    const { root, acks } = await together(worker, 1, 0)
    const store = await openStore(root, { write: false })
    for (const { number, run } of await versions(root)) {
      const place = (folder: string): boolean => run === undefined || existsSync(join(root, folder, run, 'run.json'))
      assert.ok(
        place('runs'),
        `the run of version ${number} is ${place('trash/runs') ? 'in the trash' : 'gone'} (${root})`,
      )
    }
    for (const what of ['version', 'run', 'deleted', 'gc'] as const)
      assert.ok(
        acks.some(({ kind }) => kind === what),
        `no ${what}: nothing was tested`,
      )
    assert.ok(
      acks.some((ack) => ack.kind === 'gc' && ack.aside > 0) &&
        acks.some((ack) => ack.kind === 'gc' && ack.expired > 0),
    )
    const { warnings } = await verifyStore(root)
    assert.deepEqual(
      warnings.filter(({ file }) => !file.startsWith('reserve')),
      [],
    )
    assert.ok((await store.models.state(MODEL)).versions.length > 5)
    rmSync(join(root, '..'), { recursive: true })
  }).timeout(120_000)

  it('do so while each of them is killed at random instants, again and again', async () => {
    const { root, acks } = await together(worker, 2, 400)
    const purged = new Set(acks.flatMap((ack) => (ack.kind === 'purged' ? [ack.run] : [])))
    for (const { number, run } of await versions(root)) {
      if (run === undefined) continue
      const isThere = ['runs', 'trash/runs'].some((folder) => existsSync(join(root, folder, run, 'run.json')))
      assert.ok(isThere, `the run of version ${number} cannot come back (${root})`)
      assert.ok(!purged.has(run))
    }
    rmSync(join(root, '..'), { recursive: true })
  }).timeout(120_000)
})

/** However slow the machine is. */
const isEnough = (acks: readonly Ack[]): boolean =>
  acks.filter(({ kind }) => kind === 'version').length > 20 && acks.filter(({ kind }) => kind === 'gc').length > 2

/** @param life milliseconds after which each is killed, about; 0: never */
async function together(worker: string, seed: number, life: number): Promise<{ root: string; acks: Ack[] }> {
  const root = join(mkdtempSync(join(tmpdir(), 'mlops-gc-')), '.mlops')
  await createStore(root)
  const kinds = ['gc', 'gc', 'litter', ...Array.from({ length: 8 }, () => 'write')]
  const next = numbers(seed)
  const until = Date.now() + 1000 * SECONDS
  const acks: Ack[] = []
  await Promise.all(
    kinds.map(async (kind, n) => {
      for (let turn = 0; Date.now() < until || !isEnough(acks); turn++) {
        const left = Math.max(0.5, (until - Date.now()) / 1000)
        const args = [root, kind, `${kind}${n}`, String(seed * 1000 + n * 50 + turn), String(left)]
        acks.push(...(await runFor(worker, args, life === 0 ? undefined : next(life))))
      }
    }),
  )
  await assertComplete(root, acks)
  await collectGarbage({ env: {}, now: () => new Date() }, root, { remove: true, grace: 14 * 86_400e3 })
  await assertComplete(root, acks)
  return { root, acks }
}

async function runFor(worker: string, args: readonly string[], life: number | undefined): Promise<Ack[]> {
  const child = spawn(process.execPath, [worker, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  // A life begins with the first thing that is done: on a busy machine most would be over before node has started.
  let armed = life === undefined
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
    if (!armed) setTimeout(() => child.kill('SIGKILL'), life)
    armed = true
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk
  })
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (...how) => resolve(how))
  })
  assert.ok(code === 0 || signal === 'SIGKILL', `a ${args[1]} ended with ${code}: ${err.slice(0, 2000)}`)
  return out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Ack)
}

async function versions(root: string): Promise<{ number: number; run: string | undefined }[]> {
  const state = await (await openStore(root, { write: false })).models.state(MODEL)
  return state.versions.map(({ version, run }) => ({ number: version, run: run?.id }))
}

async function assertComplete(root: string, acks: readonly Ack[]): Promise<void> {
  const report = await verifyStore(root)
  assert.deepEqual(report.damages, [], root)
  const store = await openStore(root, { write: false })
  const { events, versions: made } = await store.models.state(MODEL)
  for (const { manifest } of made) {
    for (const file of (await store.models.manifest(manifest)).files) await store.objects.verify(file.sha256)
  }
  const done = new Set(events.map(({ op_id }) => op_id))
  for (const ack of acks) if (ack.kind === 'version') assert.ok(done.has(ack.op), `lost ${ack.op}`)
  for (const id of await store.runs.list()) {
    for (const { sha256 } of (await store.runs.read(id)).end?.artifacts ?? []) await store.objects.verify(sha256)
  }
}
