/** Lets the scenario meet a fault at its first call, its second, … until there are no more calls, and judges the rest. */
import assert from 'node:assert/strict'
import { MlopsError } from '../../src/core/errors.ts'
import type { Files } from '../../src/store/files.ts'
import { type Fault, faulty, Killed } from './faults.ts'
import { type Luck, MemoryDisk } from './memory-disk.ts'
import { assertSound, assertUsable, type Promised, STEPS, type Step } from './scenario.ts'

export type Plant = (files: Files) => Files

/** The disk as it is before step `index`. */
export async function diskBefore(index: number, plant: Plant): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  for (const step of STEPS.slice(0, index)) await step.run(plant(disk.files))
  return disk
}

const promisedBefore = (index: number): Promised[] => STEPS.slice(0, index).flatMap(({ promises }) => [...promises])

/** @returns how many places the step has at which it can be struck */
export async function enumerateKills(index: number, plant: Plant, lucks: readonly Luck[]): Promise<number> {
  const step = STEPS[index]
  assert.ok(step !== undefined)
  const before = await diskBefore(index, plant)
  for (let n = 1; ; n++) {
    let last: keyof Files | undefined
    for (const kind of ['die', 'tear'] as const) {
      // Only a write has a middle in which it can be torn.
      if (kind === 'tear' && last !== 'write') continue
      const disk = before.afterKill()
      const { files, calls, struck } = faulty(disk.files, n, { kind })
      const killed = await wasKilled(step, plant(files))
      last = struck()
      const promised = [...promisedBefore(index), ...(killed ? [] : step.promises)]
      await judge(disk, promised, step, plant, lucks, `${step.name}, ${kind} at call ${n}`)
      if (!killed && calls() < n) return n
    }
  }
}

/**
 * One program dies between showing its event and making it durable; the next builds on that event, dies as well, and
 * then the power goes. Never may the second event survive without the first.
 */
export async function enumerateSuccessors(first: number, second: number, lucks: readonly Luck[]): Promise<number> {
  const [before, after] = [STEPS[first], STEPS[second]]
  assert.ok(before !== undefined && after !== undefined)
  const start = await diskBefore(first, (files) => files)
  let unsettled = 0
  for (let n = 1; ; n++) {
    const disk = start.afterKill()
    const one = faulty(disk.files, n, { kind: 'die' })
    const killed = await wasKilled(before, one.files)
    if (!killed) return unsettled
    if (events(disk) === events(disk.afterPowerLoss())) continue
    unsettled += 1
    for (let m = 1; ; m++) {
      const fork = disk.fork()
      const two = faulty(fork.files, m, { kind: 'die' })
      const done = !(await wasKilled(after, two.files))
      const promised = [...promisedBefore(first), ...(done ? after.promises : [])]
      for (const luck of lucks) {
        await assertSound(
          fork.afterPowerLoss(luck).files,
          promised,
          `${before.name} dies at ${n}, ${after.name} at ${m}`,
        )
      }
      if (done) break
    }
  }
}

const events = (disk: MemoryDisk): number =>
  [...disk.tree().keys()].filter((path) => /\/models\/[^/]+\/log\/\d+\.json$/.test(path)).length

async function judge(
  disk: MemoryDisk,
  promised: readonly Promised[],
  step: Step,
  plant: Plant,
  lucks: readonly Luck[],
  when: string,
): Promise<void> {
  const kill = disk.afterKill()
  await assertSound(kill.files, promised, `${when}, killed`)
  await assertUsable(plant(kill.files), `${when}, killed`)
  for (const luck of [() => false, ...lucks]) {
    const loss = disk.afterPowerLoss(luck)
    await assertSound(loss.files, promised, `${when}, power lost`)
    await assertUsable(plant(loss.files), `${when}, power lost`)
  }
  // The same command again, and then the power goes: what the second one promises must not rest on the first one's luck.
  const promisedAgain = await again(step, plant(disk.files))
  const loss = disk.afterPowerLoss()
  await assertSound(loss.files, [...promised, ...promisedAgain], `${when}, done again, power lost`)
}

/** @returns what it promises. A run cannot be begun twice, says so, and promises nothing. */
async function again(step: Step, files: Files): Promise<readonly Promised[]> {
  try {
    await step.run(files)
    return step.promises
  } catch (error) {
    if (!(error instanceof MlopsError) || error.code !== 'RUN_EXISTS') throw error
    return []
  }
}

async function wasKilled(step: Step, files: Files): Promise<boolean> {
  try {
    await step.run(files)
    return false
  } catch (error) {
    if (error instanceof Killed) return true
    throw error
  }
}

/**
 * Each call fails once (or, for `full`, every call from there on that needs room). A step either succeeds or says
 * clearly what is wrong; then everything holds, and the same step done again succeeds.
 */
export async function enumerateErrors(index: number, fault: Fault): Promise<number> {
  const step = STEPS[index]
  assert.ok(step !== undefined)
  const before = await diskBefore(index, (files) => files)
  for (let n = 1; ; n++) {
    const disk = before.afterKill()
    const { files, calls } = faulty(disk.files, n, fault)
    const when = `${step.name}, ${fault.kind === 'error' ? fault.code : fault.kind} at call ${n}`
    const error = await failureOf(step, files)
    if (error !== undefined) {
      assert.ok(error instanceof MlopsError, `${when}: not an error for users: ${String(error)}`)
      assert.ok(error.hint !== undefined && error.message !== '', when)
      if (error.code === 'STORE_FULL') assertUnchanged(before, disk, when)
    }
    const promised = [...promisedBefore(index), ...(error === undefined ? step.promises : [])]
    await assertSound(disk.afterKill().files, promised, when)
    await assertSound(disk.afterPowerLoss().files, promised, `${when}, power lost`)
    const promisedAgain = await again(step, disk.files)
    await assertSound(disk.files, [...promisedBefore(index), ...promisedAgain], `${when}, done again`)
    if (calls() < n) return n
  }
}

/** What a full disk may leave behind: nothing in tmp/, no event, no record that anybody would read. */
function assertUnchanged(before: MemoryDisk, after: MemoryDisk, when: string): void {
  const left = [...after.tree().keys()].filter((path) => !before.tree().has(path))
  const harmless = /\/(?:objects\/sha256\/|log\/\d+\.json$|reserve$|runs\/)/
  const harmful = left.filter(
    (path) => !harmless.test(path.slice(path.indexOf('.mlops'))) || /models\/.*log\//.test(path),
  )
  assert.deepEqual(harmful, [], `${when}: a full disk left something behind`)
}

async function failureOf(step: Step, files: Files): Promise<unknown> {
  try {
    await step.run(files)
    return undefined
  } catch (error) {
    return error
  }
}
