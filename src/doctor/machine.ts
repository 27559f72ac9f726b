/**
 * Can this machine's clock, and the disk under the store, be relied on? The disk is tried by `store/probe.ts`; here
 * it is said what that means.
 */
import type { Context } from '../core/context.ts'
import { describeDuration, MINUTE } from '../project/duration.ts'
import type { ModelState } from '../store/fold.ts'
import { type DiskFacts, probeDisk } from '../store/probe.ts'
import type { Store } from '../store/store.ts'
import type { Finding } from './types.ts'

/** Clocks of a team's machines differ by seconds; by minutes, windows and cool-downs are wrong. */
const TOLERATED = 2 * MINUTE
/** Less room than this, and the next version may not fit. */
const LITTLE_ROOM = 1 << 30

export async function machineFindings(
  ctx: Context,
  store: Store,
  states: readonly ModelState[],
): Promise<readonly Finding[]> {
  const now = ctx.now().getTime()
  const disk = await probeDisk(store.root, () => ctx.now().getTime())
  return [...diskFindings(disk), ...clockFindings(disk, states, now)]
}

const machine = (severity: Finding['severity'], summary: string, next: string | null = null): Finding => ({
  area: 'machine',
  severity,
  model: null,
  summary,
  next,
})

export function diskFindings(disk: DiskFacts): Finding[] {
  const { kind, freeBytes, writable, exclusiveLinks, syncs } = disk
  const found: Finding[] = []
  if (!writable) {
    found.push(machine('warn', 'the store cannot be written from here: only reading was tried'))
  } else if (!exclusiveLinks) {
    found.push(
      machine('bad', 'the disk of the store has no hard links that exclude each other: two writers could both win'),
    )
  } else if (!syncs) {
    found.push(machine('bad', 'the disk of the store does not sync folders: a power cut could take what was promised'))
  }
  if (kind === 'tmpfs' || kind === 'ramfs') {
    found.push(machine('bad', `the store lies in memory (${kind}): it is gone after a restart`))
  } else if (kind !== null) {
    found.push(
      machine(
        'warn',
        `the store lies on ${kind}: whether its locks and syncs hold is up to its server`,
        'mlops store verify',
      ),
    )
  }
  if (freeBytes < LITTLE_ROOM) {
    const left = `${Math.floor(freeBytes / 1e6)} MB`
    found.push(machine(freeBytes < 50e6 ? 'bad' : 'warn', `the disk of the store has ${left} left`))
  }
  return found.length > 0 ? found : [machine('good', 'the disk of the store links, syncs and has room')]
}

export function clockFindings({ clockAhead }: DiskFacts, states: readonly ModelState[], now: number): Finding[] {
  const found: Finding[] = []
  if (clockAhead !== null && Math.abs(clockAhead) > TOLERATED) {
    const side = clockAhead > 0 ? 'behind' : 'ahead of'
    found.push(
      machine(
        'bad',
        `this clock is ${describeDuration(Math.abs(clockAhead))} ${side} that of the store's disk: one is wrong`,
      ),
    )
  }
  for (const { model, events } of states) {
    const newest = events.at(-1)
    const ahead = newest === undefined ? 0 : Date.parse(newest.time) - now
    if (newest !== undefined && ahead > TOLERATED) {
      const summary = `event ${newest.seq} of ${model} is ${describeDuration(ahead)} in the future: this clock is behind, or that of ${newest.actor.name} was ahead`
      found.push({ ...machine('bad', summary, `mlops model history ${model}`), model })
    }
    const back = events.findIndex((event, at) => {
      const before = events[at - 1]
      return before !== undefined && Date.parse(before.time) - Date.parse(event.time) > TOLERATED
    })
    const event = events[back]
    if (event === undefined) continue
    const summary = `event ${event.seq} of ${model} says it is older than the one before: the clock of ${event.actor.name} was behind (the order of events is not touched by it)`
    found.push({ ...machine('warn', summary, `mlops model history ${model}`), model })
  }
  return found.length > 0 ? found : [machine('good', 'the clock agrees with the disk and with the log')]
}
