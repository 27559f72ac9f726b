/** One look at a process and all that descends from it, in Linux's /proc. */
import { readdirSync, readFileSync } from 'node:fs'

/** sysconf(_SC_CLK_TCK) on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100
const MOST_PROCESSES = 512
const MOST_THREADS = 512

export interface FamilySample {
  /** The command itself is there, as a process that has not ended. */
  readonly isThere: boolean
  /** How many live. */
  readonly members: number
  /** Seconds of the command itself with those it waited for. */
  readonly ofCommand: number
  /** Seconds of all that live, each with those it waited for. */
  readonly processor: number
  /** Bytes: the exact peak of the largest process so far, and what all of them hold now, shared pages counted once. */
  readonly peakOfOne: number
  readonly together: number
  /** Seconds of the children that this process has waited for, and its other children that live. */
  readonly waited: number
  readonly others: readonly number[]
}

export interface Family {
  /** Before any look at the command: only what this process has waited for. */
  readonly before: FamilySample
  sample(): FamilySample
}

interface Facts {
  readonly started: string
  readonly isDead: boolean
  readonly own: number
  readonly waited: number
}

export function createFamily(command: number): Family {
  /** By id, when it began: an orphan stays in the family, and a later process of the same id is another. */
  const known = new Map<number, string>()
  const ourselves = (): Pick<FamilySample, 'waited' | 'others'> => ({
    waited: readFacts(process.pid)?.waited ?? 0,
    others: childrenOf(process.pid).filter((pid) => pid !== command),
  })
  const nobody = { isThere: false, members: 0, ofCommand: 0, processor: 0, peakOfOne: 0, together: 0 }
  return {
    before: { ...nobody, ...ourselves() },
    sample() {
      const living = [...members([command, ...known.keys()], known)]
      const total = ({ own, waited }: Facts): number => own + waited
      const root = living.find(([pid]) => pid === command)?.[1]
      const there = living.filter(([, { isDead }]) => !isDead).map(([pid]) => pid)
      return {
        isThere: root !== undefined && !root.isDead,
        members: living.length,
        ofCommand: root === undefined ? 0 : total(root),
        processor: living.reduce((sum, [, facts]) => sum + total(facts), 0),
        ...memoryOf(there),
        ...ourselves(),
      }
    },
  }
}

/** Those that were known and still live, and their descendants. */
function members(from: readonly number[], known: Map<number, string>): Map<number, Facts> {
  const found = new Map<number, Facts>()
  const open = [...from]
  for (let at = 0; at < open.length && found.size < MOST_PROCESSES; at++) {
    const pid = open[at] as number
    if (found.has(pid)) continue
    const facts = readFacts(pid)
    const began = known.get(pid)
    if (facts === undefined || (began !== undefined && began !== facts.started)) {
      known.delete(pid)
      continue
    }
    known.set(pid, facts.started)
    found.set(pid, facts)
    open.push(...childrenOf(pid))
  }
  return found
}

/**
 * The resident set of each counts what it shares with the others: of a loader with eight forked workers it would be nine
 * times the data. So several are added by their proportional share, which costs a walk over their pages.
 */
function memoryOf(pids: readonly number[]): Pick<FamilySample, 'peakOfOne' | 'together'> {
  let peakOfOne = 0
  let together = 0
  for (const pid of pids) {
    const status = readText(`/proc/${pid}/status`) ?? ''
    const resident = kibibytes(status, 'VmRSS')
    peakOfOne = Math.max(peakOfOne, kibibytes(status, 'VmHWM'), resident)
    const share = pids.length > 1 ? kibibytes(readText(`/proc/${pid}/smaps_rollup`) ?? '', 'Pss') : 0
    together += share === 0 ? resident : share
  }
  return { peakOfOne, together }
}

const kibibytes = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024

/** Each thread has the children that it started. */
function childrenOf(pid: number): number[] {
  let threads: string[]
  try {
    threads = readdirSync(`/proc/${pid}/task`).slice(0, MOST_THREADS)
  } catch {
    return []
  }
  return threads.flatMap((thread) =>
    (readText(`/proc/${pid}/task/${thread}/children`) ?? '')
      .split(' ')
      .filter((word) => word !== '')
      .map(Number),
  )
}

function readFacts(pid: number): Facts | undefined {
  // The name stands in parentheses and may hold anything; the fields after it are numbers.
  const text = readText(`/proc/${pid}/stat`)
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields === undefined || fields.length < 20) return undefined
  const seconds = (at: number): number => Number(fields[at]) / TICKS_PER_SECOND
  return {
    started: fields[19] ?? '',
    isDead: fields[0] === 'Z' || fields[0] === 'X',
    own: seconds(11) + seconds(12),
    waited: seconds(13) + seconds(14),
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
