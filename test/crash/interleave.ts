/**
 * Several programs on one disk, taking turns at every system call in an order that a seed decides; some are killed on
 * the way, and once the power goes. Finds what one program alone cannot show: two winners, lost updates, holes.
 */
import assert from 'node:assert/strict'
import { openStore } from '../../src/store/open.ts'
import type { Plant } from './enumerate.ts'
import { faulty, Killed } from './faults.ts'
import { luck, numbers } from './luck.ts'
import { MemoryDisk } from './memory-disk.ts'
import { assertSound, assertUsable, MODEL, type Promised, ROOT, register, STEPS } from './scenario.ts'

const WRITERS = 3
const EACH = 2

export async function interleave(seed: number, plant: Plant): Promise<void> {
  const next = numbers(seed)
  const disk = new MemoryDisk()
  await STEPS[0]?.run(disk.files)
  const promised: Promised[] = []
  const power = { at: 20 + next(500), lost: undefined as MemoryDisk | undefined, promised: [] as Promised[] }
  let turns = 0
  const between = async (): Promise<void> => {
    turns += 1
    if (turns === power.at) {
      power.lost = disk.afterPowerLoss(luck(seed))
      power.promised = [...promised]
    }
    for (let wait = next(4); wait > 0; wait--) await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      const at = next(2) === 0 ? Number.POSITIVE_INFINITY : 1 + next(200)
      const { files } = faulty(plant(disk.files), at, { kind: 'die' }, between)
      await work(files, `w${writer}`, promised)
    }),
  )
  const views = { killed: disk.afterKill(), 'power lost at the end': disk.afterPowerLoss(luck(seed + 1)) }
  for (const [what, view] of Object.entries(views)) await judge(view, promised, `seed ${seed}, ${what}`)
  if (power.lost !== undefined) await judge(power.lost, power.promised, `seed ${seed}, power lost at turn ${power.at}`)
}

async function work(files: Parameters<Plant>[0], name: string, promised: Promised[]): Promise<void> {
  try {
    const store = await openStore(ROOT, { write: true, files })
    for (let i = 0; i < EACH; i++) {
      const op = `${name}-${i}`
      const result = await register(store, op)
      assert.equal(result.kind, 'committed')
      promised.push({
        what: `version of ${op}`,
        holds: async (reader) => (await reader.models.state(MODEL)).events.some(({ op_id }) => op_id === op),
      })
    }
  } catch (error) {
    if (!(error instanceof Killed)) throw error
  }
}

async function judge(view: MemoryDisk, promised: readonly Promised[], when: string): Promise<void> {
  await assertSound(view.files, promised, when)
  await assertUsable(view.files, when)
  const state = await (await openStore(ROOT, { write: false, files: view.files })).models.state(MODEL)
  const numbers = state.versions.map(({ version }) => version)
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
    `${when}: versions are not consecutive`,
  )
}
