/**
 * Memory and processor time of a command and all that it started, from Linux's /proc. Node has no `wait4`, so both are
 * sampled: densely at first, so that a command of a tenth of a second has figures too, then once a second. On other
 * systems nothing is recorded rather than something wrong. How a sample is taken is `process-family.ts`.
 */
import { availableParallelism } from 'node:os'
import type { Resources } from '../../store/run-records.ts'
import { createFamily, type FamilySample } from './process-family.ts'

/** Milliseconds. */
const SHORTEST = 5
const LONGEST = 1_000
/** A sample for every tenth of the time that the command runs: what the last one misses is a tenth at most. */
const SHARE = 0.1
/** Seconds: the clock ticks of /proc. */
const TICK = 0.01

export interface ResourceWatch {
  stop(): Resources | undefined
}

export function watchResources(pid: number): ResourceWatch {
  if (process.platform !== 'linux') return { stop: () => undefined }
  const family = createFamily(pid)
  const began = performance.now()
  let timer: NodeJS.Timeout | undefined
  // Processor time that children had used before counts from here.
  let use: Use = { memory: 0, processor: 0, looks: 0, last: { sample: family.before, at: 0 }, isOver: false }
  const sample = (): void => {
    use = afterSample(use, family.sample(), (performance.now() - began) / 1000, availableParallelism())
  }
  const goOn = (): void => {
    sample()
    const next = Math.min(LONGEST, Math.max(SHORTEST, (performance.now() - began) * SHARE))
    timer = setTimeout(goOn, next).unref()
  }
  goOn()
  return {
    stop() {
      clearTimeout(timer)
      sample()
      const processor = Math.round(use.processor * 100) / 100
      // One look, just as it began, says nothing of the memory of a command that was gone at the next.
      return use.looks < 2 || use.memory === 0
        ? { cpuSeconds: processor }
        : { maxRssBytes: use.memory, memoryOf: 'family', cpuSeconds: processor }
    },
  }
}

export interface Use {
  /** Bytes, seconds: the most so far. */
  readonly memory: number
  readonly processor: number
  /** How often the command was there. */
  readonly looks: number
  /** The last sample in which the command was there, or the one before all, and when it was taken, in seconds. */
  readonly last: { readonly sample: FamilySample; readonly at: number }
  /** The command has been seen to be gone. */
  readonly isOver: boolean
}

/**
 * Pure. While the command is there its family's own account counts, which holds what ended children had used. When it has
 * gone, what this process has waited for since the last sample is the exact figure, unless another of its children ended
 * in the same moment or the figure cannot be.
 * @param at seconds since the beginning
 */
export function afterSample(use: Use, sample: FamilySample, at: number, cores: number): Use {
  const memory = Math.max(use.memory, sample.peakOfOne, sample.together)
  const sampled = Math.max(use.processor, sample.processor)
  if (sample.isThere || use.isOver) {
    const last = sample.isThere ? { sample, at } : use.last
    return { memory, processor: sampled, looks: use.looks + (sample.isThere ? 1 : 0), last, isOver: use.isOver }
  }
  const before = use.last.sample
  const waited = sample.waited - before.waited
  // User and system time of each process, and of what it waited for, are cut down to whole ticks.
  const most = sampled + (at - use.last.at) * cores + 4 * TICK * (before.members + 1)
  const isOurs = before.others.every((pid) => sample.others.includes(pid))
  const isExact = isOurs && waited + 2 * TICK >= before.ofCommand && waited <= most
  return { ...use, memory, processor: isExact ? Math.max(sampled, waited) : sampled, isOver: true }
}
